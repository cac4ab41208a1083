/** Which rows are removed, and where the others go. */
import type { Rows } from "../../array/rows.ts";

/** Rows that are removed; they ascend and are distinct. */
export class Removal {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  /** How many of them come before `row`. */
  before(row: number): number {
    let low = 0, high = this.#rows.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#rows.at(middle) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The new number of a row, undefined if it is removed itself. */
  moved(row: number): number | undefined {
    const before = this.before(row);
    return before < this.#rows.length && this.#rows.at(before) === row ? undefined : row - before;
  }
}
