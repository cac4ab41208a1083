/**
 * Arrow schemas as Parquet schemas, and back.
 *
 * | Arrow | Parquet |
 * | --- | --- |
 * | Bool | BOOLEAN |
 * | Uint8, Int16, Uint16, Uint32; Int32 | INT32 with the integer's type; INT32 |
 * | Int64 | INT64 |
 * | Float32, Float64 | FLOAT, DOUBLE |
 * | Utf8 | BYTE_ARRAY, STRING |
 * | List, FixedSizeList | LIST of three levels: `list.element` |
 * | Struct | group |
 *
 * The Arrow schema itself stands in the file's metadata under `ARROW:schema`, as other implementations of Arrow have it: from
 * there come fixed shapes, complex types, keywords and units when the file is read again.
 */
import {
  Binary,
  Bool,
  type DataType,
  DataType as Types,
  Date_,
  DateUnit,
  Field,
  FixedSizeBinary,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Precision,
  RecordBatchReader,
  Schema,
  Struct,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
} from "apache-arrow";
import { type FileMetaData, parquetSchema, type SchemaElement, type SchemaTree } from "hyparquet";
import { IpcWriter } from "../arrow/ipc.ts";
import { TableError } from "../error.ts";

/** Key of the Arrow schema in a file's metadata. */
export const ARROW_SCHEMA_KEY = "ARROW:schema";

/** Parquet's schema of an Arrow schema: elements in depth first order. */
export function parquetElements(schema: Schema): SchemaElement[] {
  return [
    { name: "schema", num_children: schema.fields.length },
    ...schema.fields.flatMap((field) => elementsOf(field, field.name)),
  ];
}

function elementsOf(field: Field, name: string): SchemaElement[] {
  const { type } = field;
  const repetition_type = field.nullable ? "OPTIONAL" : "REQUIRED";
  if (Types.isList(type) || Types.isFixedSizeList(type)) {
    return [
      { name, repetition_type, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...elementsOf(type.children[0] as Field, "element"),
    ];
  }
  if (Types.isStruct(type)) {
    return [
      { name, repetition_type, num_children: type.children.length },
      ...type.children.flatMap((child) => elementsOf(child as Field, child.name)),
    ];
  }
  return [{ name, repetition_type, ...leafElement(type) }];
}

function leafElement(type: DataType): Omit<SchemaElement, "name"> {
  if (Types.isBool(type)) return { type: "BOOLEAN" };
  if (Types.isUtf8(type)) {
    return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
  }
  if (Types.isFloat(type)) return { type: type.precision === Precision.SINGLE ? "FLOAT" : "DOUBLE" };
  if (Types.isInt(type)) {
    const { bitWidth, isSigned } = type;
    if (bitWidth === 64) return { type: "INT64" };
    if (bitWidth === 32 && isSigned) return { type: "INT32" };
    // The older way to say it: the writer puts the newer one (a logical type) into the file in a form that others don't read.
    return { type: "INT32", converted_type: `${isSigned ? "INT" : "UINT"}_${bitWidth as 8 | 16 | 32}` };
  }
  throw new TableError("UNSUPPORTED", `no Parquet type for Arrow's ${String(type)}`);
}

/** The value of `ARROW:schema`: the message with the schema that Arrow streams begin with, in base64. */
export function arrowSchemaText(schema: Schema): string {
  const pieces: Uint8Array[] = [];
  const writer = new IpcWriter((bytes) => pieces.push(bytes.slice()), "stream", schema);
  writer.flush();
  let text = "";
  for (const piece of pieces) for (const byte of piece) text += String.fromCharCode(byte);
  return btoa(text);
}

/** The Arrow schema of a file: its own, or one made of Parquet's. @throws TableError CORRUPT, UNSUPPORTED */
export async function arrowSchemaOf(metadata: FileMetaData, file: string): Promise<Schema> {
  const text = metadata.key_value_metadata?.find(({ key }) => key === ARROW_SCHEMA_KEY)?.value;
  const tree = parquetSchema(metadata).children;
  const made = new Schema(tree.map((child) => fieldOf(child)), new Map());
  if (text === undefined) return made;
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const reader = await RecordBatchReader.from(bytes);
    const { schema } = await reader.open();
    const names = schema.fields.map((field) => field.name);
    // Some programs keep the metadata of a file that they changed.
    return names.join("\0") === made.fields.map((field) => field.name).join("\0") ? schema : made;
  } catch (cause) {
    throw new TableError("CORRUPT", `the Arrow schema in the metadata is none`, { file, cause });
  }
}

/** A field of Parquet's as Arrow's. */
function fieldOf({ element, children }: SchemaTree): Field {
  const { name, repetition_type } = element;
  const type = typeOf(element, children);
  if (repetition_type === "REPEATED") return new Field(name, new List(new Field("item", type, false)), false);
  return new Field(name, type, repetition_type !== "REQUIRED");
}

function typeOf(element: SchemaElement, children: readonly SchemaTree[]): DataType {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (children.length > 0) {
    const [list] = children;
    if (converted === "LIST" && children.length === 1 && list!.element.repetition_type === "REPEATED") {
      const item = list!.children.length === 1 ? list!.children[0]! : list!;
      return new List(new Field("item", typeOf(item.element, item.children), true));
    }
    return new Struct(children.map(fieldOf));
  }
  const integer = integerOf(element);
  if (integer !== null) return integer;
  if (converted === "DATE") return new Date_(DateUnit.DAY);
  const unit = logical?.type === "TIMESTAMP"
    ? logical.unit
    : converted?.startsWith("TIMESTAMP_")
    ? converted.slice(10)
    : "";
  if (unit === "MILLIS") return new TimestampMillisecond();
  if (unit === "MICROS") return new TimestampMicrosecond();
  if (unit === "NANOS") return new TimestampNanosecond();
  if (converted === "DECIMAL") {
    throw new TableError("UNSUPPORTED", `column ${element.name}: no column can hold decimals`);
  }
  switch (type) {
    case "BOOLEAN":
      return new Bool();
    case "FLOAT":
      return new Float32();
    case "DOUBLE":
      return new Float64();
    case "INT32":
      return new Int32();
    case "INT64":
      return new Int64();
    case "INT96":
      return new TimestampNanosecond();
    case "FIXED_LEN_BYTE_ARRAY":
      return logical?.type === "FLOAT16" ? new Float16() : new FixedSizeBinary(element.type_length ?? 0);
    default:
      return converted === undefined && logical === undefined ? new Binary() : new Utf8();
  }
}

function integerOf({ converted_type, logical_type }: SchemaElement): DataType | null {
  const match = /^(U?)INT_(8|16|32|64)$/.exec(converted_type ?? "");
  const integer = logical_type?.type === "INTEGER" ? logical_type : null;
  if (match === null && integer === null) return null;
  const bits = integer?.bitWidth ?? Number(match![2]);
  const signed = integer?.isSigned ?? match![1] === "";
  switch (bits) {
    case 8:
      return signed ? new Int8() : new Uint8();
    case 16:
      return signed ? new Int16() : new Uint16();
    case 32:
      return signed ? new Int32() : new Uint32();
    default:
      return signed ? new Int64() : new Uint64();
  }
}
