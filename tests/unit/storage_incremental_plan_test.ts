/** What reading an IncrementalStMan asks of files: buckets once each, or only what a cell needs. */
import assert from "node:assert/strict";
import { rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { memoryFiles, openIncremental, scalars, writeIncremental } from "./storage_incremental_support.ts";
import { readCells } from "./storage_managed_support.ts";
import { runChecked } from "./storage_model_support.ts";

/** Reads rows of a column of which row r has the value r; cells, and the ranges that were read. */
function readRows(rowCount: number, bucketRows: number, bucketBytes: number, ask: readonly Rows[]) {
  const files = memoryFiles();
  const columns = [
    scalars("other", "int32", Array.from({ length: rowCount }, (_, row) => -row)),
    scalars(
      "n",
      "int32",
      Array.from({ length: rowCount }, (_, row) => row),
    ),
  ];
  const starts = Array.from({ length: Math.ceil(rowCount / bucketRows) }, (_, j) => j * bucketRows);
  const blob = writeIncremental(files, columns, {
    bigEndian: false,
    starts: [...starts, rowCount],
    bucketBytes,
  });
  const manager = openIncremental(files, columns.map(({ bound }) => bound), rowCount, false, blob);
  return ask.map((rows) => {
    const ranges: { offset: number; length: number }[] = [];
    const cells = runChecked(readCells(columns[1]!.bound, manager.column(1), rows), files, (step) => {
      if (step.kind === "read") ranges.push(...step.ranges);
    });
    assert.deepEqual(cells, Array.from({ length: rows.length }, (_, i) => rows.at(i)));
    return { ranges, bytes: ranges.reduce((sum, { length }) => sum + length, 0) };
  });
}

Deno.test("IncrementalStMan reads each bucket once, whatever the order in which its rows are asked", () => {
  const bucketBytes = 500, buckets = 10;
  const orders = [
    rowRange(0, 200),
    rowRange(199, 200, -1),
    rowList(Array.from({ length: 600 }, (_, i) => (i * 77) % 200)),
    // Stretches that overlap: the second starts in a bucket before the one where the first ends.
    rowList([...Array.from({ length: 200 }, (_, i) => i), ...Array.from({ length: 195 }, (_, i) => i + 5)]),
  ];
  for (const { bytes } of readRows(200, 20, bucketBytes, orders)) assert.equal(bytes, buckets * bucketBytes);
});

Deno.test("IncrementalStMan reads neighbouring buckets together", () => {
  const [all] = readRows(2000, 20, 4096, [rowRange(0, 2000)]);
  // 48 buckets of 4 KiB are 192 KiB.
  assert.deepEqual(all!.ranges.map(({ length }) => length / 4096), [48, 48, 4]);
});

Deno.test("IncrementalStMan reads a cell without the rest of its bucket, and the next one without its index", () => {
  const [first, second] = readRows(3000, 1000, 40_000, [rowRange(1500, 1), rowRange(1501, 1)]);
  // Entries of the column are 8 bytes each; the other column's are passed over.
  assert.ok(first!.bytes < 1000 * 8 + 100, `${first!.bytes} bytes`);
  assert.equal(second!.bytes, 4);
});

Deno.test("IncrementalStMan finds cells among many entries of a bucket that is not read whole", () => {
  const rowCount = 20_000, bucketBytes = 2 ** 20 + 1;
  const edges = [0, 1, 4095, 4096, 4097, 8191, 8192, 12_287, 12_288, 16_383, 16_384, 19_999];
  const asked = readRows(rowCount, rowCount, bucketBytes, [
    ...edges.map((row) => rowRange(row, 1)),
    rowList(edges.toReversed()),
    rowRange(4000, 9000),
    rowRange(0, rowCount),
  ]);
  // One chunk of entries for a cell, never all of them.
  for (const { bytes } of asked.slice(0, edges.length)) assert.ok(bytes < 4096 * 8 + 200, `${bytes} bytes`);
});
