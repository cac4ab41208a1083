/**
 * Lanes: how many pieces of one request are under way on other threads at a time. Two keep two cores busy, and more
 * would take them from everybody else.
 */

/** Jobs that may be under way at once. */
export const LANES = 2;

/** Runs jobs, at most {@linkcode LANES} at a time, in the order in which they were started. */
export class Lanes {
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** Jobs under way. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Starts a job as soon as there is room. It goes on when this returns; {@linkcode drain} waits for it.
   *
   * @throws what an earlier job threw; this one isn't started then
   */
  async start(job: () => Promise<void>): Promise<void> {
    while (this.#running.size >= LANES && this.#failure === undefined) await Promise.race(this.#running);
    if (this.#failure !== undefined) await this.drain();
    const run = (async () => {
      try {
        await job();
      } catch (error) {
        this.#failure ??= { error };
      }
    })();
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  /** Waits until no job is under way. @throws what the first job that failed threw, once */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }
}
