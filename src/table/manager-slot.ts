/**
 * One storage manager of a plain table, opened when it is first needed, and its columns as the rest of this floor sees them.
 */
import { TableError } from "../error.ts";
import type { ColumnSet, ManagerEntry } from "../format/column-set.ts";
import { axesOf } from "../format/column-set.ts";
import { type ColumnDesc, OPTION_DIRECT } from "../format/column-desc.ts";
import type { TableRecord } from "../format/table-record.ts";
import { fileSize, type Plan } from "../io/plan.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerKind,
  StorageManager,
} from "../storage/manager.ts";
import { managerKind } from "../storage/registry.ts";
import type { BodyColumn, ManagerDetails } from "./body.ts";

/** A manager's place in a table. */
export class ManagerSlot {
  #entry: ManagerEntry;
  #retired = false;
  /** True from a flush of the manager to the commit that holds it. */
  unsaved = false;
  readonly #context: () => ManagerContext;
  #manager: StorageManager | null;
  /** What `table.dat` keeps for the manager; new after a flush that changed it. */
  blob: Uint8Array;

  /** `manager` is given for a new table; an existing one's is opened when needed, with what `context` tells then. */
  constructor(entry: ManagerEntry, context: () => ManagerContext, manager: StorageManager | null = null) {
    this.#entry = entry;
    this.#context = context;
    this.#manager = manager;
    this.blob = entry.blob;
  }

  /** What `table.dat` said of the manager when it was read. */
  get entry(): ManagerEntry {
    return this.#entry;
  }

  /**
   * Forgets the manager, because its files are others now: it is opened anew when it is needed. One that has no files goes
   * back to what it held at the last commit.
   */
  reset(entry: ManagerEntry): void {
    this.#entry = entry;
    const volatile = this.#manager?.volatile;
    if (volatile === undefined) this.#manager = null;
    else volatile.restore();
    this.blob = entry.blob;
    this.unsaved = false;
  }

  /** The table's columns are others now: this place is nobody's. */
  retire(): void {
    this.#retired = true;
    this.#manager = null;
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
    if (this.#manager !== null) return this.#manager;
    if (this.#retired) {
      throw new TableError(
        "NO_SUCH_COLUMN",
        "the table's columns were changed since the column was asked for",
      );
    }
    const { type } = this.entry;
    const kind = this.kind;
    if (kind === undefined) {
      const columns = this.#context().columns.map((column) => column.name).join(", ");
      throw new TableError(
        "UNSUPPORTED",
        `columns ${columns} are held by ${type}, which this version doesn't read`,
      );
    }
    const opened = yield* kind.open(this.#context(), this.blob);
    // Two asynchronous requests may have opened it side by side: the first one counts.
    this.#manager ??= opened;
    return this.#manager;
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

/** A column of a plain table; `index` is its number within its manager. */
export class PlainColumn implements BodyColumn {
  readonly bound: BoundColumn;
  readonly description: ColumnDesc;
  readonly keywords: TableRecord;
  readonly #slot: ManagerSlot;
  readonly #index: number;

  constructor(
    bound: BoundColumn,
    description: ColumnDesc,
    keywords: TableRecord,
    slot: ManagerSlot,
    index: number,
  ) {
    this.bound = bound;
    this.description = description;
    this.keywords = keywords;
    this.#slot = slot;
    this.#index = index;
  }

  get manager(): { readonly type: string; readonly sequence: number } {
    return this.#slot.entry;
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
    return (yield* this.#slot.open()).column(this.#index);
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
