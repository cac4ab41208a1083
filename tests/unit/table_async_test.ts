/** Requests that don't block: the same tables and values as by the calls that do, in order, one at a time where it must be. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  aipsio,
  array,
  compressComplex,
  Context,
  type CreateOptions,
  incremental,
  type IoName,
  memory,
  type NDArray,
  scalar,
  standard,
  type StorageSpec,
  Table,
  TableError,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { FaultyBackend } from "../faulty-backend.ts";
import { temporaryFolder } from "../fixture.ts";
import { backendsHere, failsAsync } from "./io_help.ts";

const native = backendsHere().includes("pread");
const lock = native ? "auto" : "none";
const CELL = [4, 32];
const ITEMS = 4 * 32 * 2;

function numbers(rows: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * ITEMS }, (_, i) => (i * 31 + seed * 977) % 8191);
}

function same(found: NDArray, expected: NDArray): void {
  assert.deepEqual(found.shape, expected.shape);
  const a = found.data as Float32Array, b = expected.data as Float32Array;
  assert.equal(a.length, b.length);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) assert.equal(`${i}: ${a[i]}`, `${i}: ${b[i]}`);
}

/** A table with one large column, committed. */
function committed(path: string, rows: number, more: Partial<CreateOptions> = {}): Table {
  const table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: CELL }), scalar("N", "int32"), scalar("NAME", "string")],
    storage: [tiledShape("T", ["DATA"], { tileShape: [4, 32, 64] }), standard("SSM")],
    rows: 0,
    lock,
    ...more,
  });
  table.flush();
  table.append({
    DATA: numbers(rows, 0),
    N: Int32Array.from({ length: rows }, (_, i) => i),
    NAME: Array.from({ length: rows }, (_, i) => `row ${i}`),
  });
  table.flush();
  return table;
}

/** The same, with a backend that fails, or does something else, at a call that a test chooses. */
function faulty(path: string, rows: number): { table: Table; backend: FaultyBackend } {
  let backend: FaultyBackend | undefined;
  const context = new Context();
  context.wrapBackend = (inner) => backend = new FaultyBackend(inner);
  const table = committed(path, rows, { context });
  return { table, backend: backend! };
}

/** Calls `act` when the second large read or write of tiles begins; gives how often that was. */
function atSecond(
  backend: FaultyBackend,
  what: "read" | "write",
  act: () => void | { errno: number },
): { calls: number; error?: unknown } {
  const seen: { calls: number; error?: unknown } = { calls: 0 };
  backend.fault = ({ kind, path, length }) => {
    if (kind !== what || !/_TSM/.test(path) || length < 256 * 1024 || ++seen.calls !== 2) return;
    try {
      return act();
    } catch (error) {
      seen.error = error;
    }
  };
  return seen;
}

/** Rows that a test puts: those that are committed, or some that its files don't have yet. */
const PLACES = {
  "over what is committed": { start: 0, end: 20_000 },
  "behind what is committed": { start: 20_000, end: 40_000 },
} as const;
type PlaceName = keyof typeof PLACES;
const places = Object.keys(PLACES) as PlaceName[];

const tiles = (tileShape: number[]) => (columns: readonly string[]) =>
  tiledShape("M", columns, { tileShape });
/** Managers of the large column. */
const MANAGERS: Readonly<Record<string, (columns: readonly string[]) => StorageSpec[]>> = {
  "tiles of whole cells": (columns) => [tiles([4, 32, 64])(columns)],
  "tiles that split cells": (columns) => [tiles([3, 16, 100])(columns)],
  "tiledColumn": (columns) => [tiledColumn("M", columns, { tileShape: [4, 16, 700] })],
  "tiledCell": (columns) => [tiledCell("M", columns)],
  "standard": (columns) => [standard("M", columns, { bucketRows: 32 })],
  "incremental": (columns) => [incremental("M", columns)],
  "aipsio": (columns) => [aipsio("M", columns)],
  "memory": (columns) => [memory("M", columns)],
};

interface Work {
  put: boolean;
  start: number;
  count: number;
  step: number;
  sliced: boolean;
  handover: "borrow" | "transfer" | "copy";
  seed: number;
}
const ROWS = 1500;
const works = fc.array(
  fc.record<Work>({
    put: fc.boolean(),
    start: fc.nat(ROWS - 1),
    count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: ROWS })),
    step: fc.constantFrom(1, 1, 1, 2, 7),
    sliced: fc.boolean(),
    handover: fc.constantFrom("borrow", "transfer", "copy"),
    seed: fc.nat(1000),
  }),
  { minLength: 3, maxLength: 8 },
);

async function twin(list: readonly Work[], path: string, manager: string, io: IoName, big: boolean) {
  const options: CreateOptions = {
    columns: [array("DATA", "complex64", { shape: CELL, direct: manager === "standard" })],
    storage: MANAGERS[manager]!(["DATA"]),
    rows: ROWS,
    byteOrder: big ? "big" : "little",
    overwrite: true,
    io,
    lock: io === "memory" || !native ? "none" : "auto",
    context: new Context({ cacheBytes: 4 * 1024 * 1024 }),
  };
  using blocking = Table.create(`${path}/blocking`, options), other = Table.create(`${path}/other`, options);
  if (manager === "dysco") { for (const table of [blocking, other]) table.addRows(ROWS); }
  // Nothing is committed before the second half: what is sent early goes other ways then.
  for (const [i, { put, start, count, step, sliced, handover, seed }] of list.entries()) {
    const rows = { start, end: Math.min(ROWS, start + count), step };
    const length = Math.ceil((rows.end - start) / step), slice = [[1, 4, 2], [0, 32, 3]] as const;
    const where = sliced ? { rows, slice } : { rows };
    if (put) {
      const values = numbers(length, seed).subarray(0, length * (sliced ? 2 * 11 * 2 : ITEMS));
      const given = values.slice();
      blocking.putColumn("DATA", values, where);
      const request = other.putColumnAsync("DATA", given, { ...where, [handover]: true });
      assert.equal(given.length, handover === "transfer" ? 0 : values.length);
      if (handover === "copy") given.fill(-1);
      await request;
      if (handover === "borrow") assert.deepEqual(given, values);
    }
    const expected = blocking.getColumn("DATA", where);
    same(await other.getColumnAsync("DATA", where), expected);
    const into = new Float32Array((expected.data as Float32Array).length);
    const got = await other.getColumnAsync("DATA", {
      ...where,
      into,
      transfer: handover === "transfer",
    });
    assert.equal(got.data === into, handover !== "transfer");
    same(got, expected);
    if (i === list.length >> 1) { for (const table of [blocking, other]) table.flush(); }
  }
  same(other.getColumn("DATA"), blocking.getColumn("DATA"));
}

for (const manager of Object.keys(MANAGERS)) {
  for (const io of backendsHere()) {
    Deno.test(`${manager}, ${io}: requests give and leave what the calls that block do`, async () => {
      using folder = temporaryFolder();
      const path = io === "memory" ? "" : folder.path;
      await fc.assert(
        fc.asyncProperty(works, fc.boolean(), (list, big) => twin(list, path, manager, io, big)),
        { numRuns: 3 },
      );
    });
  }
}

Deno.test("virtual columns and strings are got and put by requests, too", async () => {
  using folder = temporaryFolder();
  using table = Table.create(`${folder.path}/t`, {
    columns: [
      array("V", "complex64", { shape: CELL }),
      array("V_STORED", "int32", { shape: CELL }),
      scalar("NAME", "string"),
    ],
    storage: [compressComplex("V", { stored: "V_STORED", scale: 0.25, offset: 0 }), standard("SSM")],
    rows: 500,
    lock,
  });
  const names = Array.from({ length: 500 }, (_, i) => "n".repeat(i % 40));
  const values = numbers(500, 3);
  const putting = [table.putColumnAsync("NAME", names, { copy: true }), table.putColumnAsync("V", values)];
  names.fill("changed");
  await Promise.all(putting);
  same(await table.getColumnAsync("V"), table.getColumn("V"));
  assert.equal((await table.getColumnAsync("NAME", { dtype: "string" })).data[39], "n".repeat(39));
});

Deno.test("requests on a table are carried out in the order in which they were made", async () => {
  using folder = temporaryFolder();
  using table = committed(`${folder.path}/t`, 3000);
  const order: string[] = [];
  const note = <T>(what: string, promise: Promise<T>) => promise.then((value) => (order.push(what), value));
  const [, one, other, , after] = await Promise.all([
    note("put 1", table.putColumnAsync("DATA", numbers(3000, 1))),
    note("get 1", table.getColumnAsync("DATA")),
    note("get N", table.getColumnAsync("N", { dtype: "int32" })),
    note("put 2", table.putColumnAsync("DATA", numbers(10, 2), { rows: { start: 0, end: 10 } })),
    note("get 2", table.getColumnAsync("DATA", { rows: { start: 0, end: 10 } })),
  ]);
  assert.deepEqual([order[0], order[3], order[4]], ["put 1", "put 2", "get 2"]);
  assert.deepEqual(one.data, numbers(3000, 1));
  assert.equal(other.data[2999], 2999);
  assert.deepEqual(after.data, numbers(10, 2));
});

Deno.test("while a put waits or runs, other changes throw BUSY, and reads while it runs", async () => {
  using folder = temporaryFolder();
  const { table, backend } = faulty(`${folder.path}/t`, 20_000);
  using _ = table;
  table.addRows(20_000);
  table.flush();
  const changes = [
    () => table.putColumn("N", new Int32Array(40_000)),
    () => table.putCell("N", 0, 1),
    () => table.addRows(1),
    () => table.append({ N: [1] }),
    () => table.flush(),
    () => table.discard(),
    () => table.transaction(() => {}),
    () => table.renameColumn("N", "M"),
    () => table.close(),
  ];
  const reading = table.getColumnAsync("DATA");
  const putting = table.putColumnAsync("DATA", numbers(20_000, 1), { rows: { start: 20_000, end: 40_000 } });
  // It waits for the read: the state is that before.
  assert.equal(table.getCell("N", 7), 7);
  for (const change of changes) assert.throws(change, { code: "BUSY", message: /getColumnAsync of DATA/ });
  await reading;
  using some = table.select([1, 2]);
  const seen = atSecond(backend, "write", () => {
    const busy = { code: "BUSY", message: /putColumnAsync of DATA/ };
    for (const change of changes) assert.throws(change, busy);
    assert.throws(() => table.getCell("N", 7), busy);
    assert.throws(() => table.getColumn("DATA"), busy);
    assert.throws(() => some.getColumn("N"), busy);
  });
  await putting;
  assert.equal(seen.error, undefined);
  assert(seen.calls > 1);
  table.putCell("N", 7, 8);
  assert.equal(table.getCell("N", 7), 8);
});

Deno.test("a request on a selection is one on the table that it refers to", async () => {
  using folder = temporaryFolder();
  using table = committed(`${folder.path}/t`, 2000);
  using some = table.select({ start: 100, end: 1900 });
  const putting = some.putColumnAsync("DATA", numbers(1800, 5));
  assert.throws(() => table.putCell("N", 0, 1), { code: "BUSY" });
  assert.throws(() => table.close(), { code: "BUSY" });
  const reading = table.getColumnAsync("DATA", { rows: { start: 100, end: 1900 } });
  await putting;
  assert.deepEqual((await reading).data, numbers(1800, 5));
});

Deno.test("while requests only read, other calls read, too", async () => {
  using folder = temporaryFolder();
  using table = committed(`${folder.path}/t`, 3000);
  const readers = [table.getColumnAsync("DATA"), table.getColumnAsync("DATA"), table.getColumnAsync("NAME")];
  assert.deepEqual(table.getColumn("DATA").data, numbers(3000, 0));
  assert.throws(() => table.putCell("N", 0, 1), { code: "BUSY", message: /getColumnAsync of DATA/ });
  const [one, other] = await Promise.all(readers);
  assert.deepEqual(one!.data, numbers(3000, 0));
  assert.deepEqual(other!.data, numbers(3000, 0));
});

Deno.test("several tables are read and written at the same time", async () => {
  using folder = temporaryFolder();
  const tables = [1, 2, 3].map((i) => committed(`${folder.path}/t${i}`, 2000));
  await Promise.all(tables.map((table, i) => table.putColumnAsync("DATA", numbers(2000, i + 1))));
  const all = await Promise.all(tables.map((table) => table.getColumnAsync("DATA")));
  all.forEach(({ data }, i) => assert.deepEqual(data, numbers(2000, i + 1)));
  for (const table of tables) table.close();
});

for (const when of ["before it is made", "while it waits"] as const) {
  Deno.test(`a request that is cancelled ${when} leaves the table as it was, and is an AbortError`, async () => {
    using folder = temporaryFolder();
    using table = committed(`${folder.path}/t`, 3000);
    const abort = new AbortController(), { signal } = abort;
    if (when === "before it is made") abort.abort();
    const before = table.getColumnAsync("DATA");
    const putting = table.putColumnAsync("DATA", numbers(3000, 1), { signal });
    const behind = table.getColumnAsync("DATA");
    const getting = table.getColumnAsync("DATA", { signal });
    abort.abort();
    await assert.rejects(putting, { name: "AbortError" });
    await assert.rejects(getting, { name: "AbortError" });
    await before;
    assert.deepEqual((await behind).data, numbers(3000, 0));
    using other = Table.open(table.path, { mode: "rw", lock });
    other.putCell("N", 0, 5); // no lock was left behind
  });
}

for (const place of places) {
  Deno.test(`a put that is cancelled while it writes ${place} leaves the table as it was`, async () => {
    using folder = temporaryFolder();
    const { table, backend } = faulty(`${folder.path}/t`, 20_000);
    using _ = table;
    table.addRows(20_000);
    table.flush();
    const sizes = () =>
      [...Deno.readDirSync(table.path)].map((
        { name },
      ) => [name, Deno.statSync(`${table.path}/${name}`).size]);
    const before = sizes(), rows = PLACES[place], abort = new AbortController();
    const seen = atSecond(backend, "write", () => abort.abort());
    const putting = table.putColumnAsync("DATA", numbers(20_000, 1), { rows, signal: abort.signal });
    const behind = table.getColumnAsync("DATA", { rows: PLACES["over what is committed"] });
    await assert.rejects(putting, { name: "AbortError" });
    assert(seen.calls > 1);
    assert.deepEqual((await behind).data, numbers(20_000, 0));
    assert.deepEqual(sizes().sort(), before.sort());
    using other = Table.open(table.path, { mode: "rw", lock });
    other.putCell("N", 0, 5);
  });
}

Deno.test("keywords aren't changed under a request that reads", async () => {
  using folder = temporaryFolder();
  const { table, backend } = faulty(`${folder.path}/t`, 20_000);
  using _ = table;
  const seen = atSecond(backend, "read", () => {
    assert.throws(() => table.keywords.set("NEW", 1), { code: "BUSY" });
  });
  await table.getColumnAsync("DATA");
  assert.equal(seen.error, undefined);
  assert(seen.calls > 1);
  table.keywords.set("NEW", 1);
});

Deno.test("a get that is cancelled while it reads is an AbortError", async () => {
  using folder = temporaryFolder();
  const { table, backend } = faulty(`${folder.path}/t`, 20_000);
  using _ = table;
  const abort = new AbortController(), reason = new Error("enough");
  atSecond(backend, "read", () => abort.abort(reason));
  await assert.rejects(table.getColumnAsync("DATA", { signal: abort.signal }), reason);
  assert.deepEqual((await table.getColumnAsync("DATA")).data, numbers(20_000, 0));
});

Deno.test("where something isn't committed, a put that writes already can't be cancelled", async () => {
  using folder = temporaryFolder();
  const { table, backend } = faulty(`${folder.path}/t`, 20_000);
  using _ = table;
  table.addRows(20_000);
  table.putCell("N", 5, 55);
  const abort = new AbortController(), rows = PLACES["behind what is committed"];
  const seen = atSecond(backend, "write", () => abort.abort());
  await table.putColumnAsync("DATA", numbers(20_000, 1), { rows, signal: abort.signal });
  assert(seen.calls > 1);
  assert.equal(table.getCell("N", 5), 55);
  assert.deepEqual(table.getColumn("DATA", { rows }).data, numbers(20_000, 1));
});

for (const place of places) {
  Deno.test(`a put that fails while it writes ${place} leaves the table as it was`, async () => {
    using folder = temporaryFolder();
    const { table, backend } = faulty(`${folder.path}/t`, 20_000);
    using _ = table;
    table.addRows(20_000);
    table.flush();
    const rows = PLACES[place], old = PLACES["over what is committed"];
    const seen = atSecond(backend, "write", () => ({ errno: 5 }));
    await failsAsync(table.putColumnAsync("DATA", numbers(20_000, 1), { rows }), "IO");
    assert(seen.calls > 1);
    assert.deepEqual(table.getColumn("DATA", { rows: old }).data, numbers(20_000, 0));
    await table.putColumnAsync("DATA", numbers(20_000, 2), { rows });
    assert.deepEqual((await table.getColumnAsync("DATA", { rows })).data, numbers(20_000, 2));
  });
}

Deno.test("a get that fails in the middle says so, and the next one gives all", async () => {
  using folder = temporaryFolder();
  const { table, backend } = faulty(`${folder.path}/t`, 20_000);
  using _ = table;
  const seen = atSecond(backend, "read", () => ({ errno: 5 }));
  await failsAsync(table.getColumnAsync("DATA"), "IO");
  assert(seen.calls > 1);
  assert.deepEqual((await table.getColumnAsync("DATA")).data, numbers(20_000, 0));
});

Deno.test("an array that is moved away while it is borrowed ends the request, and nothing else", async () => {
  using folder = temporaryFolder();
  const { table, backend } = faulty(`${folder.path}/t`, 20_000);
  using _ = table;
  table.addRows(20_000);
  table.flush();
  const values = numbers(20_000, 1), rows = PLACES["behind what is committed"];
  const put = atSecond(backend, "write", () => void values.buffer.transfer());
  await failsAsync(table.putColumnAsync("DATA", values, { rows }), "INVALID_ARGUMENT");
  const into = new Float32Array(20_000 * ITEMS), old = PLACES["over what is committed"];
  const get = atSecond(backend, "read", () => void into.buffer.transfer());
  await failsAsync(table.getColumnAsync("DATA", { rows: old, into }), "INVALID_ARGUMENT");
  assert(put.calls > 1 && get.calls > 1);
  assert.deepEqual(table.getColumn("DATA", { rows: old }).data, numbers(20_000, 0));
});

Deno.test("what can't be taken over, and what is to be taken over and copied, is refused", async () => {
  using folder = temporaryFolder();
  using table = committed(`${folder.path}/t`, 10);
  const shared = new Float32Array(new SharedArrayBuffer(10 * ITEMS * 4));
  const wrong = shared as unknown as Float32Array<ArrayBuffer>;
  await failsAsync(table.putColumnAsync("DATA", wrong, { transfer: true }), "INVALID_ARGUMENT");
  await failsAsync(
    table.putColumnAsync("DATA", numbers(10, 1), { transfer: true, copy: true }),
    "INVALID_ARGUMENT",
  );
  await failsAsync(table.putColumnAsync("DATA", new Float32Array(3)), "SHAPE_MISMATCH");
  await failsAsync(table.putColumnAsync("NOPE", new Float32Array(3)), "NO_SUCH_COLUMN");
  await table.putColumnAsync("DATA", wrong);
  assert.deepEqual(table.getColumn("DATA").data, new Float32Array(10 * ITEMS));
});

Deno.test("a table that others change meanwhile is read anew by all who read it", async () => {
  using folder = temporaryFolder();
  committed(`${folder.path}/t`, 3000).close();
  using reader = Table.open(`${folder.path}/t`, { lock: "none" === lock ? "none" : "auto" });
  await reader.getColumnAsync("NAME");
  const requests = [reader.getColumnAsync("DATA"), reader.getColumnAsync("DATA"), reader.getColumnAsync("N")];
  {
    using writer = Table.open(`${folder.path}/t`, { mode: "rw", lock });
    writer.putColumn("DATA", numbers(3000, 9));
    writer.append({ DATA: numbers(5, 1), N: [1, 2, 3, 4, 5] });
  }
  const [one, other, n] = await Promise.all(requests);
  assert.equal(n!.shape[0], 3005);
  assert.deepEqual(one!.data, other!.data);
  assert.deepEqual((one!.data as Float32Array).subarray(0, 3000 * ITEMS), numbers(3000, 9));
  assert.equal(reader.rowCount, 3005);
});

Deno.test("requests that a transaction doesn't wait for are part of it", async () => {
  using folder = temporaryFolder();
  using table = committed(`${folder.path}/t`, 2000);
  await table.transaction(async () => {
    void table.putColumnAsync("DATA", numbers(2000, 4));
    await Promise.resolve();
  });
  using other = Table.open(table.path);
  assert.deepEqual(other.getColumn("DATA").data, numbers(2000, 4));
  await assert.rejects(
    table.transaction(async () => {
      await table.putColumnAsync("DATA", numbers(2000, 6));
      throw new TableError("IO", "not so");
    }),
    /not so/,
  );
  assert.deepEqual(table.getColumn("DATA").data, numbers(2000, 4));
});
