/**
 * Rows that are exported, in order: a range or a list, of which parts are taken as `Table.getColumn` takes them.
 */
import { type RowSelection, rowsOf } from "../table/selection.ts";

/** Rows in order. */
export interface Selection {
  /** Number of rows. */
  readonly length: number;
  /** The first row, where the rows follow each other; null for a list and for steps. */
  readonly first: number | null;
  /** Positions `from` to `to`, the end excluded. */
  part(from: number, to: number): RowSelection;
}

/** The rows that a caller asked for; all of them if nothing was said. @throws TableError OUT_OF_RANGE, INVALID_ARGUMENT */
export function selectionOf(rows: RowSelection | undefined, rowCount: number): Selection {
  const { length } = rowsOf(rows, rowCount);
  if (rows !== undefined && "length" in rows) {
    const list = rows;
    return {
      length,
      first: null,
      part: (from, to) => Float64Array.from({ length: to - from }, (_, i) => list[from + i]!),
    };
  }
  const { start = 0, step = 1 } = rows ?? {};
  return {
    length,
    first: step === 1 ? start : null,
    part: (from, to) => ({
      start: start + from * step,
      end: to === from ? start + from * step : start + (to - 1) * step + 1,
      step,
    }),
  };
}

/** Number of rows in a part of a selection. */
export function rowsIn(rows: RowSelection): number {
  if ("length" in rows) return rows.length;
  return Math.ceil((rows.end! - rows.start!) / (rows.step ?? 1));
}
