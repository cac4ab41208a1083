/** skeleton */
import type { Backend } from "../../io/backend.ts";
import type { IngestCounters } from "../counters.ts";
import type { IngestRows } from "../log/columns.ts";
import type { VisibleRows } from "../log/index.ts";
import type { LogSet } from "../log/scan.ts";
import type { IngestSchema } from "../schema.ts";

/** When `append` resolves: at once, when a sync that others may share is done, or when one of its own is. */
export type Durability = "none" | "batch" | "each";

/** A log to which nothing is added any more, all of it on disk. */
export interface SealedLog {
  readonly id: number;
  readonly path: string;
  readonly firstSequence: number;
  readonly rows: number;
  /** Bytes of the file. */
  readonly bytes: number;
}

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
  /** Files are made and written through this; `direct` where it works, unless told otherwise. */
  readonly backend?: Backend;
  /** Logs that were there when the store was opened: visible until {@linkcode LogAppender.forgetLog}. */
  readonly recovered?: LogSet;
  /** Bytes of a write buffer; 4 MiB unless told otherwise. */
  readonly bufferBytes?: number;
  /** Full buffers that may wait for the disk before appends have to; 3 unless told otherwise. */
  readonly frozenBuffers?: number;
  /** `batch`: how long a write waits for more rows while the disk is idle; 0 unless told otherwise: it doesn't. */
  readonly groupMs?: number;
  /** `none`: how long rows stay in memory only; 100 unless told otherwise. */
  readonly flushMs?: number;
  /** From so many bytes on a log is full; 256 MiB unless told otherwise. */
  readonly logBytes?: number;
  /** Called with each log that was found full, when all of it is on disk. */
  readonly onLogFull: (log: SealedLog) => void;
  /** Called with failures that no append is told of (`none`). The next append or flush rejects with the same error, once. */
  readonly onError: (error: unknown) => void;
  readonly counters: IngestCounters;
}

/** Appends rows to logs. */
export class LogAppender {
  private constructor(_options: AppenderOptions) {}

  /** skeleton */
  static open(options: AppenderOptions): LogAppender {
    return new LogAppender(options);
  }

  /** Sequence number of the next row. */
  get nextSequence(): number {
    throw new Error("to come");
  }

  /** Appends rows; gives the sequence number of the first one. */
  append(_values: IngestRows): Promise<number> {
    throw new Error("to come");
  }

  /** All rows in logs and buffers that readers may see. */
  visible(): VisibleRows {
    throw new Error("to come");
  }

  /** Calls `listener` after rows became visible; the result ends that. */
  onVisible(_listener: () => void): () => void {
    throw new Error("to come");
  }

  /** Ends the log that is being written; null when it has no rows. `onLogFull` isn't called for it. */
  rotateLog(): Promise<SealedLog | null> {
    throw new Error("to come");
  }

  /** A log became a segment: it is no longer visible here, and its file goes. Who holds it can still read it. */
  forgetLog(_id: number): void {
    throw new Error("to come");
  }

  /** Resolves when all rows that were accepted before are on disk. */
  flush(): Promise<void> {
    throw new Error("to come");
  }

  /** Flushes, and closes the files. */
  close(): Promise<void> {
    throw new Error("to come");
  }
}
