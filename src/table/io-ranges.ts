/**
 * Sums over the reads of a dry run: which ranges of a file are read, and how often each tile is.
 */
import type { DryFile } from "../io/dry-run.ts";

/** Tiles, buckets or other stretches of a file that hold values, and how often they are needed and read. */
export interface StretchCounts {
  /** How many are touched. */
  readonly count: number;
  /** Bytes of all of them. */
  readonly bytes: number;
  /** Times that values of one were asked for, altogether. */
  readonly asked: number;
  /** The most of one. */
  readonly mostAsked: number;
  /** Times that a byte of them is read, the mean; below 1 where parts of them are skipped. */
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

/** How often the stretches of a file are asked for and read. */
export function stretchCounts({ reads, stretches }: DryFile): StretchCounts {
  const sorted = [...stretches.values()].sort((a, b) => a.offset - b.offset);
  // Bytes read up to a place of the file: sums over the starts and the ends of all reads.
  const starts = Float64Array.from(reads, ({ offset }) => offset).sort();
  const ends = Float64Array.from(reads, ({ offset, length }) => offset + length).sort();
  const before = new Sums(starts), after = new Sums(ends);
  const readUpTo = (place: number) => before.below(place) - after.below(place);
  let bytes = 0, asked = 0, mostAsked = 0, read = 0, mostRead = 0;
  for (const stretch of sorted) {
    const { offset, length } = stretch;
    const brought = readUpTo(offset + length) - readUpTo(offset);
    bytes += length;
    read += brought;
    asked += stretch.asked;
    mostAsked = Math.max(mostAsked, stretch.asked);
    mostRead = Math.max(mostRead, length === 0 ? 0 : brought / length);
  }
  return {
    count: sorted.length,
    bytes,
    asked,
    mostAsked,
    meanRead: bytes === 0 ? 0 : read / bytes,
    mostRead,
  };
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
