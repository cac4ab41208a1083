/**
 * TiledCellStMan: a hypercube for each row, which is the cell. Format reference part 4.
 *
 * | field of `table.f<N>` | type | section |
 * | --- | --- | --- |
 * | root object TiledCellStMan version 1 | | 3.1 |
 * | default tile shape | IPosition | as the user gave it |
 * | TiledStMan | object, with a cube for each row | 3.2 |
 *
 * A cube without shape is an undefined cell. All cubes are in data file 0.
 */
import type { Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { ManagerContext, ManagerKind, StorageManager } from "../manager.ts";
import { openHeader, readParts, TiledManager } from "./manager.ts";
import type { Segment } from "./stacks.ts";

const TYPE = "TiledCellStMan";

class TiledCell extends TiledManager {
  override *locate(rows: Rows): Iterable<Segment> {
    const { cubes } = this.header;
    for (const { row, count, index } of rows.runs()) {
      for (let k = 0; k < count; k++) {
        const cube = cubes[row + k]!;
        yield { cube: cube.hasShape ? cube : null, position: 0, count: 1, index: index + k };
      }
    }
  }
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
  return new TiledCell({ ...parts, defaultTileShape });
}

/** TiledCellStMan, for reading. */
export const tiledCellStMan: ManagerKind = { serves: (type) => type === TYPE, open };
