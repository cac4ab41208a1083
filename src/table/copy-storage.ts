/**
 * How a copy is stored: each column as it was, where its manager keeps what it is given.
 */
import { TableError } from "../error.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { Column } from "./column.ts";
import {
  aipsio,
  type ArrayOptions,
  type ColumnSpec,
  incremental,
  standard,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "./specs.ts";
import type { Table } from "./table.ts";

type TileShapes = Readonly<Record<string, readonly number[]>>;

/** The description of a column as `Table.create` takes it; keywords are copied apart. */
export function specOf(column: Column): ColumnSpec {
  const options: ArrayOptions = {
    comment: column.comment,
    maxLength: column.maxLength,
    ...(column.kind !== "array"
      ? {}
      : column.shape !== null
      ? { shape: column.shape, direct: column.direct }
      : column.ndim > 0
      ? { ndim: column.ndim }
      : {}),
  };
  return {
    name: column.name,
    kind: column.kind === "array" ? "array" : "scalar",
    dtype: column.dtype,
    options,
  };
}

/** @throws TableError INVALID_ARGUMENT for tile shapes that would have no effect, NO_SUCH_COLUMN */
function checkTileShapes(from: Table, columns: readonly Column[], tileShapes: TileShapes): void {
  for (const name of Object.keys(tileShapes)) {
    const { kind } = from.column(name);
    if (kind === "array" && columns.some((column) => column.name === name)) continue;
    throw new TableError(
      "INVALID_ARGUMENT",
      `a tile shape is given for column ${name}, which is ${
        kind === "array" ? "not copied" : "no array column"
      }`,
      { file: from.path },
    );
  }
}

/** Managers whose columns stay together, by type. */
const KEPT: Readonly<Record<string, (name: string, columns: readonly string[]) => StorageSpec>> = {
  IncrementalStMan: incremental,
  StManAipsIO: aipsio,
};

/**
 * Managers like the columns' own. Tiled ones keep their columns together and their tile shape, unless another is given. What
 * was computed, compressed with loss, or kept in memory is stored as it is read: in tiles where cells have one shape, else
 * standard, as are coordinates of tiled managers.
 */
export function storageLike(
  from: Table,
  columns: readonly Column[],
  tileShapes: TileShapes = {},
): StorageSpec[] {
  checkTileShapes(from, columns, tileShapes);
  const groups = new Map<number | string, Column[]>();
  const add = (key: number | string, column: Column) => groups.set(key, [...groups.get(key) ?? [], column]);
  for (const column of columns) {
    const { type, sequence } = column.manager;
    const tiled = isTiledData(from, column);
    if (tiled) add(sequence, column);
    else if (Object.hasOwn(tileShapes, column.name)) add(column.name, column);
    else if (Object.hasOwn(KEPT, type)) add(sequence, column);
    else if (type !== "StandardStMan" && !type.startsWith("Tiled") && suitsTiles(column)) {
      add(column.name, column);
    }
  }
  const names = new Set<string>();
  const specs = [...groups.values()].flatMap((group) => {
    const spec = likeManagerOf(from, group, tileShapes);
    return spec === null ? [] : [{ ...spec, name: freeName(spec.name, names) }];
  });
  return [...specs, standard(freeName("StandardStMan", names))];
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
  taken.add(name);
  return name;
}

/** A manager for columns that were together, null where the standard one takes them. */
function likeManagerOf(from: Table, group: readonly Column[], tileShapes: TileShapes): StorageSpec | null {
  const [first] = group as [Column];
  const names = group.map((column) => column.name);
  const { type, sequence } = first.manager;
  const given = names.map((name) => tileShapes[name]).find((shape) => shape !== undefined);
  const kept = given === undefined ? KEPT[type] : undefined;
  const named = from.managerDetails(sequence)?.name;
  if (kept !== undefined) return kept(named || type, names);
  // Cells of any number of axes have no hypercubes; where a shape is given, creating the table says so.
  if (given === undefined && !group.every((column) => column.shape !== null || column.ndim > 0)) return null;
  const name = type.startsWith("Tiled") && named ? named : `Tiled${first.name}`;
  const tileShape = given ?? first.tileShape;
  const options = tileShape === null ? {} : { tileShape };
  if (type === "TiledCellStMan") return tiledCell(name, names, options);
  return (type === "TiledColumnStMan" ? tiledColumn : tiledShape)(name, names, options);
}

/** True for a column with values in tiles; coordinates belong to a tiled manager, too, but have no tiles. */
function isTiledData(from: Table, column: Column): boolean {
  const { type, sequence } = column.manager;
  if (!type.startsWith("Tiled") || column.kind !== "array") return false;
  // Without hypercubes there are no tiles yet; coordinates there are only where a hypercolumn says so.
  return column.tileShape !== null || from.managerDetails(sequence)?.info.hypercolumnDefined === false;
}

/** True for numbers in cells of one shape, larger than what belongs in the bucket of a row. */
function suitsTiles({ kind, dtype, shape }: Column): boolean {
  return kind === "array" && dtype !== "string" && shape !== null && !shape.includes(0) &&
    shape.reduce((product, length) => product * length, 1) > 16;
}
