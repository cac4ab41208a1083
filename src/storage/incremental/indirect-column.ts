/**
 * A column whose values stand in an array file: arrays without the Direct option, and records, which are kept as uint8
 * arrays with one axis. The buckets keep an offset for each stretch of rows that share an array, 0 for undefined ones.
 * Format reference part 3, sections A4 to A6.
 */
import { isNumeric, numericInfo } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import { checkFixedShapes } from "../arrayfile/fixed-shape.ts";
import type { LazyArrayFile } from "../arrayfile/lazy.ts";
import type { StoredType } from "../arrayfile/record-layout.ts";
import type { BoundColumn, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { BucketFile } from "./bucket-file.ts";
import { readValues } from "./reading.ts";
import { repeatBytes } from "./repeat.ts";
import { OffsetSink } from "./sinks.ts";

/** The array of some consecutive rows of a selection. */
interface SharedArray {
  /** In the array file, 0: undefined. */
  readonly offset: number;
  /** Position of the first row in the selection. */
  readonly index: number;
  count: number;
}

/** Cells in an array file. */
export class IndirectColumn implements ManagedColumn {
  readonly #file: BucketFile;
  readonly #number: number;
  readonly #bound: BoundColumn;
  readonly #dtype: StoredType;
  readonly #arrays: LazyArrayFile;

  constructor(file: BucketFile, number: number, bound: BoundColumn, arrays: LazyArrayFile) {
    this.#file = file;
    this.#number = number;
    this.#bound = bound;
    this.#dtype = bound.kind === "record" || bound.dtype === "record" ? "uint8" : bound.dtype;
    this.#arrays = arrays;
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
