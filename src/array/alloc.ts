/**
 * Memory for results. The engine's large buffers begin 16 bytes past a page; a read straight to such an address takes
 * three times as long as to a multiple of 64 bytes, so results are allocated with room to start at one.
 */
import { library } from "../../ffi/binding.ts";
import { TableError } from "../error.ts";
import { type NumericData, numericInfo, type NumericType, viewOf } from "./dtype.ts";

/** Alignment of results in bytes: a line of the processor's cache. */
const ALIGNMENT_BYTES = 64;
/** Large results begin with a block of the disk, so that they can be written past the page cache as they lie. */
const LARGE_ALIGNMENT_BYTES = 4096, LARGE_FROM_BYTES = 256 * 1024;
/** Smaller results stay where the engine puts them: they come from the page cache, and finding their place takes longer. */
const ALIGNED_FROM_BYTES = 16 * 1024;

/**
 * Zeros for `elements` elements (complex values count as one) at an address that suits the disk and the processor: from
 * 16 KiB on a multiple of 64 bytes, from 256 KiB on one of 4096, or of `alignment`, a power of 2, when the C library is there.
 * So `byteOffset` may be other than 0, and the buffer larger than the data.
 *
 * Backend `direct` writes arrays that begin so from where they lie, and must copy others on the way.
 *
 * @throws TableError INVALID_ARGUMENT when `elements` is not a whole number from 0, LIMIT when the engine has no
 * memory for them or no typed array of that length.
 * @example
 * ```ts
 * import { allocate } from "@tessera/tables";
 * const data = allocate("complex64", 100_000 * 4 * 64);
 * console.log(data.length); // 51200000
 * ```
 */
export function allocate<D extends NumericType>(
  dtype: D,
  elements: number,
  alignment?: number,
): NumericData<D> {
  if (!Number.isSafeInteger(elements) || elements < 0) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `cannot allocate ${elements} elements, expected a whole number from 0`,
    );
  }
  const bytes = elements * numericInfo(dtype).size;
  const native = bytes < ALIGNED_FROM_BYTES && alignment === undefined ? null : library();
  try {
    if (native === null) return viewOf(dtype, new ArrayBuffer(bytes), 0, elements);
    const unit = alignment ?? (bytes < LARGE_FROM_BYTES ? ALIGNMENT_BYTES : LARGE_ALIGNMENT_BYTES);
    const buffer = new ArrayBuffer(bytes + unit);
    const past = native.address(new Uint8Array(buffer)) % unit;
    return viewOf(dtype, buffer, (unit - past) % unit, elements);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TableError("LIMIT", `no memory for ${elements} elements of ${dtype} (${bytes} bytes)`, {
      cause,
    });
  }
}
