/**
 * Where the rows of one log are: a list of its blocks, in which a sequence number is found by halving.
 */
import type { GrowingBlock } from "./block.ts";

/**
 * The first blocks of a log's list. The list only grows, so what is made of it stays as it is while more blocks are
 * added behind; one more block, a part of a buffer that is being filled, may follow.
 */
export class BlockIndex {
  /** Number of the log. */
  readonly log: number;
  /** Path of the log's file. */
  readonly path: string;
  /** Sequence number of the log's first row. */
  readonly firstSequence: number;
  /** Blocks. */
  readonly count: number;
  readonly #list: readonly GrowingBlock[];
  readonly #last: GrowingBlock | null;

  constructor(
    log: number,
    path: string,
    firstSequence: number,
    list: readonly GrowingBlock[],
    last: GrowingBlock | null = null,
    count = list.length,
  ) {
    this.log = log;
    this.path = path;
    this.firstSequence = firstSequence;
    this.#list = list;
    this.#last = last;
    this.count = count + (last === null ? 0 : 1);
  }

  /** Block `index`, from 0. */
  at(index: number): GrowingBlock {
    return index === this.count - 1 && this.#last !== null ? this.#last : this.#list[index]!;
  }

  /** The blocks in order, as a new array. */
  get blocks(): readonly GrowingBlock[] {
    return Array.from({ length: this.count }, (_, i) => this.at(i));
  }

  /** The sequence number behind the last row. */
  get endSequence(): number {
    if (this.count === 0) return this.firstSequence;
    const { firstSequence, rows } = this.at(this.count - 1);
    return firstSequence + rows;
  }

  /** Rows. */
  get rows(): number {
    return this.endSequence - this.firstSequence;
  }

  /** Number of the block that holds a row; -1 for a row that isn't in this log. Takes O(log n) steps. */
  find(sequence: number): number {
    if (!(sequence >= this.firstSequence && sequence < this.endSequence)) return -1;
    let low = 0, high = this.count - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.at(middle).firstSequence <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Keeps the log's file open until {@linkcode release}. */
  hold(): void {
    if (this.count > 0) this.at(0).hold();
  }

  /** Ends a {@linkcode hold}. */
  release(): void {
    if (this.count > 0) this.at(0).release();
  }
}

/** Rows of logs and buffers, ascending and without gaps. What is listed stays as it is whatever happens after. */
export interface VisibleRows {
  /** Sequence number of the first row; where there is none, of the next one to come. */
  readonly firstSequence: number;
  readonly rows: number;
  /** In order of their numbers. */
  readonly logs: readonly BlockIndex[];
}
