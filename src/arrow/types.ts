/**
 * Data types of columns as Arrow types: the one mapping, both ways for what Tessera exports.
 *
 * | column | Arrow |
 * | --- | --- |
 * | bool | Bool (bits) |
 * | uint8, int16, uint16, int32, uint32, int64 | Uint8, Int16, Uint16, Int32, Uint32, Int64 |
 * | float32, float64 | Float32, Float64 |
 * | complex64, complex128 | FixedSizeList<2> of Float32 or Float64 (re, im), extension `tessera.complex64` … |
 * | string | Utf8, or Dictionary<Int32, Utf8> when asked for |
 * | record | Utf8, extension `tessera.record`: typed JSON |
 * | array of fixed shape [a, b, c] | FixedSizeList<c> of FixedSizeList<b> of FixedSizeList<a>: the first axis, which is the fastest, innermost |
 * | array of free shape | Struct { shape: List<Int32>, data: List<…> }, extension `tessera.array`; data flat, first axis fastest |
 *
 * Arrow and casacore order the bytes of a fixed-shape column alike, so that its values are shared, not copied.
 */
import {
  Bool,
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  List,
  Schema,
  Struct,
  Uint16,
  Uint32,
  Uint8,
  Utf8,
} from "apache-arrow";
import type { DType } from "../array/dtype.ts";
import type { Column } from "../table/column.ts";
import type { Table } from "../table/table.ts";
import {
  ARRAY_EXTENSION,
  columnMetadata,
  COMPLEX_EXTENSION,
  EXTENSION_KEY,
  EXTENSION_METADATA_KEY,
  INFO_KEY,
  KEYWORDS_KEY,
  RECORD_EXTENSION,
} from "./metadata.ts";
import { recordText } from "./typed-json.ts";

/** Name of the children of lists, as in other implementations of Arrow. */
const ITEM = "item";

/** Type of the parts of a complex value, of a value otherwise. */
function partType(dtype: DType): DataType {
  switch (dtype) {
    case "bool":
      return new Bool();
    case "uint8":
      return new Uint8();
    case "int16":
      return new Int16();
    case "uint16":
      return new Uint16();
    case "int32":
      return new Int32();
    case "uint32":
      return new Uint32();
    case "int64":
      return new Int64();
    case "float32":
    case "complex64":
      return new Float32();
    case "float64":
    case "complex128":
      return new Float64();
    case "string":
    case "record":
      return new Utf8();
  }
}

/** Type of one element. */
export function elementType(dtype: DType): DataType {
  const part = partType(dtype);
  return isComplex(dtype) ? new FixedSizeList(2, new Field(ITEM, part, false)) : part;
}

/** Field of the elements of a list; the extension name of complex values stands there. */
export function itemField(dtype: DType): Field {
  return new Field(ITEM, elementType(dtype), false, extension(elementExtension(dtype)));
}

/** Nested lists of a fixed shape, the last axis outermost. */
export function fixedArrayType(dtype: DType, shape: readonly number[]): DataType {
  return shape.reduce<{ field: Field; type: DataType | null }>(({ field }, length) => {
    const type = new FixedSizeList(length, field);
    return { field: new Field(ITEM, type, false), type };
  }, { field: itemField(dtype), type: null }).type!;
}

/** Shape and values of arrays of free shape. */
export function freeArrayType(dtype: DType): Struct {
  return new Struct([
    new Field("shape", new List(new Field(ITEM, new Int32(), false)), false),
    new Field("data", new List(itemField(dtype)), false),
  ]);
}

function isComplex(dtype: DType): dtype is "complex64" | "complex128" {
  return dtype === "complex64" || dtype === "complex128";
}

function elementExtension(dtype: DType): string | undefined {
  return isComplex(dtype) ? COMPLEX_EXTENSION[dtype] : dtype === "record" ? RECORD_EXTENSION : undefined;
}

function extension(name: string | undefined): Map<string, string> {
  return name === undefined ? new Map() : new Map([[EXTENSION_KEY, name], [EXTENSION_METADATA_KEY, ""]]);
}

/** The field of a column. `dictionaryId`: strings as a dictionary of that number. */
export function columnField(column: Column, dictionaryId: number | null = null): Field {
  const { name, dtype, kind, shape, manager } = column;
  let type: DataType, extensionName: string | undefined;
  if (kind !== "array") {
    extensionName = elementExtension(dtype);
    type = dictionaryId === null ? elementType(dtype) : new Dictionary(new Utf8(), new Int32(), dictionaryId);
  } else if (shape !== null) type = fixedArrayType(dtype, shape);
  else {
    extensionName = ARRAY_EXTENSION;
    type = freeArrayType(dtype);
  }
  // Scalars are always there, but for coordinates and ids of hypercubes.
  const nullable = kind === "array" || manager.type.startsWith("Tiled");
  return new Field(name, type, nullable, new Map([...extension(extensionName), ...columnMetadata(column)]));
}

/** The schema of some columns. `dictionary` says which string columns become dictionaries. */
export function schemaOf(
  table: Table,
  columns: readonly Column[],
  dictionary: (name: string) => boolean,
): Schema {
  const metadata = new Map([[INFO_KEY, JSON.stringify(table.info)]]);
  if (table.keywords.size > 0) metadata.set(KEYWORDS_KEY, recordText(table.keywords.toFields()));
  const fields = columns.map((column, i) =>
    columnField(
      column,
      column.dtype === "string" && column.kind === "scalar" && dictionary(column.name) ? i : null,
    )
  );
  return new Schema(fields, metadata);
}
