/** What an IncrementalStMan refuses, and that nothing is changed then. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import type { TableErrorCode } from "../../src/error.ts";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import {
  type Bench,
  bound,
  bytesInMemory,
  createInMemory,
  errorOf,
  storeOf,
} from "./storage_standard_support.ts";

const COLUMNS = [
  bound("number", "int32"),
  bound("text", "string"),
  bound("other", "string"),
  bound("direct", "float32", { kind: "array", shape: [3], direct: true }),
  bound("fixed", "int16", { kind: "array", shape: [2, 2] }),
  bound("free", "float64", { kind: "array" }),
];

const ROWS = 40;

function filled(bucketSize: number): Bench {
  const bench = createInMemory(COLUMNS, ROWS, { kind: incrementalStMan, spec: { bucketSize } });
  bench.put(0, Array.from({ length: ROWS }, (_, row) => row >> 1));
  bench.put(1, Array.from({ length: ROWS }, (_, row) => "text".repeat(row % 4)));
  bench.put(3, Array.from({ length: 3 * ROWS }, (_, i) => i));
  bench.put(4, Array.from({ length: 4 * ROWS }, (_, i) => i));
  bench.put(5, Array.from({ length: 2 * ROWS }, (_, i) => i), { shape: [2] });
  bench.flush();
  return bench;
}

function state(bench: Bench): unknown {
  bench.flush();
  const store = storeOf(bench);
  const cells = COLUMNS.map((_, index) => bench.cells(index));
  return [cells, bytesInMemory(store, "table.f0"), bytesInMemory(store, "table.f0i")];
}

const long = (bytes: number) => "x".repeat(bytes);

const REFUSED: Readonly<Record<string, [TableErrorCode, (bench: Bench) => void]>> = {
  "a shape that a direct column doesn't have": [
    "SHAPE_MISMATCH",
    (bench) => bench.put(3, [1, 2], { rows: rowRange(0, 1), shape: [2] }),
  ],
  "a shape that a column of fixed shape doesn't have": [
    "SHAPE_MISMATCH",
    (bench) => bench.put(4, [1, 2], { rows: rowRange(0, 1), shape: [2] }),
  ],
  "a fixed shape to be changed": ["INVALID_ARGUMENT", (bench) => bench.setShape(4, [3], rowRange(0, 2))],
  "a cell of fixed shape to be undefined": [
    "INVALID_ARGUMENT",
    (bench) => bench.setShape(4, null, rowRange(0, 2)),
  ],
  "a scalar to be undefined": ["INVALID_ARGUMENT", (bench) => bench.setShape(0, null, rowRange(0, 2))],
  "a string longer than a bucket": [
    "LIMIT",
    (bench) => bench.put(1, ["short", long(2000), "short"], { rows: rowList([3, 4, 5]), shape: [] }),
  ],
  "a string too long for the bucket of the last row": [
    "LIMIT",
    (bench) => bench.put(1, [...new Array(ROWS - 1).fill("new"), long(2000)]),
  ],
};

for (const [what, [code, action]] of Object.entries(REFUSED)) {
  Deno.test(`an IncrementalStMan refuses ${what}, and nothing has changed`, () => {
    const bench = filled(500), before = state(bench);
    assert.equal(errorOf(() => action(bench))?.code, code);
    assert.equal(bench.manager.dirty, false);
    assert.deepEqual(state(bench), before);
    assert.deepEqual(bench.findings(), []);
  });
}

Deno.test("strings of one row that don't fit into a bucket together are refused, those of several rows are not", () => {
  const bench = filled(500);
  bench.put(2, new Array(ROWS).fill(""));
  bench.put(1, [long(250)], { rows: rowRange(7, 1), shape: [] });
  const before = state(bench);
  const refused = errorOf(() => bench.put(2, ["a", long(250)], { rows: rowList([6, 7]), shape: [] }));
  assert.equal(refused?.code, "LIMIT");
  assert.deepEqual(state(bench), before);
  bench.put(2, [long(250), long(250)], { rows: rowList([6, 8]), shape: [] });
  assert.deepEqual(bench.cells(2, rowRange(5, 5)), ["", long(250), "", long(250), ""]);
  assert.equal(bench.cells(1)[7], long(250));
  assert.deepEqual(bench.findings(), []);
});

Deno.test("a value that holds for all rows behind is refused if it doesn't fit into one of them", () => {
  const bench = createInMemory(COLUMNS, ROWS, { kind: incrementalStMan, spec: { bucketSize: 500 } });
  bench.put(2, [long(250), "short"], { rows: rowList([20, 21]), shape: [] });
  const before = state(bench);
  assert.equal(errorOf(() => bench.put(1, [long(250)], { rows: rowRange(3, 1), shape: [] }))?.code, "LIMIT");
  assert.deepEqual(state(bench), before);
});

Deno.test("a column is refused for which a row has no room, and nothing has changed", () => {
  const bench = filled(500);
  bench.put(1, [long(300)], { rows: rowRange(7, 1), shape: [] });
  const before = state(bench);
  const wide = bound("wide", "float64", { kind: "array", shape: [10], direct: true });
  assert.equal(errorOf(() => bench.addColumn(wide))?.code, "LIMIT");
  assert.deepEqual(state(bench), before);
});

Deno.test("a new IncrementalStMan refuses bucket sizes that no row fits into, and options that it doesn't have", () => {
  const create = (spec: object) =>
    errorOf(() => createInMemory(COLUMNS, 1, { kind: incrementalStMan, spec }))?.code ?? null;
  assert.equal(create({ bucketSize: 100 }), "INVALID_ARGUMENT");
  // 4 for the bucket, 16 a column, and values of 4, 4, 4, 12, 8 and 8 bytes.
  assert.equal(create({ bucketSize: 4 + 6 * 16 + 39 }), "INVALID_ARGUMENT");
  assert.equal(create({ bucketSize: 4 + 6 * 16 + 40 }), null);
  assert.equal(create({ bucketSize: 1.5 }), "INVALID_ARGUMENT");
  assert.equal(create({ bucketSize: 2 ** 28 }), "INVALID_ARGUMENT");
  assert.equal(create({ bucketRows: 5 }), "INVALID_ARGUMENT");
});

Deno.test("a new IncrementalStMan has buckets of the size that casacore chooses", () => {
  const sizeOf = (elements: number) => {
    const columns = [bound("d", "float32", { kind: "array", shape: [elements], direct: true })];
    return createInMemory(columns, 0, { kind: incrementalStMan }).manager.info.bucketSize;
  };
  // Format reference part 3, section A7.
  assert.equal(sizeOf(1), 32768);
  assert.equal(sizeOf(50), 8 + 100 * (8 + 4 * 51 + 32 * 50));
  assert.equal(sizeOf(100), 36128);
  assert.equal(sizeOf(2000), 327680);
  assert.equal(sizeOf(900), 8 + 10 * (8 + 4 * 901 + 32 * 900));
  assert.equal(sizeOf(10000), 8 + 2 * (8 + 4 * 10001 + 32 * 10000));
});
