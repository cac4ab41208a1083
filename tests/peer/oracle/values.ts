/**
 * Deterministic cell values, the twin of values.py, where the definition stands. A test gives both sides the same
 * columns and seed and compares.
 */
import { arrayClass, type DType, type NumericData, type NumericType } from "../../../src/array/dtype.ts";

/** A column of a job, see write.py. Shapes in casacore order. */
export interface JobColumn {
  readonly name: string;
  readonly dtype: DType;
  /** Left out: scalar. */
  readonly kind?: "scalar" | "array" | "record";
  readonly shape?: readonly number[];
  /** -1 or left out: any. */
  readonly ndim?: number;
  readonly direct?: boolean;
  readonly maxLength?: number;
  readonly comment?: string;
  readonly keywords?: Readonly<Record<string, unknown>>;
  /** The manager type that the description wishes for. */
  readonly managerType?: string;
  /** False: not put when the job fills the table. */
  readonly fill?: boolean;
  readonly undefinedEvery?: number;
  readonly shapes?: readonly (readonly number[])[];
  readonly axes?: readonly [number, number];
  readonly longest?: number;
  readonly specials?: boolean;
  readonly repeat?: number;
  readonly like?: string;
}

/** A generated cell, in the forms that `putCell` takes; a record as a plain object. */
export type GeneratedCell =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly [re: number, im: number]
  | { dtype: NumericType; shape: number[]; data: NumericData }
  | { dtype: "string"; shape: number[]; data: string[] }
  | GeneratedRecord;

/** A generated record. */
export type GeneratedRecord = { readonly record: Readonly<Record<string, unknown>> };

const LENGTHS = [0, 1, 2, 7, 8, 9, 13, 21, 34];
const SPECIALS = {
  float32: [NaN, Infinity, -Infinity, -0, 3.4028234663852886e38, 1.401298464324817e-45],
  float64: [NaN, Infinity, -Infinity, -0, 1.7976931348623157e308, 5e-324],
} as const;
const WHOLE = 0x80000000;
const UTF8 = new TextEncoder();

function mix(word: number): number {
  let x = word >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function nameWord(name: string): number {
  let h = 2166136261;
  for (const byte of UTF8.encode(name)) h = Math.imul(h ^ byte, 16777619) >>> 0;
  return h;
}

/** word(k) of a cell. */
function wordsOf(column: string, seed: number, row: number): (k: number) => number {
  const base = mix(mix(nameWord(column) ^ seed) + row);
  return (k) => mix(base + k);
}

type Words = (k: number) => number;

function real(words: Words, element: number, kind: "float32" | "float64", specials: boolean): number {
  const w0 = words(4 * element), w1 = words(4 * element + 1), w3 = words(4 * element + 3);
  const special = kind === "float32" ? (w1 >>> 5) % 16 === 0 : w3 % 16 === 0;
  if (specials && special) return SPECIALS[kind][(w3 >>> 4) % 6]!;
  if (kind === "float32") return ((w0 | 0) >> 8) / 2 ** (w1 & 31);
  return ((w0 | 0) * 2 ** 21 + (w1 >>> 11)) / 2 ** (words(4 * element + 2) & 63);
}

/** `count` elements of a numeric type, complex interleaved. */
function numbers(words: Words, count: number, dtype: NumericType, specials: boolean): NumericData {
  if (dtype === "int64") {
    return BigInt64Array.from({ length: count }, (_, e) => {
      return BigInt.asIntN(64, (BigInt(words(4 * e + 1)) << 32n) | BigInt(words(4 * e)));
    });
  }
  const complex = dtype === "complex64" || dtype === "complex128";
  const data = new (arrayClass(dtype) as new (n: number) => Exclude<NumericData, BigInt64Array>)(
    complex ? 2 * count : count,
  );
  const kind = dtype === "float32" || dtype === "complex64" ? "float32" : "float64";
  for (let e = 0; e < data.length; e++) {
    if (complex || dtype === "float32" || dtype === "float64") data[e] = real(words, e, kind, specials);
    else data[e] = dtype === "bool" ? words(4 * e) & 1 : words(4 * e);
  }
  return data;
}

function text(words: Words, element: number, column: Pick<JobColumn, "longest" | "maxLength">): string {
  const w0 = words(4 * element), w1 = words(4 * element + 1), w2 = words(4 * element + 2);
  let n = LENGTHS[w0 % LENGTHS.length]!;
  if (column.longest && w1 % 8 === 0) n = column.longest;
  if (column.maxLength) n = Math.min(n, column.maxLength);
  let letters = "";
  for (let i = 0; i < n; i++) letters += String.fromCharCode(32 + (mix(w2 + i) % 95));
  return words(4 * element + 3) % 5 === 0 && n >= 2 ? "\u00e9" + letters.slice(2) : letters;
}

function shapeOf(words: Words, column: JobColumn): number[] {
  if (column.shape) return [...column.shape];
  if (column.shapes) return [...column.shapes[words(WHOLE + 1) % column.shapes.length]!];
  const ndim = column.ndim && column.ndim > 0 ? column.ndim : 1 + (words(WHOLE + 1) % 3);
  const [low, high] = column.axes ?? [1, 4];
  return Array.from({ length: ndim }, (_, axis) => low + (words(WHOLE + 2 + axis) % (high - low + 1)));
}

function record(words: Words): GeneratedRecord {
  const w = words(WHOLE);
  if (w % 4 === 0) return { record: {} };
  const n = 1 + (w % 3);
  const values = Array.from({ length: n }, (_, e) => real(words, e, "float64", true));
  return {
    record: {
      number: words(0),
      text: text(words, 1, {}),
      values: { shape: [n], data: values.map(printedNumber) },
      inner: { flag: (w & 16) !== 0, empty: {} },
    },
  };
}

/** The value of one cell; null if undefined. */
export function generatedCell(column: JobColumn, seed: number, row: number): GeneratedCell {
  const group = Math.floor(row / (column.repeat ?? 1));
  const words = wordsOf(column.name, seed, group);
  const whole = wordsOf(column.like ?? column.name, seed, group);
  const { dtype } = column;
  const specials = column.specials ?? true;
  if (dtype === "record") return record(words);
  if ((column.kind ?? "scalar") === "scalar") {
    if (dtype === "string") return text(words, 0, column);
    const data = numbers(words, 1, dtype, specials);
    if (dtype === "bool") return data[0] === 1;
    if (data.length === 2) return [Number(data[0]), Number(data[1])];
    return data[0]!;
  }
  if (column.undefinedEvery && whole(WHOLE) % column.undefinedEvery === 0) return null;
  const shape = shapeOf(whole, column);
  const count = shape.reduce((a, b) => a * b, 1);
  if (dtype !== "string") return { dtype, shape, data: numbers(words, count, dtype, specials) };
  return { dtype, shape, data: Array.from({ length: count }, (_, e) => text(words, e, column)) };
}

function printedNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** A generated cell as `table cat` prints it, after JSON.parse. */
export function printedCell(cell: GeneratedCell): unknown {
  if (cell === null || typeof cell === "boolean" || typeof cell === "string") return cell;
  if (typeof cell === "number") return printedNumber(cell);
  if (typeof cell === "bigint") return printedInt64(cell);
  if ("record" in cell) return cell.record;
  if (!("shape" in cell)) return cell.map(printedNumber);
  const { shape, dtype, data } = cell;
  if (dtype === "string") return { shape, data };
  if (data instanceof BigInt64Array) return { shape, data: Array.from(data, printedInt64) };
  if (dtype === "bool") return { shape, data: Array.from(data, (bit) => bit !== 0) };
  return { shape, data: Array.from(data, printedNumber) };
}

function printedInt64(value: bigint): number | string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : String(value);
}

/** Rows `start` to `end` of a filled table as `table cat` prints them, after JSON.parse. */
export function generatedRows(
  columns: readonly JobColumn[],
  seed: number,
  start: number,
  end: number,
): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  for (let row = start; row < end; row++) {
    rows.push(Object.fromEntries(columns.map((c) => [c.name, printedCell(generatedCell(c, seed, row))])));
  }
  return rows;
}
