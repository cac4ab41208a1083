/**
 * TiledCellStMan: a hypercube for each row, which is the cell. Format reference part 4.
 *
 * | field of `table.f<N>` | type | section |
 * | --- | --- | --- |
 * | root object TiledCellStMan version 1 | | 3.1 |
 * | default tile shape | IPosition | as the user gave it |
 * | TiledStMan | object, with a cube for each row | 3.2 |
 *
 * A cube without shape is an undefined cell. All cubes are in data file 0, one behind the other in the order in which
 * they got their shapes; a cell that gets another shape gets other space, at the end, and the old space is lost.
 */
import { TableError } from "../../error.ts";
import { type Rows, sameShape } from "../../array/rows.ts";
import type { AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import { Cube } from "./cube.ts";
import { CubeValues } from "./cube-values.ts";
import { writeTiledHeader } from "./header.ts";
import { openHeader, readParts, rowsHeld, type TiledParts } from "./manager.ts";
import type { Segment } from "./stacks.ts";
import { checkCellShape, fixedCellShape, newParts, WritableTiled } from "./writable.ts";

const TYPE = "TiledCellStMan";

class TiledCell extends WritableTiled {
  readonly #fixed: readonly number[] | null;

  constructor(parts: TiledParts, isNew: boolean) {
    super(parts, isNew);
    this.#fixed = fixedCellShape(parts);
  }

  override undefinedCube(row: number): Cube | null {
    return this.header.cubes[row]!;
  }

  /** casacore puts every new cell into file 0, which must therefore stay. */
  override canRenew(): boolean {
    return false;
  }

  override *locate(rows: Rows): Iterable<Segment> {
    const { cubes } = this.header;
    for (const { row, count, index } of rows.runs()) {
      for (let k = 0; k < count; k++) {
        const cube = cubes[row + k]!;
        yield { cube: cube.hasShape ? cube : null, position: 0, count: 1, index: index + k };
      }
    }
  }

  override *addRows(count: number): Plan<void> {
    const { cubes } = this.header;
    const made: Cube[] = [];
    if (this.#fixed === null) { for (let i = 0; i < count; i++) made.push(undefinedCell(new CubeValues())); }
    else yield* this.#place(count, this.#fixed, (cube) => made.push(cube));
    for (const cube of made) cubes.push(cube);
    this.header.rowCount += count;
    if (count > 0) this.headerChanged();
  }

  override *give(rows: Rows, cellShape: readonly number[], column: string): Plan<void> {
    checkCellShape(this, cellShape, column);
    const { cubes } = this.header;
    const changed = new Set<number>();
    for (const { row, count } of rows.runs()) {
      for (let r = row; r < row + count; r++) {
        if (sameShape(cubes[r]!.shape, cellShape)) continue;
        this.#checkCoordinates(r, cellShape);
        changed.add(r);
      }
    }
    const list = [...changed];
    let next = 0;
    yield* this.#place(list.length, cellShape, (cube) => cubes[list[next++]!] = cube, list);
  }

  /**
   * Plan: gives new cubes their places, one behind the other.
   *
   * @param rows Rows whose coordinates go on; left out: none have any.
   */
  *#place(
    count: number,
    shape: readonly number[],
    take: (cube: Cube) => void,
    rows: readonly number[] = [],
  ): Plan<void> {
    if (count === 0) return;
    const { cubes, files } = this.header;
    const file = files[0];
    if (file === undefined || file === null) throw this.corrupt("there is no data file 0 for new cells");
    yield* this.trim(file);
    // Nothing is changed before it is known that all of them can be had.
    const made: Cube[] = [];
    let end = file.length;
    for (let i = 0; i < count; i++) {
      const values = i < rows.length ? cubes[rows[i]!]!.values : new CubeValues();
      const place = { file: 0, offset: end, extensible: false, values };
      const cube = this.newCube(shape, place, made[0]?.tileShape ?? this.defaultTileShape);
      end += cube.tiles * this.bucketSize(cube);
      made.push(cube);
    }
    this.checkFileEnd(end);
    for (const cube of made) take(cube);
    file.length = end;
    file.grown = true;
    this.headerChanged();
  }

  /** Coordinates that were given stay: their axes keep their lengths, also where the cell's shape changes. */
  #checkCoordinates(row: number, cellShape: readonly number[]): void {
    const { values } = this.header.cubes[row]!;
    for (const [axis, column] of this.roles.coordinates.entries()) {
      if (column < 0) continue;
      const { name } = this.context.columns[column]!;
      const length = values.vector(name)?.length ?? 0;
      if (length === 0 || length === cellShape[axis]) continue;
      throw new TableError(
        "SHAPE_MISMATCH",
        `the cell of row ${row} can't get shape [${cellShape}]: axis ${axis} has ${length} coordinates ${name}`,
      );
    }
  }

  protected override writeHeader(w: AipsWriter): void {
    w.root(TYPE, 1);
    w.iposition(this.defaultTileShape);
    writeTiledHeader(w, this.header, this.context);
    w.end();
  }
}

function undefinedCell(values: CubeValues): Cube {
  return new Cube([], [], { file: 0, offset: 0, extensible: false, values });
}

function* open(context: ManagerContext): Plan<StorageManager> {
  const r = yield* openHeader(context);
  const { version } = r.root(TYPE);
  if (version !== 1) r.unsupported(`${TYPE} has version ${version}, expected 1`);
  const defaultTileShape = r.iposition();
  const parts = readParts(r, context, 0);
  r.end();
  if (parts.header.cubes.length !== context.rowCount) {
    r.fail(
      `${parts.header.cubes.length} hypercubes found, expected one for each of ${context.rowCount} rows`,
    );
  }
  return new TiledCell({ ...parts, defaultTileShape }, false);
}

function* create(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const parts = newParts(context, spec, 0);
  if (parts.cellAxes === 0) {
    throw new TableError("INVALID_ARGUMENT", `${spec.type} ${spec.name}: it keeps no scalars`);
  }
  const manager = new TiledCell(parts, true);
  yield* manager.makeFile(0);
  yield* manager.addRows(context.rowCount);
  return manager;
}

/** TiledCellStMan, for reading and writing. */
export const tiledCellStMan: ManagerKind = { serves: (type) => type === TYPE, open, rowsHeld, create };
