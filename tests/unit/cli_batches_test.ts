import assert from "node:assert/strict";
import { type NDArray, type Table, TableError } from "../../mod.ts";
import { BATCH_BYTES, rowBatches } from "../../src/cli/row-batches.ts";

/** Calls of a table whose only column has a cell of `sizes(row)` bytes in each row. */
interface Read {
  readonly rows: number;
  readonly bytes: number;
  readonly bounded: boolean;
}

function fakeTable(sizes: (row: number) => number, bounded: boolean, log: Read[]): Table {
  return {
    column: () => ({ kind: "array" }),
    getCells(_name: string, { rows: { start, end } }: { rows: { start: number; end: number } }) {
      let bytes = 0;
      for (let row = start; row < end; row++) bytes += sizes(row);
      if (bounded && bytes > BATCH_BYTES) throw new TableError("LIMIT", "too large");
      log.push({ rows: end - start, bytes, bounded });
      // The memory isn't touched; only its size counts.
      return Array.from({ length: end - start }, (_, i): NDArray => ({
        dtype: "uint8",
        shape: [sizes(start + i)],
        data: new Uint8Array(sizes(start + i)),
      }));
    },
  } as unknown as Table;
}

function read(sizes: (row: number) => number, start: number, end: number): Read[] {
  const log: Read[] = [];
  const table = {
    bounded: fakeTable(sizes, true, log),
    unbounded: () => fakeTable(sizes, false, log),
  };
  let next = start;
  for (const batch of rowBatches(table, ["DATA"], start, end)) {
    assert.equal(batch.start, next);
    assert.ok(batch.end > batch.start);
    next = batch.end;
  }
  assert.equal(next, Math.max(start, end));
  return log;
}

Deno.test("every row comes once, in order, and none where there are none", () => {
  read(() => 100, 0, 1000);
  read(() => 100, 7, 8);
  assert.deepEqual(read(() => 100, 5, 5), []);
});

Deno.test("batches grow to the bytes that are aimed at and no further", () => {
  const log = read(() => 10_000, 0, 5000);
  assert.ok(log.every(({ bytes }) => bytes <= BATCH_BYTES));
  assert.ok(log.some(({ bytes }) => bytes > BATCH_BYTES / 2));
});

Deno.test("batches stay within the bytes also where the table can't tell beforehand, as for strings", () => {
  const log: Read[] = [];
  const table = fakeTable(() => 10_000, false, log);
  for (const _ of rowBatches({ bounded: table, unbounded: () => table }, ["NAME"], 0, 5000));
  assert.ok(log.length > 5);
  assert.ok(log.every(({ bytes }) => bytes <= BATCH_BYTES));
});

Deno.test("rows that turn out large after many small ones don't come all at once", () => {
  const log = read((row) => row < 10_000 ? 8 : 1_000_000, 0, 10_050);
  assert.ok(log.every(({ bytes }) => bytes <= BATCH_BYTES));
});

Deno.test("a row larger than a batch comes alone, from the table without a bound", () => {
  const huge = BATCH_BYTES + 1;
  const log = read((row) => row === 100 ? huge : 1000, 0, 200);
  assert.deepEqual(log.filter(({ bounded }) => !bounded), [{ rows: 1, bytes: huge, bounded: false }]);
});
