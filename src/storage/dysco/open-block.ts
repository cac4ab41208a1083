/**
 * A block of one column whose values are in memory as they were given: it can be encoded any number of times without
 * losing more than once. Only what is decoded from the file has lost already.
 */
import type { Box } from "../../array/rows.ts";
import type { Part } from "./layout.ts";

/** Bytes of a value. */
const FLOAT_BYTES = 4;

/** Floats of a value of a column: a complex number has two. */
export function itemsOf(part: Part): 1 | 2 {
  return part.scaling === "weights" ? 1 : 2;
}

/** Floats of a cell. */
export function cellFloats(part: Part): number {
  return part.correlations * part.channels * itemsOf(part);
}

/** Values of a block. */
export class OpenBlock {
  readonly block: number;
  /** [correlations, channels, rows], complex as pairs. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Rows that have been given, here or in the file. */
  readonly #given: Uint8Array;
  readonly #part: Part;
  /** Rows of `#given` that are 1. */
  #count = 0;
  /** True when the file doesn't have these values. */
  changed = false;

  constructor(part: Part, block: number, rowsPerBlock: number) {
    this.block = block;
    this.#part = part;
    this.values = new Float32Array(cellFloats(part) * rowsPerBlock);
    this.#given = new Uint8Array(rowsPerBlock);
  }

  /** True when no row is missing. */
  get complete(): boolean {
    return this.#count === this.#given.length;
  }

  /** The values of the first `rows` rows. */
  bytes(rows: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.values.buffer, 0, rows * cellFloats(this.#part) * FLOAT_BYTES);
  }

  /** Notes that rows up to `end` (exclusive) have values. */
  give(start: number, end: number): void {
    for (let row = start; row < end; row++) {
      this.#count += 1 - this.#given[row]!;
      this.#given[row] = 1;
    }
  }

  /** Makes rows from `start` on zero. */
  forget(start: number): void {
    this.values.fill(0, start * cellFloats(this.#part));
    for (let row = start; row < this.#given.length; row++) {
      this.#count -= this.#given[row]!;
      this.#given[row] = 0;
    }
  }

  /** Puts cells of consecutive rows, or a box of each. */
  put(row: number, rows: number, box: Box | null, source: Uint8Array): void {
    this.give(row, row + rows);
    const cell = cellFloats(this.#part), items = itemsOf(this.#part);
    if (box === null) {
      new Uint8Array(this.values.buffer).set(source, row * cell * FLOAT_BYTES);
      return;
    }
    // Not every source is aligned.
    const values = new Float32Array(source.slice().buffer);
    const { start: [p0, c0], shape: [correlations, channels], step: [pStep, cStep] } = box as {
      start: [number, number];
      shape: [number, number];
      step: [number, number];
    };
    let from = 0;
    for (let r = row; r < row + rows; r++) {
      for (let c = 0; c < channels; c++) {
        let to = r * cell + ((c0 + c * cStep) * this.#part.correlations + p0) * items;
        for (let p = 0; p < correlations; p++, to += pStep * items) {
          for (let i = 0; i < items; i++) this.values[to + i] = values[from++]!;
        }
      }
    }
  }
}
