/**
 * Data types: names, casacore's type codes, element sizes, and the JavaScript array that holds values of each.
 *
 * | name | casacore | code | array code | bytes | held in |
 * | --- | --- | --- | --- | --- | --- |
 * | bool | Bool | 0 | 13 | 1 (1 bit on disk) | Uint8Array of 0 and 1 |
 * | uint8 | uChar | 2 | 15 | 1 | Uint8Array |
 * | int16, uint16 | Short, uShort | 3, 4 | 16, 17 | 2 | Int16Array, Uint16Array |
 * | int32, uint32 | Int, uInt | 5, 6 | 18, 19 | 4 | Int32Array, Uint32Array |
 * | int64 | Int64 | 29 | 30 | 8 | BigInt64Array |
 * | float32, float64 | float, double | 7, 8 | 20, 21 | 4, 8 | Float32Array, Float64Array |
 * | complex64, complex128 | Complex, DComplex | 9, 10 | 22, 23 | 8, 16 | Float32Array, Float64Array: re, im, re, im … |
 * | string | String | 11 | 24 | – | string[] |
 * | record | Record | 25 | – | – | TableRecord[] |
 *
 * Source of the codes: format reference part 1, section 2 (`casa/Utilities/DataType.h`).
 */

/** Data types whose values have a fixed size and live in a typed array. */
export type NumericType =
  | "bool"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "float32"
  | "float64"
  | "complex64"
  | "complex128";

/** Every data type that a column can have. */
export type DType = NumericType | "string" | "record";

/** The typed array that holds values of a numeric data type. */
export type NumericData<D extends NumericType = NumericType> = D extends "bool" | "uint8" ? Uint8Array
  : D extends "int16" ? Int16Array
  : D extends "uint16" ? Uint16Array
  : D extends "int32" ? Int32Array
  : D extends "uint32" ? Uint32Array
  : D extends "int64" ? BigInt64Array
  : D extends "float32" | "complex64" ? Float32Array
  : D extends "float64" | "complex128" ? Float64Array
  : never;

/** What is known of a numeric data type. */
export interface NumericInfo {
  /** casacore's code of the scalar type. */
  readonly code: number;
  /** casacore's code of the array type, used in records. */
  readonly arrayCode: number;
  /** Bytes of one element in memory; on disk too, but for bool. */
  readonly size: number;
  /** Bytes that are reversed together when the byte order differs: half an element for complex values, 1 for none. */
  readonly swapUnit: 1 | 2 | 4 | 8;
  /** Array items of one element: 2 for complex values. */
  readonly items: 1 | 2;
  /** The type's name in casacore, padded to 8 characters as class names on disk have it. */
  readonly paddedName: string;
}

const INFO: Readonly<Record<NumericType, NumericInfo>> = {
  bool: { code: 0, arrayCode: 13, size: 1, swapUnit: 1, items: 1, paddedName: "Bool    " },
  uint8: { code: 2, arrayCode: 15, size: 1, swapUnit: 1, items: 1, paddedName: "uChar   " },
  int16: { code: 3, arrayCode: 16, size: 2, swapUnit: 2, items: 1, paddedName: "Short   " },
  uint16: { code: 4, arrayCode: 17, size: 2, swapUnit: 2, items: 1, paddedName: "uShort  " },
  int32: { code: 5, arrayCode: 18, size: 4, swapUnit: 4, items: 1, paddedName: "Int     " },
  uint32: { code: 6, arrayCode: 19, size: 4, swapUnit: 4, items: 1, paddedName: "uInt    " },
  int64: { code: 29, arrayCode: 30, size: 8, swapUnit: 8, items: 1, paddedName: "Int64   " },
  float32: { code: 7, arrayCode: 20, size: 4, swapUnit: 4, items: 1, paddedName: "float   " },
  float64: { code: 8, arrayCode: 21, size: 8, swapUnit: 8, items: 1, paddedName: "double  " },
  complex64: { code: 9, arrayCode: 22, size: 8, swapUnit: 4, items: 2, paddedName: "Complex " },
  complex128: { code: 10, arrayCode: 23, size: 16, swapUnit: 8, items: 2, paddedName: "DComplex" },
};

/** casacore's codes of the types that are not numeric. */
export const STRING_CODE = 11;
/** Code of an array of strings, used in records. */
export const STRING_ARRAY_CODE = 24;
/** Code of a subtable field in a record. */
export const TABLE_CODE = 12;
/** Code of a record field, and of a record column. */
export const RECORD_CODE = 25;

/** Numeric data types in the order of this file's table. */
export const NUMERIC_TYPES: readonly NumericType[] = Object.keys(INFO) as NumericType[];
/** Every data type. */
export const DTYPES: readonly DType[] = [...NUMERIC_TYPES, "string", "record"];

const BY_CODE = new Map<number, DType>([
  ...NUMERIC_TYPES.map((d) => [INFO[d].code, d] as const),
  [STRING_CODE, "string"],
  [RECORD_CODE, "record"],
]);
const BY_ARRAY_CODE = new Map<number, DType>([
  ...NUMERIC_TYPES.map((d) => [INFO[d].arrayCode, d] as const),
  [STRING_ARRAY_CODE, "string"],
]);

/** Size, byte order unit and codes of a numeric data type. */
export function numericInfo(dtype: NumericType): NumericInfo {
  return INFO[dtype];
}

/** True for the types whose values live in typed arrays. */
export function isNumeric(dtype: DType): dtype is NumericType {
  return dtype !== "string" && dtype !== "record";
}

/** True for any of the names in {@linkcode DTYPES}. */
export function isDType(name: unknown): name is DType {
  return typeof name === "string" && (DTYPES as readonly string[]).includes(name);
}

/** The scalar code that a column of this type has on disk. */
export function codeOf(dtype: DType): number {
  return dtype === "string" ? STRING_CODE : dtype === "record" ? RECORD_CODE : INFO[dtype].code;
}

/** The data type of a scalar code, or undefined for a code that no column can have. */
export function dtypeOfCode(code: number): DType | undefined {
  return BY_CODE.get(code);
}

/** The element type of an array code, or undefined. */
export function dtypeOfArrayCode(code: number): DType | undefined {
  return BY_ARRAY_CODE.get(code);
}

/** The 8-character type name that class names on disk end with, e.g. `Bool    `. */
export function paddedName(dtype: DType): string {
  return dtype === "string" ? "String  " : dtype === "record" ? "Record  " : INFO[dtype].paddedName;
}

const CONSTRUCTORS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
} as const;

/** The typed array class that holds values of `dtype`. */
export function arrayClass<D extends NumericType>(dtype: D): (typeof CONSTRUCTORS)[D] {
  return CONSTRUCTORS[dtype];
}

/** A typed array of `dtype` over `buffer`; `elements` counts complex values as one. */
export function viewOf<D extends NumericType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  elements: number,
): NumericData<D> {
  const make = CONSTRUCTORS[dtype] as unknown as new (
    b: ArrayBufferLike,
    o: number,
    n: number,
  ) => NumericData<D>;
  return new make(buffer, byteOffset, elements * INFO[dtype].items);
}

/** True when `data` is the typed array class of `dtype`. */
export function holds(dtype: NumericType, data: unknown): boolean {
  return data instanceof CONSTRUCTORS[dtype];
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
