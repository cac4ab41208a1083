/**
 * Stored values on their way into an array: format reference part 3, section A4. n: elements of a cell.
 *
 * | column | stored value |
 * | --- | --- |
 * | numeric, scalar or direct array | n values, unaligned |
 * | bool | ceil(n / 8) bytes, least significant bit first |
 * | string, n = 1 | uInt 4 + bytes, bytes |
 * | string, n > 1 | uInt bytes of all of it, then n times: uInt bytes, bytes |
 * | any other array, record | i64 offset in the array file, 0: undefined |
 *
 * A value is decoded once and spread over all the rows that it holds for.
 */
import { kernels } from "../../array/choose.ts";
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import { MoveList } from "../../array/moves.ts";
import { type Box, elementsOf, stridesOf } from "../../array/rows.ts";
import {
  type CellAxes,
  cellAxes,
  NATIVE_LITTLE,
  packedBytes,
  type Unit,
  unitOf,
} from "../arrayfile/cells.ts";
import type { CellTarget } from "../manager.ts";
import { repeatBytes } from "./repeat.ts";
import type { Stretch } from "./stretch.ts";

/** Where the values of a read go. */
export interface ValueSink {
  /** Bytes of a stored value; {@linkcode COUNTED} if it starts with the number of its bytes. */
  readonly valueBytes: number;
  /**
   * Takes the value in the `bytes` bytes at `at` of a stretch, for `count` rows from position `index` of the selection.
   */
  place(stretch: Stretch, at: number, bytes: number, index: number, count: number): void;
  /** Called when all values of a stretch were placed, before its bytes go away. */
  finish(stretch: Stretch): void;
}

/** A stored value that starts with the number of its bytes, this uInt included. */
export const COUNTED = -1;

/** Bytes of a count in a stored string. */
const COUNT_BYTES = 4;

/** Copies fewer than this are written by a plain loop. */
const FEW = 16;

/** What a sink is made from. */
export interface SinkOptions {
  readonly bigEndian: boolean;
  readonly cellShape: readonly number[];
  readonly box: Box | null;
  /** First element of the target to be filled. */
  readonly at: number;
}

type NumericTarget = Extract<CellTarget, { kind: "numeric" }>;
type StringTarget = Extract<CellTarget, { kind: "strings" }>;

/** The sink for cells of a numeric type. */
export function numericSink(dtype: NumericType, target: NumericTarget, options: SinkOptions): ValueSink {
  const { size } = numericInfo(dtype);
  const aligned = target.bytes.byteOffset % Math.min(size, 4) === 0;
  return elementsOf(options.cellShape) === 1 && aligned
    ? new ScalarSink(dtype, target.bytes, options)
    : new BlockSink(dtype, target.bytes, options);
}

/** The sink for cells of strings. */
export function stringSink(target: StringTarget, options: SinkOptions): ValueSink {
  return elementsOf(options.cellShape) === 1
    ? new StringSink(target, options.at)
    : new StringArraySink(target, options);
}

/** Cells of one element: written through a view of the target, filled over the rows. */
class ScalarSink implements ValueSink {
  readonly valueBytes: number;
  readonly #little: boolean;
  readonly #mask: number;
  readonly #first: number;
  readonly #bytes: Uint8Array;
  /** The target as bytes, halves or words. */
  readonly #items: Uint8Array | Uint16Array | Uint32Array;
  /** 1 if the halves of 8-byte numbers change places. */
  readonly #cross: number;

  constructor(dtype: NumericType, target: Uint8Array, options: SinkOptions) {
    const { size, swapUnit } = numericInfo(dtype);
    this.valueBytes = size;
    this.#little = !options.bigEndian;
    this.#mask = dtype === "bool" ? 1 : 0xff;
    this.#first = options.at;
    this.#bytes = target;
    const { buffer, byteOffset, byteLength } = target;
    this.#items = size === 1
      ? target
      : size === 2
      ? new Uint16Array(buffer, byteOffset, byteLength >>> 1)
      : new Uint32Array(buffer, byteOffset, Math.floor(byteLength / 4));
    this.#cross = swapUnit === 8 && options.bigEndian === NATIVE_LITTLE ? 1 : 0;
  }

  place(stretch: Stretch, at: number, _bytes: number, index: number, count: number): void {
    const first = this.#first + index;
    switch (this.valueBytes) {
      case 1:
        return spread(this.#items, first, stretch.bytes[at]! & this.#mask, count);
      case 2:
        return spread(this.#items, first, stretch.view.getUint16(at, this.#little), count);
      case 4:
        return spread(this.#items, first, stretch.view.getUint32(at, this.#little), count);
      default: {
        const words = this.#items, width = this.valueBytes / 4, start = first * width;
        for (let w = 0; w < width; w++) {
          words[start + w] = stretch.view.getUint32(at + (w ^ this.#cross) * 4, this.#little);
        }
        if (count < FEW) {
          for (let i = width; i < count * width; i++) words[start + i] = words[start + i - width]!;
        } else repeatBytes(this.#bytes, first * this.valueBytes, this.valueBytes, count);
      }
    }
  }

  finish(): void {}
}

function spread(
  data: Uint8Array | Uint16Array | Uint32Array,
  first: number,
  value: number,
  count: number,
): void {
  if (count >= FEW) data.fill(value, first, first + count);
  else for (let i = first; i < first + count; i++) data[i] = value;
}

/** Cells of several numeric elements, or a box of each: moved by the inner loops, a bucket's values at once. */
class BlockSink implements ValueSink {
  readonly valueBytes: number;
  readonly #moves: MoveList;
  readonly #target: Uint8Array;
  readonly #first: number;
  readonly #unit: Unit;
  readonly #axes: CellAxes;
  /** Values that hold for several rows: moved element where each starts in the target, and rows. */
  readonly #repeats: number[] = [];

  constructor(dtype: NumericType, target: Uint8Array, options: SinkOptions) {
    const { cellShape, box, bigEndian, at } = options;
    const unit = unitOf(dtype, bigEndian), axes = cellAxes(cellShape, box, unit.parts);
    this.valueBytes = packedBytes(dtype, elementsOf(cellShape));
    this.#moves = new MoveList(unit.kind, axes.shape.length, unit.size, unit.swapUnit);
    this.#target = target;
    this.#first = at * unit.parts;
    this.#unit = unit;
    this.#axes = axes;
  }

  place(_stretch: Stretch, at: number, _bytes: number, index: number, count: number): void {
    const { shape, fileStrides, arrayStrides, begin, box } = this.#axes, unit = this.#unit;
    const from = unit.kind === "bits" ? at * 8 + begin : at + begin * unit.size;
    const to = this.#first + index * box;
    this.#moves.push(from, to, shape, fileStrides, arrayStrides);
    if (count > 1) this.#repeats.push(to, count);
  }

  finish(stretch: Stretch): void {
    const moves = this.#moves, repeats = this.#repeats, { size } = this.#unit;
    kernels().gather(moves, 0, moves.count, stretch.bytes, 0, this.#target);
    moves.count = 0;
    const cellBytes = this.#axes.box * size;
    for (let i = 0; i < repeats.length; i += 2) {
      repeatBytes(this.#target, repeats[i]! * size, cellBytes, repeats[i + 1]!);
    }
    repeats.length = 0;
  }
}

/** Cells of one string. */
class StringSink implements ValueSink {
  readonly valueBytes = COUNTED;
  readonly #target: StringTarget;
  readonly #first: number;

  constructor(target: StringTarget, first: number) {
    this.#target = target;
    this.#first = first;
  }

  place(stretch: Stretch, at: number, bytes: number, index: number, count: number): void {
    const text = stretch.bytes.subarray(at + COUNT_BYTES, at + bytes);
    spreadText(this.#target, this.#first + index, 1, count, text);
  }

  finish(): void {}
}

/** Decodes a text for `count` entries of the target; what is not a string is made anew for each. */
function spreadText(
  target: StringTarget,
  first: number,
  step: number,
  count: number,
  text: Uint8Array,
): void {
  const value = target.decode(text);
  for (let i = 0; i < count; i++) {
    target.values[first + i * step] = typeof value === "string" || i === 0 ? value : target.decode(text);
  }
}

/** Cells of several strings, or of none, or a box of each. */
class StringArraySink implements ValueSink {
  readonly valueBytes = COUNTED;
  readonly #target: StringTarget;
  readonly #first: number;
  readonly #stored: number;
  /** Elements of a cell in the target. */
  readonly #elements: number;
  /** Where each stored string goes in the cell, -1: nowhere; null: all of them, in order. */
  readonly #places: Float64Array | null;

  constructor(target: StringTarget, options: SinkOptions) {
    const { cellShape, box } = options;
    this.#target = target;
    this.#first = options.at;
    this.#stored = elementsOf(cellShape);
    this.#elements = box === null ? this.#stored : elementsOf(box.shape);
    this.#places = box === null ? null : placesOf(cellShape, box);
  }

  place(stretch: Stretch, at: number, bytes: number, index: number, count: number): void {
    const end = at + bytes;
    const first = this.#first + index * this.#elements;
    let position = at + COUNT_BYTES;
    for (let k = 0; k < this.#stored; k++) {
      const room = end - position - COUNT_BYTES;
      const length = room < 0 ? 0 : stretch.u32(position);
      if (length > room) {
        stretch.fail(
          `string ${k} of an array is said to have ${length} bytes, there are ${Math.max(0, room)}`,
          position,
        );
      }
      const start = position + COUNT_BYTES;
      position = start + length;
      const place = this.#places === null ? k : this.#places[k]!;
      if (place < 0) continue;
      spreadText(this.#target, first + place, this.#elements, count, stretch.bytes.subarray(start, position));
    }
  }

  finish(): void {}
}

/** For each element of a cell its place in the box, -1 for those outside. */
function placesOf(cellShape: readonly number[], box: Box): Float64Array {
  const places = new Float64Array(elementsOf(cellShape)).fill(-1);
  const strides = stridesOf(cellShape);
  const position = box.shape.map(() => 0);
  for (let place = 0; place < elementsOf(box.shape); place++) {
    let k = 0;
    for (let a = 0; a < position.length; a++) {
      k += (box.start[a]! + position[a]! * box.step[a]!) * strides[a]!;
    }
    places[k] = place;
    for (let a = 0; a < position.length && ++position[a]! === box.shape[a]; a++) position[a] = 0;
  }
  return places;
}

/** Collects the offsets of indirect cells, with the rows that share each. */
export class OffsetSink implements ValueSink {
  readonly valueBytes = 8;
  /** Offset in the array file, position in the selection, number of rows; in the order in which they were found. */
  readonly found: { readonly offset: number; readonly index: number; readonly count: number }[] = [];

  place(stretch: Stretch, at: number, _bytes: number, index: number, count: number): void {
    this.found.push({ offset: stretch.offset(at), index, count });
  }

  finish(): void {}
}
