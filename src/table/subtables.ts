/**
 * Where subtables are: keywords hold stored names, which are resolved against the directory of the table that keeps them.
 */
import { TableError } from "../error.ts";
import { isWithin, resolveStoredName } from "../format/names.ts";
import type { TableBody } from "./body.ts";

/**
 * The directories of the tables that a subtable consists of, behind each other: one, or several for a concatenation that
 * concatenates the subtable too, in the order of the parts, with repetitions.
 *
 * @throws TableError as {@linkcode subtablePath}
 */
export function subtablePaths(
  body: TableBody,
  keyword: string,
  confine: boolean,
  tree = body.path,
): string[] {
  const owners = body.subtableOwners?.(keyword);
  if (owners === undefined) return [subtablePath(body, keyword, confine, tree)];
  return owners.flatMap((owner) => subtablePaths(owner, keyword, confine, tree));
}

/**
 * The directory of a table's own subtable. @throws TableError NOT_FOUND when there is no such keyword, TYPE_MISMATCH when it is no
 * subtable, INVALID_ARGUMENT when `confine` is set and the name leads out of `tree`.
 */
function subtablePath(body: TableBody, keyword: string, confine: boolean, tree: string): string {
  const field = body.keywords.toFields().fields.find((one) => one.name === keyword);
  if (field === undefined) {
    throw new TableError("NOT_FOUND", `no keyword ${keyword} that names a subtable`, { file: body.path });
  }
  if (field.value.kind !== "table") {
    throw new TableError("TYPE_MISMATCH", `keyword ${keyword} is no subtable`, { file: body.path });
  }
  return resolveConfined(body.keywordsDirectory, field.value.name, confine, tree);
}

/** Resolves a stored name; with `confine` only within `tree`. @throws TableError INVALID_ARGUMENT */
export function resolveConfined(
  directory: string,
  storedName: string,
  confine: boolean,
  tree: string,
): string {
  const path = resolveStoredName(directory, storedName);
  if (confine && !isWithin(tree, path)) {
    throw new TableError("INVALID_ARGUMENT", `${path} lies outside the table's directory (confine is set)`, {
      file: tree,
    });
  }
  return path;
}
