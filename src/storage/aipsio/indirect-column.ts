/**
 * A column whose values stand in an array file: arrays without the Direct option, and records, which are kept as uint8
 * arrays with one axis. Each row has an offset there, 0 if it is undefined; a uInt, or a marker and an Int64 for large
 * ones. Format reference part 3, section B2.
 */
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { checkFixedShapes } from "../arrayfile/fixed-shape.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { StoredType } from "../arrayfile/record-layout.ts";
import type { BoundColumn, CellTarget, ManagedColumn, ManagerContext, ShapeRun } from "../manager.ts";
import type { AipsFile } from "./aips-file.ts";
import { eachChunk } from "./chunks.ts";

/** Says that the offset follows as an Int64. */
export const LARGE_OFFSET = 0x80000001;

/** Bytes of an offset, and of a large one behind its marker. */
const WORD_BYTES = 4, LARGE_BYTES = 8;

interface Arrays {
  readonly offsets: Float64Array;
  readonly file: LazyArrayFile;
}

/** Cells in an array file. */
export class IndirectColumn implements ManagedColumn {
  readonly #file: AipsFile;
  readonly #number: number;
  readonly #bound: BoundColumn;
  readonly #dtype: StoredType;
  readonly #context: ManagerContext;
  readonly #common: LazyArrayFile;
  #arrays: Arrays | null = null;

  /** @param common The array file of all columns, unless this one turns out to have its own. */
  constructor(file: AipsFile, number: number, context: ManagerContext, common: LazyArrayFile) {
    this.#file = file;
    this.#number = number;
    this.#bound = context.columns[number]!;
    const { kind, dtype } = this.#bound;
    this.#dtype = kind === "record" || dtype === "record" ? "uint8" : dtype;
    this.#context = context;
    this.#common = common;
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const { offsets, file } = yield* this.#cells(rows);
    const { kind, shape, ndim } = this.#bound;
    const runs = yield* file.shapes(offsets, this.#dtype, kind === "record" ? 1 : shape?.length ?? ndim);
    checkFixedShapes(runs, this.#bound, rows, file.path);
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

  /** Plan: the offsets of some cells, and the open array file. */
  *#cells(rows: Rows): Plan<{ offsets: Float64Array; file: ArrayFile }> {
    const arrays = this.#arrays ??= yield* this.#findArrays();
    const offsets = new Float64Array(rows.length);
    for (const { row, count, index } of rows.runs()) {
      if (row + count > arrays.offsets.length) this.#file.noSuchRow(Math.max(row, arrays.offsets.length));
      offsets.set(arrays.offsets.subarray(row, row + count), index);
    }
    return { offsets, file: yield* arrays.file.open() };
  }

  *#findArrays(): Plan<Arrays> {
    const file = this.#file, body = yield* file.body(this.#number);
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
    return { offsets, file: perColumn ? this.#ownFile(number) : this.#common };
  }

  #ownFile(number: number): LazyArrayFile {
    const name = arrayFileName(this.#context.sequence, number);
    return new LazyArrayFile(name, this.#context.pathOf(name), true);
  }
}
