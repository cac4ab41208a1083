/**
 * Where a copy is made and how it gets its name. It grows beside its place, under the name with `.partial` behind, and is
 * renamed when it is complete; a table that it replaces goes aside first, under the name with `.replaced` behind, and is
 * removed after.
 */
import { TableError } from "../error.ts";
import { isWithin } from "../format/names.ts";
import type { Backend } from "../io/backend.ts";
import { lockExclusively, lockingAvailable } from "../io/lock.ts";
import { removeTree } from "./directory.ts";
import type { Table } from "./table.ts";

/** Added to the name of a copy that is not complete yet. */
export const PARTIAL = ".partial";
/** Added to the name of a table that a copy takes the place of. */
const REPLACED = ".replaced";

/** The place of a copy. */
export interface CopyPlace {
  /** Where it will be. */
  readonly target: string;
  /** Where it is made. */
  readonly partial: string;
}

/**
 * Makes room for a copy. What an earlier one left that was killed is cleared away.
 *
 * @throws TableError EXISTS, LOCKED when another process is making a copy there, INVALID_ARGUMENT
 */
export function takePlace(from: Table, target: string, overwrite: boolean, backend: Backend): CopyPlace {
  const place = { target, partial: target + PARTIAL };
  checkApart(from, target, backend);
  recoverReplaced(place, backend);
  checkFree(target, overwrite, backend);
  if (overwrite) checkAside(target, backend);
  if (backend.kind(place.partial, { noFollow: true }) !== null) {
    if (!isLeftOver(place.partial, backend)) {
      throw new TableError(
        "EXISTS",
        `the copy is made here, and there is something that is no part of a table`,
        {
          file: place.partial,
        },
      );
    }
    // A living copy holds the lock of its table.
    if (lockingAvailable() && backend.kind(`${place.partial}/table.lock`) !== null) {
      lockExclusively(place.partial, backend)?.close();
    }
    removeTree(backend, place.partial);
  }
  return place;
}

/** Gives a copy that is complete its name. @throws TableError EXISTS, LOCKED, IO; what was there is there still */
export function settle({ target, partial }: CopyPlace, overwrite: boolean, backend: Backend): void {
  checkFree(target, overwrite, backend);
  if (backend.kind(target) === null) return backend.rename(partial, target);
  if (backend.kind(`${target}/table.dat`) === null) {
    backend.removeDirectory(target);
    return backend.rename(partial, target);
  }
  // Nobody may have it open.
  const lock = lockingAvailable() ? lockExclusively(target, backend) : null;
  try {
    backend.rename(target, target + REPLACED);
    try {
      backend.rename(partial, target);
    } catch (error) {
      backend.rename(target + REPLACED, target);
      throw error;
    }
  } finally {
    lock?.close();
  }
  removeTree(backend, target + REPLACED);
}

/** Removes what there is of a copy that failed. */
export function clearPlace({ partial }: CopyPlace, backend: Backend): void {
  if (backend.kind(partial) !== null) removeTree(backend, partial);
}

/**
 * A copy that was killed between its renames left both tables aside: the one that it was to replace comes back. Nothing else
 * is taken for what a copy left.
 */
function recoverReplaced({ target, partial }: CopyPlace, backend: Backend): void {
  const replaced = target + REPLACED;
  const tables = [replaced, partial].every((path) => backend.kind(`${path}/table.dat`) !== null);
  if (tables && backend.kind(target, { noFollow: true }) === null) backend.rename(replaced, target);
}

/** @throws TableError EXISTS when what is replaced can't be put aside */
function checkAside(target: string, backend: Backend): void {
  const replaced = target + REPLACED;
  if (backend.kind(replaced, { noFollow: true }) === null) return;
  if (backend.kind(`${replaced}/table.dat`) === null && isLeftOver(replaced, backend)) {
    return removeTree(backend, replaced);
  }
  throw new TableError(
    "EXISTS",
    "the table that is replaced is put aside here, and there is something; remove it or give it another name",
    { file: replaced },
  );
}

/** @throws TableError EXISTS for what may not be replaced */
function checkFree(target: string, overwrite: boolean, backend: Backend): void {
  const refuse = (reason: string): never => {
    throw new TableError("EXISTS", reason, { file: target });
  };
  const kind = backend.kind(target, { noFollow: true });
  if (kind === null) return;
  // What a link leads to may have other names, and other users.
  if (kind === "link") refuse("there is a symbolic link of that name; name the table itself");
  if (backend.kind(`${target}/table.dat`) !== null) {
    if (!overwrite) refuse("there is a table of that name; overwrite: true replaces it");
  } else if (kind !== "directory" || backend.list(target).length > 0) {
    refuse("there is something of that name that is no table");
  }
}

/** True for a directory with nothing but files of tables in it. */
function isLeftOver(directory: string, backend: Backend): boolean {
  return backend.kind(directory, { noFollow: true }) === "directory" &&
    backend.list(directory).every((name) => {
      const path = `${directory}/${name}`;
      return backend.kind(path, { noFollow: true }) === "directory"
        ? isLeftOver(path, backend)
        : name.startsWith("table.");
    });
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
