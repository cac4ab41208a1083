/**
 * Copying a table into a new one, with other storage managers or byte order if asked, in bounded memory.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { isWithin, resolveStoredName, storedName } from "../format/names.ts";
import type { RecordField, RecordFields } from "../format/record.ts";
import type { Backend, IoName } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { Context } from "../io/context.ts";
import type { IoSnapshot } from "../io/counters.ts";
import type { StorageSpec } from "../storage/manager.ts";
import { clearPlace, type CopyPlace, settle, takePlace } from "./copy-place.ts";
import { chosenRows, copyValues } from "./copy-rows.ts";
import { specOf, storageLike } from "./copy-storage.ts";
import { contextOf } from "./open.ts";
import type { RowSelection } from "./selection.ts";
import type { ColumnSpec } from "./specs.ts";
import type { LockMode } from "./options.ts";
import { Table } from "./table.ts";

/** Options of `Table.copy`. */
export interface CopyOptions {
  /** Columns to copy, in this order; all of them unless told otherwise. */
  readonly columns?: readonly string[];
  /** Range or list of rows to copy, in that order; all of them unless told otherwise. */
  readonly rows?: RowSelection;
  /** Columns that the original doesn't have, such as those in which the managers of `storage` keep others. */
  readonly newColumns?: readonly ColumnSpec[];
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
  /** Called after each batch of values. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** Options of `Table.copyAsync`. */
export interface CopyAsyncOptions extends CopyOptions {
  /** Ends the copy; nothing is left of it then. */
  readonly signal?: AbortSignal;
}

/** How far a copy has got. */
export interface CopyProgress {
  /** Rows that are done; where columns are copied one after another, of the share that they are. */
  readonly rows: number;
  /** Rows in all. */
  readonly of: number;
  /** Bytes of the values that are done, as they are in memory. */
  readonly bytes: number;
}

/** What a copy did. */
export interface CopyReport {
  /** What was done to files of the copy: to the table's own, and to those of each subtable. */
  readonly written: readonly IoSnapshot[];
  /** What was done to files of the subtables that were copied. The table's own counters are its `ioStats`. */
  readonly subtablesRead: readonly IoSnapshot[];
}

/** The tree that is copied: its directory, where the copy is made, and where it will be. */
interface Tree extends CopyPlace {
  readonly source: string;
  /** Counters of the tables that were made, and of the subtables that were read. */
  readonly written: IoSnapshot[];
  readonly subtablesRead: IoSnapshot[];
}

/**
 * Carries out `Table.copy`, a batch of values with each step. Strings and records keep their bytes. Who doesn't go on to the
 * end returns: then nothing is left of the copy.
 *
 * @throws TableError
 */
export function* copySteps(
  from: Table,
  path: string,
  options: CopyOptions,
): Generator<CopyProgress, CopyReport> {
  if (typeof path !== "string" || path === "") {
    throw new TableError(
      "INVALID_ARGUMENT",
      `the path of a table is a string that is not empty, found ${String(path)}`,
    );
  }
  const { overwrite = false, onProgress } = options;
  const backend = openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
  const place = takePlace(from, resolve(path), overwrite, backend);
  const tree = { ...place, source: from.keywordsDirectory, written: [], subtablesRead: [] };
  let done = false;
  try {
    for (const progress of copyTree(from, tree.partial, options, tree, backend)) {
      onProgress?.(progress);
      yield progress;
    }
    settle(place, overwrite, backend);
    done = true;
  } finally {
    if (!done) clearPlace(place, backend);
  }
  return { written: tree.written, subtablesRead: tree.subtablesRead };
}

/** Carries out `Table.copy`. @throws TableError */
export function copyTable(from: Table, path: string, options: CopyOptions): CopyReport {
  return drain(copySteps(from, path, options));
}

function drain<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value as T;
  }
}

/** How long a copy goes on before others get a turn, in milliseconds. */
const TURN_MS = 20;

/** As {@linkcode copyTable}, with turns for others between the steps. @throws TableError; what `signal` was aborted with */
export async function copyTableAsync(
  from: Table,
  path: string,
  { signal, ...options }: CopyAsyncOptions,
): Promise<CopyReport> {
  signal?.throwIfAborted();
  const steps = copySteps(from, path, options);
  try {
    for (let since = performance.now();;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (performance.now() - since < TURN_MS) continue;
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      since = performance.now();
    }
  } finally {
    steps.return(undefined as never);
  }
}

/** A table, and then the subtables within the tree that its keywords name; a missing one is left out, as it was. */
function* copyTree(
  from: Table,
  path: string,
  options: CopyOptions,
  tree: Tree,
  backend: Backend,
): Generator<CopyProgress, void> {
  let last: CopyProgress = { rows: 0, of: 0, bytes: 0 };
  for (const progress of copyData(from, path, options, tree)) yield last = progress;
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
      ? from.subtable(keyword, { mode: "r" })
      : Table.open(name, { strings: from.strings, io: io ?? "auto", ...contextOf({ context }) });
    const rest = { io: io ?? "auto", lock: lock ?? "auto", ...contextOf({ context }) } as const;
    const { rows, of, bytes: before } = last;
    const steps = copyTree(
      subtable,
      place,
      byteOrder === undefined ? rest : { ...rest, byteOrder },
      tree,
      backend,
    );
    for (const { bytes } of steps) yield last = { rows, of, bytes: before + bytes };
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

/** Makes everything but subtables, at `path`; stored names are those of the place that it will have. */
function* copyData(
  from: Table,
  path: string,
  options: CopyOptions,
  tree: Tree,
): Generator<CopyProgress, void> {
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
  const rows = chosenRows(options.rows, from.rowCount);
  const { newColumns = [], tileShapes } = options;
  const storage = options.storage ?? storageLike(from, columns, tileShapes);
  const to = Table.create(path, {
    columns: [...columns.map(specOf), ...newColumns],
    storage,
    rows: rows.length,
    byteOrder: options.byteOrder ?? from.byteOrder,
    io: options.io ?? "auto",
    lock: options.lock ?? "auto",
    ...contextOf(options),
    strings: from.strings,
    info: from.info,
  });
  const place = tree.target + path.slice(tree.partial.length);
  try {
    to.keywords.assign(relocated(from.keywords.toFields(), from, place, tree));
    for (const column of columns) {
      to.column(column.name).keywords.assign(relocated(column.keywords.toFields(), from, place, tree));
    }
    const names = columns.map((column) => column.name), of = rows.length;
    let copied = 0, total = 0;
    for (const { cells, bytes } of copyValues(from, to, names, rows, storage)) {
      copied += cells;
      total += bytes;
      yield { rows: Math.min(of, Math.floor(copied / names.length)), of, bytes: total };
    }
  } finally {
    to.close();
    tree.written.push(to.ioStats);
  }
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
