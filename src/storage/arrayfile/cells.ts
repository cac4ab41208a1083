/**
 * How the values of one array stand in a file: elements of whole bytes, or bits, and which of them a box selects.
 *
 * | data type | element in the file | moved as |
 * | --- | --- | --- |
 * | bool | 1 bit, least significant first | `bits` |
 * | complex128 | 16 bytes | two elements of 8, so that strides can be any multiple of 8 bytes |
 * | any other | its size | one element |
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import type { MoveKind } from "../../array/moves.ts";
import { type Box, elementsOf, stridesOf } from "../../array/rows.ts";

/** True on machines that keep the least significant byte first. */
export const NATIVE_LITTLE: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Elements as a move list sees them. */
export interface Unit {
  readonly kind: MoveKind;
  /** Bytes of a moved element in the array, 1 for bits. */
  readonly size: number;
  /** Bits of a moved element in the file. */
  readonly bits: number;
  readonly swapUnit: number;
  /** Moved elements for one element of the data type. */
  readonly parts: 1 | 2;
}

/** The unit in which values of `dtype` are moved to or from a file of that byte order. */
export function unitOf(dtype: NumericType, bigEndian: boolean): Unit {
  if (dtype === "bool") return { kind: "bits", size: 1, bits: 1, swapUnit: 1, parts: 1 };
  const info = numericInfo(dtype);
  const size = Math.min(info.size, 8);
  const swapUnit = bigEndian === NATIVE_LITTLE ? info.swapUnit : 1;
  return { kind: "bytes", size, bits: 8 * size, swapUnit, parts: info.size > 8 ? 2 : 1 };
}

/** Bytes that `elements` values of a type take when packed. */
export function packedBytes(dtype: NumericType, elements: number): number {
  return dtype === "bool" ? Math.ceil(elements / 8) : elements * numericInfo(dtype).size;
}

/** The axes that a box of a cell has in a move, without the axis of rows. */
export interface CellAxes {
  /** Moved elements on each axis, and their distances in the file and in the array, in moved elements. */
  readonly shape: readonly number[];
  readonly fileStrides: readonly number[];
  readonly arrayStrides: readonly number[];
  /** First moved element of the cell that is touched, and the one after the last. */
  readonly begin: number;
  readonly end: number;
  /** Moved elements of a whole cell, and of the box. */
  readonly cell: number;
  readonly box: number;
}

/** Axes of the moves that take `box` (null: all) of cells of `shape`. A whole cell is one axis, to be joined with the rows. */
export function cellAxes(shape: readonly number[], box: Box | null, parts: number): CellAxes {
  const cell = elementsOf(shape) * parts;
  if (box === null) {
    return { shape: [cell], fileStrides: [1], arrayStrides: [1], begin: 0, end: cell, cell, box: cell };
  }
  const strides = stridesOf(shape);
  const lengths: number[] = [], fileStrides: number[] = [];
  let begin = 0, last = 0;
  if (parts > 1) {
    lengths.push(parts);
    fileStrides.push(1);
    last = parts - 1;
  }
  strides.forEach((stride, axis) => {
    const step = box.step[axis]!, length = box.shape[axis]!;
    begin += box.start[axis]! * stride * parts;
    // An axis of one element needs no loop, and moves have fewer axes than arrays may have.
    if (length === 1) return;
    lengths.push(length);
    fileStrides.push(stride * step * parts);
    last += (length - 1) * step * stride * parts;
  });
  if (lengths.length === 0) {
    lengths.push(1);
    fileStrides.push(1);
  }
  return {
    shape: lengths,
    fileStrides,
    arrayStrides: stridesOf(lengths),
    begin,
    end: begin + last + 1,
    cell,
    box: elementsOf(lengths),
  };
}
