/**
 * Copying a table into a new one, with other storage managers or byte order if asked, in bounded memory.
 */
import { isNumeric, numericInfo } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { IoName } from "../io/backend.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { Column } from "./column.ts";
import { type ArrayOptions, type ColumnSpec, standard, tiledColumn, tiledShape } from "./specs.ts";
import { type LockMode, Table } from "./table.ts";
import type { ColumnValues } from "./values.ts";

/** Options of `Table.copy`. */
export interface CopyOptions {
  /** Columns to copy, in this order; all of them unless told otherwise. */
  readonly columns?: readonly string[];
  /** Rows to copy; all of them unless told otherwise. */
  readonly rows?: { readonly start?: number; readonly end?: number };
  /** Managers of the copy. Left out: each column keeps its own where it can be written, with its tile shape. */
  readonly storage?: readonly StorageSpec[];
  /** Byte order of the copy; the original's unless told otherwise. */
  readonly byteOrder?: "little" | "big";
  /** Replace an existing table. */
  readonly overwrite?: boolean;
  readonly io?: IoName | "auto";
  readonly lock?: LockMode;
  /** Called now and then with the rows done and the rows in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Most bytes of one column that are in memory at a time. */
const BATCH_BYTES = 16 * 2 ** 20;
/** Rows of a batch where cells have shapes of their own. */
const FREE_SHAPE_ROWS = 256;

/** Carries out `Table.copy`. Strings and records keep their bytes. @throws TableError */
export function copyTable(from: Table, path: string, options: CopyOptions): void {
  const columns = (options.columns ?? from.columnNames).map((name) => from.column(name));
  for (const column of columns) {
    if (!column.readable) {
      throw new TableError(
        "UNSUPPORTED",
        `column ${column.name} can't be copied: ${column.manager.type} is not known`,
        {
          file: from.path,
        },
      );
    }
  }
  const { start = 0, end = from.rowCount } = options.rows ?? {};
  if (start < 0 || end < start || end > from.rowCount) {
    throw new TableError(
      "OUT_OF_RANGE",
      `rows ${start} to ${end} asked, the table has rows 0 to ${from.rowCount}`,
    );
  }
  using to = Table.create(path, {
    columns: columns.map(specOf),
    storage: options.storage ?? storageLike(from, columns),
    rows: end - start,
    byteOrder: options.byteOrder ?? from.byteOrder,
    overwrite: options.overwrite ?? false,
    io: options.io ?? "auto",
    lock: options.lock ?? "auto",
    strings: from.strings,
    info: from.info,
  });
  to.keywords.assign(from.keywords);
  for (const column of columns) to.column(column.name).keywords.assign(column.keywords);
  let done = 0;
  const total = (end - start) * columns.length;
  for (const column of columns) {
    const step = rowsAtOnce(column);
    for (let row = start; row < end; row += step) {
      const rows = { start: row, end: Math.min(end, row + step) };
      copyRows(from, to, column, rows, row - start);
      done += rows.end - rows.start;
      options.onProgress?.(done / columns.length, total / columns.length);
    }
  }
  to.flush();
}

/** The description of a column as `Table.create` takes it; keywords are copied apart. */
function specOf(column: Column): ColumnSpec {
  const options: ArrayOptions = {
    comment: column.comment,
    maxLength: column.maxLength,
    ...(column.kind !== "array"
      ? {}
      : column.shape !== null
      ? { shape: column.shape, direct: column.direct }
      : column.ndim > 0
      ? { ndim: column.ndim }
      : {}),
  };
  return {
    name: column.name,
    kind: column.kind === "array" ? "array" : "scalar",
    dtype: column.dtype,
    options,
  };
}

/** Managers like the columns' own: tiled ones keep their columns together and their tile shape, all else becomes standard. */
function storageLike(from: Table, columns: readonly Column[]): StorageSpec[] {
  const specs: StorageSpec[] = [];
  const groups = new Map<number, Column[]>();
  for (const column of columns) {
    const { type, sequence } = column.manager;
    if (!type.startsWith("Tiled") || column.kind !== "array") continue;
    groups.set(sequence, [...groups.get(sequence) ?? [], column]);
  }
  for (const group of groups.values()) {
    const [first] = group;
    const { type, sequence } = first!.manager;
    const name = from.managerDetails(sequence)?.name;
    const names = group.map((column) => column.name);
    const tileShape = first!.tileShape;
    const options = tileShape === null ? {} : { tileShape };
    const known = group.every((column) => column.shape !== null || column.ndim > 0);
    if (!known) continue;
    specs.push((type === "TiledColumnStMan" ? tiledColumn : tiledShape)(name || names[0]!, names, options));
  }
  specs.push(standard());
  return specs;
}

/** Rows of a column that fit the bound. */
function rowsAtOnce(column: Column): number {
  if (column.shape === null || !isNumeric(column.dtype)) return FREE_SHAPE_ROWS;
  const bytes = elementsOf(column.shape) * numericInfo(column.dtype).size;
  return Math.max(1, Math.floor(BATCH_BYTES / bytes));
}

function copyRows(
  from: Table,
  to: Table,
  column: Column,
  rows: { start: number; end: number },
  at: number,
): void {
  const { name } = column;
  if (column.kind === "scalar") {
    const values = from.getColumn(name, { rows });
    to.putColumn(name, values as ColumnValues, { rows: { start: at, end: at + rows.end - rows.start } });
    return;
  }
  // Cells of equal shape that follow each other go in one piece.
  const cells = from.getCells(name, { rows });
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!;
    if (cell !== null) to.putCell(name, at + i, cell);
  }
}
