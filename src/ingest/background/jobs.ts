/**
 * What is done in the background: jobs and their results, which are plain data, since they go to another thread and back.
 *
 * | job | what it does | urgent |
 * | --- | --- | --- |
 * | `publish` | puts a manifest in force | yes: others wait for it |
 * | `seal` | makes a segment of a log | yes |
 * | `merge` | makes a segment of several | no: it goes on when nothing else is to be done |
 * | `remove` | removes segments that nobody reads | no |
 */
import { TableError, type TableErrorCode } from "../../error.ts";
import type { Merged, MergeJob } from "../compaction/merge.ts";
import { mergeSteps } from "../compaction/merge.ts";
import type { BuiltSegment } from "../segments/build.ts";
import { publish, type Published, type PublishJob } from "../segments/publish.ts";
import { type Removed, type RemoveJob, removeSegments } from "../segments/remove.ts";
import { type SealJob, sealSteps, type Step } from "../segments/seal.ts";

/** Something to be done. */
export type Job = SealJob | MergeJob | PublishJob | RemoveJob;

/** What comes of a job, by its kind. */
export interface JobResults {
  readonly seal: BuiltSegment;
  readonly merge: Merged;
  readonly publish: Published;
  readonly remove: Removed;
}

/** The result of a job of that type. */
export type ResultOf<J extends Job> = JobResults[J["kind"]];

/** Jobs with a higher number are done first. */
export function urgency({ kind }: Job): number {
  return kind === "publish" ? 3 : kind === "seal" ? 2 : kind === "remove" ? 1 : 0;
}

/** Carries a job out, step by step. Who doesn't go on to the end returns. @throws TableError */
export function* jobSteps(job: Job): Generator<Step, JobResults[Job["kind"]]> {
  switch (job.kind) {
    case "seal":
      return yield* sealSteps(job);
    case "merge":
      return yield* mergeSteps(job);
    case "publish":
      return publish(job);
    case "remove":
      return removeSegments(job);
  }
}

/** An error on its way between threads. */
export interface PlainError {
  readonly code: TableErrorCode | null;
  readonly message: string;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly errno: number | undefined;
}

/** An error as plain data. */
export function plainError(error: unknown): PlainError {
  if (error instanceof TableError) {
    const { code, reason: message, file, offset, errno } = error;
    return { code, message, file, offset, errno };
  }
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return { code: null, message, file: undefined, offset: undefined, errno: undefined };
}

/** The error again. */
export function errorOf({ code, message, file, offset, errno }: PlainError): Error {
  return code === null ? new Error(message) : new TableError(code, message, { file, offset, errno });
}
