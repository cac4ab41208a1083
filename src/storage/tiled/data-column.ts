/**
 * Data columns: cells whose values are in tiles.
 */
import { TableError } from "../../error.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { CellTarget, ManagedColumn, ShapeRun, ValuePlace } from "../manager.ts";
import type { Cube } from "./cube.ts";
import { gatherCells, type SectionPlace } from "./gather.ts";
import type { TsmFile } from "./header.ts";
import type { TiledManager } from "./manager.ts";
import { type PixelFormat, pixelFormat } from "./moves.ts";
import { type CubeStacks, type Segment, stacksOf } from "./stacks.ts";
import { valuePlace } from "./value-place.ts";

/** Reads a data column of any tiled manager. */
export class DataColumn<M extends TiledManager = TiledManager> implements ManagedColumn, SectionPlace {
  protected readonly manager: M;
  /** Number among the data columns. */
  protected readonly slot: number;
  readonly format: PixelFormat;
  readonly cellAxes: number;

  constructor(manager: M, slot: number) {
    this.manager = manager;
    this.slot = slot;
    this.format = pixelFormat(manager.layout.dtypes[slot]!, manager.context.bigEndian);
    this.cellAxes = manager.cellAxes;
  }

  /** Name of the column. */
  protected get columnName(): string {
    return this.manager.context.columns[this.manager.roles.data[this.slot]!]!.name;
  }

  fileName(cube: Cube): string {
    return this.manager.fileName(cube);
  }

  bucketSize(cube: Cube): number {
    return this.manager.bucketSize(cube);
  }

  sectionOffset(cube: Cube): number {
    return this.manager.layout.sectionOffset(this.slot, cube.tilePixels);
  }

  sectionLength(cube: Cube): number {
    return this.manager.layout.sectionLength(this.slot, cube.tilePixels);
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const located = this.manager.locate(rows);
    if (Array.isArray(located) && located.length === 1) return yield* this.shapeOf(located[0] as Segment);
    const runs: ShapeRun[] = [];
    let needed: Map<Cube, number> | undefined;
    let cube: Cube | null = null, count = 0;
    const close = () => {
      if (count > 0) runs.push({ count, shape: cube === null ? null : cube.shape.slice(0, this.cellAxes) });
    };
    for (const segment of located) {
      if (segment.cube !== cube) {
        close();
        cube = segment.cube;
        count = 0;
      }
      count += segment.count;
      if (cube !== null) {
        const last = this.lastPosition(segment);
        if (!this.manager.isStored(cube, last)) {
          needed ??= new Map();
          needed.set(cube, Math.max(last, needed.get(cube) ?? -1));
        }
      }
    }
    close();
    if (needed !== undefined) yield* this.manager.checkStored(needed);
    return runs;
  }

  /** Plan: the one shape of cells that are at consecutive positions of a cube. */
  private *shapeOf(segment: Segment): Plan<ShapeRun[]> {
    const { cube, count } = segment;
    if (cube === null) return [{ count, shape: null }];
    const last = this.lastPosition(segment);
    if (!this.manager.isStored(cube, last)) yield* this.manager.checkStored(new Map([[cube, last]]));
    return [{ count, shape: cube.shape.slice(0, this.cellAxes) }];
  }

  /** Position on the cube's last axis that a segment reaches to. */
  private lastPosition({ cube, position, count }: Segment): number {
    const { shape, lastLength } = cube!;
    if (this.cellAxes === shape.length) return lastLength - 1;
    if (this.cellAxes === shape.length - 1) return position + count - 1;
    const below = elementsOf(shape.slice(this.cellAxes, -1));
    return Math.floor((position + count - 1) / below);
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    if (target.kind !== "numeric") throw new TypeError("a tiled column has no strings");
    const selection = this.placed(this.select(rows, cellShape, false));
    for (const { cube } of selection) {
      const file = this.manager.fileOf(cube);
      if (file.grown) yield* this.manager.settle([file]);
    }
    yield* gatherCells(this, selection, box, target.bytes, at);
  }

  /** The cells of a selection, sorted; all must be defined and of shape `cellShape`. */
  protected select(rows: Rows, cellShape: readonly number[], unique: boolean): CubeStacks[] {
    const rowAxes = this.manager.header.ndim - this.cellAxes;
    const selection = stacksOf(this.defined(rows), { unique, strided: rowAxes === 1 });
    for (const { cube } of selection) {
      if (cellShape.length !== this.cellAxes || !startsWith(cube.shape, cellShape)) {
        const shape = cube.shape.slice(0, this.cellAxes);
        throw new TableError(
          "SHAPE_MISMATCH",
          `column ${this.columnName}: cells have shape [${shape}], [${cellShape}] expected`,
        );
      }
    }
    return selection;
  }

  /** A selection with each stack at the file where its tiles are. */
  protected placed(selection: readonly CubeStacks[]): readonly CubeStacks[] {
    return selection;
  }

  private defined(rows: Rows): Iterable<Segment> {
    const located = this.manager.locate(rows);
    if (!Array.isArray(located)) return this.checked(located, rows);
    for (const segment of located as Segment[]) this.checkDefined(segment, rows);
    return located;
  }

  private *checked(segments: Iterable<Segment>, rows: Rows): Generator<Segment> {
    for (const segment of segments) {
      this.checkDefined(segment, rows);
      yield segment;
    }
  }

  private checkDefined({ cube, index }: Segment, rows: Rows): void {
    if (cube !== null) return;
    throw new TableError(
      "OUT_OF_RANGE",
      `column ${this.columnName}: the cell of row ${rows.at(index)} is undefined`,
    );
  }

  *place(rows: Rows): Plan<ValuePlace | string> {
    if (this.manager.dirty) return "values or rows of its manager are not flushed";
    yield* this.shapes(rows);
    const [first, second] = this.manager.locate(rows);
    const { cube, position, count } = first!;
    if (cube === null) return `the cell of row ${rows.at(0)} is undefined`;
    if (second !== undefined) {
      const next = rows.at(second.index);
      return second.cube === cube
        ? `rows ${next - 1} and ${next} don't follow each other in their hypercube`
        : `rows ${next - 1} and ${next} are in different hypercubes, or undefined`;
    }
    return valuePlace(this, cube, position, count);
  }

  get tileShape(): readonly number[] | null {
    return this.manager.largestCube?.tileShape ?? null;
  }

  bytesOnDisk(): number {
    let bytes = 0;
    for (const cube of this.manager.realCubes) bytes += cube.tiles * this.sectionLength(cube);
    return bytes;
  }

  /** The data file of a cube, for {@linkcode scatterCells}. */
  protected fileOf(cube: Cube): TsmFile {
    return this.manager.fileOf(cube);
  }
}

function startsWith(shape: readonly number[], cellShape: readonly number[]): boolean {
  for (let axis = 0; axis < cellShape.length; axis++) if (shape[axis] !== cellShape[axis]) return false;
  return true;
}
