/**
 * Boxes laid into whole cells: a bucket keeps a cell as one value, and an array that rows share can't be changed for one
 * of them, so the cells are read, changed and put as a whole.
 */
import { kernels } from "../../array/choose.ts";
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import { MoveList } from "../../array/moves.ts";
import { type Box, elementsOf, stridesOf } from "../../array/rows.ts";

/** Lays boxes of an array from element `at` of `source` on into `count` whole cells. */
export function layNumbers(
  dtype: NumericType,
  shape: readonly number[],
  box: Box,
  source: Uint8Array,
  at: number,
  cells: Uint8Array,
  count: number,
): void {
  const { size } = numericInfo(dtype), unit = Math.min(size, 8), parts = size / unit;
  const strides = stridesOf(shape), boxElements = elementsOf(box.shape);
  let begin = 0;
  const lengths = [parts], inCell = [1], inBox = [1];
  let stride = parts;
  strides.forEach((each, axis) => {
    begin += box.start[axis]! * each;
    lengths.push(box.shape[axis]!);
    inCell.push(each * box.step[axis]! * parts);
    inBox.push(stride);
    stride *= box.shape[axis]!;
  });
  lengths.push(count);
  inCell.push(elementsOf(shape) * parts);
  inBox.push(boxElements * parts);
  const used = lengths.map((_, axis) => axis).filter((axis) => lengths[axis] !== 1);
  if (used.length === 0) used.push(0);
  const pick = (list: readonly number[]) => used.map((axis) => list[axis]!);
  const moves = new MoveList("bytes", used.length, unit, 1, 1);
  moves.push(begin * size, at * parts, pick(lengths), pick(inCell), pick(inBox));
  kernels().scatter(moves, 0, 1, source, cells, 0);
}

/** The same for strings. */
export function layStrings(
  shape: readonly number[],
  box: Box,
  source: readonly Uint8Array[],
  at: number,
  cells: Uint8Array[],
  count: number,
): void {
  const strides = stridesOf(shape), cell = elementsOf(shape), each = elementsOf(box.shape);
  const position = box.shape.map(() => 0);
  for (let element = 0; element < each; element++) {
    let to = 0;
    for (let a = 0; a < position.length; a++) {
      to += (box.start[a]! + position[a]! * box.step[a]!) * strides[a]!;
    }
    for (let i = 0; i < count; i++) cells[i * cell + to] = source[at + i * each + element]!;
    for (let a = 0; a < position.length && ++position[a]! === box.shape[a]; a++) position[a] = 0;
  }
}
