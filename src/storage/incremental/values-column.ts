/**
 * A column whose values stand in the buckets: scalars, and arrays with the Direct option.
 */
import { isNumeric, numericInfo } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { BucketFile } from "./bucket-file.ts";
import { readValues } from "./reading.ts";
import { numericSink, stringSink } from "./sinks.ts";

/** Bytes of the count before a string. */
const COUNT_BYTES = 4;

/** Cells in the buckets. */
export class ValuesColumn implements ManagedColumn {
  readonly #file: BucketFile;
  readonly #number: number;
  readonly #bound: BoundColumn;
  readonly #shape: readonly number[];

  constructor(file: BucketFile, number: number, bound: BoundColumn) {
    this.#file = file;
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
