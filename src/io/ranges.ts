/** Sets of ranges of bytes: ascending, none touching another. */

/** Bytes `start` to `end`, exclusive. */
export type Range = readonly [start: number, end: number];

/** Most zeros in one piece. */
const ZEROS_BYTES = 1024 * 1024;

/** Zeros for `start` to `end`, in pieces, each with where it goes. */
export function* zerosFor(start: number, end: number): Generator<[offset: number, zeros: Uint8Array]> {
  if (start >= end) return;
  const zeros = new Uint8Array(Math.min(ZEROS_BYTES, end - start));
  for (let at = start; at < end; at += zeros.length) yield [at, zeros.subarray(0, end - at)];
}

/** A set of bytes of a file. */
export class RangeSet {
  #ranges: Range[] = [];

  /** The ranges, ascending. */
  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** Index of the first range that ends at or after `offset`. */
  #find(offset: number): number {
    let lo = 0, hi = this.#ranges.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if (this.#ranges[middle]![1] >= offset) hi = middle;
      else lo = middle + 1;
    }
    return lo;
  }

  /** Takes a range in; those that touch it become one with it. */
  add(start: number, end: number): void {
    if (start >= end) return;
    const first = this.#find(start);
    let last = first, from = start, to = end;
    for (; last < this.#ranges.length && this.#ranges[last]![0] <= end; last++) {
      from = Math.min(from, this.#ranges[last]![0]);
      to = Math.max(to, this.#ranges[last]![1]);
    }
    this.#ranges.splice(first, last - first, [from, to]);
  }

  /** True when some of `start` to `end`, which is not empty, is in the set. */
  touches(start: number, end: number): boolean {
    const range = this.#ranges[this.#find(start + 1)];
    return range !== undefined && range[0] < end;
  }

  /** The parts of `start` to `end` in order, each with whether it is in the set. */
  *split(start: number, end: number): Generator<{ start: number; end: number; inside: boolean }> {
    let at = start;
    for (let i = this.#find(start); at < end; i++) {
      const range = this.#ranges[i];
      const from = range === undefined ? end : Math.min(end, Math.max(at, range[0]));
      if (from > at) yield { start: at, end: from, inside: false };
      if (range === undefined) return;
      const to = Math.min(end, range[1]);
      if (to > from) yield { start: from, end: to, inside: true };
      at = Math.max(at, to);
    }
  }
}
