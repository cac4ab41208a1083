/**
 * The `table.dat` of a new table, described as casacore describes it: format reference part 1, sections 5 and 6.
 *
 * | what | as casacore has it |
 * | --- | --- |
 * | options | shape given: 4 FixedShape; direct: 5 |
 * | ndim | 0 for scalars; that of the shape, or as given, or -1 |
 * | manager type and group | `StandardStMan` unless a hypercolumn or the caller says otherwise; binding leaves them alone |
 * | default value | zero, false, "" |
 * | hypercolumn NAME | private keyword `Hypercolumn_NAME` with ndim, data, coord, id |
 * | sequence numbers | explicit managers first, then one for each manager type and group of the columns that remain |
 */
import { codeOf, type DType } from "../array/dtype.ts";
import { TableError } from "../error.ts";
import { columnClassName, type ColumnDesc, OPTION_DIRECT, OPTION_FIXED_SHAPE } from "./column-desc.ts";
import {
  type ColumnBinding,
  DEFAULT_BLOCK_BYTES,
  type ManagerEntry,
  type StorageOption,
} from "./column-set.ts";
import { EMPTY_RECORD, mergeRecords, type RecordField, type RecordFields } from "./record.ts";
import { type ScalarValue, zeroOf } from "./scalar-io.ts";
import { decodeUtf8, encodeUtf8 } from "./strings.ts";
import type { PlainTableDat } from "./table-dat.ts";
import type { TableDesc } from "./table-desc.ts";

/** The manager of columns that nobody binds to another. */
export const DEFAULT_MANAGER = "StandardStMan";

const TILED_COLUMN = "TiledColumnStMan";
const TILED_SHAPE = "TiledShapeStMan";
const HYPERCOLUMN_PREFIX = "Hypercolumn_";
const NO_BYTES = new Uint8Array(0);

/** A column of a table to be made. */
export interface NewColumn {
  readonly name: string;
  readonly kind: "scalar" | "array" | "record";
  /** `record` for kind record. */
  readonly dtype: DType;
  readonly comment?: string;
  /** Arrays: shape of every cell, first axis fastest. */
  readonly shape?: readonly number[] | null;
  /** Arrays without a shape: number of axes, -1 or left out for any. */
  readonly ndim?: number;
  /** Arrays with a shape: values in the bucket itself. */
  readonly direct?: boolean;
  /** Strings: longest in bytes, 0 or left out for any. */
  readonly maxLength?: number;
  readonly keywords?: RecordFields;
  /** Scalars: what a cell holds that nobody wrote. */
  readonly defaultValue?: ScalarValue;
  /** The manager type that the description wishes for. */
  readonly managerType?: string;
  /** The manager group that the description wishes for; the type if left out. */
  readonly managerGroup?: string;
}

/** Columns that a tiled manager keeps together in hypercubes. */
export interface NewHypercolumn {
  readonly name: string;
  /** Axes of a hypercube: those of a cell and that of the rows. */
  readonly ndim: number;
  /** Array columns in it, at least one. */
  readonly data: readonly string[];
  /** A column with coordinates for each axis, "" for none; or none at all. */
  readonly coord?: readonly string[];
  readonly id?: readonly string[];
}

/** A table description to be made. */
export interface NewTableDesc {
  readonly columns: readonly NewColumn[];
  readonly hypercolumns?: readonly NewHypercolumn[];
  readonly keywords?: RecordFields;
  readonly privateKeywords?: RecordFields;
  readonly name?: string;
  readonly version?: string;
  readonly comment?: string;
}

/** A data manager that takes certain columns. */
export interface NewManager {
  readonly type: string;
  readonly columns: readonly string[];
}

/** How a new table is stored. */
export interface NewTableStorage {
  readonly rowCount: number;
  readonly bigEndian: boolean;
  /** Managers in the order of their sequence numbers 0, 1, …; columns that none takes go where their descriptions wish. */
  readonly managers?: readonly NewManager[];
  readonly storage?: StorageOption;
  /** Of a MultiFile, in bytes. */
  readonly blockSize?: number;
}

/**
 * The description of a column.
 *
 * @throws TableError INVALID_ARGUMENT for a name, shape, type or option that the format has no place for.
 */
export function newColumnDesc(column: NewColumn): ColumnDesc {
  const { name, kind, dtype, maxLength = 0 } = column;
  const shape = column.shape ?? null;
  const wrong = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `column ${JSON.stringify(name)}: ${reason}`);
  };
  if (name === "" || decodeUtf8(encodeUtf8(name)) !== name) wrong("this is no name of a column");
  if ((kind === "record") !== (dtype === "record")) {
    wrong(`a column of kind ${kind} can't hold values of type ${dtype}`);
  }
  if (kind !== "array" && (shape !== null || column.direct)) wrong(`a column of kind ${kind} has no shape`);
  if (column.direct && shape === null) wrong("direct needs a shape");
  if (shape?.some((length) => !Number.isSafeInteger(length) || length < 0)) {
    wrong(`[${shape.join(", ")}] is no shape`);
  }
  if (maxLength !== 0 && dtype !== "string") wrong(`a longest string makes no sense for type ${dtype}`);
  const ndim = kind !== "array" ? 0 : shape === null ? column.ndim ?? -1 : shape.length;
  if (kind === "array" && ndim < 1 && ndim !== -1 && shape === null) {
    wrong(`expected 1 or more axes, found ${ndim}`);
  }
  const managerType = column.managerType ?? DEFAULT_MANAGER;
  return {
    name,
    comment: column.comment ?? "",
    kind,
    dtype,
    className: columnClassName(kind, dtype),
    code: codeOf(dtype),
    managerType,
    managerGroup: column.managerGroup ?? managerType,
    options: shape === null ? 0 : column.direct ? OPTION_FIXED_SHAPE + OPTION_DIRECT : OPTION_FIXED_SHAPE,
    ndim,
    shape: shape ?? [],
    maxLength,
    keywords: column.keywords ?? EMPTY_RECORD,
    ...(kind === "scalar" && dtype !== "record"
      ? { defaultValue: column.defaultValue ?? zeroOf(dtype) }
      : {}),
  };
}

/**
 * The description of a table.
 *
 * @throws TableError INVALID_ARGUMENT for a column that can't be or occurs twice; NO_SUCH_COLUMN for a hypercolumn of
 * unknown columns.
 */
export function newTableDesc(desc: NewTableDesc): TableDesc {
  const columns = new Map<string, ColumnDesc>();
  for (const column of desc.columns) {
    if (columns.has(column.name)) {
      throw new TableError("INVALID_ARGUMENT", `column ${column.name} is described twice`);
    }
    columns.set(column.name, newColumnDesc(column));
  }
  const definitions = (desc.hypercolumns ?? []).map((hypercolumn) => defineHypercolumn(columns, hypercolumn));
  return {
    name: desc.name ?? "",
    version: desc.version ?? "",
    comment: desc.comment ?? "",
    keywords: desc.keywords ?? EMPTY_RECORD,
    privateKeywords: mergeRecords(desc.privateKeywords ?? EMPTY_RECORD, {
      fields: definitions,
      recordType: 1,
    }),
    columns: [...columns.values()],
  };
}

/**
 * A new plain table. The managers' blobs are empty: see withBlobs.
 *
 * @throws TableError NO_SUCH_COLUMN or INVALID_ARGUMENT for managers that take unknown columns, or one twice.
 */
export function newPlainTable(desc: TableDesc, storage: NewTableStorage): PlainTableDat {
  const managers: ManagerEntry[] = [];
  const sequences = new Map<string, number>();
  const names = new Set(desc.columns.map((column) => column.name));
  const add = (type: string): number =>
    managers.push({ type, sequence: managers.length, blob: NO_BYTES }) - 1;
  for (const manager of storage.managers ?? []) {
    const sequence = add(manager.type);
    for (const name of manager.columns) {
      if (!names.has(name)) {
        throw new TableError("NO_SUCH_COLUMN", `${manager.type} takes column ${name}, there is none`);
      }
      if (sequences.has(name)) throw new TableError("INVALID_ARGUMENT", `two managers take column ${name}`);
      sequences.set(name, sequence);
    }
  }
  const wished = new Map<string, number>();
  const columns = desc.columns.map((column): ColumnBinding => {
    const key = JSON.stringify([column.managerType, column.managerGroup]);
    let sequence = sequences.get(column.name) ?? wished.get(key);
    if (sequence === undefined) wished.set(key, sequence = add(column.managerType));
    return {
      originalName: column.name,
      sequence,
      shape: (column.options & OPTION_FIXED_SHAPE) === 0 ? null : column.shape,
    };
  });
  const used = new Set(columns.map((column) => column.sequence));
  return {
    kind: "PlainTable",
    rowCount: storage.rowCount,
    bigEndian: storage.bigEndian,
    desc,
    columnSet: {
      rowCount: storage.rowCount,
      storage: storage.storage ?? "separate",
      blockSize: storage.blockSize ?? DEFAULT_BLOCK_BYTES,
      sequenceCount: managers.length,
      // A manager without columns is dropped; its number stays used.
      managers: managers.filter((manager) => used.has(manager.sequence)),
      columns,
    },
  };
}

/** The table with what its managers keep in `table.dat`, by sequence number; the others keep what they have. */
export function withBlobs(table: PlainTableDat, blobs: ReadonlyMap<number, Uint8Array>): PlainTableDat {
  const managers = table.columnSet.managers.map((manager): ManagerEntry => ({
    ...manager,
    blob: blobs.get(manager.sequence) ?? manager.blob,
  }));
  return { ...table, columnSet: { ...table.columnSet, managers } };
}

/** The table with another row count, in both places. */
export function withRowCount(table: PlainTableDat, rowCount: number): PlainTableDat {
  return { ...table, rowCount, columnSet: { ...table.columnSet, rowCount } };
}

/** The private keyword of a hypercolumn; the descriptions of its columns are changed to wish for a tiled manager. */
function defineHypercolumn(columns: Map<string, ColumnDesc>, hypercolumn: NewHypercolumn): RecordField {
  const { name, ndim, data, coord = [], id = [] } = hypercolumn;
  const wrong = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `hypercolumn ${name}: ${reason}`);
  };
  if (data.length === 0) wrong("it has no data columns");
  if (coord.length !== 0 && coord.length !== ndim) {
    wrong(`${coord.length} coordinate columns, expected 0 or ${ndim}`);
  }
  const members = [...data, ...coord, ...id].filter((member) => member !== "").map((member) => {
    const column = columns.get(member);
    if (column === undefined) {
      throw new TableError("NO_SUCH_COLUMN", `hypercolumn ${name}: there is no column ${member}`);
    }
    return column;
  });
  const fixed = data.every((member) => (columns.get(member)!.options & OPTION_FIXED_SHAPE) !== 0);
  for (const column of members) {
    columns.set(column.name, {
      ...column,
      managerType: fixed ? TILED_COLUMN : TILED_SHAPE,
      managerGroup: name,
    });
  }
  const strings = (key: string, values: readonly string[]): RecordField => ({
    name: key,
    comment: "",
    value: { kind: "array", dtype: "string", shape: [values.length], data: values },
  });
  const fields: RecordField[] = [
    { name: "ndim", comment: "", value: { kind: "scalar", dtype: "uint32", value: ndim } },
    strings("data", data),
    strings("coord", coord),
    strings("id", id),
  ];
  return {
    name: HYPERCOLUMN_PREFIX + name,
    comment: "",
    value: { kind: "record", fields: { fields, recordType: 1 } },
  };
}
