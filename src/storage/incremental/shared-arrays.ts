/**
 * The array file of some columns, and who refers to its arrays: format reference part 3, sections A4 to A6.
 */
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import type { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { StoredValue } from "./open-bucket.ts";
import { References } from "./references.ts";

/** Bytes of an offset in a bucket. */
const OFFSET_BYTES = 8;

const WORD = 2 ** 32;

/** An array file that is written. */
export class SharedArrays {
  readonly file: LazyArrayFile;
  readonly references = new References();
  readonly #bigEndian: boolean;
  /**
   * Arrays from here on were put by this manager, so that their counts are right; casacore's may be too low.
   * Infinite until the file was opened.
   */
  #ownFrom = Infinity;

  constructor(file: LazyArrayFile, bigEndian: boolean) {
    this.file = file;
    this.#bigEndian = bigEndian;
  }

  /** True if there may be arrays that can be overwritten where they stand. */
  mayOverwrite(arrays: ArrayFile): boolean {
    if (arrays.version === 0) return false;
    if (this.#ownFrom === Infinity) this.#ownFrom = arrays.length;
    return arrays.length > this.#ownFrom;
  }

  /** True for an array whose count is to be trusted. */
  isOurs(offset: number): boolean {
    return offset >= this.#ownFrom && offset > 0;
  }

  /** An offset as buckets keep it. */
  stored(offset: number): StoredValue {
    const bytes = new Uint8Array(OFFSET_BYTES), view = new DataView(bytes.buffer), little = !this.#bigEndian;
    view.setUint32(little ? 0 : 4, offset % WORD, little);
    view.setUint32(little ? 4 : 0, Math.floor(offset / WORD), little);
    return { bytes, at: 0, length: OFFSET_BYTES };
  }

  /** The offset that a bucket keeps. */
  offsetIn({ bytes, at }: StoredValue): number {
    const little = !this.#bigEndian;
    const word = (i: number) =>
      little
        ? ((bytes[i + 3]! << 24) | (bytes[i + 2]! << 16) | (bytes[i + 1]! << 8) | bytes[i]!) >>> 0
        : ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0;
    return word(little ? at : at + 4) + WORD * word(little ? at + 4 : at);
  }

  /** Plan: makes the file anew, without arrays. */
  *create(): Plan<void> {
    this.references.clear();
    const arrays = yield* this.file.create(1);
    this.#ownFrom = arrays.length;
  }

  /** Plan: brings arrays and counts into the file. */
  *settle(): Plan<void> {
    if (this.references.dirty) yield* this.references.settle(yield* this.file.open());
    yield* this.file.opened?.settle() ?? [];
  }
}
