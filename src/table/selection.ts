/**
 * What callers say of rows, and what it means for a table of a given length.
 */
import { rowList, rowRange, type Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";

/** A range of rows, `end` exclusive, or a list of row numbers in any order, also with repetitions. */
export type RowSelection =
  | { readonly start?: number; readonly end?: number; readonly step?: number }
  | ArrayLike<number>;

/**
 * The rows that a selection names; all of them when it is left out.
 *
 * @throws TableError OUT_OF_RANGE for rows outside the table, INVALID_ARGUMENT for anything that is no row number.
 */
export function rowsOf(selection: RowSelection | undefined, rowCount: number): Rows {
  if (selection === undefined) return rowRange(0, rowCount);
  if (typeof selection !== "object" || selection === null) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `rows must be a range or a list of row numbers, found ${typeof selection}`,
    );
  }
  if ("length" in selection) {
    for (let i = 0; i < selection.length; i++) checkRow(selection[i]!, rowCount);
    return rowList(selection);
  }
  const { start = 0, end = rowCount, step = 1 } = selection;
  for (const [name, value] of [["start", start], ["end", end], ["step", step]] as const) {
    if (!Number.isInteger(value)) {
      throw new TableError("INVALID_ARGUMENT", `rows.${name} must be a whole number, found ${value}`);
    }
  }
  if (step < 1) throw new TableError("INVALID_ARGUMENT", `rows.step must be at least 1, found ${step}`);
  if (start < 0 || end < start || end > rowCount) {
    throw new TableError(
      "OUT_OF_RANGE",
      `rows ${start} to ${end} asked, the table has rows 0 to ${rowCount}`,
    );
  }
  return rowRange(start, Math.ceil((end - start) / step), step);
}

/** @throws TableError unless `row` is one of the table's. */
export function checkRow(row: number, rowCount: number): void {
  if (!Number.isInteger(row)) {
    throw new TableError("INVALID_ARGUMENT", `a row number must be whole, found ${row}`);
  }
  if (row < 0 || row >= rowCount) {
    throw new TableError("OUT_OF_RANGE", `row ${row} asked, the table has ${rowCount} rows`);
  }
}

/** The same rows in ascending order. @throws TableError INVALID_ARGUMENT for a row that is named twice */
export function distinct(rows: Rows): Rows {
  const list = new Float64Array(rows.length);
  let ascends = true;
  for (let i = 0; i < list.length; i++) {
    list[i] = rows.at(i);
    if (i > 0 && !(list[i]! > list[i - 1]!)) ascends = false;
  }
  if (ascends) return rows;
  list.sort();
  for (let i = 1; i < list.length; i++) {
    if (list[i] !== list[i - 1]) continue;
    throw new TableError("INVALID_ARGUMENT", `row ${list[i]} is named twice`);
  }
  return rowList(list);
}
