/**
 * How an appender is set: what it writes to, and sizes and times.
 */
import { TableError } from "../../error.ts";
import type { Backend } from "../../io/backend.ts";
import type { IngestCounters } from "../counters.ts";
import type { LogSet } from "../log/scan.ts";
import type { IngestSchema } from "../schema.ts";
import type { SealedLog } from "./growing-log.ts";

/** When `append` resolves: at once, when a sync that others may share is done, or when one of its own is. */
export type Durability = "none" | "batch" | "each";

/** What {@linkcode LogAppender.open} is told. */
export interface AppenderOptions {
  /** The folder of the logs; it is there. */
  readonly directory: string;
  readonly schema: IngestSchema;
  /** The store's id: 32 hexadecimal digits. */
  readonly storeId: string;
  readonly durability: Durability;
  /** Number of the log that is begun with the first row: one more than that of any log there is. */
  readonly nextLog: number;
  /** Sequence number of the first row. */
  readonly nextSequence: number;
  /** Files are made and written through this; `direct` where the C library is there, else `node`, unless told otherwise. */
  readonly backend?: Backend;
  /** Logs that were there when the store was opened: visible until {@linkcode LogAppender.forgetLog}. */
  readonly recovered?: LogSet;
  /** Bytes of a write buffer; 4 MiB and 64 KiB unless told otherwise. */
  readonly bufferBytes?: number;
  /** Full buffers that may wait for the disk before appends have to; 3 unless told otherwise. */
  readonly frozenBuffers?: number;
  /** `batch`: how long a write waits for more rows while the disk is idle, in milliseconds; 0 unless told otherwise. */
  readonly groupMs?: number;
  /** `none`: how long rows stay in memory only, in milliseconds; 100 unless told otherwise. */
  readonly flushMs?: number;
  /** `none`: how long until a write that failed is tried again, in milliseconds, if no call does it before; 1000. */
  readonly retryMs?: number;
  /** From so many bytes on a log is full; 256 MiB unless told otherwise. */
  readonly logBytes?: number;
  /** Bytes of a block of the log; 4096 unless told otherwise. */
  readonly blockBytes?: number;
  /** Called with each log that was found full, when all of it is on disk. */
  readonly onLogFull: (log: SealedLog) => void;
  /** Called with failures that no append is told of (`none`). The next append or flush rejects with the same error, once. */
  readonly onError: (error: unknown) => void;
  readonly counters: IngestCounters;
}

/** Bytes of a write buffer unless told otherwise: four rows of 1 MiB with their headers. */
export const BUFFER_BYTES: number = 4 * 2 ** 20 + 2 ** 16;
/** Bytes from which a log is full unless told otherwise. */
export const LOG_BYTES: number = 256 * 2 ** 20;
/** Full buffers that may be on their way unless told otherwise. */
export const FROZEN_BUFFERS = 3;
/** Times unless told otherwise, in milliseconds. */
export const FLUSH_MS = 100, RETRY_MS = 1000;

/** A number of an option. @throws TableError INVALID_ARGUMENT unless it is whole and in its range */
export function wholeOption(
  name: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new TableError("INVALID_ARGUMENT", `expected ${name} of ${least} to ${most}, found ${value}`);
}
