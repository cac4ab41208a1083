/**
 * The array file of some columns, and who refers to its arrays: format reference part 3, sections A4 to A6.
 */
import { rowRange } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { ARRAY_HEADER_BYTES } from "../arrayfile/header.ts";
import type { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { BucketFile } from "./bucket-file.ts";
import type { StoredValue } from "./open-bucket.ts";
import { readValues } from "./reading.ts";
import { readCounts, References } from "./references.ts";
import { OffsetSink } from "./sinks.ts";

/** Bytes of an offset in a bucket. */
const OFFSET_BYTES = 8;

const WORD = 2 ** 32;

/** Buckets of so many bytes in all are gone through in order to overwrite an array instead of adding one. */
const FEW_BYTES = 4 * 1024 * 1024;
/** Part of the rows from which on it is worth while whatever there is to go through. */
const MANY_ROWS = 1 / 8;

/** An array file that is written. */
export class SharedArrays {
  readonly file: LazyArrayFile;
  readonly references = new References();
  /** Numbers of the columns that keep their arrays there. */
  readonly columns: number[] = [];
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

  /**
   * Plan: true if there may be arrays that can be overwritten where they stand, now that `rows` rows get others. Where it
   * is worth while, the counts of arrays that were there before are put right.
   */
  *mayOverwrite(arrays: ArrayFile, file: BucketFile, rows: number): Plan<boolean> {
    if (arrays.version === 0) return false;
    if (this.#ownFrom === Infinity) this.#ownFrom = arrays.length;
    const few = file.index.used * file.bucketBytes <= FEW_BYTES || rows >= file.rowCount * MANY_ROWS;
    if (few && this.#ownFrom > ARRAY_HEADER_BYTES) yield* this.#putRight(arrays, file);
    return arrays.length > this.#ownFrom;
  }

  /** Plan: makes every array say how many entries refer to it, at least. */
  *#putRight(arrays: ArrayFile, file: BucketFile): Plan<void> {
    const users = new Map<number, number>();
    for (const column of this.columns) {
      const sink = new OffsetSink();
      yield* readValues(file, column, rowRange(0, file.rowCount), sink);
      for (const { offset } of sink.found) if (offset !== 0) users.set(offset, (users.get(offset) ?? 0) + 1);
    }
    yield* this.references.settle(arrays);
    const shared = [...users.keys()].filter((offset) => users.get(offset)! > 1);
    for (const offset of shared) arrays.checkOffset(offset);
    const counts = yield* readCounts(arrays, shared);
    shared.forEach((offset, i) =>
      this.references.change(offset, Math.max(0, users.get(offset)! - counts[i]!))
    );
    this.#ownFrom = ARRAY_HEADER_BYTES;
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
