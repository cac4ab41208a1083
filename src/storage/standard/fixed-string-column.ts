/** String scalars with a maximum length: raw bytes, ended by a NUL if shorter. Format reference part 2, section 3.1. */
import type { Box, Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import { checkFixedShape, checkSettable } from "../arrayfile/fixed-shape.ts";
import type { BoundColumn, CellSource, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import { type Area, type AreaCells, byteUnit } from "./area.ts";
import { blocksOf, type ColumnHost } from "./host.ts";

/** Bytes of cells that are worked on at a time. */
const BLOCK_BYTES = 1 << 20;

/** A column of strings of bounded length. */
export class FixedStringColumn implements ManagedColumn {
  readonly #host: ColumnHost;
  readonly #area: Area;
  readonly #bound: BoundColumn;
  readonly #cells: AreaCells;

  constructor(host: ColumnHost, area: Area, bound: BoundColumn) {
    this.#host = host;
    this.#area = area;
    this.#bound = bound;
    this.#cells = { unit: byteUnit(), shape: [bound.maxLength] };
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: [] }];
  }

  *read(rows: Rows, _shape: readonly number[], _box: Box | null, target: CellTarget, at: number): Plan<void> {
    if (target.kind !== "strings") return;
    const { maxLength } = this.#bound;
    for (const block of blocksOf(rows, maxLength, BLOCK_BYTES)) {
      const bytes = new Uint8Array(block.rows.length * maxLength);
      yield* this.#area.read(this.#area.pieces(block.rows), this.#cells, null, bytes, 0);
      for (let i = 0; i < block.rows.length; i++) {
        const cell = bytes.subarray(i * maxLength, (i + 1) * maxLength);
        const end = cell.indexOf(0);
        target.values[at + block.index + i] = target.decode(end < 0 ? cell : cell.subarray(0, end));
      }
    }
  }

  *write(rows: Rows, shape: readonly number[], _box: Box | null, source: CellSource, at: number): Plan<void> {
    checkFixedShape(this.#bound, shape);
    if (source.kind !== "strings") return;
    const { maxLength, name } = this.#bound;
    for (let i = 0; i < rows.length; i++) {
      const value = source.values[at + i]!;
      if (value.length > maxLength) {
        throw new TableError(
          "OUT_OF_RANGE",
          `column ${name} holds strings of at most ${maxLength} bytes, value ${i} has ${value.length}`,
        );
      }
    }
    for (const block of blocksOf(rows, maxLength, BLOCK_BYTES)) {
      const bytes = new Uint8Array(block.rows.length * maxLength);
      for (let i = 0; i < block.rows.length; i++) {
        bytes.set(source.values[at + block.index + i]!, i * maxLength);
      }
      const pieces = this.#area.pieces(block.rows);
      this.#host.touched();
      yield* this.#area.write(pieces, this.#cells, null, bytes, 0);
    }
  }

  *setShape(rows: Rows, shape: readonly number[] | null): Plan<void> {
    checkSettable(this.#bound, shape);
    const values = new Array<Uint8Array>(rows.length).fill(new Uint8Array(0));
    yield* this.write(rows, [], null, { kind: "strings", values }, 0);
  }

  bytesOnDisk(): number {
    return this.#area.bytes * this.#area.index.used;
  }
}
