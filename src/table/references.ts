/**
 * Making tables that refer to others: how both kinds get their directory. Until `table.dat` is there, which comes last, nobody
 * takes the directory for a table.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { isWithin } from "../format/names.ts";
import { type TableDat, writeTableDat } from "../format/table-dat.ts";
import { type TableInfo, writeTableInfo } from "../format/table-info.ts";
import type { Backend, IoName } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { Context } from "../io/context.ts";
import { TableFiles } from "../io/files.ts";
import { replaceFile } from "../io/whole-file.ts";
import type { TableBody } from "./body.ts";
import { ConcatenationBody } from "./concatenation.ts";
import { makeDirectory, removeTree } from "./directory.ts";
import { contextOf } from "./open.ts";
import { ReferenceBody } from "./reference.ts";

/** How the directory of a table that refers to others is made. */
export interface PlaceOptions {
  readonly overwrite?: boolean | undefined;
  readonly io?: IoName | "auto" | undefined;
  readonly context?: Context | undefined;
}

/** True for a table that others can refer to by its path. */
export function onDisk(body: TableBody): boolean {
  return body instanceof ReferenceBody || body instanceof ConcatenationBody ? body.onDisk : true;
}

/** The paths of a table and of all that it refers to, directly and through others. */
export function pathsOf(body: TableBody): string[] {
  const parts = body instanceof ReferenceBody
    ? [body.parent]
    : body instanceof ConcatenationBody
    ? body.parts
    : [];
  return [body.path, ...parts.flatMap(pathsOf)];
}

/** @throws TableError INVALID_ARGUMENT for a table that has no path of its own */
export function checkOnDisk(body: TableBody): void {
  if (onDisk(body)) return;
  throw new TableError(
    "INVALID_ARGUMENT",
    "a table on disk can't refer to one that is only in memory; give that one a path, too",
    { file: body.path },
  );
}

/**
 * Writes a table of no data of its own, and gives its files. `refersTo` are the tables that it names.
 *
 * @throws TableError INVALID_ARGUMENT when it would take the place of one of them; EXISTS, LOCKED, IO: nothing is left then
 */
export function writeReferring(
  path: string,
  options: PlaceOptions,
  refersTo: readonly string[],
  content: (directory: string) => { dat: TableDat; info: TableInfo },
): TableFiles {
  if (typeof path !== "string" || path === "") {
    throw new TableError(
      "INVALID_ARGUMENT",
      `the path of a table is a string that is not empty, found ${String(path)}`,
    );
  }
  const directory = resolve(path);
  const backend = openBackend(options.io ?? "auto", { writable: true, ...contextOf(options) });
  checkPlace(backend, directory, refersTo);
  const { dat, info } = content(directory);
  makeDirectory(backend, directory, options.overwrite ?? false);
  try {
    replaceFile(backend, `${directory}/table.info`, writeTableInfo(info), { sync: false });
    replaceFile(backend, `${directory}/table.dat`, writeTableDat(dat));
    return new TableFiles(directory, backend, { writable: false, ...contextOf(options) });
  } catch (error) {
    removeTree(backend, directory);
    throw error;
  }
}

function checkPlace(backend: Backend, directory: string, refersTo: readonly string[]): void {
  const real = (path: string) => backend.kind(path) === null ? path : backend.realPath(path);
  for (const path of refersTo) {
    if (!isWithin(real(directory), real(path))) continue;
    throw new TableError("INVALID_ARGUMENT", `it would take the place of ${path}, which it refers to`, {
      file: directory,
    });
  }
}
