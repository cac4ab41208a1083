/**
 * The C library, bound: the only file that calls `Deno.dlopen`.
 *
 * {@linkcode library} loads it on first use, from `ffi/lib` or from the user's cache folder, and gives null when it
 * is not there, may not be loaded without a prompt, or this isn't Deno. Callers then use `node:fs` and the TypeScript
 * twins (`src/array/choose.ts`).
 *
 * Calls give what C gives: a result >= 0, or -errno; {@linkcode NativeLibrary.systemError} makes the TableError.
 *
 * Statistics: a block of 64-bit counters, 42 a kind, at `42 × kind`:
 *
 * | word | meaning |
 * | --- | --- |
 * | 0 | calls into the system; a call repeated after EINTR or a short transfer counts again |
 * | 1 | bytes moved |
 * | 2 + b | calls that took 2^b <= nanoseconds < 2^(b + 1); b = 0 … 39, the first and last also what is beyond |
 */
import { TableError } from "../src/error.ts";
import type { Kernels } from "../src/array/kernels.ts";
import type { MoveList } from "../src/array/moves.ts";
import { badMove, checkBatch, checkBits, checkSwap } from "../src/array/refuse.ts";
import { checkSymbols } from "../src/array/symbols.ts";
import { BLOCK_SCALINGS, checkVisibilities } from "../src/array/visibility-block.ts";
import { checkWeights } from "../src/array/weight-block.ts";
import { cacheFolder, environment, libraryName, treeFolder } from "./paths.ts";
import { SYMBOLS, type Symbols } from "./symbols.ts";

/** Kinds of a statistics block, in its order; `copy` is a copy out of mapped memory, which is no system call. */
export const STAT_KINDS = [
  "open",
  "close",
  "read",
  "write",
  "readv",
  "writev",
  "stat",
  "truncate",
  "sync",
  "map",
  "unmap",
  "advise",
  "msync",
  "lock",
  "copy",
] as const;

/** One kind of a statistics block. */
export type StatKind = (typeof STAT_KINDS)[number];

/** Buckets of each latency histogram. */
export const STAT_BUCKETS = 40;
const STAT_WORDS = 2 + STAT_BUCKETS;

/** Counters that the library adds to; null where a call takes one: don't count. */
export type NativeStats = BigUint64Array<ArrayBuffer>;

/** A statistics block with everything at 0; set it to 0 again with `fill(0n)`. */
export function newStats(): NativeStats {
  return new BigUint64Array(STAT_KINDS.length * STAT_WORDS);
}

/** Calls, bytes and latency histogram (entry b: 2^b to 2^(b+1) nanoseconds) of one kind. */
export function statsOf(
  stats: NativeStats,
  kind: StatKind,
): { calls: number; bytes: number; histogram: number[] } {
  const block = stats.subarray(STAT_KINDS.indexOf(kind) * STAT_WORDS).subarray(0, STAT_WORDS);
  return {
    calls: Number(block[0]),
    bytes: Number(block[1]),
    histogram: Array.from(block.subarray(2), Number),
  };
}

/** How {@linkcode NativeLibrary.open} opens; leave all out to read. */
export interface OpenFlags {
  /** For reading and writing. */
  write?: boolean;
  /** Makes the file when it isn't there. */
  create?: boolean;
  /** With `create`: EEXIST when it is there. */
  exclusive?: boolean;
  /** Empties it. */
  truncate?: boolean;
}

/** What `fstat` says of an open file. */
export interface NativeStat {
  /** Bytes. */
  size: number;
  kind: "file" | "directory" | "other";
  /** Device and inode, the same for two descriptors of one file: `device:inode`. */
  identity: string;
  /** Time of the last modification in nanoseconds since 1970. */
  modified: bigint;
}

/** What is at a path. */
export type NativePathKind = "file" | "directory" | "link" | "other";
/** By the numbers of the library. */
const PATH_KINDS: readonly (NativePathKind | null)[] = [null, "file", "directory", "link", "other"];

/** Kinds of byte-range locks. */
export type LockKind = "unlock" | "read" | "write";

/** Where an extent lies, and which moves of a list take from it (as `Extent` of the I/O floor). */
export interface ExtentPlace {
  /** Bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  readonly firstMove: number;
  readonly moveCount: number;
}

/** A file opened past the page cache: its second descriptor, and what transfers have to keep to. */
export interface DirectFile {
  /** The descriptor with O_DIRECT. */
  readonly fd: number;
  /** Bytes of which addresses in memory must be multiples. */
  readonly memory: number;
  /** Bytes of which offsets and lengths in the file must be multiples. */
  readonly block: number;
}

/** Why a file can't be opened past the page cache, by the numbers of the library. */
const DIRECT_REASONS: readonly ((error: string) => string)[] = [
  (error) => `it can't be tried (${error})`,
  () => "this system has no O_DIRECT",
  () => "it lies in a file system in memory, without a disk to write to",
  (error) => `its file system refuses O_DIRECT (${error})`,
  () => "its file system has no O_DIRECT for this file",
];

/** What a caller is going to do with mapped memory. */
export type Advice = "normal" | "sequential" | "random" | "willNeed" | "dontNeed";

const LOCK_CODES: Readonly<Record<LockKind, number>> = { unlock: 0, read: 1, write: 2 };
const SHORT = 1_000_000;

/** Extents as the library takes them. */
export function packExtents(extents: readonly ExtentPlace[]): Float64Array<ArrayBuffer> {
  const packed = new Float64Array(extents.length * 4);
  extents.forEach((extent, i) => {
    packed[4 * i] = extent.offset;
    packed[4 * i + 1] = extent.length;
    packed[4 * i + 2] = extent.firstMove;
    packed[4 * i + 3] = extent.moveCount;
  });
  return packed;
}

/** The extent that the file ended before, from the result of a gather; -1 for any other result. */
export function shortExtent(result: number): number {
  return result <= -SHORT ? -SHORT - result : -1;
}

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

/** The parameters that say which moves: doubles, count, kind, ndim, element, unit. */
export function listOf(
  moves: MoveList,
): [Float64Array<ArrayBuffer>, number, number, number, number, number] {
  checkBatch(moves, 0, moves.count, 0);
  return [
    moves.data,
    moves.count,
    moves.kind === "bits" ? 1 : 0,
    moves.ndim,
    moves.elementSize,
    moves.swapUnit,
  ];
}

/** Turns a bad move (1 + its number) into its RangeError and hands on every other result. */
export function gathered(moves: MoveList, result: number): number {
  if (result > 0) throw badMove(moves, result - 1);
  return result;
}

function nativeKernels(symbols: Symbols): Kernels {
  type Bytes = Uint8Array<ArrayBuffer>;
  /** A box of symbols, for the time of a call. */
  const numbers = new Float64Array(10);
  return {
    name: "native",
    swap(bytes, unit) {
      checkSwap(bytes.byteLength, unit);
      symbols.tessera_swap(bytes as Bytes, bytes.byteLength, unit);
    },
    crc32c(bytes, seed) {
      return symbols.tessera_crc32c(bytes as Bytes, bytes.byteLength, seed) >>> 0;
    },
    unpackBits(source, bitOffset, target, count) {
      checkBits(source, bitOffset, target, count);
      symbols.tessera_unpack_bits(
        source as Bytes,
        source.byteLength,
        bitOffset,
        target as Bytes,
        target.byteLength,
        count,
      );
    },
    packBits(source, target, bitOffset, count) {
      checkBits(target, bitOffset, source, count);
      symbols.tessera_pack_bits(
        source as Bytes,
        source.byteLength,
        target as Bytes,
        target.byteLength,
        bitOffset,
        count,
      );
    },
    gather(moves, first, count, file, fileOffset, array) {
      checkBatch(moves, first, count, fileOffset);
      const result = symbols.tessera_gather(
        moves.data,
        first,
        count,
        moves.kind === "bits" ? 1 : 0,
        moves.ndim,
        moves.elementSize,
        moves.swapUnit,
        file as Bytes,
        file.byteLength,
        fileOffset,
        array as Bytes,
        array.byteLength,
      );
      if (result !== 0) gathered(moves, result);
    },
    scatter(moves, first, count, array, file, fileOffset) {
      checkBatch(moves, first, count, fileOffset);
      const result = symbols.tessera_scatter(
        moves.data,
        first,
        count,
        moves.kind === "bits" ? 1 : 0,
        moves.ndim,
        moves.elementSize,
        moves.swapUnit,
        array as Bytes,
        array.byteLength,
        file as Bytes,
        file.byteLength,
        fileOffset,
      );
      if (result !== 0) gathered(moves, result);
    },
    decodeSymbols(box, stream, scale, target) {
      checkSymbols(box, stream, scale, target);
      const { levels, channel, row } = scale;
      numbers[0] = box.bits;
      numbers[1] = box.items;
      numbers[2] = box.copies;
      numbers[3] = box.first;
      numbers.set(box.shape, 4);
      numbers.set(box.steps, 7);
      symbols.tessera_decode_symbols(
        numbers,
        stream as Bytes,
        stream.byteLength,
        levels,
        levels?.length ?? 0,
        channel,
        channel.length,
        row,
        row.length,
        target as Bytes,
        target.byteLength,
      );
    },
    encodeVisibilities(block, quantiser, values, baselines, scratch, target) {
      checkVisibilities(block, quantiser, values, baselines, scratch, target);
      const { levels, guide, scale, bits } = quantiser, { first, second } = baselines;
      numbers[0] = BLOCK_SCALINGS.indexOf(block.scaling);
      numbers[1] = block.rows;
      numbers[2] = block.blockRows;
      numbers[3] = block.channels;
      numbers[4] = block.correlations;
      numbers[5] = block.antennas;
      numbers[6] = bits;
      numbers[7] = block.seed;
      symbols.tessera_encode_visibilities(
        numbers,
        values as Bytes,
        values.byteLength,
        levels,
        levels.length,
        guide,
        guide.length,
        scale,
        first,
        second,
        Math.min(first.length, second.length),
        scratch,
        scratch.length,
        target as Bytes,
        target.byteLength,
      );
    },
    encodeWeights(block, values, target) {
      checkWeights(block, values, target);
      const { rows, blockRows, channels, correlations, bits } = block;
      symbols.tessera_encode_weights(
        rows,
        blockRows,
        channels,
        correlations,
        bits,
        values as Bytes,
        values.byteLength,
        target as Bytes,
        target.byteLength,
      );
    },
  };
}

/** Text imports are Deno's; elsewhere there is no library to look for. */
const sources = typeof Deno === "undefined" ? undefined : await import("./sources.ts");

/** Whether the library is in use, from where, or why not. */
export interface LibraryStatus {
  loaded: boolean;
  /** The library, or the first place that was searched; empty when none was. */
  path: string;
  /** Why it is not loaded; empty when it is. */
  reason: string;
}

function load(): { library: NativeLibrary | null; status: LibraryStatus } {
  const without = (reason: string) => ({ library: null, status: { loaded: false, path: "", reason } });
  if (sources === undefined || typeof Deno.dlopen !== "function") {
    return without("this is not Deno, or it has no FFI");
  }
  if (environment("TESSERA_NATIVE") === "0") return without("TESSERA_NATIVE=0 is in the environment");
  if (Deno.build.os === "windows") return without("the library is for POSIX systems");
  const name = libraryName(sources.sourceHash());
  const paths = [treeFolder(), cacheFolder()].flatMap((folder) =>
    folder === undefined ? [] : [`${folder}/${name}`]
  );
  let found: LibraryStatus | undefined;
  for (const path of paths) {
    if (Deno.permissions.querySync({ name: "ffi", path }).state !== "granted") {
      found ??= { loaded: false, path, reason: "no permission to load it: expected --allow-ffi" };
      continue;
    }
    try {
      return { library: new NativeLibrary(path), status: { loaded: true, path, reason: "" } };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // A library that is there and doesn't load says more than one that is not.
      if (!/no such file/i.test(message)) found ??= { loaded: false, path, reason: message };
    }
  }
  return {
    library: null,
    status: found ?? {
      loaded: false,
      path: paths[0] ?? "",
      reason: "it is not built for these sources: run `deno task build`, or `table doctor --build`",
    },
  };
}

let state: ReturnType<typeof load> | undefined;
let disabled = 0;

/**
 * The C library, loaded on first use; null when it is missing, may not be loaded without a prompt, or was disabled.
 * Never prompts and never throws; {@linkcode libraryStatus} says why.
 */
export function library(): NativeLibrary | null {
  if (disabled > 0) return null;
  state ??= load();
  return state.library;
}

/** Whether the library is loaded, from where, or the reason why not. Tries to load it if nobody has yet. */
export function libraryStatus(): LibraryStatus {
  if (disabled > 0) return { loaded: false, path: "", reason: "disabled by disableLibrary()" };
  state ??= load();
  return state.status;
}

/** Looks for the library again at the next use, unless it is loaded: after a build. */
export function retryLibrary(): void {
  if (state?.library === null) state = undefined;
}

/**
 * Makes {@linkcode library} give null until the result is disposed of. For tests; what was opened through the
 * library before goes on using it.
 */
export function disableLibrary(): Disposable {
  disabled++;
  let done = false;
  return {
    [Symbol.dispose]() {
      if (!done) disabled--;
      done = true;
    },
  };
}
