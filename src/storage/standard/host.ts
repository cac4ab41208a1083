/** What the columns of a StandardStMan share. */
import { elementsOf, rowList, type Rows } from "../../array/rows.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import type { BoundColumn } from "../manager.ts";
import type { BucketFile } from "./bucket-file.ts";
import type { StringTail } from "./string-writer.ts";

/** The manager, as its columns see it. */
export interface ColumnHost {
  readonly file: BucketFile;
  readonly tail: StringTail;
  /** The array file. @throws TableError what was wrong with it when the manager was opened */
  arrays(): ArrayFile;
  /** Bytes of string buckets, or of the array file, where one column alone keeps values there; else 0. */
  outsideBytes(where: "strings" | "arrays"): number;
  /** Tells that data changed. */
  touched(): void;
}

/** Selected rows without repeats, and where each stands in the selection: the last value of a row counts. */
export function lastOfEach(rows: Rows): { rows: Rows; index(i: number): number } {
  const last = new Map<number, number>();
  for (let i = 0; i < rows.length; i++) {
    const row = rows.at(i);
    last.delete(row);
    last.set(row, i);
  }
  const list = [...last.keys()], index = [...last.values()];
  return { rows: rowList(list), index: (i) => index[i]! };
}

/** Rows of which `bytesEach` are worked on at a time, so that memory stays within `most`. */
export function* blocksOf(
  rows: Rows,
  bytesEach: number,
  most: number,
): Generator<{ rows: Rows; index: number }> {
  const each = Math.max(1, Math.floor(most / Math.max(1, bytesEach)));
  for (let index = 0; index < rows.length; index += each) {
    yield { rows: rows.sub(index, Math.min(rows.length, index + each)), index };
  }
}

/** Number of elements of a column's fixed cells. */
export function fixedElements(column: BoundColumn): number {
  return column.kind === "scalar" ? 1 : elementsOf(column.shape ?? []);
}
