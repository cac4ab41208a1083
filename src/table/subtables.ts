/**
 * Where subtables are: keywords hold stored names, which are resolved against the directory of the table that keeps them.
 */
import { TableError } from "../error.ts";
import { isWithin, resolveStoredName } from "../format/names.ts";
import type { TableBody } from "./body.ts";

/**
 * The directory of a subtable. @throws TableError NOT_FOUND when there is no such keyword, TYPE_MISMATCH when it is no
 * subtable, INVALID_ARGUMENT when `confine` is set and the name leads out of the table's tree.
 */
export function subtablePath(body: TableBody, keyword: string, confine: boolean): string {
  const field = body.keywords.toFields().fields.find((one) => one.name === keyword);
  if (field === undefined) {
    throw new TableError("NOT_FOUND", `no keyword ${keyword} that names a subtable`, { file: body.path });
  }
  if (field.value.kind !== "table") {
    throw new TableError("TYPE_MISMATCH", `keyword ${keyword} is no subtable`, { file: body.path });
  }
  return resolveConfined(body.keywordsDirectory, field.value.name, confine, body.path);
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
