/**
 * Checks a plain table that could be opened: whether `table.lock`, `table.dat` and the storage managers agree, what each
 * manager finds, every cell where a manager has no check, and files that belong to nobody.
 */
import type { PlainTableDat } from "../format/table-dat.ts";
import type { TableLockContent } from "../format/table-lock.ts";
import type { MultiFileHeader } from "../format/multifile.ts";
import { JOURNAL_FILE } from "../io/journal-format.ts";
import { delegate, type Plan } from "../io/plan.ts";
import { checkCells } from "../storage/check-cells.ts";
import type { Findings } from "../storage/findings.ts";
import type { StorageManager } from "../storage/manager.ts";
import type { BodyColumn } from "./body.ts";
import { checkContainer } from "./check-container.ts";
import { CONTAINER, HEADER_EXTENSION, readContainer } from "./container.ts";
import type { PlainBody } from "./plain.ts";
import { decodeRecordCell } from "./record-cell.ts";

/** Rows of columns that no manager's file vouches for; a damaged count may say any number. */
const UNCONFIRMED_ROWS = 1_000_000;

/** Names that a message lists. */
const SOME = 5;

/** Files of a table that no storage manager has. */
const OWN_FILES = ["table.dat", "table.info", "table.lock", JOURNAL_FILE];
/** What managers call their files. */
const MANAGER_FILE = /^table\.f(\d+)(?!\d)/;

/** What there is to check. */
export interface CheckedTable {
  readonly body: PlainBody;
  readonly dat: PlainTableDat;
  /** null where there is none, or none that can be read. */
  readonly lock: TableLockContent | null;
  /** Names of the files in the directory. */
  readonly names: readonly string[];
}

/** Plan: checks the table; to be run on its managers' files. */
export function* checkPlain(table: CheckedTable, findings: Findings): Plan<void> {
  const { body, dat } = table;
  checkLock(table, findings);
  checkManagers(table, findings);
  const header = dat.columnSet.storage === "multifile"
    ? yield* findings.attempt(delegate(body.files, readContainer(body.files)), body.path)
    : null;
  if (header != null) yield* delegate(body.files, checkContainer(body.files, header, findings));
  const managers = yield* openManagers(table, findings);
  let rows = Infinity;
  for (const { rowCount } of managers.values()) if (rowCount >= 0) rows = Math.min(rows, rowCount);
  rows = Math.min(body.rowCount, rows === Infinity ? UNCONFIRMED_ROWS : rows);
  for (const manager of managers.values()) {
    if (manager.check === undefined) continue;
    const path = body.access.pathOf(`table.f${manager.sequence}`);
    for (const finding of (yield* findings.attempt(manager.check(), path)) ?? []) findings.add(finding);
  }
  for (const column of body.columns) {
    const manager = managers.get(column.manager.sequence);
    if (manager === undefined || findings.full) continue;
    const record = column.bound.kind === "record";
    if (manager.check === undefined || record) yield* checkColumn(body, column, rows, findings);
  }
  checkStrays(table, managers, header ?? null, findings);
}

/** What `table.lock` tells other processes must fit `table.dat`: casacore stops when it doesn't. */
function checkLock({ body, dat, lock }: CheckedTable, findings: Findings): void {
  if (lock === null) return;
  const path = body.files.pathOf("table.lock");
  if (lock.requests.length > 0) {
    findings.note(`${lock.requests.length} processes are said to wait for the table`, path, 0);
  }
  if (lock.sync === null || lock.sync.columnCount < 0) return;
  const { columnCount, managerCounters } = lock.sync;
  const columns = dat.desc.columns.length, managers = dat.columnSet.managers.length;
  if (columnCount !== columns) {
    findings.wrong(`the table is said to have ${columnCount} columns, table.dat has ${columns}`, path);
  }
  if (managerCounters.length !== managers) {
    findings.wrong(
      `there are change counters for ${managerCounters.length} storage managers, table.dat has ${managers}`,
      path,
    );
  }
}

/** Managers as `table.dat` lists them. */
function checkManagers({ body, dat: { columnSet } }: CheckedTable, findings: Findings): void {
  const path = body.files.pathOf("table.dat");
  const used = new Set(columnSet.columns.map(({ sequence }) => sequence));
  for (const { type, sequence } of columnSet.managers) {
    if (!used.has(sequence)) findings.note(`manager ${sequence}, ${type}, has no columns`, path);
    if (sequence >= columnSet.sequenceCount) {
      findings.wrong(
        `manager ${sequence} is there, the next number to be given is ${columnSet.sequenceCount}`,
        path,
      );
    }
  }
}

/** Plan: the managers that can be opened, by sequence number. */
function* openManagers(
  { body, dat }: CheckedTable,
  findings: Findings,
): Plan<Map<number, StorageManager>> {
  const managers = new Map<number, StorageManager>();
  for (const { type, sequence } of dat.columnSet.managers) {
    const columns = body.columns.filter((column) => column.manager.sequence === sequence);
    if (columns.length === 0) continue;
    if (columns.some((column) => !column.supported)) {
      const names = columns.slice(0, SOME).map((column) => column.bound.name).join(", ");
      const more = columns.length > SOME ? ` and ${columns.length - SOME} more` : "";
      findings.add({
        code: "UNSUPPORTED",
        file: body.path,
        offset: undefined,
        message: `columns ${names}${more} are not checked: ${type} can't be read by this version`,
        note: true,
      });
      continue;
    }
    const path = body.access.pathOf(`table.f${sequence}`);
    const manager = yield* findings.attempt(body.manager(sequence), path);
    if (manager === undefined) continue;
    managers.set(sequence, manager);
    if (manager.rowCount >= 0 && manager.rowCount !== body.rowCount) {
      findings.wrong(`${type} has ${manager.rowCount} rows, the table has ${body.rowCount}`, path);
    }
  }
  return managers;
}

/** Plan: reads every cell of a column; records are decoded. */
function* checkColumn(body: PlainBody, column: BodyColumn, rowCount: number, findings: Findings): Plan<void> {
  const { bound, manager } = column;
  const path = body.access.pathOf(`table.f${manager.sequence}`);
  const opened = yield* findings.attempt(column.open(), path);
  if (opened === undefined) return;
  const look = (bytes: Uint8Array) => void decodeRecordCell(bytes, path);
  const checked = { bound, column: opened, rowCount, path, ...(bound.kind === "record" ? { look } : {}) };
  yield* checkCells(checked, findings);
}

/** Files that are no manager's, in the directory and in the container. */
function checkStrays(
  { body, dat, names }: CheckedTable,
  managers: ReadonlyMap<number, StorageManager>,
  header: MultiFileHeader | null,
  findings: Findings,
): void {
  const owned = new Set(OWN_FILES);
  const unopened = new Set<number>();
  for (const { sequence } of dat.columnSet.managers) {
    const manager = managers.get(sequence);
    if (manager === undefined) unopened.add(sequence);
    else for (const name of manager.files()) owned.add(name);
  }
  const isStray = (name: string) => {
    const sequence = MANAGER_FILE.exec(name)?.[1];
    return !owned.has(name) && (sequence === undefined || !unopened.has(Number(sequence)));
  };
  for (const name of names) {
    if (!name.startsWith("table.") || !isStray(name)) continue;
    const ofContainer = name === CONTAINER || name === HEADER_EXTENSION;
    if (ofContainer && header !== null) continue;
    findings.note("no storage manager has a file of that name", body.files.pathOf(name));
  }
  for (const { name } of header?.files ?? []) {
    if (isStray(name)) findings.note("no storage manager has a file of that name", body.access.pathOf(name));
    else if (names.includes(name)) {
      findings.note(
        "the file is in the container, too, and that is the one which counts",
        body.files.pathOf(name),
      );
    }
  }
}
