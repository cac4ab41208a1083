/**
 * TiledDataStMan: hypercubes that the application makes and extends, with one or more axes of rows. Format reference
 * part 4.
 *
 * | field of `table.f<N>` | root version 2 | root version 1 | section |
 * | --- | --- | --- | --- |
 * | TiledStMan | object | | 3.2 |
 * | rows assigned | uInt64 | uInt, or uInt64 (casacore 3.4, or many rows) | 4.4 |
 * | entries | absent | uInt | |
 * | rowMap | Block of uInt64 | Block of uInt | first row of each chunk |
 * | cubeMap, posMap | Block of uInt | Block of uInt | cube; position of the first row on the last axis |
 *
 * Rows of a chunk follow each other in the cube, first row axis fastest. Further rows are in no cube.
 */
import type { Rows } from "../../array/rows.ts";
import { elementsOf } from "../../array/rows.ts";
import type { AipsReader } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagerContext, ManagerKind, StorageManager } from "../manager.ts";
import type { Cube } from "./cube.ts";
import { openHeader, readParts, TiledManager, type TiledParts } from "./manager.ts";
import type { Segment } from "./stacks.ts";

const TYPE = "TiledDataStMan";

/** Bytes of a root version 1 tail without its first field and the blocks' values: entries, and three empty Blocks. */
const EMPTY_TAIL_BYTES = 4 + 3 * 21;
/** Bytes that an entry takes in the three Blocks. */
const ENTRY_BYTES = 12;

interface ChunkMap {
  /** Rows that are in a cube. */
  readonly assigned: number;
  /** First row of each chunk. */
  readonly rows: ArrayLike<number>;
  readonly cubes: Uint32Array;
  /** Position of the first row on the cube's last axis. */
  readonly positions: Uint32Array;
}

class TiledData extends TiledManager {
  readonly #map: ChunkMap;

  constructor(parts: TiledParts, map: ChunkMap) {
    super(parts);
    this.#map = map;
  }

  override *locate(rows: Rows): Iterable<Segment> {
    const { rows: first, assigned, positions } = this.#map;
    for (const run of rows.runs()) {
      const end = run.row + run.count;
      let row = run.row;
      for (let i = this.#chunkOf(row); row < Math.min(end, assigned); i++) {
        const chunkEnd = i + 1 < first.length ? first[i + 1]! : assigned;
        const count = Math.min(end, chunkEnd) - row;
        const cube = this.header.cubes[this.#map.cubes[i]!]!;
        const position = positions[i]! * rowsBelowLast(cube, this.cellAxes) + (row - first[i]!);
        yield { cube, position, count, index: run.index + (row - run.row) };
        row += count;
      }
      if (row < end) yield { cube: null, position: 0, count: end - row, index: run.index + (row - run.row) };
    }
  }

  /** Last chunk that starts at `row` or before. */
  #chunkOf(row: number): number {
    const { rows } = this.#map;
    let low = 0, high = rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** Rows at one position of the last axis. */
function rowsBelowLast(cube: Cube, cellAxes: number): number {
  return elementsOf(cube.shape.slice(cellAxes, -1));
}

function readMap(r: AipsReader, rootVersion: number): ChunkMap {
  if (rootVersion === 2) {
    return { assigned: r.uint64(), rows: r.blockU64(), cubes: r.blockU32(), positions: r.blockU32() };
  }
  // How wide the first field is shows in the length of the rest: entries take 12 bytes each.
  const isNarrow = (r.remaining() - 4 - EMPTY_TAIL_BYTES) % ENTRY_BYTES === 0;
  const assigned = isNarrow ? r.u32() : r.uint64();
  const at = r.offset;
  const used = r.u32();
  const map = { assigned, rows: r.blockU32(), cubes: r.blockU32(), positions: r.blockU32() };
  if (map.rows.length !== used) r.fail(`the row map has ${used} entries, its parts ${map.rows.length}`, at);
  return map;
}

function checkMap(
  r: AipsReader,
  map: ChunkMap,
  parts: Omit<TiledParts, "defaultTileShape">,
  at: number,
): void {
  const { assigned, rows, cubes, positions } = map;
  const { rowCount, cubes: all } = parts.header;
  if (cubes.length !== rows.length || positions.length !== rows.length) {
    r.fail(
      `the parts of the row map have ${rows.length}, ${cubes.length} and ${positions.length} entries`,
      at,
    );
  }
  if (assigned > rowCount || (assigned > 0 && rows[0] !== 0)) {
    r.fail(`${assigned} rows from row ${rows[0] ?? "none"} are in hypercubes, the table has ${rowCount}`, at);
  }
  for (let i = 0; i < rows.length; i++) {
    const entry = `entry ${i} of the row map`;
    const cube = all[cubes[i]!];
    if (cube === undefined) r.fail(`${entry} names hypercube ${cubes[i]}, there are ${all.length}`, at);
    const end = i + 1 < rows.length ? rows[i + 1]! : assigned;
    const below = rowsBelowLast(cube, parts.cellAxes);
    const count = end - rows[i]!;
    const last = positions[i]! + Math.ceil(count / below);
    if (!cube.hasShape || count < 1 || !(last <= cube.lastLength)) {
      r.fail(
        `${entry} puts rows ${rows[i]} to ${end - 1} at position ${
          positions[i]
        } of a hypercube of shape [${cube.shape}]`,
        at,
      );
    }
  }
}

function* open(context: ManagerContext): Plan<StorageManager> {
  const r = yield* openHeader(context);
  const { version } = r.root(TYPE);
  if (version !== 1 && version !== 2) r.unsupported(`${TYPE} has version ${version}, expected 1 or 2`);
  const parts = readParts(r, context, -1);
  const at = r.offset;
  const map = readMap(r, version);
  r.end();
  checkMap(r, map, parts, at);
  return new TiledData({ ...parts, defaultTileShape: [] }, map);
}

/** TiledDataStMan, for reading. */
export const tiledDataStMan: ManagerKind = { serves: (type) => type === TYPE, open };
