/**
 * The other end of a {@linkcode WorkerRunner}: a thread that carries out the jobs of one store.
 */
import { TableError } from "../../error.ts";
import type { Published } from "../segments/publish.ts";
import type { Removed } from "../segments/remove.ts";
import { type Job, type PlainError, plainError } from "./jobs.ts";
import { JobLoop } from "./loop.ts";

/** What a worker is told. */
export type Request =
  | { readonly kind: "start"; readonly id: number; readonly job: Job }
  | { readonly kind: "stop"; readonly id: number };

/** What it says. Errors within results are plain, too. */
export type Reply =
  | { readonly kind: "ready" }
  | {
    readonly kind: "done";
    readonly id: number;
    readonly result: unknown;
    readonly error: PlainError | null;
  }
  | { readonly kind: "failed"; readonly id: number; readonly error: PlainError };

/** The part of a worker's global scope that is used here. */
interface Scope {
  onmessage: ((event: { readonly data: Request }) => void) | null;
  postMessage(reply: Reply): void;
}

/** True in a worker: tests import this module, too. */
function isWorker(scope: unknown): scope is Scope {
  return typeof (globalThis as { WorkerGlobalScope?: unknown }).WorkerGlobalScope !== "undefined" &&
    scope !== null;
}

function serve(scope: Scope): void {
  const loop = new JobLoop(), numbers = new Map<number, number>();
  scope.onmessage = ({ data }) => {
    const { id } = data;
    if (data.kind === "stop") {
      const number = numbers.get(id);
      if (number !== undefined) loop.stop(number, new TableError("CLOSED", "the job was stopped"));
      return;
    }
    const { id: number, result } = loop.start(data.job);
    numbers.set(id, number);
    result.then((value) => {
      const found = data.job.kind === "publish" || data.job.kind === "remove"
        ? (value as Published | Removed).error
        : null;
      const plain = found === null ? value : { ...value as object, error: null };
      scope.postMessage({
        kind: "done",
        id,
        result: plain,
        error: found === null ? null : plainError(found),
      });
    }, (error) => scope.postMessage({ kind: "failed", id, error: plainError(error) }))
      .finally(() => numbers.delete(id));
  };
  scope.postMessage({ kind: "ready" });
}

const scope: unknown = globalThis;
if (isWorker(scope)) serve(scope);
