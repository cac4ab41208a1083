/** skeleton */
import type { SealedLog } from "../append/appender.ts";
import type { Deletion, Manifest, SegmentEntry } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";
import type { BloomFilter } from "./bloom.ts";
import type {
  CompactReport,
  CreateStoreOptions,
  HeldSegment,
  KeyValue,
  SegmentStoreOptions,
  StoreFinding,
} from "./types.ts";

/** The sealed part of a store: its manifest, its segments, and what is done to them in the background. */
export class SegmentStore {
  /** Makes the directory of a store with its template segment, manifest and concatenation. @throws TableError EXISTS, … */
  static create(_directory: string, _schema: IngestSchema, _options: CreateStoreOptions = {}): void {
    throw new Error("to come");
  }

  /** Opens a store. Mode rw: holds `ingest.lock`, repairs, removes orphans. @throws TableError NOT_FOUND, LOCKED, CORRUPT */
  static open(_directory: string, _options: SegmentStoreOptions): SegmentStore {
    throw new Error("to come");
  }

  /** What is in force. A new object with each publication. */
  get manifest(): Manifest {
    throw new Error("to come");
  }
  get schema(): IngestSchema {
    throw new Error("to come");
  }
  /** What was found on opening. */
  get findings(): readonly StoreFinding[] {
    throw new Error("to come");
  }
  /** Those of the manifest, and those that aren't published yet. */
  get deletions(): readonly Deletion[] {
    throw new Error("to come");
  }

  /**
   * Makes a segment of a log, in the background. Logs are sealed in the order of their ids, one after the other. After a
   * failure the promise rejects, the log stays what it is, and the same log may be given again.
   */
  seal(_log: SealedLog): Promise<SegmentEntry | null> {
    throw new Error("to come");
  }

  /** Rows with a value in [from, to) of the time column are left out from now on. Resolves when that is in the manifest. */
  deleteRange(_range: { column?: string; from: number; to: number; before: number }): Promise<void> {
    throw new Error("to come");
  }

  /** Merges now: what the policy says, or with `all` everything into one segment; carries deletions out, and retention. */
  compact(_options: { all?: boolean; signal?: AbortSignal } = {}): Promise<CompactReport> {
    throw new Error("to come");
  }

  /** Starts what the policy asks for, if nothing runs. Called after each seal. */
  maybeCompact(): void {
    throw new Error("to come");
  }

  /** Opens a segment, or takes one more hold of it. @throws TableError NOT_FOUND when it was removed: refresh, and try again */
  openSegment(_entry: SegmentEntry): HeldSegment {
    throw new Error("to come");
  }

  /** The filter of a segment's keys, null without one. Read once and kept while the segment is in the manifest. */
  bloom(_entry: SegmentEntry): BloomFilter | null {
    throw new Error("to come");
  }

  /** False when a segment can't hold a key: by the ranges of its columns, and by its filter. */
  mayHoldKey(_entry: SegmentEntry, _key: readonly KeyValue[]): boolean {
    throw new Error("to come");
  }

  /** Least and greatest value of the time column or a key column, as the table gives them; null where nothing is known. */
  range(_entry: SegmentEntry, _column: string): { min: KeyValue; max: KeyValue } | null {
    throw new Error("to come");
  }

  /** For readers: takes in a newer manifest; true when there was one. */
  refresh(): boolean {
    throw new Error("to come");
  }

  /** Waits for what runs (merges stop at their next batch), lets go of segments that nobody holds, and of the lock. */
  close(): Promise<void> {
    throw new Error("to come");
  }
}
