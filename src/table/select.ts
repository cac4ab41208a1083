/**
 * Selections: reference tables made of rows and columns of another table (format reference part 1, section 9). What a
 * selection of a selection refers to is the table with the data, as in casacore.
 */
import { TableError } from "../error.ts";
import { storedName } from "../format/names.ts";
import type { RefColumn } from "../format/ref-table.ts";
import type { TableBody } from "./body.ts";
import { ReferenceBody } from "./reference.ts";
import { checkOnDisk, pathsOf, type PlaceOptions, writeReferring } from "./references.ts";
import { type RowSelection, rowsOf } from "./selection.ts";

/** Options of `Table.select`. */
export interface SelectOptions {
  /** Where the selection is kept; left out: only in memory. */
  readonly path?: string;
  /** Replace an existing table. */
  readonly overwrite?: boolean;
}

/** Options of `Table.project`. */
export interface ProjectOptions extends SelectOptions {
  /** New names, by column. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** What a selection refers to: the table with the data, and columns and rows there. */
interface Root {
  readonly body: TableBody;
  readonly columns: readonly RefColumn[];
  /** Row numbers of a selection; null for the table itself. */
  readonly rows: Uint32Array | Float64Array | null;
}

function rootOf(body: TableBody): Root {
  const here = body.columns.map(({ bound: { name } }): RefColumn => ({ name, parentName: name }));
  if (!(body instanceof ReferenceBody)) return { body, columns: here, rows: null };
  // casacore collapses references when it writes them; somebody else's may refer to each other.
  const { columns, rows } = body.reference;
  const parent = rootOf(body.parent);
  const parentNames = new Map(parent.columns.map(({ name, parentName }) => [name, parentName]));
  return {
    body: parent.body,
    columns: columns.flatMap(({ name, parentName }) => {
      const root = parentNames.get(parentName);
      return root === undefined ? [] : [{ name, parentName: root }];
    }),
    rows: parent.rows === null ? rows : picked(parent.rows, rows),
  };
}

/** The values of `list` at the places `at`. */
function picked(
  list: Uint32Array | Float64Array,
  at: ArrayLike<number>,
): Uint32Array | Float64Array {
  const rows = new (list instanceof Uint32Array ? Uint32Array : Float64Array)(at.length);
  for (let i = 0; i < rows.length; i++) rows[i] = list[at[i]!]!;
  return rows;
}

const LONG_ROW = 2 ** 32;

/** Row numbers in as little memory as they need. */
function numbersOf(selection: RowSelection | undefined, rowCount: number): Uint32Array | Float64Array {
  const rows = rowsOf(selection, rowCount);
  const numbers = new (rowCount <= LONG_ROW ? Uint32Array : Float64Array)(rows.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = rows.at(i);
  return numbers;
}

/** Carries out `Table.select`. */
export function selectRows(
  body: TableBody,
  selection: RowSelection,
  options: SelectOptions & PlaceOptions,
): ReferenceBody {
  const root = rootOf(body), numbers = numbersOf(selection, body.rowCount);
  const rows = root.rows === null ? numbers : picked(root.rows, numbers);
  return refer({ ...root, rows }, body, options);
}

/** Carries out `Table.project`. */
export function projectColumns(
  body: TableBody,
  names: readonly string[],
  { rename = {}, ...options }: ProjectOptions & PlaceOptions,
): ReferenceBody {
  const root = rootOf(body);
  const byName = new Map(root.columns.map((column) => [column.name, column]));
  const stray = Object.keys(rename).find((name) => !names.includes(name));
  if (stray !== undefined) {
    throw new TableError("INVALID_ARGUMENT", `rename: column ${stray} is not among the columns chosen`, {
      file: body.path,
    });
  }
  const columns = names.map((name): RefColumn => {
    const column = byName.get(name);
    if (column === undefined) {
      throw new TableError(
        "NO_SUCH_COLUMN",
        `no column ${name}; there are ${[...byName.keys()].join(", ") || "none"}`,
        {
          file: body.path,
        },
      );
    }
    return { name: rename[name] ?? name, parentName: column.parentName };
  });
  const twice = columns.find(({ name }, i) => columns.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined || columns.some(({ name }) => name === "")) {
    throw new TableError(
      "INVALID_ARGUMENT",
      twice === undefined ? "a column needs a name" : `two columns would have the name ${twice.name}`,
      { file: body.path },
    );
  }
  return refer({ ...root, columns, rows: root.rows ?? numbersOf(undefined, body.rowCount) }, body, options);
}

/** The reference, kept on disk where a path is given. */
function refer(
  { body: parent, columns, rows }: Root,
  from: TableBody,
  options: SelectOptions & PlaceOptions,
): ReferenceBody {
  const reference = { columns, rows: rows! };
  const { path } = options;
  if (path === undefined) return new ReferenceBody(parent, reference, { files: null, borrowed: true });
  checkOnDisk(parent);
  checkNames(columns, from);
  const files = writeReferring(path, options, pathsOf(parent), (directory) => ({
    dat: {
      kind: "RefTable",
      rowCount: reference.rows.length,
      parent: storedName(directory, parent.path),
      ...reference,
      parentRowCount: parent.rowCount,
      rowOrder: isAscending(reference.rows),
    },
    info: from.info(),
  }));
  return new ReferenceBody(parent, reference, { files, borrowed: true });
}

/** casacore gives columns their new names one by one when it opens the table, so that none may be one of those before. */
function checkNames(columns: readonly RefColumn[], { path }: TableBody): void {
  const before = new Set(columns.map(({ parentName }) => parentName));
  const taken = columns.find(({ name, parentName }) => name !== parentName && before.has(name));
  if (taken === undefined) return;
  throw new TableError(
    "UNSUPPORTED",
    `column ${taken.parentName} can't be kept as ${taken.name}, the name of another one that is chosen`,
    { file: path },
  );
}

function isAscending(rows: Uint32Array | Float64Array): boolean {
  for (let i = 1; i < rows.length; i++) if (rows[i]! < rows[i - 1]!) return false;
  return true;
}
