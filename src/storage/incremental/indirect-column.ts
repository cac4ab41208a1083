/**
 * A column whose values stand in an array file: arrays without the Direct option, and records, which are kept as uint8
 * arrays with one axis. The buckets keep an offset for each stretch of rows that share an array, 0 for undefined ones.
 * Format reference part 3, sections A4 to A6.
 */
import { isNumeric, numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows, sameShape } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import { checkFixedShape, checkFixedShapes, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { StoredType } from "../arrayfile/record-layout.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { layNumbers, layStrings } from "./boxes.ts";
import type { BucketFile } from "./bucket-file.ts";
import type { BucketEditor, ValueRun } from "./editor.ts";
import { readValues } from "./reading.ts";
import type { SharedArrays } from "./shared-arrays.ts";
import { repeatBytes } from "./repeat.ts";
import { OffsetSink } from "./sinks.ts";
import { joinedRows, sameAsBefore, sameStrings } from "./stored-values.ts";

/** The array of some consecutive rows of a selection. */
interface SharedArray {
  /** In the array file, 0: undefined. */
  readonly offset: number;
  /** Position of the first row in the selection. */
  readonly index: number;
  count: number;
}

/** Bytes of cells that are worked on at a time; a string counts as so many. */
const BLOCK_BYTES = 1 << 22, STRING_BYTES = 64;

/** The type in which a column's arrays are kept. */
export function storedType(bound: BoundColumn): StoredType {
  return bound.kind === "record" || bound.dtype === "record" ? "uint8" : bound.dtype;
}

/** Rows that get one array, and the position of the first of them in the selection. */
interface RowStretch {
  readonly row: number;
  readonly count: number;
  readonly index: number;
}

/** Cells in an array file. */
export class IndirectColumn implements ManagedColumn {
  readonly #file: BucketFile;
  readonly #number: number;
  readonly #bound: BoundColumn;
  readonly #dtype: StoredType;
  readonly #arrays: LazyArrayFile;
  readonly #editor: BucketEditor;
  readonly #shared: SharedArrays;

  constructor(editor: BucketEditor, number: number, bound: BoundColumn, shared: SharedArrays) {
    this.#file = editor.file;
    this.#editor = editor;
    this.#shared = shared;
    this.#number = number;
    this.#bound = bound;
    this.#dtype = storedType(bound);
    this.#arrays = shared.file;
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const shared = yield* this.#sharedArrays(rows);
    const arrays = yield* this.#arrays.open();
    const { kind, shape, ndim } = this.#bound;
    const stored = yield* arrays.shapes(
      offsetsOf(shared),
      this.#dtype,
      kind === "record" ? 1 : shape?.length ?? ndim,
    );
    const runs: ShapeRun[] = [];
    let next = 0;
    for (const { count, shape } of stored) {
      let rowCount = 0;
      for (let i = 0; i < count; i++) rowCount += shared[next++]!.count;
      runs.push({ count: rowCount, shape });
    }
    checkFixedShapes(runs, this.#bound, rows, arrays.path);
    return runs;
  }

  /** Reads each array once, to the start of what the rows take, and spreads them from the last one backwards. */
  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const elements = elementsOf(box?.shape ?? cellShape);
    if (rows.length === 0 || elements === 0) return;
    const shared = yield* this.#sharedArrays(rows);
    const arrays = yield* this.#arrays.open();
    yield* arrays.read(offsetsOf(shared), cellShape, this.#dtype, box, target, at);
    if (shared.length === rows.length) return;
    for (let k = shared.length - 1; k >= 0; k--) {
      const { index, count } = shared[k]!;
      const from = at + k * elements, to = at + index * elements;
      if (target.kind === "strings") spreadStrings(target.values, from, to, elements, count);
      else if (isNumeric(this.#dtype)) {
        const { size } = numericInfo(this.#dtype), cellBytes = elements * size;
        target.bytes.copyWithin(to * size, from * size, from * size + cellBytes);
        repeatBytes(target.bytes, to * size, cellBytes, count);
      }
    }
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    checkFixedShape(this.#bound, shape);
    if (rows.length === 0) return;
    if (box === null) return yield* this.#put(rows, shape, source, at);
    const elements = elementsOf(shape), each = elementsOf(box.shape);
    if (each === 0) return;
    const bytes = elements * (isNumeric(this.#dtype) ? numericInfo(this.#dtype).size : STRING_BYTES);
    const most = Math.max(1, Math.floor(BLOCK_BYTES / bytes));
    for (let first = 0; first < rows.length; first += most) {
      const part = rows.sub(first, Math.min(rows.length, first + most));
      yield* this.#put(part, shape, yield* this.#withBox(part, shape, box, source, at + first * each), 0);
    }
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    if (rows.length === 0) return;
    const arrays = yield* this.#arrays.open();
    const lastRow = this.#file.rowCount - 1;
    const runs = [...joinedRows(rows, (i) => rows.at(i) !== lastRow)];
    const offsets = shape === null
      ? new Float64Array(runs.length)
      : yield* arrays.reserve(shape, this.#dtype, runs.length);
    for (const offset of offsets) this.#shared.references.made(offset);
    yield* this.#putOffsets(runs, offsets);
  }

  /** Plan: gives the first row of a table an array, which the others share, where all cells have the same shape. */
  *startRows(): Plan<void> {
    const { shape } = this.#bound;
    if (shape === null) return;
    const arrays = yield* this.#arrays.open();
    const [offset] = yield* arrays.reserve(shape, this.#dtype, 1);
    this.#shared.references.made(offset!);
    const bucket = yield* this.#editor.bucket(0);
    bucket.set(this.#number, 0, 1, 1, this.#shared.stored(offset!));
    this.#editor.dirty = true;
  }

  /** Whole cells with boxes laid into them. */
  *#withBox(
    rows: Rows,
    shape: readonly number[],
    box: Box,
    source: CellSource,
    at: number,
  ): Plan<CellSource> {
    const elements = elementsOf(shape) * rows.length;
    if (source.kind === "strings") {
      const values: Uint8Array[] = new Array(elements);
      yield* this.read(rows, shape, null, { kind: "strings", values, decode: (bytes) => bytes.slice() }, 0);
      layStrings(shape, box, source.values, at, values, rows.length);
      return { kind: "strings", values };
    }
    const dtype = this.#dtype as NumericType;
    const bytes = new Uint8Array(elements * numericInfo(dtype).size);
    yield* this.read(rows, shape, null, { kind: "numeric", bytes }, 0);
    layNumbers(dtype, shape, box, source.bytes, at, bytes, rows.length);
    return { kind: "numeric", bytes };
  }

  /**
   * Puts whole arrays. Equal ones in rows that follow each other are stored once, but for that of the last row: casacore
   * overwrites the array of a reopened table's last row in place, whoever shares it (format reference part 3, A7).
   */
  *#put(rows: Rows, shape: readonly number[], source: CellSource, at: number): Plan<void> {
    const arrays = yield* this.#arrays.open();
    const elements = elementsOf(shape), equal = sameCells(this.#dtype, elements, source, at);
    const lastRow = this.#file.rowCount - 1;
    const runs = [...joinedRows(rows, (i) => rows.at(i) !== lastRow && equal(i))];
    const offsets = yield* this.#oldArrays(arrays, runs, shape);
    const fresh = offsets.reduce((n, offset) => offset === 0 ? n + 1 : n, 0);
    const made = yield* arrays.reserve(shape, this.#dtype, fresh);
    for (let i = 0, next = 0; i < offsets.length; i++) {
      if (offsets[i] !== 0) continue;
      const offset = made[next++]!;
      this.#shared.references.made(offset);
      offsets[i] = offset;
    }
    for (let i = 0; i < runs.length;) {
      let n = 1;
      while (i + n < runs.length && runs[i + n]!.index === runs[i]!.index + n) n++;
      const from = at + runs[i]!.index * elements;
      yield* arrays.write(offsets.subarray(i, i + n), shape, this.#dtype, null, source, from);
      i += n;
    }
    yield* this.#putOffsets(runs, offsets);
  }

  /** Plan: tells the buckets where arrays stand. */
  *#putOffsets(runs: readonly RowStretch[], offsets: Float64Array): Plan<void> {
    const shared = this.#shared;
    function* values(): Generator<ValueRun> {
      for (const [i, { row, count }] of runs.entries()) {
        yield { row, count, value: shared.stored(offsets[i]!) };
      }
    }
    yield* this.#editor.put(this.#number, values());
  }

  /** Plan: for each stretch of rows its present array if that may be overwritten, else 0. */
  *#oldArrays(
    arrays: ArrayFile,
    runs: readonly RowStretch[],
    shape: readonly number[],
  ): Plan<Float64Array> {
    const offsets = new Float64Array(runs.length);
    const rows = runs.reduce((sum, { count }) => sum + count, 0);
    if (!(yield* this.#shared.mayOverwrite(arrays, this.#file, rows))) return offsets;
    const editor = this.#editor, found: number[] = [];
    let putEnd = editor.putEnd(this.#number), last = -1;
    // Nothing was put before: whoever shares the first row's array gets the new one as well.
    const replacesAll = putEnd === 0 && runs[0]?.row === 0;
    for (const [i, { row, count }] of runs.entries()) {
      // An earlier stretch of this call may change what holds here.
      if (row < last) return new Float64Array(runs.length);
      last = row + count;
      const end = last > putEnd ? Infinity : last;
      putEnd = Math.max(putEnd, last);
      const old = yield* editor.find(this.#number, row);
      const offset = this.#shared.offsetIn(old.value);
      if (old.from < row || old.end > end || !this.#shared.isOurs(offset)) continue;
      offsets[i] = offset;
      found.push(i);
    }
    if (found.length === 0) return offsets;
    const candidates = found.map((i) => offsets[i]!);
    const counts = yield* this.#shared.references.counts(arrays, candidates);
    const shapes = yield* arrays.shapes(Float64Array.from(candidates), this.#dtype, shape.length);
    let next = 0;
    for (const run of shapes) {
      const same = run.shape !== null && sameShape(run.shape, shape);
      for (let k = 0; k < run.count; k++, next++) {
        const alone = counts[next]! <= 1 || (replacesAll && found[next] === 0);
        if (!same || !alone) offsets[found[next]!] = 0;
      }
    }
    return offsets;
  }

  /** The arrays of a selection in its order, neighbours that share one joined. */
  *#sharedArrays(rows: Rows): Plan<SharedArray[]> {
    const sink = new OffsetSink();
    yield* readValues(this.#file, this.#number, rows, sink);
    const found = sink.found;
    for (let i = 1; i < found.length; i++) {
      if (found[i]!.index < found[i - 1]!.index) {
        found.sort((a, b) => a.index - b.index);
        break;
      }
    }
    const shared: SharedArray[] = [];
    for (const { offset, index, count } of found) {
      const last = shared.at(-1);
      if (last !== undefined && last.offset === offset) last.count += count;
      else shared.push({ offset, index, count });
    }
    return shared;
  }
}

/** Tells whether the cell at a position of a source equals the one before. */
function sameCells(
  dtype: StoredType,
  elements: number,
  source: CellSource,
  at: number,
): (index: number) => boolean {
  if (source.kind === "strings") {
    return (i) => sameStrings(source.values, at + i * elements, at + (i - 1) * elements, elements);
  }
  const { size } = numericInfo(dtype as NumericType);
  return sameAsBefore(source.bytes, elements * size, at * size);
}

function offsetsOf(shared: readonly SharedArray[]): Float64Array {
  return Float64Array.from(shared, ({ offset }) => offset);
}

/** Copies the cell at `from` to `count` places from `to` on, last one first; what is not a string is copied too. */
function spreadStrings(values: unknown[], from: number, to: number, elements: number, count: number): void {
  for (let i = count * elements - 1; i >= 0; i--) {
    const value = values[from + i % elements];
    values[to + i] = value instanceof Uint8Array && i >= elements ? value.slice() : value;
  }
}
