/**
 * Moves: the one form in which a storage manager says how elements get from a file to an array and back.
 *
 * A move is an N-dimensional box, first axis fastest. It is kept as doubles, so that a whole batch crosses into
 * the C library as one pointer and offsets stay exact up to 2^53:
 *
 * | doubles | meaning |
 * | --- | --- |
 * | 0 | offset in the file: bytes; bits (byte × 8 + bit) for `bits` lists |
 * | 1 | offset in the array: elements |
 * | 2 + 3a | number of elements on axis a |
 * | 3 + 3a | distance between neighbours on axis a in the file: elements; bits for `bits` lists |
 * | 4 + 3a | distance between neighbours on axis a in the array: elements |
 */

/** `bytes`: elements of whole bytes. `bits`: one bit an element in the file (least significant first), one byte in the array. */
export type MoveKind = "bytes" | "bits";

/** A batch of boxes of one element type and one number of axes. */
export class MoveList {
  readonly kind: MoveKind;
  /** Axes of every box, at least 1. */
  readonly ndim: number;
  /** Bytes of an element in the array: 1 for `bits`. */
  readonly elementSize: number;
  /** Bytes reversed together on the way: 1 when the byte orders agree. */
  readonly swapUnit: number;
  /** Doubles a move. */
  readonly stride: number;
  /** Moves so far. */
  count = 0;
  #data: Float64Array<ArrayBuffer>;

  constructor(kind: MoveKind, ndim: number, elementSize: number, swapUnit: number, capacity = 16) {
    this.kind = kind;
    this.ndim = ndim;
    this.elementSize = elementSize;
    this.swapUnit = swapUnit;
    this.stride = 2 + 3 * ndim;
    this.#data = new Float64Array(capacity * this.stride);
  }

  /** The moves as doubles; only the first `count × stride` are meaningful. Valid until the next push. */
  get data(): Float64Array<ArrayBuffer> {
    return this.#data;
  }

  /** Appends a box. The three axis lists have `ndim` entries each. */
  push(
    fileOffset: number,
    arrayOffset: number,
    shape: readonly number[],
    fileStrides: readonly number[],
    arrayStrides: readonly number[],
  ): void {
    const need = (this.count + 1) * this.stride;
    if (need > this.#data.length) {
      const grown = new Float64Array(Math.max(need, this.#data.length * 2));
      grown.set(this.#data);
      this.#data = grown;
    }
    const data = this.#data;
    let at = this.count * this.stride;
    data[at++] = fileOffset;
    data[at++] = arrayOffset;
    for (let a = 0; a < this.ndim; a++) {
      data[at++] = shape[a]!;
      data[at++] = fileStrides[a]!;
      data[at++] = arrayStrides[a]!;
    }
    this.count++;
  }
}
