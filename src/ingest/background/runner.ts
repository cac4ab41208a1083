/**
 * Where a store's jobs run: in a thread of their own, so that nobody who appends or reads waits for them; or in this one,
 * between its turns, as tests do which put faults below them.
 */
import { TableError } from "../../error.ts";
import { errorOf, type Job, type PlainError, type ResultOf } from "./jobs.ts";
import { JobLoop } from "./loop.ts";
import type { Reply, Request } from "./worker.ts";

/** Carries jobs out. */
export interface Runner {
  /**
   * Carries a job out. `signal` stops it: nothing is left of it then.
   *
   * @throws TableError of the job; CLOSED when it was stopped
   */
  run<J extends Job>(job: J, signal?: AbortSignal): Promise<ResultOf<J>>;
  /** Jobs that run are to be stopped before. */
  close(): Promise<void>;
}

function stopped(): TableError {
  return new TableError("CLOSED", "the job was stopped: the store closes");
}

/** Runs jobs in this thread. */
export class InlineRunner implements Runner {
  readonly #loop = new JobLoop();

  async run<J extends Job>(job: J, signal?: AbortSignal): Promise<ResultOf<J>> {
    if (signal?.aborted) throw stopped();
    const { id, result } = this.#loop.start(job);
    const stop = () => this.#loop.stop(id, stopped());
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await result;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** True where there are workers: Node has none of this kind. */
export function haveWorkers(): boolean {
  return typeof (globalThis as { Worker?: unknown }).Worker === "function";
}

/** The worker's module, in the sources or in a package made of them. */
const WORKER = import.meta.url.endsWith(".js") ? "./worker.js" : "./worker.ts";

/** A job that the worker has. */
interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs jobs in a worker. It is begun at once: that takes some 20 ms of this thread, which nobody who appends should wait for
 * later.
 */
export class WorkerRunner implements Runner {
  #worker: Worker | null;
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #closed = false;

  constructor() {
    this.#worker = this.#begin();
  }

  async run<J extends Job>(job: J, signal?: AbortSignal): Promise<ResultOf<J>> {
    if (this.#closed || signal?.aborted) throw stopped();
    const worker = this.#worker ??= this.#begin(), id = this.#next++;
    const result = new Promise<ResultOf<J>>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    });
    // A context has files and caches of this thread: it can't go to another.
    worker.postMessage({ kind: "start", id, job: { ...job, context: undefined } } satisfies Request);
    const stop = () => worker.postMessage({ kind: "stop", id } satisfies Request);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      return await result;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  #begin(): Worker {
    const worker = new Worker(new URL(WORKER, import.meta.url), { type: "module", name: "ingest" });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new TableError("IO", `the store's worker ended: ${event.message}`));
    };
    return worker;
  }

  #hear(reply: Reply): void {
    if (reply.kind === "ready") return;
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === "failed") pending?.reject(errorOf(reply.error));
    else pending?.resolve(withError(reply.result, reply.error) as never);
  }

  /** The worker is gone: the next job begins another. */
  #fail(error: TableError): void {
    this.#worker?.terminate();
    this.#worker = null;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.#closed = true;
    this.#fail(stopped());
  }
}

function withError(result: unknown, error: PlainError | null): unknown {
  return error === null ? result : { ...result as object, error: errorOf(error) };
}
