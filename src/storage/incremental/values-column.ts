/**
 * A column whose values stand in the buckets: scalars, and arrays with the Direct option.
 */
import { checkFixedShape, checkSettable } from "../arrayfile/fixed-shape.ts";
import { isNumeric, numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, rowRange, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import { packedBytes } from "../arrayfile/cells.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { layNumbers, layStrings } from "./boxes.ts";
import type { BucketFile } from "./bucket-file.ts";
import type { BucketEditor, ValueRun } from "./editor.ts";
import { readValues } from "./reading.ts";
import { numericSink, stringSink } from "./sinks.ts";
import {
  equalRuns,
  joinedRows,
  sameStrings,
  storedNumbers,
  storedStrings,
  wholeValue,
} from "./stored-values.ts";

/** Bytes of the count before a string. */
const COUNT_BYTES = 4;

/** Bytes of cells that are worked on at a time. */
const BLOCK_BYTES = 1 << 20;

/** Cells in the buckets. */
export class ValuesColumn implements ManagedColumn {
  readonly #file: BucketFile;
  readonly #number: number;
  readonly #bound: BoundColumn;
  readonly #shape: readonly number[];
  readonly #editor: BucketEditor;

  constructor(editor: BucketEditor, number: number, bound: BoundColumn) {
    this.#file = editor.file;
    this.#editor = editor;
    this.#number = number;
    this.#bound = bound;
    this.#shape = bound.kind === "scalar" ? [] : bound.shape!;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (rows.length === 0 || elementsOf(box?.shape ?? cellShape) === 0) return;
    const { dtype } = this.#bound, file = this.#file;
    this.#checkRoom();
    const options = { bigEndian: file.bigEndian, cellShape, box, at };
    if (target.kind === "strings") {
      yield* readValues(file, this.#number, rows, stringSink(target, options));
    } else if (isNumeric(dtype)) {
      yield* readValues(file, this.#number, rows, numericSink(dtype, target, options));
    }
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    checkFixedShape(this.#bound, shape);
    const elements = elementsOf(box?.shape ?? shape);
    if (rows.length === 0 || elements === 0) return;
    this.#checkRoom();
    if (source.kind === "strings") return yield* this.#writeStrings(rows, box, source.values, at);
    const { dtype } = this.#bound;
    if (!isNumeric(dtype)) return;
    const { size } = numericInfo(dtype);
    const each = Math.max(1, Math.floor(BLOCK_BYTES / (elementsOf(shape) * size)));
    for (let first = 0; first < rows.length; first += each) {
      const part = rows.sub(first, Math.min(rows.length, first + each));
      yield* this.#writeNumbers(dtype, part, box, source.bytes, at + first * elements);
    }
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    const { dtype } = this.#bound, elements = elementsOf(this.#shape);
    const zeros: CellSource = isNumeric(dtype)
      ? { kind: "numeric", bytes: new Uint8Array(elements * numericInfo(dtype).size) }
      : { kind: "strings", values: new Array(elements).fill(new Uint8Array(0)) };
    for (const { row, count } of rows.runs()) {
      for (let i = 0; i < count; i++) yield* this.write(rowRange(row + i, 1), this.#shape, null, zeros, 0);
    }
  }

  *#writeNumbers(
    dtype: NumericType,
    rows: Rows,
    box: Box | null,
    source: Uint8Array,
    at: number,
  ): Plan<void> {
    const elements = elementsOf(this.#shape);
    let cells = source, first = at;
    if (box !== null) {
      cells = new Uint8Array(rows.length * elements * numericInfo(dtype).size);
      first = 0;
      yield* this.read(rows, this.#shape, null, { kind: "numeric", bytes: cells }, 0);
      layNumbers(dtype, this.#shape, box, source, at, cells, rows.length);
    }
    const stored = storedNumbers(dtype, elements, cells, first, rows.length, this.#file.bigEndian);
    yield* this.#editor.put(this.#number, equalRuns(rows, stored, packedBytes(dtype, elements)));
  }

  /** All strings of a call at once: whether they find room is to be known before the first is put. */
  *#writeStrings(rows: Rows, box: Box | null, source: readonly Uint8Array[], at: number): Plan<void> {
    const elements = elementsOf(this.#shape), { bigEndian } = this.#file;
    let values = source, first = at;
    if (box !== null) {
      const cells: Uint8Array[] = new Array(rows.length * elements);
      const target: CellTarget = { kind: "strings", values: cells, decode: (bytes) => bytes.slice() };
      yield* this.read(rows, this.#shape, null, target, 0);
      layStrings(this.#shape, box, source, at, cells, rows.length);
      values = cells;
      first = 0;
    }
    const equal = (i: number) =>
      sameStrings(values, first + i * elements, first + (i - 1) * elements, elements);
    const runs: ValueRun[] = [];
    for (const { row, count, index } of joinedRows(rows, equal)) {
      runs.push({
        row,
        count,
        value: wholeValue(storedStrings(values, first + index * elements, elements, bigEndian)),
      });
    }
    yield* this.#editor.checkRoom(this.#number, runs);
    yield* this.#editor.put(this.#number, runs);
  }

  /** A value that no bucket can hold: before anything is made for its elements. */
  #checkRoom(): void {
    const { dtype, name } = this.#bound, elements = elementsOf(this.#shape);
    const least = !isNumeric(dtype)
      ? elements * COUNT_BYTES
      : dtype === "bool"
      ? elements / 8
      : elements * numericInfo(dtype).size;
    if (least > this.#file.bucketBytes) {
      throw new TableError(
        "CORRUPT",
        `a value of column ${name} takes ${least} bytes or more, a bucket has ${this.#file.bucketBytes}`,
        { file: this.#file.path },
      );
    }
  }
}
