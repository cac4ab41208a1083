/**
 * Table directories: made, and removed with all that is in them.
 */
import { dirname } from "node:path";
import { TableError } from "../error.ts";
import type { Backend } from "../io/backend.ts";
import { lockExclusively, lockingAvailable } from "../io/lock.ts";

/** Makes the table's directory; with `overwrite` a table that is there goes first. */
export function makeDirectory(backend: Backend, directory: string, overwrite: boolean): void {
  try {
    backend.makeDirectory(directory);
    return;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    if (error.code === "NOT_FOUND") {
      throw new TableError("NOT_FOUND", `the folder ${dirname(directory)} doesn't exist`, {
        file: directory,
        cause: error,
      });
    }
    if (error.code !== "EXISTS") throw error;
  }
  removeOld(backend, directory, overwrite);
  if (backend.kind(directory) === null) backend.makeDirectory(directory);
}

/**
 * Makes room for a table: an existing one goes if `overwrite` is set and nobody else has it open.
 *
 * @throws TableError EXISTS for a table that may not be replaced, or for anything that is no table; LOCKED
 */
export function removeOld(backend: Backend, directory: string, overwrite: boolean): void {
  const kind = backend.kind(directory, { noFollow: true });
  if (kind === null) return;
  if (kind === "link") {
    // What a link leads to may have other names, and other users.
    throw new TableError("EXISTS", "there is a symbolic link of that name; name the table itself", {
      file: directory,
    });
  }
  const table = backend.kind(`${directory}/table.dat`) !== null;
  if (table && !overwrite) {
    throw new TableError("EXISTS", "there is a table of that name; overwrite: true replaces it", {
      file: directory,
    });
  }
  // Anything that is no table is somebody's: only an empty directory is taken over.
  if (!table && (kind !== "directory" || backend.list(directory).length > 0)) {
    throw new TableError("EXISTS", "there is something of that name that is no table", { file: directory });
  }
  if (!table) return;
  if (lockingAvailable()) lockExclusively(directory, backend)?.close();
  removeTree(backend, directory);
}

/**
 * Removes a directory with all that is in it; `table.dat` goes first, so that what is left is no table. Of a symbolic link
 * only the link goes, never what it leads to.
 */
export function removeTree(backend: Backend, directory: string): void {
  const names = backend.list(directory).sort((a, b) => Number(b === "table.dat") - Number(a === "table.dat"));
  for (const name of names) {
    const path = `${directory}/${name}`;
    if (backend.kind(path, { noFollow: true }) === "directory") removeTree(backend, path);
    else backend.remove(path);
  }
  backend.removeDirectory(directory);
}
