/**
 * What the same reading would cost with other tiles: a table with the same cells and other tiles is made of files that
 * are only a few pages in memory (see `../io/sparse-backend.ts`), and planned like the real one.
 */
import { type DType, isNumeric, numericInfo } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { Context } from "../io/context.ts";
import { runSync } from "../io/drivers.ts";
import { DryRun } from "../io/dry-run.ts";
import { SparseBackend } from "../io/sparse-backend.ts";
import { createBody } from "./create.ts";
import { type IoCost, type IoPlanOptions, planOn } from "./io-plan.ts";
import { openBody } from "./open.ts";
import { cellShapes } from "./read.ts";
import { rowsOf } from "./selection.ts";
import { array, tiledShape } from "./specs.ts";
import { writeShape } from "./write.ts";

/** Bytes of the tiles that are tried: casacore's and our own default, and one for wide reading. */
const SMALL_TILE_BYTES = 128 * 1024, LARGE_TILE_BYTES = 1024 * 1024;
/** Parts into which the cells' last axis, as a rule channels, is split for those who read some of it. */
const SPLIT = 8;

/** What reading a column costs with tiles of one shape. */
export interface TileCost {
  /** Lengths of a tile, rows last. */
  readonly tileShape: readonly number[];
  /** Why it is tried. */
  readonly why: string;
  /** Reading, with the manager's header; opening the table isn't in it. */
  readonly cost: IoCost;
  /** Bytes of all tiles, with what sticks out of the last ones. */
  readonly fileBytes: number;
}

/** The tiles that a column has, and others. */
export interface TileCosts {
  /** The column. */
  readonly column: string;
  /** Bytes of the values that are asked for. */
  readonly bytesWanted: number;
  /** What it has comes first. */
  readonly tiles: readonly TileCost[];
}

/** What {@linkcode tileCosts} is asked, beside the column. */
export interface TileCostOptions extends Omit<IoPlanOptions, "columns"> {
  /** One more shape of tiles, rows last. */
  readonly tileShape?: readonly number[];
}

/**
 * Says what reading a column would cost if it had other tiles. As many rows as the table has are assumed, with cells of the
 * shape of the first one that is read, alone in their tiles.
 *
 * @returns null for a column that isn't kept in tiles, or has cells of several shapes, or no rows are asked for
 * @throws TableError as `Table.open`; NO_SUCH_COLUMN, OUT_OF_RANGE; INVALID_ARGUMENT for a tile shape that doesn't fit
 * @example
 * ```ts
 * import { array, Table, tileCosts, tiledShape } from "@tessera/tables";
 * Table.create("costs.tab", {
 *   columns: [array("DATA", "complex64", { shape: [4, 64] })],
 *   storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 64, 64] })],
 *   rows: 1000,
 *   overwrite: true,
 * }).close();
 * const costs = tileCosts("costs.tab", "DATA", { slice: [null, [10, 12]] });
 * for (const { tileShape, cost } of costs!.tiles) console.log(tileShape, cost.bytesRead);
 * ```
 */
export function tileCosts(path: string, column: string, options: TileCostOptions = {}): TileCosts | null {
  const known = tiledCells(path, column, options);
  if (known === null) return null;
  checkTileShape(column, known, options.tileShape);
  const tiles: TileCost[] = [];
  let bytesWanted = 0;
  for (const { why, tileShape } of candidates(known, options.tileShape)) {
    const { cost, wanted, fileBytes } = imagined(known, tileShape, options);
    tiles.push({ why, tileShape, cost, fileBytes });
    bytesWanted = wanted;
  }
  return { column, bytesWanted, tiles };
}

/** @throws TableError INVALID_ARGUMENT */
function checkTileShape(
  column: string,
  { cellShape }: TiledCells,
  tileShape: readonly number[] | undefined,
): void {
  if (tileShape === undefined) return;
  if (
    tileShape.length === cellShape.length + 1 &&
    tileShape.every((length) => Number.isSafeInteger(length) && length > 0)
  ) return;
  throw new TableError(
    "INVALID_ARGUMENT",
    `column ${column} has cells of [${cellShape}]: expected a tile of ${
      cellShape.length + 1
    } lengths, the rows last, ` +
      `found [${tileShape}]`,
  );
}

/** What has to be known of a column to make one like it. */
interface TiledCells {
  readonly dtype: DType;
  readonly cellShape: readonly number[];
  readonly tileShape: readonly number[];
  readonly rowCount: number;
  readonly bigEndian: boolean;
}

function tiledCells(path: string, name: string, options: TileCostOptions): TiledCells | null {
  const body = openBody(path, { confine: options.confine ?? false, context: new Context() });
  try {
    const column = body.columns.find(({ bound }) => bound.name === name);
    if (column === undefined) {
      throw new TableError("NO_SUCH_COLUMN", `no column ${name}`, { file: body.path });
    }
    const rows = rowsOf(options.rows, body.rowCount);
    if (!column.supported || column.bound.kind !== "array" || rows.length === 0) return null;
    return runSync(
      function* () {
        const managed = yield* column.open(), tileShape = managed.tileShape ?? null;
        if (tileShape === null) return null;
        const [run, other] = yield* cellShapes(managed, rows);
        if (run?.shape == null || other !== undefined || run.shape.length + 1 !== tileShape.length) {
          return null;
        }
        const { rowCount, bigEndian } = body;
        return { dtype: column.bound.dtype, cellShape: run.shape, tileShape, rowCount, bigEndian };
      }(),
      body.access,
    );
  } finally {
    body.close();
  }
}

function candidates(
  { dtype, cellShape, tileShape, rowCount }: TiledCells,
  asked: readonly number[] | undefined,
): { why: string; tileShape: readonly number[] }[] {
  const bits = dtype === "bool" ? 1 : isNumeric(dtype) ? numericInfo(dtype).size * 8 : 8;
  const rowsFor = (cell: readonly number[], bytes: number) =>
    Math.max(1, Math.min(rowCount, Math.floor(bytes * 8 / (elementsOf(cell) * bits))));
  const whole = (bytes: number) => [...cellShape, rowsFor(cellShape, bytes)];
  const last = cellShape.length - 1;
  const split = cellShape.map((length, axis) => axis === last ? Math.ceil(length / SPLIT) : length);
  const tried = [
    { why: "as it is", tileShape },
    ...(asked === undefined ? [] : [{ why: "asked for", tileShape: asked }]),
    { why: "whole cells, 128 KiB", tileShape: whole(SMALL_TILE_BYTES) },
    { why: "whole cells, 1 MiB", tileShape: whole(LARGE_TILE_BYTES) },
    { why: `last axis in ${SPLIT}, 128 KiB`, tileShape: [...split, rowsFor(split, SMALL_TILE_BYTES)] },
    { why: "one cell a tile", tileShape: [...cellShape, 1] },
  ];
  return tried.filter(({ tileShape }, i) =>
    tried.findIndex((other) => other.tileShape.join() === tileShape.join()) === i
  );
}

/** Plans the same reading on a table that was only imagined. */
function imagined(
  { dtype, cellShape, rowCount, bigEndian }: TiledCells,
  tileShape: readonly number[],
  options: TileCostOptions,
): { cost: IoCost; wanted: number; fileBytes: number } {
  const source = new SparseBackend(), context = new Context({ cacheBytes: 0 }), path = "/imagined";
  context.wrapBackend = () => source;
  const body = createBody(path, {
    columns: [array("CELLS", dtype, { ndim: cellShape.length })],
    storage: [tiledShape("Cells", ["CELLS"], { tileShape })],
    rows: rowCount,
    byteOrder: bigEndian ? "big" : "little",
    io: "memory",
    lock: "none",
    context,
  });
  try {
    const column = body.columns[0]!;
    runSync(writeShape(column, rowsOf(undefined, rowCount), cellShape), body.access);
    body.flush({ durable: false });
  } finally {
    body.close();
  }
  const run = new DryRun({ source, cacheBytes: options.cacheBytes });
  const plan = planOn(run, path, { io: "memory" }, { ...options, columns: ["CELLS"] });
  const fileBytes = source.list(path).filter((name) => name.includes("_TSM"))
    .reduce((sum, name) => sum + source.open(`${path}/${name}`, "read").size(), 0);
  return { cost: plan.reading, wanted: plan.bytesWanted, fileBytes };
}
