/**
 * Memory for results. The engine's large buffers begin 16 bytes past a page; a read straight to such an address takes
 * three times as long as to a multiple of 64 bytes, so results are allocated with room to start at one.
 */
import { library } from "../../ffi/binding.ts";
import { TableError } from "../error.ts";
import { type NumericData, numericInfo, type NumericType, viewOf } from "./dtype.ts";

/** Alignment of results in bytes: a line of the processor's cache. */
const ALIGNMENT_BYTES = 64;
/** Smaller results stay where the engine puts them: no call is faster for them, and each would cost one more. */
const ALIGNED_FROM_BYTES = 1024;

/**
 * Zeros for `elements` elements (complex values count as one). From 1 KiB on they begin at a multiple of 64 bytes in
 * memory (or of `alignment`, a power of 2) when the C library is there; so `byteOffset` may be other than 0, and the buffer larger than the data.
 *
 * @throws TableError INVALID_ARGUMENT when `elements` is not a whole number from 0, LIMIT when the engine has no
 * memory for them or no typed array of that length.
 */
export function allocate<D extends NumericType>(
  dtype: D,
  elements: number,
  alignment = ALIGNMENT_BYTES,
): NumericData<D> {
  if (!Number.isSafeInteger(elements) || elements < 0) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `cannot allocate ${elements} elements, expected a whole number from 0`,
    );
  }
  const bytes = elements * numericInfo(dtype).size;
  const native = bytes < ALIGNED_FROM_BYTES ? null : library();
  try {
    if (native === null) return viewOf(dtype, new ArrayBuffer(bytes), 0, elements);
    const buffer = new ArrayBuffer(bytes + alignment);
    const past = native.address(new Uint8Array(buffer)) % alignment;
    return viewOf(dtype, buffer, (alignment - past) % alignment, elements);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TableError("LIMIT", `no memory for ${elements} elements of ${dtype} (${bytes} bytes)`, {
      cause,
    });
  }
}
