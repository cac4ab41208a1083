/**
 * What the parts of a store's sealed side say to each other, and to those who use it.
 */
import type { TableError } from "../../error.ts";
import type { Context } from "../../io/context.ts";
import type { IoName } from "../../io/backend.ts";
import type { Finding } from "../../storage/findings.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import type { Table } from "../../table/table.ts";
import type { SealedLog } from "../append/appender.ts";
import type { IngestCounters } from "../counters.ts";
import type { Manifest, SegmentEntry } from "../manifest/format.ts";

/** A value of a key column. */
export type KeyValue = number | bigint | string | boolean;

/** When segments are merged, and into what. */
export interface CompactionOptions {
  /** A level holds segments that are this many times as large as those of the one before; 10. Most inputs of a merge are twice that. */
  readonly fanOut: number;
  /** Fewest segments of a level that are merged; 4. */
  readonly minSegments: number;
  /** Segments below this many bytes are of the lowest level; 64 MiB. */
  readonly segmentBytes: number;
  /** Larger segments aren't made; without limit unless told otherwise. */
  readonly maxSegmentBytes: number;
  /** Bytes a second, read and written together, that merges keep to; without limit unless told otherwise. */
  readonly bytesPerSecond: number;
  /** Managers of merged segments; those of the store unless told otherwise. */
  readonly storage: readonly StorageSpec[] | undefined;
  /** Memory for the values of a batch, in bytes; 32 MiB. */
  readonly batchBytes: number;
  /** Most rows that a merge orders or looks for keys in at once: it takes about 40 bytes of memory each; 8 million. */
  readonly maxIndexRows: number;
  /** False: only {@linkcode SegmentStore.compact} merges. */
  readonly automatic: boolean;
}

/** What is dropped without being asked for: whole segments, the oldest first. */
export interface RetentionOptions {
  /** Most bytes of all segments. */
  readonly maxBytes?: number;
  /** Segments whose newest rows were sealed longer ago, in milliseconds. */
  readonly maxAgeMs?: number;
}

/** Backends by what they are used for. */
export interface SegmentIo {
  /** Files that are sealed. */
  readonly seal?: IoName | "auto";
  /** Segments that are merged. */
  readonly merge?: IoName | "auto";
  /** Segments that are read. */
  readonly read?: IoName | "auto";
}

/** How a store's sealed part is opened. */
export interface SegmentStoreOptions {
  readonly mode: "r" | "rw";
  /** Where files are made: in a worker (default), or by this thread, between its turns. */
  readonly runner?: "worker" | "inline";
  /** With `runner: "inline"`: cache and faults. */
  readonly context?: Context;
  readonly io?: SegmentIo;
  readonly compaction?: Partial<CompactionOptions>;
  readonly retention?: RetentionOptions;
  /** Bytes a second, read and written together, that seals keep to: a disk that takes logs as fast as it can has none to spare. */
  readonly sealBytesPerSecond?: number;
  /** How long a segment that was replaced stays for those who have just read its name, in milliseconds; 10,000. */
  readonly graceMs?: number;
  /** "none": nobody makes sure that only one process writes; needed where the C library is missing. */
  readonly lock?: "auto" | "none";
  readonly counters?: IngestCounters;
  /** Errors of what runs by itself. */
  readonly onError?: (error: TableError) => void;
  /** A log is a segment now: called in the same synchronous stretch in which {@linkcode SegmentStore.manifest} changes. */
  readonly onSealed?: (log: SealedLog, entry: SegmentEntry | null) => void;
  /** No manifest needs the log any more: its file may go. */
  readonly onForget?: (log: SealedLog) => void;
  /** A new manifest is in force. */
  readonly onPublished?: (manifest: Manifest) => void;
}

/** How a store is made. */
export interface CreateStoreOptions {
  /** A table whose keywords, column keywords, type and subtables the store takes. */
  readonly template?: string;
  /** Called with the template segment, open for writing, before anything else sees it: for keywords and subtables. */
  readonly prepare?: (template: Table) => void;
  readonly context?: Context;
  readonly io?: IoName | "auto";
  /** "none" where the C library is missing. */
  readonly lock?: "auto" | "none";
}

/** A segment that is open, and can't be removed until it is let go. */
export interface HeldSegment extends Disposable {
  readonly entry: SegmentEntry;
  /** Shared with others who hold it: never closed by its users. */
  readonly table: Table;
  /** Once is enough. */
  release(): void;
}

/** What {@linkcode SegmentStore.compact} did. */
export interface CompactReport {
  /** Merges that were made, and segments written anew or dropped. */
  readonly merges: number;
  /** Rows that went in. */
  readonly rowsIn: number;
  /** Rows that came out. */
  readonly rowsOut: number;
  /** Bytes that were read. */
  readonly bytesRead: number;
  /** Bytes that were written. */
  readonly bytesWritten: number;
}

/** What was found on opening, and what was done about it. */
export type StoreFinding = Finding;
