/**
 * A store that is open for appending: logs, segments and what goes from the ones to the others.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { Finding } from "../storage/findings.ts";
import { specOf } from "../table/copy-storage.ts";
import { Table } from "../table/table.ts";
import { LogAppender, type SealedLog } from "./append/appender.ts";
import type { IngestCounters } from "./counters.ts";
import { Failures } from "./failures.ts";
import type { IngestRows } from "./log/columns.ts";
import { type LogSet, scanLogs } from "./log/scan.ts";
import type { SegmentEntry } from "./manifest/format.ts";
import type { IngestOptions } from "./options.ts";
import { IngestSchema, SEQUENCE_COLUMN } from "./schema.ts";
import { SealQueue } from "./sealing.ts";
import { hasStore, LOGS } from "./segments/places.ts";
import { SegmentStore } from "./segments/store.ts";
import type { CompactReport } from "./segments/types.ts";
import type { HeldTable, StateSource, StoreState } from "./view/state.ts";

/** The columns of a new store, those of a table unless they are given. */
function newSchema(options: IngestOptions): IngestSchema {
  const { columns, template, storage, key, time, sort } = options;
  const rest = {
    ...(storage && { storage }),
    ...(key === undefined ? {} : { key }),
    ...(time === undefined ? {} : { time }),
    ...(sort && { sort }),
  };
  if (columns !== undefined) return IngestSchema.of({ columns, ...rest });
  if (template === undefined) {
    throw new TableError("INVALID_ARGUMENT", "there is no store yet: columns, or a template, make one");
  }
  using table = Table.open(template);
  const names = table.columnNames.filter((name) => name !== SEQUENCE_COLUMN);
  return IngestSchema.of({ columns: names.map((name) => specOf(table.column(name))), ...rest });
}

/** @throws TableError INVALID_ARGUMENT when a store that is there is made of other columns than is said */
function checkSchema(directory: string, schema: IngestSchema, options: IngestOptions): void {
  if (options.columns === undefined) return;
  const wanted = newSchema({ ...options, storage: options.storage ?? schema.storage ?? [] });
  const described = (each: IngestSchema) =>
    JSON.stringify([
      each.columns.map(({ name, kind, dtype, shape }) => [name, kind, dtype, shape]),
      each.key,
    ]);
  if (described(wanted) === described(schema)) return;
  throw new TableError(
    "INVALID_ARGUMENT",
    `the store is there, with other columns or another key; its columns are ${
      schema.columns.map(({ name, dtype }) => `${name} (${dtype})`).join(", ")
    }`,
    { file: directory },
  );
}

/** What logs are written through: past the page cache, where that is known how. */
function logBackend({ io, context }: IngestOptions): Backend {
  const options = { writable: true, ...(context && { context }) };
  if (io !== undefined) return openBackend(io, options);
  try {
    return openBackend("direct", options);
  } catch (error) {
    // Without the C library, as in Node.
    if (!(error instanceof TableError) || error.code !== "UNSUPPORTED") throw error;
    return openBackend("auto", options);
  }
}

/** The one that writes. */
export class Writer implements StateSource {
  readonly path: string;
  readonly counters: IngestCounters;
  readonly findings: readonly Finding[];
  readonly failures: Failures;
  readonly #segments: SegmentStore;
  readonly #appender: LogAppender;
  readonly #logs: LogSet;
  readonly #queue: SealQueue;

  private constructor(directory: string, options: IngestOptions, counters: IngestCounters) {
    this.path = directory;
    this.counters = counters;
    this.failures = new Failures(counters, options.onError);
    const { compaction } = options, backend = options.backend ?? logBackend(options);
    const segments = SegmentStore.open(directory, {
      mode: "rw",
      counters,
      onError: (error) => this.failures.report(error, true),
      onForget: (log) => this.#forget(log),
      // What becomes a segment doesn't push out of the page cache what is read, and is on the disk sooner.
      io: { seal: backend.name === "direct" ? "direct" : "auto" },
      compaction: compaction === false ? { automatic: false } : compaction ?? {},
      ...(options.background && { runner: options.background }),
      ...(options.context && { context: options.context }),
      ...(options.retention && { retention: options.retention }),
      ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
      ...(options.lock && { lock: options.lock }),
    });
    this.#segments = segments;
    let logs: LogSet | null = null;
    try {
      checkSchema(directory, segments.schema, options);
      const { manifest, schema } = segments, folder = `${directory}/${LOGS}`;
      const place = { directory: folder, schema, storeId: manifest.store, backend };
      logs = scanLogs({
        ...place,
        firstLog: manifest.firstLog,
        nextSequence: manifest.nextSequence,
        mode: "recover",
      });
      this.#logs = logs;
      this.findings = [...segments.findings, ...logs.findings];
      this.#queue = new SealQueue((log) => segments.seal(log), this.failures);
      this.#appender = LogAppender.open({
        ...place,
        durability: options.durability ?? "batch",
        nextLog: logs.nextLog,
        nextSequence: logs.nextSequence,
        recovered: logs,
        onLogFull: (log) => this.#queue.add(log),
        onError: (error) => this.failures.report(error, true),
        counters,
        ...numbers(options),
      });
    } catch (error) {
      logs?.close();
      void segments.close();
      throw error;
    }
    // Nothing is added to logs of those who wrote before.
    for (const { log: id, path, firstSequence, rows } of logs.logs) {
      this.#queue.add({ id, path, firstSequence, rows, bytes: logs.bytesOf(id) });
    }
  }

  /** Opens a store, and makes it if there is none. @throws TableError LOCKED, CORRUPT, INVALID_ARGUMENT, IO */
  static open(path: string, options: IngestOptions, counters: IngestCounters): Writer {
    const directory = resolve(path), context = options.context && { context: options.context };
    if (!hasStore(directory, openBackend("auto", { writable: true, ...context }))) {
      SegmentStore.create(directory, newSchema(options), {
        ...(options.template === undefined ? {} : { template: options.template }),
        ...(options.prepare && { prepare: options.prepare }),
        ...(options.lock && { lock: options.lock }),
        ...context,
      });
    }
    return new Writer(directory, options, counters);
  }

  /** A log's file that stays is in nobody's way: whoever opens the store next removes it. */
  #forget(log: SealedLog): void {
    try {
      this.#appender.forgetLog(log.id);
    } catch (error) {
      this.failures.report(error);
    }
  }

  get schema(): IngestSchema {
    return this.#segments.schema;
  }

  state(): StoreState {
    const { manifest, deletions } = this.#segments;
    return { manifest, deletions, visible: this.#appender.visible() };
  }

  openSegment(entry: SegmentEntry): HeldTable {
    return this.#segments.openSegment(entry);
  }

  openTemplate(): HeldTable {
    return this.#segments.openTemplate();
  }

  mayHoldKey(entry: SegmentEntry, values: readonly (string | number | bigint | boolean)[]): boolean {
    return this.#segments.mayHoldKey(entry, values);
  }

  onVisible(listener: () => void): () => void {
    return this.#appender.onVisible(listener);
  }

  /** Appends rows. */
  append(rows: IngestRows): Promise<number> {
    return this.#appender.append(rows);
  }

  /** Resolves when everything that was accepted is on the disk. */
  flush(): Promise<void> {
    return this.#appender.flush();
  }

  /** Makes segments of all rows that there are. */
  async seal(): Promise<void> {
    const log = await this.#appender.rotateLog();
    if (log !== null) this.#queue.add(log);
    await this.#queue.drain();
  }

  /** Merges what the policy says, or everything. */
  compact(options: { all?: boolean; signal?: AbortSignal }): Promise<CompactReport> {
    return this.#segments.compact(options);
  }

  /** Leaves rows out from now on. */
  deleteRange(range: { column?: string; from: number; to: number }): Promise<void> {
    const { visible } = this.state();
    return this.#segments.deleteRange({ ...range, before: visible.firstSequence + visible.rows });
  }

  /** Writes what there is, and lets go. Logs stay logs: the next who opens the store makes segments of them. */
  async close(): Promise<void> {
    try {
      await this.#appender.flush();
    } finally {
      await this.#queue.close();
      await this.#segments.close();
      await this.#appender.close();
      this.#logs.close();
    }
  }
}

/** Options of the appender that are numbers. */
function numbers({ groupMs, flushMs, bufferBytes, logBytes }: IngestOptions): {
  groupMs?: number;
  flushMs?: number;
  bufferBytes?: number;
  logBytes?: number;
} {
  const all = { groupMs, flushMs, bufferBytes, logBytes };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
