/**
 * How a store is opened.
 */
import type { Backend, IoName } from "../io/backend.ts";
import type { Context } from "../io/context.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { ColumnSpec } from "../table/specs.ts";
import type { Table } from "../table/table.ts";
import type { Durability } from "./append/appender.ts";
import type { CompactionOptions, RetentionOptions } from "./segments/types.ts";

/** Options of `IngestStore.open`. What makes a store is needed, and looked at, only when it isn't there yet. */
export interface IngestOptions {
  /** "rw" (the default): append, seal and compact; one process at a time. "r": read, as many as like. */
  readonly mode?: "r" | "rw";

  /** Columns of a new store. With an existing one they must be the store's. Left out: those of `template`. */
  readonly columns?: readonly ColumnSpec[];
  /** Storage managers of a new store's segments, as `Table.create` takes them. */
  readonly storage?: readonly StorageSpec[];
  /** Scalar columns that together name a row: of rows with the same key the newest counts. */
  readonly key?: string | readonly string[];
  /** Scalar column with the time of a row; `TIME` if there is one, unless told otherwise. */
  readonly time?: string;
  /** Scalar columns by which merged segments are sorted; left out: rows stay in the order of arrival. */
  readonly sort?: readonly string[];
  /** A table, such as an empty MeasurementSet, of which a new store takes keywords, subtables and type. */
  readonly template?: string;
  /** Called with the table that has a new store's keywords and subtables, before anybody else sees it. */
  readonly prepare?: (template: Table) => void;

  /**
   * When `append` resolves. "batch" (the default): when the rows are on the disk, by a sync that appends of the same few
   * milliseconds share. "each": the same, by a sync of their own. "none": at once; the process's death loses what is not
   * written yet, which is at most `flushMs` old.
   */
  readonly durability?: Durability;
  /** "batch": how long a write waits for more rows while the disk is idle, in milliseconds; 0 unless told otherwise. */
  readonly groupMs?: number;
  /** "none": how long rows stay in memory only, in milliseconds; 100 unless told otherwise. */
  readonly flushMs?: number;
  /** Bytes of a write buffer; 4 MiB unless told otherwise. */
  readonly bufferBytes?: number;
  /** A log of so many bytes becomes a segment; 256 MiB unless told otherwise. */
  readonly logBytes?: number;

  /** When segments are merged, and into what. False: only when {@linkcode IngestStore.compact} is called. */
  readonly compaction?: Partial<CompactionOptions> | false;
  /** What is dropped without being asked for. */
  readonly retention?: RetentionOptions;
  /** How long a segment that was replaced stays for programs that have just read its name, in milliseconds; 10,000. */
  readonly graceMs?: number;
  /** Where segments are made: in a worker (default), or by this thread, between its turns. */
  readonly background?: "worker" | "inline";
  /**
   * Errors of what runs by itself: sealing, merging, writing rows that nobody waits for. The next call throws them, too.
   * Without it they are only thrown and counted.
   */
  readonly onError?: (error: Error) => void;

  /** How logs are written: "direct" where the file system takes it, unless told otherwise. */
  readonly io?: IoName | "auto";
  /** "none": nobody makes sure that only one process writes; needed where the C library is missing. */
  readonly lock?: "auto" | "none";
  /** Readers: how often it is looked whether there are new rows while a tail waits, in milliseconds; 2 unless told otherwise. */
  readonly pollMs?: number;
  /**
   * Cache and faults of tests, with `background: "inline"`.
   * @internal
   */
  readonly context?: Context;
  /**
   * What logs are written through, for tests.
   * @internal
   */
  readonly backend?: Backend;
}
