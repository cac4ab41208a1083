/**
 * A live store: rows are appended, can be read at once, and become segments of a casacore table.
 */
import type { RecordBatch } from "apache-arrow";
import { TableError } from "../error.ts";
import type { Finding } from "../storage/findings.ts";
import type { Table } from "../table/table.ts";
import { IngestCounters, type IngestSnapshot } from "./counters.ts";
import { Follower } from "./follower.ts";
import type { IngestRows } from "./log/columns.ts";
import { ingestMetrics } from "./metrics.ts";
import type { IngestOptions } from "./options.ts";
import { isRecordBatch, rowsOfArrow } from "./rows.ts";
import type { IngestSchema } from "./schema.ts";
import type { CompactReport } from "./segments/types.ts";
import type { Manifest } from "./manifest/format.ts";
import type { IngestBatch } from "./view/batches.ts";
import { type IngestRow, type KeyValue, Lookup } from "./view/lookup.ts";
import { scan, type ScanOptions, tail, type TailOptions } from "./view/scan.ts";
import { snapshotOf } from "./view/snapshot.ts";
import { Writer } from "./writer.ts";

/** How often a snapshot is begun anew because a segment went while it was made. */
const MAX_TRIES = 100;

/**
 * An open store. Its directory is a casacore table: the concatenation of the segments that are sealed; the newest rows are in
 * logs beside them. docs/ingest-store.md has the layout.
 *
 * @example
 * ```ts
 * import { array, scalar } from "@tessera/tables";
 * import { IngestStore } from "@tessera/tables/ingest";
 * await using store = IngestStore.open("live.ms", {
 *   columns: [scalar("TIME", "float64", { unit: "s" }), array("DATA", "complex64", { shape: [4, 64] })],
 * });
 * const first = await store.append({ TIME: Float64Array.of(1, 2), DATA: new Float32Array(2 * 4 * 64 * 2) });
 * console.log(first, store.rowCount); // 0 2
 * ```
 */
export class IngestStore {
  readonly #writer: Writer | null;
  readonly #view: Writer | Follower;
  readonly #counters: IngestCounters;
  readonly #lookup: Lookup;
  /** Appends of record batches that are being converted: others wait behind them. */
  #converting: Promise<unknown> | null = null;
  #closing: Promise<void> | null = null;

  private constructor(path: string, options: IngestOptions) {
    this.#counters = new IngestCounters();
    const { mode = "rw" } = options;
    if (mode !== "r" && mode !== "rw") {
      throw new TableError("INVALID_ARGUMENT", `mode is "r" or "rw", found ${JSON.stringify(mode)}`);
    }
    this.#writer = mode === "rw" ? Writer.open(path, options, this.#counters) : null;
    this.#view = this.#writer ?? new Follower(path, options, this.#counters);
    this.#lookup = new Lookup(this.#view);
  }

  /**
   * Opens a store; with `mode: "rw"` makes it when there is none, replays its logs and clears away what a crash has left
   * ({@linkcode findings} says what that was).
   *
   * @throws TableError NOT_FOUND for no store to read; INVALID_ARGUMENT for options that make none; EXISTS when something else
   * is there; LOCKED while another process writes; CORRUPT when neither manifest can be read; UNSUPPORTED, IO
   */
  static open(path: string, options: IngestOptions = {}): IngestStore {
    return new IngestStore(path, options);
  }

  /** Absolute path of the store's directory. */
  get path(): string {
    return this.#view.path;
  }

  /** The columns and what they are for. */
  get schema(): IngestSchema {
    return this.#view.schema;
  }

  /** What opening found and put right, and damage that it could not. */
  get findings(): readonly Finding[] {
    return this.#view.findings;
  }

  /** Visible rows, those included that a deletion leaves out and no merge has dropped. */
  get rowCount(): number {
    const { manifest, visible } = this.#open().state();
    const growing = visible.firstSequence + visible.rows -
      Math.max(manifest.nextSequence, visible.firstSequence);
    return manifest.segments.reduce((sum, { rows }) => sum + rows, 0) + Math.max(0, growing);
  }

  /** Sequence number behind the last visible row: the place from which a tail goes on. */
  get nextSequence(): number {
    const { visible } = this.#open().state();
    return visible.firstSequence + visible.rows;
  }

  /** Segments, deletions and the history of merges as they are now. */
  get manifest(): Manifest {
    return this.#open().state().manifest;
  }

  /** Counts, and histograms of durations. A frozen copy. */
  get stats(): IngestSnapshot {
    return this.#counters.snapshot();
  }

  /** The counts as OpenMetrics text, every sample with these labels. */
  openMetrics(labels: Readonly<Record<string, string>> = {}): string {
    return ingestMetrics(this.stats, labels);
  }

  /**
   * Appends rows: values by column, as `Table.append` takes them, or an Arrow record batch. Resolves with the sequence number
   * of the first row when the rows are as durable as the store was opened for; they are visible then. Rows of an append that
   * rejects are not in the store. What is given must not be changed until the promise settles.
   *
   * @throws TableError READ_ONLY; NO_SUCH_COLUMN, TYPE_MISMATCH, SHAPE_MISMATCH for values that don't fit, and the store is as
   * it was; IO when the disk fails; what failed in the background since the last call
   */
  append(rows: IngestRows | RecordBatch): Promise<number> {
    // Not async: rows take their place in the order of the calls.
    try {
      const writer = this.#writing();
      writer.failures.throwPending();
      if (this.#converting === null && !isRecordBatch(rows)) return writer.append(rows);
      const before = this.#converting;
      const appended = (async () => {
        const columns = isRecordBatch(rows) ? await rowsOfArrow(rows) : rows;
        await before;
        return { sequence: writer.append(columns) };
      })();
      const converted = this.#converting = appended.then(() => {}, () => {});
      void converted.then(() => {
        if (this.#converting === converted) this.#converting = null;
      });
      return appended.then(({ sequence }) => sequence);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Resolves when all rows that were accepted before are on the disk. @throws TableError IO, READ_ONLY */
  async flush(): Promise<void> {
    const writer = this.#writing();
    writer.failures.throwPending();
    await this.#converting;
    await writer.flush();
  }

  /** Makes segments of all rows now, and resolves when the store's table has them. @throws TableError IO, READ_ONLY */
  async seal(): Promise<void> {
    const writer = this.#writing();
    writer.failures.throwPending();
    await this.#converting;
    await writer.seal();
  }

  /**
   * Merges segments now, as the options of compaction say; with `all` everything into one segment. Carries out deletions and
   * retention.
   *
   * @throws TableError IO, READ_ONLY; the signal's reason
   */
  async compact(
    options: { readonly all?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<CompactReport> {
    const writer = this.#writing();
    writer.failures.throwPending();
    return await writer.compact(options);
  }

  /**
   * Leaves out the rows that are there now and have a value in [from, to) in the time column. Whoever reads by this
   * store no longer sees them; a later merge drops them from the disk.
   *
   * @throws TableError INVALID_ARGUMENT for a store without a time column, IO, READ_ONLY
   */
  async deleteRange(
    range: { readonly from: number; readonly to: number; readonly column?: string },
  ): Promise<void> {
    const writer = this.#writing();
    writer.failures.throwPending();
    await this.#converting;
    await writer.deleteRange(range);
  }

  /**
   * All rows as they are now, as a table that stays so whatever is appended, sealed, merged or removed later. It has the
   * store's keywords and subtables, and the column INGEST_SEQUENCE. To be closed before the store is.
   *
   * @throws TableError those of opening tables
   */
  snapshot(): Table {
    const view = this.#open();
    for (let tries = 1;; tries++) {
      try {
        return snapshotOf(view);
      } catch (error) {
        const isGone = error instanceof TableError && error.code === "NOT_FOUND";
        if (!isGone || tries >= MAX_TRIES) throw error;
      }
    }
  }

  /**
   * The rows that are there when it begins, in batches of at most `maxBytes`, from sequence number `from` on, in the order of
   * segments; segments in which no row can match are skipped. What is merged meanwhile is read once.
   *
   * @throws TableError NO_SUCH_COLUMN, INVALID_ARGUMENT; those of reading; the signal's reason
   */
  scan(options: ScanOptions = {}): AsyncGenerator<IngestBatch> {
    return scan(this.#open(), options);
  }

  /**
   * As {@linkcode scan}, in the order of sequence numbers, and then waits for rows to come until the signal or the end of the
   * loop ends it. Begins with the next row to come unless `from` says otherwise.
   *
   * @throws TableError as `scan`
   */
  tail(options: TailOptions = {}): AsyncGenerator<IngestBatch> {
    return tail(this.#open(), options);
  }

  /**
   * The newest row of a key: one value, or a list of values for a key of several columns. Null when there is none.
   *
   * @throws TableError INVALID_ARGUMENT for a store without a key; TYPE_MISMATCH, NO_SUCH_COLUMN
   */
  lookup(key: KeyValue | readonly KeyValue[], columns?: readonly string[]): IngestRow | null {
    this.#open();
    return this.#lookup.find(key, columns);
  }

  /**
   * Writes what there is and closes. Rows in logs stay there, and are visible when the store is opened again.
   *
   * @throws TableError IO when rows that were acknowledged couldn't be written; what failed in the background
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#converting;
    await this.#view.close();
    this.#writer?.failures.throwPending();
  }

  #open(): Writer | Follower {
    if (this.#closing !== null) {
      throw new TableError("CLOSED", "the store is closed", { file: this.#view.path });
    }
    return this.#view;
  }

  #writing(): Writer {
    this.#open();
    if (this.#writer !== null) return this.#writer;
    throw new TableError("READ_ONLY", 'the store is open for reading; open it with mode: "rw"', {
      file: this.path,
    });
  }
}
