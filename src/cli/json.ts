/**
 * Values as the JSON that every command prints, the same everywhere:
 *
 * | value | JSON |
 * | --- | --- |
 * | number | the shortest text that reads back as the same double; -0 as `-0.0` |
 * | NaN, infinities | `"NaN"`, `"Infinity"`, `"-Infinity"` |
 * | int64 | a number up to ±2^53, a string beyond |
 * | undefined | `null` |
 * | array | `{"shape": [...], "data": [...]}`, first axis fastest, complex values as pairs |
 * | record | an object, its fields in the record's order |
 * | subtable | `{"table": name as stored}` |
 */
import { type DType, type NDArray, TableRecord } from "../../mod.ts";

/** Largest magnitude of an int64 that is printed as a number: every whole number up to it is a double. */
const EXACT = 2n ** 53n;

/** A real number. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return value === 0 && 1 / value < 0 ? "-0.0" : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}

/** A 64-bit whole number. */
export function bigintText(value: bigint): string {
  return value > EXACT || value < -EXACT ? `"${value}"` : String(value);
}

/** Named values in an order of their own; an object would put names such as `1` in front. */
export class Fields {
  readonly entries: readonly (readonly [name: string, value: unknown])[];

  constructor(entries: Iterable<readonly [name: string, value: unknown]>) {
    this.entries = [...entries];
  }
}

function isNDArray(value: object): value is NDArray {
  return "dtype" in value && "shape" in value && "data" in value;
}

/** An array as an object that says its shape. */
function arrayObject(
  { dtype, shape, data }: { dtype: DType; shape: readonly number[]; data: unknown },
): object {
  const items = Array.from(data as ArrayLike<unknown>);
  return { shape, data: dtype === "bool" ? items.map(Boolean) : items };
}

/**
 * JSON of scalars, lists, plain objects, {@linkcode Fields}, table records and what they hold. With `indent` objects and
 * lists of objects are spread over lines; lists of scalars stay on one.
 */
export function jsonText(value: unknown, indent = 0, depth = 0): string {
  switch (typeof value) {
    case "number":
      return numberText(value);
    case "bigint":
      return bigintText(value);
    case "boolean":
      return String(value);
    case "string":
      return JSON.stringify(value);
    case "object":
      break;
    default:
      return "null";
  }
  if (value === null) return "null";
  const inner = (item: unknown) => jsonText(item, indent, depth + 1);
  if (Array.isArray(value)) {
    const flat = value.every((item) => typeof item !== "object" || item === null);
    return enclose("[", value.map(inner), "]", flat ? 0 : indent, depth);
  }
  if (isNDArray(value)) return jsonText(arrayObject(value), indent, depth);
  const entries = value instanceof Fields
    ? value.entries
    : value instanceof TableRecord
    ? [...value]
    : Object.entries(value);
  const colon = indent > 0 ? ": " : ":";
  const fields = entries.filter(([, field]) => field !== undefined)
    .map(([name, field]) => JSON.stringify(name) + colon + inner(field));
  return enclose("{", fields, "}", indent, depth);
}

function enclose(
  before: string,
  items: readonly string[],
  after: string,
  indent: number,
  depth: number,
): string {
  if (items.length === 0) return before + after;
  if (indent === 0) return before + items.join(",") + after;
  const margin = "\n" + " ".repeat(indent * depth);
  const step = " ".repeat(indent);
  return before + items.map((item) => margin + step + item).join(",") + margin + after;
}
