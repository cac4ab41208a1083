/** Bytes that are part of no value: overwriting them costs no journal of their bytes, and undoing leaves zeros. */
import assert from "node:assert/strict";
import { Context } from "../../src/io/context.ts";
import { openBackend } from "../../src/io/backends.ts";
import { TableFiles } from "../../src/io/files.ts";
import { writeHead, writeRecord } from "../../src/io/journal-buffer.ts";
import { readJournal } from "../../src/io/journal-format.ts";
import { RangeSet } from "../../src/io/ranges.ts";
import { inspect, putBack } from "../../src/io/recovery.ts";

const COUNTERS = { file: "counters", offset: 0 };
const HELD = 4096, SPARE = 1000;

/** A file of which bytes 1,000 to 3,000 are part of no value, as the last commit left it. */
function guarded() {
  const context = new Context(), backend = openBackend("memory", { context });
  backend.makeDirectory("/t");
  const files = new TableFiles("/t", backend, { writable: true, context });
  files.create("f");
  const bytes = new Uint8Array(HELD).fill(7);
  bytes.fill(0, SPARE, 3000);
  files.write("f", 0, bytes);
  files.create("counters");
  files.write("counters", 0, Uint8Array.of(1, 1, 1, 1));
  files.flush();
  let counter = 1;
  files.guard({
    ...COUNTERS,
    before: () => Uint8Array.of(1, 1, 1, counter),
    begun: () => Uint8Array.of(1, 1, 1, ++counter),
  });
  const commit = () =>
    files.commit({ durable: false, replaced: [], after: () => Uint8Array.of(1, 1, 1, ++counter) });
  const now = () =>
    context.memory.files.get("/t/f")!.bytes.slice(0, context.memory.files.get("/t/f")!.length);
  return { context, backend, files, bytes, commit, now };
}

Deno.test("what is part of no value isn't kept when it is overwritten", () => {
  for (const spare of [true, false]) {
    const { backend, files, commit, now } = guarded();
    let journal = 0;
    const { remove } = backend;
    backend.remove = (path) => {
      if (path.endsWith("table.journal")) journal = backend.open(path, "read").size();
      remove.call(backend, path);
    };
    if (spare) files.spare("f", SPARE, 2000);
    files.write("f", SPARE, new Uint8Array(2000).fill(9));
    commit();
    assert(spare ? journal < 400 : journal > 2000, `${journal} bytes`);
    assert.deepEqual([...now().subarray(SPARE - 1, 3001)], [7, ...new Array(2000).fill(9), 7]);
    // The next commit holds those bytes.
    files.write("f", SPARE, Uint8Array.of(1));
    commit();
    assert(journal > 512, `${journal} bytes`);
  }
});

Deno.test("what only begins in bytes of no value is kept from where they end", () => {
  const { files, commit, now, bytes } = guarded();
  files.spare("f", SPARE, 2000);
  files.write("f", SPARE - 10, new Uint8Array(2020).fill(9));
  assert.throws(() =>
    files.commit({
      durable: false,
      replaced: [{ file: "no/such/file", bytes }],
      after: () => Uint8Array.of(1, 1, 1, 99),
    })
  );
  files.discard();
  assert.deepEqual(now(), bytes);
  files.write("f", 0, Uint8Array.of(3));
  commit();
  assert.equal(now()[0], 3);
});

Deno.test("a writer that died leaves zeros where no value was", () => {
  const { backend, files, now, bytes } = guarded();
  files.spare("f", SPARE, 2000);
  files.write("f", SPARE, new Uint8Array(1500).fill(9));
  const { remove } = backend;
  // Nothing after the data is done.
  files.write("counters", 0, new Uint8Array(0));
  const rename = backend.rename;
  backend.rename = () => {
    throw new Error("died");
  };
  backend.remove = () => {
    throw new Error("died");
  };
  assert.throws(() =>
    files.commit({
      durable: false,
      replaced: [{ file: "other", bytes }],
      after: () => Uint8Array.of(1, 1, 1, 99),
    })
  );
  Object.assign(backend, { rename, remove });
  const verdict = inspect("/t", backend, COUNTERS);
  assert.equal(verdict.kind, "undo");
  putBack("/t", backend, COUNTERS, (verdict as { content: Parameters<typeof putBack>[3] }).content, null);
  assert.deepEqual(now(), bytes);
});

Deno.test("a journal that says far too much is of no value makes nothing large", () => {
  const { context, backend, now } = guarded();
  const id = 5, stamp = Uint8Array.of(1, 1, 1, 1);
  const parts = [
    writeHead({ id, before: stamp, begun: stamp }),
    writeRecord(id, { kind: "spare", file: "f", offset: 3000, length: 2 ** 52 }),
  ];
  const journal = backend.open("/t/table.journal", "create");
  let at = 0;
  for (const part of parts) {
    journal.write(part, at);
    at += part.length;
  }
  const verdict = inspect("/t", backend, COUNTERS);
  assert.equal(verdict.kind, "undo");
  putBack("/t", backend, COUNTERS, (verdict as { content: Parameters<typeof putBack>[3] }).content, null);
  assert.equal(now().length, HELD);
  assert.equal(context.memory.files.has("/t/table.journal"), false);
});

Deno.test("a record of bytes of no value is read as it was written", () => {
  const head = { id: 1, before: new Uint8Array(0), begun: Uint8Array.of(1) };
  const record = { kind: "spare", file: "table.f0_TSM1", offset: 131_000, length: 72 } as const;
  const bytes = new Uint8Array([...writeHead(head), ...writeRecord(1, record)]);
  const source = {
    length: bytes.length,
    read: (from: number, length: number) => bytes.slice(from, from + length),
  };
  assert.deepEqual(readJournal(source, "j")!.records, [record]);
});

Deno.test("a set of ranges says whether it touches another", () => {
  const set = new RangeSet();
  set.add(10, 20);
  set.add(30, 40);
  for (let start = 0; start < 50; start++) {
    for (let end = start + 1; end < 50; end++) {
      const inside = Array.from({ length: end - start }, (_, i) => start + i);
      const expected = inside.some((at) => (at >= 10 && at < 20) || (at >= 30 && at < 40));
      assert.equal(set.touches(start, end), expected, `${start} to ${end}`);
    }
  }
});

Deno.test("what a failed attempt wanted kept isn't in the journal of the next", () => {
  const { backend, files, commit, now } = guarded();
  files.write("f", 0, new Uint8Array(600).fill(9));
  files.commit({ durable: false, replaced: [], after: () => Uint8Array.of(1, 1, 1, 50) });
  files.write("f", 0, new Uint8Array(600).fill(10));
  const { open } = backend;
  let journal = new Uint8Array(0);
  // The file that is replaced can't be read once what is pending of the others was taken.
  backend.open = (path, mode) => {
    if (path.endsWith("/other")) throw new Error("no");
    return open.call(backend, path, mode);
  };
  const bytes = new Uint8Array(1);
  assert.throws(() =>
    files.commit({
      durable: false,
      replaced: [{ file: "other", bytes }],
      after: () => Uint8Array.of(1, 1, 1, 60),
    }), /no/);
  backend.open = open;
  files.write("f", 0, new Uint8Array(600).fill(11));
  const { remove } = backend;
  backend.remove = (path) => {
    if (path.endsWith("table.journal")) {
      const handle = open.call(backend, path, "read");
      journal = new Uint8Array(handle.size());
      handle.read(journal, 0);
    }
    remove.call(backend, path);
  };
  commit();
  const source = { length: journal.length, read: (at: number, n: number) => journal.slice(at, at + n) };
  const kinds = readJournal(source, "j")!.records.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["length", "old", "end"]);
  assert.equal(now()[599], 11);
});
