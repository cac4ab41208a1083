/**
 * What a program may put into a record: JavaScript values, and how they become typed fields.
 *
 * | value | without a dtype | with one |
 * | --- | --- | --- |
 * | boolean | bool | bool |
 * | number | int32 if it is a whole number of 32 bits, else float64 | any type of numbers that it fits |
 * | bigint | int64 | any type of whole numbers that it fits |
 * | string | string | string |
 * | list of them | array of one axis, by its elements | the same; two numbers and a complex type: one complex value |
 * | list of [re, im] | – | array of a complex type |
 * | typed array | array of one axis, by its class | its class's type, bool (Uint8Array), or complex (float arrays: pairs) |
 * | { shape, data } | array, by `data` or its own `dtype` | array |
 */
import {
  arrayClass,
  type DType,
  isDType,
  type NumericData,
  numericInfo,
  type NumericType,
} from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { FieldValue } from "./record.ts";
import type { ScalarType, ScalarValue } from "./scalar-io.ts";

/** An array as a program may hand it in. */
export interface ArrayInput {
  readonly dtype?: DType;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView | readonly unknown[];
}

type ArrayField = Extract<FieldValue, { kind: "array" }>;

const INTEGER_RANGE: Readonly<Partial<Record<ScalarType, readonly [min: number, max: number]>>> = {
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
};

const MAX_FLOAT32 = 3.4028234663852886e38;
/** Lengths of axes are uInt on disk. */
const MAX_AXIS = 4294967295;

/**
 * A scalar or array field of a value.
 *
 * @param where What errors call the field.
 * @returns undefined when the value is neither a scalar nor an array.
 * @throws TableError TYPE_MISMATCH, OUT_OF_RANGE, SHAPE_MISMATCH, or INVALID_ARGUMENT for an empty list of no type.
 */
export function plainFieldOf(
  value: unknown,
  dtype: DType | undefined,
  where: string,
): FieldValue | undefined {
  const type = dtype === undefined ? undefined : checkType(dtype, where);
  switch (typeof value) {
    case "boolean":
    case "number":
    case "bigint":
    case "string":
      return scalarField(value, type ?? inferScalar(value), where);
  }
  if (Array.isArray(value)) {
    const pair = type !== undefined && isComplex(type) && value.length === 2 && value.every(isNumber);
    return pair ? scalarField(value, type, where) : arrayField(value, [value.length], type, where);
  }
  if (ArrayBuffer.isView(value)) {
    const items = type !== undefined && isComplex(type) ? 2 : 1;
    return arrayField(value, [lengthOf(value, where) / items], type, where);
  }
  if (!isArrayInput(value)) return undefined;
  const own = value.dtype === undefined ? undefined : checkType(value.dtype, where);
  return arrayField(value.data, value.shape, type ?? own, where);
}

/** True for objects that have the parts of an array. */
export function isArrayInput(value: unknown): value is ArrayInput {
  if (typeof value !== "object" || value === null || !("shape" in value) || !("data" in value)) return false;
  return Array.isArray(value.shape) && (Array.isArray(value.data) || ArrayBuffer.isView(value.data)) &&
    (!("dtype" in value) || value.dtype === undefined || isDType(value.dtype));
}

/** How an error shows a value. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "object") return value.constructor?.name ?? "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}

function checkType(dtype: DType, where: string): ScalarType {
  if (dtype === "uint16" || dtype === "record" || !isDType(dtype)) {
    throw new TableError("TYPE_MISMATCH", `${where}: a record can't hold values of type ${String(dtype)}`);
  }
  return dtype;
}

function inferScalar(value: boolean | number | bigint | string): ScalarType {
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int64";
  if (typeof value === "string") return "string";
  return (value | 0) === value && !Object.is(value, -0) ? "int32" : "float64";
}

function scalarField(value: unknown, dtype: ScalarType, where: string): FieldValue {
  return { kind: "scalar", dtype, value: convert(value, dtype, where) } as FieldValue;
}

/** The value as one of a type. */
function convert(value: unknown, dtype: ScalarType, where: string): ScalarValue {
  if (dtype === "bool" ? typeof value === "boolean" : dtype === "string" && typeof value === "string") {
    return value as boolean | string;
  }
  if (isComplex(dtype) && Array.isArray(value) && value.length === 2 && value.every(isNumber)) {
    const part = dtype === "complex64" ? "float32" : "float64";
    return [convert(value[0], part, where) as number, convert(value[1], part, where) as number];
  }
  if (typeof value === "number" && (dtype === "float64" || dtype === "float32")) {
    if (dtype === "float64") return value;
    if (Number.isFinite(value) && Math.abs(Math.fround(value)) > MAX_FLOAT32) outOfRange(value, dtype, where);
    return Math.fround(value);
  }
  const whole = typeof value === "bigint" || Number.isSafeInteger(value);
  const range = INTEGER_RANGE[dtype];
  if (whole && dtype === "int64") {
    const wide = BigInt(value as number | bigint);
    return BigInt.asIntN(64, wide) === wide ? wide : outOfRange(wide, dtype, where);
  }
  if (range !== undefined && (whole || (typeof value === "number" && Math.trunc(value) === value))) {
    const number = Number(value);
    // The sum is 0 for -0 too: whole numbers on disk have no sign of zero.
    return number >= range[0] && number <= range[1] ? number + 0 : outOfRange(number, dtype, where);
  }
  throw new TableError(
    "TYPE_MISMATCH",
    `${where}: found ${describe(value)}, expected a value of type ${dtype}`,
  );
}

function outOfRange(value: number | bigint, dtype: ScalarType, where: string): never {
  throw new TableError("OUT_OF_RANGE", `${where}: ${value} doesn't fit type ${dtype}`);
}

function arrayField(
  data: ArrayBufferView | readonly unknown[],
  shape: readonly number[],
  dtype: ScalarType | undefined,
  where: string,
): ArrayField {
  const own = dtype ?? (ArrayBuffer.isView(data) ? typeOfClass(data, where) : inferElements(data, where));
  const converted = own === "string" ? convertStrings(data, where) : convertNumbers(data, own, where);
  checkShape(shape, converted.length / (own === "string" ? 1 : numericInfo(own).items), where);
  return { kind: "array", dtype: own, shape: [...shape], data: converted } as ArrayField;
}

function checkShape(shape: readonly number[], elements: number, where: string): void {
  if (!shape.every((n) => Number.isInteger(n) && n >= 0 && n <= MAX_AXIS)) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `${where}: [${shape.join(", ")}] is no shape of ${elements} values`,
    );
  }
  // casacore's array that never got a shape has no axes and no elements.
  const expected = shape.length === 0 ? 0 : elementsOf(shape);
  if (expected === elements) return;
  throw new TableError(
    "SHAPE_MISMATCH",
    `${where}: shape [${shape.join(", ")}] has ${expected} values, found ${elements}`,
  );
}

function inferElements(values: readonly unknown[], where: string): ScalarType {
  if (values.length === 0) {
    throw new TableError("INVALID_ARGUMENT", `${where}: an empty list has no type, expected a dtype with it`);
  }
  const types = new Set(values.map((value) => {
    if (
      typeof value === "boolean" || typeof value === "number" || typeof value === "bigint" ||
      typeof value === "string"
    ) {
      return inferScalar(value);
    }
    throw new TableError(
      "TYPE_MISMATCH",
      `${where}: found ${describe(value)} in a list, expected values of one type`,
    );
  }));
  if (types.size === 2 && types.has("int32") && types.has("float64")) return "float64";
  if (types.size > 1) {
    throw new TableError(
      "TYPE_MISMATCH",
      `${where}: a list of ${[...types].join(" and ")}, expected values of one type`,
    );
  }
  return [...types][0]!;
}

function convertStrings(data: ArrayBufferView | readonly unknown[], where: string): string[] {
  if (ArrayBuffer.isView(data)) {
    throw new TableError("TYPE_MISMATCH", `${where}: found ${describe(data)}, expected strings`);
  }
  return data.map((value) => convert(value, "string", where) as string);
}

function convertNumbers(
  data: ArrayBufferView | readonly unknown[],
  dtype: NumericType,
  where: string,
): NumericData {
  const make = arrayClass(dtype) as unknown as new (n: number) => NumericData;
  const { items } = numericInfo(dtype);
  if (!ArrayBuffer.isView(data)) {
    // Complex values come as pairs, or as the flat list that they are kept in.
    const pairs = items === 2 && data.some((value) => Array.isArray(value));
    const values = pairs ? data.flatMap((value) => convert(value, dtype, where) as readonly number[]) : data;
    const element = items === 1 || pairs ? dtype : dtype === "complex64" ? "float32" : "float64";
    checkPairs(values.length, items, dtype, where);
    const target = new make(values.length);
    values.forEach((value, i) => {
      const converted = pairs ? value as number : convert(value, element, where);
      target[i] = (dtype === "bool" ? Number(converted) : converted) as never;
    });
    return target;
  }
  if (!(data instanceof arrayClass(dtype))) {
    throw new TableError(
      "TYPE_MISMATCH",
      `${where}: found ${describe(data)}, expected ${arrayClass(dtype).name} for ${dtype}`,
    );
  }
  checkPairs(data.length, items, dtype, where);
  if (dtype === "bool" && (data as Uint8Array).some((value) => value > 1)) {
    throw new TableError("OUT_OF_RANGE", `${where}: values of type bool are 0 and 1`);
  }
  return data.slice() as NumericData;
}

function checkPairs(length: number, items: number, dtype: NumericType, where: string): void {
  if (length % items === 0) return;
  throw new TableError("SHAPE_MISMATCH", `${where}: found ${length} numbers, expected pairs for ${dtype}`);
}

function typeOfClass(data: ArrayBufferView, where: string): ScalarType {
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint32Array) return "uint32";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  throw new TableError("TYPE_MISMATCH", `${where}: a record can't hold the values of ${describe(data)}`);
}

function lengthOf(data: ArrayBufferView, where: string): number {
  if ("length" in data && typeof data.length === "number") return data.length;
  throw new TableError("TYPE_MISMATCH", `${where}: found ${describe(data)}, expected a typed array`);
}

function isComplex(dtype: ScalarType): dtype is "complex64" | "complex128" {
  return dtype === "complex64" || dtype === "complex128";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
