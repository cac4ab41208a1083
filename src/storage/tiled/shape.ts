/**
 * TiledShapeStMan: one hypercube for each shape of cell, rows along its last axis. Format reference part 4.
 *
 * | field of `table.f<N>` | type | section |
 * | --- | --- | --- |
 * | root object TiledShapeStMan version 1 | | 3.1 |
 * | TiledStMan | object | 3.2 |
 * | default tile shape | IPosition | as the user gave it |
 * | row map | uInt, three Blocks | 4.3 |
 *
 * Cube 0 is a dummy without shape or file, for undefined rows; cube i ≥ 1 has data file i to itself. A row gets its
 * position when its shape is first set, and keeps it.
 */
import { TableError } from "../../error.ts";
import { type RowRun, type Rows, sameShape } from "../../array/rows.ts";
import type { AipsReader, AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import { Cube } from "./cube.ts";
import { CubeValues } from "./cube-values.ts";
import { writeTiledHeader } from "./header.ts";
import { openHeader, readParts, rowsHeld, type TiledParts } from "./manager.ts";
import { MAX_MAPPED, type RowInterval, RowMap } from "./row-map.ts";
import type { Segment } from "./stacks.ts";
import { checkCellShape, fixedCellShape, newParts, WritableTiled } from "./writable.ts";

const TYPE = "TiledShapeStMan";

class TiledShape extends WritableTiled {
  readonly #map: RowMap;
  readonly #fixed: readonly number[] | null;

  constructor(parts: TiledParts, map: RowMap, isNew: boolean) {
    super(parts, isNew);
    this.#map = map;
    this.#fixed = fixedCellShape(parts);
  }

  override undefinedCube(): Cube | null {
    return this.header.cubes[0]!;
  }

  override locate(rows: Rows): Iterable<Segment> {
    const runs = rows.runs();
    if (Array.isArray(runs) && runs.length === 1) {
      const { row, count, index } = runs[0] as RowRun, only = this.#map.only(row, count);
      if (only !== null) {
        const { cube, position } = only;
        return [{ cube: cube === 0 ? null : this.header.cubes[cube]!, position, count, index }];
      }
    }
    return this.#locate(runs);
  }

  *#locate(runs: Iterable<RowRun>): Generator<Segment> {
    const { cubes } = this.header;
    for (const run of runs) {
      for (const { row, count, cube, position } of this.#map.find(run.row, run.count)) {
        yield { cube: cube === 0 ? null : cubes[cube]!, position, count, index: run.index + (row - run.row) };
      }
    }
  }

  override *addRows(count: number): Plan<void> {
    const row = this.header.rowCount;
    if (count === 0) return;
    if (this.#fixed !== null) {
      this.#checkRows(row + count);
      yield* this.#assign([{ row, count }], this.#fixed);
    }
    this.header.rowCount += count;
    this.headerChanged();
  }

  override *give(rows: Rows, cellShape: readonly number[], column: string): Plan<void> {
    checkCellShape(this, cellShape, column);
    const free: { row: number; count: number }[] = [];
    for (const { cube, count, index } of this.locate(rows)) {
      if (cube === null) free.push({ row: rows.at(index), count });
      else if (!cellShape.every((length, axis) => length === cube.shape[axis])) {
        throw new TableError(
          "SHAPE_MISMATCH",
          `column ${column}: the cell of row ${rows.at(index)} has shape [${
            cube.shape.slice(0, -1)
          }], which ` +
            `${TYPE} can't change to [${cellShape}]`,
        );
      }
    }
    if (free.length === 0) return;
    for (const { row, count } of free) this.#checkRows(row + count);
    yield* this.#assign(distinct(free), cellShape);
  }

  protected override writeHeader(w: AipsWriter): void {
    w.root(TYPE, 1);
    writeTiledHeader(w, this.header, this.context);
    w.iposition(this.defaultTileShape);
    this.#map.write(w);
    w.end();
  }

  #checkRows(end: number): void {
    if (end - 1 > MAX_MAPPED) {
      throw new TableError(
        "LIMIT",
        `row ${end - 1} can't have a cell in ${TYPE}, row ${MAX_MAPPED} is the last that can`,
      );
    }
  }

  /** Plan: gives undefined rows positions in the cube of their shape, in the order of the list. */
  *#assign(rows: readonly { row: number; count: number }[], cellShape: readonly number[]): Plan<void> {
    let count = 0;
    for (const run of rows) count += run.count;
    let number = this.header.cubes.findIndex((cube, i) =>
      i > 0 && sameShape(cube.shape.slice(0, -1), cellShape)
    );
    if (number < 0) number = yield* this.#addCube(cellShape, count);
    const cube = this.header.cubes[number]!;
    this.checkGrowth(cube, count);
    yield* this.beforeGrowth(cube);
    let position = cube.lastLength;
    const intervals: RowInterval[] = rows.map((run) => {
      const interval = { ...run, cube: number, position };
      position += run.count;
      return interval;
    });
    this.grow(cube, count);
    this.#map.assign(intervals);
    // Coordinates that were given before the shape was known have gone into the cube.
    this.header.cubes[0]!.values.clear();
  }

  *#addCube(cellShape: readonly number[], count: number): Plan<number> {
    const { cubes } = this.header;
    const number = yield* this.freeFileNumber();
    const given = cubes[0]!.values.toRecord();
    const values = new CubeValues({ ...given });
    for (const [axis, column] of this.roles.coordinates.entries()) {
      const length = column < 0 ? undefined : values.vector(this.context.columns[column]!.name)?.length;
      if (length !== undefined && axis < this.cellAxes && length !== cellShape[axis]) {
        throw new TableError(
          "SHAPE_MISMATCH",
          `cells of shape [${cellShape}]: ${length} coordinates were given for axis ${axis}`,
        );
      }
    }
    const cube = this.newCube([...cellShape, 0], { file: number, offset: 0, extensible: true, values });
    this.checkGrowth(cube, count);
    yield* this.makeFile(number);
    return cubes.push(cube) - 1;
  }
}

/** Rows of a list of runs, each once, in the order in which they come first. */
function distinct(runs: { row: number; count: number }[]): { row: number; count: number }[] {
  const sorted = [...runs].sort((a, b) => a.row - b.row);
  const overlap = sorted.some((run, i) => i > 0 && sorted[i - 1]!.row + sorted[i - 1]!.count > run.row);
  if (!overlap) return runs;
  const seen = new Set<number>();
  const result: { row: number; count: number }[] = [];
  for (const { row, count } of runs) {
    for (let r = row; r < row + count; r++) {
      if (seen.has(r)) continue;
      seen.add(r);
      const before = result.at(-1);
      if (before !== undefined && before.row + before.count === r) before.count++;
      else result.push({ row: r, count: 1 });
    }
  }
  return result;
}

function* open(context: ManagerContext): Plan<StorageManager> {
  const r = yield* openHeader(context);
  const { version } = r.root(TYPE);
  if (version !== 1) r.unsupported(`${TYPE} has version ${version}, expected 1`);
  const parts = readParts(r, context, 1);
  checkCubes(r, parts.header.cubes);
  const defaultTileShape = r.iposition();
  const map = RowMap.read(r, context.rowCount, parts.header.cubes);
  r.end();
  return new TiledShape({ ...parts, defaultTileShape }, map, false);
}

/** Cube 0 is the dummy, all others are arrays with a data file each. */
function checkCubes(r: AipsReader, cubes: readonly Cube[]): void {
  if (cubes.length === 0) r.fail("there is no hypercube 0 for undefined rows");
  const owners = new Map<number, number>();
  cubes.forEach((cube, i) => {
    const owner = owners.get(cube.file);
    if (i > 0 && owner !== undefined) {
      r.fail(`hypercubes ${owner} and ${i} are both in data file ${cube.file}`);
    }
    owners.set(cube.file, i);
    if (cube.hasShape !== (i > 0)) {
      r.fail(`hypercube ${i} has shape [${cube.shape}], expected ${i > 0 ? "one of some axes" : "none"}`);
    }
  });
}

function* create(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const parts = newParts(context, spec, 1);
  if (parts.cellAxes === 0) {
    throw new TableError("INVALID_ARGUMENT", `${spec.type} ${spec.name}: it keeps no scalars`);
  }
  parts.header.files.push(null);
  parts.header.cubes.push(
    new Cube([], [], { file: -1, offset: 0, extensible: false, values: new CubeValues() }),
  );
  const manager = new TiledShape(parts, new RowMap(), true);
  yield* manager.addRows(context.rowCount);
  return manager;
}

/** TiledShapeStMan, for reading and writing. */
export const tiledShapeStMan: ManagerKind = { serves: (type) => type === TYPE, open, rowsHeld, create };
