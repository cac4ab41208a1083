/**
 * A table's part in what several processes do with it: its lock, and the change counters in `table.lock` from which each
 * learns that another changed something (format reference part 1, sections 8.3 to 8.5).
 */
import { pid } from "node:process";
import { TableError } from "../error.ts";
import { SYNC_OFFSET_BYTES, waiting, withoutRequest, withRequest } from "../format/table-lock.ts";
import type { Backend, FileWatch, Handle } from "../io/backend.ts";
import { JOURNAL_FILE } from "../io/journal-format.ts";
import { type LockKind, type LockMode, openLock, type TableLock } from "../io/lock.ts";

/** How long a lock is waited for unless told otherwise, in milliseconds. */
export const LOCK_TIMEOUT_MS = 10_000;
/** Who let go of the lock that long ago, in milliseconds, lets others who wait for it go first, for as long again. */
const COURTESY_MS = 5;
/** Longest sync object that is compared in one read; one manager takes 4 bytes. */
const STAMP_BYTES = 4096;
/** Looks at the counters from which on it pays to map them: who opens a table for a cell needs fewer. */
const WATCHED_LOOKS = 5;
const EMPTY = new Uint8Array(0);

/** What a table is told about sharing when it is opened. */
export interface SharingOptions {
  readonly mode: LockMode;
  readonly timeoutMs: number;
  readonly writable: boolean;
}

/** The lock and the counters of one open table. */
export class Sharing {
  readonly mode: LockMode;
  readonly #directory: string;
  readonly #path: string;
  readonly #backend: Backend;
  #lock: TableLock | null;
  /** It is a reader's that takes part only while it holds the lock. */
  #joined = false;
  /** How long is waited for others, in milliseconds. */
  readonly timeoutMs: number;
  readonly #writable: boolean;
  #handle: Handle | null = null;
  /** The lock file as mapped memory; null where it can't be watched like that. */
  #watch: FileWatch | null = null;
  #looks = 0;
  /** No `table.lock` is there. */
  #absent = false;
  /** What stood in `table.lock` when the table was last read. */
  #seen: Uint8Array = EMPTY;
  #unlocked = -Infinity;
  /** Length of the journal whose old bytes are shown, null if there is none. */
  overlay: number | null = null;
  /** Nobody else has the table open, nor can open it. */
  #excluding = false;
  readonly #scratch = new Uint8Array(STAMP_BYTES);
  #stampView: Uint8Array = this.#scratch.subarray(0, 0);

  constructor(directory: string, backend: Backend, lock: TableLock | null, options: SharingOptions) {
    this.#directory = directory;
    this.#path = `${directory}/table.lock`;
    this.#backend = backend;
    this.#lock = lock;
    this.mode = options.mode;
    this.timeoutMs = options.timeoutMs;
    this.#writable = options.writable;
  }

  /** What is held of the table's lock; `write` for one that nobody can share. */
  get held(): LockKind | null {
    return this.#lock === null ? null : this.#lock.held;
  }

  /** True when nobody else can change the table: its lock is held, or its user says so. */
  get alone(): boolean {
    return this.held !== null || this.mode === "none";
  }

  // ---- change counters

  /** The sync object in `table.lock` with its length, empty if there is none; valid until the next call. */
  #stamp(): Uint8Array {
    if (this.#handle === null) {
      if (this.#absent) return EMPTY;
      try {
        this.#handle = this.#backend.open(this.#path, "read");
      } catch (error) {
        if (!(error instanceof TableError) || error.code !== "NOT_FOUND") throw error;
        // Where the table is written it may come any time.
        this.#absent = !this.#writable;
        return EMPTY;
      }
    }
    if (++this.#looks === WATCHED_LOOKS) this.#watch = this.#handle.watch?.() ?? null;
    const watched = this.#watch?.read(this.#scratch, SYNC_OFFSET_BYTES) ?? -1;
    if (watched >= 4 && watched >= this.#stampLength(watched)) return this.#stampOf(watched);
    // It is longer than it was, or shorter.
    this.#watch = null;
    return this.#stampOf(this.#handle.read(this.#scratch, SYNC_OFFSET_BYTES));
  }

  /** Bytes that the sync object takes with its length, of which the first `got` bytes were read. */
  #stampLength(got: number): number {
    const bytes = this.#scratch;
    const length = got < 4 ? 0 : bytes[0]! * 2 ** 24 + bytes[1]! * 2 ** 16 + bytes[2]! * 2 ** 8 + bytes[3]!;
    return length === 0 ? 0 : 4 + length;
  }

  #stampOf(got: number): Uint8Array {
    const length = Math.min(got, this.#stampLength(got));
    // As a rule it is as long as it was: comparing it to itself takes no new array.
    if (length !== this.#stampView.length) this.#stampView = this.#scratch.subarray(0, length);
    return this.#stampView;
  }

  /** Notes what the counters are now and returns them: the table is about to be read. */
  look(): Uint8Array {
    return this.#seen = this.#stamp().slice();
  }

  /** True when the counters are others than those that were noted, or a journal whose old bytes are shown went on. */
  moved(): boolean {
    return !sameBytes(this.#stamp(), this.#seen) ||
      (this.overlay !== null && this.overlay !== this.#journalLength());
  }

  #journalLength(): number {
    let handle: Handle;
    try {
      handle = this.#backend.open(`${this.#directory}/${JOURNAL_FILE}`, "read");
    } catch (error) {
      if (error instanceof TableError && error.code === "NOT_FOUND") return -1;
      throw error;
    }
    try {
      return handle.size();
    } finally {
      handle.close();
    }
  }

  /** What the counters were when they were last noted. */
  get seen(): Uint8Array {
    return this.#seen;
  }

  /** Notes counters that were written here. */
  wrote(stamp: Uint8Array): void {
    this.#seen = stamp;
  }

  // ---- locks

  /**
   * Takes the lock, waiting for as long as the table's options say, with our process in the list of those who wait.
   *
   * @throws TableError LOCKED
   */
  acquire(kind: LockKind, timeoutMs: number = this.timeoutMs): void {
    const lock = this.#join(timeoutMs);
    if (lock === null || lock.held === "write" || lock.held === kind) return;
    try {
      if (this.#isOthersTurn(lock)) pause(COURTESY_MS);
      lock.acquire(kind, { timeoutMs, ...(this.#writable ? { onWait: () => ask(lock) } : {}) });
    } finally {
      this.#leave();
    }
  }

  /** As {@linkcode acquire}, without blocking while it waits. */
  async acquireAsync(kind: LockKind, timeoutMs: number = this.timeoutMs): Promise<void> {
    const lock = this.#join(timeoutMs);
    if (lock === null || lock.held === "write" || lock.held === kind) return;
    try {
      if (this.#isOthersTurn(lock)) await new Promise((resolve) => setTimeout(resolve, COURTESY_MS));
      await lock.acquireAsync(kind, { timeoutMs, ...(this.#writable ? { onWait: () => ask(lock) } : {}) });
    } finally {
      this.#leave();
    }
  }

  /** The lock, for one who asks for it: a reader takes no part in locking before. @throws TableError LOCKED, UNSUPPORTED, IO */
  #join(timeoutMs: number): TableLock | null {
    const { mode } = this;
    if (
      this.#lock === null && mode === "auto" && !this.#writable && this.#backend.kind(this.#path) !== null
    ) {
      // In mode "auto" a reader has no lock, in "user" it does.
      this.#lock = openLock(this.#directory, this.#backend, { mode: "user", readOnly: true, timeoutMs });
      this.#joined = true;
    }
    return this.#lock;
  }

  /** A reader that holds no lock takes no part again. */
  #leave(): void {
    if (!this.#joined || this.held !== null) return;
    this.#lock?.close();
    this.#lock = null;
    this.#joined = false;
  }

  /** True when the lock was let go of a moment ago and somebody waits for it. */
  #isOthersTurn(lock: TableLock): boolean {
    return performance.now() - this.#unlocked < COURTESY_MS && waiting(lock.read(4)) > 0;
  }

  /** Lets go of the lock. */
  unlock(): void {
    if (this.held === null) return;
    this.#lock!.unlock();
    this.#unlocked = performance.now();
    this.#leave();
  }

  /** Makes sure that nobody else has the table open until {@linkcode share}. @throws TableError LOCKED */
  exclude(): void {
    if (this.#excluding) return;
    this.#lock?.exclude();
    this.#excluding = true;
  }

  /** As {@linkcode exclude}, but false when somebody has the table open, or nobody can know. */
  tryExclude(): boolean {
    if (this.#lock === null) return this.#backend.name === "memory";
    try {
      this.exclude();
      return true;
    } catch (error) {
      if (error instanceof TableError && error.code === "LOCKED") return false;
      throw error;
    }
  }

  /** Lets others open the table again. */
  share(): void {
    if (!this.#excluding) return;
    this.#excluding = false;
    this.#lock?.share();
  }

  /** @throws TableError LOCKED when the table is locked by its user, who didn't */
  checkHeld(): void {
    if (this.mode !== "user" || this.held === "write") return;
    throw new TableError(
      "LOCKED",
      'the table was opened with lock: "user"; call lock("write") before changing it',
      {
        file: this.#path,
      },
    );
  }

  close(): void {
    const handle = this.#handle;
    this.#handle = this.#watch = null;
    try {
      handle?.close();
    } finally {
      this.#lock?.close();
    }
  }
}

/** Waits a moment, blocking. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Puts our process into the list of those who wait; the result takes it out again. */
function ask(lock: TableLock): () => void {
  lock.write(withRequest(lock.read(SYNC_OFFSET_BYTES), pid));
  return () => lock.write(withoutRequest(lock.read(SYNC_OFFSET_BYTES), pid));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
