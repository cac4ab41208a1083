/**
 * What tiled managers ask of the files: how many steps, which bytes, in which order. Values are tested elsewhere.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { numericInfo, type NumericType } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { GatherStep, ScatterStep, Step } from "../../src/io/plan.ts";
import type { StorageManager } from "../../src/storage/manager.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import {
  addRows,
  bound,
  contextOf,
  create,
  flush,
  MemoryAccess,
  open,
  readCells,
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

const CELL = [4, 64];
const ROWS = 100_000;

/** A manager whose files nobody looks at. */
function manager(
  columns: readonly NumericType[],
  tileShape: readonly number[],
  options: { rows?: number; bigEndian?: boolean; cell?: readonly number[] } = {},
): StorageManager {
  const bounds = columns.map((dtype, i) => bound(`C${i}`, dtype, { shape: options.cell ?? CELL }));
  const context = contextOf("TiledShapeStMan", bounds, options.rows ?? ROWS, options);
  const made = create(tiledShapeStMan, context, new MemoryAccess(), { tileShape });
  runUnread(made.flush!());
  return made;
}

/** Steps of a plan; none is carried out, and results are dummies. */
function runUnread(plan: Generator<Step, unknown, unknown>): Step[] {
  const steps: Step[] = [];
  for (let next = plan.next(); !next.done; next = plan.next(next.value.kind === "size" ? [0] : undefined)) {
    steps.push(next.value);
  }
  return steps;
}

const NO_BYTES = { kind: "numeric", bytes: new Uint8Array(0) } as const;

function readSteps(made: StorageManager, rows: Rows, box: Box | null = null, cell = CELL): Step[] {
  return runUnread(made.column(0).read(rows, cell, box, NO_BYTES, 0));
}

function writeSteps(made: StorageManager, rows: Rows, box: Box | null = null, column = 0): Step[] {
  return runUnread(made.column(column).write!(rows, CELL, box, NO_BYTES, 0));
}

function gathers(steps: readonly Step[]): GatherStep[] {
  for (const step of steps) assert.equal(step.kind, "gather");
  return steps as GatherStep[];
}

/** The shape of each move of a list. */
function shapesOf({ moves }: GatherStep | ScatterStep): string[] {
  return Array.from(
    { length: moves.count },
    (_, i) =>
      Array.from({ length: moves.ndim }, (_, a) => moves.data[i * moves.stride + 2 + 3 * a]).join("x"),
  );
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

Deno.test("whole rows in tiles as large as a cell are read straight into the array, in one step", () => {
  const steps = readSteps(manager(["complex64"], [4, 64, 64]), rowRange(0, ROWS));
  assert.equal(steps.length, 1);
  const [step] = steps;
  assert.ok(step?.kind === "readInto" && step.file === "table.f0_TSM1" && step.offset === 0);
  const part = readSteps(manager(["complex64"], [4, 64, 64]), rowRange(1000, 10))[0];
  assert.ok(part?.kind === "readInto" && part.offset === 1000 * 2048);
});

Deno.test("the same in the other byte order are moves of one axis and 4 MiB", () => {
  const steps = gathers(
    readSteps(manager(["complex64"], [4, 64, 64], { bigEndian: true }), rowRange(0, ROWS)),
  );
  assert.equal(sum(steps.map((step) => step.moves.count)), Math.ceil(ROWS * 2048 / 2 ** 22));
  for (const step of steps) {
    assert.equal(step.moves.swapUnit, 4);
    assert.equal(step.moves.ndim, 1);
    assert.ok(sum(step.extents.map((extent) => extent.length)) <= 68 * 2 ** 20);
  }
});

Deno.test("a column of booleans is one move of bits", () => {
  const [step, ...others] = gathers(readSteps(manager(["bool"], [4, 64, 64]), rowRange(0, ROWS)));
  assert.equal(others.length, 0);
  assert.equal(step!.moves.kind, "bits");
  assert.deepEqual(shapesOf(step!), [String(ROWS * 256)]);
  assert.deepEqual(step!.extents, [{ offset: 0, length: ROWS * 32, firstMove: 0, moveCount: 1 }]);
});

Deno.test("tiles that split cells give an extent and a move of two axes each, in file order", () => {
  const steps = gathers(readSteps(manager(["complex64"], [4, 32, 128]), rowRange(0, ROWS)));
  const tiles = 2 * Math.ceil(ROWS / 128), bytes = 4 * 32 * 128 * 8;
  assert.equal(sum(steps.map((step) => step.extents.length)), tiles);
  assert.ok(steps.length <= Math.ceil(tiles * bytes / 2 ** 26) + 1, "steps of about 64 MiB");
  assert.deepEqual(steps.flatMap(shapesOf), [
    ...Array.from({ length: tiles - 2 }, () => "128x128"),
    ...Array.from({ length: 2 }, () => `128x${ROWS % 128}`),
  ]);
  const offsets = steps.flatMap((step) => step.extents.map((extent) => extent.offset));
  assert.deepEqual(offsets, offsets.map((_, i) => i * bytes));
});

Deno.test("a box of every cell is one move a tile, and an extent is shrunk to what is needed", () => {
  const box = { start: [1, 8], shape: [2, 8], step: [2, 3] };
  const steps = gathers(readSteps(manager(["complex64"], [4, 64, 64]), rowRange(0, ROWS), box));
  assert.equal(sum(steps.map((step) => step.moves.count)), Math.ceil(ROWS / 64));
  assert.equal(shapesOf(steps[0]!)[0], "2x8x64");
  const first = (1 + 8 * 4) * 8, last = (3 + 29 * 4 + 63 * 256) * 8 + 8;
  assert.deepEqual(steps[0]!.extents[0], { offset: first, length: last - first, firstMove: 0, moveCount: 1 });
});

Deno.test("rows in any order visit each tile once, in file order", () => {
  const made = manager(["complex64", "bool"], [4, 64, 64]);
  const rows = Array.from({ length: 2000 }, (_, i) => (i * 7919) % 20_000);
  const steps = gathers(readSteps(made, rowList(rows)));
  assert.equal(steps.length, 1);
  assert.equal(steps[0]!.moves.count, 2000);
  assert.equal(steps[0]!.extents.length, Math.ceil(20_000 / 64));
  const backwards = gathers(readSteps(made, rowRange(999, 1000, -1)));
  assert.equal(sum(backwards.map((step) => step.extents.length)), Math.ceil(1000 / 64));
  const every = gathers(readSteps(made, rowRange(0, 1000, 10)));
  assert.equal(sum(every.map((step) => step.moves.count)), Math.ceil(9991 / 64));
});

Deno.test("rows far apart in one tile are read without what is between them", () => {
  const made = manager(["complex64"], [4, 64, 1000]);
  const [step] = gathers(readSteps(made, rowList([999, 0])));
  assert.deepEqual(step!.extents.map((extent) => extent.length), [2048, 2048]);
});

Deno.test("only the column's own sections of tiles are read", () => {
  const made = manager(["bool", "complex64"], [4, 64, 64]);
  const steps = gathers(readSteps(made, rowRange(0, ROWS)));
  const bucket = 64 * 256 * 8 + 64 * 32;
  assert.deepEqual(steps[0]!.extents[1], {
    offset: bucket + 64 * 2048,
    length: 2048,
    firstMove: 1,
    moveCount: 1,
  });
  assert.equal(sum(steps.flatMap((step) => step.extents.map((extent) => extent.length))), ROWS * 32);
});

Deno.test("a gather step has at most 4096 extents", () => {
  const steps = gathers(readSteps(manager(["uint8", "bool"], [4, 64, 1]), rowRange(0, 10_000)));
  assert.deepEqual(steps.map((step) => step.extents.length), [4096, 4096, 10_000 - 8192]);
});

Deno.test("whole rows are written from the caller's bytes, and flush fills the last tile", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [bound("D", "complex64", { shape: CELL })], 1000);
  const made = create(tiledShapeStMan, context, access, { tileShape: [4, 64, 64] });
  const bytes = someBytes("complex64", 1000 * 256, 1);
  writeCells(made, 0, rowRange(0, 1000), CELL, bytes, access);
  flush(made, access);
  flush(made, access);
  assert.deepEqual(access.log, [
    "create table.f0_TSM1",
    "write table.f0_TSM1 0 2048000",
    `resize table.f0_TSM1 ${16 * 131072}`,
    "barrier",
    "replace table.f0",
  ]);
  access.log.length = 0;
  const again = open(tiledShapeStMan, context, access);
  assert.deepEqual(runSync(again.column(0).shapes(rowRange(0, 1000)), access), [{
    count: 1000,
    shape: CELL,
  }]);
  assert.deepEqual(readCells(again, 0, "complex64", rowRange(0, 1000), CELL, access), bytes);
  assert.deepEqual(access.log, ["read table.f0 0 476", "read table.f0_TSM1 0 2048000"]);
});

Deno.test("whole tiles of one column are written fresh, in stretches of 4 MiB", () => {
  for (const [tile, bigEndian] of [[[4, 32, 128], false], [[4, 64, 64], true]] as const) {
    const made = manager(["complex64"], tile, { bigEndian, rows: 12_800 });
    const steps = writeSteps(made, rowRange(0, 12_800)).filter((step) =>
      step.kind !== "size"
    ) as ScatterStep[];
    assert.equal(steps.length, Math.ceil(12_800 * 2048 / 2 ** 22));
    for (const step of steps) {
      assert.ok(step.kind === "scatter" && step.fresh);
      assert.ok(step.extent.length <= 2 ** 22);
    }
    assert.equal(sum(steps.map((step) => step.extent.length)), 12_800 * 2048);
  }
});

Deno.test("a column that is most of new tiles is written in stretches, its neighbours then section by section", () => {
  const access = new MemoryAccess();
  const columns = [bound("D", "complex64", { shape: CELL }), bound("F", "bool", { shape: CELL })];
  const made = create(tiledShapeStMan, contextOf("TiledShapeStMan", columns, 640), access, {
    tileShape: [4, 64, 64],
  });
  const bucket = 131072 + 2048;
  writeCells(made, 0, rowRange(0, 640), CELL, someBytes("complex64", 640 * 256, 1), access);
  writeCells(made, 1, rowRange(0, 640), CELL, someBytes("bool", 640 * 256, 1), access);
  assert.deepEqual(access.log, [
    "create table.f0_TSM1",
    `scatter table.f0_TSM1 0 ${10 * bucket} fresh 10 moves`,
    ...Array.from(
      { length: 10 },
      (_, t) => `scatter table.f0_TSM1 ${t * bucket + 131072} 2048 fresh 1 moves`,
    ),
  ]);
});

Deno.test("a tile at the cube's edge is written fresh when all of the cube in it is given", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledColumnStMan", [bound("D", "float32", { shape: [5, 5] })], 5);
  const made = create(tiledColumnStMan, context, access, { tileShape: [4, 4, 4] });
  flush(made, access);
  access.log.length = 0;
  writeCells(made, 0, rowRange(0, 5), [5, 5], someBytes("float32", 125, 1), access);
  assert.deepEqual(access.log, ["scatter table.f0_TSM0 0 2048 fresh 8 moves"]);
  access.log.length = 0;
  writeCells(made, 0, rowRange(4, 1), [5, 5], someBytes("float32", 25, 1), access);
  assert.deepEqual(access.log, ["scatter table.f0_TSM0 1024 1024 fresh 4 moves"]);
});

Deno.test("part of a tile is written over what is there, reading only what is touched", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledColumnStMan", [bound("D", "float32", { shape: [4, 4] })], 8, {
    bigEndian: true,
  });
  const made = create(tiledColumnStMan, context, access, { tileShape: [4, 4, 4] });
  flush(made, access);
  access.log.length = 0;
  writeCells(made, 0, rowRange(1, 1), [4, 4], someBytes("float32", 16, 1), access);
  writeCells(made, 0, rowRange(1, 2), [4, 4], someBytes("float32", 4, 1), access, {
    start: [1, 1],
    shape: [1, 2],
    step: [1, 2],
  });
  assert.deepEqual(access.log, [
    "scatter table.f0_TSM0 64 64 fresh 1 moves",
    `scatter table.f0_TSM0 ${64 + 20} ${4 * (16 + 8 + 1)} 1 moves`,
  ]);
});

Deno.test("rows written one by one are written once each", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [bound("D", "float32", { ndim: 1 })], 0);
  const made = create(tiledShapeStMan, context, access, { tileShape: [4, 8] });
  for (let row = 0; row < 3; row++) {
    addRows(made, access, 1);
    writeCells(made, 0, rowRange(row, 1), [4], someBytes("float32", 4, row), access);
  }
  assert.deepEqual(access.log.slice(1), [0, 16, 32].map((offset) => `write table.f0_TSM1 ${offset} 16`));
});

Deno.test("tiles of many megabytes are read and written in pieces", () => {
  const cases: [NumericType, number[], boolean][] = [
    ["int16", [1501, 2000], true],
    ["float64", [3, 300_000], false],
    ["bool", [6007, 6001], false],
  ];
  for (const [dtype, cell, bigEndian] of cases) {
    const access = new MemoryAccess();
    const columns = [bound("D", dtype, { shape: cell }), bound("E", "uint8", { shape: cell })];
    const context = contextOf("TiledColumnStMan", columns, 1, { bigEndian });
    const made = create(tiledColumnStMan, context, access, { tileShape: [...cell, 1] });
    const bytes = someBytes(dtype, elementsOf(cell), 3);
    const rows = rowRange(0, 1);
    writeCells(made, 0, rows, cell, bytes, access);
    const box = { start: [1, 1], shape: [2, Math.floor(cell[1]! / 2)], step: [1, 2] };
    const part = someBytes(dtype, elementsOf(box.shape), 4);
    writeCells(made, 0, rows, cell, part, access, box);
    flush(made, access);
    const again = open(tiledColumnStMan, context, access);
    const repeated = readCells(again, 0, dtype, rowList([0, 0]), cell, access, box);
    assert.ok(Buffer.compare(repeated, Buffer.concat([part, part])) === 0);
    const { size } = numericInfo(dtype);
    for (let k = 0; k < elementsOf(box.shape); k++) {
      const at = 1 + (k % 2) + (1 + 2 * Math.floor(k / 2)) * cell[0]!;
      for (let b = 0; b < size; b++) bytes[at * size + b] = part[k * size + b]!;
    }
    assert.ok(Buffer.compare(readCells(again, 0, dtype, rows, cell, access), bytes) === 0);
  }
});
