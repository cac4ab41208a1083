/**
 * JavaScript values as values of columns: what readers of Parquet and JSON give. Lists are arrays, nested ones with the outermost
 * axis outside; arrays of free shape are `{ shape, data }`; complex values are pairs, or two numbers in a row within `data`.
 */
import {
  arrayClass,
  type DType,
  isNumeric,
  type NumericData,
  numericInfo,
  type NumericType,
} from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { elementsOf, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { TableRecord } from "../format/table-record.ts";
import type { ImportColumn } from "./from-types.ts";
import type { Part, Run } from "./new-table.ts";
import { recordOfText } from "./typed-json.ts";

/** Names a row of the values, for errors. */
export type Where = (row: number) => string;

/** Values of a column. @throws TableError TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE */
export function partOfValues(column: ImportColumn, values: ArrayLike<unknown>, where: Where): Part {
  const { layout, dtype } = column, { length } = values;
  switch (layout.kind) {
    case "scalar": {
      const isNull = (row: number) => values[row] === null || values[row] === undefined;
      const some = !ArrayBuffer.isView(values) &&
        Array.prototype.some.call(values, (value) => value === null || value === undefined);
      const sink = new Elements(dtype, length);
      const whole = wholeOf(dtype, values);
      if (whole === null) {
        for (let row = 0; row < length; row++) {
          sink.push(values[row] ?? nothing(dtype), () => where(row));
        }
      }
      return {
        kind: "scalars",
        array: { dtype, shape: [length], data: whole ?? sink.data } as NDArray,
        isNull: some ? isNull : null,
      };
    }
    case "recordText":
      return {
        kind: "records",
        cells: cellsOf(values, (text, row) => text === "" ? null : recordOfText(String(text), where(row))),
      };
    case "recordStruct":
      return { kind: "records", cells: cellsOf(values, (value, row) => recordFrom(value, where(row))) };
    default:
      return { kind: "arrays", runs: runsOf(column, values, where) };
  }
}

function cellsOf(
  values: ArrayLike<unknown>,
  make: (value: unknown, row: number) => TableRecord | null,
): (TableRecord | null)[] {
  return Array.from(values, (value, row) => value === null || value === undefined ? null : make(value, row));
}

/** Numbers that are in the right array already. */
function wholeOf(dtype: DType, values: ArrayLike<unknown>): unknown {
  if (!ArrayBuffer.isView(values) || !isNumeric(dtype) || dtype === "bool" || numericInfo(dtype).items > 1) {
    return null;
  }
  return values instanceof arrayClass(dtype) ? values : null;
}

function nothing(dtype: DType): unknown {
  if (dtype === "string") return "";
  if (dtype.startsWith("complex")) return [NaN, NaN];
  return dtype === "bool" ? false : dtype === "int64" ? 0n : dtype.startsWith("float") ? NaN : 0;
}

/** Neighbouring cells of one shape. */
function* runsOf(column: ImportColumn, values: ArrayLike<unknown>, where: Where): Generator<Run> {
  const { dtype, layout } = column;
  let shape: readonly number[] | null = null, count = 0, sink = new Elements(dtype, 0);
  const done = (): Run => ({
    count,
    array: shape === null ? null : { dtype, shape: [...shape, count], data: sink.data } as NDArray,
  });
  for (let row = 0; row < values.length; row++) {
    const value = values[row], at = () => where(row);
    const next = value === null || value === undefined ? null : shapeOf(value, column, at);
    const same = shape === null || next === null ? shape === next : sameShape(shape, next);
    if (count > 0 && !same) {
      yield done();
      count = 0;
    }
    if (count === 0) {
      shape = next;
      sink = new Elements(dtype, next === null ? 0 : elementsOf(next));
    }
    count++;
    if (next === null) continue;
    const data = layout.kind === "shaped"
      ? (value as { data: ArrayLike<unknown> }).data
      : value as ArrayLike<unknown>;
    if (layout.kind === "lists") sink.nested(data, layout.levels.length, next, at);
    else sink.list(data, elementsOf(next), at);
  }
  if (count > 0) yield done();
}

function shapeOf(value: unknown, { layout }: ImportColumn, where: () => string): readonly number[] {
  const wrong = (): never => {
    throw new TableError(
      "TYPE_MISMATCH",
      `${where()}: expected an array, found ${JSON.stringify(value)?.slice(0, 40)}`,
    );
  };
  if (layout.kind === "shaped") {
    const { shape, data } = value as { shape?: unknown; data?: unknown };
    if (!isList(shape) || !isList(data)) return wrong();
    return Array.from(shape, Number);
  }
  if (!isList(value)) return wrong();
  const levels = layout.kind === "lists" ? layout.levels.length : 1;
  const shape: number[] = [];
  let at: unknown = value;
  for (let level = 0; level < levels; level++) {
    const length: number = isList(at) ? at.length : 0;
    shape.unshift(length);
    at = length > 0 ? (at as ArrayLike<unknown>)[0] : null;
  }
  return shape;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value) && "length" in value;
}

const RANGES: Partial<Record<NumericType, readonly [number, number]>> = {
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

const NAMED: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity };

/** Elements that come one by one. */
class Elements {
  readonly #dtype: DType;
  readonly #items: number;
  #data: NumericData | unknown[];
  #used = 0;

  constructor(dtype: DType, elements: number) {
    this.#dtype = dtype;
    this.#items = isNumeric(dtype) ? numericInfo(dtype).items : 1;
    this.#data = this.#make(elements * this.#items);
  }

  #make(length: number): NumericData | unknown[] {
    const dtype = this.#dtype;
    return isNumeric(dtype)
      ? new (arrayClass(dtype) as unknown as new (n: number) => NumericData)(length)
      : [];
  }

  get data(): unknown {
    return isNumeric(this.#dtype) ? (this.#data as NumericData).subarray(0, this.#used) : this.#data;
  }

  push(value: unknown, where: () => string): void {
    if (this.#items === 1) return this.#put(value, where);
    if (!isList(value) || value.length !== 2) return this.#wrong(value, where);
    this.#put(value[0], where);
    this.#put(value[1], where);
  }

  /** A flat list of so many elements; complex values as pairs, or their parts in a row. */
  list(values: ArrayLike<unknown>, elements: number, where: () => string): void {
    const flat = this.#items === 2 && !isList(values[0]);
    if (values.length !== elements * (flat ? 2 : 1)) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `${where()}: ${values.length} values given for ${elements} elements`,
      );
    }
    for (let i = 0; i < values.length; i++) {
      if (flat) this.#put(values[i], where);
      else this.push(values[i], where);
    }
  }

  /** Lists within lists, which must be of that shape. */
  nested(values: unknown, levels: number, shape: readonly number[], where: () => string): void {
    if (levels === 0) return this.push(values, where);
    const length = shape[levels - 1]!;
    if (!isList(values) || values.length !== length) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `${where()}: a list of ${isList(values) ? values.length : "no"} values in a cell of shape [${
          shape.join(", ")
        }]`,
      );
    }
    for (let i = 0; i < length; i++) this.nested(values[i], levels - 1, shape, where);
  }

  #put(value: unknown, where: () => string): void {
    const dtype = this.#dtype;
    if (!isNumeric(dtype)) {
      if (typeof value !== "string") this.#wrong(value, where);
      (this.#data as unknown[]).push(value);
      this.#used++;
      return;
    }
    if (this.#used === this.#data.length) {
      const larger = this.#make(Math.max(64, this.#used * 2)) as NumericData;
      larger.set(this.#data as never);
      this.#data = larger;
    }
    this.#data[this.#used++] = this.#number(dtype, value, where) as never;
  }

  #number(dtype: NumericType, value: unknown, where: () => string): number | bigint {
    if (dtype === "bool") {
      if (typeof value === "boolean") return Number(value);
      return value === 0 || value === 1 ? value : this.#wrong(value, where);
    }
    if (dtype === "int64") {
      let whole: bigint;
      if (typeof value === "bigint") whole = value;
      else if (Number.isSafeInteger(value)) whole = BigInt(value as number);
      else if (typeof value === "string" && /^[-+]?\d{1,20}$/.test(value)) whole = BigInt(value);
      else return this.#wrong(value, where);
      if (BigInt.asIntN(64, whole) === whole) return whole;
      throw new TableError("OUT_OF_RANGE", `${where()}: ${whole} doesn't fit type int64`);
    }
    const named = typeof value === "string" ? NAMED[value] : undefined;
    const number = typeof value === "bigint" ? Number(value) : named ?? value;
    if (typeof number !== "number") return this.#wrong(value, where);
    const range = RANGES[dtype];
    if (range === undefined) return number;
    if (Number.isInteger(number) && number >= range[0] && number <= range[1]) return number;
    throw new TableError("OUT_OF_RANGE", `${where()}: ${number} doesn't fit type ${dtype}`);
  }

  #wrong(value: unknown, where: () => string): never {
    const found = value === null || value === undefined
      ? "null"
      : typeof value === "object"
      ? "an object"
      : JSON.stringify(String(value));
    throw new TableError(
      "TYPE_MISMATCH",
      `${where()}: found ${found}, expected a value of type ${this.#dtype}`,
    );
  }
}

/** An object as a record; fields without a value are left out. */
function recordFrom(value: unknown, where: string): TableRecord {
  if (typeof value !== "object" || value === null) {
    throw new TableError("TYPE_MISMATCH", `${where}: expected a record, found ${String(value)}`);
  }
  const record = new TableRecord();
  for (const [name, field] of Object.entries(value)) {
    if (field === null || field === undefined) continue;
    record.set(name, fieldOf(field, where));
  }
  return record;
}

function fieldOf(value: unknown, where: string): unknown {
  if (Array.isArray(value)) {
    return value.length === 0
      ? { dtype: "float64", shape: [0], data: [] }
      : value.map((item) => fieldOf(item, where));
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if ("shape" in value && "data" in value && Array.isArray(value.data) && value.data.length > 0) return value;
  return recordFrom(value, where);
}
