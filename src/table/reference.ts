/**
 * A reference table: chosen rows and columns of another table, under names of its own (format reference part 1,
 * section 9). Keywords and descriptions are the parent's; so is the data, written through as casacore does.
 */
import { rowList, type Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { RefColumn } from "../format/ref-table.ts";
import type { RefTableDat } from "../format/table-dat.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { FileAccess } from "../io/access.ts";
import type { IoStats } from "../io/counters.ts";
import type { TableFiles } from "../io/files.ts";
import { delegate, type Plan } from "../io/plan.ts";
import type { ManagedColumn } from "../storage/manager.ts";
import type { BodyColumn, ManagerDescription, ManagerDetails, TableBody } from "./body.ts";
import { infoOf } from "./info.ts";

/** Which rows and columns of a parent a reference table has. */
export interface Reference {
  /** Columns here, with their names there. */
  readonly columns: readonly RefColumn[];
  /** Row numbers of the parent. */
  readonly rows: Uint32Array | Float64Array;
}

/** How a {@linkcode ReferenceBody} stands to files and to its parent. */
export interface ReferenceOptions {
  /** Its own files; null for one that is on no disk. */
  readonly files: TableFiles | null;
  /** True: the parent belongs to another table, which commits and closes it. */
  readonly borrowed?: boolean;
}

/** An open reference table. It owns its parent unless that is borrowed; one on no disk has the path of its parent. */
export class ReferenceBody implements TableBody {
  readonly kind = "reference";
  readonly reference: Reference;
  readonly parent: TableBody;
  readonly #files: TableFiles | null;
  readonly #borrowed: boolean;
  /** The columns, and the parent's that they were made of. */
  #columns: { readonly of: readonly BodyColumn[]; readonly list: readonly BodyColumn[] };

  constructor(parent: TableBody, reference: Reference, { files, borrowed = false }: ReferenceOptions) {
    this.#files = files;
    this.#borrowed = borrowed;
    this.parent = parent;
    this.reference = reference;
    this.#columns = this.#columnsOf(parent.columns);
  }

  /** One that is on disk. @throws TableError CORRUPT when the parent has fewer rows than it had, which is closed then */
  static read(files: TableFiles, dat: RefTableDat, parent: TableBody): ReferenceBody {
    if (parent.rowCount < dat.parentRowCount) {
      parent.close();
      throw new TableError(
        "CORRUPT",
        `refers to rows of a table that had ${dat.parentRowCount} rows; ${parent.path} has ${parent.rowCount}`,
        { file: files.pathOf("table.dat") },
      );
    }
    return new ReferenceBody(parent, dat, { files });
  }

  /** They may have changed in the parent. */
  get columns(): readonly BodyColumn[] {
    const { columns } = this.parent;
    if (this.#columns.of !== columns) this.#columns = this.#columnsOf(columns);
    return this.#columns.list;
  }

  #columnsOf(columns: readonly BodyColumn[]): { of: readonly BodyColumn[]; list: readonly BodyColumn[] } {
    const byName = new Map(columns.map((column) => [column.bound.name, column]));
    // Columns that the parent doesn't have any more are left out without a word, as casacore does.
    const list = this.reference.columns.flatMap(({ name, parentName }) => {
      const column = byName.get(parentName);
      return column === undefined ? [] : [this.#column(name, column)];
    });
    return { of: columns, list };
  }

  get path(): string {
    return this.#files?.directory ?? this.parent.path;
  }
  /** True when `table.dat` says what it refers to. */
  get onDisk(): boolean {
    return this.#files !== null;
  }
  get writable(): boolean {
    return this.parent.writable;
  }
  get bigEndian(): boolean {
    return this.parent.bigEndian;
  }
  get rowCount(): number {
    return this.reference.rows.length;
  }
  get keywords(): TableRecord {
    return this.parent.keywords;
  }
  get managers(): readonly ManagerDescription[] {
    return this.parent.managers;
  }
  get keywordsDirectory(): string {
    return this.parent.keywordsDirectory;
  }
  get parents(): readonly string[] {
    return [this.parent.path];
  }
  /** A concatenation among the parents may concatenate the subtable. */
  subtableOwners(): readonly TableBody[] {
    return [this.parent];
  }
  get access(): FileAccess {
    return this.parent.access;
  }
  get stats(): IoStats {
    return this.parent.stats;
  }

  check(): void {
    this.parent.check();
  }

  info(): TableInfo {
    return this.#files === null ? this.parent.info() : infoOf(this.#files);
  }

  *managerDetails(sequence: number): Plan<ManagerDetails | null> {
    return yield* delegate(this.parent.access, this.parent.managerDetails(sequence));
  }

  addRows(): never {
    throw new TableError("INVALID_ARGUMENT", "rows can't be added to a reference table", { file: this.path });
  }

  moved(): boolean {
    return this.parent.moved();
  }
  refresh(): void {
    this.parent.refresh();
  }
  beginChange(): void {
    this.parent.beginChange();
  }
  lock(kind: "read" | "write", timeoutMs?: number): void {
    this.parent.lock(kind, timeoutMs);
  }
  lockAsync(kind: "read" | "write", timeoutMs?: number): Promise<void> {
    return this.parent.lockAsync(kind, timeoutMs);
  }
  unlock(): void {
    this.parent.unlock();
  }
  discard(): void {
    this.parent.discard();
  }

  flush(options: { durable: boolean; last?: boolean }): void {
    // Closing a table commits it; closing what only looks at it doesn't.
    if (this.#borrowed && options.last === true) return;
    this.parent.flush(options);
  }

  close(): void {
    this.#files?.close();
    if (!this.#borrowed) this.parent.close();
  }

  #column(name: string, column: BodyColumn): BodyColumn {
    const { access } = this.parent;
    const parentRows = (rows: Rows) => this.#parentRows(rows);
    return {
      bound: { ...column.bound, name },
      description: column.description,
      manager: column.manager,
      keywords: column.keywords,
      supported: column.supported,
      *open() {
        const managed = yield* delegate(access, column.open());
        return referring(managed, access, parentRows);
      },
    };
  }

  /** Rows were removed from the parent since. */
  #dangling(row: number, parentRow: number): never {
    const { path, rowCount } = this.parent;
    throw new TableError(
      "OUT_OF_RANGE",
      `row ${row} is row ${parentRow} of ${path}, which has ${rowCount} rows now`,
      { file: this.path },
    );
  }

  /** The parent's rows that rows of this table are. */
  #parentRows(rows: Rows): Rows {
    const list = new Float64Array(rows.length), { rowCount } = this.parent;
    for (let i = 0; i < list.length; i++) {
      const row = this.reference.rows[rows.at(i)]!;
      if (row >= rowCount) this.#dangling(rows.at(i), row);
      list[i] = row;
    }
    return rowList(list);
  }
}

/** A column whose rows are rows of another table's column. */
function referring(
  managed: ManagedColumn,
  access: FileAccess,
  parentRows: (rows: Rows) => Rows,
): ManagedColumn {
  const { write, setShape } = managed;
  return {
    shapes: (rows) => delegate(access, managed.shapes(parentRows(rows))),
    read: (rows, cellShape, box, target, at) =>
      delegate(access, managed.read(parentRows(rows), cellShape, box, target, at)),
    ...(write === undefined ? {} : {
      write: (rows, cellShape, box, source, at) =>
        delegate(access, write.call(managed, parentRows(rows), cellShape, box, source, at)),
    }),
    ...(setShape === undefined ? {} : {
      setShape: (rows, cellShape) => delegate(access, setShape.call(managed, parentRows(rows), cellShape)),
    }),
    tileShape: managed.tileShape ?? null,
  };
}
