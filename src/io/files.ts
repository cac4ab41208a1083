/**
 * The files of one table's directory, served to plans: one view of what is on the disk and what is yet to be sent.
 */
import { TableError } from "../error.ts";
import type { Kernels } from "../array/kernels.ts";
import type { MappedView } from "../../ffi/mapped.ts";
import { allocate } from "../array/alloc.ts";
import { kernels } from "../array/choose.ts";
import type { FileAccess } from "./access.ts";
import type { Backend } from "./backend.ts";
import { BufferPool } from "./buffers.ts";
import { type CommitRequest, Commits, type Counters } from "./commit.ts";
import { type Context, sharedContext } from "./context.ts";
import type { FileShared } from "./disk-file.ts";
import { gatherAsync } from "./async-gather.ts";
import { AsyncRequest } from "./async-request.ts";
import { readIntoAsync } from "./async-read.ts";
import { scatterAsync, sendAsync } from "./async-scatter.ts";
import { gather, scatter, type Tools } from "./gather.ts";
import type { JournalRecord } from "./journal-format.ts";
import { type MappedRange, mapRange, shortened } from "./mapped-range.ts";
import type { GatherStep, ScatterStep } from "./plan.ts";
import { Replacements } from "./replacements.ts";
import { BYPASS_BYTES, TableFile } from "./table-file.ts";

/** Options of {@linkcode TableFiles}. */
export interface TableFilesOptions {
  /** False: everything that would change a file throws READ_ONLY. */
  readonly writable: boolean;
  /** Where the page cache is; that of the isolate if left out. */
  readonly context?: Context | undefined;
  /**
   * The directory was just made and is empty: no file is looked for before it is written.
   */
  readonly newDirectory?: boolean;
  /** The inner loops; those that work best here if left out. */
  readonly kernels?: Kernels | undefined;
}

/** Bytes in one run that are sent without waiting for a flush: one write call of this length costs little more than two of half. */
const SEND_BYTES = 1024 * 1024;
/** Memory for pending bytes of all files of a table; when it is used up, everything is sent. */
const PENDING_BYTES = 16 * 1024 * 1024;

/** The files in a directory, by name. Nothing is opened before it is used; what is open stays so until `close`. */
export class TableFiles implements FileAccess {
  readonly directory: string;
  readonly backend: Backend;
  readonly writable: boolean;
  readonly #files = new Map<string, TableFile>();
  readonly #shared: FileShared & { fresh: boolean };
  readonly #tools: Tools;
  /** Ranges that were mapped on their own, with the paths of their files. */
  readonly #mapped = new Map<MappedView, string>();
  #waiting = 0;
  #closed = false;
  /** null: nobody can see the files yet. */
  #commits: Commits | null = null;
  readonly #replacements: Replacements;
  #countersFile: TableFile | null = null;

  constructor(directory: string, backend: Backend, options: TableFilesOptions) {
    const context = options.context ?? sharedContext(), pool = new BufferPool();
    this.directory = directory;
    this.backend = backend;
    this.writable = options.writable;
    this.#replacements = new Replacements(directory, backend);
    this.#shared = {
      backend,
      cache: context.cache,
      pool,
      writable: options.writable,
      fresh: options.newDirectory ?? false,
    };
    this.#tools = {
      kernels: options.kernels ?? kernels(),
      pool,
      cacheBytes: context.cacheBytes,
      write: (file, offset, bytes) => this.#take(file, offset, bytes),
      claimed: (file, offset) => this.#relieve(file, offset),
      relieve: (file, offset) => this.#relieveAsync(file, offset),
      mayPass: (file, offset) => this.#mayPass(file, offset),
    };
  }

  pathOf(file: string): string {
    return `${this.directory}/${file}`;
  }

  #file(name: string): TableFile {
    if (this.#closed) {
      throw new TableError("CLOSED", "the table's files are closed", { file: this.directory });
    }
    let file = this.#files.get(name);
    if (file === undefined) {
      file = new TableFile(this.pathOf(name), this.#shared);
      this.#files.set(name, file);
    }
    return file;
  }

  #change(name: string): TableFile {
    if (!this.writable) {
      throw new TableError("READ_ONLY", "the table was opened for reading", { file: this.pathOf(name) });
    }
    return this.#file(name);
  }

  // ---- when bytes are sent: the one place that decides it

  #take(file: TableFile, offset: number, bytes: Uint8Array): void {
    if (bytes.length < BYPASS_BYTES) return this.#keep(file, offset, bytes);
    // What begins in bytes that the last commit holds and ends behind them: only the former have to wait.
    const held = Math.min(bytes.length, Math.max(0, this.#heldOf(file) - offset));
    if (bytes.length - held < BYPASS_BYTES) return this.#keep(file, offset, bytes);
    this.#commits?.announce(file, this.#nameOf(file));
    file.writeThrough(offset + held, held === 0 ? bytes : bytes.subarray(held));
    if (held > 0) this.#keep(file, offset, bytes.subarray(0, held));
  }

  #keep(file: TableFile, offset: number, bytes: Uint8Array): void {
    file.write(offset, bytes);
    this.#relieve(file, offset);
  }

  /** True when bytes from `offset` on can be sent before a commit: nothing of what the last one holds is changed. */
  #mayPass(file: TableFile, offset: number): boolean {
    if (this.#commits === null) return true;
    if (offset < file.committed()) return false;
    this.#commits.announce(file, this.#nameOf(file));
    return true;
  }

  #relieve(file: TableFile, offset: number): void {
    if (file.pendingAround(offset) >= SEND_BYTES && offset >= this.#heldOf(file)) {
      return this.#sendEarly(file);
    }
    if (file.pendingCost < SEND_BYTES) return;
    let cost = 0;
    for (const each of this.#files.values()) cost += each.pendingCost;
    if (cost > PENDING_BYTES) {
      for (const each of this.#files.values()) if (each.pendingCost > 0) this.#sendEarly(each);
    }
  }

  /** As {@linkcode #relieve}, with turns of the event loop. */
  async #relieveAsync(file: TableFile, offset: number): Promise<void> {
    if (file.pendingAround(offset) >= SEND_BYTES && offset >= this.#heldOf(file)) {
      return await this.#sendEarlyAsync(file);
    }
    if (file.pendingCost < SEND_BYTES || this.pendingBytes <= PENDING_BYTES) return;
    for (const each of this.#files.values()) if (each.pendingCost > 0) await this.#sendEarlyAsync(each);
  }

  /** Bytes of a file that can't be overwritten without a journal. */
  #heldOf(file: TableFile): number {
    return this.#commits === null ? 0 : file.committed();
  }

  #sendEarly(file: TableFile): void {
    this.#commits?.prepare(file, this.#nameOf(file));
    file.send();
    file.settle();
  }

  async #sendEarlyAsync(file: TableFile): Promise<void> {
    await this.#commits?.prepareAsync(file, this.#nameOf(file));
    await file.sendAsync();
    file.settle();
  }

  #nameOf(file: TableFile): string {
    return file.path.slice(this.directory.length + 1);
  }

  // ---- reading

  size(file: string): number {
    return this.#file(file).size();
  }

  committed(file: string): number {
    return this.#file(file).committed();
  }

  spare(file: string, offset: number, length: number): void {
    if (this.#commits !== null) this.#file(file).spare(offset, offset + length);
  }

  read(file: string, offset: number, length: number): Uint8Array {
    return this.#file(file).read(offset, length);
  }

  readInto(file: string, offset: number, target: Uint8Array): void {
    this.#file(file).fill(target, offset, target.length < BYPASS_BYTES);
  }

  gather(step: GatherStep): void {
    gather(this.#file(step.file), step, this.#tools);
  }

  readAsync(file: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#wait(async () => {
      const opened = this.#file(file);
      if (length < BYPASS_BYTES) {
        await opened.loadAsync(offset, length);
        return opened.read(offset, length);
      }
      opened.check(offset, length);
      const bytes = allocate("uint8", length);
      await opened.fillAsync(bytes, offset);
      return bytes;
    });
  }

  readIntoAsync(
    file: string,
    offset: number,
    target: Uint8Array,
    request: AsyncRequest = new AsyncRequest(),
  ): Promise<void> {
    return this.#wait(() => readIntoAsync(this.#file(file), offset, target, request));
  }

  gatherAsync(step: GatherStep, request: AsyncRequest = new AsyncRequest()): Promise<void> {
    return this.#wait(() => gatherAsync(this.#file(step.file), step, this.#tools, request));
  }

  /** True while something runs without blocking. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Counts what runs without blocking: files must not be closed under it. */
  async #wait<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await work();
    } finally {
      this.#waiting--;
    }
  }

  /**
   * Bytes of a range as mapped memory, where the backend maps and nothing of it is pending; else null. What is written
   * to it changes no file. It is detached when the files are closed.
   */
  view(file: string, offset: number, length: number): Uint8Array | null {
    return this.#file(file).mappedView(offset, length);
  }

  /**
   * Bytes of a range as mapped memory of its own, whatever the backend: it stays when files are opened anew, and is
   * detached by its `close`, or when the files are closed. What is written to it changes no file.
   *
   * @throws TableError UNSUPPORTED where there is no mapped memory, or bytes that aren't sent yet; CORRUPT past the end
   * of the file, IO
   */
  map(file: string, offset: number, length: number): MappedRange {
    if (!this.#file(file).isClean(offset, offset + length)) {
      throw new TableError("UNSUPPORTED", "bytes are not in the file yet, or change in a commit under way", {
        file: this.pathOf(file),
        offset,
      });
    }
    const range = mapRange(this.pathOf(file), offset, length, this.backend);
    this.#mapped.set(range, this.pathOf(file));
    return {
      bytes: range.bytes,
      close: () => {
        this.#mapped.delete(range);
        range.close();
      },
    };
  }

  /** Throws IO when a file became shorter under a view: what the view shows is not what was written. */
  check(): void {
    for (const file of this.#files.values()) file.checkViews();
    for (const [{ faults }, path] of this.#mapped) if (faults > 0) shortened(path);
  }

  // ---- changing

  scatter(step: ScatterStep): void {
    scatter(this.#change(step.file), step, this.#tools);
  }

  scatterAsync(step: ScatterStep, request: AsyncRequest): Promise<void> {
    return this.#wait(() => scatterAsync(this.#change(step.file), step, this.#tools, request));
  }

  write(file: string, offset: number, bytes: Uint8Array): void {
    this.#take(this.#change(file), offset, bytes);
  }

  writeAsync(file: string, offset: number, bytes: Uint8Array, request: AsyncRequest): Promise<void> {
    return this.#wait(() => sendAsync(this.#change(file), offset, bytes, this.#tools, request));
  }

  replace(file: string, bytes: Uint8Array): void {
    const opened = this.#change(file);
    opened.empty(false);
    opened.write(0, bytes);
  }

  resize(file: string, length: number, shrink: boolean): void {
    this.#change(file).resize(length, shrink);
  }

  create(file: string): void {
    this.#change(file).empty(true);
  }

  remove(file: string): void {
    this.#change(file).remove();
  }

  /** Nothing: a commit brings everything into the files at once. */
  barrier(): void {}

  /** True when something was written that wasn't sent. */
  get dirty(): boolean {
    for (const file of this.#files.values()) if (file.dirty) return true;
    return false;
  }

  /** Memory that pending bytes take. */
  get pendingBytes(): number {
    let cost = 0;
    for (const file of this.#files.values()) cost += file.pendingCost;
    return cost;
  }

  /**
   * From now on commits guard what the files hold: nothing of it is overwritten without a journal, and
   * {@linkcode commit} takes the place of {@linkcode flush}.
   */
  guard(counters: Counters): void {
    this.#shared.fresh = false;
    const file = new TableFile(this.pathOf(counters.file), this.#shared);
    this.#commits = new Commits(this.directory, this.backend, counters, file, this.#replacements);
    this.#countersFile = file;
  }

  /** Brings everything that was written into the files at once, as far as anybody can see who opens the table. */
  commit(request: CommitRequest): void {
    this.#commits!.commit(this.#files, request);
  }

  /** Shows the files as the last commit left them, which a journal tells; until {@linkcode discard} is called. */
  lay(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind !== "end" && record.kind !== "undone") this.#file(record.file).lay(record);
    }
  }

  /** True when something was sent that no commit holds yet. */
  get sentEarly(): boolean {
    return this.#commits?.active ?? false;
  }

  /** True when {@linkcode commit} takes the place of {@linkcode flush}. */
  get guarded(): boolean {
    return this.#commits !== null;
  }

  /**
   * Sends everything that was written, in ascending order within each file; `durable` also waits until the disk has
   * it, and the names of files that came or went. After an error everything that was not sent is still there.
   */
  flush(options: { durable?: boolean } = {}): void {
    for (const file of this.#files.values()) if (file.dirty) file.flush();
    for (const file of this.#files.values()) file.commit();
    if (options.durable) this.sync();
  }

  /**
   * Puts a file in another's place, after everything else that makes a new table. `durable`: the disk has all of it when
   * this returns.
   */
  complete(file: string, bytes: Uint8Array, durable: boolean): void {
    // Its name is the last to come.
    if (durable) this.#replacements.syncContents(this.#files.values());
    this.#replacements.replace(file, bytes, durable);
    if (durable) this.#replacements.syncWith([]);
  }

  /** Waits until the disk has everything that was sent, and the names of files that came or went. */
  sync(): void {
    this.#replacements.syncWith(this.#files.values());
    this.#commits?.sync();
  }

  /** Drops what was written since the last commit, after an operation that failed, and puts back what was sent. */
  discard(): void {
    if (this.#commits !== null) return this.#commits.abandon(this.#files);
    for (const file of this.#files.values()) file.discard();
  }

  /**
   * Forgets what is known of the files on the disk, or of one of them, because another process changed them. They are
   * opened anew. What was written here and not sent stays.
   */
  forget(file?: string): void {
    if (file !== undefined) this.#files.get(file)?.forget();
    else for (const each of this.#files.values()) each.forget();
  }

  /** Closes the files; what was not flushed is lost. @throws TableError BUSY while something runs without blocking */
  close(): void {
    if (this.#closed) return;
    if (this.#waiting > 0) {
      throw new TableError("BUSY", `${this.#waiting} requests are under way`, { file: this.directory });
    }
    this.#closed = true;
    for (const range of this.#mapped.keys()) range.close();
    this.#mapped.clear();
    let failure: unknown;
    for (const file of this.#files.values()) {
      try {
        file.close();
      } catch (error) {
        failure ??= error;
      }
    }
    this.#files.clear();
    for (const last of [this.#countersFile, this.#commits]) {
      try {
        last?.close();
      } catch (error) {
        failure ??= error;
      }
    }
    this.#shared.pool.clear();
    if (failure !== undefined) throw failure;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
