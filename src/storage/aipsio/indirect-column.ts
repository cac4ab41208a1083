/**
 * A column whose values stand in an array file: arrays without the Direct option, and records, which are kept as uint8
 * arrays with one axis. Each row has an offset there, 0 if it is undefined; a uInt, or a marker and an Int64 for large
 * ones. Format reference part 3, section B2.
 */
import { codeOf } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { checkFixedShape, checkFixedShapes, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { StoredType } from "../arrayfile/record-layout.ts";
import { renewArrays } from "../arrayfile/renew.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { AipsFile } from "./aips-file.ts";
import { eachChunk } from "./chunks.ts";
import { INDIRECT_TYPE, SCALAR_TYPE } from "./column-object.ts";
import type { AipsHost } from "./host.ts";

/** Says that the offset follows as an Int64. */
export const LARGE_OFFSET = 0x80000001;

/** Bytes of an offset, and of a large one behind its marker. */
const WORD_BYTES = 4, LARGE_BYTES = 8;

/** Largest offset that stands without the marker. */
const MOST_PLAIN_OFFSET = 2 ** 31;

/** Where the arrays of a column are. */
export interface ColumnArrays {
  /** Of each row; 0: undefined. */
  offsets: Float64Array;
  readonly file: LazyArrayFile;
  /** Number of the column among the indirect ones, and whether its array file is its own. */
  readonly number: number;
  readonly perColumn: boolean;
}

/** Cells in an array file. */
export class IndirectColumn implements ManagedColumn {
  readonly bound: BoundColumn;
  readonly #file: AipsFile | null;
  readonly #number: number;
  readonly #dtype: StoredType;
  readonly #host: AipsHost;
  #arrays: ColumnArrays | null;

  /**
   * @param stored Where the offsets of the column's rows can be read, and its number there; null for a new column.
   * @param arrays What is known of its arrays; of a new column, all.
   */
  constructor(
    host: AipsHost,
    bound: BoundColumn,
    stored: { readonly file: AipsFile; readonly number: number } | null,
    arrays: ColumnArrays | null,
  ) {
    this.bound = bound;
    this.#host = host;
    this.#file = stored?.file ?? null;
    this.#number = stored?.number ?? 0;
    this.#dtype = bound.kind === "record" || bound.dtype === "record" ? "uint8" : bound.dtype;
    this.#arrays = arrays;
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const { offsets, file } = yield* this.#cells(rows);
    const runs = yield* this.#shapes(file, offsets);
    checkFixedShapes(runs, this.bound, rows, file.path);
    return runs;
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (rows.length === 0 || elementsOf(box?.shape ?? cellShape) === 0) return;
    const { offsets, file } = yield* this.#cells(rows);
    yield* file.read(offsets, cellShape, this.#dtype, box, target, at);
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    if (this.bound.kind === "array" && this.bound.shape !== null) checkFixedShape(this.bound, shape);
    yield* this.#put(rows, shape, box, source, at);
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    if (this.bound.kind === "array") checkSettable(this.bound, shape);
    if (shape !== null) return yield* this.#put(rows, shape, null, null, 0);
    const { offsets } = yield* this.#known();
    this.#host.touched();
    for (const { row, count } of rows.runs()) offsets.fill(0, row, row + count);
  }

  /** Plan: puts arrays of one shape; without a source they are zeros. */
  *#put(
    rows: Rows,
    shape: readonly number[],
    box: Box | null,
    source: CellSource | null,
    at: number,
  ): Plan<void> {
    const { offsets, file } = yield* this.#cells(rows);
    if (box === null) {
      const runs = yield* this.#shapes(file, offsets);
      if (yield* renewArrays(file, offsets, runs, shape, this.#dtype)) {
        const all = (yield* this.#known()).offsets;
        this.#host.touched();
        for (let i = 0; i < rows.length; i++) all[rows.at(i)] = offsets[i]!;
      }
    }
    if (elementsOf(box?.shape ?? shape) === 0) return;
    yield* file.write(offsets, shape, this.#dtype, box, source, at);
  }

  /** Plan: gives the manager's last `count` rows their cells: arrays where all have one shape, else none. */
  *addRows(count: number): Plan<void> {
    const arrays = yield* this.#known();
    const { kind, shape } = this.bound, before = arrays.offsets.length;
    const fresh = kind === "array" && shape !== null
      ? yield* (yield* arrays.file.open()).reserve(shape, this.#dtype, count)
      : new Float64Array(count);
    const offsets = new Float64Array(before + count);
    offsets.set(arrays.offsets);
    offsets.set(fresh, before);
    arrays.offsets = offsets;
  }

  /** Plan: rows that stay move up. */
  *removeRows(rows: Rows): Plan<void> {
    const arrays = yield* this.#known();
    const { offsets } = arrays;
    let to = 0, from = 0;
    for (const { row, count } of rows.runs()) {
      offsets.copyWithin(to, from, row);
      to += row - from;
      from = row + count;
    }
    offsets.copyWithin(to, from);
    arrays.offsets = offsets.slice(0, to + offsets.length - from);
  }

  /** Plan: everything that must be known before the file is written anew. */
  *load(): Plan<void> {
    yield* this.#known();
  }

  /** The array file, if it is open. */
  get arrayFile(): ArrayFile | null {
    return this.#arrays?.file.opened ?? null;
  }

  /** Plan: appends the column's object. */
  *encode(writer: AipsWriter): Plan<void> {
    const { offsets, number, perColumn } = yield* this.#known();
    writer.begin(INDIRECT_TYPE, perColumn ? 1 : 2);
    writer.i32(codeOf(this.#dtype));
    writer.u32(number);
    writer.begin(SCALAR_TYPE, 2);
    writer.u32(offsets.length);
    if (offsets.length > 0) writer.u32(offsets.length);
    for (const offset of offsets) {
      if (offset <= MOST_PLAIN_OFFSET) writer.u32(offset);
      else {
        writer.u32(LARGE_OFFSET);
        writer.i64(offset);
      }
    }
    writer.end();
    writer.end();
  }

  *#shapes(file: ArrayFile, offsets: Float64Array): Plan<ShapeRun[]> {
    const { kind, shape, ndim } = this.bound;
    return yield* file.shapes(offsets, this.#dtype, kind === "record" ? 1 : shape?.length ?? ndim);
  }

  /** Plan: the offsets of some cells, and the open array file. */
  *#cells(rows: Rows): Plan<{ offsets: Float64Array; file: ArrayFile }> {
    const arrays = yield* this.#known();
    const offsets = new Float64Array(rows.length);
    for (const { row, count, index } of rows.runs()) {
      if (row + count > arrays.offsets.length) this.#host.noSuchRow(Math.max(row, arrays.offsets.length));
      offsets.set(arrays.offsets.subarray(row, row + count), index);
    }
    return { offsets, file: yield* arrays.file.open() };
  }

  *#known(): Plan<ColumnArrays> {
    return this.#arrays ??= yield* this.#findArrays(this.#file!);
  }

  *#findArrays(file: AipsFile): Plan<ColumnArrays> {
    const body = yield* file.body(this.#number);
    if (file.rowCount * WORD_BYTES > body.end - body.at) {
      throw new TableError("CORRUPT", `there is no room for the offsets of ${file.rowCount} rows`, {
        file: file.path,
        offset: body.at,
      });
    }
    const offsets = new Float64Array(file.rowCount);
    yield* eachChunk(file, body, file.rowCount, null, function* ({ firstRow, rows }, scan) {
      for (let row = firstRow; row < firstRow + rows; row++) {
        if (!scan.has(WORD_BYTES)) yield* scan.need(WORD_BYTES);
        const offset = scan.u32();
        if (offset === LARGE_OFFSET) {
          yield* scan.need(LARGE_BYTES);
          offsets[row] = scan.offset();
        } else offsets[row] = offset;
      }
    });
    const { number, perColumn } = body.arrays!;
    return { offsets, file: this.#host.arrayFile(perColumn ? number : null), number, perColumn };
  }
}
