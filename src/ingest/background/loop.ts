/**
 * Carries jobs out, a step at a time: the most urgent first, and those of the same urgency in their order. Between steps the
 * event loop turns, so that what was asked for meanwhile is heard. A long merge thus holds nobody up for longer than a step.
 */
import { firstError } from "../../error.ts";
import { Throttle } from "../compaction/throttle.ts";
import type { Step } from "../segments/seal.ts";
import { type Job, jobSteps, type ResultOf, urgency } from "./jobs.ts";

/** Jobs run for so long before the event loop turns, in milliseconds. */
const TURN_MS = 5;
/** Longest pause of a job that keeps to a rate, in milliseconds: it may be stopped meanwhile. */
const PAUSE_MS = 100;

/** A job under way. */
interface Running {
  readonly job: Job;
  readonly steps: Generator<Step, unknown>;
  readonly throttle: Throttle;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** When it goes on, in milliseconds. */
  pausedUntil: number;
}

/** Jobs of one thread. */
export class JobLoop {
  readonly #jobs = new Map<number, Running>();
  #next = 0;
  #active = false;
  #wake: (() => void) | null = null;

  /** Takes a job on. @returns its number, with which it can be stopped, and what comes of it */
  start<J extends Job>(job: J): { readonly id: number; readonly result: Promise<ResultOf<J>> } {
    const id = this.#next++;
    const result = new Promise<ResultOf<J>>((resolve, reject) => {
      const rate = job.kind === "merge" || job.kind === "seal" ? job.bytesPerSecond : Infinity;
      this.#jobs.set(id, {
        job,
        steps: jobSteps(job),
        throttle: new Throttle(rate),
        resolve: resolve as (result: unknown) => void,
        reject,
        pausedUntil: 0,
      });
    });
    this.#wake?.();
    if (!this.#active) {
      this.#active = true;
      queueMicrotask(() => void this.#run());
    }
    return { id, result };
  }

  /** Ends a job before its next step: what it made is removed, and it rejects with `reason`. */
  stop(id: number, reason: unknown): void {
    const running = this.#jobs.get(id);
    if (running === undefined) return;
    this.#jobs.delete(id);
    try {
      running.steps.return(undefined);
    } finally {
      running.reject(reason);
    }
  }

  async #run(): Promise<void> {
    while (this.#jobs.size > 0) {
      const until = performance.now() + TURN_MS;
      let pause = 0;
      do {
        const now = performance.now(),
          ready = [...this.#jobs].filter(([, { pausedUntil }]) => pausedUntil <= now);
        if (ready.length === 0) {
          pause = Math.min(PAUSE_MS, ...[...this.#jobs.values()].map(({ pausedUntil }) => pausedUntil - now));
          break;
        }
        const [id, running] = ready.reduce((a, b) => urgency(b[1].job) > urgency(a[1].job) ? b : a);
        this.#step(id, running);
      } while (this.#jobs.size > 0 && performance.now() < until);
      if (this.#jobs.size > 0) await this.#turn(pause);
    }
    this.#active = false;
  }

  /** Lets the event loop turn; a pause ends early when a job comes. */
  async #turn(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  #step(id: number, running: Running): void {
    try {
      const { done, value } = running.steps.next();
      if (done) {
        this.#jobs.delete(id);
        running.resolve(value);
        return;
      }
      running.pausedUntil = performance.now() + running.throttle.did(value.read + value.written);
    } catch (error) {
      this.#jobs.delete(id);
      running.reject(firstError(error));
    }
  }
}
