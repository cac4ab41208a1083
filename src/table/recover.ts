/**
 * Recovery: what is wrong with a table that somebody stopped in the middle of changing it, and what of that can be
 * repaired. Looked at in this order, each part when the one before is settled:
 *
 * | | |
 * | --- | --- |
 * | the journal of a commit | the old bytes are put back, or it is of no use any more |
 * | `table.dat` | rebuilt from `table.dat_tmp`, which is what takes its place |
 * | `table.lock` | written anew from `table.dat` |
 * | row counts | set to what the storage managers have |
 * | files that nothing refers to | removed |
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { isWithin, resolveStoredName } from "../format/names.ts";
import { type PlainTableDat, readTableDat, type TableDat } from "../format/table-dat.ts";
import {
  freshSync,
  readSync,
  readTableLock,
  recoveredSync,
  SYNC_OFFSET_BYTES,
  type SyncInfo,
  type TableLockContent,
  writeSync,
} from "../format/table-lock.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { IoSnapshot } from "../io/counters.ts";
import { lockExclusively, lockingAvailable, type LockMode, openLock, type TableLock } from "../io/lock.ts";
import { readWholeFile } from "../io/whole-file.ts";
import { subtablesIn } from "./check.ts";
import { contextOf } from "./open.ts";
import { PARTIAL } from "./copy-place.ts";
import { removeTree } from "./directory.ts";
import { repairJournal } from "./recover-journal.ts";
import { repairRows, writeLock } from "./recover-rows.ts";
import { type RecoverFinding, Repair } from "./repair.ts";
import { LOCK_TIMEOUT_MS } from "./sharing.ts";
import type { IoOptions } from "./options.ts";

export type { RecoverFinding } from "./repair.ts";

/** Options of {@linkcode recoverTable}. */
export interface RecoverOptions extends Pick<IoOptions, "io" | "context" | "lockTimeoutMs"> {
  /** Repair what can be repaired. Left out: only look. */
  readonly apply?: boolean;
  /** Keep the files as they are where a journal doesn't fit them, and remove the journal. */
  readonly discardJournal?: boolean;
  /** Look at subtables, too; true unless told otherwise. */
  readonly subtables?: boolean;
  /** "none": nobody else uses the table, and it needn't be locked. */
  readonly lock?: Extract<LockMode, "auto" | "none">;
  /** Called with the directory of each table before it is looked at. */
  readonly onTable?: (path: string) => void;
  /** Called with the counters of all that is opened; they go on counting until it returns. */
  readonly onCounters?: (counters: { snapshot(): IoSnapshot }) => void;
}

/** What {@linkcode recoverTable} found and did. */
export interface RecoverReport {
  /** Absolute path of the table that was asked for. */
  readonly path: string;
  /** Tables that were looked at. */
  readonly tables: number;
  /** In the order in which they were found. */
  readonly findings: readonly RecoverFinding[];
  /** Findings that were not repaired. */
  readonly left: number;
}

/** Tables inside each other that are looked at. */
const MOST_TABLES = 10_000;
/** Files that a table's managers, or replacing a file, may leave behind. */
const ORPHAN = /^table\.(f\d+(i|_TSM\d+)?|(dat|info|lock)_tmp)$/;
/** Files that say that a directory is, or was, a table. */
const OF_TABLE = /^table\.(dat|lock|info|journal|f\d)/;

/**
 * Finds what an interrupted change has left behind in a table, and repairs what can be repaired when `apply` is set: the
 * journal of a commit, a lost `table.dat`, a damaged `table.lock`, row counts that disagree, files that nothing refers to.
 * While it looks nobody can write the table; while it repairs nobody else can have it open.
 *
 * @throws TableError NOT_FOUND, NOT_A_TABLE; LOCKED while another process writes the table, or has it open; UNSUPPORTED
 * where tables can't be locked; IO
 *
 * @example
 * ```ts
 * import { recoverTable, scalar, Table } from "@tessera/tables";
 * {
 *   using table = Table.create("sound.tab", { columns: [scalar("FLAG_ROW", "bool")], rows: 10 });
 * }
 * const { findings, left } = recoverTable("sound.tab", { apply: true });
 * for (const { file, message, remedy } of findings) console.log(file, message, remedy);
 * console.log(left); // 0
 * ```
 */
export function recoverTable(path: string, options: RecoverOptions = {}): RecoverReport {
  const root = resolve(path), findings: RecoverFinding[] = [];
  const backend = openBackend(options.io ?? "auto", {
    writable: options.apply ?? false,
    ...contextOf(options),
  });
  options.onCounters?.(backend.stats);
  const partial = repairPartial(new Repair(root, backend, options, findings));
  if (backend.kind(root) === null && partial) return report(root, 0, findings);
  checkTable(backend, root);
  const waiting = [root], seen = new Set<string>();
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (seen.has(next) || seen.size >= MOST_TABLES) continue;
    seen.add(next);
    options.onTable?.(next);
    const dat = repairTable(new Repair(next, backend, options, findings));
    if (dat === null || options.subtables === false) continue;
    for (const { name } of subtablesIn(dat)) {
      const place = resolve(resolveStoredName(next, name));
      // Only what is this table's own.
      if (isWithin(root, place) && isTable(backend, place)) waiting.push(place);
    }
  }
  return report(root, seen.size, findings);
}

function report(path: string, tables: number, findings: readonly RecoverFinding[]): RecoverReport {
  return { path, tables, findings, left: findings.filter(({ done }) => !done).length };
}

function isTable(backend: Backend, directory: string): boolean {
  return backend.kind(directory) === "directory" &&
    backend.list(directory).some((name) => OF_TABLE.test(name));
}

function checkTable(backend: Backend, directory: string): void {
  const kind = backend.kind(directory);
  if (kind === null) throw new TableError("NOT_FOUND", "there is nothing of that name", { file: directory });
  if (kind !== "directory" || !isTable(backend, directory)) {
    const what = kind === "directory" ? "there is no file of a table in it" : "not a directory";
    throw new TableError("NOT_A_TABLE", what, { file: directory });
  }
}

/** @returns the table's description where it is a plain table in order */
function repairTable(repair: Repair): PlainTableDat | null {
  const lock = hold(repair);
  try {
    if (!repairJournal(repair)) return null;
    const dat = repairDat(repair);
    if (dat === null) return null;
    let files: Set<string> | null = null;
    if (dat.kind === "PlainTable") {
      const sync = repairLock(repair, dat);
      if (sync === undefined) return dat;
      files = repairRows(repair, dat, sync);
      if (files === null || dat.columnSet.storage !== "separate") return dat;
    }
    repairOrphans(repair, files);
    return dat.kind === "PlainTable" ? dat : null;
  } finally {
    lock?.close();
  }
}

/** Keeps writers away while a table is looked at, and everybody while it is repaired. @throws TableError LOCKED, UNSUPPORTED */
function hold({ directory, backend, apply, options }: Repair): TableLock | null {
  if (options.lock === "none") return null;
  if (!apply && (!lockingAvailable() || backend.kind(`${directory}/table.lock`) === null)) return null;
  const lock = openLock(directory, backend, { mode: "permanent", readOnly: !apply });
  try {
    lock?.acquire(apply ? "write" : "read", { timeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS });
    if (apply) lock?.exclude();
  } catch (error) {
    lock?.close();
    throw error;
  }
  return lock;
}

// ---- table.dat

function datIn(repair: Repair, file: string): TableDat | TableError | null {
  const path = repair.pathOf(file);
  const bytes = readWholeFile(repair.backend, path);
  if (bytes === null) return null;
  if (bytes.length === 0) return new TableError("CORRUPT", "the file is empty", { file: path });
  try {
    return readTableDat(bytes, path);
  } catch (error) {
    if (error instanceof TableError && error.code !== "IO") return error;
    throw error;
  }
}

function repairDat(repair: Repair): TableDat | null {
  const dat = datIn(repair, "table.dat");
  if (dat !== null && !(dat instanceof TableError)) return dat;
  if (dat instanceof TableError && dat.code === "UNSUPPORTED") throw dat;
  const message = dat === null ? "there is no table.dat" : `table.dat can't be read: ${dat.reason}`;
  const kept = datIn(repair, "table.dat_tmp");
  const diagnosis = { kind: "table.dat", file: "table.dat", message } as const;
  if (kept === null || kept instanceof TableError) {
    repair.hopeless({
      ...diagnosis,
      details: [
        kept === null
          ? "no copy of it was kept"
          : `table.dat_tmp, which was to take its place, can't be read: ${kept.reason}`,
        ...known(repair),
      ],
    });
    return null;
  }
  const done = repair.repair(
    {
      ...diagnosis,
      details: [`table.dat_tmp, which was to take its place, is complete: ${described(kept)}`],
    },
    "table.dat_tmp takes its place",
    () => {
      repair.backend.rename(repair.pathOf("table.dat_tmp"), repair.pathOf("table.dat"));
      repair.backend.syncDirectory(repair.directory);
    },
  );
  return done ? kept : null;
}

function described(dat: TableDat): string {
  return dat.kind === "PlainTable"
    ? `${dat.rowCount} rows, columns ${dat.desc.columns.map(({ name }) => name).join(", ")}`
    : `a ${dat.kind} of ${dat.rowCount} rows`;
}

/** What is known of a table without its `table.dat`. */
function known({ backend, directory }: Repair): string[] {
  const lines: string[] = [];
  const lock = readWholeFile(backend, `${directory}/table.lock`);
  try {
    const sync = lock === null ? null : readSync(lock, `${directory}/table.lock`);
    if (sync !== null) {
      const { rowCount, columnCount, managerCounters } = sync;
      lines.push(
        `table.lock says that it has ${rowCount} rows, ${columnCount} columns, ${managerCounters.length} storage managers`,
      );
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
  }
  const names = backend.list(directory).filter((name) => /^table\.f\d/.test(name)).sort();
  if (names.length > 0) lines.push(`files of storage managers: ${names.join(", ")}`);
  return lines;
}

// ---- table.lock

/** @returns what `table.lock` says; undefined while it is damaged */
function repairLock(repair: Repair, dat: PlainTableDat): SyncInfo | null | undefined {
  const { backend } = repair, file = "table.lock", path = repair.pathOf(file);
  const bytes = readWholeFile(backend, path);
  if (bytes === null) return null;
  const columns = dat.desc.columns.length, managers = dat.columnSet.managers.length;
  let lock: TableLockContent;
  try {
    lock = readTableLock(bytes, path);
    if (lock.sync !== null) checkLength(bytes, lock.sync, path);
  } catch (error) {
    if (!(error instanceof TableError) || error.code === "IO") throw error;
    const done = repair.repair(
      { kind: file, file, message: `table.lock can't be read: ${error.reason}` },
      "it is written anew, from table.dat and what the storage managers have",
      () => writeLock(repair, null),
    );
    return done ? null : undefined;
  }
  const { sync, requests } = lock;
  if (sync !== null && sync.columnCount >= 0) {
    const { columnCount, managerCounters } = sync;
    if (columnCount !== columns || managerCounters.length !== managers) {
      const now = {
        ...freshSync(sync.rowCount, columns, managers),
        modifyCounter: recoveredSync(sync).modifyCounter,
      };
      const done = repair.repair(
        {
          kind: file,
          file,
          message:
            `table.lock tells of ${columnCount} columns and ${managerCounters.length} storage managers, ` +
            `table.dat of ${columns} and ${managers}`,
        },
        "it is written anew, from table.dat",
        () => writeLock(repair, now),
      );
      return done ? now : undefined;
    }
  }
  if (requests.length > 0) {
    const pids = requests.map(({ pid }) => pid).join(", ");
    repair.repair(
      { kind: file, file, message: `processes are said to wait for a lock that nobody has: ${pids}` },
      "the list is emptied",
      () => writeLock(repair, sync),
    );
  }
  return sync;
}

/** @throws TableError CORRUPT when the sync object isn't as long as it is said to be */
function checkLength(bytes: Uint8Array, sync: SyncInfo, file: string): void {
  const said = new DataView(bytes.buffer, bytes.byteOffset).getUint32(SYNC_OFFSET_BYTES);
  const takes = writeSync(sync).length - 4;
  if (said === takes) return;
  throw new TableError("CORRUPT", `the sync object takes ${takes} bytes, it is said to take ${said}`, {
    file,
    offset: SYNC_OFFSET_BYTES,
  });
}

// ---- what nothing refers to

/** `files`: those of the managers; null for a table that has none. */
function repairOrphans(repair: Repair, files: ReadonlySet<string> | null): void {
  const { backend, directory } = repair;
  for (const file of backend.list(directory).sort()) {
    if (!ORPHAN.test(file) || files?.has(file) || backend.kind(repair.pathOf(file)) !== "file") continue;
    const message = file.endsWith("_tmp")
      ? "what was to take another file's place, and didn't"
      : "no storage manager has a file of that name";
    repair.repair({ kind: "orphan", file, message }, "the file is removed", () => {
      backend.remove(repair.pathOf(file));
    });
  }
}

/** A copy that was not finished, beside the table. @returns true when there is one */
function repairPartial(repair: Repair): boolean {
  const { backend, directory } = repair, partial = directory + PARTIAL;
  if (backend.kind(partial) !== "directory") return false;
  const inside = backend.list(partial);
  if (inside.length > 0 && !inside.some((name) => OF_TABLE.test(name))) return false;
  if (repair.apply && repair.options.lock !== "none" && inside.includes("table.lock")) {
    try {
      lockExclusively(partial, backend)?.close();
    } catch (error) {
      // Somebody is making the copy.
      if (error instanceof TableError && error.code === "LOCKED") return true;
      throw error;
    }
  }
  repair.repair(
    {
      kind: "orphan",
      file: partial,
      message: "a copy of a table that was not finished, unless it is being made",
    },
    "it is removed, with all that is in it",
    () => removeTree(backend, partial),
  );
  return true;
}
