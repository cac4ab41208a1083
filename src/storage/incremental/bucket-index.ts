/**
 * Which bucket holds which rows, as it changes: buckets are split, emptied, and get rows behind the last one.
 * Format reference part 3, sections A2 and A7.
 */
import type { BucketIndex } from "./header.ts";

/** The index in memory. */
export class RowIndex implements BucketIndex {
  /** Buckets in use. */
  used: number;
  #starts: number[];
  #buckets: number[];

  /** @param index What was read, which may have longer lists than it uses. */
  constructor({ used, starts, buckets }: BucketIndex) {
    this.used = used;
    this.#starts = starts.slice(0, used + 1);
    this.#buckets = buckets.slice(0, used);
  }

  /** The index of a table without rows: one bucket, with number 0. */
  static empty(): RowIndex {
    return new RowIndex({ used: 1, starts: [0, 0], buckets: [0] });
  }

  get starts(): readonly number[] {
    return this.#starts;
  }

  get buckets(): readonly number[] {
    return this.#buckets;
  }

  /** Number of rows. */
  get rowCount(): number {
    return this.#starts[this.used]!;
  }

  /** Number of rows in the bucket at `position`. */
  rows(position: number): number {
    return this.#starts[position + 1]! - this.#starts[position]!;
  }

  /** Position of the bucket that holds `row`; `hint`: where to look first. */
  find(row: number, hint = 0): number {
    const starts = this.#starts, { used } = this;
    for (let j = hint; j < Math.min(hint + 2, used); j++) {
      if (starts[j]! <= row && row < starts[j + 1]!) return j;
    }
    let low = 0, high = used;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= row) low = middle;
      else high = middle;
    }
    return low;
  }

  /** First position whose bucket starts at `row` or behind it; `used` if there is none. */
  firstFrom(row: number): number {
    if (row <= 0) return 0;
    return this.find(row - 1) + 1;
  }

  /** Adds rows behind the last. */
  extend(rows: number): void {
    this.#starts[this.used]! += rows;
  }

  /** Puts a bucket behind that at `position`; its rows start at `start`. */
  insert(position: number, start: number, bucket: number): void {
    this.#starts.splice(position + 1, 0, start);
    this.#buckets.splice(position + 1, 0, bucket);
    this.used++;
  }

  /** Replaces all of it. */
  replace(starts: number[], buckets: number[]): void {
    this.#starts = starts;
    this.#buckets = buckets;
    this.used = buckets.length;
  }
}
