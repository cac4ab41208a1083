/**
 * TiledColumnStMan: all rows in one hypercube, row r at position r of its last axis. Format reference part 4.
 *
 * | field of `table.f<N>` | type | section |
 * | --- | --- | --- |
 * | root object TiledColumnStMan version 1 | | 3.1 |
 * | tile shape | IPosition | as the user gave it |
 * | TiledStMan | object, with one cube and one file | 3.2 |
 *
 * All cells have one shape. Scalar columns, whose cubes have the row axis only, need a hypercolumn definition.
 */
import { TableError } from "../../error.ts";
import type { RowRun, Rows } from "../../array/rows.ts";
import type { AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import type { Cube } from "./cube.ts";
import { CubeValues } from "./cube-values.ts";
import { writeTiledHeader } from "./header.ts";
import { openHeader, readParts, rowsHeld } from "./manager.ts";
import type { Segment } from "./stacks.ts";
import { checkCellShape, fixedCellShape, newParts, WritableTiled } from "./writable.ts";

const TYPE = "TiledColumnStMan";

class TiledColumn extends WritableTiled {
  get #cube(): Cube {
    return this.header.cubes[0]!;
  }

  override locate(rows: Rows): Iterable<Segment> {
    const runs = rows.runs(), cube = this.#cube;
    if (Array.isArray(runs)) {
      return (runs as RowRun[]).map(({ row, count, index }) => ({ cube, position: row, count, index }));
    }
    return this.#locate(runs);
  }

  *#locate(runs: Iterable<RowRun>): Generator<Segment> {
    const cube = this.#cube;
    for (const { row, count, index } of runs) yield { cube, position: row, count, index };
  }

  override *addRows(count: number): Plan<void> {
    if (count === 0) return;
    this.checkGrowth(this.#cube, count);
    yield* this.beforeGrowth(this.#cube);
    this.header.rowCount += count;
    this.grow(this.#cube, count);
  }

  // deno-lint-ignore require-yield
  override *give(_rows: Rows, cellShape: readonly number[], column: string): Plan<void> {
    checkCellShape(this, cellShape, column);
    const own = this.#cube.shape;
    if (!cellShape.every((length, axis) => length === own[axis])) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `column ${column}: all cells of ${TYPE} have shape [${own.slice(0, -1)}], [${cellShape}] given`,
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

function* open(context: ManagerContext): Plan<StorageManager> {
  const r = yield* openHeader(context);
  const { version } = r.root(TYPE);
  if (version !== 1) r.unsupported(`${TYPE} has version ${version}, expected 1`);
  const defaultTileShape = r.iposition();
  const parts = readParts(r, context, 1);
  r.end();
  const { cubes } = parts.header;
  if (cubes.length !== 1 || !cubes[0]!.hasShape || cubes[0]!.lastLength !== context.rowCount) {
    const found = cubes.length === 1 ? `shape [${cubes[0]!.shape}]` : `${cubes.length} hypercubes`;
    r.fail(`${found} found, expected one hypercube with ${context.rowCount} positions on its last axis`);
  }
  return new TiledColumn({ ...parts, defaultTileShape }, false);
}

function* create(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const parts = newParts(context, spec, 1);
  for (const index of parts.roles.data) {
    const { name, kind, shape } = context.columns[index]!;
    if (kind === "array" && shape === null) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `${spec.type} ${spec.name}: column ${name} has no fixed shape`,
      );
    }
  }
  const manager = new TiledColumn(parts, true);
  const shape = [...fixedCellShape(parts) ?? [], 0];
  const cube = manager.newCube(shape, { file: 0, offset: 0, extensible: true, values: new CubeValues() });
  yield* manager.makeFile(0);
  parts.header.cubes.push(cube);
  yield* manager.addRows(context.rowCount);
  return manager;
}

/** TiledColumnStMan, for reading and writing. */
export const tiledColumnStMan: ManagerKind = { serves: (type) => type === TYPE, open, rowsHeld, create };
