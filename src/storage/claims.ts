/**
 * Which bytes of a file belong to what: ranges are claimed one by one, and those that overlap are found at the end.
 */

/** Ranges that a list has room for at first. */
const FIRST_CLAIMS = 4;
/** Numbers kept of a claim: start, length, owner. */
const STRIDE = 3;

/** Two claims on the same bytes, by the numbers of their owners. */
export interface Overlap {
  readonly first: number;
  readonly second: number;
  /** Where the second begins. */
  readonly offset: number;
}

/** Claims of ranges. A claim takes 24 bytes of memory. */
export class Claims {
  #data = new Float64Array(FIRST_CLAIMS * STRIDE);
  #count = 0;

  /** Number of claims. */
  get count(): number {
    return this.#count;
  }

  /** Claims `length` bytes from `start` for `owner`. Nothing is claimed by a length of 0. */
  add(start: number, length: number, owner: number): void {
    if (length <= 0) return;
    const at = this.#count * STRIDE;
    if (at === this.#data.length) {
      const grown = new Float64Array(2 * at);
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data[at] = start;
    this.#data[at + 1] = length;
    this.#data[at + 2] = owner;
    this.#count++;
  }

  /** Takes back all claims but the first `count`. */
  forget(count: number): void {
    this.#count = Math.min(count, this.#count);
  }

  /**
   * Claims that begin before an earlier one ends, in ascending order of where.
   *
   * @param shared True: claims of the very same range are one claim.
   */
  *overlaps(shared = false): Generator<Overlap> {
    const data = this.#data;
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i);
    order.sort((a, b) =>
      data[a * STRIDE]! - data[b * STRIDE]! || data[a * STRIDE + 1]! - data[b * STRIDE + 1]! || a - b
    );
    let end = -1, holder = -1;
    for (const claim of order) {
      const start = data[claim * STRIDE]!, length = data[claim * STRIDE + 1]!;
      const same = shared && holder >= 0 && data[holder * STRIDE] === start &&
        data[holder * STRIDE + 1] === length;
      if (same) continue;
      if (start < end) {
        yield { first: data[holder * STRIDE + 2]!, second: data[claim * STRIDE + 2]!, offset: start };
      }
      if (start + length > end) {
        end = start + length;
        holder = claim;
      }
    }
  }
}
