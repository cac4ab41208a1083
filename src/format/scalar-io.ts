/**
 * Single values of a data type in AipsIO streams: record fields and the default values of scalar columns.
 * Format reference part 1, section 1.1: packed, Bool in a byte, complex values real part first, String with its count.
 */
import type { NumericType } from "../array/dtype.ts";
import type { AipsReader, AipsWriter } from "./aipsio.ts";

/** Types of single values. */
export type ScalarType = NumericType | "string";

/** A single value: boolean for bool, bigint for int64, a pair for complex types, string, number for the rest. */
export type ScalarValue = boolean | number | bigint | string | readonly [re: number, im: number];

/** The value that casacore gives a cell or default that nobody set. */
export function zeroOf(dtype: ScalarType): ScalarValue {
  switch (dtype) {
    case "bool":
      return false;
    case "int64":
      return 0n;
    case "string":
      return "";
    case "complex64":
    case "complex128":
      return [0, 0];
    default:
      return 0;
  }
}

/** Reads a value of a type. */
export function readScalar(r: AipsReader, dtype: ScalarType): ScalarValue {
  switch (dtype) {
    case "bool":
      return r.bool();
    case "uint8":
      return r.u8();
    case "int16":
      return r.i16();
    case "uint16":
      return r.u16();
    case "int32":
      return r.i32();
    case "uint32":
      return r.u32();
    case "int64":
      return r.i64();
    case "float32":
      return r.f32();
    case "float64":
      return r.f64();
    case "complex64":
      return [r.f32(), r.f32()];
    case "complex128":
      return [r.f64(), r.f64()];
    case "string":
      return r.string();
  }
}

/** Writes a value of a type; `value` must be of that type's kind. */
export function writeScalar(w: AipsWriter, dtype: ScalarType, value: ScalarValue): void {
  switch (dtype) {
    case "bool":
      return w.bool(value as boolean);
    case "uint8":
      return w.u8(value as number);
    case "int16":
      return w.i16(value as number);
    case "uint16":
      return w.u16(value as number);
    case "int32":
      return w.i32(value as number);
    case "uint32":
      return w.u32(value as number);
    case "int64":
      return w.i64(value as bigint);
    case "float32":
      return w.f32(value as number);
    case "float64":
      return w.f64(value as number);
    case "complex64":
    case "complex128": {
      const [re, im] = value as readonly [number, number];
      const put = dtype === "complex64" ? (part: number) => w.f32(part) : (part: number) => w.f64(part);
      put(re);
      return put(im);
    }
    case "string":
      return w.string(value as string);
  }
}
