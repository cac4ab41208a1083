/**
 * Records as JSON that loses nothing: what keywords and cells of record columns are in Arrow and Parquet.
 *
 * | field | JSON |
 * | --- | --- |
 * | bool, string | as it is |
 * | int32 | a whole number |
 * | float64 | a number, where that reads back as a float64; else as below |
 * | any other scalar | `{"dtype": …, "value": …}`: int64, NaN, infinities and -0 as a string, complex as `[re, im]` |
 * | array | `{"dtype": …, "shape": […], "data": […]}`, first axis fastest, complex values as pairs in a row |
 * | record | an object; one with a field `dtype`, or with names that are numbers, as `{"dtype": "record", "fields": [[name, value], …]}` |
 * | subtable | `{"dtype": "table", "value": name as stored}` |
 * | any, with a comment | `{"dtype": …, "comment": …, …}` |
 */
import { type DType, isDType, isNumeric } from "../array/dtype.ts";
import { TableError } from "../error.ts";
import type { FieldValue, RecordField, RecordFields } from "../format/record.ts";
import { TableRecord } from "../format/table-record.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const INT32 = 2 ** 31;
/** Levels of objects that are read; records end at 256 levels, each of which may take two. */
const MAX_DEPTH = 600;

/** JSON text of a record. */
export function recordText(record: RecordFields): string {
  return JSON.stringify(recordJson(record));
}

/** The record of such a text. @param where What errors call it. @throws TableError CORRUPT, TYPE_MISMATCH, OUT_OF_RANGE, LIMIT */
export function recordOfText(text: string, where: string): TableRecord {
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (cause) {
    throw new TableError("CORRUPT", `${where}: expected a record as JSON, found ${shown(text)}`, { cause });
  }
  if (!isObject(json)) {
    throw new TableError("CORRUPT", `${where}: expected a record as JSON, found ${shown(text)}`);
  }
  const inner = isTyped(json) ? decode(json, where, 1).value : recordOf(Object.entries(json), where, 1);
  if (inner instanceof TableRecord) return inner;
  throw new TableError("CORRUPT", `${where}: expected a record as JSON, found ${shown(text)}`);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? text.slice(0, 40) + "…" : text);
}

function recordJson({ fields }: RecordFields): Json {
  const entries = fields.map((field): [string, Json] => [field.name, fieldJson(field)]);
  // An object would sort names that are array indices, and "__proto__" is no property of it.
  const awkward = entries.some(([name]) => name === "dtype" || name === "__proto__" || /^\d+$/.test(name));
  return awkward ? { dtype: "record", fields: entries } : Object.fromEntries(entries);
}

function fieldJson({ value, comment }: RecordField): Json {
  const json = valueJson(value);
  if (comment === "") return json;
  if (isObject(json) && isTyped(json)) return { ...json, comment };
  if (value.kind === "record") return { dtype: "record", comment, fields: Object.entries(json as object) };
  return { dtype: (value as { dtype: string }).dtype, comment, value: json };
}

function valueJson(value: FieldValue): Json {
  switch (value.kind) {
    case "record":
      return recordJson(value.fields);
    case "table":
      return { dtype: "table", value: value.name };
    case "array":
      return {
        dtype: value.dtype,
        shape: [...value.shape],
        data: Array.from(
          value.data as ArrayLike<number | bigint | string>,
          (item): Json => value.dtype === "bool" ? Boolean(item) : itemJson(item),
        ),
      };
  }
  const { dtype } = value;
  const json: Json = typeof value.value === "object" ? value.value.map(itemJson) : itemJson(value.value);
  if (dtype === "bool" || dtype === "string" || dtype === "int32") return json;
  return dtype === "float64" && typeof json === "number" && !isInt32(json) ? json : { dtype, value: json };
}

function itemJson(item: boolean | number | bigint | string): Json {
  if (typeof item === "bigint") return String(item);
  if (typeof item === "number" && (!Number.isFinite(item) || Object.is(item, -0))) {
    return Object.is(item, -0) ? "-0" : String(item);
  }
  return item;
}

function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= -INT32 && value < INT32;
}

function isObject(json: Json): json is { [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isTyped(json: { [key: string]: Json }): boolean {
  return Object.hasOwn(json, "dtype");
}

function recordOf(entries: readonly (readonly [string, Json])[], where: string, depth: number): TableRecord {
  if (depth > MAX_DEPTH) throw new TableError("LIMIT", `${where}: nested deeper than ${MAX_DEPTH} levels`);
  const record = new TableRecord();
  for (const [name, json] of entries) {
    const { value, dtype, comment } = decode(json, `${where}, field ${JSON.stringify(name)}`, depth + 1);
    record.set(name, value, dtype);
    if (comment !== "") record.setComment(name, comment);
  }
  return record;
}

interface Decoded {
  readonly value: unknown;
  readonly dtype: DType | "table" | undefined;
  readonly comment: string;
}

function decode(json: Json, where: string, depth: number): Decoded {
  const wrong = (): never => {
    throw new TableError("CORRUPT", `${where}: ${shown(JSON.stringify(json) ?? "")} is no value of a record`);
  };
  if (json === null || Array.isArray(json)) return wrong();
  if (!isObject(json)) {
    return {
      value: json,
      dtype: typeof json === "number" && !isInt32(json) ? "float64" : undefined,
      comment: "",
    };
  }
  if (!isTyped(json)) {
    return { value: recordOf(Object.entries(json), where, depth), dtype: "record", comment: "" };
  }
  const { dtype, comment = "", value, fields, shape, data } = json;
  if (typeof comment !== "string") return wrong();
  if (dtype === "table" && typeof value === "string") return { value, dtype, comment };
  if (dtype === "record") {
    if (!Array.isArray(fields)) return wrong();
    const entries = fields.map((entry): [string, Json] => {
      if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== "string") return wrong();
      return [entry[0], entry[1]!];
    });
    return { value: recordOf(entries, where, depth), dtype, comment };
  }
  if (!isDType(dtype)) return wrong();
  const item = (one: Json): unknown => {
    if (!isNumeric(dtype) || typeof one !== "string") return one;
    if (dtype === "int64") return /^-?\d{1,19}$/.test(one) ? BigInt(one) : wrong();
    return one === "NaN" ? NaN : one === "-0" || /^-?Infinity$/.test(one) ? Number(one) : wrong();
  };
  if (shape === undefined) {
    return { value: Array.isArray(value) ? value.map(item) : item(value ?? null), dtype, comment };
  }
  if (!Array.isArray(shape) || !Array.isArray(data)) return wrong();
  return { value: { shape, data: data.map(item) }, dtype, comment };
}
