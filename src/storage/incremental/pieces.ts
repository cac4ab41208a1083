/**
 * A selection of rows taken apart at bucket ends, in the order of the buckets, so that every bucket is read once
 * whatever the order in which rows are asked.
 */
import type { Rows } from "../../array/rows.ts";
import type { BucketIndex } from "./header.ts";

/** Numbers kept of a piece. */
const STRIDE = 4;

/** Stretches of consecutive rows within a bucket. */
export class Pieces {
  /** Number of pieces. */
  count = 0;
  readonly #data: number[] = [];
  /** Pieces in the order of their buckets, where that is not the order in which they came. */
  #order: Uint32Array | null = null;

  /**
   * @param outside Called with the first row that the index doesn't have.
   */
  constructor(rows: Rows, index: BucketIndex, outside: (row: number) => never) {
    const total = index.starts[index.used]!;
    let bucket = 0, sorted = true, previous = -1;
    for (const run of rows.runs()) {
      let row = run.row, left = run.count, at = run.index;
      if (row + left > total) outside(Math.max(row, total));
      if (row < previous) sorted = false;
      previous = row + left - 1;
      while (left > 0) {
        bucket = bucketOf(index, row, bucket);
        const count = Math.min(left, index.starts[bucket + 1]! - row);
        this.#push(bucket, row - index.starts[bucket]!, count, at);
        row += count;
        at += count;
        left -= count;
      }
    }
    if (!sorted) this.#sort();
  }

  #push(bucket: number, first: number, count: number, at: number): void {
    this.#data.push(bucket, first, count, at);
    this.count++;
  }

  #sort(): void {
    const data = this.#data;
    const order = new Uint32Array(this.count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    this.#order = order.sort((a, b) =>
      data[a * STRIDE]! - data[b * STRIDE]! || data[a * STRIDE + 1]! - data[b * STRIDE + 1]! || a - b
    );
  }

  #at(i: number): number {
    return (this.#order === null ? i : this.#order[i]!) * STRIDE;
  }

  /** Position in the index of the bucket of piece `i`; ascending with `i`. */
  bucket(i: number): number {
    return this.#data[this.#at(i)]!;
  }
  /** First row, relative to the bucket's first. */
  first(i: number): number {
    return this.#data[this.#at(i) + 1]!;
  }
  /** Number of rows. */
  rows(i: number): number {
    return this.#data[this.#at(i) + 2]!;
  }
  /** Position of the first row in the selection. */
  at(i: number): number {
    return this.#data[this.#at(i) + 3]!;
  }
}

/** Position in the index of the bucket that holds a row, which there is; `hint`: where to look first. */
function bucketOf(index: BucketIndex, row: number, hint: number): number {
  const { starts, used } = index;
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
