/**
 * Recovery, last part: `table.dat`, `table.lock` and the storage managers must agree on the number of rows (format
 * reference part 1, section 8.4).
 */
import { rowRange } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { type PlainTableDat, readTableDat, writeTableDat } from "../format/table-dat.ts";
import {
  freshSync,
  readTableLock,
  recoveredSync,
  type SyncInfo,
  writeTableLock,
} from "../format/table-lock.ts";
import { runSync } from "../io/drivers.ts";
import { readWholeFile, replaceFile } from "../io/whole-file.ts";
import type { ManagerContext } from "../storage/manager.ts";
import { managerKind } from "../storage/registry.ts";
import { contextOf, openBody } from "./open.ts";
import { PlainBody } from "./plain.ts";
import type { Repair } from "./repair.ts";

/** A storage manager and the rows that its files hold; -1: they don't say. */
interface Held {
  readonly type: string;
  readonly sequence: number;
  readonly rows: number;
}

/** Looks at row counts. @returns files of the managers; null when not all of them could be opened @throws TableError IO */
export function repairRows(repair: Repair, dat: PlainTableDat, sync: SyncInfo | null): Set<string> | null {
  try {
    const { counts, rows } = rowsOf(repair);
    const details = [
      `table.dat: ${dat.rowCount} rows`,
      `table.lock: ${sync === null ? "doesn't say" : `${sync.rowCount} rows`}`,
      ...counts.map(({ type, sequence, rows }) => `manager ${sequence}, ${type}: ${rows} rows`),
    ];
    if (counts.some((one) => one.rows !== rows)) {
      if (!settleRows(repair, counts, details)) return null;
    } else if (rows === 0 && dat.rowCount !== 0) {
      const message = "all rows were removed, and table.dat doesn't know; casacore takes its word";
      repair.repair({ kind: "rows", message, details }, "table.dat gets 0 rows", () => setRows(repair, 0));
    }
    return filesOf(repair);
  } catch (error) {
    if (!(error instanceof TableError) || error.code === "IO") throw error;
    repair.hopeless({
      kind: "table",
      message: `a storage manager can't be opened: ${error.message}; table check says more`,
    });
    return null;
  }
}

/** @returns true when they were settled */
function settleRows(repair: Repair, counts: readonly Held[], details: readonly string[]): boolean {
  const least = Math.min(...counts.map(({ rows }) => rows));
  const found = (message: string) => ({ kind: "rows", message, details } as const);
  if (counts.every(({ rows }) => rows === least)) {
    return repair.repair(
      found("the table has another number of rows than its storage managers"),
      `the table gets ${least} rows, as the managers have`,
      () => setRows(repair, least),
    );
  }
  // Where rows can't be removed, the others get as many.
  const target = Math.max(least, ...counts.filter(({ type }) => TILED.test(type)).map(({ rows }) => rows));
  const message = "the storage managers have different numbers of rows";
  if (plainDat(repair).columnSet.storage !== "separate") return repair.hopeless(found(message));
  const short = counts.filter(({ rows }) => rows < target).map(({ sequence }) => sequence);
  const remedy = short.length === 0
    ? `every manager gets ${target} rows: what others have beyond is removed`
    : `every manager gets ${target} rows: those that are added to ${short.join(", ")} have no values`;
  return repair.repair(found(message), remedy, () => levelRows(repair, counts, target));
}

/** Managers that can't remove rows. */
const TILED = /^Tiled\w+StMan$/;

function openPlain({ directory, options }: Repair, mode: "r" | "rw"): PlainBody {
  const { io } = options;
  const body = openBody(directory, {
    mode,
    // Its lock is held.
    lock: "none",
    ...(io === undefined ? {} : { io }),
    ...contextOf(options),
  });
  options.onCounters?.(body.stats);
  if (body instanceof PlainBody) return body;
  body.close();
  throw new TableError("NOT_A_TABLE", "another table than before", { file: directory });
}

/** Managers that have columns which can be read. */
function* managersOf(body: PlainBody): Generator<{ type: string; sequence: number; supported: boolean }> {
  for (const { type, sequence } of body.managers) {
    const columns = body.columns.filter((column) => column.manager.sequence === sequence);
    if (columns.length > 0) {
      yield { type, sequence, supported: columns.every((column) => column.supported) };
    }
  }
}

/** Rows of the table, and of the managers that know. */
function rowsOf(repair: Repair): { rows: number; counts: Held[] } {
  const body = openPlain(repair, "r");
  try {
    const counts: Held[] = [];
    for (const { type, sequence, supported } of managersOf(body)) {
      if (!supported) continue;
      const kind = managerKind(type);
      const rows = kind?.rowsHeld === undefined
        ? runSync(body.manager(sequence), body.access).rowCount
        : runSync(kind.rowsHeld(contextFor(repair, body, type, sequence)), body.access);
      if (rows >= 0) counts.push({ type, sequence, rows });
    }
    return { rows: body.rowCount, counts };
  } finally {
    body.close();
  }
}

/** What a manager has to know to say how many rows it has. */
function contextFor(repair: Repair, body: PlainBody, type: string, sequence: number): ManagerContext {
  const columns = body.columns.filter(({ manager }) => manager.sequence === sequence);
  const none = (): never => {
    throw new TableError("UNSUPPORTED", "no other columns are looked at");
  };
  return {
    type,
    sequence,
    columns: columns.map(({ bound }) => bound),
    rowCount: body.rowCount,
    bigEndian: body.bigEndian,
    privateKeywords: plainDat(repair).desc.privateKeywords,
    source: { column: none, foreignColumn: none, tableKeywords: none },
    pathOf: (file) => body.access.pathOf(file),
  };
}

/** Files of all managers; null where some can't be read. */
function filesOf(repair: Repair): Set<string> | null {
  const body = openPlain(repair, "r");
  try {
    const files = new Set<string>();
    for (const { sequence, supported } of managersOf(body)) {
      if (!supported) return null;
      for (const file of runSync(body.manager(sequence), body.access).files()) files.add(file);
    }
    return files;
  } finally {
    body.close();
  }
}

function plainDat(repair: Repair): PlainTableDat {
  const path = repair.pathOf("table.dat");
  const dat = readTableDat(readWholeFile(repair.backend, path) ?? new Uint8Array(0), path);
  if (dat.kind !== "PlainTable") throw new TableError("CORRUPT", `expected a plain table, found ${dat.kind}`);
  return dat;
}

/** Writes a number of rows into `table.dat` and `table.lock`. @throws TableError IO */
export function setRows(repair: Repair, rowCount: number): void {
  const dat = plainDat(repair);
  const bytes = writeTableDat({ ...dat, rowCount, columnSet: { ...dat.columnSet, rowCount } });
  replaceFile(repair.backend, repair.pathOf("table.dat"), bytes, { syncDirectory: true });
  const path = repair.pathOf("table.lock"), lock = readWholeFile(repair.backend, path);
  const old = lock === null ? null : readTableLock(lock, path).sync;
  const columnCount = dat.desc.columns.length, managers = dat.columnSet.managers.length;
  const fits = old !== null && old.managerCounters.length === managers;
  writeLock(repair, {
    ...(fits ? recoveredSync(old) : freshSync(rowCount, columnCount, managers)),
    rowCount,
    columnCount,
  });
}

/** Writes `table.lock` without moving it: locks are on the open file. @throws TableError IO */
export function writeLock({ backend, directory }: Repair, sync: SyncInfo | null): void {
  const path = `${directory}/table.lock`, bytes = writeTableLock({ requests: [], sync });
  const handle = backend.open(path, backend.kind(path) === null ? "create" : "update");
  try {
    handle.write(bytes, 0);
    handle.resize(bytes.length);
    handle.sync();
  } finally {
    handle.close();
  }
}

/**
 * Gives every storage manager `target` rows, one after the other: each is opened as part of a table that has as many as it
 * has itself. Whoever is stopped here, the next one goes on.
 *
 * @throws TableError
 */
function levelRows(repair: Repair, counts: readonly Held[], target: number): void {
  for (const { sequence, rows } of counts) {
    if (rows === target) continue;
    setRows(repair, rows);
    const body = openPlain(repair, "rw");
    try {
      body.beginChange();
      const manager = runSync(body.manager(sequence), body.access);
      const change = rows < target ? manager.addRows : manager.removeRows;
      if (change === undefined) {
        throw new TableError("UNSUPPORTED", `the number of rows of ${manager.type} can't be changed`);
      }
      const plan = rows < target
        ? manager.addRows!(target - rows)
        : manager.removeRows!(rowRange(target, rows - target));
      runSync(plan, body.access);
      body.flush({ durable: true });
    } finally {
      body.close();
    }
  }
  setRows(repair, target);
}
