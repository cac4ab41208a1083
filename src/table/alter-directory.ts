/**
 * Whole tables: removed, and given another place. Nobody else may have them open, nor a table within their directories.
 *
 * Stored names of tables are relative to the table that holds them (format reference part 1, section 4.4). When a table moves,
 * names that would lead elsewhere are written anew, in an order that leaves none of them wrong for long:
 *
 * | step | |
 * | --- | --- |
 * | 1 | names of tables that stay where they are become absolute: they are right at both places |
 * | 2 | the directory is renamed |
 * | 3 | names are written as casacore would write them at the new place |
 */
import { dirname, resolve } from "node:path";
import { TableError } from "../error.ts";
import { isWithin, normalize, resolveStoredName, storedName } from "../format/names.ts";
import type { FieldValue, RecordField, RecordFields } from "../format/record.ts";
import { readTableDat, type TableDat, writeTableDat } from "../format/table-dat.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import { JOURNAL_FILE } from "../io/journal-format.ts";
import { lockExclusively, type TableLock } from "../io/lock.ts";
import { readWholeFile, replaceFile } from "../io/whole-file.ts";
import { removeTree } from "./directory.ts";
import { contextOf } from "./open.ts";
import type { IoOptions } from "./options.ts";

/** How whole tables are reached. */
export interface DirectoryOptions extends Pick<IoOptions, "io" | "context"> {
  /** "none": don't make sure that nobody else has the table open; needed where the C library is missing. */
  readonly lock?: "auto" | "none";
}

/** Options of {@linkcode Table.delete}. */
export interface DeleteOptions extends DirectoryOptions {
  /** Refuse, too, when a table within the directory is open elsewhere; true unless told otherwise. */
  readonly subtables?: boolean;
}

/** Forwarding columns name their table in a string. */
const FORWARD = /^_ForwardColumn_TableName/;

/** The directory of a table that is meant itself, not by way of a link. @throws TableError NOT_FOUND, NOT_A_TABLE, INVALID_ARGUMENT */
function tableDirectory(backend: Backend, path: string): string {
  if (typeof path !== "string" || path === "") {
    throw new TableError(
      "INVALID_ARGUMENT",
      `the path of a table is a string that is not empty, found ${String(path)}`,
    );
  }
  const directory = resolve(path), kind = backend.kind(directory, { noFollow: true });
  if (kind === null) throw new TableError("NOT_FOUND", "there is nothing of that name", { file: directory });
  if (kind === "link") {
    throw new TableError("INVALID_ARGUMENT", "this is a symbolic link; name the table itself", {
      file: directory,
    });
  }
  if (kind !== "directory" || backend.kind(`${directory}/table.dat`) === null) {
    throw new TableError(
      "NOT_A_TABLE",
      kind === "directory" ? "there is no table.dat in it" : "not a directory",
      {
        file: directory,
      },
    );
  }
  return directory;
}

/** Directories of the tables in a directory, itself first; links aren't followed. */
function tablesWithin(backend: Backend, directory: string): string[] {
  const own = backend.kind(`${directory}/table.dat`) === null ? [] : [directory];
  const inner = backend.list(directory).map((name) => `${directory}/${name}`);
  return [
    ...own,
    ...inner.filter((path) => backend.kind(path, { noFollow: true }) === "directory")
      .flatMap((path) => tablesWithin(backend, path)),
  ];
}

/**
 * The locks of a table and of those within its directory, all for us alone. Tables that have no lock file, those that refer to
 * others, have none.
 *
 * @throws TableError LOCKED, UNSUPPORTED, IO
 */
export function lockTree(backend: Backend, directory: string, subtables = true): Disposable {
  const locks: TableLock[] = [];
  const release = () => locks.forEach((lock) => lock.close());
  try {
    for (const table of subtables ? tablesWithin(backend, directory) : [directory]) {
      if (backend.kind(`${table}/table.lock`) === null) continue;
      const lock = lockExclusively(table, backend);
      if (lock !== null) locks.push(lock);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { [Symbol.dispose]: release };
}

function backendOf(options: DirectoryOptions): Backend {
  return openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
}

/** Removes a table with all that is in its directory. @throws TableError as `Table.delete` */
export function deleteTable(path: string, options: DeleteOptions): void {
  const backend = backendOf(options), directory = tableDirectory(backend, path);
  using _ = options.lock === "none" ? null : lockTree(backend, directory, options.subtables ?? true);
  removeTree(backend, directory);
}

/** Gives a table another place. @throws TableError as `Table.rename` */
export function renameTable(path: string, newPath: string, options: DirectoryOptions): void {
  const backend = backendOf(options), from = tableDirectory(backend, path);
  if (typeof newPath !== "string" || newPath === "") {
    throw new TableError(
      "INVALID_ARGUMENT",
      `the path of a table is a string that is not empty, found ${String(newPath)}`,
    );
  }
  const to = resolve(newPath);
  if (to === from) return;
  if (isWithin(from, to)) {
    throw new TableError("INVALID_ARGUMENT", `a table can't be put into itself, at ${to}`, { file: from });
  }
  if (backend.kind(to, { noFollow: true }) !== null) {
    throw new TableError("EXISTS", "there is something of that name already", { file: to });
  }
  if (backend.kind(dirname(to)) !== "directory") {
    throw new TableError("NOT_FOUND", `the folder ${dirname(to)} doesn't exist`, { file: to });
  }
  using _ = options.lock === "none" ? null : lockTree(backend, from);
  const move = { from, to };
  const tables = tablesWithin(backend, from).map((table) => ({
    old: table,
    new: to + table.slice(from.length),
  }));
  for (const table of tables) {
    rewrite(backend, table.old, (name) => {
      const target = resolveStoredName(table.old, name);
      return isStray(table, move, name) && !isWithin(from, target) ? normalize(target) : name;
    });
  }
  backend.rename(from, to);
  for (const table of tables) {
    rewrite(backend, table.new, (name) => {
      const target = movedTo(move, resolveStoredName(table.old, name));
      const isOurs = name.startsWith("/") || isStray(table, move, name);
      return isOurs && target.startsWith("/") ? storedName(table.new, target) : name;
    });
  }
  for (const folder of new Set([dirname(from), dirname(to)])) backend.syncDirectory(folder);
}

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Where a table is after a move. */
function movedTo({ from, to }: Move, path: string): string {
  return isWithin(from, path) ? to + normalize(path).slice(from.length) : path;
}

/** True for a stored name that leads elsewhere once its table is moved. */
function isStray(table: { old: string; new: string }, move: Move, name: string): boolean {
  const target = resolveStoredName(table.old, name);
  return target.startsWith("/") && resolveStoredName(table.new, name) !== movedTo(move, target);
}

/** Writes `table.dat` anew where it names tables otherwise then. One that can't be read stays as it is. */
function rewrite(backend: Backend, directory: string, rename: (name: string) => string): void {
  const path = `${directory}/table.dat`, bytes = readWholeFile(backend, path);
  let dat: TableDat;
  try {
    if (bytes === null) return;
    dat = readTableDat(bytes, path);
  } catch (error) {
    if (error instanceof TableError) return;
    throw error;
  }
  let changed = false;
  const renamed = withNames(dat, (name) => {
    const other = rename(name);
    changed ||= other !== name;
    return other;
  });
  if (!changed) return;
  if (backend.kind(`${directory}/${JOURNAL_FILE}`) !== null) {
    throw new TableError(
      "NEEDS_RECOVERY",
      "a writer died in the middle of a commit; open the table for writing first",
      {
        file: directory,
      },
    );
  }
  replaceFile(backend, path, writeTableDat(renamed), { syncDirectory: true });
}

/** What `table.dat` says, with other names of tables. */
function withNames(dat: TableDat, rename: (name: string) => string): TableDat {
  if (dat.kind === "RefTable") return { ...dat, parent: rename(dat.parent) };
  if (dat.kind === "ConcatTable") return { ...dat, tables: dat.tables.map(rename) };
  const { desc } = dat;
  return {
    ...dat,
    desc: {
      ...desc,
      keywords: recordWithNames(desc.keywords, rename),
      columns: desc.columns.map((column) => ({
        ...column,
        keywords: recordWithNames(column.keywords, rename),
      })),
    },
  };
}

function recordWithNames(record: RecordFields, rename: (name: string) => string): RecordFields {
  const valueOf = ({ name, value }: RecordField): FieldValue => {
    if (value.kind === "table") return { ...value, name: rename(value.name) };
    if (value.kind === "record") return { ...value, fields: recordWithNames(value.fields, rename) };
    if (value.kind === "scalar" && value.dtype === "string" && FORWARD.test(name)) {
      return { ...value, value: rename(value.value as string) };
    }
    return value;
  };
  return { ...record, fields: record.fields.map((field) => ({ ...field, value: valueOf(field) })) };
}

/** A name for a subtable's directory. @throws TableError INVALID_ARGUMENT */
export function checkSubtableName(name: string): void {
  if (
    typeof name === "string" && /^[^/\0]+$/.test(name) && name !== "." && name !== ".." &&
    !name.startsWith("table.")
  ) {
    return;
  }
  throw new TableError("INVALID_ARGUMENT", `${JSON.stringify(name)} is no name of a subtable's directory`);
}
