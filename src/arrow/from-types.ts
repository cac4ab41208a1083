/**
 * Arrow types as columns: the other way of types.ts, and what becomes of Arrow types that tables don't have.
 *
 * | Arrow | column | keyword `ARROW_TYPE` |
 * | --- | --- | --- |
 * | Bool, Uint8, Int16, Uint16, Int32, Uint32, Int64, Float32, Float64 | the same | – |
 * | Int8, Float16, Uint64 | int16, float32, int64 (refused beyond 2^63 - 1) | the Arrow type |
 * | Utf8, LargeUtf8, Utf8View | string | – |
 * | Dictionary | as its values | – |
 * | Date, Time, Timestamp, Duration | int32 or int64, the numbers as they are | the Arrow type, with its unit |
 * | Binary, LargeBinary; FixedSizeBinary | uint8 array of one axis, of free shape; of a fixed one | the Arrow type |
 * | FixedSizeList, nested | array of a fixed shape, the innermost list the first axis | – |
 * | List, LargeList, nested | array of as many axes; lists within a cell must have the same length | – |
 * | Struct `tessera.array` | array of free shape | – |
 * | Struct, Map | record | – |
 * | Decimal, Interval, Union, Null, lists of structs and of binaries | refused | |
 *
 * What Tessera itself wrote becomes what it was: `tessera.column` in the metadata says the rest.
 */
import {
  type DataType,
  DataType as Types,
  type Field,
  type FixedSizeList,
  Precision,
  TimeUnit,
} from "apache-arrow";
import type { DType } from "../array/dtype.ts";
import { TableError } from "../error.ts";
import type { RecordFields } from "../format/record.ts";
import { TableRecord } from "../format/table-record.ts";
import type { ArrayOptions } from "../table/specs.ts";
import {
  ARRAY_EXTENSION,
  columnNote,
  COMPLEX_EXTENSION,
  EXTENSION_KEY,
  KEYWORDS_KEY,
  RECORD_EXTENSION,
  UNITS_KEY,
} from "./metadata.ts";
import type { NewColumn } from "./new-table.ts";
import { recordOfText } from "./typed-json.ts";

/** Column keyword with the name of the Arrow type, where the column's own says less. */
export const ARROW_TYPE_KEYWORD = "ARROW_TYPE";

/** How values lie in Arrow. */
export type Layout =
  | { readonly kind: "scalar" }
  /** Lists within lists, the outermost first: fixed lengths, or null for lengths of their own. */
  | { readonly kind: "lists"; readonly levels: readonly (number | null)[] }
  /** Struct of shape and data. */
  | { readonly kind: "shaped" }
  /** Bytes of one length, or of lengths of their own. */
  | { readonly kind: "bytes"; readonly length: number | null }
  | { readonly kind: "recordText" }
  | { readonly kind: "recordStruct" };

/** A field, as it becomes a column. */
export interface ImportColumn extends NewColumn {
  readonly layout: Layout;
}

interface Leaf {
  readonly dtype: DType;
  /** The Arrow type, where the data type says less. */
  readonly original: string | null;
  readonly unit: string | null;
}

/** The column that a field becomes. @throws TableError UNSUPPORTED for types that no column can hold, naming the column */
export function importColumn(field: Field): ImportColumn {
  const { name, metadata } = field;
  const note = columnNote(metadata);
  const { leaf, layout } = layoutOf(field);
  const record = layout.kind === "recordText" || layout.kind === "recordStruct";
  const dtype: DType = record ? "record" : leaf.dtype;
  const own = note?.dtype === dtype ? note : undefined;
  const options: { -readonly [K in keyof ArrayOptions]: ArrayOptions[K] } = { comment: own?.comment ?? "" };
  if (dtype === "string" && own !== undefined && own.maxLength > 0) options.maxLength = own.maxLength;
  const kind = record ? "record" : layout.kind === "scalar" ? "scalar" : "array";
  if (layout.kind === "shaped") {
    if (own !== undefined && own.ndim > 0) options.ndim = own.ndim;
  } else if (layout.kind === "lists" || layout.kind === "bytes") {
    const levels = layout.kind === "lists" ? layout.levels : [layout.length];
    if (levels.every((length) => length !== null && length > 0)) {
      options.shape = [...levels as number[]].reverse();
    } else options.ndim = levels.length;
    if (own?.direct === true && options.shape !== undefined) options.direct = true;
  }
  if (leaf.unit !== null && !metadata.has(UNITS_KEY)) options.unit = leaf.unit;
  return {
    name,
    kind,
    dtype,
    options,
    keywords: keywordsOf(metadata, leaf.original, name),
    manager: own?.manager ?? null,
    tileShape: own?.tileShape ?? null,
    ragged: options.shape === undefined,
    layout,
  };
}

function keywordsOf(
  metadata: ReadonlyMap<string, string>,
  original: string | null,
  name: string,
): RecordFields | null {
  const text = metadata.get(KEYWORDS_KEY);
  const record = text === undefined ? new TableRecord() : recordOfText(text, `keywords of column ${name}`);
  if (original !== null) record.set(ARROW_TYPE_KEYWORD, original);
  return record.size === 0 ? null : record.toFields();
}

function layoutOf(field: Field): { leaf: Leaf; layout: Layout } {
  const { name, metadata } = field;
  const record = { dtype: "record", original: null, unit: null } as const;
  let type = valueType(field.type);
  if (Types.isUtf8(type) && metadata.get(EXTENSION_KEY) === RECORD_EXTENSION) {
    return { leaf: record, layout: { kind: "recordText" } };
  }
  if (Types.isStruct(type) && metadata.get(EXTENSION_KEY) === ARRAY_EXTENSION) {
    const [shape, data] = type.children;
    if (
      type.children.length === 2 && shape!.name === "shape" && data!.name === "data" && isList(shape!.type) &&
      isList(data!.type)
    ) {
      return { leaf: leafOf(itemOf(data!.type), name), layout: { kind: "shaped" } };
    }
  }
  if (Types.isStruct(type) || Types.isMap(type)) return { leaf: record, layout: { kind: "recordStruct" } };
  if (Types.isFixedSizeBinary(type)) {
    return { leaf: bytesLeaf(type), layout: { kind: "bytes", length: type.byteWidth } };
  }
  if (Types.isBinary(type) || Types.isLargeBinary(type)) {
    return { leaf: bytesLeaf(type), layout: { kind: "bytes", length: null } };
  }
  const levels: (number | null)[] = [];
  let at = field;
  while (complexOf(at) === undefined && (isList(type) || Types.isFixedSizeList(type))) {
    levels.push(Types.isFixedSizeList(type) ? (type as FixedSizeList).listSize : null);
    at = itemOf(type);
    type = valueType(at.type);
  }
  const leaf = leafOf(at, name);
  return { leaf, layout: levels.length === 0 ? { kind: "scalar" } : { kind: "lists", levels } };
}

/** The type of the values of a dictionary; other types as they are. */
function valueType(type: DataType): DataType {
  return Types.isDictionary(type) ? type.dictionary as DataType : type;
}

function isList(type: DataType): boolean {
  return Types.isList(type) || Types.isLargeList(type);
}

function itemOf(type: DataType): Field {
  return type.children[0] as Field;
}

function bytesLeaf(type: DataType): Leaf {
  return { dtype: "uint8", original: String(type), unit: null };
}

/** The complex type of a field that says it holds one. */
export function complexOf({ type, metadata }: Field): "complex64" | "complex128" | undefined {
  if (!Types.isFixedSizeList(type) || type.listSize !== 2) return undefined;
  const { type: part } = itemOf(type), name = metadata.get(EXTENSION_KEY);
  if (!Types.isFloat(part)) return undefined;
  if (name === COMPLEX_EXTENSION.complex64 && part.precision === Precision.SINGLE) return "complex64";
  return name === COMPLEX_EXTENSION.complex128 && part.precision === Precision.DOUBLE
    ? "complex128"
    : undefined;
}

const UNIT_NAMES = {
  [TimeUnit.SECOND]: "s",
  [TimeUnit.MILLISECOND]: "ms",
  [TimeUnit.MICROSECOND]: "us",
  [TimeUnit.NANOSECOND]: "ns",
} as const;

function leafOf(field: Field, column: string): Leaf {
  const complex = complexOf(field);
  if (complex !== undefined) return { dtype: complex, original: null, unit: null };
  const type = valueType(field.type), plain = { original: null, unit: null };
  if (Types.isBool(type)) return { dtype: "bool", ...plain };
  if (Types.isUtf8(type) || Types.isLargeUtf8(type) || Types.isUtf8View(type)) {
    return { dtype: "string", ...plain };
  }
  if (Types.isInt(type)) {
    const { bitWidth, isSigned } = type;
    if (bitWidth === 8) {
      return isSigned ? { dtype: "int16", original: "Int8", unit: null } : { dtype: "uint8", ...plain };
    }
    if (bitWidth === 16) return { dtype: isSigned ? "int16" : "uint16", ...plain };
    if (bitWidth === 32) return { dtype: isSigned ? "int32" : "uint32", ...plain };
    return { dtype: "int64", original: isSigned ? null : "Uint64", unit: null };
  }
  if (Types.isFloat(type)) {
    if (type.precision === Precision.HALF) return { dtype: "float32", original: "Float16", unit: null };
    return { dtype: type.precision === Precision.SINGLE ? "float32" : "float64", ...plain };
  }
  if (Types.isDate(type)) {
    const days = type.unit === 0;
    return { dtype: days ? "int32" : "int64", original: String(type), unit: days ? "d" : "ms" };
  }
  if (Types.isTime(type)) {
    return {
      dtype: type.bitWidth === 32 ? "int32" : "int64",
      original: String(type),
      unit: UNIT_NAMES[type.unit],
    };
  }
  if (Types.isTimestamp(type)) {
    const zone = type.timezone ? `, ${type.timezone}` : "";
    return {
      dtype: "int64",
      original: `Timestamp<${TimeUnit[type.unit]}${zone}>`,
      unit: UNIT_NAMES[type.unit],
    };
  }
  if (Types.isDuration(type)) {
    return { dtype: "int64", original: String(type), unit: UNIT_NAMES[type.unit] };
  }
  throw new TableError(
    "UNSUPPORTED",
    `column ${column}: no column of a table can hold Arrow's ${
      String(type)
    }; cast it before, or leave it out`,
  );
}
