/**
 * What goes into the C library and comes out of it.
 *
 * Statistics: a block of 64-bit counters, 42 a kind, at `42 × kind`:
 *
 * | word | meaning |
 * | --- | --- |
 * | 0 | calls into the system; a call repeated after EINTR or a short transfer counts again |
 * | 1 | bytes moved |
 * | 2 + b | calls that took 2^b <= nanoseconds < 2^(b + 1); b = 0 … 39, the first and last also what is beyond |
 */

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
export const PATH_KINDS: readonly (NativePathKind | null)[] = [null, "file", "directory", "link", "other"];

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
export const DIRECT_REASONS: readonly ((error: string) => string)[] = [
  (error) => `it can't be tried (${error})`,
  () => "this system has no O_DIRECT",
  () => "it lies in a file system in memory, without a disk to write to",
  (error) => `its file system refuses O_DIRECT (${error})`,
  () => "its file system has no O_DIRECT for this file",
];

/** What a caller is going to do with mapped memory. */
export type Advice = "normal" | "sequential" | "random" | "willNeed" | "dontNeed";

/** Numbers of locks. */
export const LOCK_CODES: Readonly<Record<LockKind, number>> = { unlock: 0, read: 1, write: 2 };
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
