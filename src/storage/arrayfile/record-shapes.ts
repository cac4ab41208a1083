/** Reading the shapes of many array records: their first words are gathered, in file order. */
import { MoveList } from "../../array/moves.ts";
import { elementsOf, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { ShapeRun } from "../manager.ts";
import type { ArrayFile } from "./array-file.ts";
import { NATIVE_LITTLE, packedBytes } from "./cells.ts";
import { ExtentBuilder, MAX_EXTENT_BYTES } from "./extents.ts";
import { headBytes, MAX_AXES, packedType, type StoredType } from "./record-layout.ts";
import { recordRuns } from "./record-runs.ts";

/** Axes that are read along with the number of axes when nothing is known. */
const GUESSED_AXES = 2;

/** Reading over values up to this long costs less than one more system call. */
const MAX_GAP_BYTES = 8192;

/** The shape given to arrays without axes. */
const NO_ELEMENTS: readonly number[] = [0];

/** Shapes of the arrays at `offsets`; null for offset 0. */
export function* readShapes(
  file: ArrayFile,
  offsets: Float64Array,
  dtype: StoredType,
  ndim: number,
): Plan<ShapeRun[]> {
  const reserved = new Map<number, readonly number[]>();
  const stored = offsets.filter((offset) => {
    if (offset === 0) return false;
    file.checkOffset(offset);
    const shape = file.reserved.empty ? null : file.reserved.shapeAt(offset);
    if (shape !== null) reserved.set(offset, shape);
    return shape === null;
  });
  const shapeOf = yield* readHeads(file, stored, dtype, ndim < 0 ? GUESSED_AXES : Math.min(ndim, MAX_AXES));
  const runs: { count: number; shape: readonly number[] | null }[] = [];
  let next = 0;
  for (const offset of offsets) {
    const last = runs.at(-1);
    const shape = offset === 0 ? null : reserved.get(offset) ?? shapeOf(next++, last?.shape ?? null);
    if (last !== undefined && isSame(last.shape, shape)) last.count++;
    else runs.push({ count: 1, shape });
  }
  return runs;
}

function isSame(a: readonly number[] | null, b: readonly number[] | null): boolean {
  return a === b || (a !== null && b !== null && sameShape(a, b));
}

/**
 * Reads the heads of records and returns what finds the shape of the i-th; it gives back the shape passed in when it is
 * the same, so that many records of one shape take the memory of one.
 */
function* readHeads(
  file: ArrayFile,
  offsets: Float64Array,
  dtype: StoredType,
  axes: number,
): Plan<(i: number, previous: readonly number[] | null) => readonly number[]> {
  const { version } = file;
  const words = version + 1 + axes;
  const heads = yield* gatherWords(file, offsets, words);
  const longer: number[] = [];
  let mostAxes = axes;
  for (let i = 0; i < offsets.length; i++) {
    const found = heads[i * words + version]!;
    const offset = offsets[i]!;
    if (found > MAX_AXES || offset + headBytes(found, version) > file.length) {
      throw new TableError(
        "CORRUPT",
        `an array has ${found} axes, expected at most ${MAX_AXES} within the ${file.length} bytes in use`,
        { file: file.path, offset: offset + 4 * version },
      );
    }
    if (found > axes) {
      longer.push(i);
      mostAxes = Math.max(mostAxes, found);
    }
  }
  const moreWords = version + 1 + mostAxes;
  const more = longer.length === 0
    ? heads
    : yield* gatherWords(file, Float64Array.from(longer, (i) => offsets[i]!), moreWords);
  const place = new Map(longer.map((i, k) => [i, k]));
  return (i, previous) => {
    const far = place.get(i);
    const at = (far === undefined ? i * words : far * moreWords) + version;
    const list = far === undefined ? heads : more;
    const ndim = list[at]!;
    // An array without axes has no elements in casacore; a shape without axes is a scalar's here.
    if (ndim === 0) return NO_ELEMENTS;
    let shape = previous;
    if (
      shape === null || shape.length !== ndim || shape.some((length, axis) => length !== list[at + 1 + axis])
    ) {
      shape = Array.from(list.subarray(at + 1, at + 1 + ndim), (length) => length | 0);
    }
    checkShape(file, offsets[i]!, dtype, shape);
    return shape;
  };
}

/** @throws TableError CORRUPT unless the array ends within the used part. */
function checkShape(file: ArrayFile, offset: number, dtype: StoredType, shape: readonly number[]): void {
  const room = file.length - offset - headBytes(shape.length, file.version);
  const bytes = packedBytes(packedType(dtype), elementsOf(shape));
  if (shape.some((length) => length < 0) || !(bytes <= room)) {
    throw new TableError(
      "CORRUPT",
      `an array has shape [${shape.join(", ")}], which takes ${bytes} bytes, there are ${room}`,
      { file: file.path, offset },
    );
  }
}

/** The first `words` u32 words at each offset, as many as there are before the end of the used part. */
function* gatherWords(file: ArrayFile, offsets: Float64Array, words: number): Plan<Uint32Array> {
  const heads = new Uint32Array(offsets.length * words);
  if (offsets.length === 0) return heads;
  const swapUnit = file.bigEndian === NATIVE_LITTLE ? 4 : 1;
  const runs = recordRuns(offsets, 4 * words);
  const moves = new MoveList("bytes", 2, 4, swapUnit, runs.length);
  const extents = new ExtentBuilder(MAX_GAP_BYTES);
  const bytes = 4 * words;
  const push = (offset: number, index: number, count: number, stride: number, length: number) => {
    moves.push(offset, index * words, [length, count], [1, stride / 4], [1, words]);
    extents.add(offset, offset + (count - 1) * stride + 4 * length);
  };
  for (const { offset, index, count, stride } of runs) {
    // The last record may be shorter than what is read of the others.
    const end = offset + (count - 1) * stride + bytes;
    const full = end > file.length ? count - 1 : count;
    const near = stride - bytes <= MAX_GAP_BYTES;
    const each = near && stride > 0 ? Math.max(1, Math.floor(MAX_EXTENT_BYTES / stride)) : 1;
    for (let i = 0; i < full; i += each) {
      push(offset + i * stride, index + i, Math.min(each, full - i), stride, words);
    }
    if (full < count) {
      const last = offset + full * stride;
      push(last, index + full, 1, stride, Math.floor((file.length - last) / 4));
    }
  }
  yield {
    kind: "gather",
    file: file.file,
    extents: extents.finish(),
    moves,
    target: new Uint8Array(heads.buffer),
  };
  return heads;
}
