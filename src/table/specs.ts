/**
 * How a new table is described: its columns, and the storage managers that hold them.
 */
import { type DType, isDType } from "../array/dtype.ts";
import { TableError } from "../error.ts";
import type { StorageSpec } from "../storage/manager.ts";

/** What scalar and array columns have in common. */
export interface ColumnOptions {
  /** Free text. */
  readonly comment?: string;
  /** Unit of the values, kept in the column keyword `QuantumUnits` (format reference part 1, section 11). */
  readonly unit?: string | readonly string[];
  /** Measure that the values are, kept in the column keyword `MEASINFO`, e.g. `{ type: "epoch", Ref: "UTC" }`. */
  readonly measure?: { readonly type: string; readonly Ref?: string; readonly [key: string]: unknown };
  /** Further column keywords, with values as `TableRecord.set` takes them. */
  readonly keywords?: Readonly<Record<string, unknown>>;
  /** Longest string in bytes; left out: any length. */
  readonly maxLength?: number;
}

/** Options of an array column. */
export interface ArrayOptions extends ColumnOptions {
  /** Shape of every cell, first axis fastest. Left out: each cell has its own. */
  readonly shape?: readonly number[];
  /** Number of axes, for columns without a fixed shape. Left out: any. */
  readonly ndim?: number;
  /** Keep the values in the row's bucket, where the manager tells the difference. Needs `shape`. */
  readonly direct?: boolean;
}

/** A column of a table to be made; by {@linkcode scalar} or {@linkcode array}. */
export interface ColumnSpec {
  /** The column's name. */
  readonly name: string;
  /** One value a row, or an array. */
  readonly kind: "scalar" | "array";
  /** Element type. */
  readonly dtype: DType;
  /** Shape, unit, keywords and the like. */
  readonly options: ArrayOptions;
}

function checkName(name: string, dtype: DType): void {
  if (typeof name !== "string" || name.length === 0) {
    throw new TableError("INVALID_ARGUMENT", `a column needs a name, found ${JSON.stringify(name)}`);
  }
  if (!isDType(dtype)) {
    throw new TableError("INVALID_ARGUMENT", `column ${name}: ${String(dtype)} is no data type`);
  }
}

/**
 * Describes a column with one value a row.
 *
 * @throws TableError INVALID_ARGUMENT for an empty name or an unknown data type.
 * @example
 * ```ts
 * import { scalar } from "@tessera/tables";
 * const time = scalar("TIME", "float64", { unit: "s", measure: { type: "epoch", Ref: "UTC" } });
 * ```
 */
export function scalar(name: string, dtype: DType, options: ColumnOptions = {}): ColumnSpec {
  checkName(name, dtype);
  return { name, kind: "scalar", dtype, options };
}

/**
 * Describes a column with an array in each row, all of one shape or each of its own.
 *
 * @throws TableError INVALID_ARGUMENT for an empty name, an unknown data type, a shape with lengths below 1,
 * `direct` without a shape, or an `ndim` that disagrees with the shape.
 * @example
 * ```ts
 * import { array } from "@tessera/tables";
 * const data = array("DATA", "complex64", { shape: [4, 64], unit: "Jy" });
 * ```
 */
export function array(name: string, dtype: DType, options: ArrayOptions = {}): ColumnSpec {
  checkName(name, dtype);
  const { shape, ndim, direct } = options;
  const wrong = (reason: string) => {
    throw new TableError("INVALID_ARGUMENT", `column ${name}: ${reason}`);
  };
  if (dtype === "record") wrong("arrays of records don't exist, use scalar");
  if (shape?.some((length) => !Number.isInteger(length) || length < 1 || length > 2 ** 31 - 1)) {
    wrong(`[${shape.join(", ")}] is no shape of a cell: lengths from 1 to 2147483647 expected`);
  }
  if (shape?.length === 0) wrong("a shape without axes is a scalar's");
  if (direct && shape === undefined) wrong("direct needs a shape");
  if (ndim !== undefined && (!Number.isInteger(ndim) || ndim < 1)) {
    wrong(`ndim must be at least 1, found ${ndim}`);
  }
  if (ndim !== undefined && shape !== undefined && shape.length !== ndim) {
    wrong(`shape [${shape.join(", ")}] has ${shape.length} axes, ndim says ${ndim}`);
  }
  return { name, kind: "array", dtype, options };
}

/** Options of the standard storage manager. */
export interface StandardOptions {
  /** Rows of a bucket; 32 unless told otherwise. */
  readonly bucketRows?: number;
  /** Bytes of a bucket, at least 128; `bucketRows` wins. */
  readonly bucketSize?: number;
}

/** Options of the tiled storage managers. */
export interface TiledOptions {
  /** Lengths of a tile: the cell's axes, then rows. 0 or a missing axis lets Tessera choose, as casacore does. */
  readonly tileShape?: readonly number[];
  /** Cache size in MiB that casacore is told to use for these columns; 0: as it likes. */
  readonly maxCacheSize?: number;
  /**
   * Columns with the coordinates of the hypercubes' axes, null for an axis without: an array column of one axis for an axis
   * of the cells, a scalar column for one that runs over rows. Each cube has one set of coordinates, so an array that is put
   * in one row is that of every row whose cells have the same shape. Types: int32, uint32, floats and complex numbers.
   */
  readonly coordinates?: readonly (string | null)[];
}

/** Options of {@linkcode tiledData}. */
export interface TiledDataOptions extends TiledOptions {
  /** Scalar columns that say which hypercube a row is in; left out: there is only one cube. */
  readonly ids?: readonly string[];
  /** Lengths of the row axes but the last, which grows: [] for one row axis, as if left out; [n] for n rows at each position. */
  readonly rowShape?: readonly number[];
}

function storageOf(
  type: string,
  name: string,
  columns: readonly string[] | undefined,
  options: object,
): StorageSpec {
  return {
    type,
    name,
    ...(columns === undefined ? {} : { columns }),
    options: options as Readonly<Record<string, unknown>>,
  };
}

/**
 * Keeps columns in buckets of some rows each: scalars, strings, small or irregular arrays. Without `columns` it takes
 * every column that no other manager claims.
 *
 * @example
 * ```ts
 * import { standard } from "@tessera/tables";
 * const storage = [standard("SSM", { bucketRows: 1024 })];
 * ```
 */
export function standard(
  name?: string,
  columns?: readonly string[] | StandardOptions,
  options?: StandardOptions,
): StorageSpec {
  const list = Array.isArray(columns) ? columns as readonly string[] : undefined;
  return storageOf("StandardStMan", name ?? "StandardStMan", list, options ?? (list ? {} : columns ?? {}));
}

/** Options of the incremental storage manager. */
export interface IncrementalOptions {
  /** Bytes of a bucket; the size that casacore chooses, at least 32768, if left out. A row has to fit into one. */
  readonly bucketSize?: number;
}

/**
 * Keeps a value only where it differs from that of the row before: for columns that change seldom. Rows that are added
 * have the values of the last one. A value that is put holds for its row alone; but behind the last row that was put since
 * the table was opened, it holds for all rows that follow, as in casacore. Without `columns` it takes every column that no
 * other manager claims.
 *
 * @example
 * ```ts
 * import { incremental } from "@tessera/tables";
 * const storage = [incremental("Slow", ["FIELD_ID", "SCAN_NUMBER"], { bucketSize: 65536 })];
 * ```
 */
export function incremental(
  name = "IncrementalStMan",
  columns?: readonly string[] | IncrementalOptions,
  options?: IncrementalOptions,
): StorageSpec {
  const list = Array.isArray(columns) ? columns as readonly string[] : undefined;
  return storageOf("IncrementalStMan", name, list, options ?? (list ? {} : columns ?? {}));
}

/**
 * Keeps all values of some columns in one file that is written anew at every flush, the first form that tables had: for few
 * rows, and for programs that know no other. Without `columns` it takes every column that no other manager claims.
 *
 * @example
 * ```ts
 * import { aipsio } from "@tessera/tables";
 * const storage = [aipsio("Log", ["TIME", "MESSAGE"])];
 * ```
 */
export function aipsio(name = "StManAipsIO", columns?: readonly string[]): StorageSpec {
  return storageOf("StManAipsIO", name, columns, {});
}

/** A tiled manager; `rowAxes`: axes of its hypercubes that run over rows. */
function tiledOf(
  type: string,
  name: string,
  columns: readonly string[],
  rowAxes: number,
  options: TiledOptions & { readonly ids?: readonly string[] },
): StorageSpec {
  const { coordinates = [], ids = [], ...others } = options;
  const named = coordinates.filter((column) => column !== null);
  return {
    ...storageOf(type, name, [...columns, ...named, ...ids], others),
    hypercolumn: { data: columns, coordinates: coordinates.map((column) => column ?? ""), ids, rowAxes },
  };
}

/**
 * Keeps array columns in tiles, one hypercube for each shape of cell.
 *
 * @example
 * ```ts
 * import { tiledShape } from "@tessera/tables";
 * const storage = [tiledShape("TiledData", ["DATA"], { tileShape: [4, 64, 64] })];
 * ```
 */
export function tiledShape(
  name: string,
  columns: readonly string[],
  options: TiledOptions = {},
): StorageSpec {
  return tiledOf("TiledShapeStMan", name, columns, 1, options);
}

/**
 * Keeps array columns of one fixed shape in tiles of a single hypercube.
 *
 * @example
 * ```ts
 * import { tiledColumn } from "@tessera/tables";
 * const storage = [tiledColumn("TiledUvw", ["UVW"], { tileShape: [3, 4096] })];
 * ```
 */
export function tiledColumn(
  name: string,
  columns: readonly string[],
  options: TiledOptions = {},
): StorageSpec {
  return tiledOf("TiledColumnStMan", name, columns, 1, options);
}

/**
 * Keeps array columns in tiles, a hypercube for each row, which is the cell: for few large arrays, such as images. The
 * number of axes must be known. A cell may get another shape, which takes other space in the file; the old is lost.
 *
 * @example
 * ```ts
 * import { tiledCell } from "@tessera/tables";
 * const storage = [tiledCell("TiledImages", ["MAP"], { tileShape: [64, 64] })];
 * ```
 */
export function tiledCell(
  name: string,
  columns: readonly string[],
  options: TiledOptions = {},
): StorageSpec {
  return tiledOf("TiledCellStMan", name, columns, 0, options);
}

/**
 * Keeps columns in tiles, a hypercube for each set of ids. A row goes to the end of the cube of its ids when one of its
 * data cells is first put, and stays there; a cube is made for ids that have none, with cells of the shape that was put.
 * So in each row ids are put first, data next, coordinates last, and rows one after the other: `append` with its columns in
 * that order does it. Ids that were put in rows whose data were not are forgotten when the table is closed.
 *
 * In casacore a program makes and extends cubes itself (TiledDataStManAccessor); cubes that it made are read, written and,
 * where it made them to grow, extended.
 *
 * @example
 * ```ts
 * import { tiledData } from "@tessera/tables";
 * const storage = [tiledData("TiledVis", ["DATA", "FLAG"], { ids: ["SPW"], tileShape: [4, 64, 64] })];
 * ```
 */
export function tiledData(
  name: string,
  columns: readonly string[],
  options: TiledDataOptions = {},
): StorageSpec {
  return tiledOf("TiledDataStMan", name, columns, (options.rowShape?.length ?? 0) + 1, options);
}

/**
 * Keeps columns in memory until the table is closed: for values that nobody needs afterwards. The columns remain; when
 * the table is opened again their numbers are 0, their bools true, as casacore shows them, and their other cells empty or
 * undefined. Without `columns` it takes every column that no other manager claims.
 *
 * @example
 * ```ts
 * import { memory, standard } from "@tessera/tables";
 * const storage = [memory("Scratch", ["WORK"]), standard()];
 * ```
 */
export function memory(name: string, columns?: readonly string[]): StorageSpec {
  return storageOf("MemoryStMan", name, columns, {});
}

/** Options of {@linkcode dysco}; left out: those that DP3 uses, 10 and 12 bits, AF, a Gaussian truncated at 2.5. */
export interface DyscoOptions {
  /** Bits of each part of a visibility: 2, 3, 4, 6, 8, 10, 12 or 16. */
  readonly dataBitCount?: number;
  /** Bits of a weight, which all correlations of a channel share. */
  readonly weightBitCount?: number;
  /** What values are scaled by: antennas and channels (AF), rows and channels (RF), or rows. */
  readonly normalization?: "AF" | "RF" | "Row";
  /** What values are taken to be distributed like. `StudentsT` is what casacore calls `StudentT` when it is asked. */
  readonly distribution?: "Gaussian" | "Uniform" | "StudentT" | "StudentsT" | "TruncatedGaussian";
  /** Degrees of freedom of Student's t, from 1. */
  readonly studentTNu?: number;
  /** Where the truncated Gaussian ends, in standard deviations. */
  readonly distributionTruncation?: number;
  /**
   * Rows of a block, all of one time step; left out: the first rows that have the same TIME, FIELD_ID and DATA_DESC_ID when data
   * are first flushed or read, so give it where a time step is flushed in pieces. With AF and without `antennas` it is
   * forgotten when the table is closed before data are put.
   */
  readonly rowsPerBlock?: number;
  /**
   * Antennas that have factors, with AF at most 2048; left out: those that the table has when data are first encoded. For
   * rows of more antennas the whole file is written anew.
   */
  readonly antennas?: number;
}

/**
 * Keeps visibilities and weights compressed with loss, as the Dysco manager of casacore: symbols of a few bits, scaled for
 * each time step. Columns are direct arrays of a fixed shape [correlations, channels], `WEIGHT_SPECTRUM` of float32 and
 * others of complex64. The table needs TIME, FIELD_ID, DATA_DESC_ID, ANTENNA1 and ANTENNA2, and they are to be written before
 * the data or in the same `append`: rows of a time step follow each other, time steps have the same number of rows.
 *
 * What was put is encoded when it is flushed or read, and a read gives what is kept, not what was put. Encoding is
 * deterministic: a value between two levels becomes one or the other with the right probability, by a random number that
 * belongs to its place, so the same values make the same file. NaN and infinite values come back as NaN; flags are not looked
 * at. Writing some rows of a block that is in the file decodes the block and encodes it again, which changes the others
 * a little; in a block whose rows come one by one before they are flushed, nothing is lost twice. Weights that are negative
 * or NaN become 0. Rows can be added, and the last ones removed. With AF, correlations of an antenna with itself are cut off
 * where they are larger than the others of the block, as casacore does.
 *
 * casacore reads nothing of a last block for which the table has too few rows; Tessera does.
 *
 * @example
 * ```ts
 * import { array, dysco, scalar, standard } from "@tessera/tables";
 * const columns = [
 *   scalar("TIME", "float64"),
 *   ...["FIELD_ID", "DATA_DESC_ID", "ANTENNA1", "ANTENNA2"].map((name) => scalar(name, "int32")),
 *   array("DATA", "complex64", { shape: [4, 64], direct: true }),
 * ];
 * const storage = [dysco("DyscoData", ["DATA"], { dataBitCount: 8, normalization: "RF" }), standard()];
 * ```
 */
export function dysco(name: string, columns: readonly string[], options: DyscoOptions = {}): StorageSpec {
  return storageOf("DyscoStMan", name, columns, options);
}

/** Which manager takes which columns, in the order in which managers get their numbers. */
export interface Binding {
  readonly spec: StorageSpec;
  readonly columns: readonly ColumnSpec[];
}

/**
 * Divides columns among managers: those that name columns first, then one that takes the rest, then the defaults
 * (tiled for numeric arrays of known ndim, standard for what remains), which get other names than those that are `taken`.
 *
 * @throws TableError INVALID_ARGUMENT for a column that is named twice, or that two managers claim, or an unknown name.
 */
export function bindColumns(
  columns: readonly ColumnSpec[],
  storage: readonly StorageSpec[],
  taken: readonly string[] = [],
): Binding[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  if (byName.size !== columns.length) {
    const twice = columns.find((column, i) => columns.findIndex((other) => other.name === column.name) !== i);
    throw new TableError("INVALID_ARGUMENT", `column ${twice?.name} is described twice`);
  }
  const owner = new Map<string, StorageSpec>();
  let rest: StorageSpec | undefined;
  for (const spec of storage) {
    if (spec.columns === undefined) {
      if (rest !== undefined) {
        throw new TableError(
          "INVALID_ARGUMENT",
          `managers ${rest.name} and ${spec.name} both take the remaining columns`,
        );
      }
      rest = spec;
    }
    for (const name of spec.columns ?? []) {
      if (!byName.has(name)) {
        throw new TableError(
          "NO_SUCH_COLUMN",
          `manager ${spec.name} names column ${name}, which is not described`,
        );
      }
      const other = owner.get(name);
      if (other !== undefined) {
        throw new TableError(
          "INVALID_ARGUMENT",
          `column ${name} is claimed by ${other.name} and by ${spec.name}`,
        );
      }
      owner.set(name, spec);
    }
  }
  const unclaimed = columns.filter((column) => !owner.has(column.name));
  const specs = [...storage];
  if (rest === undefined) {
    specs.push(...defaultStorage(unclaimed, [...storage.map((spec) => spec.name), ...taken], owner));
  } else for (const column of unclaimed) owner.set(column.name, rest);
  return specs
    .map((spec) => ({ spec, columns: columns.filter((column) => owner.get(column.name) === spec) }))
    .filter((binding) => binding.columns.length > 0);
}

/** Managers for columns that no one claims: a tiled one for each array column of known ndim, a standard one for the rest. */
function defaultStorage(
  unclaimed: readonly ColumnSpec[],
  taken: readonly string[],
  owner: Map<string, StorageSpec>,
): StorageSpec[] {
  const names = new Set(taken);
  const specs: StorageSpec[] = [];
  let plain: StorageSpec | undefined;
  for (const column of unclaimed) {
    let spec: StorageSpec;
    if (isTiledByDefault(column)) {
      specs.push(spec = tiledShape(freeName(`Tiled${column.name}`, names), [column.name]));
    } else if (plain === undefined) specs.push(spec = plain = standard(freeName("StandardStMan", names)));
    else spec = plain;
    owner.set(column.name, spec);
  }
  return specs;
}

/** True for numeric arrays of known ndim. */
export function isTiledByDefault({ kind, dtype, options: { shape, ndim } }: ColumnSpec): boolean {
  return kind === "array" && dtype !== "string" && (shape !== undefined || ndim !== undefined);
}

function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
  taken.add(name);
  return name;
}
