/**
 * An array record of an indirect array file: format reference part 2, section 5. Its offset is a multiple of 8.
 *
 * | field | type | |
 * | --- | --- | --- |
 * | refCount | u32 | version 1 only |
 * | ndim | u32 | |
 * | shape | ndim × i32 | first axis first |
 * | data | | packed; String: one u32 file offset each, 0 for an empty string |
 */
import type { DType, NumericType } from "../../array/dtype.ts";
import { elementsOf } from "../../array/rows.ts";
import { packedBytes } from "./cells.ts";

/** Offsets of records are multiples of this. */
export const RECORD_ALIGNMENT = 8;

/** More axes than any array has; what a file says beyond is damage. */
export const MAX_AXES = 64;

/** Types that an array file stores; record columns hold uint8 arrays. */
export type StoredType = Exclude<DType, "record">;

/** The type whose packed values stand in a record. */
export function packedType(dtype: StoredType): NumericType {
  return dtype === "string" ? "uint32" : dtype;
}

/** Sizes of a record for arrays of one shape. */
export interface RecordLayout {
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  readonly elements: number;
  /** Bytes before the data. */
  readonly head: number;
  /** Bytes of the data. */
  readonly data: number;
  /** Bytes of the record. */
  readonly bytes: number;
  /** Distance between records that follow each other. */
  readonly stride: number;
}

/** Bytes before the data of a record. */
export function headBytes(ndim: number, version: 0 | 1): number {
  return 4 * (ndim + 1 + version);
}

/** The layout of records for arrays of `shape`. */
export function recordLayout(dtype: StoredType, shape: readonly number[], version: 0 | 1): RecordLayout {
  const elements = elementsOf(shape);
  const head = headBytes(shape.length, version);
  const data = packedBytes(packedType(dtype), elements);
  return { shape, dtype, elements, head, data, bytes: head + data, stride: alignUp(head + data) };
}

/** The next multiple of {@linkcode RECORD_ALIGNMENT}. */
export function alignUp(offset: number): number {
  return Math.ceil(offset / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}

/** The bytes before the data, with a reference count of 1. */
export function formatHead(shape: readonly number[], version: 0 | 1, bigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(headBytes(shape.length, version));
  const view = new DataView(bytes.buffer);
  let at = 0;
  if (version === 1) {
    view.setUint32(at, 1, !bigEndian);
    at += 4;
  }
  view.setUint32(at, shape.length, !bigEndian);
  for (const length of shape) view.setInt32(at += 4, length, !bigEndian);
  return bytes;
}
