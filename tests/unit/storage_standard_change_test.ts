/** Rows and columns that come and go in a StandardStMan: where things end up, what it costs, what is refused. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { Plan, Step } from "../../src/io/plan.ts";
import { formatBlob, parseBlob, withColumn, withoutColumn } from "../../src/storage/standard/blob.ts";
import { givenBack, placeInRooms, taken } from "../../src/storage/standard/free-space.ts";
import { SsmIndex } from "../../src/storage/standard/ssm-index.ts";
import {
  type Bench,
  bound,
  bytesInMemory,
  createInMemory,
  errorOf,
  reopened,
  storeOf,
} from "./storage_standard_support.ts";

/** Runs a plan and counts what its steps ask for. */
function counted<T>(plan: Plan<T>, bench: Bench): { read: number; written: number; steps: number } {
  const count = { read: 0, written: 0, steps: 0 };
  const watched = function* (): Plan<void> {
    for (let next = plan.next(); !next.done;) {
      const step: Step = next.value;
      count.steps++;
      if (step.kind === "read") count.read += step.ranges.reduce((sum, { length }) => sum + length, 0);
      if (step.kind === "gather") count.read += step.extents.reduce((sum, { length }) => sum + length, 0);
      if (step.kind === "write") count.written += step.bytes.length;
      next = plan.next(yield step);
    }
  };
  runSync(watched(), bench.files);
  return count;
}

Deno.test("free space is taken from its beginning, and joins its neighbours when it is given back", () => {
  const free = [{ offset: 10, length: 6 }, { offset: 40, length: 8 }];
  assert.deepEqual(taken(free, 40, 3), [{ offset: 10, length: 6 }, { offset: 43, length: 5 }]);
  assert.deepEqual(taken(free, 10, 6), [{ offset: 40, length: 8 }]);
  assert.deepEqual(givenBack(free, { offset: 16, length: 24 }), [{ offset: 10, length: 38 }]);
  assert.deepEqual(givenBack(free, { offset: 0, length: 9 }), [{ offset: 0, length: 9 }, ...free]);
});

Deno.test("a new column goes where it fits exactly, else where least is left, else nowhere", () => {
  const room = (bytes: number, ...lengths: number[]) => ({
    bytes,
    freeSpace: lengths.map((length, i) => ({ offset: 100 * i, length })),
  });
  assert.deepEqual(placeInRooms([room(8, 20, 12), room(6, 9), room(4, 4)], 32), { index: 2, offset: 0 });
  assert.deepEqual(placeInRooms([room(8, 20, 12, 11), room(6, 10)], 32), { index: 0, offset: 200 });
  assert.deepEqual(placeInRooms([room(8, 11, 12, 11)], 32), { index: 0, offset: 0 });
  assert.equal(placeInRooms([room(8, 7), room(6)], 32), null);
  // 32 bytes are left, as many as a cell has bits: casacore looks no further.
  assert.deepEqual(placeInRooms([room(8, 40), room(6, 7)], 32), { index: 0, offset: 0 });
});

Deno.test("the blob without a column keeps its length, the one with a column has as many entries as columns", () => {
  const blob = { name: "SSM", columnOffsets: [0, 4, 0, 8], indexOfColumn: [0, 0, 1, 2] };
  const less = withoutColumn(blob, 4, 2, 1);
  assert.deepEqual(less, { name: "SSM", columnOffsets: [0, 4, 8, 8], indexOfColumn: [0, 0, 1, 1] });
  const more = withColumn(parseBlob(formatBlob(less), "table.dat", 3), 3, { offset: 12, index: 1 });
  assert.deepEqual(more, { name: "SSM", columnOffsets: [0, 4, 8, 12], indexOfColumn: [0, 0, 1, 1] });
});

Deno.test("an index without some rows knows where the others are", () => {
  const index = SsmIndex.fresh(4, 1, 0, 128);
  index.append([7, 8, 9, 10], 14);
  const rows = rowList([1, 2, 4, 5, 6, 7, 11, 13]);
  const cuts = index.cuts(rows);
  assert.deepEqual(cuts, [
    { entry: 0, slots: [1, 3], rows: 2 },
    { entry: 1, slots: [0, 4], rows: 4 },
    { entry: 2, slots: [3, 4], rows: 1 },
    { entry: 3, slots: [1, 2], rows: 1 },
  ]);
  assert.deepEqual(cuts.map((cut) => index.empties(cut)), [false, true, false, false]);
  index.removeRows(cuts);
  assert.deepEqual([index.used, index.rows], [3, 6]);
  assert.deepEqual([0, 1, 2].map((entry) => [index.bucket(entry), index.endRow(entry)]), [[7, 2], [9, 5], [
    10,
    6,
  ]]);
});

Deno.test("removing many rows reads and writes each bucket once", () => {
  const columns = [bound("n", "int32"), bound("flag", "bool"), bound("text", "string")];
  const rows = 100_000;
  const bench = createInMemory(columns, rows, { spec: { bucketRows: 100 } });
  bench.put(0, Array.from({ length: rows }, (_, row) => row));
  bench.put(2, Array.from({ length: rows }, (_, row) => row % 10 === 0 ? `the row with number ${row}` : ""));
  bench.flush();
  const size = bytesInMemory(storeOf(bench), "table.f0").length;
  const gone = Array.from({ length: rows }, (_, row) => row).filter((row) => row % 3 === 1);
  const count = counted(bench.manager.removeRows!(rowList(gone)), bench);
  bench.rows -= gone.length;
  assert.ok(count.read < 2 * size, `${count.read} bytes read of ${size}`);
  assert.ok(count.written < 2 * size, `${count.written} bytes written of ${size}`);
  assert.ok(count.steps < 5000, `${count.steps} steps`);
  const again = reopened(bench);
  const left = Array.from({ length: rows }, (_, row) => row).filter((row) => row % 3 !== 1);
  assert.deepEqual(again.cells(0), left);
  assert.deepEqual(
    again.cells(2),
    left.map((row) => row % 10 === 0 ? `the row with number ${row}` : ""),
  );
  assert.deepEqual(again.findings(), []);
});

Deno.test("forty million rows are removed without looking at each", () => {
  const bench = createInMemory([bound("flag", "bool")], 40_000_000, { spec: { bucketRows: 262_144 } });
  bench.put(0, [1], { rows: rowList([39_999_999]), shape: [] });
  bench.removeRows(rowRange(7, 39_999_990));
  assert.deepEqual(bench.cells(0), [...new Array<boolean>(9).fill(false), true]);
  assert.deepEqual(reopened(bench).findings(), []);
});

Deno.test("a table without its last row is a new one: no buckets but the index, no arrays", () => {
  const columns = [bound("n", "int32"), bound("text", "string"), bound("v", "float64", { kind: "array" })];
  let bench = createInMemory(columns, 50, { spec: { bucketSize: 200 } });
  const wide = bound("wide", "uint8", { kind: "array", shape: [64], direct: true });
  bench.addColumn(wide);
  bench = reopened(bench, [...columns, wide]);
  bench.put(1, new Array(50).fill("more than eight bytes"));
  bench.put(2, new Array(50 * 6).fill(1.5), { shape: [2, 3] });
  assert.equal(bench.manager.info.indices, 2);
  bench.removeRows(rowRange(0, 50));
  bench.flush();
  const fresh = createInMemory([...columns, wide], 0, { spec: { bucketSize: 200 } });
  const blob = fresh.flush();
  assert.deepEqual(bench.flush(), blob);
  for (const file of ["table.f0", "table.f0i"]) {
    assert.deepEqual(bytesInMemory(storeOf(bench), file), bytesInMemory(storeOf(fresh), file), file);
  }
  bench.addRows(3);
  bench.put(0, [1, 2, 3]);
  assert.deepEqual(reopened(bench).cells(0), [1, 2, 3]);
});

Deno.test("a column that fits in no bucket is refused, and nothing has changed", () => {
  const bench = createInMemory([bound("n", "int32")], 5, { spec: { bucketSize: 128 } });
  const wide = bound("wide", "float64", { kind: "array", shape: [17], direct: true });
  bench.flush();
  const error = errorOf(() => bench.addColumn(wide));
  assert.equal(error?.code, "INVALID_ARGUMENT");
  assert.match(error!.message, /wide takes 136 bytes in a bucket, buckets have 128/);
  assert.equal(bench.manager.dirty, false);
});

Deno.test("rows that are out of order or don't exist are not removed", () => {
  const bench = createInMemory([bound("n", "int32")], 5);
  for (const rows of [[3, 2], [2, 2], [1, 5], [-1]]) {
    assert.equal(errorOf(() => bench.removeRows(rowList(rows)))?.code, "INVALID_ARGUMENT", rows.join());
  }
  assert.deepEqual(reopened(bench).cells(0).length, 5);
});
