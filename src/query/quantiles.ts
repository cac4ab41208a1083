/**
 * Quantiles of a stream of numbers in bounded memory: exact up to a number of values, from then on within a bound that is
 * known and told.
 *
 * The summary keeps levels of sorted buffers; a value at level h stands for 2^h values. A full level is sorted, and every
 * second value goes up a level, once those at odd places, once those at even ones. That moves the rank of any value by at
 * most 2^h for a pass at level h; the sum of all passes is the bound. (Manku, Rajagopalan, Lindsay: Approximate medians and
 * other quantiles in one pass and with limited memory, SIGMOD 1998.) There is no chance in it: the same values in the same
 * order give the same answer.
 */

/** Values that are kept before the first pass: so many are exact. */
export const EXACT_VALUES = 65536;

/** One level: values that stand for 2^level values each. */
interface Level {
  readonly values: Float64Array;
  used: number;
  /** Which places go up the next time. */
  odd: boolean;
}

/** A summary of numbers that tells quantiles. */
export class Quantiles {
  readonly #capacity: number;
  readonly #levels: Level[] = [];
  #count = 0;
  /** The most that the rank of a value may be off, so far. */
  #slack = 0;

  /** A summary that is exact up to `capacity` values. */
  constructor(capacity = EXACT_VALUES) {
    this.#capacity = Math.max(2, capacity - capacity % 2);
  }

  /** Number of values. */
  get count(): number {
    return this.#count;
  }

  /** The most that a quantile's rank may be off, as a fraction of the number of values: 0 while all values are kept. */
  get error(): number {
    return this.#count === 0 ? 0 : this.#slack / this.#count;
  }

  /** Takes numbers in; none of them is NaN. */
  add(values: Float64Array): void {
    this.#count += values.length;
    for (let at = 0; at < values.length;) {
      const level = this.#level(0);
      const n = Math.min(values.length - at, level.values.length - level.used);
      level.values.set(values.subarray(at, at + n), level.used);
      level.used += n;
      at += n;
      this.#settle(0);
    }
  }

  /** The level, with room for so many more: it grows as that is needed, since most summaries are of few values. */
  #level(height: number, room = 1): Level {
    let level = this.#levels[height];
    if (level === undefined) {
      level = { values: new Float64Array(Math.min(256, this.#capacity)), used: 0, odd: false };
      this.#levels[height] = level;
    }
    if (level.used + room > level.values.length) {
      const values = new Float64Array(Math.min(this.#capacity, Math.max(level.used + room, level.used * 4)));
      values.set(level.values);
      level = { ...level, values };
      this.#levels[height] = level;
    }
    return level;
  }

  /** Sends half of a full level up. */
  #settle(height: number): void {
    const level = this.#levels[height]!;
    if (level.used < this.#capacity) return;
    // Above the lowest level there are two halves that are sorted by themselves.
    if (height === 0) level.values.sort();
    else this.#merge(level.values);
    const above = this.#level(height + 1, this.#capacity / 2), from = above.used;
    for (let i = level.odd ? 1 : 0, at = from; i < this.#capacity; i += 2) {
      above.values[at++] = level.values[i]!;
    }
    above.used = from + this.#capacity / 2;
    level.odd = !level.odd;
    level.used = 0;
    this.#slack += 2 ** height;
    this.#settle(height + 1);
  }

  /** Sorts values whose two halves are sorted. */
  #merge(values: Float64Array): void {
    const half = this.#capacity / 2, left = values.slice(0, half);
    // What is taken from the right half lies at or behind the place that is written.
    for (let at = 0, i = 0, k = half; i < half; at++) {
      values[at] = k < this.#capacity && values[k]! < left[i]! ? values[k++]! : left[i++]!;
    }
  }

  /** The values at these fractions of all values, from 0 to 1, interpolated between neighbours; NaN when there are none. */
  at(fractions: readonly number[]): number[] {
    const parts = this.#levels.flatMap(({ values, used }, height) =>
      Array.from(values.subarray(0, used), (value) => ({ value, weight: 2 ** height }))
    ).sort((a, b) => a.value - b.value);
    const total = parts.reduce((sum, { weight }) => sum + weight, 0);
    const valueAt = (rank: number): number => {
      let before = 0;
      for (const { value, weight } of parts) {
        before += weight;
        if (rank < before) return value;
      }
      return parts.at(-1)?.value ?? NaN;
    };
    return fractions.map((fraction) => {
      if (parts.length === 0) return NaN;
      const rank = fraction * (total - 1);
      const low = valueAt(Math.floor(rank));
      const high = valueAt(Math.ceil(rank));
      // Two infinities have nothing between them.
      return low === high ? low : low + (high - low) * (rank - Math.floor(rank));
    });
  }
}
