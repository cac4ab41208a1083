/**
 * A walk over the tiles that a box of some cells touches, in file order, with the part of the box in each.
 *
 * A cube's axes are those of a cell followed by those of rows (format reference part 4, section 1). On each axis the
 * selected positions are cut at the tiles' edges. What a tile holds of the box of one stack of rows is then an
 * N-dimensional box on both sides, a move. Axes along which both sides run on without a gap are joined, so that whole
 * tiles usually are moves of one axis.
 */
import type { Box } from "../../array/rows.ts";
import { stridesOf } from "../../array/rows.ts";
import type { Cube } from "./cube.ts";
import type { SectionMove } from "./moves.ts";
import type { Stack } from "./stacks.ts";

/** The part of the selected positions of an axis that lies in one tile. */
interface AxisPart {
  readonly tile: number;
  /** First position, counted from the tile's edge. */
  readonly start: number;
  readonly count: number;
  /** Selected positions before it. */
  readonly before: number;
}

/** Positions start, start + step, … of an axis, cut at the edges of tiles. Tiles without any are left out. */
class AxisCut {
  /** Number of parts. */
  readonly size: number;
  /** Length of all parts if it is the same, else -1. */
  readonly partLength: number;
  readonly #start: number;
  readonly #count: number;
  readonly #step: number;
  readonly #tileLength: number;
  readonly #firstTile: number;

  constructor(start: number, count: number, step: number, tileLength: number) {
    this.#start = start;
    this.#count = count;
    this.#step = step;
    this.#tileLength = tileLength;
    this.#firstTile = Math.floor(start / tileLength);
    const lastTile = Math.floor((start + (count - 1) * step) / tileLength);
    // With shorter steps than tiles no tile is left out, with longer ones no tile has two positions.
    this.size = count === 0 ? 0 : step >= tileLength ? count : lastTile - this.#firstTile + 1;
    this.partLength = this.size === 1 ? count : step >= tileLength ? 1 : -1;
  }

  part(i: number): AxisPart {
    const length = this.#tileLength, start = this.#start, step = this.#step;
    if (step >= length) {
      const position = start + i * step, tile = Math.floor(position / length);
      return { tile, start: position - tile * length, count: 1, before: i };
    }
    const tile = this.#firstTile + i;
    const before = i === 0 ? 0 : Math.ceil((tile * length - start) / step);
    const end = Math.min(this.#count, Math.floor(((tile + 1) * length - 1 - start) / step) + 1);
    return { tile, start: start + before * step - tile * length, count: end - before, before };
  }
}

/** The part of one stack that lies in one row of tiles. */
export interface RowPart {
  /** First pixel, counted from the tile's first, and first element in the array. */
  readonly pixel: number;
  readonly element: number;
  /** Selected positions on each row axis. */
  readonly counts: readonly number[];
  /** Distance of positions on the last axis. */
  readonly step: number;
}

/** Axes joined into one axis of moves. */
interface AxisGroup {
  readonly fileStride: number;
  readonly arrayStride: number;
  /** Length of the axes that have the same length in every tile, together. */
  length: number;
  /** The axis whose length differs from tile to tile; -1: none. No axis after it is joined. */
  varying: number;
}

/** How the tiles of one cube meet the cells of a selection. */
export class TileWalk {
  readonly cube: Cube;
  readonly #cellAxes: number;
  readonly #cuts: readonly AxisCut[];
  /** Current tile: its part of each cell axis. */
  readonly #parts: AxisPart[] = [];
  readonly #pixelStrides: readonly number[];
  readonly #fileStrides: readonly number[];
  readonly #arrayStrides: readonly number[];
  readonly #tileStrides: readonly number[];
  readonly #stacks: readonly Stack[];
  readonly #groups: readonly AxisGroup[];
  /** Group of the last axis when its stride differs from stack to stack, -1 else. */
  readonly #lastGroup: number;
  readonly #at: number;
  readonly #cellElements: number;

  /** Current tile: its number in the cube. */
  tile = 0;
  /** Current tile: the stacks' parts in it; cell axes have to be added, see {@linkcode move}. */
  rowParts: readonly RowPart[] = [];
  /** Current tile: pixels of it that are inside the cube. */
  pixelsInCube = 0;
  #pixel = 0;
  #element = 0;
  #cellSpan = 0;
  #cellPixels = 1;
  readonly #counts: number[];

  /** Last move: first pixel counted from the tile's first, element of the array, axes. */
  pixel = 0;
  element = 0;
  readonly shape: number[];
  readonly fileStrides: number[];
  readonly arrayStrides: number[];
  /** Last move: pixels from the first to the last, and pixels moved. */
  span = 0;
  moved = 0;

  /**
   * @param cellAxes Axes of a cell.
   * @param box The box of each cell, null for all of it.
   * @param stacks Cells, sorted; for cubes of several row axes without strides.
   * @param at Element of the array that belongs to index 0 of the stacks.
   */
  constructor(cube: Cube, cellAxes: number, box: Box | null, stacks: readonly Stack[], at: number) {
    this.cube = cube;
    this.#cellAxes = cellAxes;
    this.#stacks = stacks;
    this.#at = at;
    const axes = cube.shape.length;
    const boxShape = box?.shape ?? cube.shape.slice(0, cellAxes);
    this.#cuts = boxShape.map((length, axis) =>
      new AxisCut(box?.start[axis] ?? 0, length, box?.step[axis] ?? 1, cube.tileShape[axis]!)
    );
    this.#pixelStrides = stridesOf(cube.tileShape);
    const elementStrides = stridesOf([...boxShape, ...cube.shape.slice(cellAxes)]);
    let cellElements = 1;
    for (const length of boxShape) cellElements *= length;
    this.#cellElements = cellElements;
    const step = stacks[0]?.step ?? 1;
    const oneStep = stacks.every((stack) => stack.step === step || stack.count === 1);
    this.#fileStrides = this.#pixelStrides.map((stride, axis) =>
      axis < cellAxes ? stride * (box?.step[axis] ?? 1) : axis === axes - 1 ? stride * step : stride
    );
    this.#arrayStrides = elementStrides;
    let tiles = 1;
    this.#tileStrides = cube.shape.map((_, axis) => {
      const stride = tiles;
      tiles *= cube.tilesOn(axis);
      return stride;
    });
    const singles = stacks.every((stack) => stack.count === 1);
    const lengths = cube.shape.map((_, axis) => {
      return axis < cellAxes ? this.#cuts[axis]!.partLength : singles ? 1 : -1;
    });
    this.#groups = joinAxes(lengths, this.#fileStrides, this.#arrayStrides, oneStep ? axes : axes - 1);
    this.#lastGroup = oneStep ? -1 : this.#groups.length - 1;
    this.#counts = new Array(axes).fill(1);
    this.shape = this.#groups.map((group) => group.length);
    this.fileStrides = this.#groups.map((group) => group.fileStride);
    this.arrayStrides = this.#groups.map((group) => group.arrayStride);
    if (this.#groups.length === 0) {
      this.shape.push(1);
      this.fileStrides.push(1);
      this.arrayStrides.push(1);
    }
  }

  /** A move with this walk's axes, whose shape and strides change as {@linkcode move} sets them. */
  emptyMove(): { -readonly [K in keyof SectionMove]: SectionMove[K] } {
    const { shape, fileStrides, arrayStrides } = this;
    return { section: 0, pixel: 0, span: 0, element: 0, shape, fileStrides, arrayStrides };
  }

  /** Goes from tile to tile, in file order. The object yielded is the walk itself, with the tile's fields set. */
  *tiles(): Generator<TileWalk> {
    if (this.#cuts.some((cut) => cut.size === 0) || this.#stacks.length === 0) return;
    const cellTiles = this.#cellAxes === 0 ? 1 : this.#tileStrides[this.#cellAxes] ?? 1;
    const at: number[] = new Array(this.#cellAxes).fill(0);
    const goTo = (axis: number, i: number) => {
      at[axis] = i;
      this.#parts[axis] = this.#cuts[axis]!.part(i);
    };
    for (const rowTile of this.#rowTiles()) {
      this.rowParts = rowTile.parts;
      for (let axis = 0; axis < at.length; axis++) goTo(axis, 0);
      for (;;) {
        this.#enterTile(rowTile.tile * cellTiles, rowTile.pixels);
        yield this;
        let axis = 0;
        while (axis < at.length && at[axis]! + 1 === this.#cuts[axis]!.size) goTo(axis++, 0);
        if (axis === at.length) break;
        goTo(axis, at[axis]! + 1);
      }
    }
  }

  /** Sets the fields of the move of `part` in the current tile. */
  move(part: RowPart): void {
    this.pixel = this.#pixel + part.pixel;
    this.element = this.#element + part.element;
    let span = this.#cellSpan, moved = this.#cellPixels;
    const last = part.counts.length - 1;
    for (let i = 0; i <= last; i++) {
      const axis = this.#cellAxes + i, count = part.counts[i]!;
      this.#counts[axis] = count;
      moved *= count;
      if (count > 1) {
        const stride = i === last ? this.#lastStride(part) : this.#fileStrides[axis]!;
        span += (count - 1) * stride;
      }
    }
    this.span = span;
    this.moved = moved;
    for (let g = 0; g < this.#groups.length; g++) {
      const { length, varying } = this.#groups[g]!;
      this.shape[g] = varying < 0 ? length : length * this.#counts[varying]!;
    }
    if (this.#lastGroup >= 0) this.fileStrides[this.#lastGroup] = this.#lastStride(part);
  }

  #lastStride(part: RowPart): number {
    return part.step * this.#pixelStrides[this.#pixelStrides.length - 1]!;
  }

  #enterTile(tile: number, rowPixels: number): void {
    let pixel = 0, element = 0, span = 1, pixels = 1, inCube = rowPixels;
    for (let axis = 0; axis < this.#cellAxes; axis++) {
      const part = this.#parts[axis]!;
      const length = this.cube.tileShape[axis]!;
      const stride = this.#fileStrides[axis]!;
      tile += part.tile * this.#tileStrides[axis]!;
      pixel += part.start * this.#pixelStrides[axis]!;
      element += part.before * this.#arrayStrides[axis]!;
      span += (part.count - 1) * stride;
      pixels *= part.count;
      inCube *= Math.min(length, this.cube.shape[axis]! - part.tile * length);
      this.#counts[axis] = part.count;
    }
    this.tile = tile;
    this.pixelsInCube = inCube;
    this.#pixel = pixel;
    this.#element = element;
    this.#cellSpan = span;
    this.#cellPixels = pixels;
  }

  /** Rows of tiles: tile number over the row axes, parts in it, and its positions inside the cube. */
  #rowTiles(): Iterable<{ tile: number; parts: RowPart[]; pixels: number }> {
    const rowAxes = this.cube.shape.length - this.#cellAxes;
    if (rowAxes === 0) {
      // The cell is the cube; a row that is asked for several times has several stacks.
      const parts = this.#stacks.map(({ index }): RowPart => {
        return { pixel: 0, element: this.#at + index * this.#cellElements, counts: [], step: 1 };
      });
      return [{ tile: 0, parts, pixels: 1 }];
    }
    return rowAxes === 1 ? this.#oneAxis() : this.#severalAxes();
  }

  /** One row axis: the stacks are sorted, so that one pass over them meets the tiles in order. */
  *#oneAxis(): Generator<{ tile: number; parts: RowPart[]; pixels: number }> {
    const axis = this.#cellAxes, length = this.cube.tileShape[axis]!, total = this.cube.shape[axis]!;
    const stride = this.#pixelStrides[axis]!;
    let tile = -1, parts: RowPart[] = [];
    const done = () => ({ tile, parts, pixels: Math.min(length, total - tile * length) });
    for (const { position, count, step, index } of this.#stacks) {
      for (let k = 0; k < count;) {
        const first = position + k * step;
        const here = Math.floor(first / length);
        const end = Math.min(count, Math.floor(((here + 1) * length - 1 - position) / step) + 1);
        if (here !== tile) {
          if (parts.length > 0) yield done();
          tile = here;
          parts = [];
        }
        parts.push({
          pixel: (first - here * length) * stride,
          element: this.#at + (index + k) * this.#cellElements,
          counts: [end - k],
          step,
        });
        k = end;
      }
    }
    if (parts.length > 0) yield done();
  }

  /** Several row axes: the boxes that the stacks are made of, cut at the tiles' edges and sorted by tile. */
  #severalAxes(): { tile: number; parts: RowPart[]; pixels: number }[] {
    const c = this.#cellAxes, axes = this.cube.shape.length;
    const lengths = this.cube.shape.slice(c), tileLengths = this.cube.tileShape.slice(c);
    const first = this.#tileStrides[c]!;
    const byTile = new Map<number, { tile: number; parts: RowPart[]; pixels: number }>();
    for (const stack of this.#stacks) {
      for (const box of rowBoxes(stack.position, stack.count, lengths)) {
        const cuts = box.start.map((start, i) => new AxisCut(start, box.counts[i]!, 1, tileLengths[i]!));
        const at: number[] = new Array(axes - c).fill(0);
        for (;;) {
          let tile = 0, pixel = 0, rows = box.before, rowStride = 1, pixels = 1;
          const counts = cuts.map((cut, i) => {
            const part = cut.part(at[i]!);
            tile += part.tile * (this.#tileStrides[c + i]! / first);
            pixel += part.start * this.#pixelStrides[c + i]!;
            rows += part.before * rowStride;
            rowStride *= lengths[i]!;
            pixels *= Math.min(tileLengths[i]!, lengths[i]! - part.tile * tileLengths[i]!);
            return part.count;
          });
          let entry = byTile.get(tile);
          if (entry === undefined) byTile.set(tile, entry = { tile, parts: [], pixels });
          const element = this.#at + (stack.index + rows) * this.#cellElements;
          entry.parts.push({ pixel, element, counts, step: 1 });
          let axis = 0;
          while (axis < at.length && ++at[axis]! === cuts[axis]!.size) at[axis++] = 0;
          if (axis === at.length) break;
        }
      }
    }
    return [...byTile.values()].sort((a, b) => a.tile - b.tile);
  }
}

/**
 * Joins axes along which both sides of moves run on without a gap. Axes of length 1 in every tile need no axis.
 *
 * @param lengths Length of each axis in every tile, -1 where it differs.
 * @param fixed Axes from this one on have strides that differ from stack to stack and stay by themselves.
 */
function joinAxes(
  lengths: readonly number[],
  fileStrides: readonly number[],
  arrayStrides: readonly number[],
  fixed: number,
): AxisGroup[] {
  const groups: AxisGroup[] = [];
  lengths.forEach((length, axis) => {
    if (length === 1 && axis < fixed) return;
    const fileStride = fileStrides[axis]!, arrayStride = arrayStrides[axis]!;
    let group = groups.at(-1);
    const joins = group !== undefined && group.varying < 0 && axis < fixed &&
      fileStride === group.fileStride * group.length && arrayStride === group.arrayStride * group.length;
    if (!joins || group === undefined) {
      groups.push(group = { fileStride, arrayStride, length: 1, varying: -1 });
    }
    if (length < 0) group.varying = axis;
    else group.length *= length;
  });
  return groups;
}

/** Rows at consecutive positions over several row axes, as boxes; `before`: rows ahead of each. */
function* rowBoxes(
  position: number,
  count: number,
  lengths: readonly number[],
): Generator<{ start: number[]; counts: number[]; before: number }> {
  if (lengths.length === 1) {
    yield { start: [position], counts: [count], before: 0 };
    return;
  }
  const lower = lengths.slice(0, -1);
  let block = 1;
  for (const length of lower) block *= length;
  for (let before = 0; before < count;) {
    const at = position + before;
    const last = Math.floor(at / block), inBlock = at - last * block;
    const whole = Math.floor((count - before) / block);
    if (inBlock === 0 && whole > 0) {
      yield { start: [...lower.map(() => 0), last], counts: [...lower, whole], before };
      before += whole * block;
      continue;
    }
    const part = Math.min(count - before, block - inBlock);
    for (const box of rowBoxes(inBlock, part, lower)) {
      yield { start: [...box.start, last], counts: [...box.counts, 1], before: before + box.before };
    }
    before += part;
  }
}
