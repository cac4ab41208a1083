/**
 * A limit of bytes a second. What is done is noted afterwards; how long to wait follows from it.
 */

/** Work that may be done in one go before any waiting, in seconds of it: short pauses wake up late. */
const BURST_SECONDS = 0.05;

/** Keeps work to a rate. */
export class Throttle {
  readonly #bytesPerSecond: number;
  readonly #now: () => number;
  /** When the work that was noted would be done at the rate, in milliseconds. */
  #due = -Infinity;

  /** @param now Milliseconds, from anywhere */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#now = now;
  }

  /** Notes work; milliseconds to wait before going on. */
  did(bytes: number): number {
    if (this.#bytesPerSecond === Infinity) return 0;
    const now = this.#now();
    // Time in which nothing was done is lost, but for a moment.
    this.#due = Math.max(this.#due, now - BURST_SECONDS * 1000) + bytes / this.#bytesPerSecond * 1000;
    return Math.max(0, this.#due - now);
  }
}
