/** What tests of managers against a model share: columns with generated cells, selections of rows, boxes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { DTYPES } from "../../src/array/dtype.ts";
import { type Box, boxOf, rowList, rowRange, type Rows } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { TableFiles } from "../../src/io/files.ts";
import type { Plan, Step } from "../../src/io/plan.ts";
import { unionSpan } from "../../src/io/spans.ts";
import type { BoundColumn, StorageManager } from "../../src/storage/manager.ts";
import { type GeneratedCell, generatedCell, type JobColumn, printedCell } from "../peer/oracle/values.ts";
import type { ModelColumn } from "./storage_incremental_support.ts";
import { boundColumn, readCells } from "./storage_managed_support.ts";

/** A column to be generated. */
export interface ColumnPlan {
  readonly dtype: JobColumn["dtype"];
  readonly form: "scalar" | "direct" | "fixed" | "free";
  readonly shape: number[];
  readonly repeat: number;
}

/** Columns of every kind but records. */
export const columnPlans: fc.Arbitrary<ColumnPlan[]> = fc.array(
  fc.record({
    dtype: fc.constantFrom(...DTYPES.filter((dtype) => dtype !== "record")),
    form: fc.constantFrom("scalar", "direct", "fixed", "free"),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
    repeat: fc.constantFrom(1, 1, 2, 5, 20, 1000),
  }),
  { minLength: 1, maxLength: 5 },
);

/** A column with generated cells. */
export function modelColumn(plan: ColumnPlan, i: number, seed: number, rows: number): ModelColumn {
  const { job, bound } = described(plan, `c${i}`);
  return { bound, cells: Array.from({ length: rows }, (_, row) => generatedCell(job, seed, row)) };
}

/** The column as jobs describe it and as its manager sees it. */
function described(
  { dtype, form, shape, repeat }: ColumnPlan,
  name: string,
): { job: JobColumn; bound: BoundColumn } {
  const common = { name, dtype, repeat, longest: 300 };
  if (form === "scalar") return { job: common, bound: boundColumn(name, { dtype }) };
  const kind = "array", direct = form === "direct";
  return form === "free"
    ? { job: { ...common, kind, undefinedEvery: 3 }, bound: boundColumn(name, { dtype, kind }) }
    : { job: { ...common, kind, shape, direct }, bound: boundColumn(name, { dtype, kind, shape, direct }) };
}

/** Whole numbers that look random. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8;
}

/**
 * Runs a plan and holds each step against what steps promise: the extents of a gather ascend, and hold their moves.
 *
 * @param seen Called with each step.
 */
export function runChecked<T>(plan: Plan<T>, files: TableFiles, seen: (step: Step) => void = () => {}): T {
  const checked = function* (): Plan<T> {
    let next = plan.next();
    while (!next.done) {
      const step = next.value;
      seen(step);
      if (step.kind === "gather") {
        let end = 0, move = 0;
        for (const { offset, length, firstMove, moveCount } of step.extents) {
          const { lo, hi } = unionSpan(step.moves, firstMove, moveCount);
          assert.ok(
            offset >= end && lo >= offset && hi <= offset + length,
            "extents ascend and hold their moves",
          );
          assert.equal(firstMove, move);
          end = offset + length;
          move += moveCount;
        }
        assert.equal(move, step.moves.count);
      }
      next = plan.next(yield step);
    }
    return next.value;
  };
  return runSync(checked(), files);
}

/** Reads every column in many ways and compares with the model. */
export function assertReadsModel(
  files: TableFiles,
  manager: StorageManager,
  model: readonly ModelColumn[],
  rowCount: number,
  random: () => number,
): void {
  model.forEach(({ bound, cells }, c) => {
    for (const rows of selections(rowCount, random)) {
      const asked = Array.from({ length: rows.length }, (_, i) => cells[rows.at(i)]!);
      const read = runChecked(readCells(bound, manager.column(c), rows), files);
      assert.deepEqual(read, asked.map(printedCell), `${bound.name} ${bound.dtype}`);
      if (bound.shape === null) continue;
      const box = boxIn(bound.shape, random);
      const part = runChecked(readCells(bound, manager.column(c), rows, box), files);
      assert.deepEqual(part, asked.map((cell) => partOf(cell, box)), `box of ${bound.name} ${bound.dtype}`);
    }
  });
}

/** Selections of every kind: all, a part, steps either way, and lists with rows out of order and repeated. */
function selections(rowCount: number, random: () => number): Rows[] {
  const start = random() % rowCount, count = 1 + random() % (rowCount - start), step = 1 + random() % 7;
  const part = Array.from({ length: count }, (_, i) => start + i);
  return [
    rowRange(0, rowCount),
    rowRange(start, count),
    rowRange(start, Math.ceil(count / step), step),
    rowRange(rowCount - 1, rowCount, -1),
    rowRange(start, 1),
    rowList(Array.from({ length: 1 + random() % 40 }, () => random() % rowCount)),
    rowList([start, start, 0]),
    rowList([...part, ...Array.from({ length: rowCount }, (_, i) => i)]),
    rowList([...Array.from({ length: rowCount }, (_, i) => i), ...part]),
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
  const { shape } = printed, items = printed.data.length / shape.reduce((a, b) => a * b, 1);
  const data: unknown[] = [];
  const visit = (axis: number, at: number, strides: number[]): void => {
    if (axis < 0) return void data.push(...printed.data.slice(at * items, (at + 1) * items));
    for (let i = 0; i < box.shape[axis]!; i++) {
      visit(axis - 1, at + (box.start[axis]! + i * box.step[axis]!) * strides[axis]!, strides);
    }
  };
  visit(shape.length - 1, 0, shape.map((_, a) => shape.slice(0, a).reduce((x, y) => x * y, 1)));
  return { shape: box.shape, data };
}
