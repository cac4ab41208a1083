/**
 * Cutting a batch of moves into extents: stretches of a file that are read or written in one piece. Neighbours are
 * joined when the bytes between them cost less than another system call would.
 */
import type { Extent } from "../../io/plan.ts";

/** Bytes that are rather read (and, in a scatter, written back) than skipped: about what a page holds. */
export const MAX_GAP_BYTES = 4096;

/** Joined extents grow up to this. One move alone may be longer. */
export const MAX_EXTENT_BYTES = 1 << 20;

/** Collects the extents of a move list while its moves are pushed, in ascending order of their first byte. */
export class ExtentBuilder {
  readonly extents: Extent[] = [];
  readonly #maxGap: number;
  readonly #maxLength: number;
  #begin = 0;
  #end = 0;
  #firstMove = 0;
  #moves = 0;

  constructor(maxGap = MAX_GAP_BYTES, maxLength = MAX_EXTENT_BYTES) {
    this.#maxGap = maxGap;
    this.#maxLength = maxLength;
  }

  /** Tells of the next move: it touches the file's bytes `begin` to `end`. Overlapping moves share an extent. */
  add(begin: number, end: number): void {
    const overlaps = begin < this.#end;
    const near = begin - this.#end <= this.#maxGap && end - this.#begin <= this.#maxLength;
    if (this.#moves > 0 && !overlaps && !near) this.#close();
    if (this.#moves === 0) {
      this.#begin = begin;
      this.#end = end;
    } else this.#end = Math.max(this.#end, end);
    this.#moves++;
  }

  /** The extents of all moves told of. */
  finish(): Extent[] {
    if (this.#moves > 0) this.#close();
    return this.extents;
  }

  #close(): void {
    this.extents.push({
      offset: this.#begin,
      length: this.#end - this.#begin,
      firstMove: this.#firstMove,
      moveCount: this.#moves,
    });
    this.#firstMove += this.#moves;
    this.#moves = 0;
  }
}
