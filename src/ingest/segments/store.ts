/**
 * `SegmentStore`: the sealed part of a store. Its manifest says which segments there are; all work on files is done in the
 * background (see background/jobs.ts), and what comes of it is published.
 */
import { resolve } from "node:path";
import { TableError } from "../../error.ts";
import { lockingAvailable, type TableLock } from "../../io/lock.ts";
import { contextOf } from "../../table/open.ts";
import type { SealedLog } from "../append/appender.ts";
import { haveWorkers, InlineRunner, type Runner, WorkerRunner } from "../background/runner.ts";
import { Compactor } from "../compaction/compactor.ts";
import { DEFAULT_COMPACTION } from "../compaction/policy.ts";
import type { Deletion, Manifest, SegmentEntry } from "../manifest/format.ts";
import { IngestSchema } from "../schema.ts";
import type { BloomFilter } from "./bloom.ts";
import { storeBackend, type StoreFiles } from "./build.ts";
import { createStore } from "./create-store.ts";
import { OpenSegments } from "./holds.ts";
import { Housekeeping } from "./housekeeping.ts";
import { KeyFilters } from "./key-filters.ts";
import { ManifestWatch } from "./manifest-watch.ts";
import { MANIFEST_FILE, TEMPLATE } from "./places.ts";
import { asTableError, Publisher } from "./publisher.ts";
import { rangeOf } from "./ranges.ts";
import { openManifest } from "./recover.ts";
import type {
  CompactReport,
  CreateStoreOptions,
  HeldSegment,
  KeyValue,
  SegmentStoreOptions,
  StoreFinding,
} from "./types.ts";
import { lockStore } from "./write-lock.ts";

/** How long a segment that was replaced stays for those who have just read its name, in milliseconds. */
const GRACE_MS = 10_000;

/** The part that only a store has that is open for writing. */
interface Writing {
  readonly lock: TableLock | null;
  readonly files: StoreFiles;
  readonly runner: Runner;
  readonly publisher: Publisher;
  readonly compactor: Compactor;
  readonly housekeeping: Housekeeping;
}

/** The sealed part of a store: its manifest, its segments, and what is done to them in the background. */
export class SegmentStore {
  /** Absolute path of the store. */
  readonly directory: string;
  readonly schema: IngestSchema;
  /** What was found on opening, and what was done about it. */
  readonly findings: readonly StoreFinding[];
  readonly #options: SegmentStoreOptions;
  readonly #segments: OpenSegments;
  readonly #filters: KeyFilters;
  readonly #writing: Writing | null;
  readonly #watch: ManifestWatch | null;
  /** Deletions that aren't published yet. */
  #pending: readonly Deletion[] = [];
  /** Logs that are segments in the manifest in force, by its generation, but perhaps not in the one before. */
  #forgettable: { readonly log: SealedLog; readonly generation: number }[] = [];
  #nextSegment: number;
  #nextDeletion: number;
  /** Seals in the order in which they were asked for. */
  #sealing: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(directory: string, options: SegmentStoreOptions) {
    this.directory = directory;
    this.#options = options;
    const { mode, context, io = {} } = options;
    const backend = storeBackend(options);
    this.#segments = new OpenSegments(directory, io.read ?? "auto", context);
    this.#filters = new KeyFilters(directory, backend);
    if (mode === "r") {
      const watch = new ManifestWatch(directory, backend);
      this.#watch = watch;
      this.#writing = null;
      this.findings = watch.findings;
      this.schema = schemaOf(directory, watch.manifest);
      this.#nextSegment = this.#nextDeletion = 0;
      return;
    }
    this.#watch = null;
    const lock = lockStore(directory, backend, options.lock ?? "auto");
    try {
      const { manifest, findings } = openManifest(directory, backend, options);
      this.findings = findings;
      this.schema = schemaOf(directory, manifest);
      this.#nextSegment = manifest.nextSegment;
      this.#nextDeletion = manifest.nextDeletion;
      this.#writing = this.#begin(manifest, lock);
      if (manifest.retired.length > 0) this.#writing.housekeeping.soon();
      this.#count();
    } catch (error) {
      lock?.close();
      throw error;
    }
  }

  #begin(manifest: Manifest, lock: TableLock | null): Writing {
    const options = this.#options, { context, counters, io = {}, graceMs = GRACE_MS } = options;
    const files: StoreFiles = {
      directory: this.directory,
      lock: options.lock === "none" || !lockingAvailable() ? "none" : "auto",
      ...contextOf({ context }),
    };
    const runner = options.runner === "inline" || context !== undefined || !haveWorkers()
      ? new InlineRunner()
      : new WorkerRunner();
    const onError = (error: unknown) => this.#report(error);
    const publisher = new Publisher(manifest, files, runner, this.schema.time, counters, {
      inForce: (now, settled) => this.#inForce(now, settled),
      failed: onError,
    });
    const compactor = new Compactor({
      files,
      schema: this.schema,
      runner,
      publisher,
      options: { ...DEFAULT_COMPACTION, ...options.compaction },
      retention: options.retention ?? {},
      io,
      counters,
      nextId: () => this.#nextSegment++,
      onError,
    });
    const housekeeping = new Housekeeping({
      files,
      runner,
      publisher,
      graceMs,
      always: options.retention?.maxAgeMs !== undefined,
      held: () => this.#segments.held,
      waits: () => this.#forgettable.length > 0,
      onLook: () => compactor.maybe(),
      onError,
    });
    return { lock, files, runner, publisher, compactor, housekeeping };
  }

  /**
   * Makes the directory of a store with its template segment, manifest and concatenation.
   *
   * @throws TableError EXISTS when there is something already; LOCKED; those of `Table.create`; IO. Nothing is left then.
   */
  static create(directory: string, schema: IngestSchema, options: CreateStoreOptions = {}): void {
    createStore(directory, schema, options);
  }

  /**
   * Opens a store. For writing it is repaired first, and nobody else can write it until it is closed.
   *
   * @throws TableError NOT_FOUND when there is none; LOCKED when somebody else writes it; CORRUPT, UNSUPPORTED, IO
   */
  static open(directory: string, options: SegmentStoreOptions): SegmentStore {
    return new SegmentStore(resolve(directory), options);
  }

  /** What is in force: a new object with each publication. */
  get manifest(): Manifest {
    return this.#writing?.publisher.manifest ?? this.#watch!.manifest;
  }

  /** Deletions of the manifest, and those that aren't published yet. */
  get deletions(): readonly Deletion[] {
    const { deletions } = this.manifest;
    return this.#pending.length === 0 ? deletions : [...deletions, ...this.#pending];
  }

  /** Bytes that the policy would merge now. */
  get debt(): number {
    return this.#writing?.compactor.debt ?? 0;
  }

  /**
   * Makes a segment of a log, in the background. Logs are sealed in the order of their numbers.
   *
   * @returns its entry in the manifest; null for a log without rows
   * @throws TableError IO and others. The log stays what it is then, and may be given again
   */
  seal(log: SealedLog): Promise<SegmentEntry | null> {
    const sealed = this.#sealing.then(() => this.#seal(log));
    this.#sealing = sealed.catch(() => {});
    return sealed;
  }

  async #seal(log: SealedLog): Promise<SegmentEntry | null> {
    const { runner, publisher, files, compactor } = this.#write(), { manifest } = publisher;
    const { counters, onSealed } = this.#options, start = performance.now();
    // Logs in which every row was withdrawn are passed over.
    if (log.id < manifest.firstLog || log.firstSequence !== manifest.nextSequence) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `log ${log.id} begins with row ${log.firstSequence}; the next to become a segment is log ${manifest.firstLog}, with row ${manifest.nextSequence}`,
        { file: log.path },
      );
    }
    const endSequence = log.firstSequence + log.rows;
    const entry = log.rows === 0 ? null : await this.#build(log, endSequence);
    try {
      await publisher.publish((now) => ({
        ...now,
        segments: entry === null ? now.segments : [...now.segments, entry],
        nextSegment: this.#nextSegment,
        firstLog: log.id + 1,
        nextSequence: endSequence,
      }), ({ generation }) => {
        this.#forgettable.push({ log, generation });
        onSealed?.(log, entry);
      });
    } catch (error) {
      // Nobody has seen it.
      if (entry !== null) {
        const { name, bloom } = entry;
        await runner.run({ kind: "remove", ...files, segments: [{ name, bloom: bloom?.file ?? null }] })
          .catch(() => {});
      }
      throw error;
    }
    counters?.took("seal", start);
    counters?.add("seals");
    counters?.add("sealedRows", log.rows);
    counters?.add("sealedBytes", entry?.bytes ?? 0);
    compactor.maybe();
    return entry;
  }

  async #build(log: SealedLog, endSequence: number): Promise<SegmentEntry> {
    const { runner, publisher, files } = this.#write(), { manifest } = publisher;
    const built = await runner.run({
      kind: "seal",
      ...files,
      store: manifest.store,
      schema: manifest.schema,
      log,
      segment: this.#nextSegment++,
      io: this.#options.io?.seal ?? "auto",
      bytesPerSecond: this.#options.sealBytesPerSecond ?? Infinity,
    });
    return {
      ...built,
      level: 0,
      firstSequence: log.firstSequence,
      endSequence,
      sorted: false,
      cleaned: 0,
      created: new Date().toISOString(),
    };
  }

  /**
   * Leaves rows out from now on: those with a value of the time column in [from, to) and a sequence number below `before`.
   * Resolves when that is on the disk; merges drop the rows.
   *
   * @throws TableError INVALID_ARGUMENT; IO: the rows are there again then
   */
  async deleteRange(
    range: { readonly column?: string; readonly from: number; readonly to: number; readonly before: number },
  ): Promise<void> {
    const { publisher, compactor } = this.#write(), { time } = this.schema;
    const { column = time, from, to, before } = range;
    if (column === null || column !== time) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `rows are deleted by the time column, ${time ?? "which this store has none of"}; found ${column}`,
      );
    }
    if (!(from < to) || !Number.isSafeInteger(before) || before < 0) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `${from} to ${to}, rows before ${before}: nothing can be in that range`,
      );
    }
    const deletion: Deletion = { id: this.#nextDeletion++, column, from, to, before };
    this.#pending = [...this.#pending, deletion];
    const done = () => this.#pending = this.#pending.filter((one) => one !== deletion);
    try {
      await publisher.publish((manifest) => ({
        ...manifest,
        nextDeletion: Math.max(manifest.nextDeletion, deletion.id + 1),
        deletions: [...manifest.deletions, deletion],
      }), done);
    } finally {
      done();
    }
    compactor.maybe();
  }

  /**
   * Merges what the policy says, or with `all` everything into as few segments as the limits allow; carries deletions out, and
   * drops what is too old or too much.
   *
   * @throws TableError of a merge that failed; the reason of `signal`. What was merged before is in force
   */
  compact(options: { readonly all?: boolean; readonly signal?: AbortSignal } = {}): Promise<CompactReport> {
    return this.#write().compactor.run(options);
  }

  /** Starts what the policy asks for, if nothing runs. It is called after each seal. */
  maybeCompact(): void {
    this.#write().compactor.maybe();
  }

  /**
   * Removes what can go by now: retired segments that nobody reads, logs that no manifest needs. It is done by itself as
   * time goes by.
   *
   * @param graceMs How long segments stay for those who have just read their names; that of the store unless told otherwise
   * @throws TableError IO
   */
  removeRetired(graceMs?: number): Promise<void> {
    return this.#write().housekeeping.look(graceMs);
  }

  /**
   * Opens a segment, or takes one more hold of it. Until it is let go it can't be removed, by no process.
   *
   * @throws TableError NOT_FOUND when it was removed: the manifest is newer; CORRUPT, IO, CLOSED
   */
  openSegment(entry: SegmentEntry): HeldSegment {
    this.#check();
    return this.#segments.hold(entry);
  }

  /** Opens the template: a table without rows that has the columns, keywords and subtables of all. */
  openTemplate(): HeldSegment {
    return this.openSegment({ ...TEMPLATE_ENTRY });
  }

  /** The filter of a segment's keys, null without one. @throws TableError NOT_FOUND, CORRUPT, IO */
  bloom(entry: SegmentEntry): BloomFilter | null {
    this.#check();
    return this.#filters.get(entry);
  }

  /** False when a segment can't hold a key: by the ranges of its columns, and by its filter. @throws TableError CORRUPT, IO */
  mayHoldKey(entry: SegmentEntry, key: readonly KeyValue[]): boolean {
    this.#check();
    return this.#filters.mayHold(entry, key, this.schema);
  }

  /** Least and greatest value of the time column or a key column, as tables give them; null where nothing is known. */
  range(entry: SegmentEntry, column: string): { readonly min: KeyValue; readonly max: KeyValue } | null {
    return rangeOf(entry, column, this.schema);
  }

  /** For readers: takes in a newer manifest; true when there was one. @throws TableError CORRUPT, IO */
  refresh(): boolean {
    this.#check();
    if (this.#watch === null || !this.#watch.refresh()) return false;
    this.#retain();
    return true;
  }

  /** Waits for what runs (merges stop at their next batch), and lets go of everything. Once is enough. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const writing = this.#writing;
    try {
      if (writing !== null) {
        await writing.compactor.close();
        await writing.housekeeping.close();
        await this.#sealing;
        await writing.publisher.close();
        await writing.runner.close();
      }
    } finally {
      this.#segments.close();
      writing?.lock?.close();
    }
  }

  #check(): void {
    if (this.#closed) throw new TableError("CLOSED", "the store is closed", { file: this.directory });
  }

  #write(): Writing {
    this.#check();
    if (this.#writing === null) {
      throw new TableError("READ_ONLY", "the store is open for reading", { file: this.directory });
    }
    return this.#writing;
  }

  #report(error: unknown): void {
    this.#options.counters?.add("backgroundErrors");
    this.#options.onError?.(asTableError(error, this.directory));
  }

  /** A manifest came into force. */
  #inForce(manifest: Manifest, settled: boolean): void {
    const { onPublished, onForget } = this.#options;
    this.#retain();
    this.#count();
    if (settled) {
      // The one before has them as segments, too.
      const gone = this.#forgettable.filter(({ generation }) => generation < manifest.generation);
      this.#forgettable = this.#forgettable.filter((one) => !gone.includes(one));
      for (const { log } of gone) onForget?.(log);
    }
    if (manifest.retired.length > 0 || this.#forgettable.length > 0) this.#writing?.housekeeping.soon();
    onPublished?.(manifest);
  }

  /** Lets go of segments and filters that are no part of the store any more. */
  #retain(): void {
    const { segments } = this.manifest;
    this.#segments.retain(new Set([TEMPLATE, ...segments.map(({ name }) => name)]));
    this.#filters.retain(segments);
  }

  #count(): void {
    const { counters } = this.#options;
    if (counters === undefined) return;
    const { segments, retired } = this.manifest;
    counters.set("segments", segments.length);
    counters.set("segmentRows", segments.reduce((sum, { rows }) => sum + rows, 0));
    counters.set("segmentBytes", segments.reduce((sum, { bytes }) => sum + bytes, 0));
    counters.set("retiredSegments", retired.length);
    counters.set("retiredBytes", retired.reduce((sum, { bytes }) => sum + bytes, 0));
    counters.set("compactionDebtBytes", this.debt);
  }
}

/** How the template is held: as a segment without rows. */
const TEMPLATE_ENTRY: SegmentEntry = {
  id: 0,
  name: TEMPLATE,
  rows: 0,
  bytes: 0,
  level: 0,
  firstSequence: 0,
  endSequence: 0,
  sorted: false,
  time: null,
  keys: {},
  bloom: null,
  cleaned: 0,
  created: "",
};

function schemaOf(directory: string, manifest: Manifest): IngestSchema {
  return IngestSchema.fromJSON(manifest.schema, `${directory}/${MANIFEST_FILE}`);
}
