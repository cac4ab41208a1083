/**
 * Reading what a table's directory says of it, while others may change it: `table.lock`, `table.dat`, and the journal of
 * a commit that is under way or was left behind (format reference part 1, section 8.4; docs/journal.md).
 */
import { TableError } from "../error.ts";
import { readTableDat, type TableDat } from "../format/table-dat.ts";
import {
  readSync,
  recoveredSync,
  SYNC_OFFSET_BYTES,
  type SyncInfo,
  writeSync,
} from "../format/table-lock.ts";
import type { Backend } from "../io/backend.ts";
import { JOURNAL_FILE, type JournalContent } from "../io/journal-format.ts";
import type { TableFiles } from "../io/files.ts";
import { fileSize, type Plan, readBytes } from "../io/plan.ts";
import { type CountersPlace, inspect, putBack, removeJournal } from "../io/recovery.ts";
import { pause, type Sharing } from "./sharing.ts";

/** Where the change counters stand. */
export const COUNTERS: CountersPlace = { file: "table.lock", offset: SYNC_OFFSET_BYTES };
/** How often at least a table that changes while it is read is read anew, and the longest pause before. */
const MIN_TRIES = 30, LONGEST_PAUSE_MS = 20;

/** What was read. */
export interface TableState {
  /** null: `table.lock` says nothing, or isn't there. */
  readonly sync: SyncInfo | null;
  /** null: there is no `table.dat`. */
  readonly dat: TableDat | null;
}

/** Plan: reads a table's state as of one commit. @throws TableError LOCKED when it never stays the same; CORRUPT, NEEDS_RECOVERY, IO */
export function* readState(files: TableFiles, sharing: Sharing): Plan<TableState> {
  const until = performance.now() + sharing.timeoutMs;
  for (let tries = 1;; tries++) {
    let failure: unknown;
    try {
      sharing.look();
      settleJournal(files, sharing);
      const state = { sync: yield* syncOf(files), dat: yield* datOf(files) };
      if (sharing.alone || !sharing.moved()) return state;
    } catch (error) {
      failure = error;
      if (!(error instanceof TableError) || !isWorthATry(error, files, sharing)) throw error;
    }
    if (tries >= MIN_TRIES && performance.now() >= until) {
      if (failure !== undefined) throw failure;
      throw new TableError("LOCKED", `the table changed ${tries} times while it was read`, {
        file: files.directory,
      });
    }
    // Any length, so that it doesn't keep step with whoever writes.
    pause(Math.min(tries, LONGEST_PAUSE_MS) * Math.random());
    files.discard();
    files.forget();
  }
}

/** What is wrong may be so only because somebody was writing. */
function isWorthATry(error: TableError, files: TableFiles, sharing: Sharing): boolean {
  if (sharing.alone) return false;
  const journal = files.pathOf(JOURNAL_FILE);
  // Or the journal went while its old bytes were read.
  if (error.code === "NEEDS_RECOVERY" || (error.code === "NOT_FOUND" && error.file === journal)) {
    return sharing.moved() || files.backend.kind(journal) === null;
  }
  return sharing.moved();
}

/**
 * Does what a journal asks for: a writer, who takes the lock for it, puts back what its dead owner left half-done; a reader
 * lays the old bytes over what it reads.
 *
 * @returns true when the files were changed, or somebody may have changed them meanwhile
 * @throws TableError NEEDS_RECOVERY when somebody changed the table since; LOCKED
 */
export function settleJournal(files: TableFiles, sharing: Sharing): boolean {
  const { backend } = files;
  sharing.overlay = null;
  if (backend.kind(files.pathOf(JOURNAL_FILE)) === null) return false;
  if (!files.writable) {
    overlay(files, sharing);
    return false;
  }
  const locked = sharing.held === "write";
  if (!locked) sharing.acquire("write");
  try {
    // Its owner may have been alive until we had the lock.
    if (backend.kind(files.pathOf(JOURNAL_FILE)) !== null) recover(files);
    files.forget();
    sharing.look();
    return true;
  } finally {
    if (!locked) sharing.unlock();
  }
}

/** Puts a table back to its last commit, under its write lock. @throws TableError NEEDS_RECOVERY */
function recover({ backend, directory }: TableFiles): void {
  const verdict = inspect(directory, backend, COUNTERS);
  if (verdict.kind === "refuse") throw needsRecovery(directory, verdict.reason);
  if (verdict.kind === "undo") putTableBack(directory, backend, verdict.content);
  else removeJournal(directory, backend);
}

/** Does what a journal asks for whose verdict is `undo`, under the table's write lock. @throws TableError IO */
export function putTableBack(directory: string, backend: Backend, content: JournalContent): void {
  const before = syncFrom(content.head.before, directory);
  const recovered = before === null ? null : writeSync(recoveredSync(before));
  putBack(directory, backend, COUNTERS, content, recovered);
}

function needsRecovery(directory: string, reason: string): TableError {
  return new TableError(
    "NEEDS_RECOVERY",
    `a writer died in the middle of a commit, and ${reason}; \`table recover\` says what can be done`,
    { file: directory },
  );
}

/** The sync info in change counters as a journal keeps them; null where there were none. @throws TableError CORRUPT */
export function syncFrom(stamp: Uint8Array, directory: string): SyncInfo | null {
  const bytes = new Uint8Array(SYNC_OFFSET_BYTES + stamp.length);
  bytes.set(stamp, SYNC_OFFSET_BYTES);
  return readSync(bytes, `${directory}/${COUNTERS.file}`);
}

function overlay(files: TableFiles, sharing: Sharing): void {
  const { backend, directory } = files;
  const verdict = inspect(directory, backend, COUNTERS, { bytes: false });
  if (verdict.kind === "refuse") throw needsRecovery(directory, verdict.reason);
  if (verdict.kind !== "undo") return;
  files.lay(verdict.content.records);
  sharing.overlay = verdict.content.length;
}

/** Plan: the sync info in `table.lock`, null if there is none. */
export function* syncOf(files: TableFiles): Plan<SyncInfo | null> {
  const size = yield* fileSize("table.lock");
  if (size <= 0) return null;
  return readSync(yield* readBytes("table.lock", 0, size), files.pathOf("table.lock"));
}

/** Plan: `table.dat`, null if there is none. */
export function* datOf(files: TableFiles): Plan<TableDat | null> {
  const size = yield* fileSize("table.dat");
  if (size < 0) return null;
  return readTableDat(yield* readBytes("table.dat", 0, size), files.pathOf("table.dat"));
}
