/** skeleton */
import type { Backend } from "../../io/backend.ts";
import type { Finding } from "../../storage/findings.ts";
import type { IngestSchema } from "../schema.ts";
import type { BlockIndex, VisibleRows } from "./index.ts";

/** What {@linkcode scanLogs} is told. */
export interface ScanOptions {
  /** The folder of the logs. */
  readonly directory: string;
  readonly schema: IngestSchema;
  /** The store's id: 32 hexadecimal digits. */
  readonly storeId: string;
  /** Number of the first log that is no segment yet. */
  readonly firstLog: number;
  /** Sequence number of that log's first row. */
  readonly nextSequence: number;
  readonly backend: Backend;
  /** `recover`: for the one that writes; cuts torn tails, removes what is left over. `read`: changes nothing. */
  readonly mode: "recover" | "read";
}

/** The logs of a store as they are on disk. */
export interface LogSet {
  /** In order of their numbers; a log without rows isn't listed. */
  readonly logs: readonly BlockIndex[];
  /** Sequence number of the next row. */
  readonly nextSequence: number;
  /** Number for the next log. */
  readonly nextLog: number;
  /** What was odd: notes for what a crash leaves, others for damage. */
  readonly findings: readonly Finding[];
  /** Rows of the logs, as {@linkcode LogAppender.visible} gives them. */
  visible(): VisibleRows;
  /**
   * For readers: takes in what was appended since, logs that were begun since, and lets go of logs before `firstLog`.
   * True when something is different now.
   *
   * @throws TableError NOT_FOUND when a log went meanwhile: the manifest is to be read anew; CORRUPT, IO
   */
  refresh(firstLog: number, nextSequence: number): boolean;
  /** Lets go of the files, but for those that somebody holds. */
  close(): void;
}

/** skeleton */
export function scanLogs(_options: ScanOptions): LogSet {
  throw new Error("to come");
}
