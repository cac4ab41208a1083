/**
 * The functions of the C library: the only file that calls `Deno.dlopen`. Each call gives what C gives, a result >= 0 or
 * -errno; {@linkcode NativeLibrary.systemError} makes the TableError of that.
 */
import type { Kernels } from "../src/array/kernels.ts";
import type { MoveList } from "../src/array/moves.ts";
import { checkBatch } from "../src/array/refuse.ts";
import { TableError } from "../src/error.ts";
import { gathered, listOf, nativeKernels } from "./native-kernels.ts";
import {
  DIRECT_REASONS,
  type DirectFile,
  type ExtentPlace,
  LOCK_CODES,
  type LockKind,
  type NativePathKind,
  type NativeStat,
  type NativeStats,
  type OpenFlags,
  PATH_KINDS,
} from "./native-types.ts";
import { SYMBOLS, type Symbols } from "./symbols.ts";

/**
 * The loaded library. Where nothing else is said, a method returns what was asked for (>= 0) or -errno, moves all
 * bytes or up to the end of the file, and counts into `stats` unless that is null.
 *
 * Methods ending in `Async` do the same on another thread. Their buffers are borrowed until the promise settles: they
 * must not be transferred, and what they belong to (descriptor, map) must not be closed.
 */
export class NativeLibrary {
  /** Where it was loaded from. */
  readonly path: string;
  /** The inner loops in C. */
  readonly kernels: Kernels;
  /** The functions themselves, for the other files of this folder. */
  readonly symbols: Symbols;

  /** Binds the library at `path`. @throws whatever `Deno.dlopen` does */
  constructor(path: string) {
    this.path = path;
    this.symbols = bind(path);
    this.kernels = nativeKernels(this.symbols);
  }

  /** Bytes of a page of memory. */
  get pageSize(): number {
    return this.symbols.tessera_page_size();
  }

  /** True where byte-range locks belong to the open file description; else they belong to the process. */
  get descriptionLocks(): boolean {
    return this.symbols.tessera_lock_owner() === 1;
  }

  /** What is at a path, null if nothing is; a number is -errno. With `follow` a symbolic link is what it leads to. */
  kind(path: string, follow: boolean, stats: NativeStats | null = null): NativePathKind | null | number {
    // No file has such a name.
    if (path.includes("\0")) return null;
    const found = this.symbols.tessera_kind(encoder.encode(path + "\0"), follow ? 1 : 0, stats);
    return found < 0 ? found : PATH_KINDS[found]!;
  }

  /** Removes the name of a file. */
  unlink(path: string): number {
    if (path.includes("\0")) {
      throw new TableError("INVALID_ARGUMENT", "a path has no NUL character", { file: path });
    }
    return this.symbols.tessera_unlink(encoder.encode(path + "\0"));
  }

  /** Opens a file or a directory: its descriptor, which no child process inherits. */
  open(path: string, flags: OpenFlags, stats: NativeStats | null = null): number {
    if (path.includes("\0")) {
      throw new TableError("INVALID_ARGUMENT", "a path has no NUL character", { file: path });
    }
    const bits = (flags.write ? 1 : 0) | (flags.create ? 2 : 0) | (flags.exclusive ? 4 : 0) |
      (flags.truncate ? 8 : 0);
    return this.symbols.tessera_open(encoder.encode(path + "\0"), bits, stats);
  }

  /** Closes a descriptor. */
  close(fd: number, stats: NativeStats | null = null): number {
    return this.symbols.tessera_close(fd, stats);
  }

  /** Reads at an offset: the number of bytes, fewer than `target` has only at the end of the file. */
  pread(
    fd: number,
    target: Uint8Array<ArrayBuffer>,
    offset: number,
    stats: NativeStats | null = null,
  ): number {
    return this.symbols.tessera_pread(fd, target, target.byteLength, offset, stats);
  }

  /** Writes all of `source` at an offset. */
  pwrite(
    fd: number,
    source: Uint8Array<ArrayBuffer>,
    offset: number,
    stats: NativeStats | null = null,
  ): number {
    return this.symbols.tessera_pwrite(fd, source, source.byteLength, offset, stats);
  }

  /** Reads consecutive bytes into several buffers. */
  preadv(
    fd: number,
    targets: readonly Uint8Array<ArrayBuffer>[],
    offset: number,
    stats: NativeStats | null = null,
  ): number {
    const segments = this.#segments(targets);
    return this.symbols.tessera_preadv(fd, segments, targets.length, offset, stats);
  }

  /** Writes several buffers one behind the other. */
  pwritev(
    fd: number,
    sources: readonly Uint8Array<ArrayBuffer>[],
    offset: number,
    stats: NativeStats | null = null,
  ): number {
    const segments = this.#segments(sources);
    return this.symbols.tessera_pwritev(fd, segments, sources.length, offset, stats);
  }

  /** {@linkcode pread} on another thread. */
  async preadAsync(
    fd: number,
    target: Uint8Array<ArrayBuffer>,
    offset: number,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const result = await this.symbols.pread_async(fd, target, target.byteLength, offset, stats);
    keep(target, stats);
    return result;
  }

  /** {@linkcode pwrite} on another thread. */
  async pwriteAsync(
    fd: number,
    source: Uint8Array<ArrayBuffer>,
    offset: number,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const result = await this.symbols.pwrite_async(fd, source, source.byteLength, offset, stats);
    keep(source, stats);
    return result;
  }

  /** {@linkcode preadv} on another thread. */
  async preadvAsync(
    fd: number,
    targets: readonly Uint8Array<ArrayBuffer>[],
    offset: number,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const segments = this.#segments(targets);
    const result = await this.symbols.preadv_async(fd, segments, targets.length, offset, stats);
    keep(segments, targets, stats);
    return result;
  }

  /** {@linkcode pwritev} on another thread. */
  async pwritevAsync(
    fd: number,
    sources: readonly Uint8Array<ArrayBuffer>[],
    offset: number,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const segments = this.#segments(sources);
    const result = await this.symbols.pwritev_async(fd, segments, sources.length, offset, stats);
    keep(segments, sources, stats);
    return result;
  }

  /**
   * Opens the file of a descriptor anew, past the page cache; a text says why that can't be. Both descriptors must be
   * closed.
   */
  directOpen(fd: number, writing: boolean, stats: NativeStats | null = null): DirectFile | string {
    const found = new Float64Array(3);
    const direct = this.symbols.tessera_direct_open(fd, writing ? 1 : 0, found, stats);
    if (direct < 0) return this.#directReason(found, direct);
    return { fd: direct, memory: found[0]!, block: found[1]! };
  }

  /** Tries a file without a name in a directory: "" when it can be written past the page cache, else why not. */
  directTry(directory: string): string {
    const found = new Float64Array(3);
    const result = this.symbols.tessera_direct_try(encoder.encode(directory + "\0"), found);
    return result < 0 ? this.#directReason(found, result) : "";
  }

  #directReason(found: Float64Array, error: number): string {
    return DIRECT_REASONS[found[2]!]!(this.errnoName(error));
  }

  /**
   * {@linkcode pread} past the page cache. `scratch` begins at a multiple of the alignment; bytes that went straight and
   * bytes that were copied on the way are added to `moved`.
   */
  directRead(
    fd: number,
    direct: DirectFile,
    target: Uint8Array<ArrayBuffer>,
    offset: number,
    scratch: Uint8Array<ArrayBuffer>,
    moved: Float64Array<ArrayBuffer>,
    stats: NativeStats | null = null,
  ): number {
    return this.symbols.tessera_direct_read(
      ...directly(fd, direct, target, offset, scratch, moved, stats, false),
    );
  }

  /** {@linkcode directRead} on another thread. */
  async directReadAsync(
    fd: number,
    direct: DirectFile,
    target: Uint8Array<ArrayBuffer>,
    offset: number,
    scratch: Uint8Array<ArrayBuffer>,
    moved: Float64Array<ArrayBuffer>,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const request = directly(fd, direct, target, offset, scratch, moved, stats, false);
    const result = await this.symbols.direct_read_async(...request);
    keep(request);
    return result;
  }

  /**
   * {@linkcode pwrite} past the page cache; otherwise as {@linkcode directRead}. `alone`: nobody else writes to the file
   * meanwhile. It may then be longer for a moment than it is going to be.
   */
  directWrite(
    fd: number,
    direct: DirectFile,
    source: Uint8Array<ArrayBuffer>,
    offset: number,
    scratch: Uint8Array<ArrayBuffer>,
    moved: Float64Array<ArrayBuffer>,
    stats: NativeStats | null = null,
    options: { alone: boolean } = { alone: false },
  ): number {
    return this.symbols.tessera_direct_write(
      ...directly(fd, direct, source, offset, scratch, moved, stats, options.alone),
    );
  }

  /**
   * {@linkcode directWrite} on another thread, and beside other writes to the file. Where `source` is aligned only the
   * system looks at it, which says EFAULT where memory is gone.
   */
  async directWriteAsync(
    fd: number,
    direct: DirectFile,
    source: Uint8Array<ArrayBuffer>,
    offset: number,
    scratch: Uint8Array<ArrayBuffer>,
    moved: Float64Array<ArrayBuffer>,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const request = directly(fd, direct, source, offset, scratch, moved, stats, false);
    const result = await this.symbols.direct_write_async(...request);
    keep(request);
    return result;
  }

  /** Size, kind and identity of an open file; a number is -errno. */
  fstat(fd: number, stats: NativeStats | null = null): NativeStat | number {
    const found = new Float64Array(7);
    const status = this.symbols.tessera_fstat(fd, found, stats);
    if (status < 0) return status;
    const [size, kind, device, high, low, seconds, nanoseconds] = found as unknown as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return {
      size,
      kind: kind === 1 ? "file" : kind === 2 ? "directory" : "other",
      identity: `${device}:${BigInt(high) * 0x100000000n + BigInt(low)}`,
      modified: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    };
  }

  /** Size of an open file in bytes. */
  size(fd: number, stats: NativeStats | null = null): number {
    const found = new Float64Array(7);
    const status = this.symbols.tessera_fstat(fd, found, stats);
    return status < 0 ? status : found[0]!;
  }

  /** Cuts a file, or lengthens it with zeros. */
  ftruncate(fd: number, length: number, stats: NativeStats | null = null): number {
    return this.symbols.tessera_ftruncate(fd, length, stats);
  }

  /** Returns when data and size are on the disk. */
  fdatasync(fd: number, stats: NativeStats | null = null): number {
    return this.symbols.tessera_fdatasync(fd, stats);
  }

  /** Returns when data and everything about the file are on the disk; for directories too. */
  fsync(fd: number, stats: NativeStats | null = null): number {
    return this.symbols.tessera_fsync(fd, stats);
  }

  /**
   * Waits for several files at once, {@linkcode fdatasync} of `files` and {@linkcode fsync} of `directories`; -errno of one
   * that failed. Threads of the call's own wait, and are gone when it returns.
   */
  syncAll(
    files: readonly number[],
    directories: readonly number[],
    stats: NativeStats | null = null,
  ): number {
    const fds = Int32Array.from([...files, ...directories]);
    return this.symbols.tessera_sync_all(fds, fds.length, files.length, stats);
  }

  /** {@linkcode fdatasync} on another thread. */
  async fdatasyncAsync(fd: number, stats: NativeStats | null = null): Promise<number> {
    const result = await this.symbols.fdatasync_async(fd, stats);
    keep(stats);
    return result;
  }

  /** Asks the system to drop a file's clean pages from its cache (`length` 0: to the end); -ENOSYS on macOS. */
  forget(fd: number, offset: number, length: number, stats: NativeStats | null = null): number {
    return this.symbols.tessera_forget(fd, offset, length, stats);
  }

  /** Locks or unlocks `length` bytes from `start` (0: to infinity) without waiting; -EAGAIN when another has them. */
  lock(fd: number, kind: LockKind, start: number, length: number, stats: NativeStats | null = null): number {
    return this.symbols.tessera_lock(fd, LOCK_CODES[kind], start, length, stats);
  }

  /** The lock that keeps us from getting one: `"unlock"` for none; a number is -errno. */
  lockTest(
    fd: number,
    kind: "read" | "write",
    start: number,
    length: number,
    stats: NativeStats | null = null,
  ): LockKind | number {
    const found = this.symbols.tessera_lock_test(fd, LOCK_CODES[kind], start, length, stats);
    return found < 0 ? found : found === 0 ? "unlock" : found === 1 ? "read" : "write";
  }

  /** The address of a buffer's first byte, as a number; 0 for an empty one. */
  address(buffer: Uint8Array<ArrayBuffer>): number {
    return this.symbols.tessera_address(buffer);
  }

  /**
   * Pages of any view, of any isolate, that were lost because their file became shorter: a number that only grows, so
   * that comparing it with the last one tells cheaply whether to look at a view's own count.
   */
  mapFaults(): number {
    return this.symbols.tessera_map_faults();
  }

  /**
   * Reads extents of a file and moves boxes from them into `array`, in one call for all of them. Extents that follow
   * one another in the file are read together as far as `scratch` reaches, which must hold the largest.
   *
   * @returns 0, -errno, or a result of which {@linkcode shortExtent} tells the extent that the file ended before.
   * @throws RangeError for a move that leaves its extent or the array; nothing has been read or moved then.
   */
  gatherFile(
    fd: number,
    extents: Float64Array<ArrayBuffer>,
    moves: MoveList,
    array: Uint8Array<ArrayBuffer>,
    scratch: Uint8Array<ArrayBuffer>,
    stats: NativeStats | null = null,
  ): number {
    return gathered(
      moves,
      this.symbols.tessera_gather_file(
        fd,
        extents,
        extents.length / 4,
        ...listOf(moves),
        array,
        array.byteLength,
        scratch,
        scratch.byteLength,
        stats,
      ),
    );
  }

  /** {@linkcode gatherFile} on another thread. */
  async gatherFileAsync(
    fd: number,
    extents: Float64Array<ArrayBuffer>,
    moves: MoveList,
    array: Uint8Array<ArrayBuffer>,
    scratch: Uint8Array<ArrayBuffer>,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const list = listOf(moves);
    const result = await this.symbols.gather_file_async(
      fd,
      extents,
      extents.length / 4,
      ...list,
      array,
      array.byteLength,
      scratch,
      scratch.byteLength,
      stats,
    );
    keep(extents, list, array, scratch, stats);
    return gathered(moves, result);
  }

  /**
   * Lays moves of an extent over zeros in `scratch`, which is as long as the extent, and writes that at its offset, on
   * another thread.
   *
   * @returns 0 or -errno
   * @throws RangeError for a move that leaves the extent or the array; nothing has been written then
   */
  async scatterFileAsync(
    fd: number,
    extent: ExtentPlace,
    moves: MoveList,
    array: Uint8Array<ArrayBuffer>,
    scratch: Uint8Array<ArrayBuffer>,
    stats: NativeStats | null = null,
  ): Promise<number> {
    const { offset, length, firstMove, moveCount } = extent;
    checkBatch(moves, firstMove, moveCount, offset);
    const [data, , ...kind] = listOf(moves);
    const result = await this.symbols.scatter_file_async(
      fd,
      offset,
      length,
      data,
      firstMove,
      moveCount,
      ...kind,
      array,
      array.byteLength,
      scratch,
      scratch.byteLength,
      stats,
    );
    keep(data, array, scratch, stats);
    return gathered(moves, result);
  }

  /**
   * A TableError for a call that gave `-errno`: NOT_FOUND for ENOENT, EXISTS for EEXIST, else IO. The message names
   * the path, the call, and the error in words and by name.
   *
   * @param result What the call gave, or the error number itself: the sign is ignored.
   */
  systemError(call: string, path: string, result: number, offset?: number): TableError {
    const errno = Math.abs(result);
    const name = this.#text(this.symbols.tessera_errno_name, errno);
    const code = name === "ENOENT" ? "NOT_FOUND" : name === "EEXIST" ? "EXISTS" : "IO";
    const text = this.#text(this.symbols.tessera_errno_text, errno);
    return new TableError(code, `${call} failed: ${text} (${name})`, { file: path, errno, offset });
  }

  /** The name of an error number, e.g. `EAGAIN`; the sign is ignored. */
  errnoName(result: number): string {
    return this.#text(this.symbols.tessera_errno_name, Math.abs(result));
  }

  #text(ask: Symbols["tessera_errno_name"], errno: number): string {
    const text = new Uint8Array(256);
    return new TextDecoder().decode(text.subarray(0, ask(errno, text, text.byteLength)));
  }

  #segments(buffers: readonly Uint8Array<ArrayBuffer>[]): Float64Array<ArrayBuffer> {
    const segments = new Float64Array(buffers.length * 2);
    buffers.forEach((buffer, i) => {
      segments[2 * i] = this.symbols.tessera_address(buffer);
      segments[2 * i + 1] = buffer.byteLength;
    });
    return segments;
  }
}

const encoder = new TextEncoder();

/** Keeps what it is given from being collected while C works on it: it is still in use when the call returns. */
function keep(..._used: unknown[]): void {}

/** The parameters of a transfer past the page cache. */
function directly(
  fd: number,
  direct: DirectFile,
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
  scratch: Uint8Array<ArrayBuffer>,
  moved: Float64Array<ArrayBuffer>,
  stats: NativeStats | null,
  alone: boolean,
) {
  return [
    fd,
    direct.fd,
    bytes,
    bytes.byteLength,
    offset,
    Float64Array.of(direct.memory, direct.block, alone ? 1 : 0),
    scratch,
    scratch.byteLength,
    moved,
    stats,
  ] as const;
}

/** True where libraries can be opened at all. */
export function hasForeignFunctions(): boolean {
  return typeof Deno !== "undefined" && typeof Deno.dlopen === "function";
}

/**
 * The functions of the library at `path`, each bound when it is first looked at: the engine compiles an entry of its
 * own for every one, at 0.2 ms, and most programs need a few.
 */
function bind(path: string): Symbols {
  const symbols = {} as Record<string, unknown>;
  const add = (name: keyof typeof SYMBOLS) => {
    const bound = Deno.dlopen(path, { [name]: SYMBOLS[name] }).symbols[name];
    Object.defineProperty(symbols, name, { value: bound, enumerable: true });
    return bound;
  };
  for (const name of Object.keys(SYMBOLS) as (keyof typeof SYMBOLS)[]) {
    Object.defineProperty(symbols, name, { get: () => add(name), configurable: true, enumerable: true });
  }
  add("tessera_open"); // a library that can't be loaded says so now
  return symbols as Symbols;
}
