/**
 * C++ casts between element types, as the engines of casacore do them (format reference part 6, sections 2 and 6.1).
 * Where C++ leaves the result open, it is what x86-64 gives:
 *
 * | from | to | value |
 * | --- | --- | --- |
 * | anything | bool | not equal to 0; NaN is true |
 * | integer | float32, float64 | the nearest |
 * | integer | shorter integer | its low bits |
 * | float64 | float32 | the nearest; infinity past the largest |
 * | float | int32, int64 | cut towards zero; out of range or NaN: the smallest integer |
 * | float | uint8, int16, uint16 | low bits of the same as int32 |
 * | float | uint32 | low bits of the same as int64 |
 * | complex | complex | each part by itself |
 */
import { type NumericData, numericInfo, type NumericType } from "../../array/dtype.ts";

const TWO_31 = 2 ** 31, TWO_63 = 2 ** 63;
/** Integers below it are exact as doubles. */
const EXACT = 2 ** 53;

/** Whether C++ has a cast from one type to the other: complex values only have one to complex values. */
export function convertible(from: NumericType, to: NumericType): boolean {
  return numericInfo(from).items === numericInfo(to).items;
}

/** The integers that a type holds, those of 64 bits apart. */
const RANGES: Partial<Record<NumericType, readonly [least: number, most: number]>> = {
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-TWO_31, TWO_31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/**
 * Index of the first item that an integer type doesn't hold, its fraction cut off: NaN, or out of range. -1 if there is
 * none: {@linkcode convert} gives what C++ says then. Any number is taken as a float (past the largest: infinity) and as a bool.
 */
export function firstUnfit(values: NumericData, to: NumericType): number {
  if (to === "int64") {
    if (!(values instanceof Float32Array || values instanceof Float64Array)) return -1;
    return values.findIndex((value: number) => !(value >= -TWO_63 && value < TWO_63));
  }
  const range = RANGES[to];
  if (range === undefined) return -1;
  const [least, most] = range;
  if (values instanceof BigInt64Array) return values.findIndex((value) => value < least || value > most);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value > least - 1 && value < most + 1)) return i;
  }
  return -1;
}

/** Casts every item of `source` into `target`, which has as many; the types are {@linkcode convertible}. */
export function convert(from: NumericType, source: NumericData, to: NumericType, target: NumericData): void {
  if (to === "bool") toBool(source, target as Uint8Array);
  else if (source instanceof BigInt64Array) fromInt64(source, to, target);
  else if (target instanceof BigInt64Array) toInt64(source, target);
  else if (isFloat(from) && !isFloat(to)) {
    if (to === "uint32") toUint32(source, target as Uint32Array);
    else toInt32(source, target as Int32Array);
  } else target.set(source);
}

function isFloat(dtype: NumericType): boolean {
  return dtype === "float32" || dtype === "float64" || numericInfo(dtype).items === 2;
}

function toBool(source: NumericData, target: Uint8Array): void {
  if (source instanceof BigInt64Array) {
    for (let i = 0; i < target.length; i++) target[i] = source[i] === 0n ? 0 : 1;
  } else for (let i = 0; i < target.length; i++) target[i] = source[i] === 0 ? 0 : 1;
}

/** Also for shorter integers: the array keeps the low bits. */
function toInt32(
  source: ArrayLike<number>,
  target: Int32Array | Int16Array | Uint16Array | Uint8Array,
): void {
  for (let i = 0; i < target.length; i++) {
    const value = source[i]!;
    target[i] = value >= -TWO_31 && value < TWO_31 ? value : -TWO_31;
  }
}

function toUint32(source: ArrayLike<number>, target: Uint32Array): void {
  for (let i = 0; i < target.length; i++) {
    const value = source[i]!;
    target[i] = value >= -TWO_63 && value < TWO_63 ? value : 0;
  }
}

function toInt64(source: ArrayLike<number>, target: BigInt64Array): void {
  for (let i = 0; i < target.length; i++) {
    const value = source[i]!;
    target[i] = value >= -TWO_63 && value < TWO_63 ? BigInt(Math.trunc(value)) : -(2n ** 63n);
  }
}

function fromInt64(source: BigInt64Array, to: NumericType, target: NumericData): void {
  if (target instanceof BigInt64Array) return target.set(source);
  const single = to === "float32";
  if (!single && to !== "float64") {
    for (let i = 0; i < target.length; i++) target[i] = Number(BigInt.asIntN(32, source[i]!));
    return;
  }
  for (let i = 0; i < target.length; i++) {
    const value = source[i]!;
    const double = Number(value);
    // Rounding twice, to double and then to single, is not rounding once.
    target[i] = single && Math.abs(double) >= EXACT ? Number(sticky(value)) : double;
  }
}

/** A number with at most 53 significant bits that rounds to the same single: what is cut off leaves a 1 behind. */
function sticky(value: bigint): bigint {
  return (value >> 11n | (value & 0x7ffn ? 1n : 0n)) << 11n;
}
