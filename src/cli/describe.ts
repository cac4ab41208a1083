/**
 * What there is to say about a table, as plain objects: `show` and `schema` print it, for people and as JSON.
 */
import { type Column, type DType, type Table, TableError, type TableRecord } from "../../mod.ts";
import { errorText, shortPath } from "./failure.ts";
import { tableSizes } from "./files.ts";

/** One column. */
export interface ColumnDescription {
  readonly name: string;
  readonly dtype: DType;
  readonly kind: "scalar" | "array" | "record";
  /** Shape of every cell, null where cells have shapes of their own; [] for scalars. */
  readonly shape: readonly number[] | null;
  /** Axes of a cell: 0 for scalars, -1 where cells may differ in it. */
  readonly ndim: number;
  readonly direct: boolean;
  /** Longest string in bytes, 0 for any. */
  readonly maxLength: number;
  readonly comment: string;
  readonly units: readonly string[];
  readonly keywords: TableRecord;
  readonly manager: { readonly type: string; readonly name: string; readonly sequence: number };
  /** With the row axis last; null where there are no tiles, or none that can be read. */
  readonly tileShape: readonly number[] | null;
  readonly bytesOnDisk: number | null;
  /** False when the column's storage manager isn't known. */
  readonly readable: boolean;
}

/** One storage manager. */
export interface ManagerDescription {
  readonly type: string;
  readonly name: string;
  readonly sequence: number;
  /** Names of its columns. */
  readonly columns: readonly string[];
  readonly files: readonly string[];
  /** True where the files are in a container, `table.mf`. */
  readonly contained: boolean;
  /** null where there is no file: virtual columns, and managers of the tables that a reference takes its rows from. */
  readonly bytesOnDisk: number | null;
  /** What the manager says of itself, e.g. its bucket size; null where it isn't known. */
  readonly info: Readonly<Record<string, unknown>> | null;
}

/** One subtable: what it holds, or why that can't be said. */
export interface SubtableDescription {
  /** The keyword. */
  readonly name: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly bytesOnDisk?: number;
  readonly error?: string;
}

/** A table. */
export interface TableDescription {
  /** As it was typed. */
  readonly path: string;
  readonly kind: string;
  readonly rows: number;
  readonly byteOrder: "little" | "big";
  readonly info: { readonly type: string; readonly subType: string; readonly readme: string };
  /** Tables that a reference or a concatenation takes its rows from. */
  readonly parents: readonly string[];
  readonly columns: readonly ColumnDescription[];
  readonly managers: readonly ManagerDescription[];
}

function describeColumn(column: Column, managerName: string): ColumnDescription {
  const { type, sequence } = column.manager;
  return {
    name: column.name,
    dtype: column.dtype,
    kind: column.kind,
    shape: column.shape,
    ndim: column.ndim,
    direct: column.direct,
    maxLength: column.maxLength,
    comment: column.comment,
    units: column.units,
    keywords: column.keywords,
    manager: { type, name: managerName, sequence },
    tileShape: column.tileShape,
    bytesOnDisk: column.bytesOnDisk,
    readable: column.readable,
  };
}

/** Describes an open table; `path` is what the user called it. @throws TableError */
export function describeTable(table: Table, path: string): TableDescription {
  const columns = table.columnNames.map((name) => table.column(name));
  const { managers: sizes } = tableSizes(table.path);
  const managers = table.managers.map(({ type, sequence }): ManagerDescription => {
    const details = table.managerDetails(sequence);
    const own = sizes.get(sequence);
    // Files that the directory doesn't show are a container's; those of a reference or a concatenation are other tables'.
    const contained = own === undefined && table.kind === "plain" && (details?.fileBytes ?? 0) > 0;
    return {
      type,
      name: details?.name ?? "",
      sequence,
      columns: columns.filter((column) => column.manager.sequence === sequence).map((column) => column.name),
      files: details?.files ?? [],
      contained,
      bytesOnDisk: contained ? details!.fileBytes : own ?? null,
      info: details?.info ?? null,
    };
  });
  const names = new Map(managers.map(({ sequence, name }) => [sequence, name]));
  return {
    path,
    kind: table.kind,
    rows: table.rowCount,
    byteOrder: table.byteOrder,
    info: table.info,
    parents: table.parents,
    columns: columns.map((column) => describeColumn(column, names.get(column.manager.sequence) ?? "")),
    managers,
  };
}

/** Bytes of a table's own files; a concatenation of subtables has none but its parts'. */
function bytesOf(table: Table): number {
  const paths = table.parents.includes(table.path) ? new Set(table.parents) : [table.path];
  let bytes = 0;
  for (const path of paths) bytes += tableSizes(path).own;
  return bytes;
}

/** Looks into each subtable that the keywords name. `opened` is told of each table, before it is closed. */
export function describeSubtables(table: Table, opened: (subtable: Table) => void): SubtableDescription[] {
  return table.keywords.keys().filter((name) => table.keywords.kind(name) === "table").map((name) => {
    try {
      using subtable = table.subtable(name);
      opened(subtable);
      return {
        name,
        rows: subtable.rowCount,
        columns: subtable.columnNames.length,
        bytesOnDisk: bytesOf(subtable),
      };
    } catch (error) {
      // One that is missing or damaged mustn't hide the others.
      if (!(error instanceof TableError)) throw error;
      const missing = error.code === "NOT_FOUND" && error.file !== undefined;
      return { name, error: missing ? `missing: ${shortPath(error.file!)}` : errorText(error) };
    }
  });
}
