/**
 * `table.lock`: who waits for the table, how many rows it has, and what changed. Format reference part 1, section 8.
 * Big endian. The locks themselves are byte ranges of this file and no business of this floor.
 *
 * | offset | type | |
 * | --- | --- | --- |
 * | 0 | Int | number of waiting processes, 0 … 32 |
 * | 4 | 32 × (Int process id, Int 0) | entries past the number are leftovers |
 * | 260 | uInt | length of the sync object; 0, or a file that ends here: none |
 * | 264 | root object `sync` v1, v2 | |
 *
 * | sync | type | |
 * | --- | --- | --- |
 * | nrow | uInt (v1), uInt64 (v2) | wins over `table.dat` |
 * | ncolumn | Int | -1: the last two fields are missing |
 * | modifyCounter | uInt | + 1 when anything changed |
 * | tableChangeCounter | uInt | + 1 when `table.dat` changed |
 * | dmChangeCounter | Block of uInt | one a data manager, + 1 when its files changed |
 */
import { AipsReader, AipsWriter } from "./aipsio.ts";
import { MAX_SHORT_ROW_COUNT } from "./column-set.ts";

/** Slots of the request list. */
export const REQUEST_SLOTS = 32;
/** Where the length of the sync object stands; the request list comes before it. */
export const SYNC_OFFSET_BYTES = 260;
/** Counters wrap at 32 bits; only their being different matters. */
const COUNTER_MODULUS = 2 ** 32;

/** A process that waits for the lock. */
export interface LockRequest {
  readonly pid: number;
  /** Always 0. */
  readonly host: number;
}

/** What a writer tells others about the table. */
export interface SyncInfo {
  /** Rows of the table; 0 may mean "unknown", see rowCountOf. */
  readonly rowCount: number;
  /** Columns of the table; -1 when a foreign writer didn't say: then everything counts as changed. */
  readonly columnCount: number;
  readonly modifyCounter: number;
  readonly tableChangeCounter: number;
  /** One a data manager, in the order of the ColumnSet. */
  readonly managerCounters: readonly number[];
}

/** Content of a `table.lock`. */
export interface TableLockContent {
  /** Processes that wait, first come first. */
  readonly requests: readonly LockRequest[];
  /** null when nobody wrote any. */
  readonly sync: SyncInfo | null;
}

/** Reads a `table.lock`; bytes behind the sync object are ignored. @throws TableError CORRUPT, UNSUPPORTED */
export function readTableLock(bytes: Uint8Array, file: string): TableLockContent {
  if (bytes.length < SYNC_OFFSET_BYTES) return { requests: [], sync: null };
  const r = new AipsReader(bytes.subarray(0, SYNC_OFFSET_BYTES), { file });
  const count = r.i32();
  if (count < 0 || count > REQUEST_SLOTS) {
    r.fail(`${count} processes wait, expected 0 to ${REQUEST_SLOTS}`, 0);
  }
  const requests: LockRequest[] = [];
  for (let i = 0; i < count; i++) requests.push({ pid: r.i32(), host: r.i32() });
  return { requests, sync: readSync(bytes, file) };
}

/** Reads only the sync object of a `table.lock`; null if there is none. @throws TableError CORRUPT, UNSUPPORTED */
export function readSync(bytes: Uint8Array, file: string): SyncInfo | null {
  if (bytes.length < SYNC_OFFSET_BYTES + 4) return null;
  const outer = new AipsReader(bytes, { file, offset: SYNC_OFFSET_BYTES });
  const length = outer.u32();
  if (length === 0) return null;
  const at = outer.offset;
  const r = new AipsReader(outer.bytes(length), { file, base: at });
  const { version } = r.root("sync");
  if (version !== 1 && version !== 2) r.unsupported(`sync has version ${version}, expected 1 or 2`, 0);
  const rowCount = version === 1 ? r.u32() : r.uint64();
  const columnAt = r.offset;
  const columnCount = r.i32();
  if (columnCount < -1) r.fail(`a table of ${columnCount} columns`, columnAt);
  const modifyCounter = r.u32();
  const foreign = columnCount === -1;
  const tableChangeCounter = foreign ? 0 : r.u32();
  const managerCounters = foreign ? [] : [...r.blockU32()];
  r.end();
  return { rowCount, columnCount, modifyCounter, tableChangeCounter, managerCounters };
}

/** The whole file. */
export function writeTableLock(content: TableLockContent): Uint8Array<ArrayBuffer> {
  const w = new AipsWriter();
  const requests = content.requests.slice(0, REQUEST_SLOTS);
  w.i32(requests.length);
  for (const { pid, host } of requests) {
    w.i32(pid);
    w.i32(host);
  }
  w.bytes(new Uint8Array(SYNC_OFFSET_BYTES - w.length));
  if (content.sync !== null) w.bytes(writeSync(content.sync));
  return w.finish();
}

/** The list of who waits, with `pid` as the last; a list that is full loses its last one. `bytes` begin a `table.lock`. */
export function withRequest(bytes: Uint8Array, pid: number): Uint8Array<ArrayBuffer> {
  const { list, view, count } = requestsOf(bytes);
  const at = Math.min(count, REQUEST_SLOTS - 1);
  view.setInt32(0, at + 1);
  view.setInt32(4 + 8 * at, pid);
  view.setInt32(8 + 8 * at, 0);
  return list;
}

/** The list of who waits without `pid` and those before it: it got the lock, and so did they or they gave up. */
export function withoutRequest(bytes: Uint8Array, pid: number): Uint8Array<ArrayBuffer> {
  const { list, view, count } = requestsOf(bytes);
  for (let i = 0; i < count; i++) {
    if (view.getInt32(4 + 8 * i) !== pid) continue;
    list.copyWithin(4, 4 + 8 * (i + 1), 4 + 8 * count);
    view.setInt32(0, count - i - 1);
    break;
  }
  return list;
}

/** How many wait, by the first bytes of a `table.lock`. */
export function waiting(bytes: Uint8Array): number {
  return requestsOf(bytes).count;
}

function requestsOf(bytes: Uint8Array): { list: Uint8Array<ArrayBuffer>; view: DataView; count: number } {
  const list = new Uint8Array(SYNC_OFFSET_BYTES);
  list.set(bytes.subarray(0, SYNC_OFFSET_BYTES));
  const view = new DataView(list.buffer), found = view.getInt32(0);
  return { list, view, count: found >= 0 && found <= REQUEST_SLOTS ? found : 0 };
}

/** What stands at SYNC_OFFSET_BYTES: the length and the sync object. */
export function writeSync(sync: SyncInfo): Uint8Array<ArrayBuffer> {
  const w = new AipsWriter();
  const short = sync.rowCount <= MAX_SHORT_ROW_COUNT;
  w.root("sync", short ? 1 : 2);
  if (short) w.u32(sync.rowCount);
  else w.u64(sync.rowCount);
  w.i32(sync.columnCount);
  w.u32(sync.modifyCounter);
  if (sync.columnCount !== -1) {
    w.u32(sync.tableChangeCounter);
    w.blockU32(sync.managerCounters);
  }
  w.end();
  const framed = new AipsWriter();
  framed.string(w.finish());
  return framed.finish();
}

/** The sync info of a table that was just made: every counter is 1. */
export function freshSync(rowCount: number, columnCount: number, managerCount: number): SyncInfo {
  return {
    rowCount,
    columnCount,
    modifyCounter: 1,
    tableChangeCounter: 1,
    managerCounters: new Array<number>(managerCount).fill(1),
  };
}

/** What a commit changed. */
export interface Change {
  readonly rowCount: number;
  readonly columnCount: number;
  /** True when `table.dat` was written. */
  readonly table: boolean;
  /** True for each manager, in the order of the ColumnSet, whose files were written. */
  readonly managers: readonly boolean[];
}

/** The sync info after a commit; the counters of what changed are one higher, and wrap at 32 bits. */
export function nextSync(before: SyncInfo | null, change: Change): SyncInfo {
  const next = (counter: number | undefined, changed: boolean) =>
    ((counter ?? 0) + (changed ? 1 : 0)) % COUNTER_MODULUS;
  const anything = change.table || change.managers.includes(true) || before?.rowCount !== change.rowCount ||
    before?.columnCount !== change.columnCount;
  return {
    rowCount: change.rowCount,
    columnCount: change.columnCount,
    modifyCounter: next(before?.modifyCounter, anything),
    tableChangeCounter: next(before?.tableChangeCounter, change.table),
    managerCounters: change.managers.map((changed, i) => next(before?.managerCounters[i], changed)),
  };
}

/**
 * How far the counter goes up while a commit runs. casacore goes up by one: so far apart, what it writes into a table whose
 * writer died is never taken for what the commit would have written. Odd, so that it takes 2^32 commits that are given up
 * for the counter to come back to where somebody saw it.
 */
const BEGUN_STEP = 65_537;

/** How far it goes up with a commit of ours: what casacore writes before a commit began is never taken for its end either. */
const COMMIT_STEP = 101;

/** The sync info after a commit that has a journal: as {@linkcode nextSync}, with the counter of all changes further on. */
export function committedSync(before: SyncInfo | null, change: Change): SyncInfo {
  const next = nextSync(before, change);
  return { ...next, modifyCounter: (next.modifyCounter + COMMIT_STEP - 1) % COUNTER_MODULUS };
}

/** The sync info while a commit runs: who compares the counters sees that they moved, though nothing is new yet. */
export function begunSync(before: SyncInfo): SyncInfo {
  return { ...before, modifyCounter: (before.modifyCounter + BEGUN_STEP) % COUNTER_MODULUS };
}

/** The sync info after a table was put back to what it was: every counter is one that nobody can have seen. */
export function recoveredSync(before: SyncInfo): SyncInfo {
  const beyond = (counter: number) => (counter + 3) % COUNTER_MODULUS;
  return {
    ...before,
    modifyCounter: (before.modifyCounter + 2 * BEGUN_STEP) % COUNTER_MODULUS,
    tableChangeCounter: beyond(before.tableChangeCounter),
    managerCounters: before.managerCounters.map(beyond),
  };
}

/**
 * How many rows a plain table has (section 8.4).
 *
 * | sync info | rows |
 * | --- | --- |
 * | none | those of `table.dat` |
 * | not 0 | those of the sync info |
 * | 0 | those of `table.dat`, but `askManagers` when that isn't 0: all rows may have been removed |
 *
 * With `askManagers` the table is empty if every manager that says so has 0 rows.
 */
export function rowCountOf(
  tableDatRows: number,
  sync: SyncInfo | null,
): { readonly rowCount: number; readonly askManagers: boolean } {
  if (sync !== null && sync.rowCount !== 0) return { rowCount: sync.rowCount, askManagers: false };
  return { rowCount: tableDatRows, askManagers: sync !== null && tableDatRows !== 0 };
}
