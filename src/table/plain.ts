/**
 * A plain table: a directory with `table.dat`, `table.info`, `table.lock` and the files of its storage managers
 * (format reference part 1, sections 0 and 8.5).
 *
 * A flush is a commit: the managers' data and headers, `table.dat`, then the row count and the change counters in
 * `table.lock` (see `../io/commit.ts`). What nobody can see yet, a new table, needs none: its `table.dat` comes last.
 */
import type { Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { type PlainTableDat, writeTableDat } from "../format/table-dat.ts";
import { EMPTY_INFO, type TableInfo, writeTableInfo } from "../format/table-info.ts";
import {
  begunSync,
  committedSync,
  freshSync,
  rowCountOf,
  type SyncInfo,
  writeSync,
  writeTableLock,
} from "../format/table-lock.ts";
import { TableRecord } from "../format/table-record.ts";
import type { RecordFields } from "../format/record.ts";
import type { FileAccess } from "../io/access.ts";
import type { IoStats } from "../io/counters.ts";
import { runSync } from "../io/drivers.ts";
import type { TableFiles } from "../io/files.ts";
import type { Plan } from "../io/plan.ts";
import type { BoundColumn, ManagerContext, StorageManager } from "../storage/manager.ts";
import type { ManagerDescription, ManagerDetails, TableBody, TableStructure } from "./body.ts";
import { type AddColumnOptions, addColumns, type Altered, removeColumns, renameColumn } from "./alter.ts";
import { managerFiles } from "./container.ts";
import { infoOf } from "./info.ts";
import { LeavingSubtables } from "./leaving.ts";
import type { ManagerSlot, PlainColumn } from "./manager-slot.ts";
import type { Environment } from "./open.ts";
import type { ColumnSpec } from "./specs.ts";
import { type ColumnsOf, type PlainColumns, plainColumns } from "./plain-columns.ts";
import { addRowsPlan, flushPlan, HalfDone, removeRowsPlan } from "./plain-plans.ts";
import { COUNTERS, readState, settleJournal, type TableState } from "./read-state.ts";
import type { Sharing } from "./sharing.ts";
import { ColumnSources } from "./source.ts";

/** What a plain table is made of when it is opened or created. */
export interface PlainParts {
  readonly files: TableFiles;
  /** Files of the storage managers, where they aren't all in the directory: those of a container. */
  readonly access?: FileAccess;
  readonly dat: PlainTableDat;
  /** Rows, after `table.lock` was heard. */
  readonly rowCount: number;
  /** null: `table.lock` says nothing, or isn't there. */
  readonly sync: SyncInfo | null;
  readonly sharing: Sharing;
  /** What tables that this one refers to are opened with. */
  readonly environment: Environment;
  /** For a new table: its type, subtype and text. */
  readonly info?: TableInfo;
}

/** An open plain table. */
export class PlainBody implements TableBody, TableStructure {
  readonly kind = "plain";
  readonly parents: readonly string[] = [];
  readonly keywords: TableRecord;
  /** The table's directory. */
  readonly files: TableFiles;
  readonly environment: Environment;
  readonly #sharing: Sharing;
  readonly #sources = new ColumnSources(this);
  readonly #leaving: LeavingSubtables;
  #access: FileAccess;
  #dat: PlainTableDat;
  #parts: PlainColumns;
  #sync: SyncInfo | null;
  #rowCount: number;
  /** True until the first flush of a new table. */
  #fresh: boolean;
  #info: TableInfo | null;
  /** What `table.dat` holds, as far as flushes change it. */
  #written: { rowCount: number; changes: number };
  /** True while changes may be there that no commit holds. */
  #touched = false;
  /** True when what is known of the table is not what the files hold, until it was read anew. */
  #stale = false;

  /**
   * `managers` are those of a new table, in the order of the ColumnSet, null for one that has nothing to be made; an
   * existing table's are opened when needed.
   */
  constructor(parts: PlainParts, managers: readonly (StorageManager | null)[] | null = null) {
    const { files, dat } = parts;
    this.files = files;
    this.#leaving = new LeavingSubtables(files.directory, files.backend);
    this.environment = parts.environment;
    this.#access = parts.access ?? files;
    this.#dat = dat;
    this.#rowCount = parts.rowCount;
    this.#sync = parts.sync;
    this.#sharing = parts.sharing;
    this.#fresh = this.#touched = managers !== null;
    this.#info = parts.info ?? null;
    this.keywords = new TableRecord(dat.desc.keywords, {
      readOnly: !files.writable,
      beforeChange: () => this.beginChange(),
    });
    const made = new Map(
      managers?.flatMap((manager, i) =>
        manager === null ? [] : [[dat.columnSet.managers[i]!.sequence, manager]]
      ),
    );
    this.#parts = plainColumns(dat, this.#columnsOf, made);
    this.#written = { rowCount: dat.rowCount, changes: this.#changes() };
    if (files.writable && !this.#fresh) this.#guard();
  }

  /** What columns and managers are told about the table. */
  get #columnsOf(): ColumnsOf {
    return {
      file: this.files.pathOf("table.dat"),
      readOnly: !this.files.writable,
      beforeChange: () => this.beginChange(),
      context: (entry, columns) => this.contextOf(entry, columns, this.#dat.desc.privateKeywords),
    };
  }

  #guard(): void {
    this.files.guard({
      ...COUNTERS,
      before: () => this.#sharing.seen,
      begun: () => writeSync(begunSync(this.#sync ?? this.#unknownSync())),
    });
  }

  #unknownSync(): SyncInfo {
    return freshSync(this.#written.rowCount, this.columns.length, this.#slots.length);
  }

  get #slots(): readonly ManagerSlot[] {
    return this.#parts.slots;
  }
  /** The places of the managers, in the order of the ColumnSet. */
  get slots(): readonly ManagerSlot[] {
    return this.#parts.slots;
  }
  get columns(): readonly PlainColumn[] {
    return this.#parts.columns;
  }
  /** Files of the storage managers. */
  get access(): FileAccess {
    return this.#access;
  }
  get path(): string {
    return this.files.directory;
  }
  get keywordsDirectory(): string {
    return this.files.directory;
  }
  get writable(): boolean {
    return this.files.writable;
  }
  get bigEndian(): boolean {
    return this.#dat.bigEndian;
  }
  get rowCount(): number {
    return this.#rowCount;
  }
  get managers(): readonly ManagerDescription[] {
    return this.#slots.map(({ entry: { type, sequence } }) => ({ type, sequence }));
  }
  get stats(): IoStats {
    return this.files.backend.stats;
  }
  /** The lock, and what others do. */
  get sharing(): Sharing {
    return this.#sharing;
  }

  /** True when nobody else has the table open, nor will until the next commit. For changes that are under way. */
  isAlone(): boolean {
    return this.#touched && this.#sharing.tryExclude();
  }

  /** Throws when a file shrank under a mapping. */
  check(): void {
    this.files.check();
    this.#sources.check();
  }

  info(): TableInfo {
    return this.#info ??= infoOf(this.files);
  }

  *managerDetails(sequence: number): Plan<ManagerDetails | null> {
    return yield* this.#slot(sequence).details();
  }

  /** Plan: the storage manager of that sequence number, opened. For checks. @throws TableError as opening it */
  *manager(sequence: number): Plan<StorageManager> {
    return yield* this.#slot(sequence).open();
  }

  #slot(sequence: number): ManagerSlot {
    const slot = this.#slots.find((one) => one.entry.sequence === sequence);
    if (slot === undefined) throw new TableError("NOT_FOUND", `no manager ${sequence}`, { file: this.path });
    return slot;
  }

  /**
   * Plan: the row count where `table.lock` says 0 and `table.dat` more: all rows may have been removed, and then the
   * managers know (format reference part 1, section 8.4).
   */
  *askManagers(): Plan<void> {
    let most = 0;
    for (const slot of this.#slots) {
      if (!slot.supported) return;
      most = Math.max(most, (yield* slot.open()).rowCount);
    }
    if (most === 0) this.#rowCount = 0;
  }

  // ---- beside others

  /** True when what was read may be another state than the one known here: it has to be read again. */
  moved(): boolean {
    if (this.#stale) return true;
    if (this.#sharing.alone || this.#touched) return false;
    return this.#sharing.moved() || this.#sources.moved();
  }

  /** Takes over what others changed. @throws TableError CORRUPT, NEEDS_RECOVERY, LOCKED, IO */
  refresh(): void {
    this.#stale = true;
    this.#sources.refresh();
    this.files.discard();
    this.files.forget();
    this.#take(runSync(readState(this.files, this.#sharing), this.files));
  }

  #take({ sync, dat }: TableState): void {
    if (dat?.kind !== "PlainTable") {
      throw new TableError("NOT_A_TABLE", "the table is gone, or is another one", { file: this.path });
    }
    this.#dat = dat;
    this.#sync = sync;
    this.#tried = null;
    const { rowCount, askManagers } = rowCountOf(dat.rowCount, sync);
    this.#rowCount = rowCount;
    this.#access = runSync(managerFiles(this.files, dat.columnSet), this.files);
    this.keywords.reset(dat.desc.keywords);
    const slots = [...this.#slots, ...this.#wanted];
    this.#wanted.length = 0;
    this.#parts = plainColumns(dat, this.#columnsOf, new Map(), { ...this.#parts, slots });
    this.#slots.forEach((slot, i) => slot.reset(dat.columnSet.managers[i]!));
    this.columns.forEach((column, i) => column.keywords.reset(dat.desc.columns[i]!.keywords));
    this.#datStale = false;
    this.#written = { rowCount: dat.rowCount, changes: this.#changes() };
    if (askManagers) runSync(this.askManagers(), this.#access);
    this.#stale = false;
  }

  get changed(): boolean {
    return this.#touched;
  }

  /** Takes the lock that the first change needs. @throws TableError LOCKED, NEEDS_RECOVERY */
  beginChange(): void {
    this.#checkWhole();
    if (this.#touched) return;
    // What others changed would have to be taken over under those who read what was.
    if (this.files.busy) {
      throw new TableError("BUSY", "requests on the table are running", { file: this.path });
    }
    this.#sharing.checkHeld();
    if (this.#sharing.mode === "auto") this.lock("write");
    if (this.#stale || (this.#sharing.mode !== "auto" && this.#sharing.moved())) this.refresh();
    this.#touched = true;
  }

  /** Takes the table's lock, and takes over what others changed before. @throws TableError LOCKED, NEEDS_RECOVERY */
  lock(kind: "read" | "write", timeoutMs?: number): void {
    if (this.#sharing.held === "write" || this.#sharing.held === kind) return;
    this.#sharing.acquire(kind, timeoutMs);
    this.#locked(kind);
  }

  /** As {@linkcode lock}, without blocking while it waits. */
  async lockAsync(kind: "read" | "write", timeoutMs?: number): Promise<void> {
    if (this.#sharing.held === "write" || this.#sharing.held === kind) return;
    await this.#sharing.acquireAsync(kind, timeoutMs);
    this.#locked(kind);
  }

  #locked(kind: "read" | "write"): void {
    try {
      // A new table is not there for others yet.
      if (this.#fresh) return;
      const recovered = kind === "write" && settleJournal(this.files, this.#sharing);
      if (recovered || this.#stale || this.#sharing.moved()) this.refresh();
    } catch (error) {
      this.#sharing.unlock();
      throw error;
    }
  }

  /** Commits what was changed, and lets go of the lock. */
  unlock(): void {
    if (this.#touched) this.flush({ durable: false });
    this.#sharing.unlock();
  }

  // ---- changing

  addRows(count: number): void {
    this.#altered(() => {
      runSync(addRowsPlan(this.#slots, this.#rowCount, count), this.#access);
      this.#rowCount += count;
    });
  }

  /** Removes the rows that `choose` names, ascending and distinct; those behind move up. @throws TableError UNSUPPORTED, and nothing is done then */
  removeRows(choose: (rowCount: number) => Rows): void {
    this.#altered(() => {
      const rows = choose(this.#rowCount);
      if (rows.length === 0) return;
      runSync(removeRowsPlan(this.#slots, rows), this.#access);
      this.#rowCount -= rows.length;
    });
  }

  get structure(): TableStructure {
    return this;
  }
  addColumns(columns: readonly ColumnSpec[], options: AddColumnOptions): void {
    addColumns(this, columns, options);
  }
  removeColumns(names: readonly string[]): void {
    removeColumns(this, names);
  }
  renameColumn(from: string, to: string): void {
    renameColumn(this, from, to);
  }

  syncNames(): void {
    this.files.backend.syncDirectory(this.path);
  }

  removeSubtable(keyword: string, directory: string): void {
    this.#leaving.check(keyword, directory);
    this.#altered(() =>
      this.#leaving.add(directory, this.#sharing.mode !== "none", () => this.keywords.delete(keyword))
    );
  }

  /**
   * Runs what changes columns or managers, and takes over what it makes of `table.dat`. Nobody else may have the table open
   * from here to the commit.
   *
   * @throws TableError LOCKED, and what `change` throws; nothing is changed then
   */
  restructure(change: () => Altered): void {
    this.#altered(() => {
      this.#sharing.exclude();
      this.#adopt(change());
    });
  }

  /** Runs a change. One that is refused leaves no lock behind that wasn't there before. */
  #altered(change: () => void): void {
    const before = this.#touched;
    this.beginChange();
    try {
      change();
    } catch (error) {
      if (error instanceof HalfDone) this.#spoilt ??= error;
      else if (!before && !this.#fresh) this.#settle();
      throw error instanceof HalfDone ? error.cause : error;
    }
  }

  /** Nothing is pending any more: others may have the table. */
  #settle(): void {
    this.#touched = false;
    this.#sharing.share();
    if (this.#sharing.mode === "auto") this.#sharing.unlock();
  }

  #adopt({ dat, made = new Map(), renamed = new Map() }: Altered): void {
    if (this.#sync !== null) {
      const counters = new Map(
        this.#slots.map(({ entry }, i) => [entry.sequence, this.#sync?.managerCounters[i]]),
      );
      const managerCounters = dat.columnSet.managers.map(({ sequence }) => counters.get(sequence) ?? 0);
      this.#sync = { ...this.#sync, managerCounters };
    }
    this.#dat = dat;
    const before = this.#parts;
    this.#parts = plainColumns(dat, this.#columnsOf, made, { ...before, renamed });
    const gone = before.slots.filter((slot) => !this.#slots.includes(slot));
    this.#wanted.push(...gone.filter((slot) => slot.manager !== null));
    // What virtual columns are computed from may be others now, or in managers that are opened anew.
    for (const slot of this.#slots) if (slot.isStateless) slot.reset({ ...slot.entry, blob: slot.blob });
    this.#datStale = true;
  }

  /** Drops every change since the last commit. @throws TableError IO, when what was sent can't be taken back now */
  discard(): void {
    if (!this.#touched || this.#fresh) return;
    try {
      this.#sources.discard();
      this.files.discard();
    } catch (error) {
      // What is left of the changes must not be committed.
      this.#spoilt ??= new HalfDone(error);
      throw error;
    }
    this.#touched = false;
    this.#spoilt = null;
    this.#leaving.end({ keep: true });
    try {
      this.refresh();
    } finally {
      this.#settle();
    }
  }

  flush({ durable, last = false }: { durable: boolean; last?: boolean }): void {
    this.#sources.flush(durable);
    if (this.#fresh) {
      this.#flushFresh(durable);
      return this.#leaving.end({ keep: false });
    }
    const trailing = last && this.#trails();
    if (this.#touched || trailing) this.#commit(durable, trailing);
    else if (durable) this.files.sync();
    this.#leaving.end({ keep: false });
    if (this.#sharing.mode === "auto") this.#sharing.unlock();
  }

  /**
   * True when the row count in `table.dat` is not the one that counts, and can be set right now: for those who look at
   * nothing else.
   */
  #trails(): boolean {
    if (this.#rowCount === this.#written.rowCount) return false;
    try {
      if (this.#sharing.mode === "auto") this.lock("write", 0);
    } catch (error) {
      if (error instanceof TableError && error.code === "LOCKED") return false;
      throw error;
    }
    return (this.#sharing.alone || this.#sharing.held === "write") &&
      this.#rowCount !== this.#written.rowCount;
  }

  /** Brings the managers' files up to date as far as this table sees them. @returns which were changed, and whether a blob was */
  #flushManagers(): { dirty: boolean[]; blobs: boolean } {
    let blobs = false;
    const dirty = this.#slots.map((slot) => this.#fresh || (slot.manager?.dirty ?? false));
    this.#slots.forEach((slot, i) => {
      if (!dirty[i]) return;
      const blob = runSync(flushPlan(slot.manager!), this.#access);
      blobs ||= !sameBytes(blob, slot.blob);
      slot.blob = blob;
      slot.unsaved = true;
    });
    return { dirty: this.#slots.map((slot) => slot.unsaved), blobs };
  }

  /** True after a change that failed in the middle. */
  get spoilt(): boolean {
    return this.#spoilt !== null;
  }

  #checkWhole(): void {
    if (this.#spoilt === null) return;
    throw new TableError("IO", "a change failed half-way; discard() goes back to the last commit", {
      file: this.path,
      cause: this.#spoilt.cause,
    });
  }

  #commit(durable: boolean, trailing: boolean): void {
    this.#checkWhole();
    const { dirty, blobs } = this.#flushManagers();
    const changes = this.#changes(), rowCount = this.#rowCount;
    this.#datStale ||= blobs;
    // Without rows `table.lock` can't say how many there are; otherwise its word counts, and `table.dat` follows at the end.
    const table = this.#datStale || changes !== this.#written.changes || trailing ||
      (rowCount === 0 && this.#written.rowCount !== 0);
    if (!table && !dirty.includes(true) && rowCount === this.#known()) {
      this.#committed();
      return;
    }
    const columnCount = this.columns.length;
    let stamp: Uint8Array | null = null;
    this.files.commit({
      durable,
      after: () => {
        // Other counters each time: those of a commit that failed may be on the disk.
        this.#tried = committedSync(this.#tried ?? this.#sync, {
          rowCount,
          columnCount,
          table,
          managers: dirty,
        });
        return stamp = writeSync(this.#tried);
      },
      replaced: table ? [{ file: "table.dat", bytes: this.#datBytes() }] : [],
    });
    this.#sync = this.#tried;
    this.#tried = null;
    this.#sharing.wrote(stamp!);
    if (table) this.#written = { rowCount, changes };
    this.#committed();
  }

  /** What there is now is what is committed. */
  #committed(): void {
    for (const slot of this.#slots) slot.keep();
    this.#touched = this.#datStale = false;
    this.#wanted.length = 0;
    this.#sharing.share();
  }

  /** What the last commit that failed would have told others. */
  #tried: SyncInfo | null = null;
  /** Blobs or columns changed, and `table.dat` doesn't have them yet. */
  #datStale = false;
  /** Managers without files that were removed since the last commit: discarding brings them back. */
  readonly #wanted: ManagerSlot[] = [];
  /** A change went wrong in the middle: what is pending is no state of the table. */
  #spoilt: HalfDone | null = null;

  /** Rows that others know of. */
  #known(): number {
    return this.#sync?.rowCount ?? this.#written.rowCount;
  }

  /** Everything of a new table; `table.dat`, which makes it one, comes last. */
  #flushFresh(durable: boolean): void {
    this.#flushManagers();
    const { files } = this, rowCount = this.#rowCount;
    this.#sync = freshSync(rowCount, this.columns.length, this.#slots.length);
    files.replace("table.info", writeTableInfo(this.#info ?? EMPTY_INFO));
    // Emptying a file that the lock has made leaves the lock as it is: locks are on the open file.
    files.replace("table.lock", writeTableLock({ requests: [], sync: this.#sync }));
    files.flush();
    files.complete("table.dat", this.#datBytes(), durable);
    this.#written = { rowCount, changes: this.#changes() };
    this.#fresh = false;
    this.#committed();
    this.#sharing.wrote(writeSync(this.#sync));
    this.#guard();
    if (this.#sharing.mode === "auto") this.#sharing.unlock();
  }

  close(): void {
    try {
      this.#leaving.end({ keep: true });
      this.files.close();
    } finally {
      this.#sharing.close();
      this.#sources.close();
    }
  }

  /** A number that moves whenever keywords change. */
  #changes(): number {
    return this.columns.reduce((sum, column) => sum + column.keywords.changes, this.keywords.changes);
  }

  /** What `table.dat` says when it is next written. */
  described(): PlainTableDat {
    const { desc, columnSet } = this.#dat;
    const columns = desc.columns.map((column, i) => ({
      ...column,
      keywords: this.columns[i]!.keywords.toFields(),
    }));
    return {
      ...this.#dat,
      rowCount: this.#rowCount,
      desc: { ...desc, keywords: this.keywords.toFields(), columns },
      columnSet: {
        ...columnSet,
        rowCount: this.#rowCount,
        managers: this.#slots.map(({ entry, blob }) => ({ ...entry, blob })),
      },
    };
  }

  #datBytes(): Uint8Array {
    return writeTableDat(this.described());
  }

  /** What a manager is told about the table, with private keywords that may be those of tomorrow. */
  contextOf(
    entry: { type: string; sequence: number },
    columns: readonly BoundColumn[],
    privateKeywords: RecordFields,
  ): ManagerContext {
    return {
      type: entry.type,
      sequence: entry.sequence,
      columns,
      rowCount: this.#rowCount,
      bigEndian: this.#dat.bigEndian,
      privateKeywords,
      alone: () => this.isAlone(),
      source: this.#sources.of(entry.sequence),
      pathOf: (file) => this.access.pathOf(file),
    };
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
