/** skeleton */
import type { NDArray } from "../../array/ndarray.ts";
import type { StringPolicy } from "../../format/strings.ts";
import type { Cell } from "../../table/read.ts";
import type { ColumnValues } from "../../table/values.ts";
import type { IngestColumn } from "../schema.ts";

/** Values of a column as `append` takes them: as `Table.append`, and cells of any shape, null for an undefined one. */
export type IngestValues = ColumnValues | readonly Cell[];

/** What `append` takes: values by column. Columns that are left out get 0, "" or undefined cells. */
export type IngestRows = Readonly<Record<string, IngestValues>>;

/** skeleton */
export function decodeFixed(_column: IngestColumn, _bytes: Uint8Array, _rows: number): NDArray {
  throw new Error("to come");
}

/** skeleton */
export function decodeStrings<P extends StringPolicy>(
  _column: IngestColumn,
  _bytes: Uint8Array,
  _rows: number,
  _policy: P,
): (P extends "bytes" ? Uint8Array : string)[] {
  throw new Error("to come");
}

/** skeleton */
export function decodeCells(
  _column: IngestColumn,
  _bytes: Uint8Array,
  _rows: number,
  _policy: StringPolicy,
): Cell[] {
  throw new Error("to come");
}
