/**
 * A hypercube: an N-dimensional array kept as equally sized tiles. Format reference part 4, sections 1 and 5.1.
 *
 * | tile | at byte of the cube's file |
 * | --- | --- |
 * | t on the axes, with T tiles an axis | offset + bucketSize × (t0 + T0 × (t1 + T1 × (t2 + …))) |
 *
 * Every tile is stored whole, also where it sticks out of the cube. The last axis may grow: that adds tiles at the end.
 */
import type { CubeValues } from "./cube-values.ts";

/** One hypercube. A cube without shape has no axes: an undefined cell, or the dummy of TiledShapeStMan. */
export class Cube {
  /** Coordinate and id values. */
  values: CubeValues;
  /** True when the last axis can grow. */
  readonly extensible: boolean;
  /** Lengths of the axes, the cell's first, then those of rows. */
  readonly shape: number[];
  /** Lengths of a tile. */
  readonly tileShape: readonly number[];
  /** Number of its file `_TSM<k>`, -1 for none. */
  file: number;
  /** Where tile 0 starts in that file, in bytes. */
  offset: number;
  /** Pixels of a tile. */
  readonly tilePixels: number;

  constructor(
    shape: number[],
    tileShape: readonly number[],
    place: { file: number; offset: number; extensible: boolean; values: CubeValues },
  ) {
    this.shape = shape;
    this.tileShape = tileShape;
    this.file = place.file;
    this.offset = place.offset;
    this.extensible = place.extensible;
    this.values = place.values;
    let pixels = 1;
    for (const length of tileShape) pixels *= length;
    this.tilePixels = pixels;
  }

  /** False for a cube that is no array at all. */
  get hasShape(): boolean {
    return this.shape.length > 0;
  }

  /** Length of the last axis. */
  get lastLength(): number {
    return this.shape[this.shape.length - 1] ?? 0;
  }

  /** Tiles on an axis. */
  tilesOn(axis: number): number {
    return Math.ceil(this.shape[axis]! / this.tileShape[axis]!);
  }

  /** Tiles that share one tile position on the last axis. */
  get tilesBelowLast(): number {
    let tiles = 1;
    for (let axis = 0; axis < this.shape.length - 1; axis++) tiles *= this.tilesOn(axis);
    return tiles;
  }

  /** All tiles. */
  get tiles(): number {
    return this.hasShape ? this.tilesBelowLast * this.tilesOn(this.shape.length - 1) : 0;
  }

  /** Tiles up to and including those that hold position `last` of the last axis. */
  tilesUpTo(last: number): number {
    return this.tilesBelowLast * (Math.floor(last / this.tileShape[this.shape.length - 1]!) + 1);
  }
}
