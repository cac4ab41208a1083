/**
 * Making concatenations: several tables behind each other (format reference part 1, section 10), in memory or on disk.
 */
import { TableError } from "../error.ts";
import { storedName } from "../format/names.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { TableBody } from "./body.ts";
import { ConcatenationBody } from "./concatenation.ts";
import { checkOnDisk, pathsOf, type PlaceOptions, writeReferring } from "./references.ts";
import type { IoOptions } from "./options.ts";

/** Options of `Table.concat`. */
export interface ConcatOptions extends IoOptions {
  /** Keywords of subtables that are concatenated, too; the others are those of the first table. */
  readonly subtables?: readonly string[];
  /** How tables that are given by their paths are opened; "r" unless told otherwise. */
  readonly mode?: "r" | "rw";
  /** Replace an existing table. */
  readonly overwrite?: boolean;
  /** Called when the concatenation was closed: the place to close tables that were given open. */
  readonly onClose?: () => void;
}

/** A table of a concatenation, and whether somebody else commits and closes it. */
export interface Part {
  readonly body: TableBody;
  readonly borrowed: boolean;
}

/**
 * Carries out `Table.concat`; those of the parts that aren't borrowed are the concatenation's.
 *
 * @throws TableError INVALID_ARGUMENT for no tables, or tables with different columns; NOT_FOUND
 */
export function joinTables(
  parts: readonly Part[],
  path: string | undefined,
  subtables: readonly string[],
  options: PlaceOptions,
): ConcatenationBody {
  const bodies = parts.map(({ body }) => body);
  const borrowed = new Set(parts.flatMap((part) => part.borrowed ? [part.body] : []));
  checkParts(bodies, subtables);
  if (path === undefined) return new ConcatenationBody(null, subtables, bodies, borrowed);
  bodies.forEach(checkOnDisk);
  const paths = bodies.map((body) => body.path);
  const files = writeReferring(
    path,
    options,
    bodies.flatMap(pathsOf),
    (directory) => ({
      dat: {
        kind: "ConcatTable",
        rowCount: bodies.reduce((sum, body) => sum + body.rowCount, 0),
        tables: paths.map((part) => storedName(directory, part)),
        subtables,
      },
      info: infoOfAll(bodies),
    }),
  );
  return new ConcatenationBody(files, subtables, bodies, borrowed);
}

/** What a file must not have, a caller must not ask for. */
function checkParts(bodies: readonly TableBody[], subtables: readonly string[]): void {
  const [first] = bodies;
  if (first === undefined) {
    throw new TableError("INVALID_ARGUMENT", "a concatenation is of one table at least");
  }
  for (const keyword of subtables) {
    for (const { keywords, path } of bodies) {
      if (keywords.kind(keyword) === "table") continue;
      throw new TableError("NOT_FOUND", `no keyword ${keyword} that names a subtable`, { file: path });
    }
  }
  const described = (body: TableBody) =>
    new Map(body.columns.map(({ bound }) => [bound.name, `${bound.kind} of ${bound.dtype}`]));
  const columns = described(first);
  for (const body of bodies.slice(1)) {
    const others = described(body);
    const name = [...columns.keys()].find((one) => others.get(one) !== columns.get(one)) ??
      [...others.keys()].find((one) => !columns.has(one));
    if (name === undefined) continue;
    throw new TableError(
      "INVALID_ARGUMENT",
      `tables to be concatenated have the same columns; ${name} is ${
        others.get(name) ?? "missing"
      } here and ${columns.get(name) ?? "missing"} in ${first.path}`,
      { file: body.path },
    );
  }
}

/** The first one's, and which tables they are, as casacore tells it. */
function infoOfAll(bodies: readonly TableBody[]): TableInfo {
  const { type, subType, readme } = bodies[0]!.info();
  const lines = ["Virtual concatenation of the following tables:", ...bodies.map((body) => `  ${body.path}`)];
  const before = readme === "" || readme.endsWith("\n") ? readme : `${readme}\n`;
  return { type, subType, readme: `${before}${lines.join("\n")}\n` };
}
