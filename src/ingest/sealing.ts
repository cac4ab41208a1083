/**
 * Full logs on their way to becoming segments: one after the other, in the order of their numbers, tried again until it
 * works.
 */
import type { SealedLog } from "./append/appender.ts";
import type { Failures } from "./failures.ts";

/** The first time that is waited after a failure, and the longest: it doubles from one to the next. */
const FIRST_WAIT_MS = 500, LAST_WAIT_MS = 60_000;

/** What a queue does to each log. */
export type Seal = (log: SealedLog) => Promise<unknown>;

/** Logs that wait. */
export class SealQueue {
  readonly #seal: Seal;
  readonly #failures: Failures;
  readonly #logs: SealedLog[] = [];
  #running: Promise<void> | null = null;
  #current: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wait = FIRST_WAIT_MS;
  #closed = false;

  constructor(seal: Seal, failures: Failures) {
    this.#seal = seal;
    this.#failures = failures;
  }

  /** Logs that are no segment yet. */
  get length(): number {
    return this.#logs.length;
  }

  /** Adds a log. Failures are reported, and it is tried again later. */
  add(log: SealedLog): void {
    this.#logs.push(log);
    this.#start();
  }

  /** Resolves when no log waits. @throws what kept the first of them from becoming a segment just now */
  async drain(): Promise<void> {
    while (this.#logs.length > 0) await this.#next();
  }

  /** Starts nothing more, and resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#current?.catch(() => {});
  }

  #start(): void {
    if (this.#running !== null || this.#closed) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => this.#running = null);
  }

  async #run(): Promise<void> {
    while (this.#logs.length > 0 && !this.#closed) {
      try {
        await this.#next();
        this.#wait = FIRST_WAIT_MS;
      } catch (error) {
        if (this.#closed) return;
        this.#failures.report(error);
        this.#timer = setTimeout(() => this.#start(), this.#wait);
        this.#wait = Math.min(LAST_WAIT_MS, this.#wait * 2);
        return;
      }
    }
  }

  /** The first log becomes a segment. Whoever asks while it does waits for the same. */
  #next(): Promise<void> {
    return this.#current ??= this.#first().finally(() => this.#current = null);
  }

  async #first(): Promise<void> {
    await this.#seal(this.#logs[0]!);
    this.#logs.shift();
  }
}
