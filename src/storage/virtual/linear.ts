/**
 * `value * scale + offset` and its inverse `(value - offset) / scale`, in place, with the roundings of casacore's engines (format reference part 6, sections 2
 * and 3), each operation rounded by itself: the one in the common type that C++ gives the stored and the virtual type,
 * the other in that of the virtual type alone.
 */
import { type NumericData, numericInfo, type NumericType } from "../../array/dtype.ts";

/** Types in which C++ computes; integers that are shorter are widened to int32 first. */
export type CommonType = "int32" | "uint32" | "int64" | "float32" | "float64";

const RANK: readonly CommonType[] = ["int32", "uint32", "int64", "float32", "float64"];

/** The type in which C++ computes with values of two real types. */
export function commonType(a: NumericType, b: NumericType): CommonType {
  const rank = Math.max(RANK.indexOf(a as CommonType), RANK.indexOf(b as CommonType), 0);
  return RANK[rank]!;
}

/** The real type of a type's parts: float32 for complex64. */
export function partType(dtype: NumericType): NumericType {
  return numericInfo(dtype).items === 1 ? dtype : dtype === "complex64" ? "float32" : "float64";
}

/** Scale and offset of each cell, or one of them for all cells. Of the common type; pairs for complex values. */
export interface Factors {
  readonly values: NumericData;
  /** False: one value for all cells. */
  readonly perCell: boolean;
}

/**
 * Scales cells of `each` items in place. For `pairs` the items are re, im, re, im …, and each part has a scale and an
 * offset of its own. An offset of 0 is not added, which shows in the sign of zeros.
 */
export function scaleCells(
  common: CommonType,
  values: NumericData,
  each: number,
  scales: Factors,
  offsets: Factors,
  pairs = false,
): void {
  const items = pairs ? 2 : 1;
  const all = !scales.perCell && !offsets.perCell;
  const length = all ? values.length : each;
  for (let start = 0, cell = 0; start < values.length && length > 0; start += length, cell++) {
    const end = start + length;
    const s = scales.perCell ? cell * items : 0, o = offsets.perCell ? cell * items : 0;
    const add = isNotZero(offsets.values, o, items);
    for (let part = 0; part < items; part++) {
      const scale = scales.values[s + part]!, offset = offsets.values[o + part]!;
      if (common === "int64") {
        scaleInt64(values as BigInt64Array, start + part, end, items, scale as bigint, offset as bigint);
      } else scaleReal(common, values, start + part, end, items, scale as number, offset as number, add);
    }
  }
}

/**
 * Undoes it, in place; `common` is the type in which C++ computes with values of the virtual type alone. Integers are
 * divided as C++ does it, towards zero; their scales are not 0.
 */
export function unscaleCells(
  common: CommonType,
  values: NumericData,
  each: number,
  scales: Factors,
  offsets: Factors,
  pairs = false,
): void {
  const items = pairs ? 2 : 1;
  const length = scales.perCell || offsets.perCell ? each : values.length;
  for (let start = 0, cell = 0; start < values.length && length > 0; start += length, cell++) {
    const s = scales.perCell ? cell * items : 0, o = offsets.perCell ? cell * items : 0;
    for (let part = 0; part < items; part++) {
      const scale = scales.values[s + part]!, offset = offsets.values[o + part]!;
      UNSCALE[common](values as never, start + part, start + length, items, scale as never, offset as never);
    }
  }
}

/** Arrays of single precision and of integers round or cut what is stored: only what comes before must be done by hand. */
const UNSCALE = {
  float32(values: Float32Array, start: number, end: number, step: number, scale: number, offset: number) {
    for (let i = start; i < end; i += step) values[i] = Math.fround(values[i]! - offset) / scale;
  },
  float64(values: Float64Array, start: number, end: number, step: number, scale: number, offset: number) {
    for (let i = start; i < end; i += step) values[i] = (values[i]! - offset) / scale;
  },
  int32(values: Int32Array, start: number, end: number, step: number, scale: number, offset: number) {
    for (let i = start; i < end; i += step) values[i] = ((values[i]! - offset) | 0) / scale;
  },
  uint32(values: Uint32Array, start: number, end: number, step: number, scale: number, offset: number) {
    for (let i = start; i < end; i += step) values[i] = ((values[i]! - offset) >>> 0) / scale;
  },
  int64(values: BigInt64Array, start: number, end: number, step: number, scale: bigint, offset: bigint) {
    for (let i = start; i < end; i += step) values[i] = BigInt.asIntN(64, values[i]! - offset) / scale;
  },
};

function isNotZero(offsets: NumericData, at: number, items: number): boolean {
  for (let i = at; i < at + items; i++) if (offsets[i] != 0) return true;
  return false;
}

function scaleReal(
  common: CommonType,
  values: NumericData,
  start: number,
  end: number,
  step: number,
  scale: number,
  offset: number,
  add: boolean,
): void {
  if (common === "float32") scaleSingle(values as Float32Array, start, end, step, scale, offset, add);
  else if (common === "float64") scaleDouble(values as Float64Array, start, end, step, scale, offset, add);
  else scaleInteger(values as Int32Array, start, end, step, scale, offset);
}

/** The array rounds what is stored, so only the product must be rounded by hand. */
function scaleSingle(
  values: Float32Array,
  start: number,
  end: number,
  step: number,
  scale: number,
  offset: number,
  add: boolean,
): void {
  if (add) { for (let i = start; i < end; i += step) values[i] = Math.fround(values[i]! * scale) + offset; }
  else for (let i = start; i < end; i += step) values[i] = values[i]! * scale;
}

function scaleDouble(
  values: Float64Array,
  start: number,
  end: number,
  step: number,
  scale: number,
  offset: number,
  add: boolean,
): void {
  if (add) { for (let i = start; i < end; i += step) values[i] = values[i]! * scale + offset; }
  else for (let i = start; i < end; i += step) values[i] = values[i]! * scale;
}

/** Modulo 2^32, signed or not: the array keeps the low bits. */
function scaleInteger(
  values: Int32Array | Uint32Array,
  start: number,
  end: number,
  step: number,
  scale: number,
  offset: number,
): void {
  for (let i = start; i < end; i += step) values[i] = Math.imul(values[i]!, scale) + offset;
}

function scaleInt64(
  values: BigInt64Array,
  start: number,
  end: number,
  step: number,
  scale: bigint,
  offset: bigint,
): void {
  for (let i = start; i < end; i += step) values[i] = BigInt.asIntN(64, values[i]! * scale + offset);
}
