/**
 * A column of a DyscoStMan, read and written: what was written is encoded before it is read, so that a read gives what
 * the file will hold.
 */
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { DyscoManager } from "./manager.ts";
import { itemsOf } from "./open-block.ts";

/** Bytes of a float. */
const FLOAT_BYTES = 4;

/** Visibilities or weights. */
export class WritableDyscoColumn implements ManagedColumn {
  readonly #manager: DyscoManager;
  readonly #index: number;

  constructor(manager: DyscoManager, index: number) {
    this.#manager = manager;
    this.#index = index;
  }

  shapes(rows: Rows): Plan<ShapeRun[]> {
    return this.#manager.reader(this.#index).shapes(rows);
  }

  bytesOnDisk(): number {
    return this.#manager.reader(this.#index).bytesOnDisk();
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    yield* this.#manager.store(this.#index, rows);
    yield* this.#manager.reader(this.#index).read(rows, cellShape, box, target, at);
  }

  *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    if (source.kind !== "numeric") throw new TableError("TYPE_MISMATCH", "a Dysco column has no strings");
    const part = this.#manager.part(this.#index), { correlations, channels } = part;
    if (cellShape.length !== 2 || cellShape[0] !== correlations || cellShape[1] !== channels) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `cells of a Dysco column have shape [${correlations}, ${channels}] in all rows, [${cellShape}] given`,
      );
    }
    const value = itemsOf(part) * FLOAT_BYTES, size = elementsOf(box?.shape ?? cellShape) * value;
    if (rows.length === 0 || size === 0) return;
    const bytes = source.bytes.subarray(at * value, at * value + rows.length * size);
    yield* this.#manager.write(this.#index, rows, box, bytes);
  }
}
