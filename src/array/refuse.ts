/**
 * What the inner loops refuse, in the same words whether C or TypeScript runs them. RangeErrors: whoever planned the
 * loop knows the file and the offset that the numbers came from, and turns them into a TableError.
 */
import type { MoveList } from "./moves.ts";

/** Axes a move may have: the C library keeps a position on each. */
export const MAX_MOVE_AXES = 64;
/** Bytes an element may have. */
export const MAX_ELEMENT_BYTES = 2 ** 20;

/** Refuses another unit than 2, 4, 8, and a length that is not a multiple of it. */
export function checkSwap(lengthBytes: number, unit: number): void {
  if (unit !== 2 && unit !== 4 && unit !== 8) {
    throw new RangeError(`swap unit is ${unit}, expected 2, 4 or 8`);
  }
  if (lengthBytes % unit !== 0) {
    throw new RangeError(`cannot swap ${lengthBytes} bytes in groups of ${unit}`);
  }
}

/** Refuses bits that `bits` doesn't have, and more elements than `bytes` has. */
export function checkBits(bits: Uint8Array, bitOffset: number, bytes: Uint8Array, count: number): void {
  if (!Number.isSafeInteger(bitOffset) || bitOffset < 0 || !Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`${count} bits from bit ${bitOffset}: expected whole numbers from 0`);
  }
  if (bitOffset + count > bits.byteLength * 8 || count > bytes.byteLength) {
    throw new RangeError(
      `${count} bits from bit ${bitOffset} don't fit: there are ${
        bits.byteLength * 8
      } bits and ${bytes.byteLength} bytes`,
    );
  }
}

/** Refuses lists that can't be, and moves that the list doesn't have. */
export function checkBatch(moves: MoveList, first: number, count: number, fileOffset: number): void {
  const { kind, ndim, elementSize, swapUnit } = moves;
  if (!(Number.isInteger(ndim) && ndim >= 1 && ndim <= MAX_MOVE_AXES)) {
    throw new RangeError(`moves have ${ndim} axes, expected 1 to ${MAX_MOVE_AXES}`);
  }
  const bits = kind === "bits";
  const sizes = bits
    ? elementSize === 1 && swapUnit === 1
    : Number.isInteger(elementSize) && elementSize >= 1 && elementSize <= MAX_ELEMENT_BYTES &&
      (swapUnit === 1 ||
        ((swapUnit === 2 || swapUnit === 4 || swapUnit === 8) && elementSize % swapUnit === 0));
  if (!sizes) {
    throw new RangeError(`moves of ${kind} have elements of ${elementSize} bytes, swapped by ${swapUnit}`);
  }
  const last = first + count;
  const there = Math.min(moves.count, moves.data.length / moves.stride);
  if (!(Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 0 && last <= there)) {
    throw new RangeError(`moves ${first} to ${last} of a list of ${moves.count}`);
  }
  if (!Number.isSafeInteger(fileOffset) || fileOffset < 0) {
    throw new RangeError(`file offset is ${fileOffset}, expected a whole number from 0`);
  }
}

/** The error for move `index` of a list. */
export function badMove(moves: MoveList, index: number): RangeError {
  const numbers = Array.from(moves.data.subarray(index * moves.stride, (index + 1) * moves.stride));
  return new RangeError(
    `move ${index} leaves its buffers, or has more elements than its target: file offset ${numbers[0]}, ` +
      `array offset ${numbers[1]}, axes (count, file step, array step) ` +
      Array.from({ length: moves.ndim }, (_, a) => `(${numbers.slice(2 + 3 * a, 5 + 3 * a).join(", ")})`)
        .join(" "),
  );
}
