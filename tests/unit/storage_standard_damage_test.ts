/**
 * Damaged files of a StandardStMan: every read ends with values or with a TableError, nothing else, and what is read
 * stays in proportion to the files.
 */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { MemoryStore } from "../../src/io/memory-backend.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import {
  type Bench,
  bound,
  bytesInMemory,
  createInMemory,
  errorOf,
  openInMemory,
  putInMemory,
  storeOf,
} from "./storage_standard_support.ts";

const DAMAGES = 2500;
const ROWS = 23;

const COLUMNS: readonly BoundColumn[] = [
  bound("int", "int32"),
  bound("flag", "bool"),
  bound("text", "string"),
  bound("bounded", "string", { maxLength: 5 }),
  bound("direct", "bool", { kind: "array", shape: [3], direct: true }),
  bound("fixed", "complex64", { kind: "array", shape: [2, 2] }),
  bound("free", "float64", { kind: "array" }),
  bound("words", "string", { kind: "array" }),
  bound("pair", "string", { kind: "array", shape: [2] }),
];

/** A small table with something of everything, free buckets and a chain of index buckets included. */
function sample(bigEndian: boolean): { bench: Bench; blob: Uint8Array } {
  const bench = createInMemory(COLUMNS, ROWS, { bigEndian, spec: { bucketSize: 200 } });
  const row = (r: number) => ({ rows: rowRange(r, 1) });
  for (let r = 0; r < ROWS; r++) {
    bench.put(0, [r * 1000], row(r));
    bench.put(1, [r & 1], row(r));
    bench.put(2, ["x".repeat(r * 17 % 90)], row(r));
    bench.put(3, ["abcde".slice(r % 6)], row(r));
    bench.put(4, [1, 0, 1], row(r));
    bench.put(5, [1, 2, 3, 4, 5, 6, 7, r], row(r));
    if (r % 3 > 0) bench.put(6, Array.from({ length: r }, (_, i) => i), { ...row(r), shape: [r] });
    if (r % 4 > 0) bench.put(7, ["a", "bc".repeat(r), ""], { ...row(r), shape: [1, 3] });
    bench.put(8, ["first", "second ".repeat(r)], row(r));
  }
  bench.flush();
  for (let r = 5; r < 15; r++) bench.put(8, ["", ""], row(r));
  return { bench, blob: bench.flush() };
}

/** Reads every column; errors other than TableErrors are passed on. */
function readAll(context: Bench["context"], blob: Uint8Array, store: MemoryStore): number {
  let errors = 0;
  let bench: Bench;
  try {
    bench = openInMemory(context, blob, store);
  } catch (error) {
    if (error instanceof TableError) return 1;
    throw error;
  }
  COLUMNS.forEach((_, index) => {
    if (errorOf(() => bench.cells(index)) !== null) errors++;
  });
  return errors;
}

/** Writes to every column; errors other than TableErrors are passed on. */
function writeAll(context: Bench["context"], blob: Uint8Array, store: MemoryStore): void {
  let bench: Bench;
  try {
    bench = openInMemory(context, blob, store);
  } catch (error) {
    if (error instanceof TableError) return;
    throw error;
  }
  errorOf(() => bench.put(2, ["another text that is long"], { rows: rowRange(3, 1) }));
  errorOf(() => bench.put(7, ["a", "b"], { rows: rowRange(9, 1), shape: [2] }));
  errorOf(() => bench.put(6, [1, 2, 3], { rows: rowRange(5, 1), shape: [3] }));
  errorOf(() => bench.put(5, new Array(8).fill(1), { rows: rowRange(0, 1) }));
  errorOf(() => bench.put(8, ["", ""], { rows: rowRange(20, 1) }));
  errorOf(() => bench.addRows(30));
  errorOf(() => bench.flush());
}

/** Removes and adds rows and columns; errors other than TableErrors are passed on. */
function changeAll(
  context: Bench["context"],
  blob: Uint8Array,
  store: MemoryStore,
  next: (below: number) => number,
): void {
  let bench: Bench;
  try {
    bench = openInMemory(context, blob, store);
  } catch (error) {
    if (error instanceof TableError) return;
    throw error;
  }
  const changes = [
    () => bench.removeRows(rowList([0, 1, 7, 20])),
    () => bench.removeRows(rowRange(3, 9)),
    () => bench.removeColumn(next(COLUMNS.length)),
    () => bench.addColumn(bound("late", "string")),
    () => bench.addColumn(bound("later", "int16", { kind: "array", shape: [2] })),
    () => bench.removeRows(rowRange(0, bench.rows)),
  ];
  for (const change of [changes[next(2)]!, changes[next(changes.length)]!]) errorOf(change);
  if (errorOf(() => bench.addRows(3)) === null) {
    errorOf(() => bench.put(2, ["z".repeat(40)], { rows: rowRange(0, 1) }));
  }
  errorOf(() => bench.flush());
  errorOf(() => bench.findings());
}

/** Numbers that follow from a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function damaged(bytes: Uint8Array, next: (below: number) => number): Uint8Array {
  const copy = bytes.slice();
  const at = () => next(copy.length);
  switch (next(6)) {
    case 0:
      return copy.subarray(0, at());
    case 1:
      for (let i = next(8); i >= 0; i--) copy[at()]! ^= 1 << next(8);
      return copy;
    case 2: {
      const from = at();
      for (let i = from; i < Math.min(copy.length, from + 1 + next(40)); i++) copy[i] = next(256);
      return copy;
    }
    case 3: {
      // Numbers that are wrong but look right hurt most.
      const word = at() & ~3;
      new DataView(copy.buffer).setInt32(
        Math.min(word, copy.length - 4),
        next(3) === 0 ? -1 : next(300),
        next(2) === 0,
      );
      return copy;
    }
    case 4:
      copy.copyWithin(at(), at(), at());
      return copy;
    default:
      copy.fill(next(2) * 255, at(), at());
      return copy;
  }
}

for (const bigEndian of [false, true]) {
  Deno.test(`${DAMAGES} damaged ${bigEndian ? "big" : "little"}-endian tables read, or end with a TableError`, () => {
    const { bench, blob } = sample(bigEndian);
    const context = { ...bench.context, rowCount: ROWS };
    const files = ["table.f0", "table.f0i"].map((name) =>
      [name, bytesInMemory(storeOf(bench), name)] as const
    );
    const fresh = (): MemoryStore => {
      const store = new MemoryStore();
      for (const [name, bytes] of files) putInMemory(store, name, bytes);
      return store;
    };
    assert.equal(readAll(context, blob, fresh()), 0, "the undamaged table reads");
    const next = numbers(bigEndian ? 4711 : 815);
    let refused = 0;
    for (let n = 0; n < DAMAGES; n++) {
      const store = fresh();
      const [name, bytes] = files[next(3) === 0 ? 1 : 0]!;
      putInMemory(store, name, damaged(bytes, next));
      const hurtBlob = next(20) === 0 ? damaged(blob, next) : blob;
      if (readAll(context, hurtBlob, store) > 0) refused++;
      if (n % 4 === 0) writeAll(context, hurtBlob, store);
      else if (n % 4 === 1) changeAll(context, hurtBlob, store, next);
    }
    assert.ok(refused > DAMAGES / 4, `${refused} of ${DAMAGES} were refused`);
  });
}

Deno.test("an array file that is missing is told of when a column needs it; the others read", () => {
  const { bench, blob } = sample(false);
  const store = storeOf(bench);
  store.files.delete("t/table.f0i");
  const opened = openInMemory({ ...bench.context, rowCount: ROWS }, blob, store);
  assert.equal(opened.cells(0).length, ROWS);
  const error = errorOf(() => opened.cells(6));
  assert.equal(error?.code, "NOT_FOUND");
  assert.equal(error?.file, "t/table.f0i");
});

/** A table of text cells whose 12-byte references a test may change. */
function textTable(texts: readonly string[]): { bench: Bench; blob: Uint8Array; file: Uint8Array } {
  const bench = createInMemory([bound("text", "string")], texts.length, { spec: { bucketSize: 128 } });
  bench.put(0, texts);
  const blob = bench.flush();
  return { bench, blob, file: bytesInMemory(storeOf(bench), "table.f0") };
}

function reading(bench: Bench, blob: Uint8Array, file: Uint8Array): TableError | null {
  const store = new MemoryStore();
  putInMemory(store, "table.f0", file);
  return errorOf(() => openInMemory(bench.context, blob, store).cells(0));
}

Deno.test("a string that goes on in its own bucket again is refused, not followed for ever", () => {
  const { bench, blob, file } = textTable(["y".repeat(300)]);
  const view = new DataView(file.buffer);
  // Buckets: 0 data, 1 to 3 strings. The second goes back to the first, and the string is as long as all of them.
  view.setInt32(512 + 2 * 128 + 12, 1);
  view.setInt32(512 + 8, 112 * 4, true);
  assert.match(String(reading(bench, blob, file)), /a string comes back to bucket 1/);
  view.setInt32(512 + 8, 2 ** 30, true);
  assert.match(String(reading(bench, blob, file)), /a string of 1073741824 bytes/);
});

Deno.test("references that make many long strings of the same bytes are refused", () => {
  const { bench, blob, file } = textTable([...Array(8)].map((_, i) => "z".repeat(20 + i)));
  const view = new DataView(file.buffer);
  // All eight begin in the first string bucket, one byte after the other, and are longer than what is there.
  for (let row = 0; row < 8; row++) {
    view.setInt32(512 + 12 * row, 1, true);
    view.setInt32(512 + 12 * row + 4, row, true);
    view.setInt32(512 + 12 * row + 8, 100, true);
  }
  const error = reading(bench, blob, file);
  assert.equal(error?.code, "CORRUPT");
  assert.match(error!.message, /overlap/);
});

Deno.test("an index whose rows don't ascend, or whose buckets don't exist, is refused with file and place", () => {
  const bench = createInMemory([bound("int", "int32")], 200, { spec: { bucketRows: 32 } });
  const blob = bench.flush();
  const file = bytesInMemory(storeOf(bench), "table.f0");
  // The stream is in the last buckets; its numbers are the last things in it.
  const find = (value: number) => {
    const view = new DataView(file.buffer);
    for (let at = file.length - 4; at > 512; at--) if (view.getUint32(at, true) === value) return at;
    throw new Error(`no ${value}`);
  };
  const lastRow = find(199);
  for (const [value, text] of [[5, /ends with row 5/], [900, /ends with row 900/]] as const) {
    const copy = file.slice();
    new DataView(copy.buffer).setUint32(lastRow, value, true);
    const error = reading(bench, blob, copy);
    assert.equal(error?.code, "CORRUPT");
    assert.match(error!.message, text);
    assert.match(error!.file!, /table\.f0/);
  }
});

Deno.test("a row that the index doesn't have is CORRUPT, not a read past the end", () => {
  const bench = createInMemory([bound("int", "int32")], 10);
  const blob = bench.flush();
  const opened = openInMemory({ ...bench.context, rowCount: 12 }, blob, storeOf(bench));
  assert.equal(opened.manager.rowCount, 10);
  const target = { kind: "numeric", bytes: new Uint8Array(8) } as const;
  const error = errorOf(() =>
    runSync(opened.manager.column(0).read(rowRange(9, 2), [], null, target, 0), opened.files)
  );
  assert.equal(error?.code, "CORRUPT");
  assert.match(error!.message, /row 10 doesn't exist: the index has 10 rows/);
});
