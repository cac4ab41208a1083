/** Where an IncrementalStMan puts arrays: over old ones that no other row has, else at the end of their file. */
import assert from "node:assert/strict";
import { rowRange } from "../../src/array/rows.ts";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { bound, bytesInMemory, createInMemory, reopened, storeOf } from "./storage_standard_support.ts";

const ROWS = 200;
const COLUMNS = [bound("free", "int32", { kind: "array" }), bound("number", "int32")];

const distinct = (first: number) => Array.from({ length: 2 * ROWS }, (_, i) => first + i);

function filled() {
  const bench = createInMemory(COLUMNS, ROWS, { kind: incrementalStMan, spec: { bucketSize: 600 } });
  bench.put(0, distinct(0), { shape: [2] });
  bench.put(1, Array.from({ length: ROWS }, (_, row) => row));
  return reopened(bench);
}

Deno.test("arrays that no other row has are overwritten where they stand, also after the table was opened anew", () => {
  let bench = filled();
  const bytes = () => bytesInMemory(storeOf(bench), "table.f0i").length;
  const before = bytes();
  bench.put(0, distinct(1000), { shape: [2] });
  bench.put(0, [1, 2], { rows: rowRange(17, 1), shape: [2] });
  bench = reopened(bench);
  assert.equal(bytes(), before);
  assert.deepEqual(
    bench.cells(0, rowRange(16, 3)),
    [[1032, 1033], [1, 2], [1036, 1037]].map((data) => ({
      shape: [2],
      data,
    })),
  );
});

Deno.test("equal arrays in rows that follow each other are stored once, but for that of the last row", () => {
  let bench = createInMemory(COLUMNS, ROWS, { kind: incrementalStMan });
  bench.put(0, new Array(2 * ROWS).fill(7), { shape: [2] });
  bench = reopened(bench);
  // 16 for the header, 4 for the count, 4 for the axes, 4 for the shape and 8 for the values; the second record ends there.
  assert.equal(bytesInMemory(storeOf(bench), "table.f0i").length, 16 + 24 + 20);
  bench.put(0, [1, 2], { rows: rowRange(100, 1), shape: [2] });
  bench.put(0, [3, 4], { rows: rowRange(ROWS - 1, 1), shape: [2] });
  const cell = (data: number[]) => ({ shape: [2], data });
  assert.deepEqual(bench.cells(0, rowRange(99, 3)), [cell([7, 7]), cell([1, 2]), cell([7, 7])]);
  assert.deepEqual(bench.cells(0, rowRange(ROWS - 2, 2)), [cell([7, 7]), cell([3, 4])]);
  bench = reopened(bench);
  assert.equal(bytesInMemory(storeOf(bench), "table.f0i").length, 16 + 24 + 24 + 20);
  assert.deepEqual(bench.findings(), []);
});

Deno.test("all rows removed leave files as long as those of a new table", () => {
  const empty = reopened(createInMemory(COLUMNS, 0, { kind: incrementalStMan, spec: { bucketSize: 600 } }));
  let bench = filled();
  bench.removeRows(rowRange(0, ROWS));
  bench = reopened(bench);
  for (const file of ["table.f0", "table.f0i"]) {
    assert.equal(bytesInMemory(storeOf(bench), file).length, bytesInMemory(storeOf(empty), file).length);
  }
  assert.deepEqual(bench.manager.info, empty.manager.info);
  assert.deepEqual(bench.findings(), []);
  bench.addRows(3);
  assert.deepEqual(bench.cells(1), [0, 0, 0]);
});

Deno.test("buckets that are emptied are used again, the last one first", () => {
  let bench = filled();
  const { buckets } = bench.manager.info as { buckets: number };
  bench.removeRows(rowRange(40, 120));
  assert.ok(bench.manager.info.freeBuckets as number > 2);
  bench = reopened(bench);
  const free = bench.manager.info.freeBuckets as number;
  bench.put(1, Array.from({ length: ROWS - 120 }, (_, row) => -row));
  bench.addRows(120);
  bench.put(1, Array.from({ length: 60 }, (_, i) => i), { rows: rowRange(80, 60) });
  bench = reopened(bench);
  assert.equal(bench.manager.info.buckets, buckets);
  assert.ok(bench.manager.info.freeBuckets as number < free);
  assert.deepEqual(bench.findings(), []);
});
