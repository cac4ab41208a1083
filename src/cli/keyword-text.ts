/**
 * Keywords as text for people, one line each.
 */
import { type NDArray, TableRecord } from "../../mod.ts";
import { shapeText, visible } from "./text.ts";

/** Elements of an array that are worth printing. */
const SOME = 8;

/** Significant digits that tell any two numbers of 32 bits apart. */
const FLOAT32_DIGITS = 9;

/** The shortest text that reads back as the same 32-bit number: 1.1, where the double is 1.100000023841858. */
function float32Text(value: number): string {
  for (let digits = 1; digits < FLOAT32_DIGITS; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

function realText(dtype: string, value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return "-0";
  return dtype === "float32" || dtype === "complex64" ? float32Text(value) : String(value);
}

function complexText(dtype: string, re: number, im: number): string {
  const imaginary = realText(dtype, im);
  return `${realText(dtype, re)}${/^[-]/.test(imaginary) ? "" : "+"}${imaginary}i`;
}

/** A scalar: complex values as `1+2i`. */
export function scalarText(dtype: string, value: unknown): string {
  if (Array.isArray(value)) return complexText(dtype, Number(value[0]), Number(value[1]));
  if (typeof value === "number") return realText(dtype, value);
  return visible(String(value));
}

/** At most `most` elements of an array, without brackets; `…` behind them where there are more. */
export function itemsText({ dtype, data }: NDArray, count: number, most: number): string {
  const element = (i: number): string => {
    const value: unknown = (data as unknown[])[i];
    if (dtype === "string") return `"${visible(String(value))}"`;
    if (dtype === "bool") return String(value !== 0);
    if (!dtype.startsWith("complex")) return scalarText(dtype, value);
    const pairs = data as Float64Array;
    return complexText(dtype, pairs[2 * i]!, pairs[2 * i + 1]!);
  };
  const items = Array.from({ length: Math.min(count, most) }, (_, i) => element(i));
  return items.join(", ") + (count > most ? ", …" : "");
}

function arrayText(value: NDArray, most: number): string {
  const count = value.shape.reduce((product, length) => product * length, 1);
  return `[${itemsText(value, count, most)}]`;
}

/** The value of a keyword on one line; of a long array the first elements, unless `most` says more. */
export function valueText(record: TableRecord, name: string, most = SOME): string {
  const value = record.get(name);
  if (value instanceof TableRecord) {
    return `{${value.keys().map((key) => `${visible(key)}: ${valueText(value, key, most)}`).join(", ")}}`;
  }
  switch (record.kind(name)) {
    case "array":
      return arrayText(value as NDArray, most);
    case "table":
      return visible((value as { table: string }).table);
    default:
      return scalarText(String(record.dtype(name)), value);
  }
}

/** The type of a keyword: `float64`, `int32[3]`, `record`, `table`. */
export function typeText(record: TableRecord, name: string): string {
  const dtype = String(record.dtype(name));
  return record.kind(name) === "array" ? dtype + shapeText((record.get(name) as NDArray).shape) : dtype;
}
