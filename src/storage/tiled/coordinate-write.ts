/**
 * Writing coordinate columns: format reference part 4, section 6.
 */
import { TableError } from "../../error.ts";
import { type NumericData, numericInfo, viewOf } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { CellSource } from "../manager.ts";
import { CoordinateColumn } from "./coordinates.ts";
import type { Segment } from "./stacks.ts";
import type { WritableTiled } from "./writable.ts";

/** Reads and writes a coordinate column. A vector that is written in one row is that of all rows of the cube. */
export class WritableCoordinate extends CoordinateColumn<WritableTiled> {
  // deno-lint-ignore require-yield
  *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    if (source.kind !== "numeric") throw new TypeError("a coordinate column has no strings");
    this.#check(rows, cellShape);
    const { size } = numericInfo(this.dtype);
    const values = (element: number, count: number): NumericData => {
      const bytes = source.bytes.slice((at + element) * size, (at + element + count) * size);
      return viewOf(this.dtype, bytes.buffer, bytes.byteOffset, count);
    };
    const boxLength = this.isVector ? (box?.shape[0] ?? cellShape[0]!) : 1;
    for (const { cube, position, count, index } of this.manager.locate(rows)) {
      const row = rows.at(index);
      const holder = cube ?? this.manager.undefinedCube(row)!;
      if (!this.isVector) {
        this.vectorOf(cube, row);
        this.#putElements({ cube, position, count, index }, values);
        continue;
      }
      const last = values((index + count - 1) * boxLength, boxLength);
      holder.values.set(
        this.bound.name,
        this.dtype,
        this.#withBox(holder.values.vector(this.bound.name), box, last),
      );
    }
    this.manager.headerChanged();
  }

  /** Scalar cells of one segment. */
  #putElements(
    { cube, position, count, index }: Segment,
    values: (element: number, count: number) => NumericData,
  ): void {
    const { shape, values: own } = cube!, { cellAxes } = this.manager;
    const lower = elementsOf(shape.slice(cellAxes, this.axis)), isLast = this.axis === shape.length - 1;
    if (lower === 1 && isLast) return own.put(this.bound.name, this.dtype, position, values(index, count));
    for (let k = 0; k < count; k++) {
      const at = Math.floor((position + k) / lower);
      const element = isLast ? at : at % shape[this.axis]!;
      own.put(this.bound.name, this.dtype, element, values(index + k, 1));
    }
  }

  // deno-lint-ignore require-yield
  *setShape(rows: Rows, cellShape: readonly number[] | null): Plan<void> {
    if (cellShape === null) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `coordinate column ${this.bound.name} can't be made undefined`,
      );
    }
    this.#check(rows, cellShape);
    const { items } = numericInfo(this.dtype);
    for (const { cube, index } of this.manager.locate(rows)) {
      const holder = cube ?? this.manager.undefinedCube(rows.at(index))!;
      const length = this.isVector ? cellShape[0]! : 1;
      if (holder.values.vector(this.bound.name)?.length === length || !this.isVector) continue;
      const zeros = viewOf(this.dtype, new ArrayBuffer(length * items * 8), 0, length);
      holder.values.set(this.bound.name, this.dtype, zeros);
    }
    this.manager.headerChanged();
  }

  /** A vector is as long as its axis; a scalar needs a row with a position. */
  #check(rows: Rows, cellShape: readonly number[]): void {
    for (const { cube, index } of this.manager.locate(rows)) {
      const row = rows.at(index);
      if (!this.isVector) {
        if (cube !== null) continue;
        throw new TableError(
          "OUT_OF_RANGE",
          `coordinate column ${this.bound.name} can't be written in row ${row}: the row is in no hypercube yet`,
        );
      }
      const length = cube === null ? cellShape[0]! : cube.shape[this.axis]!;
      if (cellShape.length !== 1 || cellShape[0] !== length) {
        throw new TableError(
          "SHAPE_MISMATCH",
          `coordinate column ${this.bound.name}: [${cellShape}] given, the axis in row ${row} is ${length} long`,
        );
      }
      if (cube === null && this.manager.undefinedCube(row) === null) {
        throw new TableError(
          "OUT_OF_RANGE",
          `coordinate column ${this.bound.name}: row ${row} is in no hypercube yet`,
        );
      }
    }
  }

  #withBox(
    old: { data: NumericData; length: number } | undefined,
    box: Box | null,
    values: NumericData,
  ): NumericData {
    if (box === null || old === undefined) return values;
    const { items } = numericInfo(this.dtype);
    const data = old.data.slice(0, old.length * items) as Float64Array;
    for (let k = 0; k < box.shape[0]!; k++) {
      for (let i = 0; i < items; i++) {
        data[(box.start[0]! + k * box.step[0]!) * items + i] = (values as Float64Array)[k * items + i]!;
      }
    }
    return data;
  }
}
