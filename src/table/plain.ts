/**
 * A plain table: a directory with `table.dat`, `table.info`, `table.lock` and the files of its storage managers
 * (format reference part 1, sections 0 and 8.5).
 *
 * A flush writes the managers' data, then their headers, then `table.dat` (beside it, synced and renamed), then the row
 * count and the change counters in `table.lock`.
 */
import { rowRange } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import { writeTableDat } from "../format/table-dat.ts";
import { EMPTY_INFO, type TableInfo, writeTableInfo } from "../format/table-info.ts";
import {
  freshSync,
  nextSync,
  SYNC_OFFSET_BYTES,
  type SyncInfo,
  writeSync,
  writeTableLock,
} from "../format/table-lock.ts";
import { TableRecord } from "../format/table-record.ts";
import type { FileAccess } from "../io/access.ts";
import type { IoStats } from "../io/counters.ts";
import { runSync } from "../io/drivers.ts";
import type { TableFiles } from "../io/files.ts";
import { replaceFile } from "../io/whole-file.ts";
import type { TableLock } from "../io/lock.ts";
import { fileSize, type Plan } from "../io/plan.ts";
import type { BoundColumn, ManagerContext, StorageManager } from "../storage/manager.ts";
import type { ManagerDescription, ManagerDetails, TableBody } from "./body.ts";
import { infoOf } from "./info.ts";
import { boundColumn, ManagerSlot, PlainColumn } from "./manager-slot.ts";
import type { Environment } from "./open.ts";
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
  readonly lock: TableLock | null;
  /** What tables that this one refers to are opened with. */
  readonly environment: Environment;
  /** For a new table: its type, subtype and text. */
  readonly info?: TableInfo;
}

/** An open plain table. */
export class PlainBody implements TableBody {
  readonly kind = "plain";
  readonly parents: readonly string[] = [];
  readonly keywords: TableRecord;
  readonly columns: readonly PlainColumn[];
  /** Files of the storage managers. */
  readonly access: FileAccess;
  /** The table's directory. */
  readonly files: TableFiles;
  readonly environment: Environment;
  readonly #dat: PlainTableDat;
  readonly #slots: readonly ManagerSlot[];
  readonly #sources = new ColumnSources(this);
  readonly #lock: TableLock | null;
  #sync: SyncInfo | null;
  #rowCount: number;
  /** True until the first flush of a new table. */
  #fresh: boolean;
  #info: TableInfo | null;
  /** What `table.dat` holds, as far as flushes change it. */
  #written: { rowCount: number; changes: number };

  /**
   * `managers` are those of a new table, in the order of the ColumnSet, null for one that has nothing to be made; an
   * existing table's are opened when needed.
   */
  constructor(parts: PlainParts, managers: readonly (StorageManager | null)[] | null = null) {
    const { files, dat } = parts;
    this.files = files;
    this.access = parts.access ?? files;
    this.environment = parts.environment;
    this.#dat = dat;
    this.#rowCount = parts.rowCount;
    this.#sync = parts.sync;
    this.#lock = parts.lock;
    this.#fresh = managers !== null;
    this.#info = parts.info ?? null;
    const { desc, columnSet } = dat;
    const readOnly = !files.writable;
    this.keywords = new TableRecord(desc.keywords, { readOnly });
    const types = new Map(columnSet.managers.map(({ sequence, type }) => [sequence, type]));
    const bound = desc.columns.map((column, i) =>
      boundColumn(column, columnSet, i, types.get(columnSet.columns[i]!.sequence))
    );
    const numbers = new Map(columnSet.managers.map(({ sequence }) => [sequence, [] as number[]]));
    columnSet.columns.forEach(({ sequence }, i) => numbers.get(sequence)?.push(i));
    this.#slots = columnSet.managers.map((entry, i) => {
      const columns = numbers.get(entry.sequence)!.map((index) => bound[index]!);
      return new ManagerSlot(entry, () => this.#context(entry, columns), managers?.[i] ?? null);
    });
    const slots = new Map(this.#slots.map((slot) => [slot.entry.sequence, slot]));
    this.columns = desc.columns.map((description, i) => {
      const { sequence } = columnSet.columns[i]!;
      const slot = slots.get(sequence);
      if (slot === undefined) {
        throw new TableError(
          "CORRUPT",
          `column ${description.name} is held by manager ${sequence}, which is not there`,
          {
            file: files.pathOf("table.dat"),
          },
        );
      }
      const keywords = new TableRecord(description.keywords, { readOnly });
      return new PlainColumn(bound[i]!, description, keywords, slot, numbers.get(sequence)!.indexOf(i));
    });
    this.#written = { rowCount: dat.rowCount, changes: this.#changes() };
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

  /** Throws when a file shrank under a mapping. */
  check(): void {
    this.files.check();
    this.#sources.check();
  }

  info(): TableInfo {
    return this.#info ??= infoOf(this.files);
  }

  *managerDetails(sequence: number): Plan<ManagerDetails | null> {
    const slot = this.#slots.find((one) => one.entry.sequence === sequence);
    if (slot === undefined) throw new TableError("NOT_FOUND", `no manager ${sequence}`, { file: this.path });
    return yield* slot.details();
  }

  /** Plan: the storage manager of that sequence number, opened. For checks. @throws TableError as opening it */
  *manager(sequence: number): Plan<StorageManager> {
    const slot = this.#slots.find((one) => one.entry.sequence === sequence);
    if (slot === undefined) throw new TableError("NOT_FOUND", `no manager ${sequence}`, { file: this.path });
    return yield* slot.open();
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

  addRows(count: number): void {
    const plan = addRowsPlan(this.#slots, this.#rowCount, count);
    runSync(plan, this.access);
    this.#rowCount += count;
  }

  flush({ durable }: { durable: boolean }): void {
    const dirty = this.#slots.map((slot) => this.#fresh || (slot.manager?.dirty ?? false));
    let blobs = false;
    this.#slots.forEach((slot, i) => {
      if (!dirty[i]) return;
      const blob = runSync(flushPlan(slot.manager!), this.access);
      blobs ||= !sameBytes(blob, slot.blob);
      slot.blob = blob;
    });
    this.files.flush({ durable });
    const changes = this.#changes();
    const table = this.#fresh || blobs || changes !== this.#written.changes ||
      this.#rowCount !== this.#written.rowCount;
    if (table) this.#writeTableDat(durable);
    this.#written = { rowCount: this.#rowCount, changes };
    if (this.#fresh) this.#writeFresh();
    else if (table || dirty.includes(true)) this.#writeSync(table, dirty);
    this.#fresh = false;
    this.files.flush({ durable });
    if (durable) this.files.backend.syncDirectory(this.path);
  }

  close(): void {
    try {
      this.files.close();
    } finally {
      this.#lock?.release();
      this.#sources.close();
    }
  }

  /** A number that moves whenever keywords change. */
  #changes(): number {
    return this.columns.reduce((sum, column) => sum + column.keywords.changes, this.keywords.changes);
  }

  #writeTableDat(durable: boolean): void {
    const { desc, columnSet } = this.#dat;
    const columns = desc.columns.map((column, i) => ({
      ...column,
      keywords: this.columns[i]!.keywords.toFields(),
    }));
    const bytes = writeTableDat({
      ...this.#dat,
      rowCount: this.#rowCount,
      desc: { ...desc, keywords: this.keywords.toFields(), columns },
      columnSet: {
        ...columnSet,
        rowCount: this.#rowCount,
        managers: this.#slots.map(({ entry, blob }) => ({ ...entry, blob })),
      },
    });
    replaceFile(this.files.backend, this.files.pathOf("table.dat"), bytes, { syncDirectory: durable });
  }

  /** `table.info` and `table.lock` of a new table. */
  #writeFresh(): void {
    this.#sync = freshSync(this.#rowCount, this.columns.length, this.#slots.length);
    const lock = writeTableLock({ requests: [], sync: this.#sync });
    runSync(replacePlan("table.info", writeTableInfo(this.#info ?? EMPTY_INFO)), this.files);
    // Emptying a file that the lock has made leaves the lock as it is: locks are on the open file.
    runSync(replacePlan("table.lock", lock), this.files);
  }

  #writeSync(table: boolean, dirty: readonly boolean[]): void {
    const change = { rowCount: this.#rowCount, columnCount: this.columns.length, table, managers: dirty };
    this.#sync = nextSync(this.#sync, change);
    runSync(syncPlan(this.#sync), this.files);
  }

  #context(entry: { type: string; sequence: number }, columns: readonly BoundColumn[]): ManagerContext {
    return {
      type: entry.type,
      sequence: entry.sequence,
      columns,
      rowCount: this.#rowCount,
      bigEndian: this.#dat.bigEndian,
      privateKeywords: this.#dat.desc.privateKeywords,
      source: this.#sources.of(entry.sequence),
      pathOf: (file) => this.access.pathOf(file),
    };
  }
}

/** Plan: adds rows to every manager; nothing is done unless all of them can. */
function* addRowsPlan(slots: readonly ManagerSlot[], first: number, count: number): Plan<void> {
  const managers: StorageManager[] = [];
  for (const slot of slots) managers.push(yield* slot.open());
  for (const manager of managers) {
    if (manager.addRows === undefined) {
      throw new TableError("UNSUPPORTED", `rows can't be added to ${manager.type} ${manager.name}`);
    }
  }
  for (const manager of managers) yield* manager.addRows!(count);
  for (const manager of managers) yield* manager.rowsAdded?.(rowRange(first, count)) ?? [];
}

function* flushPlan(manager: StorageManager): Plan<Uint8Array> {
  if (manager.flush === undefined) throw new TableError("UNSUPPORTED", `${manager.type} can't be written`);
  return yield* manager.flush();
}

function* replacePlan(file: string, bytes: Uint8Array): Plan<void> {
  yield { kind: "replace", file, bytes };
}

function* writePlan(file: string, offset: number, bytes: Uint8Array): Plan<void> {
  yield { kind: "write", file, offset, bytes };
}

/** Plan: the sync info in `table.lock`, which is made if it isn't there. */
function* syncPlan(sync: SyncInfo): Plan<void> {
  if ((yield* fileSize("table.lock")) >= SYNC_OFFSET_BYTES) {
    yield* writePlan("table.lock", SYNC_OFFSET_BYTES, writeSync(sync));
  } else {
    yield* replacePlan("table.lock", writeTableLock({ requests: [], sync }));
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
