/**
 * Arrays in `table.f<N>i`, of free shape or of a fixed one: a row keeps an i64 offset, 0 if the cell is undefined.
 * Format reference part 2, sections 3 and 5. Records are kept as uint8 arrays with one axis.
 */
import { type Box, elementsOf, rowList, rowRange, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { checkFixedShape, checkFixedShapes, checkSettable } from "../arrayfile/fixed-shape.ts";
import { NATIVE_LITTLE } from "../arrayfile/cells.ts";
import { recordLayout, type StoredType } from "../arrayfile/record-layout.ts";
import { renewArrays } from "../arrayfile/renew.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { type Area, type AreaCells, wordUnit } from "./area.ts";
import type { ColumnHost } from "./host.ts";
import type { Pieces } from "./pieces.ts";

/** Rows that get their arrays at a time. */
const RESERVE_ROWS = 1 << 18;

/** Rows whose offsets are kept from one request to the next. */
const KEPT_ROWS = 1024;

const WORD = 2 ** 32;
/** Where the low and the high half of an Int64 stand in this machine's memory. */
const LOW = NATIVE_LITTLE ? 0 : 1;

/** A column of arrays outside the data buckets. */
export class IndirectColumn implements ManagedColumn {
  readonly #host: ColumnHost;
  readonly #area: Area;
  readonly #bound: BoundColumn;
  readonly #dtype: StoredType;
  readonly #cells: AreaCells;
  /** The rows last asked for, when they were few: shapes are asked for before values. */
  #last: { readonly rows: Rows; readonly offsets: Float64Array } | null = null;

  constructor(host: ColumnHost, area: Area, bound: BoundColumn) {
    this.#host = host;
    this.#area = area;
    this.#bound = bound;
    this.#dtype = bound.dtype === "record" ? "uint8" : bound.dtype;
    this.#cells = { unit: wordUnit(8, host.file.bigEndian), shape: [1] };
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const arrays = this.#host.arrays();
    const offsets = yield* this.#known(rows);
    const { shape } = this.#bound;
    if (shape === null) return yield* this.#shapes(arrays, offsets);
    // The shape is known, so that most heads need not be read: that would take as long as reading the values.
    arrays.checkRecords(offsets.filter((offset) => offset !== 0), arrays.layout(this.#dtype, shape));
    const ends = offsets.length > 1 ? [0, offsets.length - 1] : [];
    const found = yield* this.#shapes(arrays, Float64Array.from(ends, (i) => offsets[i]!));
    checkFixedShapes(found, this.#bound, rowList(ends.map((i) => rows.at(i))), arrays.path);
    return fixedRuns(offsets, shape);
  }

  *read(rows: Rows, shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    const offsets = yield* this.#known(rows);
    yield* this.#host.arrays().read(offsets, shape, this.#dtype, box, target, at);
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    if (this.#bound.shape !== null) checkFixedShape(this.#bound, shape);
    yield* this.#put(rows, shape, box, source, at);
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    if (shape !== null) return yield* this.#put(rows, shape, null, null, 0);
    const pieces = this.#area.pieces(rows);
    this.#changed();
    yield* this.#area.write(pieces, this.#cells, null, new Uint8Array(8 * rows.length), 0);
  }

  /** Gives rows that were just added their arrays, when all cells have the same shape. */
  *addRows(first: number, count: number): Plan<void> {
    const { shape } = this.#bound;
    if (shape === null) return;
    for (let done = 0; done < count; done += RESERVE_ROWS) {
      const rows = rowRange(first + done, Math.min(RESERVE_ROWS, count - done));
      const offsets = yield* this.#host.arrays().reserve(shape, this.#dtype, rows.length);
      yield* this.#area.write(this.#area.pieces(rows), this.#cells, null, wordsOf(offsets), 0);
    }
  }

  /** Tells that rows have moved. */
  forget(): void {
    this.#last = null;
  }

  #changed(): void {
    this.#host.touched();
    this.#last = null;
  }

  bytesOnDisk(): number {
    const { shape } = this.#bound;
    const { bytes, index } = this.#area;
    const arrays = shape === null
      ? this.#host.outsideBytes("arrays")
      : index.rows * recordLayout(this.#dtype, shape, 0).stride;
    return bytes * index.used + arrays;
  }

  /** Puts arrays of one shape; without a source they are zeros. */
  *#put(
    rows: Rows,
    shape: readonly number[],
    box: Box | null,
    source: CellSource | null,
    at: number,
  ): Plan<void> {
    const arrays = this.#host.arrays();
    const pieces = this.#area.pieces(rows);
    const offsets = yield* this.#offsets(pieces, rows);
    this.#last = null;
    if (box === null) {
      const runs = yield* this.#shapes(arrays, offsets);
      const fresh = yield* renewArrays(arrays, offsets, runs, shape, this.#dtype);
      if (fresh) yield* this.#area.write(pieces, this.#cells, null, wordsOf(offsets), 0);
    }
    this.#changed();
    if (elementsOf(box?.shape ?? shape) === 0) return;
    yield* arrays.write(offsets, shape, this.#dtype, box, source, at);
  }

  *#shapes(arrays: ArrayFile, offsets: Float64Array): Plan<ShapeRun[]> {
    const { shape, ndim, kind } = this.#bound;
    return yield* arrays.shapes(offsets, this.#dtype, kind === "record" ? 1 : shape?.length ?? ndim);
  }

  /** The offsets that cells keep, for reading. */
  *#known(rows: Rows): Plan<Float64Array> {
    const last = this.#last;
    if (last !== null && isSame(last.rows, rows)) return last.offsets;
    const offsets = yield* this.#offsets(this.#area.pieces(rows), rows);
    this.#last = rows.length <= KEPT_ROWS ? { rows, offsets } : null;
    return offsets;
  }

  /** Plan: where the arrays of rows stand, 0 for cells without one. For checks. @throws TableError CORRUPT */
  offsets(rows: Rows): Plan<Float64Array> {
    return this.#offsets(this.#area.pieces(rows), rows);
  }

  /** The offsets that cells keep. @throws TableError CORRUPT beyond 2^53 */
  *#offsets(pieces: Pieces, rows: Rows): Plan<Float64Array> {
    const words = new Uint32Array(2 * rows.length);
    yield* this.#area.read(pieces, this.#cells, null, new Uint8Array(words.buffer), 0);
    const offsets = new Float64Array(rows.length);
    for (let i = 0; i < offsets.length; i++) {
      const offset = words[2 * i + 1 - LOW]! * WORD + words[2 * i + LOW]!;
      if (offset > Number.MAX_SAFE_INTEGER) {
        throw new TableError(
          "CORRUPT",
          `column ${this.#bound.name}, row ${rows.at(i)}: the array's offset is ${offset}`,
          {
            file: this.#area.file.path,
          },
        );
      }
      offsets[i] = offset;
    }
    return offsets;
  }
}

/** True when both select the same rows, as far as that can be said at once. */
function isSame(a: Rows, b: Rows): boolean {
  return a === b || (a.length === 1 && b.length === 1 && a.at(0) === b.at(0));
}

/** Cells of one shape, but for those without an array. */
function fixedRuns(offsets: Float64Array, shape: readonly number[]): ShapeRun[] {
  const runs: { count: number; shape: readonly number[] | null }[] = [];
  for (const offset of offsets) {
    const last = runs.at(-1), cell = offset === 0 ? null : shape;
    if (last !== undefined && last.shape === cell) last.count++;
    else runs.push({ count: 1, shape: cell });
  }
  return runs;
}

/** Offsets as Int64 in this machine's byte order. */
function wordsOf(offsets: Float64Array): Uint8Array {
  const words = new Uint32Array(2 * offsets.length);
  for (let i = 0; i < offsets.length; i++) {
    words[2 * i + LOW] = offsets[i]! % WORD;
    words[2 * i + 1 - LOW] = Math.floor(offsets[i]! / WORD);
  }
  return new Uint8Array(words.buffer);
}
