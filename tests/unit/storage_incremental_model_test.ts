/** IncrementalStMan against a model: any cells in any layout read as they were written, however they are asked for. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DTYPES } from "../../src/array/dtype.ts";
import { type Box, boxOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { type GeneratedCell, generatedCell, type JobColumn, printedCell } from "../peer/oracle/values.ts";
import {
  type Layout,
  memoryFiles,
  type ModelColumn,
  openIncremental,
  writeIncremental,
} from "./storage_incremental_support.ts";
import { boundColumn, readCells } from "./storage_managed_support.ts";

const CELL_TYPES = DTYPES.filter((dtype) => dtype !== "record");

const columns = fc.array(
  fc.record({
    dtype: fc.constantFrom(...CELL_TYPES),
    form: fc.constantFrom("scalar", "direct", "fixed", "free"),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    repeat: fc.constantFrom(1, 1, 2, 5, 20, 1000),
  }),
  { minLength: 1, maxLength: 5 },
);

const layouts = fc.record({
  bigEndian: fc.boolean(),
  rows: fc.integer({ min: 1, max: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 59 }), { maxLength: 6 }),
  wide: fc.boolean(),
  scattered: fc.boolean(),
  repeated: fc.boolean(),
  // Buckets of more than a megabyte are not read whole.
  large: fc.nat(19).map((n) => n === 0),
  seed: fc.nat(100_000),
});

/** The column as jobs describe it and as its manager sees it. */
function column(
  { dtype, form, shape, repeat }: {
    dtype: JobColumn["dtype"];
    form: string;
    shape: number[];
    repeat: number;
  },
  i: number,
): { job: JobColumn; bound: BoundColumn } {
  const name = `c${i}`;
  const common = { name, dtype, repeat, longest: 300 };
  if (form === "scalar") return { job: common, bound: boundColumn(name, { dtype }) };
  const kind = "array", direct = form === "direct";
  return form === "free"
    ? { job: { ...common, kind, undefinedEvery: 3 }, bound: boundColumn(name, { dtype, kind }) }
    : { job: { ...common, kind, shape, direct }, bound: boundColumn(name, { dtype, kind, shape, direct }) };
}

/** Whole numbers that look random. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
}

/** Selections of every kind: all, a part, steps either way, and a list with rows out of order and repeated. */
function selections(rowCount: number, random: () => number): Rows[] {
  const start = random() % rowCount, count = 1 + random() % (rowCount - start), step = 1 + random() % 7;
  return [
    rowRange(0, rowCount),
    rowRange(start, count),
    rowRange(start, Math.ceil(count / step), step),
    rowRange(rowCount - 1, rowCount, -1),
    rowRange(start, 1),
    rowList(Array.from({ length: 1 + random() % 40 }, () => random() % rowCount)),
    rowList([start, start, 0]),
    rowList([
      ...Array.from({ length: count }, (_, i) => start + i),
      ...Array.from({ length: rowCount }, (_, i) => i),
    ]),
  ];
}

function boxIn(shape: readonly number[], random: () => number): Box | null {
  return boxOf(
    shape.map((length) => {
      const start = random() % length;
      return [start, start + 1 + random() % (length - start), 1 + random() % 2] as const;
    }),
    shape,
  );
}

/** The part of a printed cell that a box selects. */
function partOf(cell: GeneratedCell, box: Box | null): unknown {
  const printed = printedCell(cell) as { shape: number[]; data: unknown[] };
  if (box === null) return printed;
  const { shape } = printed,
    items = printed.data.length / shape.reduce((a, b) => a * b, 1),
    data: unknown[] = [];
  const visit = (axis: number, at: number, stride: number[]): void => {
    if (axis < 0) return void data.push(...printed.data.slice(at * items, (at + 1) * items));
    for (let i = 0; i < box.shape[axis]!; i++) {
      visit(axis - 1, at + (box.start[axis]! + i * box.step[axis]!) * stride[axis]!, stride);
    }
  };
  visit(shape.length - 1, 0, shape.map((_, a) => shape.slice(0, a).reduce((x, y) => x * y, 1)));
  return { shape: box.shape, data };
}

Deno.test("IncrementalStMan reads any cells in any layout as they were written", () => {
  fc.assert(
    fc.property(columns, layouts, (described, { rows, cuts, large, seed, ...form }) => {
      const random = numbersFrom(seed);
      const made = described.map(column);
      const model = made.map(({ job, bound }): ModelColumn => ({
        bound,
        cells: Array.from({ length: rows }, (_, row) => generatedCell(job, seed, row)),
      }));
      const starts = [...new Set([0, ...cuts.filter((cut) => cut < rows), rows])].sort((a, b) => a - b);
      // Numbers in any order, with free buckets between.
      const numbers = starts.slice(1).map((_, j) => ({ j, key: random() })).sort((a, b) => a.key - b.key)
        .map(({ j }, i) => [j, i] as const)
        .reduce<number[]>((list, [j, i]) => (list[j] = i * (large ? 1 : 1 + seed % 2), list), []);
      const layout: Layout = {
        ...form,
        starts,
        numbers,
        ...(large ? { bucketBytes: 1024 * 1024 + 77 } : {}),
      };
      const files = memoryFiles();
      const blob = writeIncremental(files, model, layout);
      const bound = model.map((each) => each.bound);
      const manager = openIncremental(files, bound, rows, layout.bigEndian, blob);
      assert.equal(manager.rowCount, rows);
      model.forEach(({ bound, cells }, c) => {
        for (const selection of selections(rows, random)) {
          const asked = Array.from({ length: selection.length }, (_, i) => cells[selection.at(i)]!);
          const read = runSync(readCells(bound, manager.column(c), selection), files);
          assert.deepEqual(read, asked.map(printedCell), `${bound.name} ${bound.dtype}`);
          if (bound.shape === null) continue;
          const box = boxIn(bound.shape, random);
          const part = runSync(readCells(bound, manager.column(c), selection, box), files);
          assert.deepEqual(
            part,
            asked.map((cell) => partOf(cell, box)),
            `box of ${bound.name} ${bound.dtype}`,
          );
        }
      });
      files.close();
    }),
    { numRuns: 150 },
  );
});
