/**
 * Byte-range locks on `table.lock`, which casacore honours and whose own it honours (format reference part 1,
 * section 8.2).
 *
 * | byte | lock | meaning |
 * | --- | --- | --- |
 * | 0 | read or write | the table's read or write lock |
 * | 1 | read, as long as the table is open | the table is in use |
 * | 1 | write, tried | nobody else has the table open |
 *
 * The locks belong to the open file description: closing another descriptor of the file doesn't drop them, and two
 * descriptors exclude each other within one process too. So an isolate has one descriptor for each `table.lock`, by
 * device and inode; its own tables exclude each other here, at once.
 */
import { TableError } from "../error.ts";
import { library, libraryStatus } from "../../ffi/binding.ts";
import type { NativeLibrary } from "../../ffi/native-library.ts";
import type { Backend } from "./backend.ts";
import type { IoStats } from "./counters.ts";

/**
 * When a table is locked. `auto`: from the first change to the commit. `user`: from `table.lock()` to `table.unlock()`.
 * `permanent`: as long as it is open. `none`: never.
 */
export type LockMode = "auto" | "user" | "permanent" | "none";
/** The modes that there are. */
export const LOCK_MODES: readonly LockMode[] = ["auto", "user", "permanent", "none"];
/** What is asked of byte 0. */
export type LockKind = "read" | "write";

/** How long to wait for a lock, and what to do meanwhile. */
export interface WaitOptions {
  /** Milliseconds until LOCKED is thrown; 0 (default) tries once. */
  readonly timeoutMs?: number;
  /**
   * Called when somebody else has the lock, before waiting: the place to put our process into the request list, since
   * casacore lets go of a lock only when somebody asks. The result is called when waiting ends.
   */
  readonly onWait?: () => () => void;
}

const LOCK_BYTE = 0, IN_USE_BYTE = 1;
/** Pause between two tries in milliseconds: the first, and the longest. */
const FIRST_PAUSE_MS = 1, LONGEST_PAUSE_MS = 10;
/** What systems answer where files can't be locked. */
const NO_LOCKS = ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EINVAL"];

/** True where tables can be locked: with the C library, on a system whose locks belong to the file description. */
export function lockingAvailable(): boolean {
  return library()?.descriptionLocks ?? false;
}

/** One `table.lock` in this isolate. */
interface LockFile {
  readonly identity: string;
  fd: number;
  /** Opened for writing, which a write lock needs. */
  writable: boolean;
  readonly users: Set<TableLock>;
}

/** By device and inode: a second descriptor of the same file would be excluded by our own locks. */
const lockFiles = new Map<string, LockFile>();

/**
 * The lock of one open table. It marks the table as in use; {@linkcode acquire} takes the table's read or write lock,
 * {@linkcode close} lets go of everything.
 */
export class TableLock {
  /** Path of `table.lock`. */
  readonly path: string;
  readonly #native: NativeLibrary;
  readonly #stats: IoStats;
  readonly #file: LockFile;
  #held: LockKind | null = null;
  #closed = false;

  private constructor(path: string, native: NativeLibrary, stats: IoStats, file: LockFile) {
    this.path = path;
    this.#native = native;
    this.#stats = stats;
    this.#file = file;
  }

  /**
   * Opens `table.lock` and marks the table as in use. Who only reads needs no write permission; for others the file is
   * made when it isn't there. Where another process has the table for itself, which is for a moment, `timeoutMs` is waited.
   *
   * @throws TableError LOCKED when another process has the table for itself; UNSUPPORTED where there are no locks; IO
   */
  static open(
    path: string,
    stats: IoStats,
    { readOnly = false, timeoutMs = 0 }: { readOnly?: boolean; timeoutMs?: number } = {},
  ): TableLock {
    const native = library();
    if (native === null || !native.descriptionLocks) {
      const why = native === null
        ? `there is no C library: ${libraryStatus().reason}`
        : "this system's locks belong to the process";
      throw new TableError("UNSUPPORTED", `a table can't be locked here: ${why}; lock: "none" goes without`, {
        file: path,
      });
    }
    stats.count("open");
    const fd = native.open(path, readOnly ? {} : { write: true, create: true });
    if (fd < 0) throw native.systemError("open", path, fd);
    stats.count("stat");
    const stat = native.fstat(fd);
    if (typeof stat === "number") {
      close(native, stats, fd);
      throw native.systemError("fstat", path, stat);
    }
    let file = lockFiles.get(stat.identity);
    let lock: TableLock;
    if (file === undefined) {
      file = { identity: stat.identity, fd, writable: !readOnly, users: new Set() };
      lock = new TableLock(path, native, stats, file);
    } else {
      lock = new TableLock(path, native, stats, file);
      if (file.writable || readOnly) close(native, stats, fd);
      else lock.#moveTo(fd);
    }
    try {
      if (file.users.size === 0) {
        lock.#demandInUse(timeoutMs);
      }
    } catch (error) {
      if (file.users.size === 0) close(native, stats, fd);
      throw error;
    }
    file.users.add(lock);
    lockFiles.set(file.identity, file);
    return lock;
  }

  /** Goes on with a descriptor that can be written; readers, who have only read locks so far, go along. */
  #moveTo(fd: number): void {
    const file = this.#file, old = file.fd;
    file.fd = fd;
    try {
      const bytes = [...file.users].some(({ held }) => held !== null)
        ? [IN_USE_BYTE, LOCK_BYTE]
        : [IN_USE_BYTE];
      // Nobody else can have a write lock on what is locked by the old one.
      if (!bytes.every((byte) => this.#try("read", byte))) throw this.#locked("another process came between");
    } catch (error) {
      file.fd = old;
      close(this.#native, this.#stats, fd);
      throw error;
    }
    file.writable = true;
    close(this.#native, this.#stats, old);
  }

  /** What this table holds of byte 0. */
  get held(): LockKind | null {
    return this.#held;
  }

  /** The first `length` bytes of `table.lock`, or as many as there are. @throws TableError IO */
  read(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#stats.count("read");
    const got = this.#native.pread(this.#file.fd, bytes, 0);
    if (got < 0) throw this.#native.systemError("pread", this.path, got);
    return bytes.subarray(0, got);
  }

  /** Writes the first bytes of `table.lock`: the list of who waits. @throws TableError IO */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    this.#stats.count("write");
    const got = this.#native.pwrite(this.#file.fd, bytes, 0);
    if (got < 0) throw this.#native.systemError("pwrite", this.path, got);
  }

  /** Tries a range of one byte: true when it is ours now. */
  #try(kind: LockKind | "unlock", byte: number): boolean {
    this.#stats.count("lock");
    const result = this.#native.lock(this.#file.fd, kind, byte, 1);
    if (result >= 0) return true;
    const name = this.#native.errnoName(result);
    if (name === "EAGAIN" || name === "EWOULDBLOCK") return false;
    if (NO_LOCKS.includes(name)) {
      throw new TableError(
        "UNSUPPORTED",
        `files can't be locked on this file system (${name}); lock: "none" goes without`,
        { file: this.path, errno: -result },
      );
    }
    throw this.#native.systemError("fcntl", this.path, result, byte);
  }

  #demandInUse(timeoutMs: number): void {
    const until = performance.now() + timeoutMs;
    while (!this.#try("read", IN_USE_BYTE)) {
      if (performance.now() >= until) throw this.#locked("another process has the table for itself");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FIRST_PAUSE_MS);
    }
  }

  #locked(why: string): TableError {
    return new TableError("LOCKED", why, { file: this.path });
  }

  /** Refuses at once what another table of this isolate excludes: waiting for it would block the one who could let go. */
  #checkOwn(kind: LockKind): void {
    if (this.#closed) throw new TableError("CLOSED", "the table's lock was closed", { file: this.path });
    for (const other of this.#file.users) {
      if (other === this || other.#held === null) continue;
      if (kind === "write" || other.#held === "write") {
        throw this.#locked(
          `the table is open twice in this process, and the other one holds a ${other.#held} lock`,
        );
      }
    }
  }

  /** One try; true when the lock is held now. */
  #take(kind: LockKind): boolean {
    this.#checkOwn(kind);
    if (this.#held === "write" || this.#held === kind) return true;
    const shared = kind === "read" && [...this.#file.users].some((other) => other.#held === "read");
    if (!shared && !this.#try(kind, LOCK_BYTE)) return false;
    this.#held = kind;
    return true;
  }

  #timeout(timeoutMs: number): TableError {
    return this.#locked(`another process holds the table's lock; waited ${timeoutMs} ms`);
  }

  /**
   * Takes the table's read or write lock, waiting as the options say; holding the write lock includes the read lock.
   *
   * @throws TableError LOCKED, at once when another table of this isolate is in the way; UNSUPPORTED; IO
   */
  acquire(kind: LockKind, { timeoutMs = 0, onWait }: WaitOptions = {}): void {
    if (this.#take(kind)) return;
    if (timeoutMs <= 0) throw this.#timeout(0);
    const until = performance.now() + timeoutMs, done = onWait?.();
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    try {
      for (let pause = FIRST_PAUSE_MS;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
        const left = until - performance.now();
        if (left <= 0) throw this.#timeout(timeoutMs);
        Atomics.wait(sleeper, 0, 0, Math.min(pause, left));
        if (this.#take(kind)) return;
      }
    } finally {
      done?.();
    }
  }

  /** As {@linkcode acquire}, without blocking while it waits. */
  async acquireAsync(kind: LockKind, { timeoutMs = 0, onWait }: WaitOptions = {}): Promise<void> {
    if (this.#take(kind)) return;
    if (timeoutMs <= 0) throw this.#timeout(0);
    const until = performance.now() + timeoutMs, done = onWait?.();
    try {
      for (let pause = FIRST_PAUSE_MS;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
        const left = until - performance.now();
        if (left <= 0) throw this.#timeout(timeoutMs);
        await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
        if (this.#take(kind)) return;
      }
    } finally {
      done?.();
    }
  }

  /** Lets go of the read or write lock; the table is still in use. */
  unlock(): void {
    if (this.#held === null) return;
    this.#held = null;
    if (![...this.#file.users].some((other) => other.#held !== null)) this.#try("unlock", LOCK_BYTE);
  }

  /** Makes sure that nobody else has the table open, until {@linkcode share} or {@linkcode close}. @throws TableError LOCKED */
  exclude(): void {
    this.#checkOwn("write");
    if (this.#file.users.size > 1) throw this.#locked("the table is open twice in this process");
    if (!this.#try("write", IN_USE_BYTE)) throw this.#locked("another process has the table open");
  }

  /** Lets others open the table again. */
  share(): void {
    this.#try("read", IN_USE_BYTE);
  }

  /** Lets go of everything. Once is enough. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const file = this.#file;
    file.users.delete(this);
    if (file.users.size > 0) {
      this.unlock();
      return;
    }
    // Closing the descriptor lets go of its locks.
    this.#held = null;
    lockFiles.delete(file.identity);
    close(this.#native, this.#stats, file.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function close(native: NativeLibrary, stats: IoStats, fd: number): void {
  stats.count("close");
  native.close(fd);
}

/** What {@linkcode openLock} is asked for. */
export interface OpenLockOptions {
  readonly mode: LockMode;
  /** The table is only read. */
  readonly readOnly: boolean;
  /** How long to wait while another process has the table for itself; 0 unless told otherwise. */
  readonly timeoutMs?: number;
}

/**
 * The lock of the table in `directory`, which is marked as in use. Null for `none`, for tables in memory, which no other
 * process sees, and for readers that don't ask for a lock: they take no part in it.
 *
 * @throws TableError INVALID_ARGUMENT for another mode; UNSUPPORTED where tables can't be locked, naming what to do
 */
export function openLock(
  directory: string,
  backend: Backend,
  { mode, readOnly, timeoutMs = 0 }: OpenLockOptions,
): TableLock | null {
  if (!LOCK_MODES.includes(mode)) {
    throw new TableError("INVALID_ARGUMENT", `expected lock ${LOCK_MODES.join(", ")}, found ${mode}`);
  }
  if (mode === "none" || backend.name === "memory" || (readOnly && mode === "auto")) return null;
  return TableLock.open(`${directory}/table.lock`, backend.stats, { readOnly, timeoutMs });
}

/**
 * Makes sure that nobody else has the table in `directory` open, and holds its write lock.
 *
 * @throws TableError LOCKED, UNSUPPORTED, IO
 */
export function lockExclusively(directory: string, backend: Backend): TableLock | null {
  const lock = openLock(directory, backend, { mode: "permanent", readOnly: false });
  try {
    lock?.acquire("write");
    lock?.exclude();
  } catch (error) {
    lock?.close();
    throw error;
  }
  return lock;
}
