/**
 * How CompressFloat and CompressComplex choose scale and offset of a row (format reference part 6, section 4.3). Every
 * operation is rounded to single precision.
 *
 * | of the finite values | scale | offset |
 * | --- | --- | --- |
 * | none | 0 | 0 |
 * | all alike | 1 | (max + min) / 2 |
 * | else | (max - min) / 65534 | (max + min) / 2 |
 */
import type { Box } from "../../array/rows.ts";

/** Steps that a scale is divided into: from -32767 to 32767. */
const STEPS = 65534;
const round = Math.fround;

/** Least and greatest value; NaN and NaN if there is none. */
export type Extent = readonly [least: number, greatest: number];

/** Of no values. */
export const NO_EXTENT: Extent = [NaN, NaN];

/** The scale and offset with which all values of an extent can be stored. */
export function scaleFor([least, greatest]: Extent): readonly [scale: number, offset: number] {
  if (Number.isNaN(least)) return [0, 0];
  const scale = least === greatest ? 1 : round(round(greatest - least) / STEPS);
  return [scale, round(round(greatest + least) / 2)];
}

/** The values that can be stored with a scale and an offset. */
export function extentOf(scale: number, offset: number): Extent {
  const half = round(round(scale * STEPS) / 2);
  return [round(offset - half), round(offset + half)];
}

/** The extent of both. */
export function joined(a: Extent, b: Extent): Extent {
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}

/** Puts the values of a box into a cell of `shape`; `items` of them are one element. */
export function insert(
  cell: Float32Array,
  shape: readonly number[],
  { start, shape: lengths, step }: Box,
  values: Float32Array,
  items: number,
): void {
  const position = lengths.map(() => 0);
  for (let from = 0; from < values.length; from += items) {
    let to = 0, stride = items;
    for (let axis = 0; axis < shape.length; axis++) {
      to += (start[axis]! + position[axis]! * step[axis]!) * stride;
      stride *= shape[axis]!;
    }
    for (let i = 0; i < items; i++) cell[to + i] = values[from + i]!;
    for (let axis = 0; axis < shape.length && ++position[axis]! === lengths[axis]; axis++) position[axis] = 0;
  }
}
