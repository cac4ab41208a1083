/**
 * How many entries of buckets refer to each array of an array file: format reference part 3, section A5.
 *
 * The count stands at the start of the record. casacore overwrites an array in place unless the count says that others
 * share it, so it must never be too low; where it is too high an array is put at the end that need not be.
 */
import { type Plan, readRanges } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";

/** Bytes of a count. */
const COUNT_BYTES = 4;

/** Counts that are changed in one step. */
const STEP_COUNTS = 4096;

/** Changes of counts that are not in the file yet. */
export class References {
  readonly #changes = new Map<number, number>();

  /** Entries with this offset came (more than 0) or went. */
  change(offset: number, by: number): void {
    if (offset === 0) return;
    const sum = (this.#changes.get(offset) ?? 0) + by;
    if (sum === 0) this.#changes.delete(offset);
    else this.#changes.set(offset, sum);
  }

  /** A new array, whose record says 1 although no entry refers to it yet. */
  made(offset: number): void {
    this.change(offset, -1);
  }

  /** Forgets all: the arrays are no more. */
  clear(): void {
    this.#changes.clear();
  }

  /** True if there is something to write. */
  get dirty(): boolean {
    return this.#changes.size > 0;
  }

  /** Plan: how many entries refer to each of these arrays, none of which is 0. */
  *counts(file: ArrayFile, offsets: readonly number[]): Plan<number[]> {
    yield* file.settle();
    const counts = yield* readCounts(file, offsets);
    return counts.map((count, i) => count + (this.#changes.get(offsets[i]!) ?? 0));
  }

  /** Plan: brings the counts into the file. */
  *settle(file: ArrayFile): Plan<void> {
    if (file.version === 0) this.clear();
    if (this.#changes.size === 0) return;
    yield* file.settle();
    const offsets = [...this.#changes.keys()].sort((a, b) => a - b);
    for (let first = 0; first < offsets.length; first += STEP_COUNTS) {
      const part = offsets.slice(first, first + STEP_COUNTS);
      for (const offset of part) file.checkOffset(offset);
      const counts = yield* readCounts(file, part);
      for (const [i, offset] of part.entries()) {
        const change = this.#changes.get(offset)!, before = counts[i]!;
        // casacore leaves counts that are too low: one that grows says 2 at least, and none gets less than 1.
        const after = Math.min(2 ** 32 - 1, Math.max(change > 0 ? 2 : 1, before + change));
        if (after === before) continue;
        const bytes = new Uint8Array(COUNT_BYTES);
        new DataView(bytes.buffer).setUint32(0, after, !file.bigEndian);
        yield { kind: "write", file: file.file, offset, bytes };
      }
    }
    this.#changes.clear();
  }
}

/** Plan: what the records at some offsets say, each of which was checked. */
export function* readCounts(file: ArrayFile, offsets: readonly number[]): Plan<number[]> {
  const counts: number[] = [];
  for (let first = 0; first < offsets.length; first += STEP_COUNTS) {
    const part = yield* readRanges(
      offsets.slice(first, first + STEP_COUNTS).map((offset) => ({
        file: file.file,
        offset,
        length: COUNT_BYTES,
      })),
    );
    for (const bytes of part) {
      counts.push(new DataView(bytes.buffer, bytes.byteOffset, COUNT_BYTES).getUint32(0, !file.bigEndian));
    }
  }
  return counts;
}
