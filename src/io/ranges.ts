/** Sets of ranges of bytes: ascending, none touching another. */

/** Bytes `start` to `end`, exclusive. */
export type Range = readonly [start: number, end: number];

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
