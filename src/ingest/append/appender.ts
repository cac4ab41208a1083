/**
 * Appending rows to logs: from the call to the promise that settles when they are as durable as asked.
 *
 * | durability | rows are visible, and the promise resolves | what fails |
 * | --- | --- | --- |
 * | `none` | when they are in a buffer | is tried again; what was accepted stays |
 * | `batch` | when a sync is done that covers them; appends that wait at the same time share it | is taken back: rows, sequence numbers, bytes of the log; the promise rejects |
 * | `each` | the same with a sync for every append | the same |
 *
 * Rows get their sequence numbers when they get their place in a buffer, in the order of the calls.
 */
import { setImmediate } from "node:timers";
import { TableError } from "../../error.ts";
import { openBackend } from "../../io/backends.ts";
import { allocate } from "../../array/alloc.ts";
import { library } from "../../../ffi/binding.ts";
import type { IngestCounters } from "../counters.ts";
import { planBatch } from "../log/batch.ts";
import type { IngestRows } from "../log/columns.ts";
import { LOG_BLOCK_BYTES, MAX_BLOCK_BYTES, roundUp } from "../log/format.ts";
import type { BlockIndex, VisibleRows } from "../log/index.ts";
import type { LogSet } from "../log/scan.ts";
import { Group } from "./buffer.ts";
import { GroupCommit } from "./group-commit.ts";
import { AHEAD_BYTES, attempt, GrowingLog, type LogSetting, type SealedLog } from "./growing-log.ts";
import {
  type AppenderOptions,
  BUFFER_BYTES,
  FLUSH_MS,
  FROZEN_BUFFERS,
  LOG_BYTES,
  RETRY_MS,
  wholeOption,
} from "./options.ts";
import { AppendQueue, type Asked } from "./queue.ts";
import { WriteBuffers } from "./rotation.ts";

export type { SealedLog } from "./growing-log.ts";
export type { AppenderOptions, Durability } from "./options.ts";

/** A flush that waits for rows before `sequence`. */
interface Flush {
  readonly sequence: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** The one that appends rows to the logs of a store. */
export class LogAppender {
  readonly #options: AppenderOptions;
  readonly #setting: LogSetting;
  readonly #counters: IngestCounters;
  readonly #buffers: WriteBuffers;
  readonly #commit: GroupCommit;
  readonly #bufferBytes: number;
  readonly #logBytes: number;
  readonly #memoryOnly: boolean;
  readonly #recovered: LogSet | null;
  /** Logs that this appender began and nobody has forgotten, in order; the last one may be written to. */
  #logs: GrowingLog[] = [];
  #nextLog: number;
  #next: number;
  /** Rows before this one are durable. */
  #durable: number;
  readonly #queue = new AppendQueue();
  #flushes: Flush[] = [];
  readonly #listeners = new Set<() => void>();
  /** What the next append or flush is to be told. */
  #error: { readonly error: unknown } | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #soon = false;
  #closed = false;
  #visible: VisibleRows | null = null;

  private constructor(options: AppenderOptions) {
    const { directory, schema, storeId, backend = openBackend(library() === null ? "node" : "direct") } =
      options;
    const { blockBytes = LOG_BLOCK_BYTES, bufferBytes = BUFFER_BYTES, frozenBuffers = FROZEN_BUFFERS } =
      options;
    wholeOption("blockBytes", blockBytes, LOG_BLOCK_BYTES, MAX_BLOCK_BYTES);
    if (!Number.isInteger(Math.log2(blockBytes))) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `expected blockBytes that are a power of 2, found ${blockBytes}`,
      );
    }
    this.#options = options;
    this.#counters = options.counters;
    const onDisk = backend.name === "direct" || backend.name === "pread" || backend.name === "mmap";
    const zeros = onDisk ? allocate("uint8", AHEAD_BYTES, blockBytes) as Uint8Array<ArrayBuffer> : null;
    this.#setting = { directory, schema, storeId, backend, blockBytes, zeros };
    this.#bufferBytes = roundUp(wholeOption("bufferBytes", bufferBytes, 1, 2 ** 30), blockBytes);
    this.#logBytes = wholeOption("logBytes", options.logBytes ?? LOG_BYTES, 1);
    this.#memoryOnly = options.durability === "none";
    this.#recovered = options.recovered ?? null;
    this.#nextLog = wholeOption("nextLog", options.nextLog, 0);
    this.#next = this.#durable = wholeOption("nextSequence", options.nextSequence, 0);
    this.#buffers = new WriteBuffers({
      bufferBytes: this.#bufferBytes,
      frozenBuffers: wholeOption("frozenBuffers", frozenBuffers, 1, 1000),
      blockBytes,
      begin: (memory) => this.#begin(memory),
      onFrozen: (group) => this.#onFrozen(group),
    });
    this.#commit = new GroupCommit({
      frozen: this.#buffers.frozen,
      each: options.durability === "each",
      durable: (groups) => this.#onDurable(groups),
      failed: (error, first) => this.#onFailed(error, first),
    });
  }

  /** Begins appending; files are made with the first row. @throws TableError INVALID_ARGUMENT, UNSUPPORTED */
  static open(options: AppenderOptions): LogAppender {
    return new LogAppender(options);
  }

  /** Sequence number of the next row. */
  get nextSequence(): number {
    return this.#next;
  }

  /** Rows before this one are on disk. */
  get durableSequence(): number {
    return this.#durable;
  }

  /**
   * Appends rows; gives the sequence number of the first one when they are as durable as asked. The values are borrowed until
   * then; columns that are left out get 0, "" or undefined cells. Without rows: the number that the next one will have.
   *
   * To write at the speed of the disk have several appends under way: one alone waits for it each time.
   *
   * @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE, LIMIT for the values, of which nothing
   * is kept then; IO when they could not be written: they are not in the store; CLOSED
   */
  append(values: IngestRows): Promise<number> {
    const start = performance.now();
    try {
      this.#check();
      const plan = planBatch(this.#setting.schema, values);
      if (plan.rows === 0) return Promise.resolve(this.#next);
      return new Promise((resolve, reject) => {
        const asked = { plan, start, resolve, reject };
        if (this.#queue.length === 0 && this.#room(plan.bytes) !== null) this.#accept(asked);
        else this.#enqueue(asked);
      });
    } catch (error) {
      this.#counters.add("failedAppends");
      return Promise.reject(error);
    }
  }

  /** @throws TableError CLOSED, or what went wrong in the background */
  #check(): void {
    if (this.#closed) {
      throw new TableError("CLOSED", "the store was closed", { file: this.#setting.directory });
    }
    const found = this.#error;
    if (found === null) return;
    this.#error = null;
    // Whoever is told of the failure makes it tried again.
    this.#resume();
    throw found.error;
  }

  /** A group with room for a batch; null when it has to wait. */
  #room(bytes: number): Group | null {
    if (this.#commit.failing) return null;
    if (this.#options.durability === "each" && this.#buffers.active !== null) this.#buffers.freeze();
    return this.#buffers.room(bytes);
  }

  /** Begins a group where the last one ends, in the next log if the last one is full. */
  #begin(memory: Uint8Array<ArrayBuffer>): Group {
    let log = this.#logs.at(-1);
    if (log === undefined || log.full) {
      log = new GrowingLog(this.#setting, this.#nextLog++, this.#next);
      this.#logs.push(log);
    }
    return new Group(log, log.end, this.#next, memory);
  }

  #onFrozen(group: Group): void {
    const { log } = group;
    log.end = group.offset + group.fileBytes;
    if (log.end >= this.#logBytes) log.full = true;
    if (this.#memoryOnly) log.blocks.push(group.block());
    this.#visible = null;
    this.#gauges();
  }

  /** Puts rows into their group. The promise settles as the durability says; it rejects if they can't be put there. */
  #accept({ plan, start, resolve, reject }: Asked): void {
    const group = this.#buffers.active!;
    let sequence: number;
    try {
      sequence = group.add(plan);
    } catch (error) {
      this.#counters.add("failedAppends");
      return reject(error);
    }
    this.#next = sequence + plan.rows;
    group.starts.push(start);
    this.#counters.accepted(plan.rows, plan.valueBytes);
    const now = performance.now();
    this.#counters.took("accept", start, now);
    if (this.#memoryOnly) {
      this.#visible = null;
      this.#counters.took("visible", start, now);
      this.#counters.took("append", start, now);
      resolve(sequence);
      this.#notify();
    } else {
      group.waiters.push({ resolve, reject, sequence });
      this.#counters.change("pendingAppends", 1);
    }
    if (this.#options.durability === "each") this.#buffers.freeze();
    this.#schedule();
  }

  #enqueue(asked: Asked): void {
    if (this.#commit.stalled) this.#resume();
    this.#counters.add("waits");
    this.#queue.push(asked);
    this.#counters.set("waitingAppends", this.#queue.length);
  }

  /** Lets appends go on that waited for a buffer, in their order, as far as there is room. */
  #drain(): void {
    if (this.#queue.length === 0) return;
    this.#queue.drain((asked) => {
      if (this.#room(asked.plan.bytes) === null) return false;
      this.#accept(asked);
      return true;
    });
    this.#counters.set("waitingAppends", this.#queue.length);
  }

  /** Sees to it that what is in the buffer gets written when it is time. */
  #schedule(): void {
    this.#commit.kick();
    const { active } = this.#buffers, { groupMs = 0, flushMs = FLUSH_MS } = this.#options;
    if (active === null || active.rows === 0 || this.#timer !== null || this.#soon) return;
    // What failed before comes first.
    if (this.#commit.stalled) return;
    // While a group is on its way others collect in the buffer; its end comes back to here.
    if (!this.#memoryOnly && this.#buffers.frozen.length > 0) return;
    const wait = active.begun + (this.#memoryOnly ? flushMs : groupMs) - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#send();
      }, wait);
      return;
    }
    // Whoever is told of the last group in this turn of the event loop may append again, and be in this one.
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#send();
    });
  }

  /** Ends the group that is being filled and begins to write it. */
  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#commit.failing) this.#buffers.freeze();
    this.#commit.kick();
  }

  /** Groups became durable: they are seen, and those who wait are told, all in one stretch. */
  #onDurable(groups: readonly Group[]): void {
    const now = performance.now(), told: Group[] = [];
    let rows = 0;
    for (const each of groups) {
      const group = this.#buffers.shift(), { log } = each;
      if (!this.#memoryOnly) log.blocks.push(group.block());
      log.durable = group.offset + group.fileBytes;
      log.durableSequence = this.#durable = group.endSequence;
      rows += group.rows;
      told.push(group);
      if (group.offset === log.blockBytes) this.#counters.add("logs");
      this.#counters.add("groups");
      this.#counters.add("groupBytes", group.fileBytes);
      for (const start of group.starts) {
        this.#counters.took("durable", start, now);
        if (this.#memoryOnly) continue;
        this.#counters.took("visible", start, now);
        this.#counters.took("append", start, now);
      }
    }
    this.#counters.synced(rows);
    this.#visible = null;
    for (const { waiters } of told) {
      this.#counters.change("pendingAppends", -waiters.length);
      for (const { resolve, sequence } of waiters) resolve(sequence);
    }
    if (!this.#memoryOnly) this.#notify();
    for (const log of new Set(told.map(({ log }) => log))) this.#finishIfFull(log);
    this.#settleFlushes();
    this.#drain();
    this.#gauges();
    this.#schedule();
  }

  /** Ends a log that is full once all of it is durable. */
  #finishIfFull(log: GrowingLog): void {
    if (
      !log.full || log.finished || this.#buffers.groups().some((group) => group.log === log && group.rows > 0)
    ) {
      return;
    }
    this.#buffers.dropEmpty();
    log.finished = true;
    attempt(() => log.close());
    const sealed = log.durableSequence > log.firstSequence ? log.sealed() : null;
    this.#counters.add("sealedLogs", sealed === null ? 0 : 1);
    const waiters = log.waiters.splice(0);
    for (const { resolve } of waiters) resolve(sealed);
    if (sealed !== null && waiters.length === 0) this.#tell(() => this.#options.onLogFull(sealed));
  }

  /** Calls what isn't ours; what it throws is a failure in the background. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) this.#tell(listener);
  }

  async #onFailed(error: unknown, first: Group): Promise<void> {
    this.#counters.add("logErrors");
    if (this.#memoryOnly) this.#keep(error);
    else await this.#withdraw(error, first);
    this.#gauges();
    // When this has resolved: nothing is accepted while a failure is dealt with.
    setImmediate(() => {
      if (this.#memoryOnly || this.#commit.failing) return;
      // Those that were ended meanwhile.
      for (const log of [...this.#logs]) this.#finishIfFull(log);
      this.#drain();
      this.#schedule();
    });
  }

  /** `none`: what was accepted stays, and is tried again; nobody waits for it, so somebody else is told. */
  #keep(error: unknown): void {
    this.#commit.stall();
    const told = this.#queue.length > 0 || this.#flushes.length > 0, waiting = this.#queue.clear();
    this.#counters.add("failedAppends", waiting.length);
    this.#counters.set("waitingAppends", 0);
    for (const { reject } of waiting) reject(error);
    for (const { reject } of this.#flushes.splice(0)) reject(error);
    for (const log of this.#logs) for (const { reject } of log.waiters.splice(0)) reject(error);
    if (!told) this.#error = { error };
    this.#tell(() => this.#options.onError(error));
    if (this.#retry !== null || this.#closed) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#resume();
    }, this.#options.retryMs ?? RETRY_MS);
    const timer: unknown = this.#retry;
    if (typeof timer === "number") Deno.unrefTimer(timer);
    else (timer as { unref?(): void }).unref?.(); // in Node
  }

  #resume(): void {
    if (!this.#commit.stalled) return;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#commit.resume();
  }

  /** Takes back all rows from a group on: nobody has seen them. Their numbers are given again. */
  async #withdraw(error: unknown, first: Group): Promise<void> {
    const groups = this.#buffers.withdraw(first), { log, offset } = first;
    this.#next = first.firstSequence;
    this.#visible = null;
    // Logs that were to be begun after it have no files yet.
    this.#nextLog = log.id + 1;
    const dropped = this.#logs.splice(this.#logs.indexOf(log) + 1);
    for (const { waiters } of dropped) for (const { resolve } of waiters.splice(0)) resolve(null);
    log.end = offset;
    const empty = log.durableSequence === log.firstSequence;
    if (empty) { for (const { resolve } of log.waiters.splice(0)) resolve(null); }
    log.full = log.waiters.length > 0 || (!empty && log.end >= this.#logBytes);
    const rows = groups.reduce((sum, group) => sum + group.rows, 0);
    this.#counters.add("withdrawnRows", rows);
    this.#flushes = this.#flushes.filter(({ sequence, reject }) => {
      if (sequence <= this.#durable) return true;
      reject(error);
      return false;
    });
    for (const { waiters } of groups) {
      this.#counters.add("failedAppends", waiters.length);
      this.#counters.change("pendingAppends", -waiters.length);
      for (const { reject } of waiters) reject(error);
    }
    await this.#cutBack(log);
    this.#finishIfFull(log);
  }

  /** Takes back what may have been written of rows that were withdrawn. */
  async #cutBack(log: GrowingLog): Promise<void> {
    const empty = log.durableSequence === log.firstSequence;
    try {
      if (!log.created) {
        // Half a header, perhaps; the file is made anew, or removed when the store is next opened.
        attempt(() => log.remove());
        this.#logs.splice(this.#logs.indexOf(log), 1);
        this.#nextLog = log.id;
        return;
      }
      await log.cut(log.end);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      // A new log says in its header from which row on this one doesn't count.
      log.uncut = true;
      this.#counters.add("logErrors");
      log.full = true;
      if (empty) this.#finishIfFull(log);
    }
  }

  #settleFlushes(): void {
    if (this.#flushes.length === 0) return;
    const done = this.#flushes.filter(({ sequence }) => sequence <= this.#durable);
    this.#flushes = this.#flushes.filter(({ sequence }) => sequence > this.#durable);
    for (const { resolve } of done) resolve();
  }

  #gauges(): void {
    const { frozen, active } = this.#buffers, counters = this.#counters;
    counters.set("frozenBuffers", frozen.length);
    counters.set("frozenBytes", frozen.reduce((sum, { used }) => sum + used, 0));
    counters.set("activeBytes", active?.used ?? 0);
    const recovered = this.#recovered?.logs ?? [];
    counters.set("growingLogs", recovered.length + this.#logs.length);
    counters.set(
      "growingBytes",
      this.#logs.reduce((sum, { end }) => sum + end, 0) +
        recovered.reduce((sum, { log }) => sum + this.#recovered!.bytesOf(log), 0),
    );
  }

  /**
   * All rows in logs and buffers that readers may see. What is listed stays as it is; of blocks whose memory is used again
   * the bytes come from the file.
   */
  visible(): VisibleRows {
    if (this.#visible !== null) return this.#visible;
    const logs: BlockIndex[] = [...this.#recovered?.logs ?? []];
    const { active } = this.#buffers;
    for (const log of this.#logs) {
      const last = this.#memoryOnly && active !== null && active.rows > 0 && active.log === log
        ? active.block()
        : null;
      const index = log.index(last);
      if (index.count > 0) logs.push(index);
    }
    const end = this.#memoryOnly ? this.#next : this.#durable;
    const firstSequence = logs[0]?.firstSequence ?? end;
    return this.#visible = { firstSequence, rows: end - firstSequence, logs };
  }

  /** Calls `listener` after rows became visible; the result ends that. It must not wait for anything. */
  onVisible(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Ends the log that is being written, with all rows that were accepted, and resolves when it is on disk; null when there
   * are no rows in it, and when it was full already: `onLogFull` is told of it then, and of no other.
   *
   * @throws TableError IO (`none`) when it couldn't be written: it is tried again, and `onLogFull` is told when it is done;
   * CLOSED
   */
  async rotateLog(): Promise<SealedLog | null> {
    this.#check();
    const log = this.#logs.at(-1);
    const rows = log === undefined || log.full ? 0 : this.#next - log.firstSequence;
    if (log === undefined || rows === 0) {
      // Where rows are withdrawn their appends are told.
      await this.#flushed().catch((error) => {
        if (this.#memoryOnly) throw error;
      });
      return null;
    }
    const result = new Promise<SealedLog | null>((resolve, reject) => log.waiters.push({ resolve, reject }));
    if (!this.#commit.failing) {
      this.#buffers.freeze();
      this.#buffers.dropEmpty();
    }
    log.full = true;
    this.#resume();
    this.#commit.kick();
    if (!this.#commit.failing) this.#finishIfFull(log);
    return await result;
  }

  /** A log became a segment: it is no longer visible here, and its file goes. Who holds it can still read it. */
  forgetLog(id: number): void {
    const { directory, backend } = this.#setting;
    const index = this.#logs.findIndex((log) => log.id === id);
    this.#visible = null;
    if (index >= 0) {
      const log = this.#logs[index]!;
      if (!log.finished) {
        throw new TableError("BUSY", "the log is still being written", { file: log.path });
      }
      this.#logs.splice(index, 1);
      log.remove();
    } else {
      const log = this.#recovered?.logs.find((each) => each.log === id);
      if (log === undefined) {
        throw new TableError("INVALID_ARGUMENT", `there is no log ${id}`, { file: directory });
      }
      this.#recovered!.forget(id);
      backend.remove(log.path);
    }
    this.#gauges();
  }

  /**
   * Resolves when all rows that were accepted before are on disk.
   *
   * @throws TableError IO when they couldn't be written; CLOSED
   */
  async flush(): Promise<void> {
    this.#check();
    await this.#flushed();
  }

  async #flushed(): Promise<void> {
    // Appends that wait for a buffer were called before.
    if (this.#queue.length > 0) {
      this.#resume();
      await this.#queue.emptied();
    }
    const sequence = this.#next;
    if (this.#durable >= sequence) return;
    const done = new Promise<void>((resolve, reject) => this.#flushes.push({ sequence, resolve, reject }));
    this.#send();
    this.#resume();
    await done;
  }

  /**
   * Flushes and closes the files; who holds a log can read on. Once is enough.
   *
   * @throws TableError IO when rows couldn't be written; everything is closed then, too
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#flushed();
      if (this.#error !== null) throw this.#error.error;
    } finally {
      for (const timer of [this.#timer, this.#retry]) if (timer !== null) clearTimeout(timer);
      this.#timer = this.#retry = null;
      this.#error = null;
      this.#listeners.clear();
      this.#buffers.close();
      const last = this.#logs.at(-1);
      for (const log of this.#logs) {
        attempt(() => log.close());
        if (log.uncut) attempt(() => log.cutClosed());
        // Not where rows were accepted that may be in the file although nothing says so, nor where the log says of the
        // one before it how far that counts.
        const unused = log === last && log.durableSequence === log.firstSequence && !this.#memoryOnly &&
          !this.#logs.some(({ uncut }) => uncut);
        if (unused) attempt(() => log.remove());
        else log.file.forget();
      }
      this.#recovered?.close();
    }
  }
}
