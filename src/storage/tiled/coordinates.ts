/**
 * Coordinate columns, whose values are in the cubes' header entries: format reference part 4, section 6.
 *
 * | column | cell |
 * | --- | --- |
 * | coordinate of a cell axis | the vector of that axis, the same in every row of a cube |
 * | coordinate of a row axis | the element at the row's position |
 */
import { TableError } from "../../error.ts";
import { isNumeric, type NumericData, numericInfo, type NumericType, viewOf } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, CellTarget, ManagedColumn, ShapeRun } from "../manager.ts";
import type { Cube } from "./cube.ts";
import type { TiledManager } from "./manager.ts";
import type { Segment } from "./stacks.ts";

/** A typed array whatever its items: only `set`, `subarray` and indexing are used, on arrays of the same class. */
type Items = Float64Array;

/** Reads a coordinate column. */
export class CoordinateColumn<M extends TiledManager = TiledManager> implements ManagedColumn {
  protected readonly manager: M;
  protected readonly bound: BoundColumn;
  protected readonly dtype: NumericType;
  protected readonly axis: number;

  /** @param axis The axis of the cubes whose coordinates these are. */
  constructor(manager: M, index: number, axis: number) {
    this.manager = manager;
    this.bound = manager.context.columns[index]!;
    this.axis = axis;
    if (!isNumeric(this.bound.dtype)) {
      throw manager.corrupt(`coordinate column ${this.bound.name} holds ${this.bound.dtype} values`);
    }
    this.dtype = this.bound.dtype;
  }

  /** True when cells are whole vectors. */
  protected get isVector(): boolean {
    return this.axis < this.manager.cellAxes;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const runs: ShapeRun[] = [];
    for (const { cube, count, index } of this.manager.locate(rows)) {
      if (!this.isVector) runs.push({ count, shape: cube === null ? null : [] });
      else {
        const vector = this.vectorOf(cube, rows.at(index));
        runs.push({ count, shape: vector === null ? null : [vector.length] });
      }
    }
    return runs;
  }

  // deno-lint-ignore require-yield
  *read(
    rows: Rows,
    _cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (target.kind !== "numeric") throw new TypeError("a coordinate column has no strings");
    const { size, items } = numericInfo(this.dtype);
    const from = at * size;
    const count = Math.floor((target.bytes.byteLength - from) / size);
    const array = alignedView(this.dtype, target.bytes, from, count);
    for (const segment of this.manager.locate(rows)) {
      const vector = this.vectorOf(segment.cube, rows.at(segment.index));
      if (vector === null) throw this.undefinedError(rows, segment);
      if (this.isVector) {
        readVector(vector.data as Items, items, box ?? wholeVector(vector.length), segment, array.data);
      } else this.readElements(vector, segment, items, array.data);
    }
    array.finish();
  }

  /** Values of scalar cells of one segment. */
  protected readElements(vector: Coordinates, segment: Segment, items: number, array: Items): void {
    const cube = segment.cube!, c = this.manager.cellAxes;
    const lower = elementsOf(cube.shape.slice(c, this.axis)), length = cube.shape[this.axis]!;
    const data = vector.data as Items;
    if (lower === 1 && this.axis === cube.shape.length - 1) {
      const first = segment.position * items;
      array.set(data.subarray(first, first + segment.count * items), segment.index * items);
      return;
    }
    for (let k = 0; k < segment.count; k++) {
      const position = Math.floor((segment.position + k) / lower);
      const element = this.axis === cube.shape.length - 1 ? position : position % length;
      for (let i = 0; i < items; i++) array[(segment.index + k) * items + i] = data[element * items + i]!;
    }
  }

  /** The coordinates of the axis of the cube of `row`, or null if they were never defined. */
  protected vectorOf(cube: Cube | null, row: number): Coordinates | null {
    const holder = cube ?? this.manager.undefinedCube(row);
    if (holder === null) return null;
    const vector = holder.values.vector(this.bound.name);
    if (vector === undefined) {
      // An axis without length has no coordinates.
      return cube !== null && cube.hasShape && cube.shape[this.axis] === 0
        ? { data: new Float64Array(0), length: 0 }
        : null;
    }
    const length = cube?.hasShape ? cube.shape[this.axis]! : vector.length;
    if (vector.dtype !== this.dtype || vector.length !== length) {
      throw this.manager.corrupt(
        `coordinates ${this.bound.name} are ${vector.length} values of type ${vector.dtype}, expected ${length} ` +
          `of type ${this.dtype}`,
      );
    }
    return cube === null && !this.isVector ? null : vector;
  }

  private undefinedError(rows: Rows, segment: Segment): TableError {
    const row = rows.at(segment.index);
    return new TableError(
      "OUT_OF_RANGE",
      `coordinate column ${this.bound.name} has no value in row ${row}: the row is in no hypercube yet`,
    );
  }
}

/** The coordinates of an axis. */
export interface Coordinates {
  readonly data: NumericData;
  readonly length: number;
}

function wholeVector(length: number): Box {
  return { start: [0], shape: [length], step: [1] };
}

/** The same vector, or a box of it, for each row of a segment. */
function readVector(vector: Items, items: number, box: Box, segment: Segment, array: Items): void {
  const start = box.start[0]!, step = box.step[0]!, length = box.shape[0]!;
  let part = vector.subarray(start * items, (start + length) * items);
  if (step !== 1) {
    part = vector.slice(0, length * items);
    for (let k = 0; k < length; k++) {
      for (let i = 0; i < items; i++) part[k * items + i] = vector[(start + k * step) * items + i]!;
    }
  }
  for (let row = segment.index; row < segment.index + segment.count; row++) {
    array.set(part, row * length * items);
  }
}

/** A typed array over bytes at any address: a copy that `finish` puts back where the bytes are not aligned. */
function alignedView(
  dtype: NumericType,
  bytes: Uint8Array,
  from: number,
  count: number,
): { data: Items; finish(): void } {
  const start = bytes.byteOffset + from, length = count * numericInfo(dtype).size;
  if (start % 8 === 0) {
    return { data: viewOf(dtype, bytes.buffer, start, count) as unknown as Items, finish: () => {} };
  }
  const copy = bytes.slice(from, from + length);
  return {
    data: viewOf(dtype, copy.buffer, copy.byteOffset, count) as unknown as Items,
    finish: () => bytes.set(copy, from),
  };
}
