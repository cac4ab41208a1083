/** Numeric scalars and Direct arrays: the values stand in the data bucket. Format reference part 2, section 3. */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import { unitOf } from "../arrayfile/cells.ts";
import { checkFixedShape, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { Area, AreaCells } from "./area.ts";
import { blocksOf, type ColumnHost, fixedElements } from "./host.ts";

/** Bytes of zeros that are written at a time. */
const ZERO_BYTES = 1 << 20;

/** A column whose cells are values of a fixed size. */
export class ValuesColumn implements ManagedColumn {
  readonly #host: ColumnHost;
  readonly #area: Area;
  readonly #bound: BoundColumn;
  readonly #cells: AreaCells;

  constructor(host: ColumnHost, area: Area, bound: BoundColumn) {
    this.#host = host;
    this.#area = area;
    this.#bound = bound;
    const shape = bound.kind === "scalar" ? [] : bound.shape ?? [];
    this.#cells = { unit: unitOf(bound.dtype as NumericType, host.file.bigEndian), shape };
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#cells.shape }];
  }

  *read(rows: Rows, _shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    if (target.kind !== "numeric" || isEmpty(box)) return;
    yield* this.#area.read(this.#area.pieces(rows), this.#cells, box, target.bytes, at);
  }

  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    checkFixedShape(this.#bound, shape);
    if (source.kind !== "numeric" || isEmpty(box)) return;
    const pieces = this.#area.pieces(rows);
    this.#host.touched();
    yield* this.#area.write(pieces, this.#cells, box, source.bytes, at);
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    const bytesEach = fixedElements(this.#bound) * numericInfo(this.#bound.dtype as NumericType).size;
    for (const block of blocksOf(rows, bytesEach, ZERO_BYTES)) {
      const zeros = new Uint8Array(block.rows.length * bytesEach);
      yield* this.write(block.rows, this.#cells.shape, null, { kind: "numeric", bytes: zeros }, 0);
    }
  }

  // deno-lint-ignore require-yield
  *place(): Plan<string> {
    return "StandardStMan keeps a few rows of all its columns in a bucket, and the buckets in any order: the values of a " +
      "column lie in pieces";
  }

  bytesOnDisk(): number {
    return this.#area.bytes * this.#area.index.used;
  }
}

/** True for a box that selects nothing. */
function isEmpty(box: Box | null): boolean {
  return box !== null && elementsOf(box.shape) === 0;
}
