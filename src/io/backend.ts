/**
 * The one interface of an I/O backend: files that read and write at an offset, and the few calls on whole paths that
 * a table needs. Every method counts what it does in `stats`.
 *
 * Errors are TableErrors: NOT_FOUND when a path doesn't exist, EXISTS when it does and mustn't, else IO; each names
 * the path and the call, and carries errno where the system gave one.
 */
import { TableError } from "../error.ts";
import type { MoveList } from "../array/moves.ts";
import type { IoStats } from "./counters.ts";
import type { Extent } from "./plan.ts";

/** `read`: must exist. `update`: must exist, read and write. `create`: made or emptied, read and write. */
export type OpenMode = "read" | "update" | "create";

/** An open file. */
export interface Handle {
  readonly path: string;
  /**
   * Fills `target` from `offset`; returns the bytes read, fewer than asked only at the end of the file. What lies behind
   * them in `target` may have changed then.
   */
  read(target: Uint8Array, offset: number): number;
  /** As `read`, without blocking; `target` is borrowed until the promise settles. */
  readAsync(target: Uint8Array, offset: number): Promise<number>;
  /** Writes all of `bytes` at `offset`, or throws. */
  write(bytes: Uint8Array, offset: number): void;
  /**
   * As `write`, without blocking; `bytes` is borrowed until the promise settles. No other thread looks at it but the
   * system's, which says EFAULT where memory is gone.
   */
  writeAsync?(bytes: Uint8Array, offset: number): Promise<void>;
  /**
   * Reads extents, which are in ascending order, and moves boxes from them into `target`, by one call on another thread.
   * `scratch` holds the longest extent. All that is passed is borrowed until the promise settles. False: the file ended
   * before, and part of it may have been done.
   */
  gatherAsync?(
    extents: readonly Extent[],
    moves: MoveList,
    target: Uint8Array,
    scratch: Uint8Array,
  ): Promise<boolean>;
  /**
   * Lays moves over zeros in `scratch` (as long as the extent) and writes that at the extent's offset, by one call on
   * another thread. All that is passed is borrowed until the promise settles.
   */
  scatterAsync?(extent: Extent, moves: MoveList, source: Uint8Array, scratch: Uint8Array): Promise<void>;
  /** As one `write` of the pieces behind each other. */
  writev?(pieces: readonly Uint8Array[], offset: number): void;
  /** Size in bytes, asked anew each time. */
  size(): number;
  /** Cuts the file or lengthens it with zeros. */
  resize(length: number): void;
  /** Returns when the data, and the size with them, are on the disk. */
  sync(): void;
  /** As `sync`, on another thread. */
  syncAsync?(): Promise<void>;
  /** Mapped memory of the whole file as long as it is now, where the backend has it; null for a file that can't be mapped. */
  map?(): FileMap | null;
  /**
   * The file for somebody who looks at its first bytes over and over, without a call into the system each time; null where
   * that may not show what others write, as on network file systems.
   */
  watch?(): FileWatch | null;
  close(): void;
}

/** A file that is looked at over and over; it needs no closing beside that of its handle. */
export interface FileWatch {
  /** As {@linkcode Handle.read} for bytes that the file had when watching began; -1 when it became shorter. */
  read(target: Uint8Array, offset: number): number;
}

/** A mapped file. Its methods survive a file that shrinks: they throw code IO. */
export interface FileMap {
  /** Bytes mapped; a file that grew later needs a new map. */
  readonly length: number;
  /** False when some of a range isn't in memory, as far as the system tells: it is better read than copied then. */
  isThere(offset: number, length: number): boolean;
  /** Copies `target.length` bytes from `offset`. */
  copy(offset: number, target: Uint8Array): void;
  /** As `copy`, on another thread. */
  copyAsync(offset: number, target: Uint8Array): Promise<void>;
  /** Moves boxes from extents, which are in ascending order, into `array`. */
  gather(extents: readonly Extent[], moves: MoveList, array: Uint8Array): void;
  /** As `gather`, on another thread; what is passed is borrowed until the promise settles. */
  gatherAsync(extents: readonly Extent[], moves: MoveList, array: Uint8Array): Promise<void>;
  /**
   * The bytes of a range as a private copy-on-write view: writing to it changes no file. One ArrayBuffer a mapping,
   * detached when the handle is closed.
   */
  view(offset: number, length: number): Uint8Array;
  /** True when a page of a view was lost because the file shrank; it reads as zeros then. */
  readonly damaged: boolean;
}

/** Names of the backends. */
export type IoName = "node" | "seek" | "pread" | "mmap" | "direct" | "memory";

/** What a path leads to. */
export type PathKind = "file" | "directory" | "link" | "other";

/** A way to reach files. */
export interface Backend {
  readonly name: IoName;
  readonly stats: IoStats;
  /** @throws TableError NOT_FOUND, IO */
  open(path: string, mode: OpenMode): Handle;
  /** What is at `path`, or null. A symbolic link is what it leads to, unless `noFollow` is set. */
  kind(path: string, options?: { noFollow?: boolean }): PathKind | null;
  /** The absolute path without symbolic links. @throws TableError NOT_FOUND */
  realPath(path: string): string;
  /** Names in a directory, sorted. */
  list(path: string): string[];
  /** Makes one directory. @throws TableError EXISTS */
  makeDirectory(path: string): void;
  /** Removes an empty directory. */
  removeDirectory(path: string): void;
  /** Puts a file in another's place, at once for whoever looks. */
  rename(from: string, to: string): void;
  /** Removes a file. */
  remove(path: string): void;
  /** Returns when the names in a directory are on the disk. */
  syncDirectory(path: string): void;
  /** As `sync` of open files and `syncDirectory` of `directory`, unless that is null, all at once and in any order. */
  syncAll?(files: readonly Handle[], directory: string | null): void;
}

/** Largest count that Linux takes in one read or write call; longer ones come in pieces. */
export const MAX_CALL_BYTES = 0x7ffff000;

const NO_ENTRY = 2, EXISTS = 17;

/** A TableError for a failed system call; code NOT_FOUND for errno ENOENT, EXISTS for EEXIST, else IO. */
export function systemError(
  call: string,
  path: string,
  errno: number | undefined,
  text: string,
  place: { offset?: number | undefined; cause?: unknown } = {},
): TableError {
  const code = errno === NO_ENTRY ? "NOT_FOUND" : errno === EXISTS ? "EXISTS" : "IO";
  const number = errno === undefined ? "" : ` (errno ${errno})`;
  return new TableError(code, `${call} failed: ${text}${number}`, { file: path, errno, ...place });
}
