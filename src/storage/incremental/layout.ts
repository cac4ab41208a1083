/**
 * How a new IncrementalStMan is laid out: format reference part 3, section A7.
 */
import { isNumeric } from "../../array/dtype.ts";
import { elementsOf } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { packedBytes } from "../arrayfile/cells.ts";
import type { BoundColumn } from "../manager.ts";
import { ENTRY_BYTES, type StoredValue } from "./open-bucket.ts";

/** Bytes of a word, and of an array's offset. */
const WORD_BYTES = 4, OFFSET_BYTES = 8;

/** What casacore reckons for a value of any length, and the sizes between which it chooses. */
const RECKONED_BYTES = 32, USUAL_BUCKET_BYTES = 32768, LARGE_BUCKET_BYTES = 327680;

/** Offsets in a bucket have 28 bits. */
const MAX_BUCKET_BYTES = 2 ** 28 - 1;

/** True for columns whose values are in an array file. */
export function isIndirect(column: BoundColumn): boolean {
  return column.kind === "record" || (column.kind === "array" && !column.direct);
}

function elementsIn(column: BoundColumn): number {
  return column.kind === "array" && column.direct ? elementsOf(column.shape ?? []) : 1;
}

/** Bytes of a column's values in a bucket; 0: each starts with the number of its bytes. */
export function valueBytes(column: BoundColumn): number {
  if (isIndirect(column)) return OFFSET_BYTES;
  return isNumeric(column.dtype) ? packedBytes(column.dtype, elementsIn(column)) : 0;
}

/** What a column holds before anything was put: zeros, false, empty strings, no array. */
export function firstValue(column: BoundColumn, bigEndian: boolean): StoredValue {
  const fixed = valueBytes(column);
  if (fixed > 0) return { bytes: new Uint8Array(fixed), at: 0, length: fixed };
  const elements = elementsIn(column);
  const bytes = new Uint8Array(WORD_BYTES * (elements > 1 ? 1 + elements : 1));
  new DataView(bytes.buffer).setUint32(0, bytes.length, !bigEndian);
  return { bytes, at: 0, length: bytes.length };
}

/** The bucket size that casacore chooses for columns, not knowing yet how long their values are. */
function usualBucketBytes(columns: readonly BoundColumn[]): number {
  const head = WORD_BYTES * (columns.length + 1);
  const row = columns.reduce((sum, column) => {
    const elements = elementsIn(column);
    return sum + 2 * WORD_BYTES + WORD_BYTES * (elements + 1) + RECKONED_BYTES * elements;
  }, 0);
  if (head + 100 * row <= LARGE_BUCKET_BYTES) return Math.max(USUAL_BUCKET_BYTES, head + 100 * row);
  if (head + 10 * row <= LARGE_BUCKET_BYTES) return head + 10 * row;
  return Math.max(LARGE_BUCKET_BYTES, head + 2 * row);
}

/**
 * Bytes of a bucket for new columns.
 *
 * @throws TableError INVALID_ARGUMENT for an unknown option, or a size that no row fits into
 */
export function chooseBucketBytes(
  columns: readonly BoundColumn[],
  options: Readonly<Record<string, unknown>>,
): number {
  for (const key of Object.keys(options)) {
    if (key !== "bucketSize") {
      throw new TableError("INVALID_ARGUMENT", `IncrementalStMan has no option ${key}, expected bucketSize`);
    }
  }
  const { bucketSize = 0 } = options;
  if (
    !Number.isInteger(bucketSize) || (bucketSize as number) < 0 || (bucketSize as number) > MAX_BUCKET_BYTES
  ) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `bucketSize: expected a whole number of bytes from 0 to ${MAX_BUCKET_BYTES}, found ${bucketSize}`,
    );
  }
  const bytes = bucketSize === 0 ? usualBucketBytes(columns) : bucketSize as number;
  const least = columns.reduce(
    (sum, column) => sum + WORD_BYTES + ENTRY_BYTES + firstValue(column, false).length,
    WORD_BYTES,
  );
  if (least > bytes || bytes > MAX_BUCKET_BYTES) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `bucketSize is ${bytes} bytes, a row takes ${least} of the ${MAX_BUCKET_BYTES} that a bucket may have`,
    );
  }
  return bytes;
}
