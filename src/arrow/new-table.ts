/**
 * A table that is made of values from elsewhere, some rows at a time. It grows beside its place, under the name with `.partial`
 * behind, and gets its name when it is complete, so that nobody finds half of it.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type DType, isNumeric, numericInfo } from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { resolveStoredName } from "../format/names.ts";
import type { RecordFields } from "../format/record.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { StorageSpec } from "../storage/manager.ts";
import { clearPlace, PARTIAL, settle } from "../table/copy-place.ts";
import { removeOld } from "../table/directory.ts";
import { contextOf } from "../table/open.ts";
import {
  array,
  type ArrayOptions,
  type ColumnSpec,
  isTiledByDefault,
  scalar,
  standard,
  tiledColumn,
  tiledShape,
} from "../table/specs.ts";
import type { CreateOptions } from "../table/options.ts";
import { Table } from "../table/table.ts";

/** Options of tables that are made of values from elsewhere. */
export interface ImportOptions extends Omit<CreateOptions, "columns" | "rows"> {
  /**
   * What becomes of nulls that a column can't hold, as no scalar column can. "refuse" (the default): TYPE_MISMATCH. "fill":
   * NaN for floats and complex values, 0, false and empty strings for others.
   */
  readonly nulls?: "refuse" | "fill";
  /** Called now and then with the rows done so far; it may stop the import by throwing, or by a promise that rejects. */
  readonly onProgress?: (rows: number) => void | Promise<void>;
}

/** A column to be made. */
export interface NewColumn {
  readonly name: string;
  readonly kind: "scalar" | "array" | "record";
  readonly dtype: DType;
  readonly options: ArrayOptions;
  /** Keywords beyond those of the options. */
  readonly keywords: RecordFields | null;
  /** The manager that a column had where it comes from: columns of one number stay together. */
  readonly manager: { readonly type: string; readonly sequence: number } | null;
  readonly tileShape: readonly number[] | null;
  /** True when cells may have lengths of their own, so that tiles would hold a cell each. */
  readonly ragged: boolean;
}

/** Neighbouring cells of one shape, the rows as last axis, or undefined ones. */
export type Run = { readonly count: number; readonly array: NDArray | null };

/** Values of one column for some rows. */
export type Part =
  /** A value a row: a typed array or strings. */
  | { readonly kind: "scalars"; readonly array: NDArray; readonly isNull: ((row: number) => boolean) | null }
  | { readonly kind: "arrays"; readonly runs: Iterable<Run> }
  | { readonly kind: "records"; readonly cells: readonly (TableRecord | null)[] };

/** What the table has beside its columns. */
export interface NewTableNote {
  readonly keywords: RecordFields | null;
  readonly info: Partial<TableInfo> | null;
}

/** A table that grows. */
export class NewTable {
  readonly #table: Table;
  readonly #columns: readonly NewColumn[];
  readonly #options: ImportOptions;
  readonly #backend: Backend;
  readonly #place: { readonly target: string; readonly partial: string };

  /** Begins a table. @throws TableError as `Table.create` */
  constructor(path: string, columns: readonly NewColumn[], note: NewTableNote, options: ImportOptions) {
    const target = resolve(path);
    this.#backend = openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
    if (options.overwrite !== true) removeOld(this.#backend, target, false);
    this.#place = { target, partial: target + PARTIAL };
    this.#columns = columns;
    this.#options = options;
    const { nulls: _nulls, onProgress: _onProgress, keywords, info, storage, ...create } = options;
    this.#table = Table.create(this.#place.partial, {
      ...create,
      columns: columns.map(specOf),
      storage: storage ?? storageOf(columns),
      info: { ...note.info, ...info },
      overwrite: true,
    });
    try {
      if (note.keywords !== null) this.#table.keywords.assign(present(note.keywords, target));
      for (const column of columns) {
        if (column.keywords === null) continue;
        this.#table.column(column.name).keywords.assign(present(column.keywords, target));
      }
      for (const [name, value] of Object.entries(keywords ?? {})) this.#table.keywords.set(name, value);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Adds rows with their values, a part a column. @throws TableError TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE, IO */
  async append(rows: number, parts: readonly Part[]): Promise<void> {
    const first = this.#table.rowCount;
    this.#table.addRows(rows);
    this.#columns.forEach((column, i) => this.#put(column, parts[i]!, first, rows));
    await this.#options.onProgress?.(first + rows);
  }

  /** Completes the table, gives it its name and opens it. @throws TableError EXISTS, LOCKED, IO */
  finish(): Table {
    const { nulls: _nulls, onProgress: _onProgress, columns: _columns, storage: _storage, ...rest } = this
      .#options as ImportOptions & { columns?: unknown };
    const { overwrite = false, byteOrder: _order, keywords: _keywords, info: _info, ...open } = rest;
    try {
      this.#table.close();
      settle(this.#place, overwrite, this.#backend);
    } catch (error) {
      clearPlace(this.#place, this.#backend);
      throw error;
    }
    return Table.open(this.#place.target, { ...open, mode: "rw" });
  }

  /** Leaves nothing behind. */
  abort(): void {
    try {
      this.#table.close();
    } catch {
      // It goes anyway.
    }
    clearPlace(this.#place, this.#backend);
  }

  #put(column: NewColumn, part: Part, first: number, rows: number): void {
    const { name } = column;
    switch (part.kind) {
      case "scalars":
        if (part.isNull !== null) this.#fillScalars(column, part.array, part.isNull, first);
        return this.#table.putColumn(name, part.array, { rows: { start: first, end: first + rows } });
      case "records":
        return part.cells.forEach((cell, i) => {
          if (cell !== null) this.#table.putCell(name, first + i, cell);
        });
      case "arrays": {
        let row = first;
        for (const { count, array } of part.runs) {
          const range = { start: row, end: row + count };
          if (array !== null) this.#table.putColumn(name, array, { rows: range });
          else this.#checkUndefined(column, range);
          row += count;
        }
      }
    }
  }

  /** Puts what stands for nothing in place of nulls. */
  #fillScalars(
    { name, dtype }: NewColumn,
    { data }: NDArray,
    isNull: (row: number) => boolean,
    first: number,
  ): void {
    const items = isNumeric(dtype) ? numericInfo(dtype).items : 1;
    const rows = (data as ArrayLike<unknown>).length / items;
    for (let row = 0; row < rows; row++) {
      if (!isNull(row)) continue;
      if (this.#options.nulls !== "fill") refuseNull(name, first + row, "a scalar column holds none");
      fill(dtype, data, row * items, items);
    }
  }

  /** Cells that were not put have to be undefined, or filled. */
  #checkUndefined({ name, dtype, options }: NewColumn, rows: { start: number; end: number }): void {
    const runs = this.#table.column(name).cellShapes(rows);
    if (runs.every(({ shape }) => shape === null)) return;
    if (this.#options.nulls !== "fill") {
      refuseNull(name, rows.start, "its storage manager has no undefined cells");
    }
    const { shape } = options;
    if (shape === undefined || !isNumeric(dtype)) return;
    const items = numericInfo(dtype).items * elementsOf(shape);
    const { data } = this.#table.getColumn(name, { rows });
    fill(dtype, data, 0, items * (rows.end - rows.start));
    this.#table.putColumn(name, data as ArrayBufferView, { rows });
  }
}

function refuseNull(name: string, row: number, why: string): never {
  throw new TableError(
    "TYPE_MISMATCH",
    `column ${name}, row ${row}: found null, and ${why}; nulls: "fill" puts NaN or 0`,
  );
}

function fill(dtype: DType, data: unknown, at: number, items: number): void {
  const value = dtype === "string" ? "" : dtype === "int64" ? 0n : /float|complex/.test(dtype) ? NaN : 0;
  (data as unknown[]).fill(value as never, at, at + items);
}

function specOf({ name, kind, dtype, options }: NewColumn): ColumnSpec {
  return kind === "array" ? array(name, dtype, options) : scalar(name, dtype, options);
}

/** Keywords without those that name subtables which aren't there. */
function present(record: RecordFields, directory: string): RecordFields {
  const fields = record.fields.filter(({ value }) =>
    value.kind !== "table" || existsSync(`${resolveStoredName(directory, value.name)}/table.dat`)
  );
  return { ...record, fields };
}

/** Managers like those that the columns had; tiles for arrays of a fixed shape that come from elsewhere. */
function storageOf(columns: readonly NewColumn[]): StorageSpec[] {
  const groups = new Map<string, NewColumn[]>();
  for (const column of columns) {
    const { name, kind, dtype, options, manager, tileShape, ragged } = column;
    if (kind !== "array" || !isTiledByDefault({ name, kind, dtype, options })) continue;
    if (manager === null ? ragged : tileShape === null || !manager.type.startsWith("Tiled")) continue;
    const key = manager === null ? ` ${name}` : String(manager.sequence);
    groups.set(key, [...groups.get(key) ?? [], column]);
  }
  const specs = [...groups.values()].map((group): StorageSpec => {
    const [{ name, manager, options, tileShape }] = group as [NewColumn];
    const axes = (options.shape?.length ?? options.ndim ?? 0) + 1;
    const make = manager?.type === "TiledColumnStMan" ? tiledColumn : tiledShape;
    // Tiles without a row axis are those of a cell each; the lengths are chosen anew then.
    const tiles = tileShape?.length === axes && tileShape.every((length) => length > 0) ? { tileShape } : {};
    return make(`Tiled${name}`, group.map((column) => column.name), tiles);
  });
  return [...specs, standard()];
}
