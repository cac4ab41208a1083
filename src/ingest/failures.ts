/**
 * Errors of what runs by itself: told to the one who asked to be told, thrown by the next call, and counted. Never lost.
 */
import type { IngestCounters } from "./counters.ts";

/** Errors that somebody has still to be told of. */
export class Failures {
  readonly #onError: ((error: Error) => void) | undefined;
  readonly #counters: IngestCounters;
  #pending: Error | null = null;

  constructor(counters: IngestCounters, onError: ((error: Error) => void) | undefined) {
    this.#counters = counters;
    this.#onError = onError;
  }

  /** Notes an error. `isCounted`: whoever reports it has counted it. */
  report(error: unknown, isCounted = false): void {
    const found = error instanceof Error ? error : new Error(String(error));
    if (!isCounted) this.#counters.add("backgroundErrors");
    // The first one is the cause, more often than not.
    this.#pending ??= found;
    this.#onError?.(found);
  }

  /** Throws what was reported since the last call. */
  throwPending(): void {
    const error = this.#pending;
    this.#pending = null;
    if (error !== null) throw error;
  }
}
