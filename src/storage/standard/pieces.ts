/**
 * Where the rows of a selection stand: format reference part 2, section 2.5. A piece is a stretch of selected rows that
 * lie side by side in one data bucket.
 */
import type { Rows } from "../../array/rows.ts";
import type { SsmIndex } from "./ssm-index.ts";

/** Doubles that a piece takes. */
const WIDTH = 4;

/** Pieces that a list has room for at first: V8 keeps arrays of up to 64 bytes in its own heap, which is much faster. */
const FIRST_PIECES = 2;

/** Pieces in ascending order of bucket and slot; of pieces with equal rows, the later in the selection comes later. */
export class Pieces {
  #data = new Float64Array(FIRST_PIECES * WIDTH);
  #count = 0;
  #ascending = true;

  /** Number of pieces. */
  get count(): number {
    return this.#count;
  }

  /** Bucket of a piece. */
  bucket(i: number): number {
    return this.#data[i * WIDTH]!;
  }

  /** Its first row within the bucket. */
  slot(i: number): number {
    return this.#data[i * WIDTH + 1]!;
  }

  /** Its number of rows. */
  rows(i: number): number {
    return this.#data[i * WIDTH + 2]!;
  }

  /** Position of its first row in the selection. */
  index(i: number): number {
    return this.#data[i * WIDTH + 3]!;
  }

  /** True when a row occurs more than once. */
  get repeats(): boolean {
    for (let i = 1; i < this.#count; i++) {
      if (this.bucket(i) === this.bucket(i - 1) && this.slot(i) < this.slot(i - 1) + this.rows(i - 1)) {
        return true;
      }
    }
    return false;
  }

  #push(bucket: number, slot: number, rows: number, index: number): void {
    const at = this.#count * WIDTH;
    if (at === this.#data.length) {
      const grown = new Float64Array(2 * at);
      grown.set(this.#data);
      this.#data = grown;
    }
    const data = this.#data;
    if (at > 0) {
      const before = data[at - WIDTH]!, slotBefore = data[at - WIDTH + 1]!;
      this.#ascending &&= bucket > before ||
        (bucket === before && (slot > slotBefore || (slot === slotBefore && index > data[at - WIDTH + 3]!)));
    }
    data[at] = bucket;
    data[at + 1] = slot;
    data[at + 2] = rows;
    data[at + 3] = index;
    this.#count++;
  }

  #sort(): void {
    if (this.#ascending) return;
    const data = this.#data;
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i);
    order.sort((a, b) =>
      data[a * WIDTH]! - data[b * WIDTH]! || data[a * WIDTH + 1]! - data[b * WIDTH + 1]! ||
      data[a * WIDTH + 3]! - data[b * WIDTH + 3]!
    );
    const sorted = new Float64Array(this.#count * WIDTH);
    order.forEach((from, to) => sorted.set(data.subarray(from * WIDTH, (from + 1) * WIDTH), to * WIDTH));
    this.#data = sorted;
    this.#ascending = true;
  }

  /** Slots `slot` to `slot + rows` of one bucket, whether the index knows them or not. */
  static slots(bucket: number, slot: number, rows: number): Pieces {
    const pieces = new Pieces();
    pieces.#push(bucket, slot, rows, 0);
    return pieces;
  }

  /** Finds the rows in an index. `beyond` is called for a row that isn't there, and throws. */
  static of(rows: Rows, index: SsmIndex, beyond: (row: number) => never): Pieces {
    const pieces = new Pieces();
    const { rows: known } = index;
    let entry = 0;
    const runs = rows.length === 1 ? [{ row: rows.at(0), count: 1, index: 0 }] : rows.runs();
    for (const run of runs) {
      const end = run.row + run.count;
      if (end > known) beyond(end - 1);
      for (let row = run.row; row < end;) {
        entry = index.find(row, entry);
        const first = index.firstRow(entry);
        const count = Math.min(end, index.endRow(entry)) - row;
        pieces.#push(index.bucket(entry), row - first, count, run.index + (row - run.row));
        row += count;
      }
    }
    pieces.#sort();
    return pieces.repeats ? pieces.#split() : pieces;
  }

  /** One piece a row: where pieces overlap, only so the later value of each row comes later. */
  #split(): Pieces {
    const split = new Pieces();
    for (let i = 0; i < this.#count; i++) {
      for (let k = 0; k < this.rows(i); k++) {
        split.#push(this.bucket(i), this.slot(i) + k, 1, this.index(i) + k);
      }
    }
    split.#sort();
    return split;
  }
}
