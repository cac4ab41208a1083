/**
 * Values on their way from an array into buckets: format reference part 3, section A4. See `sinks.ts` for the other way.
 */
import { kernels } from "../../array/choose.ts";
import type { NumericType } from "../../array/dtype.ts";
import { MoveList } from "../../array/moves.ts";
import type { Rows } from "../../array/rows.ts";
import { packedBytes, unitOf } from "../arrayfile/cells.ts";
import type { ValueRun } from "./editor.ts";
import type { StoredValue } from "./open-bucket.ts";

/** Bytes of a count in a stored string. */
const COUNT_BYTES = 4;

/** `count` cells of `elements` values each, as they are stored, one after the other. */
export function storedNumbers(
  dtype: NumericType,
  elements: number,
  source: Uint8Array,
  at: number,
  count: number,
  bigEndian: boolean,
): Uint8Array {
  const bytes = packedBytes(dtype, elements), unit = unitOf(dtype, bigEndian), each = elements * unit.parts;
  const stored = new Uint8Array(bytes * count);
  const moves = new MoveList(unit.kind, 2, unit.size, unit.swapUnit, 1);
  moves.push(0, at * unit.parts, [each, count], [1, bytes * 8 / unit.bits], [1, each]);
  kernels().scatter(moves, 0, 1, source, stored, 0);
  return stored;
}

/** The strings `at` to `at + elements` of a list, as they are stored. */
export function storedStrings(
  values: readonly Uint8Array[],
  at: number,
  elements: number,
  bigEndian: boolean,
): Uint8Array {
  const bytes = new Uint8Array(storedStringBytes(values, at, elements));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, !bigEndian);
  let end = COUNT_BYTES;
  for (let i = at; i < at + elements; i++) {
    const value = values[i]!;
    // One string alone is as long as the whole says.
    if (elements > 1) {
      view.setUint32(end, value.length, !bigEndian);
      end += COUNT_BYTES;
    }
    bytes.set(value, end);
    end += value.length;
  }
  return bytes;
}

/** Bytes that they take. */
export function storedStringBytes(values: readonly Uint8Array[], at: number, elements: number): number {
  let bytes = COUNT_BYTES + (elements > 1 ? COUNT_BYTES * elements : 0);
  for (let i = at; i < at + elements; i++) bytes += values[i]!.length;
  return bytes;
}

/** A whole value. */
export function wholeValue(bytes: Uint8Array): StoredValue {
  return { bytes, at: 0, length: bytes.length };
}

/**
 * Cells of a selection with those joined that are equal and in rows that follow each other.
 *
 * @param equal True if the cells at two neighbouring positions are equal.
 */
export function* joinedRows(
  rows: Rows,
  equal: (index: number) => boolean,
): Generator<{ row: number; count: number; index: number }> {
  for (const run of rows.runs()) {
    for (let i = 0; i < run.count;) {
      let n = 1;
      while (i + n < run.count && equal(run.index + i + n)) n++;
      yield { row: run.row + i, count: n, index: run.index + i };
      i += n;
    }
  }
}

/** Runs of cells of `bytes` bytes each, stored one after the other. */
export function* equalRuns(rows: Rows, stored: Uint8Array, bytes: number): Generator<ValueRun> {
  const equal = sameAsBefore(stored, bytes);
  for (const { row, count, index } of joinedRows(rows, equal)) {
    yield { row, count, value: { bytes: stored, at: index * bytes, length: bytes } };
  }
}

/** Tells whether the `length` bytes of an item equal those of the item before. */
export function sameAsBefore(bytes: Uint8Array, length: number, first = 0): (index: number) => boolean {
  if (length % 4 === 0 && (bytes.byteOffset + first) % 4 === 0) {
    const words = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset + first,
      Math.floor((bytes.length - first) / 4),
    );
    const width = length / 4;
    return (index) => {
      const at = index * width;
      for (let i = at; i < at + width; i++) if (words[i] !== words[i - width]) return false;
      return true;
    };
  }
  return (index) => {
    const at = first + index * length;
    for (let i = at; i < at + length; i++) if (bytes[i] !== bytes[i - length]) return false;
    return true;
  };
}

/** True if strings `a` to `a + elements` of a list equal those from `b` on. */
export function sameStrings(values: readonly Uint8Array[], a: number, b: number, elements: number): boolean {
  for (let i = 0; i < elements; i++) {
    const one = values[a + i]!, other = values[b + i]!;
    if (one === other) continue;
    if (one.length !== other.length) return false;
    for (let k = 0; k < one.length; k++) if (one[k] !== other[k]) return false;
  }
  return true;
}
