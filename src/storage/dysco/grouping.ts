/**
 * How many rows a block has, and for how many antennas it has factors: found out when data are first encoded, from what the
 * table's other columns say then. Format reference part 7, section 11.
 *
 * A block is meant to be a time step: rows with the TIME, FIELD_ID and DATA_DESC_ID of row 0, from there to the first that
 * differs. casacore takes the antennas of these rows; this takes those of the whole table.
 */
import { bytesOf, type NumericData } from "../../array/dtype.ts";
import { rowRange } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { ColumnSource } from "../manager.ts";
import { KEY_COLUMNS } from "./options.ts";

/** Rows that are looked at in one go. */
const ROWS_AT_ONCE = 65536;

/** Plan: rows of the first time step, at most `most`. The table has rows. */
export function* rowsOfFirstStep(source: ColumnSource, rowCount: number, most: number): Plan<number> {
  const limit = Math.min(rowCount, most);
  const times = new Float64Array(Math.min(limit, ROWS_AT_ONCE)), numbers = new Int32Array(times.length);
  const first: number[] = [];
  for (let start = 0; start < limit; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, limit - start);
    let equal = count;
    for (const [i, name] of (["TIME", "FIELD_ID", "DATA_DESC_ID"] as const).entries()) {
      const values: Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> = name === "TIME" ? times : numbers;
      yield* keyValues(source, name, start, values.subarray(0, count));
      const own = first[i] ??= values[0]!;
      const other = values.subarray(0, equal).findIndex((value) => value !== own);
      if (other >= 0) equal = other;
    }
    if (equal < count) return Math.max(1, start + equal);
  }
  return limit;
}

/** Plan: one more than the largest antenna number of the table. */
export function* antennasOf(source: ColumnSource, rowCount: number): Plan<number> {
  const numbers = new Int32Array(Math.min(rowCount, ROWS_AT_ONCE));
  let largest = 0;
  for (const name of ["ANTENNA1", "ANTENNA2"] as const) {
    for (let start = 0; start < rowCount; start += ROWS_AT_ONCE) {
      const some = numbers.subarray(0, Math.min(ROWS_AT_ONCE, rowCount - start));
      yield* keyValues(source, name, start, some);
      for (let i = 0; i < some.length; i++) if (some[i]! > largest) largest = some[i]!;
    }
  }
  return largest + 1;
}

/** Plan: values of one of the columns that DyscoStMan needs, from a row on. @throws TableError NO_SUCH_COLUMN, CORRUPT */
export function* keyValues(
  source: ColumnSource,
  name: keyof typeof KEY_COLUMNS,
  row: number,
  values: NumericData,
): Plan<void> {
  const { bound, column } = source.column(name);
  if (bound.kind !== "scalar" || bound.dtype !== KEY_COLUMNS[name]) {
    throw new TableError(
      "CORRUPT",
      `column ${name} has ${bound.dtype}, ${bound.kind}; DyscoStMan needs ${KEY_COLUMNS[name]} scalars`,
    );
  }
  const target = { kind: "numeric", bytes: bytesOf(values) } as const;
  yield* column.read(rowRange(row, values.length), [], null, target, 0);
}
