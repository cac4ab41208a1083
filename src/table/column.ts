/**
 * `Column`: what a table says about one of its columns.
 */
import type { DType, NumericType } from "../array/dtype.ts";
import { rowRange } from "../array/rows.ts";
import type { TableRecord } from "../format/table-record.ts";
import { runSync } from "../io/drivers.ts";
import type { ManagedColumn, ShapeRun } from "../storage/manager.ts";
import type { BodyColumn, ManagerDescription, TableBody } from "./body.ts";
import { cellShapes } from "./read.ts";
import { checkRow, type RowSelection, rowsOf } from "./selection.ts";
import { type ColumnView, viewColumn, type ViewOptions } from "./view.ts";

/** A column's description, keywords and storage. Its values are read and put through the table. */
export class Column {
  readonly #column: BodyColumn;
  readonly #body: TableBody;

  /** Made by `Table.column`. */
  constructor(column: BodyColumn, body: TableBody) {
    this.#column = column;
    this.#body = body;
  }

  /** The column's name. */
  get name(): string {
    return this.#column.bound.name;
  }
  /** Element type. */
  get dtype(): DType {
    return this.#column.bound.dtype;
  }
  /** One value a row, or an array, or a record. */
  get kind(): "scalar" | "array" | "record" {
    return this.#column.bound.kind;
  }
  /** Shape of every cell (first axis fastest), null if cells have shapes of their own; [] for scalars. */
  get shape(): readonly number[] | null {
    return this.#column.bound.kind === "array" ? this.#column.bound.shape : [];
  }
  /** Number of axes of a cell: 0 for scalars, -1 if cells may differ in it. */
  get ndim(): number {
    return this.#column.bound.ndim;
  }
  /** True when array values lie in the row's bucket (casacore's Direct option). */
  get direct(): boolean {
    return this.#column.bound.direct;
  }
  /** Longest string in bytes, 0 for any. */
  get maxLength(): number {
    return this.#column.bound.maxLength;
  }
  /** Free text of the description. */
  get comment(): string {
    return this.#column.description.comment;
  }
  /** Units of the values, from the keywords `QuantumUnits` or `UNIT`; [] if there are none. */
  get units(): readonly string[] {
    for (const key of ["QuantumUnits", "UNIT"]) {
      if (!this.keywords.has(key)) continue;
      const value = this.keywords.get(key);
      if (typeof value === "string") return [value];
      if (typeof value === "object" && value !== null && "data" in value) return [...value.data as string[]];
    }
    return [];
  }
  /** Keywords of the column; those of a table opened for writing can be changed. */
  get keywords(): TableRecord {
    return this.#column.keywords;
  }
  /** The storage manager that holds the column. */
  get manager(): ManagerDescription {
    return this.#column.manager;
  }
  /** True when this version of Tessera has the column's storage manager. */
  get readable(): boolean {
    return this.#column.supported;
  }
  /** Tile shape with the row axis last, null where there are no tiles. @throws TableError CORRUPT, IO */
  get tileShape(): readonly number[] | null {
    return this.readable ? this.#managed().tileShape ?? null : null;
  }
  /** Bytes that the values take on disk, null where it can't be said for one column. @throws TableError CORRUPT, IO */
  get bytesOnDisk(): number | null {
    return this.readable ? this.#managed().bytesOnDisk?.() ?? null : null;
  }

  /**
   * Shape of one cell, without its values: [] for scalars, null where it is undefined.
   *
   * @throws TableError OUT_OF_RANGE, UNSUPPORTED, CORRUPT, IO
   */
  cellShape(row: number): readonly number[] | null {
    checkRow(row, this.#body.rowCount);
    if (this.kind === "scalar") return [];
    return runSync(this.#managed().shapes(rowRange(row, 1)), this.#body.access)[0]?.shape ?? null;
  }

  /**
   * Shapes of cells, without their values: stretches of cells of the same shape, in the order of the rows; null where cells
   * are undefined.
   *
   * @throws TableError OUT_OF_RANGE, INVALID_ARGUMENT, UNSUPPORTED, CORRUPT, IO
   */
  cellShapes(rows?: RowSelection): ShapeRun[] {
    const selected = rowsOf(rows, this.#body.rowCount);
    return runSync(cellShapes(this.#managed(), selected), this.#body.access);
  }

  /**
   * The values where they are in the file, without a copy, as mapped memory: for tables that are read, of tiled columns of
   * numbers in this machine's byte order whose tiles are as large as a cell on the axes of a cell and hold no other column,
   * as `tileShape: [4, 64, 1024]` for cells of [4, 64]. It works with every backend but `memory`.
   *
   * @throws TableError UNSUPPORTED with the reason when the values don't lie in the file as an array has them, OUT_OF_RANGE,
   * TYPE_MISMATCH, CORRUPT, IO
   * @example
   * ```ts
   * import { array, Table, tiledShape } from "@tessera/tables";
   * using table = Table.create("view.tab", {
   *   columns: [array("DATA", "complex64", { shape: [4, 64] })],
   *   storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 64, 128] })],
   *   rows: 100,
   *   overwrite: true,
   * });
   * table.putColumn("DATA", new Float32Array(100 * 4 * 64 * 2).fill(1));
   * table.flush();
   * using view = table.column("DATA").view({ rows: { start: 10, end: 20 }, dtype: "complex64" });
   * let sum = 0;
   * for (const value of view.data) sum += value;
   * console.log(view.shape, sum); // [4, 64, 10] 5120
   * ```
   */
  view<D extends NumericType = NumericType>(options: ViewOptions<D> = {}): ColumnView<D> {
    return viewColumn(() => this.#column, this.#body, options);
  }

  #managed(): ManagedColumn {
    return runSync(this.#column.open(), this.#body.access);
  }
}
