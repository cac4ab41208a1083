/**
 * How much room columns take in a data bucket, and how large the buckets of a new table are: format reference part 2,
 * sections 3 and 6. The values of one column for all rows of a bucket are contiguous:
 *
 * | kind of column | stored for a row | bits |
 * | --- | --- | --- |
 * | numeric scalar, Direct array | the values | elements × size; Bool: 1 bit each, rows not byte aligned |
 * | String with maxLength | the bytes, ended by a NUL if shorter | 8 × maxLength |
 * | other String, array of String | a reference into string buckets | 96 |
 * | other array, record | an offset into `table.f<N>i` | 64 |
 */
import { isNumeric, numericInfo } from "../../array/dtype.ts";
import { elementsOf } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { BoundColumn } from "../manager.ts";

/** Smallest bucket that casacore makes. */
export const MIN_BUCKET_BYTES = 128;
/** Largest bucket that a wish for rows leads to; one row may need more. */
const MAX_WISHED_BUCKET_BYTES = 32768;
/** Rows of a bucket when nothing is said. */
const DEFAULT_BUCKET_ROWS = 32;
/** Sizes and offsets of buckets are 32 bits, and read as signed in places. */
export const MAX_BUCKET_BYTES = 2 ** 31 - 1;

/** Bits of a string reference and of an array offset. */
export const REFERENCE_BITS = 96;
export const OFFSET_BITS = 64;

/** How a column's cells are kept. */
export type CellForm = "values" | "fixedString" | "string" | "stringArray" | "indirect";

/** The form of a column's cells. */
export function formOf(column: BoundColumn): CellForm {
  if (column.kind === "record") return "indirect";
  if (column.kind === "scalar") {
    if (column.dtype !== "string") return "values";
    return column.maxLength > 0 ? "fixedString" : "string";
  }
  if (column.dtype === "string") return "stringArray";
  return column.direct && column.shape !== null ? "values" : "indirect";
}

/** Bits that one row of a column takes in its bucket. */
export function bitsPerRow(column: BoundColumn): number {
  switch (formOf(column)) {
    case "values": {
      const { dtype } = column;
      if (!isNumeric(dtype)) {
        throw new TableError("UNSUPPORTED", `column ${column.name}: ${dtype} has no size`);
      }
      const bits = dtype === "bool" ? 1 : 8 * numericInfo(dtype).size;
      return column.kind === "scalar" ? bits : bits * elementsOf(column.shape ?? []);
    }
    case "fixedString":
      return 8 * column.maxLength;
    case "string":
    case "stringArray":
      return REFERENCE_BITS;
    case "indirect":
      return OFFSET_BITS;
  }
}

/** Bytes of a column's area for that many rows. */
export function areaBytes(rows: number, bits: number): number {
  return Math.ceil(rows * bits / 8);
}

/** Sizes and places in the buckets of a new table. */
export interface BucketLayout {
  readonly bucketSize: number;
  readonly rowsPerBucket: number;
  /** Where each column's area begins. */
  readonly offsets: readonly number[];
  /** Bytes that all areas take. */
  readonly used: number;
}

/** What the maker of a table may wish for. */
export interface BucketOptions {
  /** Rows of a bucket; wins over `bucketSize`. */
  readonly bucketRows?: number;
  readonly bucketSize?: number;
}

/** The options in a specification. @throws TableError INVALID_ARGUMENT */
export function bucketOptions(options: Readonly<Record<string, unknown>>): BucketOptions {
  const found: { bucketRows?: number; bucketSize?: number } = {};
  for (const key of ["bucketRows", "bucketSize"] as const) {
    const value = options[key];
    if (value === undefined) continue;
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > MAX_BUCKET_BYTES) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `${key}: expected a whole number from 0 to 2^31 - 1, found ${value}`,
      );
    }
    found[key] = value as number;
  }
  for (const key of Object.keys(options)) {
    if (key !== "bucketRows" && key !== "bucketSize") {
      throw new TableError(
        "INVALID_ARGUMENT",
        `StandardStMan has no option ${key}, expected bucketRows or bucketSize`,
      );
    }
  }
  return found;
}

/** Lays out the buckets of a new table exactly as casacore does. @throws TableError LIMIT for rows beyond 2^31 bytes */
export function chooseLayout(bits: readonly number[], options: BucketOptions): BucketLayout {
  const need = (rows: number) => bits.reduce((sum, b) => sum + areaBytes(rows, b), 0);
  const total = Math.max(1, need(1));
  if (total > MAX_BUCKET_BYTES) {
    throw new TableError(
      "LIMIT",
      `a row takes ${total} bytes in a bucket, expected at most ${MAX_BUCKET_BYTES}`,
    );
  }
  const setSize = (wishedSize: number, wishedRows: number): [size: number, rows: number] => {
    let size = Math.max(wishedSize, MIN_BUCKET_BYTES);
    if (wishedRows > 0) {
      const exact = need(wishedRows);
      size = Math.min(MAX_WISHED_BUCKET_BYTES, Math.max(MIN_BUCKET_BYTES, exact));
      if (size === exact) return [size, wishedRows];
    }
    let rows = Math.floor(size / total);
    while (rows < 8 * size && need(rows + 1) <= size) rows++;
    return rows < 1 ? [total, 1] : [size, rows];
  };
  let wishedRows = options.bucketRows ?? 0;
  const wishedSize = wishedRows > 0 ? 0 : options.bucketSize ?? 0;
  if (wishedRows === 0 && wishedSize === 0) wishedRows = DEFAULT_BUCKET_ROWS;
  let [bucketSize, rowsPerBucket] = setSize(wishedSize, wishedRows);
  if (wishedRows > rowsPerBucket) {
    // Too wide for one bucket: spread evenly over several.
    const buckets = Math.ceil(wishedRows / rowsPerBucket);
    [bucketSize, rowsPerBucket] = setSize(bucketSize, Math.ceil(wishedRows / buckets));
  }
  const offsets: number[] = [];
  let used = 0;
  for (const b of bits) {
    offsets.push(used);
    used += areaBytes(rowsPerBucket, b);
  }
  return { bucketSize, rowsPerBucket, offsets, used };
}
