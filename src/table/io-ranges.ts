/**
 * Sums over the reads of a dry run: which ranges of a file are read, and how often each tile is.
 */
import type { DryFile } from "../io/dry-run.ts";
import type { BucketGrid } from "../storage/manager.ts";

/** Tiles or buckets of a file, and how often they are needed and read. */
export interface BucketCounts {
  /** How many there are. */
  readonly count: number;
  /** How many hold something that is asked for. */
  readonly touched: number;
  /** Bytes of those. */
  readonly bytes: number;
  /** Times that something in one was asked for, altogether. */
  readonly asked: number;
  /** The most of one. */
  readonly mostAsked: number;
  /** Times that a byte of those touched is read, the mean; below 1 where parts of them are skipped. */
  readonly meanRead: number;
  /** The most of one, as the mean over its bytes. */
  readonly mostRead: number;
}

/** Ranges of the file that are read at all, ascending; those that touch or overlap are one. */
export function readsOf({ reads }: DryFile): [start: number, end: number][] {
  const sorted = reads.filter(({ length }) => length > 0).sort((a, b) => a.offset - b.offset);
  const ranges: [number, number][] = [];
  for (const { offset, length } of sorted) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && offset <= last[1]) last[1] = Math.max(last[1], offset + length);
    else ranges.push([offset, offset + length]);
  }
  return ranges;
}

/** How often the buckets of a file are asked for and read. */
export function bucketCounts({ reads, asked }: DryFile, grids: readonly BucketGrid[]): BucketCounts {
  // Bytes read up to a place of the file: sums over the starts and the ends of all reads.
  const starts = new Sums(Float64Array.from(reads, ({ offset }) => offset).sort());
  const ends = new Sums(Float64Array.from(reads, ({ offset, length }) => offset + length).sort());
  const readUpTo = (place: number) => starts.below(place) - ends.below(place);
  const sums = { count: 0, touched: 0, bytes: 0, asked: 0, mostAsked: 0, mostRead: 0 };
  let read = 0;
  for (const { offset, bucketBytes, count } of grids) {
    sums.count += count;
    for (const [bucket, times] of timesAsked(asked, offset, bucketBytes, count)) {
      const start = offset + bucket * bucketBytes;
      const brought = readUpTo(start + bucketBytes) - readUpTo(start);
      sums.touched++;
      sums.bytes += bucketBytes;
      sums.asked += times;
      sums.mostAsked = Math.max(sums.mostAsked, times);
      sums.mostRead = Math.max(sums.mostRead, brought / bucketBytes);
      read += brought;
    }
  }
  return { ...sums, meanRead: sums.bytes === 0 ? 0 : read / sums.bytes };
}

/** How often each bucket of a grid lies in what was asked for; those that never do are left out. */
function timesAsked(
  asked: readonly number[],
  offset: number,
  bytes: number,
  count: number,
): Map<number, number> {
  const times = new Map<number, number>();
  for (let i = 0; i < asked.length; i += 2) {
    const from = asked[i]! - offset, to = asked[i + 1]! - offset;
    if (to <= 0 || to <= from) continue;
    const last = Math.min(count - 1, Math.floor((to - 1) / bytes));
    for (let bucket = Math.max(0, Math.floor(from / bytes)); bucket <= last; bucket++) {
      times.set(bucket, (times.get(bucket) ?? 0) + 1);
    }
  }
  return times;
}

/** For places in ascending order: the sum of what a later place lies beyond each of them. */
class Sums {
  readonly #places: Float64Array;
  readonly #totals: Float64Array;

  constructor(places: Float64Array) {
    this.#places = places;
    this.#totals = new Float64Array(places.length + 1);
    for (let i = 0; i < places.length; i++) this.#totals[i + 1] = this.#totals[i]! + places[i]!;
  }

  /** Sum of `place - p` over the places p below `place`. */
  below(place: number): number {
    let lo = 0, hi = this.#places.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if (this.#places[middle]! < place) lo = middle + 1;
      else hi = middle;
    }
    return place * lo - this.#totals[lo]!;
  }
}
