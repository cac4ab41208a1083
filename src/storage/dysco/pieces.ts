/**
 * A selection of rows taken apart at the ends of blocks, and put into the order of the file, so that every block is read
 * once whatever the order in which rows are asked.
 */
import type { Rows } from "../../array/rows.ts";

/** Numbers kept of a piece. */
const STRIDE = 3;

/** Stretches of consecutive rows within a block, ascending. */
export class Pieces {
  /** Number of pieces. */
  count = 0;
  #data: Float64Array;
  /** Pieces in the order of their rows, where that is not the order in which they came. */
  #order: Uint32Array | null = null;

  constructor(rows: Rows, rowsPerBlock: number) {
    // A typed array of a few numbers is cheap, and a cell is one piece.
    this.#data = new Float64Array(Math.min(rows.length, 8) * STRIDE);
    if (rows.length === 1) {
      this.#push(rows.at(0), 1, 0);
      return;
    }
    let sorted = true, previous = -1;
    for (const run of rows.runs()) {
      let { row, index } = run;
      const end = row + run.count;
      if (row < previous) sorted = false;
      previous = row;
      while (row < end) {
        const count = Math.min(end - row, rowsPerBlock - row % rowsPerBlock);
        this.#push(row, count, index);
        row += count;
        index += count;
      }
    }
    if (!sorted) this.#sort();
  }

  #push(row: number, count: number, index: number): void {
    const place = this.count * STRIDE;
    if (place === this.#data.length) {
      const grown = new Float64Array(this.#data.length * 2);
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data[place] = row;
    this.#data[place + 1] = count;
    this.#data[place + 2] = index;
    this.count++;
  }

  #sort(): void {
    const data = this.#data;
    const order = new Uint32Array(this.count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    this.#order = order.sort((a, b) => data[a * STRIDE]! - data[b * STRIDE]! || a - b);
  }

  #at(i: number): number {
    return (this.#order === null ? i : this.#order[i]!) * STRIDE;
  }

  /** First row of piece `i`; ascending with `i`. */
  row(i: number): number {
    return this.#data[this.#at(i)]!;
  }
  /** Number of rows. */
  rows(i: number): number {
    return this.#data[this.#at(i) + 1]!;
  }
  /** Position of the first row in the selection. */
  index(i: number): number {
    return this.#data[this.#at(i) + 2]!;
  }
}
