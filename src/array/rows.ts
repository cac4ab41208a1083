/**
 * Selections: which rows of a column, and which box of each cell.
 */
import { TableError } from "../error.ts";

/** A stretch of consecutive rows, and where it stands in the selection. */
export interface RowRun {
  /** First table row. */
  readonly row: number;
  /** Number of consecutive rows. */
  readonly count: number;
  /** Position of `row` in the selection. */
  readonly index: number;
}

/** Which rows, in which order. Rows may repeat. */
export interface Rows {
  /** Number of rows selected. */
  readonly length: number;
  /** The table row at a position of the selection. */
  at(index: number): number;
  /** The selection as stretches of consecutive ascending rows, in selection order. */
  runs(): Iterable<RowRun>;
  /** The selection's positions `start` to `end` (exclusive). */
  sub(start: number, end: number): Rows;
}

/** Rows start, start + step, …; `step` may be any non-zero whole number. */
export function rowRange(start: number, count: number, step = 1): Rows {
  return new RowRange(start, count, step);
}

/** A class, and a list where there is one run: every call for a row makes a range, and a generator takes longer than all else. */
class RowRange implements Rows {
  readonly length: number;
  readonly #start: number;
  readonly #step: number;

  constructor(start: number, count: number, step: number) {
    this.length = count;
    this.#start = start;
    this.#step = step;
  }

  at(index: number): number {
    return this.#start + index * this.#step;
  }

  runs(): Iterable<RowRun> {
    const { length } = this;
    if (length === 0) return [];
    return this.#step === 1 || length === 1
      ? [{ row: this.#start, count: length, index: 0 }]
      : this.#singles();
  }

  *#singles(): Generator<RowRun> {
    for (let i = 0; i < this.length; i++) yield { row: this.at(i), count: 1, index: i };
  }

  sub(from: number, to: number): Rows {
    return new RowRange(this.at(from), Math.max(0, to - from), this.#step);
  }
}

/** The rows of a list, in its order. */
export function rowList(list: ArrayLike<number>): Rows {
  return {
    length: list.length,
    at: (index) => list[index]!,
    *runs() {
      let i = 0;
      while (i < list.length) {
        const row = list[i]!;
        let n = 1;
        while (i + n < list.length && list[i + n] === row + n) n++;
        yield { row, count: n, index: i };
        i += n;
      }
    },
    sub: (from, to) => rowList(Array.prototype.slice.call(list, from, to) as number[]),
  };
}

/** What a caller may say of one axis: null for all of it, or [start, end], or [start, end, step]. */
export type AxisSlice = null | readonly [start: number, end: number, step?: number];

/** A strided box within a cell: positions start, start + step, … , `shape` of them, on each axis. */
export interface Box {
  /** First position on each axis. */
  readonly start: readonly number[];
  /** Number of positions on each axis. */
  readonly shape: readonly number[];
  /** Distance between positions, at least 1. */
  readonly step: readonly number[];
}

/** Number of elements of a shape; 1 for a scalar's []. */
export function elementsOf(shape: readonly number[]): number {
  let n = 1;
  for (const length of shape) n *= length;
  return n;
}

/** True when both shapes have the same axes. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Distance in elements between neighbours on each axis, first axis fastest. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const length of shape) {
    strides.push(stride);
    stride *= length;
  }
  return strides;
}

/**
 * The box that a slice selects of cells of `shape`; null when it is the whole cell.
 *
 * @throws TableError SHAPE_MISMATCH for another number of axes, OUT_OF_RANGE for positions outside `shape`.
 */
export function boxOf(slice: readonly AxisSlice[], shape: readonly number[]): Box | null {
  if (slice.length !== shape.length) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `slice has ${slice.length} axes, the cell has ${shape.length} (shape [${shape.join(", ")}])`,
    );
  }
  const start: number[] = [], lengths: number[] = [], steps: number[] = [];
  let whole = true;
  slice.forEach((axis, i) => {
    const length = shape[i]!;
    const [from, to, step = 1] = axis ?? [0, length, 1];
    if (![from, to, step].every(Number.isInteger) || step < 1 || from < 0 || to < from || to > length) {
      throw new TableError(
        "OUT_OF_RANGE",
        `slice of axis ${i} is [${from}, ${to}, ${step}], expected 0 <= start <= end <= ${length} and step >= 1`,
      );
    }
    start.push(from);
    steps.push(step);
    lengths.push(Math.ceil((to - from) / step));
    if (from !== 0 || to !== length || step !== 1) whole = false;
  });
  return whole ? null : { start, shape: lengths, step: steps };
}
