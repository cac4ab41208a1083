/**
 * Copying a table into a new one, with other storage managers or byte order if asked, in bounded memory.
 */
import { resolve } from "node:path";
import { isNumeric, numericInfo } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { isWithin, resolveStoredName, storedName } from "../format/names.ts";
import type { RecordField, RecordFields } from "../format/record.ts";
import type { Backend, IoName } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { Context } from "../io/context.ts";
import type { IoSnapshot } from "../io/counters.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { Column } from "./column.ts";
import { removeOld, removeTree } from "./directory.ts";
import { contextOf } from "./open.ts";
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
  /**
   * Tile shapes by column, the rows last, where `storage` is left out: a tiled column gets that one, with those that share
   * its tiles; any other array column gets a tiled manager of its own.
   */
  readonly tileShapes?: Readonly<Record<string, readonly number[]>>;
  /** Byte order of the copy; the original's unless told otherwise. */
  readonly byteOrder?: "little" | "big";
  /** Replace an existing table. */
  readonly overwrite?: boolean;
  /** I/O backend of the copy. */
  readonly io?: IoName | "auto";
  /** Whether the copy is locked while it is made. */
  readonly lock?: LockMode;
  /** Cache and its bound; left out: the one of this isolate. */
  readonly context?: Context | undefined;
  /** false: leave subtables where they are. Otherwise those within the table's directory are copied with it. */
  readonly subtables?: boolean;
  /** Called now and then with the rows done and the rows in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a copy did. */
export interface CopyReport {
  /** What was done to files of the copy: to the table's own, and to those of each subtable. */
  readonly written: readonly IoSnapshot[];
  /** What was done to files of the subtables that were copied. The table's own counters are its `ioStats`. */
  readonly subtablesRead: readonly IoSnapshot[];
}

/** Most bytes of one column that are in memory at a time. */
const BATCH_BYTES = 16 * 2 ** 20;
/** Rows of a batch where cells have shapes of their own. */
const FREE_SHAPE_ROWS = 256;

/** Added to the name of a copy that is not complete yet. */
export const PARTIAL = ".partial";

/** The tree that is copied: its directory, where the copy is made, and where it will be. */
interface Tree {
  readonly source: string;
  readonly partial: string;
  readonly target: string;
  /** Counters of the tables that were made, and of the subtables that were read. */
  readonly written: IoSnapshot[];
  readonly subtablesRead: IoSnapshot[];
}

/**
 * Carries out `Table.copy`. Strings and records keep their bytes. The copy is made beside its place and gets its name
 * when it is complete.
 *
 * @throws TableError
 */
export function copyTable(from: Table, path: string, options: CopyOptions): CopyReport {
  const target = resolve(path);
  const backend = openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
  checkApart(from, target, backend);
  if (options.overwrite !== true) removeOld(backend, target, false);
  const tree = {
    source: from.keywordsDirectory,
    partial: target + PARTIAL,
    target,
    written: [],
    subtablesRead: [],
  };
  if (backend.kind(tree.partial) !== null) removeTree(backend, tree.partial);
  try {
    copyTree(from, tree.partial, options, tree, backend);
    removeOld(backend, target, options.overwrite ?? false);
    if (backend.kind(target) !== null) backend.removeDirectory(target);
    backend.rename(tree.partial, target);
  } catch (error) {
    if (backend.kind(tree.partial) !== null) removeTree(backend, tree.partial);
    throw error;
  }
  return { written: tree.written, subtablesRead: tree.subtablesRead };
}

/** @throws TableError INVALID_ARGUMENT when the copy would lie within its original or take its place */
function checkApart(from: Table, target: string, backend: Backend): void {
  const place = backend.kind(target) === null ? target : backend.realPath(target);
  for (const path of [from.path, ...from.parents]) {
    const original = backend.kind(path) === null ? path : backend.realPath(path);
    if (isWithin(original, place) || isWithin(place, original)) {
      throw new TableError("INVALID_ARGUMENT", `a table can't be copied into or over itself (${path})`, {
        file: target,
      });
    }
  }
}

/** A table, and then the subtables within the tree that its keywords name; a missing one is left out, as it was. */
function copyTree(from: Table, path: string, options: CopyOptions, tree: Tree, backend: Backend): void {
  // It is closed by now; its counters stay.
  tree.written.push(copyData(from, path, options, tree).ioStats);
  if (options.subtables === false) return;
  const { io, lock, byteOrder, context } = options;
  const names = [from.keywords, ...from.columnNames.map((name) => from.column(name).keywords)]
    .flatMap((record) => tableNames(record.toFields()))
    .map((name) => resolveStoredName(from.keywordsDirectory, name))
    .filter((name) => isWithin(tree.source, name) && name !== tree.source);
  const keywords = concatenable(from);
  // Shorter ones first: a subtable's own subtables come with it.
  for (const name of [...new Set(names)].sort((a, b) => a.length - b.length)) {
    const place = tree.partial + name.slice(tree.source.length);
    // One that is there was named before; a selection within its parent names itself, through the parent's keywords.
    if (backend.kind(`${name}/table.dat`) === null || backend.kind(place) !== null) continue;
    const keyword = keywords.get(name);
    using subtable = keyword !== undefined
      ? from.subtable(keyword)
      : Table.open(name, { strings: from.strings, io: io ?? "auto", ...contextOf({ context }) });
    const rest = { io: io ?? "auto", lock: lock ?? "auto", ...contextOf({ context }) } as const;
    copyTree(subtable, place, byteOrder === undefined ? rest : { ...rest, byteOrder }, tree, backend);
    tree.subtablesRead.push(subtable.ioStats);
  }
}

/**
 * Keywords whose subtables may be concatenations, by the directory of the first part's: the copy of a concatenation has one
 * table with the rows of all parts' subtables, as casacore's has.
 */
function concatenable(from: Table): Map<string, string> {
  const keywords = new Map<string, string>();
  if (from.kind === "plain") return keywords;
  for (const { name, value } of from.keywords.toFields().fields) {
    if (value.kind === "table") keywords.set(resolveStoredName(from.keywordsDirectory, value.name), name);
  }
  return keywords;
}

/** Makes everything but subtables, at `path`, and gives the closed table; stored names are those of the place that `path` will have. */
function copyData(from: Table, path: string, options: CopyOptions, tree: Tree): Table {
  const columns = (options.columns ?? from.columnNames).map((name) => from.column(name));
  for (const column of columns) {
    if (!column.readable) {
      throw new TableError(
        "UNSUPPORTED",
        `column ${column.name} can't be copied: ${column.manager.type} is not known`,
        { file: from.path },
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
    storage: options.storage ?? storageLike(from, columns, tileShapesOf(from, columns, options)),
    rows: end - start,
    byteOrder: options.byteOrder ?? from.byteOrder,
    io: options.io ?? "auto",
    lock: options.lock ?? "auto",
    ...contextOf(options),
    strings: from.strings,
    info: from.info,
  });
  const place = tree.target + path.slice(tree.partial.length);
  to.keywords.assign(relocated(from.keywords.toFields(), from, place, tree));
  for (const column of columns) {
    to.column(column.name).keywords.assign(relocated(column.keywords.toFields(), from, place, tree));
  }
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
  return to;
}

/** @throws TableError INVALID_ARGUMENT for tile shapes that would have no effect, NO_SUCH_COLUMN */
function tileShapesOf(
  from: Table,
  columns: readonly Column[],
  { tileShapes = {} }: CopyOptions,
): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map(Object.entries(tileShapes));
  for (const name of shapes.keys()) {
    const { kind } = from.column(name);
    if (kind === "array" && columns.some((column) => column.name === name)) continue;
    throw new TableError(
      "INVALID_ARGUMENT",
      `a tile shape is given for column ${name}, which is ${
        kind === "array" ? "not copied" : "no array column"
      }`,
      { file: from.path },
    );
  }
  return shapes;
}

/** Keywords with the names of subtables as the copy stores them: those within the tree move along. */
function relocated(record: RecordFields, from: Table, place: string, tree: Tree): RecordFields {
  const fields = record.fields.map((field): RecordField => {
    const { value } = field;
    if (value.kind === "record") {
      return { ...field, value: { kind: "record", fields: relocated(value.fields, from, place, tree) } };
    }
    if (value.kind !== "table") return field;
    const path = resolveStoredName(from.keywordsDirectory, value.name);
    const moved = isWithin(tree.source, path) ? tree.target + path.slice(tree.source.length) : path;
    return { ...field, value: { kind: "table", name: storedName(place, moved) } };
  });
  return { ...record, fields };
}

function tableNames(record: RecordFields): string[] {
  return record.fields.flatMap(({ value }) =>
    value.kind === "table" ? [value.name] : value.kind === "record" ? tableNames(value.fields) : []
  );
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

/**
 * Managers like the columns' own: tiled ones keep their columns together and their tile shape, unless another is given;
 * all else becomes standard, coordinates of tiled managers too.
 */
function storageLike(
  from: Table,
  columns: readonly Column[],
  tileShapes: ReadonlyMap<string, readonly number[]>,
): StorageSpec[] {
  const groups = new Map<number | string, Column[]>();
  for (const column of columns) {
    const tiled = isTiledData(from, column);
    if (!tiled && !tileShapes.has(column.name)) continue;
    const group = tiled ? column.manager.sequence : column.name;
    groups.set(group, [...groups.get(group) ?? [], column]);
  }
  const specs: StorageSpec[] = [];
  for (const group of groups.values()) {
    const [first] = group as [Column];
    const given = group.map(({ name }) => tileShapes.get(name)).find((shape) => shape !== undefined);
    // Cells of any number of axes have no hypercubes; where a shape is given, creating the table says so.
    const known = group.every((column) => column.shape !== null || column.ndim > 0);
    if (!known && given === undefined) continue;
    const { type, sequence } = first.manager;
    const name = type.startsWith("Tiled") ? from.managerDetails(sequence)?.name : undefined;
    const tileShape = given ?? first.tileShape;
    specs.push((type === "TiledColumnStMan" ? tiledColumn : tiledShape)(
      name || `Tiled${first.name}`,
      group.map((column) => column.name),
      tileShape === null ? {} : { tileShape },
    ));
  }
  specs.push(standard());
  return specs;
}

/** True for a column with values in tiles; coordinates belong to a tiled manager, too, but have no tiles. */
function isTiledData(from: Table, column: Column): boolean {
  const { type, sequence } = column.manager;
  if (!type.startsWith("Tiled") || column.kind !== "array") return false;
  // Without hypercubes there are no tiles yet; coordinates there are only where a hypercolumn says so.
  return column.tileShape !== null || from.managerDetails(sequence)?.info.hypercolumnDefined === false;
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
  const values = column.kind === "record" ? null : uniformValues(from, name, rows);
  if (values !== null) {
    to.putColumn(name, values, { rows: { start: at, end: at + rows.end - rows.start } });
    return;
  }
  from.getCells(name, { rows }).forEach((cell, i) => {
    if (cell !== null) to.putCell(name, at + i, cell);
  });
}

/** The values as one array, null where cells are undefined or differ in shape. */
function uniformValues(from: Table, name: string, rows: { start: number; end: number }): ColumnValues | null {
  try {
    return from.getColumn(name, { rows }) as ColumnValues;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    // Out of range: a coordinate or an id of a row that is in no hypercube yet.
    if (error.code === "SHAPE_MISMATCH" || error.code === "OUT_OF_RANGE") return null;
    throw error;
  }
}
