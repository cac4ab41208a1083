/**
 * One storage manager of a plain table, opened when it is first needed, and its columns as the rest of this floor sees them.
 */
import { TableError } from "../error.ts";
import type { ColumnSet, ManagerEntry } from "../format/column-set.ts";
import { axesOf } from "../format/column-set.ts";
import { type ColumnDesc, OPTION_DIRECT } from "../format/column-desc.ts";
import { TableRecord } from "../format/table-record.ts";
import { fileSize, type Plan } from "../io/plan.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerKind,
  StorageManager,
  Volatile,
} from "../storage/manager.ts";
import { managerKind } from "../storage/registry.ts";
import type { BodyColumn, ManagerDetails } from "./body.ts";

/** What a manager is told when it is opened. */
export type ContextOf = (entry: ManagerEntry, columns: readonly BoundColumn[]) => ManagerContext;

/** A manager's place in a table. */
export class ManagerSlot {
  #entry: ManagerEntry;
  #retired = false;
  /** True from a flush of the manager to the commit that holds it. */
  unsaved = false;
  readonly #contextOf: ContextOf;
  #columns: readonly BoundColumn[];
  #manager: StorageManager | null = null;
  /** Of a manager whose values are only in memory: its own numbers of the columns, and how many it has, unwanted ones too. */
  #numbers: readonly number[] = [];
  #inMemory = 0;
  /** Those at the last commit. */
  #kept: { readonly numbers: readonly number[]; readonly inMemory: number } | null = null;
  /** What `table.dat` keeps for the manager; new after a flush that changed it. */
  blob: Uint8Array;

  /** `manager` is given for a new one; one that is on the disk is opened when needed, with what `contextOf` tells then. */
  constructor(
    entry: ManagerEntry,
    columns: readonly BoundColumn[],
    contextOf: ContextOf,
    manager: StorageManager | null = null,
  ) {
    this.#entry = entry;
    this.#columns = columns;
    this.#contextOf = contextOf;
    if (manager !== null) this.#hold(manager);
    this.blob = entry.blob;
  }

  #hold(manager: StorageManager): void {
    this.#manager = manager;
    this.#numbers = this.#columns.map((_, i) => i);
    this.#inMemory = this.#numbers.length;
  }

  /** What `table.dat` said of the manager when it was read. */
  get entry(): ManagerEntry {
    return this.#entry;
  }

  /** The manager's columns, in its order. */
  get columns(): readonly BoundColumn[] {
    return this.#columns;
  }

  /** Takes note of other descriptions of the same columns, or of those that the next manager is opened with. */
  describe(columns: readonly BoundColumn[]): void {
    this.#columns = columns;
    this.#retired = false;
  }

  /**
   * Forgets the manager, because its files are others now: it is opened anew when it is needed. One that has no files goes
   * back to what it held at the last commit.
   */
  reset(entry: ManagerEntry): void {
    this.#entry = entry;
    if (this.#manager?.volatile === undefined || !this.#restore(this.#manager.volatile)) this.#manager = null;
    this.blob = entry.blob;
    this.unsaved = false;
  }

  /** Plan: adds a column behind the manager's others. @throws TableError UNSUPPORTED, INVALID_ARGUMENT; nothing is changed then */
  *addColumn(bound: BoundColumn): Plan<void> {
    const manager = yield* this.open();
    if (manager.addColumn === undefined) {
      throw new TableError("UNSUPPORTED", `columns can't be added to ${manager.type} ${manager.name}`);
    }
    const columns = [...this.#columns, bound];
    yield* manager.addColumn(bound);
    if (manager.volatile === undefined) return yield* this.#renew(manager, columns);
    this.#numbers = [...this.#numbers, this.#inMemory++];
    this.#columns = columns;
  }

  /** Plan: removes a column that isn't the only one. @throws TableError UNSUPPORTED; nothing is changed then */
  *removeColumn(index: number): Plan<void> {
    const manager = yield* this.open();
    if (manager.removeColumn === undefined) {
      throw new TableError("UNSUPPORTED", `columns can't be removed from ${manager.type} ${manager.name}`);
    }
    const columns = this.#columns.filter((_, i) => i !== index);
    if (manager.volatile === undefined) {
      yield* manager.removeColumn(index);
      return yield* this.#renew(manager, columns);
    }
    // What is only in memory goes when it is known that nobody wants it back.
    this.#numbers = this.#numbers.filter((_, i) => i !== index);
    this.#columns = columns;
  }

  /** Plan: brings the manager's files up to date; it is opened anew, with `columns`, when it is needed. */
  *#renew(manager: StorageManager, columns: readonly BoundColumn[]): Plan<void> {
    this.blob = yield* manager.flush!();
    this.unsaved = true;
    this.#columns = columns;
    this.#manager = null;
  }

  /** What the manager has now is what is committed. */
  keep(): void {
    this.unsaved = false;
    const manager = this.#manager;
    if (manager?.volatile === undefined) return;
    for (let number = this.#inMemory - 1; number >= 0; number--) {
      if (this.#numbers.includes(number)) continue;
      atOnce(manager.removeColumn!(number));
      this.#numbers = this.#numbers.map((other) => other > number ? other - 1 : other);
      this.#inMemory--;
    }
    this.#kept = { numbers: this.#numbers, inMemory: this.#inMemory };
    manager.volatile.keep();
  }

  /** Goes back to the last commit. @returns false when the columns are others than those that were kept */
  #restore(volatile: Volatile): boolean {
    const manager = this.#manager!, kept = this.#kept;
    if (kept === null || kept.numbers.length !== this.#columns.length) return false;
    while (this.#inMemory > kept.inMemory) atOnce(manager.removeColumn!(--this.#inMemory));
    this.#numbers = kept.numbers;
    volatile.restore();
    return true;
  }

  /** The table's columns are others now: this place is nobody's. What is only in memory stays, it may be wanted back. */
  retire(): void {
    this.#retired = true;
    if (this.#manager?.volatile === undefined) this.#manager = null;
  }

  /** The manager if it is open. */
  get manager(): StorageManager | null {
    return this.#manager;
  }

  /** The kind of manager, or undefined when this version doesn't have it. */
  get kind(): ManagerKind | undefined {
    return managerKind(this.entry.type);
  }

  /** True when the manager's columns can be read. */
  get supported(): boolean {
    const { kind } = this;
    return kind !== undefined && kind.readable !== false;
  }

  /** Plan: the manager, its headers read once. @throws TableError UNSUPPORTED, CORRUPT */
  *open(): Plan<StorageManager> {
    if (this.#retired) throw columnIsGone();
    if (this.#manager !== null) return this.#manager;
    const { type } = this.entry;
    const kind = this.kind;
    if (kind === undefined) {
      const columns = this.#columns.map((column) => column.name).join(", ");
      throw new TableError(
        "UNSUPPORTED",
        `columns ${columns} are held by ${type}, which this version doesn't read`,
      );
    }
    const opened = yield* kind.open(this.#contextOf(this.#entry, this.#columns), this.blob);
    // Two asynchronous requests may have opened it side by side: the first one counts.
    if (this.#manager !== null) return this.#manager;
    this.#hold(opened);
    this.#kept = { numbers: this.#numbers, inMemory: this.#inMemory };
    return opened;
  }

  /** Plan: a column of the manager by its place among {@linkcode columns}. @throws TableError as {@linkcode open} */
  *column(index: number): Plan<ManagedColumn> {
    const manager = yield* this.open();
    return manager.column(manager.volatile === undefined ? index : this.#numbers[index]!);
  }

  /** True for a manager that can't have changes of its own, such as that of virtual columns: to open it anew loses nothing. */
  get isStateless(): boolean {
    return this.kind === undefined || this.kind.create === undefined;
  }

  /** Plan: what the manager says of itself, null when it isn't known. */
  *details(): Plan<ManagerDetails | null> {
    if (!this.supported) return null;
    const manager = yield* this.open();
    const { type, sequence, name, info } = manager;
    const files = manager.files();
    let fileBytes = 0;
    // One that isn't there has the size -1: a manager that wrote nothing yet.
    for (const file of files) fileBytes += Math.max(0, yield* fileSize(file));
    return { type, sequence, name, info, files, fileBytes };
  }
}

/** Runs a plan that touches no file. */
function atOnce(plan: Plan<void>): void {
  if (plan.next().done !== true) throw new Error("what is only in memory needs no file");
}

/** A column as managers see it, and as that kind of manager presents it. */
export function boundColumn(desc: ColumnDesc, set: ColumnSet, index: number, managerType = ""): BoundColumn {
  const binding = set.columns[index]!;
  const array = desc.kind === "array";
  const bound: BoundColumn = {
    name: desc.name,
    kind: desc.kind === "scalar" ? "scalar" : array ? "array" : "record",
    dtype: desc.dtype ?? "record",
    direct: array && (desc.options & OPTION_DIRECT) !== 0,
    shape: array ? binding.shape : null,
    ndim: array ? axesOf(desc, binding) : 0,
    maxLength: desc.maxLength,
    keywords: desc.keywords,
  };
  return managerKind(managerType)?.present?.(managerType, bound) ?? bound;
}

/** Where a column of a plain table is: `index` is its number within its manager. */
export interface ColumnPlace {
  readonly bound: BoundColumn;
  readonly description: ColumnDesc;
  readonly slot: ManagerSlot;
  readonly index: number;
}

/** What a column's keywords are kept with. */
export interface KeywordOptions {
  readonly readOnly: boolean;
  /** Called before a keyword changes. */
  readonly beforeChange: () => void;
}

function columnIsGone(): TableError {
  return new TableError("NO_SUCH_COLUMN", "the table's columns were changed since the column was asked for");
}

/** A column of a plain table. */
export class PlainColumn implements BodyColumn {
  readonly keywords: TableRecord;
  /** null: the table doesn't have the column any more. */
  #place: ColumnPlace | null;
  #last: ColumnPlace;

  constructor(place: ColumnPlace, { readOnly, beforeChange }: KeywordOptions) {
    this.#place = this.#last = place;
    this.keywords = new TableRecord(place.description.keywords, {
      readOnly,
      beforeChange: () => {
        if (this.#place === null) throw columnIsGone();
        beforeChange();
      },
    });
  }

  /** The column has another name, number or manager now. */
  move(place: ColumnPlace): void {
    this.#place = this.#last = place;
  }

  /** The table doesn't have the column any more. */
  retire(): void {
    this.#place = null;
  }

  get bound(): BoundColumn {
    return this.#last.bound;
  }

  get description(): ColumnDesc {
    return this.#last.description;
  }

  get #slot(): ManagerSlot {
    return this.#last.slot;
  }

  get manager(): { readonly type: string; readonly sequence: number } {
    const { type, sequence } = this.#slot.entry;
    return { type, sequence };
  }

  /** True for a column that has no values of its own. */
  get computed(): boolean {
    return this.#slot.isStateless;
  }

  get supported(): boolean {
    return this.#slot.supported && this.#typed;
  }

  /** True when the values are of a data type: a class of an application's own is none, unless its manager makes it one. */
  get #typed(): boolean {
    return this.description.dtype !== null || this.#slot.kind?.present !== undefined;
  }

  *open(): Plan<ManagedColumn> {
    if (!this.#typed) {
      const { className, code } = this.description;
      throw new TableError(
        "UNSUPPORTED",
        `column ${this.bound.name} is of class ${className}, type code ${code}`,
      );
    }
    if (this.#place === null) throw columnIsGone();
    const { slot, index } = this.#place;
    return yield* slot.column(index);
  }

  /** The column for plans that can't wait for it to be opened: each call opens it first. */
  lazily(): ManagedColumn {
    const open = () => this.open();
    return {
      *shapes(rows) {
        return yield* (yield* open()).shapes(rows);
      },
      *read(rows, cellShape, box, target, at) {
        yield* (yield* open()).read(rows, cellShape, box, target, at);
      },
    };
  }
}
