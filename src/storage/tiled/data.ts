/**
 * TiledDataStMan: a hypercube for each set of ids, with one or more axes of rows. Format reference part 4.
 *
 * | field of `table.f<N>` | type | section |
 * | --- | --- | --- |
 * | root object TiledDataStMan version 1 or 2 | | 3.1 |
 * | TiledStMan | object | 3.2 |
 * | row map | see chunk-map.ts | 4.4 |
 *
 * In casacore the application makes cubes and extends them by calls of its own. Here a row gets its place when a data
 * cell of it is first written or shaped: it goes to the end of the cube of its ids, which is made if there is none. Rows
 * are placed in the order of their numbers, and where a cube has several row axes, as many at a time as one position of
 * the last axis has.
 */
import { TableError } from "../../error.ts";
import { elementsOf, type Rows, sameShape } from "../../array/rows.ts";
import type { AipsWriter } from "../../format/aipsio.ts";
import type { RecordField } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagedColumn, ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import { ChunkMap, MAX_POSITION, ROOT_VERSION } from "./chunk-map.ts";
import type { Cube } from "./cube.ts";
import { CubeValues } from "./cube-values.ts";
import { writeTiledHeader } from "./header.ts";
import { IdColumn, idKey, type IdManager, type IdValue, isIdType } from "./id-column.ts";
import { openHeader, readParts, rowsHeld, type TiledParts } from "./manager.ts";
import type { Segment } from "./stacks.ts";
import { checkCellShape, fixedCellShape, newParts, WritableTiled } from "./writable.ts";

const TYPE = "TiledDataStMan";

/** Rows that go to the end of one cube together. */
interface Placement {
  /** A cube that is there, or one to be made. */
  cube: Cube | null;
  readonly ids: readonly RecordField[];
  /** Equal for rows of the same cube. */
  readonly key: string;
  /** Positions on the last axis. */
  positions: number;
}

class TiledData extends WritableTiled implements IdManager {
  readonly #map: ChunkMap;
  readonly #fixed: readonly number[] | null;
  readonly waitingIds: ReadonlyMap<number, Map<number, IdValue>>;
  /** Lengths of the row axes but the last; null: as other cubes have them. */
  readonly #rowShape: readonly number[] | null;

  constructor(parts: TiledParts, map: ChunkMap, rowShape: readonly number[] | null, isNew: boolean) {
    super(parts, isNew);
    this.#map = map;
    this.#fixed = parts.cellAxes === 0 ? [] : fixedCellShape(parts);
    this.#rowShape = rowShape;
    this.waitingIds = new Map(parts.roles.ids.map((index) => [index, new Map()]));
  }

  override *locate(rows: Rows): Iterable<Segment> {
    const { cubes } = this.header;
    for (const run of rows.runs()) {
      const end = run.row + run.count;
      let row = run.row;
      for (const chunk of this.#map.find(row, end, cubes)) {
        const { position, count } = chunk;
        yield { cube: cubes[chunk.cube]!, position, count, index: run.index + (row - run.row) };
        row += count;
      }
      if (row < end) yield { cube: null, position: 0, count: end - row, index: run.index + (row - run.row) };
    }
  }

  // deno-lint-ignore require-yield
  override *addRows(count: number): Plan<void> {
    this.header.rowCount += count;
    if (count > 0) this.headerChanged();
  }

  override *give(rows: Rows, cellShape: readonly number[], column: string): Plan<void> {
    checkCellShape(this, cellShape, column);
    let end = this.#map.assigned;
    const free = new Set<number>();
    for (const { cube, count, index } of this.locate(rows)) {
      const row = rows.at(index);
      if (cube === null) {
        end = Math.max(end, row + count);
        for (let r = row; r < row + count; r++) free.add(r);
      } else if (!sameShape(cube.shape.slice(0, this.cellAxes), cellShape)) {
        throw new TableError(
          "SHAPE_MISMATCH",
          `column ${column}: the cell of row ${row} has shape [${
            cube.shape.slice(0, this.cellAxes)
          }], which ` +
            `${TYPE} can't change to [${cellShape}]`,
        );
      }
    }
    if (free.size > 0) yield* this.#place(this.#placements(end, free, cellShape), cellShape);
  }

  /** Where rows up to `end` go, in order. @throws TableError where one of them can't get its place */
  #placements(end: number, free: ReadonlySet<number>, cellShape: readonly number[]): Placement[] {
    const rowShape = this.#rowShapeNow(), group = elementsOf(rowShape);
    const placements: Placement[] = [];
    const lengths = new Map<Cube, number>();
    for (let row = this.#map.assigned; row < end; row += group) {
      if (row + group > this.header.rowCount) {
        throw new TableError(
          "OUT_OF_RANGE",
          `${this.name}: hypercubes with row axes [${rowShape}, …] take ${group} rows at a time, from row ${row} on ` +
            `the table has ${this.header.rowCount - row}`,
        );
      }
      this.#checkTurn(row, group, free);
      const ids = this.#idsOf(row, group), key = keyOf(ids);
      let last = placements.at(-1);
      if (last?.key !== key) {
        const cube = this.#cubeOf(key);
        if (cube !== null) this.#checkCube(cube, row, cellShape);
        placements.push(last = { cube, ids, key, positions: 0 });
      }
      last.positions++;
      if (last.cube === null) continue;
      const length = (lengths.get(last.cube) ?? 0) + 1;
      lengths.set(last.cube, length);
      if (last.cube.lastLength + length > MAX_POSITION) {
        throw new TableError("LIMIT", `row ${row} can't have position ${MAX_POSITION} of a hypercube`);
      }
    }
    for (const [cube, length] of lengths) this.checkGrowth(cube, length);
    return placements;
  }

  /** Rows get their places in the order of their numbers; of those in between the shape must be known. */
  #checkTurn(row: number, group: number, free: ReadonlySet<number>): void {
    if (this.#fixed !== null) return;
    for (let r = row; r < row + group; r++) if (free.has(r)) return;
    throw new TableError(
      "OUT_OF_RANGE",
      `${this.name}: rows of ${TYPE} get their places in hypercubes in order, the cell of row ${row} comes first`,
    );
  }

  /** The ids put in some rows, which go to one position together. */
  #idsOf(row: number, group: number): RecordField[] {
    return this.roles.ids.map((index): RecordField => {
      const { name } = this.context.columns[index]!;
      const waiting = this.waitingIds.get(index)!;
      let value: IdValue | undefined;
      for (let r = row; r < row + group; r++) {
        const other = waiting.get(r);
        if (value !== undefined && other !== undefined && idKey(value) !== idKey(other)) {
          throw new TableError(
            "INVALID_ARGUMENT",
            `id column ${name}: rows ${row} to ${
              row + group - 1
            } are at one position of a hypercube, found ids ` +
              `${idKey(value)} and ${idKey(other)}`,
          );
        }
        value ??= other;
      }
      if (value === undefined) {
        throw new TableError(
          "OUT_OF_RANGE",
          `id column ${name} has no value in row ${row}: ids say which hypercube a row goes to, put them first`,
        );
      }
      return { name, comment: "", value };
    });
  }

  #cubeOf(key: string): Cube | null {
    for (const cube of this.header.cubes) {
      const ids = this.roles.ids.map((index): RecordField => {
        const { name } = this.context.columns[index]!;
        const value = cube.values.id(name);
        if (value?.kind !== "scalar") throw this.corrupt(`a hypercube has no id ${name}`);
        return { name, comment: "", value };
      });
      if (keyOf(ids) === key) return cube;
    }
    return null;
  }

  #checkCube(cube: Cube, row: number, cellShape: readonly number[]): void {
    const own = cube.shape.slice(0, this.cellAxes);
    if (!sameShape(own, cellShape)) {
      throw new TableError(
        "SHAPE_MISMATCH",
        `the hypercube that row ${row} goes to has cells of shape [${own}], [${cellShape}] given`,
      );
    }
    if (!cube.extensible) {
      throw new TableError(
        "OUT_OF_RANGE",
        `the hypercube [${cube.shape}] that row ${row} goes to was made as one that can't grow`,
      );
    }
    if (!sameShape(cube.shape.slice(this.cellAxes, -1), this.#rowShapeNow())) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `the hypercube [${cube.shape}] that row ${row} goes to has other row axes than [${this.#rowShapeNow()}, …]`,
      );
    }
  }

  /** Lengths of the row axes but the last. */
  #rowShapeNow(): readonly number[] {
    if (this.#rowShape !== null) return this.#rowShape;
    if (this.header.ndim === this.cellAxes + 1) return [];
    const cube = this.realCubes.at(-1);
    if (cube !== undefined) return cube.shape.slice(this.cellAxes, -1);
    throw new TableError(
      "INVALID_ARGUMENT",
      `${this.name}: hypercubes have ${
        this.header.ndim - this.cellAxes
      } row axes, and there is none yet that ` +
        `tells their lengths`,
    );
  }

  /** Plan: makes and extends cubes. */
  *#place(placements: readonly Placement[], cellShape: readonly number[]): Plan<void> {
    const group = elementsOf(this.#rowShapeNow());
    const { cubes } = this.header;
    for (const cube of this.#newCubes(placements, cellShape)) {
      cube.file = yield* this.freeFileNumber();
      yield* this.makeFile(cube.file);
      cubes.push(cube);
    }
    for (const { cube, positions } of placements) {
      this.checkGrowth(cube!, positions);
      yield* this.beforeGrowth(cube!);
      const rows = positions * group, { assigned } = this.#map;
      this.#map.append(rows, cubes.indexOf(cube!), cube!.lastLength, group);
      this.grow(cube!, positions);
      for (const waiting of this.waitingIds.values()) {
        for (let row = assigned; row < assigned + rows; row++) waiting.delete(row);
      }
    }
  }

  /** Cubes for ids that have none. @throws TableError LIMIT */
  #newCubes(placements: readonly Placement[], cellShape: readonly number[]): Iterable<Cube> {
    const made = new Map<string, Cube>();
    // The tile shape that was asked for is kept in no file: later the cubes that are there tell.
    const wanted = this.defaultTileShape.length > 0
      ? this.defaultTileShape
      : this.realCubes.at(-1)?.tileShape ?? [];
    const shape = [...cellShape, ...this.#rowShapeNow(), 0];
    for (const placement of placements) {
      if (placement.cube !== null) continue;
      let cube = made.get(placement.key);
      if (cube === undefined) {
        const values = new CubeValues({ fields: placement.ids, recordType: 1 });
        cube = this.newCube(shape, { file: -1, offset: 0, extensible: true, values }, wanted);
        made.set(placement.key, cube);
      }
      placement.cube = cube;
    }
    this.checkFreeFiles(made.size);
    return made.values();
  }

  protected override makeIdColumn(index: number): ManagedColumn {
    return new IdColumn(this, index);
  }

  protected override writeHeader(w: AipsWriter): void {
    w.root(TYPE, ROOT_VERSION);
    writeTiledHeader(w, this.header, this.context);
    this.#map.write(w);
    w.end();
  }
}

function keyOf(ids: readonly RecordField[]): string {
  return JSON.stringify(ids.map(({ value }) => idKey(value as IdValue)));
}

function* open(context: ManagerContext): Plan<StorageManager> {
  const r = yield* openHeader(context);
  const { version } = r.root(TYPE);
  if (version !== 1 && version !== 2) r.unsupported(`${TYPE} has version ${version}, expected 1 or 2`);
  const parts = readParts(r, context, -1);
  const { cubes } = parts.header;
  const map = ChunkMap.read(r, version, { rowCount: context.rowCount, cubes, cellAxes: parts.cellAxes });
  r.end();
  return new TiledData({ ...parts, defaultTileShape: [] }, map, null, false);
}

// deno-lint-ignore require-yield
function* create(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const fail = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `${spec.type} ${spec.name}: ${reason}`);
  };
  const { rowShape = [], ...options } = spec.options;
  const parts = newParts(context, { ...spec, options }, -1);
  const isLength = (length: unknown) => Number.isInteger(length) && (length as number) >= 1;
  if (!Array.isArray(rowShape) || !rowShape.every(isLength)) {
    fail(`rowShape is ${JSON.stringify(rowShape)}, expected a list of lengths from 1`);
  }
  const axes = parts.header.ndim - parts.cellAxes - 1;
  if ((rowShape as number[]).length !== axes) {
    fail(`rowShape [${rowShape}] expected to have ${axes} axes: all row axes but the last`);
  }
  for (const index of parts.roles.ids) {
    const { name, kind, dtype } = context.columns[index]!;
    if (kind !== "scalar" || !isIdType(dtype)) {
      fail(
        `id column ${name} expected to be a scalar of a type that ids can have, found ${kind} of ${dtype}`,
      );
    }
  }
  parts.header.files.push(null);
  const manager = new TiledData(parts, new ChunkMap(parts.cellAxes), rowShape as number[], true);
  manager.header.rowCount = context.rowCount;
  return manager;
}

/** TiledDataStMan, for reading and writing. */
export const tiledDataStMan: ManagerKind = { serves: (type) => type === TYPE, open, rowsHeld, create };
