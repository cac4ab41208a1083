/**
 * Cells of one shape, of numbers, in memory: blocks of some rows each, made when one of their rows is first written, so
 * that rows without values take none.
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { boxRuns } from "../../array/box-runs.ts";
import { Kept } from "./kept.ts";
import type { Removal } from "./removal.ts";

/** A block has at least one row, and about this many bytes. */
const BLOCK_BYTES = 64 * 1024;

/** A column of scalars, or of arrays of one shape. */
export class FixedCells implements ManagedColumn {
  readonly #bound: BoundColumn;
  readonly #shape: readonly number[];
  readonly #size: number;
  readonly #rowBytes: number;
  readonly #blockRows: number;
  readonly #blocks = new Kept<Uint8Array>((block) => block.slice());
  /** Each byte of a value that is gone. */
  readonly #lostByte: number;
  /** Rows whose values are gone unless they were written since; those behind them are zeros. */
  #lostRows: number;
  #keptLostRows: number;

  /** @param lostRows Rows that the table had before it was opened. */
  constructor(bound: BoundColumn, lostRows: number) {
    this.#bound = bound;
    this.#shape = bound.shape ?? [];
    this.#size = numericInfo(bound.dtype as NumericType).size;
    this.#rowBytes = this.#size * elementsOf(this.#shape);
    this.#blockRows = Math.max(1, Math.floor(BLOCK_BYTES / this.#rowBytes));
    this.#lostByte = bound.dtype === "bool" && (bound.kind === "scalar" || bound.direct) ? 1 : 0;
    this.#lostRows = this.#keptLostRows = lostRows;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  // deno-lint-ignore require-yield
  *read(rows: Rows, _shape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void> {
    if (target.kind !== "numeric") throw new TypeError("values of numbers go to numbers");
    const size = this.#size, each = elementsOf(box?.shape ?? this.#shape) * size;
    for (let i = 0, to = at * size; i < rows.length; i++, to += each) {
      const row = rows.at(i), block = this.#blocks.get(Math.floor(row / this.#blockRows));
      if (block === undefined) target.bytes.fill(this.#initial(row), to, to + each);
      else {
        const from = row % this.#blockRows * this.#rowBytes;
        boxRuns(this.#shape, box, (inCell, inBox, count) => {
          const start = from + inCell * size;
          target.bytes.set(block.subarray(start, start + count * size), to + inBox * size);
        });
      }
    }
  }

  // deno-lint-ignore require-yield
  *write(rows: Rows, shape: readonly number[], box: Box | null, source: CellSource, at: number): Plan<void> {
    if (source.kind !== "numeric") throw new TypeError("values of numbers come from numbers");
    this.#checkShape(shape);
    const size = this.#size, each = elementsOf(box?.shape ?? this.#shape) * size;
    for (let i = 0, from = at * size; i < rows.length; i++, from += each) {
      const row = rows.at(i), block = this.#block(Math.floor(row / this.#blockRows));
      const to = row % this.#blockRows * this.#rowBytes;
      boxRuns(this.#shape, box, (inCell, inBox, count) => {
        const start = from + inBox * size;
        block.set(source.bytes.subarray(start, start + count * size), to + inCell * size);
      });
    }
  }

  // deno-lint-ignore require-yield
  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    this.#checkShape(shape);
    for (let i = 0; i < rows.length; i++) {
      const row = rows.at(i), start = row % this.#blockRows * this.#rowBytes;
      this.#block(Math.floor(row / this.#blockRows)).fill(0, start, start + this.#rowBytes);
    }
  }

  /** Rows that stay move up. */
  removeRows(removal: Removal): void {
    const blocks = new Map<number, Uint8Array>(), blockRows = this.#blockRows, bytes = this.#rowBytes;
    this.#lostRows -= removal.before(this.#lostRows);
    for (const [index, block] of this.#blocks.entries()) {
      for (let i = 0; i < blockRows; i++) {
        const row = removal.moved(index * blockRows + i);
        if (row === undefined) continue;
        const place = Math.floor(row / blockRows), target = blocks.get(place) ?? this.#newBlock(place);
        target.set(block.subarray(i * bytes, (i + 1) * bytes), row % blockRows * bytes);
        blocks.set(place, target);
      }
    }
    this.#blocks.replaceAll(blocks);
  }

  keep(): void {
    this.#blocks.keep();
    this.#keptLostRows = this.#lostRows;
  }

  restore(): void {
    this.#blocks.restore();
    this.#lostRows = this.#keptLostRows;
  }

  #initial(row: number): number {
    return row < this.#lostRows ? this.#lostByte : 0;
  }

  /** A block that is going to be changed. */
  #block(index: number): Uint8Array {
    let block = this.#blocks.changing(index);
    if (block === undefined) this.#blocks.set(index, block = this.#newBlock(index));
    return block;
  }

  #newBlock(index: number): Uint8Array {
    const block = new Uint8Array(this.#blockRows * this.#rowBytes);
    const lost = Math.min(this.#blockRows, Math.max(0, this.#lostRows - index * this.#blockRows));
    return block.fill(this.#lostByte, 0, lost * this.#rowBytes);
  }

  #checkShape(shape: readonly number[] | null): void {
    const { name } = this.#bound;
    if (shape === null) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `column ${name}: cells of a fixed shape can't be made undefined`,
      );
    }
    if (sameShape(shape, this.#shape)) return;
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name} has cells of shape [${this.#shape.join(", ")}], shape [${shape.join(", ")}] given`,
    );
  }
}
