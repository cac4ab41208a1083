/**
 * A virtual array column whose cells are computed from those of a stored array column, value by value: same rows,
 * same slices (format reference part 6, section 1.2).
 */
import { allocate } from "../../array/alloc.ts";
import { bytesOf, type NumericData, numericInfo, type NumericType, viewOf } from "../../array/dtype.ts";
import { type Box, elementsOf, rowRange, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type {
  BoundColumn,
  CellSource,
  CellTarget,
  ManagedColumn,
  ManagerContext,
  ShapeRun,
} from "../manager.ts";
import { Parameters } from "./parameters.ts";
import { OtherColumn, STORED_NAME } from "./stored.ts";

/** Elements that are computed at once, whole cells of them: stored values of 1 to 4 MiB. */
const ELEMENTS_AT_ONCE = 256 * 1024;

/** Which cells are written, and which part of each; as a ManagedColumn is told. */
export interface Cells {
  readonly rows: Rows;
  /** Shape of the virtual cells. */
  readonly cellShape: readonly number[];
  /** null: all of each. */
  readonly box: Box | null;
}

/** A column of virtual type S on a stored column of type T. Subclasses compute the values. */
export abstract class MappedColumn implements ManagedColumn {
  protected readonly parameters: Parameters;
  protected readonly stored: OtherColumn;
  protected readonly bound: BoundColumn;
  readonly #virtualType: NumericType;
  readonly #storedType: NumericType;

  /** @throws TableError CORRUPT when the keyword that names the stored column is missing, or S is another type */
  constructor(
    context: ManagerContext,
    bound: BoundColumn,
    virtualType: NumericType,
    storedType: NumericType,
  ) {
    this.bound = bound;
    this.parameters = new Parameters(context, bound);
    this.#virtualType = virtualType;
    this.#storedType = storedType;
    if (bound.kind !== "array" || bound.dtype !== virtualType) {
      this.parameters.fail(`it is a column of ${bound.kind} ${bound.dtype}, expected array ${virtualType}`);
    }
    this.stored = new OtherColumn(context, bound, this.parameters.text(STORED_NAME), "array", storedType);
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const runs = yield* this.stored.find().column.shapes(rows);
    return runs.map(({ count, shape }) => ({
      count,
      shape: shape === null ? null : this.virtualShape(shape),
    }));
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (target.kind !== "numeric") throw new TypeError("values of numbers go to numbers");
    const { column } = this.stored.find();
    const shape = this.storedShape(cellShape);
    const storedBox = box === null ? null : this.storedBox(box);
    const each = elementsOf(storedBox?.shape ?? shape), elements = elementsOf(box?.shape ?? cellShape);
    if (each === 0 || rows.length === 0) return;
    const step = Math.max(1, Math.floor(ELEMENTS_AT_ONCE / each));
    const scratch = allocate(this.#storedType, each * Math.min(step, rows.length));
    const { size, items } = numericInfo(this.#storedType);
    for (let start = 0; start < rows.length; start += step) {
      const end = Math.min(rows.length, start + step);
      const some = end - start === rows.length ? rows : rows.sub(start, end);
      const values = scratch.subarray(0, (end - start) * each * items) as NumericData;
      const bytes = bytesOf(values).subarray(0, (end - start) * each * size);
      yield* column.read(some, shape, storedBox, { kind: "numeric", bytes }, 0);
      yield* this.compute(
        some,
        values,
        this.#part(target.bytes, at + start * elements, (end - start) * elements),
      );
    }
  }

  /** All values are packed before any is written, so that a refused one leaves the column as it was. */
  *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    const cells = { rows, cellShape, box };
    const values = this.valuesOf(cells, source, at);
    yield* this.writeStored(cells, yield* this.pack(cells, values));
  }

  *setShape(rows: Rows, cellShape: readonly number[] | null): Plan<void> {
    const column = yield* this.stored.find().open();
    if (column.setShape === undefined) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `column ${this.bound.name} is computed from column ${this.stored.name}, whose cells have fixed shapes`,
      );
    }
    yield* column.setShape(rows, cellShape === null ? null : this.storedShape(cellShape));
  }

  *check(): Plan<void> {
    // Asked for no cells, a stored column that is virtual itself looks for its own, and so on.
    yield* this.stored.find().column.shapes(rowRange(0, 0));
  }

  /** Cells of a fixed shape have it from the start, with whatever the stored column holds then. */
  *rowsAdded(rows: Rows): Plan<void> {
    const stored = this.stored.find(), { shape } = this.bound;
    if (shape === null || stored.bound.shape !== null || rows.length === 0) return;
    yield* (yield* stored.open()).setShape?.(rows, this.storedShape(shape)) ?? [];
  }

  /** Plan: the stored values of cells: all items of `values`, packed. @throws TableError OUT_OF_RANGE for one that can't be stored */
  protected abstract pack(cells: Cells, values: NumericData): Plan<NumericData>;

  /** Plan: puts packed values. @throws TableError UNSUPPORTED when the stored column can't be written */
  protected *writeStored({ rows, cellShape, box }: Cells, values: NumericData): Plan<void> {
    const column = yield* this.stored.writable();
    const source = { kind: "numeric", bytes: bytesOf(values) } as const;
    const storedBox = box === null ? null : this.storedBox(box);
    yield* column.write(rows, this.storedShape(cellShape), storedBox, source, 0);
  }

  /** Memory for the stored values of cells. */
  protected forStored({ rows, cellShape, box }: Cells): NumericData {
    const shape = box === null ? this.storedShape(cellShape) : this.storedBox(box).shape;
    return allocate(this.#storedType, rows.length * elementsOf(shape));
  }

  /** The virtual values that a caller hands in for cells. */
  protected valuesOf({ rows, cellShape, box }: Cells, source: CellSource, at: number): NumericData {
    if (source.kind !== "numeric") throw new TypeError("values of numbers come from numbers");
    return this.#part(source.bytes, at, rows.length * elementsOf(box?.shape ?? cellShape));
  }

  /** Throws OUT_OF_RANGE about one of the items handed in for cells. */
  protected refuse({ rows }: Cells, values: NumericData, index: number): never {
    const row = rows.at(Math.floor(index / (values.length / rows.length)));
    throw new TableError(
      "OUT_OF_RANGE",
      `column ${this.bound.name}, row ${row}: ${
        values[index]
      } can't be stored as ${this.#storedType} in column ${this.stored.name}`,
    );
  }

  /** Plan: computes cells of `rows`: all items of `values` into all items of `target`. `values` may be changed. */
  protected abstract compute(rows: Rows, values: NumericData, target: NumericData): Plan<void>;

  /** The shape of a virtual cell whose stored one has this shape. @throws TableError CORRUPT when it can't be one */
  protected virtualShape(shape: readonly number[]): readonly number[] {
    return shape;
  }

  /** The shape of the stored cell of a virtual one. */
  protected storedShape(shape: readonly number[]): readonly number[] {
    return shape;
  }

  /** The box of a stored cell that holds a box of the virtual one. */
  protected storedBox(box: Box): Box {
    return box;
  }

  #part(bytes: Uint8Array, at: number, elements: number): NumericData {
    const { size } = numericInfo(this.#virtualType);
    return viewOf(this.#virtualType, bytes.buffer, bytes.byteOffset + at * size, elements);
  }
}
