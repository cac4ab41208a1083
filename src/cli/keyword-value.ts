/**
 * Keywords as they are typed: `KEY=VALUE`, and what type a text becomes.
 *
 * | type | texts |
 * | --- | --- |
 * | bool | `true`, `false`, `1`, `0` |
 * | whole numbers | `-12` |
 * | real numbers | `1e-3`, `NaN`, `Infinity`, `-Infinity` |
 * | complex numbers | `1-2i`, `[1, -2]` |
 * | string | the text as it is |
 * | table | stored name of a subtable |
 * | array of one of these, e.g. `int32[]` | JSON: `[1, 2, 3]`, `{"shape": [2, 2], "data": [1, 2, 3, 4]}` |
 * | record | JSON: `{"type": "direction", "Ref": "J2000"}` |
 *
 * Without a type a keyword keeps the one that it has; a new one is what its text is as JSON, else a string.
 */
import { type DType, TableError, TableRecord } from "../../mod.ts";
import { DTYPES } from "../array/dtype.ts";
import { UsageError } from "./failure.ts";

/** A type of keywords: that of its values, and whether it is an array of them. */
export interface KeywordType {
  readonly dtype: DType | "table";
  readonly array: boolean;
}

/** Names that `--type` takes, without those of arrays. */
export const KEYWORD_TYPES: readonly (DType | "table")[] = [
  // Records have no place for uint16.
  ...DTYPES.filter((dtype) => dtype !== "uint16"),
  "table",
];

/** Parses `float64` or `float64[]`; undefined for what is no type. */
export function keywordType(text: string): KeywordType | undefined {
  const array = text.endsWith("[]");
  const dtype = KEYWORD_TYPES.find((name) => name === (array ? text.slice(0, -2) : text));
  if (dtype === undefined || (array && (dtype === "table" || dtype === "record"))) return undefined;
  return { dtype, array };
}

/** A record and a field in it. */
export interface FieldPlace {
  readonly record: TableRecord;
  readonly key: string;
}

/** Where a keyword is: a name, or a path into records such as `MEASINFO.Ref`. @throws TableError NOT_FOUND */
export function placeOf(record: TableRecord, path: string): FieldPlace {
  if (record.has(path)) return { record, key: path };
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const inner = record.get(path.slice(0, dot));
    if (inner instanceof TableRecord) return placeOf(inner, path.slice(dot + 1));
  }
  return { record, key: path };
}

const COMPLEX = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([+-](?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)i$/i;
const INTEGER = /^[+-]?\d+$/;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrong(text: string, type: string): never {
  throw new UsageError(`${JSON.stringify(text)} is no ${type}; table keywords --help shows what is`);
}

function numberOf(text: string, type: string): number {
  const number = text.trim() === "" ? NaN : Number(text);
  return Number.isNaN(number) && text !== "NaN" ? wrong(text, type) : number;
}

/** A list, or an array with its shape; numbers that JSON has no way to write are strings in it. */
function arrayOf(text: string, dtype: DType): unknown {
  const value = jsonOf(text);
  const item = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(item);
    if (typeof one !== "string" || dtype === "string") return one;
    return dtype === "int64" && INTEGER.test(one) ? BigInt(one) : numberOf(one, `${dtype}[]`);
  };
  if (Array.isArray(value)) return value.map(item);
  const given = value as { shape?: unknown; data?: unknown } | null | undefined;
  if (typeof given === "object" && Array.isArray(given?.shape) && Array.isArray(given.data)) {
    return { shape: given.shape, data: given.data.map(item) };
  }
  return wrong(text, `${dtype}[]`);
}

/** The value of a text as a type has it. @throws UsageError */
export function valueOf(text: string, { dtype, array }: KeywordType): unknown {
  if (array) return arrayOf(text, dtype as DType);
  switch (dtype) {
    case "string":
    case "table":
      return text;
    case "bool":
      return /^(true|1)$/.test(text) || (/^(false|0)$/.test(text) ? false : wrong(text, dtype));
    case "float32":
    case "float64":
      return numberOf(text, dtype);
    case "complex64":
    case "complex128": {
      const match = COMPLEX.exec(text.replaceAll(" ", ""));
      if (match !== null) return [Number(match[1]), Number(match[2])];
      const value = jsonOf(text);
      if (Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === "number")) {
        return value;
      }
      return [numberOf(text, dtype), 0];
    }
    case "record": {
      const value = jsonOf(text);
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? value
        : wrong(text, dtype);
    }
    default:
      if (!INTEGER.test(text)) return wrong(text, dtype);
      return dtype === "int64" ? BigInt(text) : Number(text);
  }
}

/** Gives a field the value of a text. @throws UsageError; TableError OUT_OF_RANGE for numbers that the type can't hold */
export function setKeyword(record: TableRecord, path: string, text: string, asked?: KeywordType): void {
  const { record: inner, key } = placeOf(record, path);
  const kind = inner.kind(key);
  const type = asked ??
    (kind === undefined ? undefined : { dtype: inner.dtype(key)!, array: kind === "array" });
  if (type !== undefined) return inner.set(key, valueOf(text, type), type.dtype);
  const value = jsonOf(text);
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
    return inner.set(key, text, "string");
  }
  inner.set(key, value);
}

/** Removes a field. @throws TableError NOT_FOUND */
export function deleteKeyword(record: TableRecord, path: string, file: string): void {
  const { record: inner, key } = placeOf(record, path);
  if (!inner.delete(key)) throw noKeyword(path, record, file);
}

/** What is said of a keyword that isn't there. */
export function noKeyword(path: string, record: TableRecord, file: string): TableError {
  const names = record.keys().join(", ");
  return new TableError(
    "NOT_FOUND",
    `no keyword ${path}; there ${names === "" ? "are none" : `are ${names}`}`,
    {
      file,
    },
  );
}
