/**
 * A dry run: everything is done that reading a table takes, but values that only go to the caller are not read.
 *
 * | what a plan asks for | what is done |
 * | --- | --- |
 * | sizes; headers, indices, strings: bytes that it looks at | they are read, and counted; with a file's size its first page |
 * | values for an array of the caller (see {@linkcode DryRun.expect}) | they are counted, by the same code that would read them, down to the one call of the backend |
 *
 * So pages go into the cache and out of it, ranges merge and sizes are learnt as they would. A page that was only counted
 * is *hollow*: when a plan looks at bytes of a file that has such pages they are taken past the counters.
 */
import { TableError } from "../error.ts";
import { kernels } from "../array/choose.ts";
import type { Kernels } from "../array/kernels.ts";
import type { Backend, Handle, IoName, OpenMode, PathKind } from "./backend.ts";
import { Context } from "./context.ts";
import { IoStats, SeekTracker } from "./counters.ts";
import { TableFiles, type TableFilesOptions } from "./files.ts";
import type { GatherStep } from "./plan.ts";
import { wantedBytes } from "./spans.ts";

/** Cache for what is read past the counters. */
const TRUTH_CACHE_BYTES = 4 * 1024 * 1024;

/** One read call on a file. */
export interface DryRead {
  readonly offset: number;
  readonly length: number;
}

/** What was done to one file. */
export interface DryFile {
  readonly path: string;
  /** Read calls, in order. */
  readonly reads: DryRead[];
  /** Reads that did not start where the last one ended. */
  seeks: number;
  /** Ranges that plans asked for: first byte and byte after the last of one after the other. */
  readonly asked: number[];
}

/** What a run knows that is under way. */
class Ledger {
  readonly files = new Map<string, DryFile>();
  /** Memory that nobody looks at. */
  readonly results = new Set<ArrayBufferLike>();
  /** True while nothing has to be brought, only counted. */
  hollow = false;
  /** Files with hollow pages. */
  readonly hollowFiles = new Set<string>();
  wanted = 0;

  file(path: string): DryFile {
    let file = this.files.get(path);
    if (file === undefined) {
      this.files.set(path, file = { path, reads: [], seeks: 0, asked: [] });
    }
    return file;
  }
}

/** The context to open a table with, and what was counted since. */
export class DryRun {
  /** For `Table.open`; its cache is cold. */
  readonly context: Context;
  readonly #ledger = new Ledger();

  /** @param cacheBytes Bound of the page cache; 64 MiB if left out */
  constructor(options: { readonly cacheBytes?: number | undefined; readonly source?: Backend } = {}) {
    const { cacheBytes, source } = options, ledger = this.#ledger;
    this.context = new Context(cacheBytes === undefined ? {} : { cacheBytes });
    this.context.wrapBackend = (backend) => new DryBackend(source ?? backend, ledger);
    this.context.makeFiles = (directory, backend, more) =>
      new DryFiles(directory, backend as DryBackend, more, ledger);
  }

  /** From now on bytes that are asked for in this memory are not brought. */
  expect(result: Uint8Array): void {
    this.#ledger.results.add(result.buffer);
  }

  /** Nobody asks for bytes in any memory that was told of. */
  settled(): void {
    this.#ledger.results.clear();
  }

  /** Files that were read, in the order of their first read. */
  get files(): readonly DryFile[] {
    return [...this.#ledger.files.values()];
  }

  /** Bytes of the values that were asked for and not brought: as they are in the file, without what lies between. */
  get wantedBytes(): number {
    return this.#ledger.wanted;
  }

  /** Forgets what was counted of files; what is in the cache stays. */
  reset(): void {
    this.#ledger.files.clear();
    this.#ledger.wanted = 0;
  }
}

// ---- files

/** Files whose values are only counted. */
class DryFiles extends TableFiles {
  readonly #ledger: Ledger;
  readonly #inner: Backend;
  /** What is looked at in files with hollow pages. */
  #truth: TableFiles | null = null;

  constructor(directory: string, backend: DryBackend, options: TableFilesOptions, ledger: Ledger) {
    super(directory, backend, { ...options, kernels: hollowKernels(options.kernels ?? kernels(), ledger) });
    this.#ledger = ledger;
    this.#inner = backend.inner;
  }

  #true(): TableFiles {
    return this.#truth ??= new TableFiles(this.directory, this.#inner, {
      writable: false,
      context: new Context({ cacheBytes: TRUTH_CACHE_BYTES }),
    });
  }

  #isHollow(file: string): boolean {
    return this.#ledger.hollowFiles.has(this.pathOf(file));
  }

  #hollow(file: string, work: () => void): void {
    const ledger = this.#ledger;
    ledger.hollowFiles.add(this.pathOf(file));
    ledger.hollow = true;
    try {
      work();
    } finally {
      ledger.hollow = false;
    }
  }

  #ask(file: string, offset: number, length: number): void {
    this.#ledger.file(this.pathOf(file)).asked.push(offset, offset + length);
  }

  override read(file: string, offset: number, length: number): Uint8Array {
    this.#ask(file, offset, length);
    const bytes = super.read(file, offset, length);
    return this.#isHollow(file) ? this.#true().read(file, offset, length).slice() : bytes;
  }

  override readInto(file: string, offset: number, target: Uint8Array): void {
    this.#ask(file, offset, target.length);
    if (!this.#ledger.results.has(target.buffer)) {
      super.readInto(file, offset, target);
      if (this.#isHollow(file)) this.#true().readInto(file, offset, target);
      return;
    }
    this.#ledger.wanted += target.length;
    this.#hollow(file, () => super.readInto(file, offset, target));
  }

  override gather(step: GatherStep): void {
    const { file, extents, moves } = step;
    for (const { offset, length } of extents) this.#ask(file, offset, length);
    if (!this.#ledger.results.has(step.target.buffer)) {
      super.gather(step);
      if (this.#isHollow(file)) this.#true().gather(step);
      return;
    }
    for (const { firstMove, moveCount } of extents) {
      for (let i = firstMove; i < firstMove + moveCount; i++) this.#ledger.wanted += wantedBytes(moves, i);
    }
    this.#hollow(file, () => super.gather(step));
  }

  override close(): void {
    this.#truth?.close();
    super.close();
  }
}

/** Kernels that move nothing while there is nothing to be moved. */
function hollowKernels(base: Kernels, ledger: Ledger): Kernels {
  return {
    name: base.name,
    swap: (bytes, unit) => ledger.hollow ? undefined : base.swap(bytes, unit),
    crc32c: (...args) => base.crc32c(...args),
    unpackBits: (...args) => base.unpackBits(...args),
    packBits: (...args) => base.packBits(...args),
    gather: (...args) => ledger.hollow ? undefined : base.gather(...args),
    scatter: (...args) => base.scatter(...args),
    decodeSymbols: (...args) => base.decodeSymbols(...args),
    encodeVisibilities: (...args) => base.encodeVisibilities(...args),
    encodeWeights: (...args) => base.encodeWeights(...args),
  };
}

// ---- the backend

/** Counts what `pread` would; never writes. */
class DryBackend implements Backend {
  readonly name: IoName;
  readonly stats: IoStats = new IoStats();
  readonly inner: Backend;
  readonly #ledger: Ledger;

  constructor(inner: Backend, ledger: Ledger) {
    this.inner = inner;
    this.name = inner.name;
    this.#ledger = ledger;
  }

  open(path: string, mode: OpenMode): Handle {
    this.stats.count("open");
    if (mode !== "read") return refuse(path);
    return new DryHandle(this.inner.open(path, mode), this.stats, this.#ledger);
  }

  kind(path: string, options?: { noFollow?: boolean }): PathKind | null {
    this.stats.count("stat");
    return this.inner.kind(path, options);
  }

  realPath(path: string): string {
    this.stats.count("stat");
    return this.inner.realPath(path);
  }

  list(path: string): string[] {
    this.stats.count("list");
    return this.inner.list(path);
  }

  makeDirectory(path: string): void {
    refuse(path);
  }
  removeDirectory(path: string): void {
    refuse(path);
  }
  rename(from: string): void {
    refuse(from);
  }
  remove(path: string): void {
    refuse(path);
  }
  syncDirectory(path: string): void {
    refuse(path);
  }
}

function refuse(path: string): never {
  throw new TableError("READ_ONLY", "a dry run changes nothing", { file: path });
}

class DryHandle implements Handle {
  readonly path: string;
  readonly #inner: Handle;
  readonly #stats: IoStats;
  readonly #seek: SeekTracker;
  readonly #ledger: Ledger;
  #size = -1;

  constructor(inner: Handle, stats: IoStats, ledger: Ledger) {
    this.path = inner.path;
    this.#inner = inner;
    this.#stats = stats;
    this.#seek = new SeekTracker(stats);
    this.#ledger = ledger;
  }

  read(target: Uint8Array, offset: number): number {
    this.#stats.count("read");
    const got = this.#ledger.hollow ? this.#there(offset, target.length) : this.#inner.read(target, offset);
    const before = this.#stats.seeks;
    this.#seek.access(offset, got);
    this.#stats.bytesRead += got;
    const file = this.#ledger.file(this.path);
    file.reads.push({ offset, length: got });
    file.seeks += this.#stats.seeks - before;
    return got;
  }

  /** Bytes of a range that the file has. */
  #there(offset: number, length: number): number {
    if (this.#size < offset + length) this.#size = this.#inner.size();
    return Math.max(0, Math.min(length, this.#size - offset));
  }

  readAsync(target: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve) => resolve(this.read(target, offset)));
  }

  size(): number {
    this.#stats.count("stat");
    return this.#inner.size();
  }

  close(): void {
    this.#stats.count("close");
    this.#inner.close();
  }

  write(): void {
    refuse(this.path);
  }
  resize(): void {
    refuse(this.path);
  }
  sync(): void {
    refuse(this.path);
  }
}
