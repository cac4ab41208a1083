/**
 * Backend `pread`: pread and pwrite of the C library. A call costs about what the system call does, several pieces
 * that follow one another go out by one pwritev, and reads on another thread leave this one free.
 */
import { TableError } from "../error.ts";
import type { MoveList } from "../array/moves.ts";
import { library, libraryStatus } from "../../ffi/binding.ts";
import type { NativeLibrary } from "../../ffi/native-library.ts";
import { packExtents, shortExtent } from "../../ffi/native-types.ts";
import type { Backend, Handle, OpenMode, PathKind } from "./backend.ts";
import { SeekTracker } from "./counters.ts";
import { NativeIoStats } from "./native-stats.ts";
import { NodePaths } from "./node-backend.ts";
import type { Extent } from "./plan.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Reads shorter than this are made in place by `readAsync` too: handing them to another thread takes longer. */
const ASYNC_BYTES = 256 * 1024;

/** A file opened through the C library. */
export class NativeHandle implements Handle {
  readonly path: string;
  /** The descriptor, for what else the library does with it. */
  readonly fd: number;
  protected readonly native: NativeLibrary;
  protected readonly stats: NativeIoStats;
  protected readonly seek: SeekTracker;

  constructor(path: string, fd: number, native: NativeLibrary, stats: NativeIoStats) {
    this.path = path;
    this.fd = fd;
    this.native = native;
    this.stats = stats;
    this.seek = new SeekTracker(stats);
  }

  /** Throws for a result below 0. */
  protected check(result: number, call: string, offset?: number): number {
    if (result < 0) throw this.native.systemError(call, this.path, result, offset);
    return result;
  }

  read(target: Uint8Array, offset: number): number {
    const got = this.native.pread(this.fd, target as Bytes, offset, this.stats.block);
    this.check(got, "pread", offset);
    this.seek.access(offset, got);
    return got;
  }

  async readAsync(target: Uint8Array, offset: number): Promise<number> {
    if (target.length < ASYNC_BYTES) return this.read(target, offset);
    const got = await this.native.preadAsync(this.fd, target as Bytes, offset, this.stats.block);
    this.check(got, "pread", offset);
    this.seek.access(offset, got);
    return got;
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return;
    this.check(this.native.pwrite(this.fd, bytes as Bytes, offset, this.stats.block), "pwrite", offset);
    this.seek.access(offset, bytes.length);
    this.stats.alignment(offset, bytes.length);
  }

  writev(pieces: readonly Uint8Array[], offset: number): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const put = this.native.pwritev(this.fd, pieces as readonly Bytes[], offset, this.stats.block);
    this.check(put, "pwritev", offset);
    this.seek.access(offset, length);
    this.stats.alignment(offset, length);
  }

  size(): number {
    return this.check(this.native.size(this.fd, this.stats.block), "fstat");
  }

  resize(length: number): void {
    this.check(this.native.ftruncate(this.fd, length, this.stats.block), "ftruncate", length);
  }

  sync(): void {
    this.check(this.native.fdatasync(this.fd, this.stats.block), "fdatasync");
  }

  async syncAsync(): Promise<void> {
    this.check(await this.native.fdatasyncAsync(this.fd, this.stats.block), "fdatasync");
  }

  close(): void {
    this.check(this.native.close(this.fd, this.stats.block), "close");
  }
}

/** A file whose every access goes through the system's page cache. */
export class CachedHandle extends NativeHandle {
  async writeAsync(bytes: Uint8Array, offset: number): Promise<void> {
    if (bytes.length < ASYNC_BYTES) return this.write(bytes, offset);
    this.check(
      await this.native.pwriteAsync(this.fd, bytes as Bytes, offset, this.stats.block),
      "pwrite",
      offset,
    );
    this.seek.access(offset, bytes.length);
    this.stats.alignment(offset, bytes.length);
  }

  async gatherAsync(
    extents: readonly Extent[],
    moves: MoveList,
    target: Uint8Array,
    scratch: Uint8Array,
  ): Promise<boolean> {
    const first = extents[0]!, last = extents[extents.length - 1]!;
    const result = await this.native.gatherFileAsync(
      this.fd,
      packExtents(extents),
      moves,
      target as Bytes,
      scratch as Bytes,
      this.stats.block,
    );
    this.seek.access(first.offset, last.offset + last.length - first.offset);
    if (shortExtent(result) >= 0) return false;
    this.check(result, "pread", first.offset);
    return true;
  }

  async scatterAsync(
    extent: Extent,
    moves: MoveList,
    source: Uint8Array,
    scratch: Uint8Array,
  ): Promise<void> {
    const { fd, native, stats } = this, { offset, length } = extent;
    const result = await native.scatterFileAsync(
      fd,
      extent,
      moves,
      source as Bytes,
      scratch as Bytes,
      stats.block,
    );
    this.check(result, "pwrite", offset);
    this.seek.access(offset, length);
    this.stats.alignment(offset, length);
  }
}

const FLAGS = {
  read: {},
  update: { write: true },
  create: { write: true, create: true, truncate: true },
} as const satisfies Record<OpenMode, object>;

/** What backends of the C library share. */
export abstract class NativeBackend extends NodePaths {
  declare readonly stats: NativeIoStats;
  protected readonly native: NativeLibrary;

  /** @throws TableError UNSUPPORTED where the library is not there */
  constructor(name: string) {
    super(new NativeIoStats());
    const native = library();
    if (native === null) {
      throw new TableError(
        "UNSUPPORTED",
        `I/O backend ${name} needs the C library: ${libraryStatus().reason}`,
      );
    }
    this.native = native;
  }

  override kind(path: string, { noFollow = false }: { noFollow?: boolean } = {}): PathKind | null {
    const found = this.native.kind(path, !noFollow, this.stats.block);
    if (typeof found === "number") throw this.native.systemError("stat", path, found);
    return found;
  }

  override remove(path: string): void {
    this.stats.count("unlink");
    const result = this.native.unlink(path);
    if (result < 0) throw this.native.systemError("unlink", path, result);
  }

  syncAll(files: readonly Handle[], directory: string | null): void {
    const { native, stats } = this, folder = directory === null ? -1 : this.descriptor(directory, "read");
    const descriptors = files.map((file) => (file as NativeHandle).fd);
    try {
      const result = native.syncAll(descriptors, folder < 0 ? [] : [folder], stats.block);
      if (result < 0) throw native.systemError("fdatasync", files[0]?.path ?? directory!, result);
    } finally {
      if (folder >= 0) native.close(folder, stats.block);
    }
  }

  protected descriptor(path: string, mode: OpenMode): number {
    const fd = this.native.open(path, FLAGS[mode], this.stats.block);
    if (fd < 0) throw this.native.systemError("open", path, fd);
    return fd;
  }
}

/** Backend `pread`. */
export class PreadBackend extends NativeBackend implements Backend {
  readonly name = "pread";

  constructor() {
    super("pread");
  }

  open(path: string, mode: OpenMode): Handle {
    return new CachedHandle(path, this.descriptor(path, mode), this.native, this.stats);
  }
}
