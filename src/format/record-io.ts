/**
 * Records in AipsIO streams: format reference part 1, section 4.
 *
 * | object `TableRecord` v1 (`Record` outside of tables) | |
 * | --- | --- |
 * | desc | object `RecordDesc` |
 * | recordType | Int: 0 fixed, 1 variable |
 * | values | in field order |
 *
 * | object `RecordDesc` v2 | |
 * | --- | --- |
 * | nfields | Int |
 * | per field: name | String |
 * | type | Int: code of a scalar, array, record or table |
 * | then, for a record | object `RecordDesc`: empty unless the sub-record's structure is fixed |
 * | or, for an array | IPosition: [-1], or the fixed shape |
 * | or, for a table | String: name of a table description |
 * | comment | String; not in version 1 |
 *
 * Values: scalars as they are, Array objects, nested record objects (a record described here has its bare values
 * instead), stored names of tables.
 */
import {
  codeOf,
  dtypeOfArrayCode,
  dtypeOfCode,
  numericInfo,
  RECORD_CODE,
  STRING_ARRAY_CODE,
  TABLE_CODE,
} from "../array/dtype.ts";
import type { DType } from "../array/dtype.ts";
import { TableError } from "../error.ts";
import { type AipsReader, type AipsWriter, MAX_RECORD_DEPTH } from "./aipsio.ts";
import { fieldArrayType, readArray, writeArray } from "./array-io.ts";
import { KEYWORD_SET_TYPES, readKeywordSet } from "./keyword-set.ts";
import type { FieldValue, RecordField, RecordFields } from "./record.ts";
import { readScalar, type ScalarType, writeScalar } from "./scalar-io.ts";

/** Class of a record: only TableRecord holds subtables. */
export type RecordType = "TableRecord" | "Record";

/** Smallest description of a field: name, type, comment (version 1: name, type). */
const MIN_FIELD_BYTES = 8;

interface FieldDesc {
  readonly name: string;
  readonly comment: string;
  readonly code: number;
  readonly fixedShape?: readonly number[];
  readonly fields?: readonly FieldDesc[];
  readonly tableDescName?: string;
}

/**
 * Reads a nested record object. Where a TableRecord is expected a very old file has a keyword set; that is read too.
 *
 * @throws TableError CORRUPT, UNSUPPORTED, or LIMIT for records nested deeper than 256 levels.
 */
export function readRecord(r: AipsReader, type: RecordType = "TableRecord"): RecordFields {
  return readLevel(r, type, 1);
}

/**
 * Writes a nested record object of version 1.
 *
 * @throws TableError TYPE_MISMATCH for values that such a record can't hold, LIMIT for deep nesting.
 */
export function writeRecord(w: AipsWriter, record: RecordFields, type: RecordType = "TableRecord"): void {
  writeLevel(w, record, type, 1);
}

function readLevel(r: AipsReader, type: RecordType, depth: number): RecordFields {
  const at = r.offset;
  checkDepth(depth, r);
  const header = r.begin(type === "TableRecord" ? [type, ...KEYWORD_SET_TYPES] : type);
  let record: RecordFields;
  if (header.type !== type) record = readKeywordSet(r, header);
  else {
    if (header.version !== 1) r.unsupported(`${type} has version ${header.version}, expected 1`, at);
    const fields = readDesc(r, depth);
    const recordType = r.i32();
    record = { fields: fields.map((desc) => readField(r, desc, type, depth)), recordType };
  }
  r.end();
  return record;
}

function readDesc(r: AipsReader, depth: number): FieldDesc[] {
  const at = r.offset;
  checkDepth(depth, r);
  const { version } = r.begin("RecordDesc");
  if (version !== 1 && version !== 2) r.unsupported(`RecordDesc has version ${version}, expected 1 or 2`, at);
  // An Int, but a negative one is refused as a uInt that is too large is.
  const count = r.count(MIN_FIELD_BYTES);
  const fields: FieldDesc[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const fieldAt = r.offset;
    const name = r.string();
    if (names.has(name)) r.fail(`record field ${JSON.stringify(name.slice(0, 80))} occurs twice`, fieldAt);
    names.add(name);
    const code = r.i32();
    const special = code === RECORD_CODE
      ? { fields: readDesc(r, depth + 1) }
      : code === TABLE_CODE
      ? { tableDescName: r.string() }
      : isArrayCode(code)
      ? fixedShapeOf(r.iposition())
      : {};
    fields.push({ name, code, ...special, comment: version === 1 ? "" : r.string() });
  }
  r.end();
  return fields;
}

function readField(r: AipsReader, desc: FieldDesc, type: RecordType, depth: number): RecordField {
  const { name, comment, fixedShape, tableDescName } = desc;
  const fixedRecord = desc.fields !== undefined && desc.fields.length > 0;
  return {
    name,
    comment,
    value: readValue(r, desc, type, depth),
    ...(fixedShape === undefined ? {} : { fixedShape }),
    ...(fixedRecord ? { fixedRecord } : {}),
    ...(tableDescName === undefined || tableDescName === "" ? {} : { tableDescName }),
  };
}

function readValue(r: AipsReader, desc: FieldDesc, type: RecordType, depth: number): FieldValue {
  if (desc.fields !== undefined) {
    if (desc.fields.length === 0) return { kind: "record", fields: readLevel(r, type, depth + 1) };
    const fields = desc.fields.map((field) => readField(r, field, type, depth + 1));
    return { kind: "record", fields: { fields, recordType: 0 } };
  }
  if (desc.code === TABLE_CODE && type === "TableRecord") return { kind: "table", name: r.string() };
  const element = dtypeOfArrayCode(desc.code);
  if (element !== undefined && isFieldType(element)) return { kind: "array", ...readArray(r, element) };
  const dtype = dtypeOfCode(desc.code);
  if (dtype === undefined || !isFieldType(dtype)) {
    return r.fail(`record field ${JSON.stringify(desc.name.slice(0, 80))} has type code ${desc.code}`);
  }
  return { kind: "scalar", dtype, value: readScalar(r, dtype) } as FieldValue;
}

function writeLevel(w: AipsWriter, record: RecordFields, type: RecordType, depth: number): void {
  checkDepth(depth);
  w.begin(type, 1);
  writeDesc(w, record, type, depth);
  w.i32(record.recordType);
  for (const field of record.fields) writeValue(w, field, type, depth);
  w.end();
}

function writeDesc(w: AipsWriter, record: RecordFields, type: RecordType, depth: number): void {
  checkDepth(depth);
  w.begin("RecordDesc", 2);
  w.i32(record.fields.length);
  for (const field of record.fields) {
    const { value } = field;
    w.string(field.name);
    w.i32(typeCode(field, type));
    if (value.kind === "record") {
      if (isInline(field)) writeDesc(w, value.fields, type, depth + 1);
      else writeEmptyDesc(w);
    } else if (value.kind === "array") w.iposition(field.fixedShape ?? [-1]);
    else if (value.kind === "table") w.string(field.tableDescName ?? "");
    w.string(field.comment);
  }
  w.end();
}

function writeEmptyDesc(w: AipsWriter): void {
  w.begin("RecordDesc", 2);
  w.i32(0);
  w.end();
}

function writeValue(w: AipsWriter, field: RecordField, type: RecordType, depth: number): void {
  const { value } = field;
  if (value.kind === "scalar") writeScalar(w, value.dtype, value.value);
  else if (value.kind === "array") writeArray(w, fieldArrayType(value.dtype), value);
  else if (value.kind === "table") w.string(value.name);
  else if (!isInline(field)) writeLevel(w, value.fields, type, depth + 1);
  else for (const inner of value.fields.fields) writeValue(w, inner, type, depth + 1);
}

/** Without fields a sub-record's description would read as that of a variable one. */
function isInline(field: RecordField): boolean {
  return field.fixedRecord === true && field.value.kind === "record" && field.value.fields.fields.length > 0;
}

function typeCode({ name, value }: RecordField, type: RecordType): number {
  if (value.kind === "record") return RECORD_CODE;
  if (value.kind === "table") {
    if (type === "TableRecord") return TABLE_CODE;
    throw new TableError("TYPE_MISMATCH", `field ${name} is a table, which a ${type} can't hold`);
  }
  if (!isFieldType(value.dtype)) {
    throw new TableError(
      "TYPE_MISMATCH",
      `field ${name} is of type ${value.dtype}, which a record can't hold`,
    );
  }
  if (value.kind === "scalar") return codeOf(value.dtype);
  return value.dtype === "string" ? STRING_ARRAY_CODE : numericInfo(value.dtype).arrayCode;
}

/** Records hold everything but uShort (and Char, which no data type stands for). */
function isFieldType(dtype: DType): dtype is ScalarType {
  return dtype !== "uint16" && dtype !== "record";
}

function isArrayCode(code: number): boolean {
  return dtypeOfArrayCode(code) !== undefined;
}

/** [-1] is the normal case: any shape. */
function fixedShapeOf(shape: readonly number[]): { fixedShape?: readonly number[] } {
  return shape.length === 1 && shape[0] === -1 ? {} : { fixedShape: shape };
}

function checkDepth(depth: number, r?: AipsReader): void {
  if (depth <= MAX_RECORD_DEPTH) return;
  throw new TableError(
    "LIMIT",
    `records are nested deeper than ${MAX_RECORD_DEPTH} levels`,
    r === undefined ? {} : r.place(),
  );
}
