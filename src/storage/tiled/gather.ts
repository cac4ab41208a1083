/**
 * Reading a data column: plans that fetch sections of tiles and move boxes from them into an array.
 *
 * | case | steps |
 * | --- | --- |
 * | rows that are one run of bytes in the file, as in the array | `readInto`, one a run |
 * | such rows in the other byte order, or of bits | `gather` with extents of up to 4 MiB and one move each |
 * | anything else | `gather`: an extent a tile, shrunk to what is needed, and a move for each piece of the selection |
 */
import type { Box } from "../../array/rows.ts";
import type { MoveList } from "../../array/moves.ts";
import type { Extent, GatherStep, Plan } from "../../io/plan.ts";
import type { Cube } from "./cube.ts";
import {
  byteAfter,
  cutMove,
  firstByte,
  MAX_EXTENT_BYTES,
  moveList,
  type PixelFormat,
  pushMove,
  type SectionMove,
  SKIP_BYTES,
} from "./moves.ts";
import type { CubeStacks, Stack } from "./stacks.ts";
import { TileWalk } from "./walk.ts";

/** Extents, moves and bytes after which a gather step ends, so that the lists stay small. */
const MAX_EXTENTS = 4096, MAX_MOVES = 32768, MAX_STEP_BYTES = 64 * 1024 * 1024;

/** Shorter runs of bytes are gathered rather than read one by one. */
const MIN_RUN_BYTES = 64 * 1024;

/** Where the sections of one data column are. */
export interface SectionPlace {
  readonly format: PixelFormat;
  /** Axes of a cell. */
  readonly cellAxes: number;
  fileName(cube: Cube): string;
  bucketSize(cube: Cube): number;
  sectionOffset(cube: Cube): number;
  sectionLength(cube: Cube): number;
}

/** Plan: a box (null: all) of the cells of some stacks into an array, whose element `at` belongs to index 0. */
export function* gatherCells(
  place: SectionPlace,
  selection: readonly CubeStacks[],
  box: Box | null,
  target: Uint8Array,
  at: number,
): Plan<void> {
  const batch = new GatherBatch(place.format, target);
  for (const { cube, stacks } of selection) {
    const pixels = box === null ? linearCellPixels(place, cube) : 0;
    if (pixels > 0 && areLongRuns(place.format, stacks, pixels)) {
      for (const stack of stacks) yield* gatherRun(place, batch, cube, stack, pixels, target, at);
    } else {
      yield* gatherTiles(place, batch, new TileWalk(cube, place.cellAxes, box, stacks, at));
    }
  }
  yield* batch.flush();
}

/**
 * Pixels of a cell if consecutive cells follow each other in the file without a gap, across tiles; else 0. That takes
 * one data column, one row axis, and tiles as large as a cell.
 */
export function linearCellPixels(place: SectionPlace, cube: Cube): number {
  const rowAxes = cube.shape.length - place.cellAxes;
  if (rowAxes !== 1 || place.sectionLength(cube) !== place.bucketSize(cube)) return 0;
  // Bits of the next tile start at a whole byte.
  if (cube.tilePixels * place.format.bits % 8 !== 0) return 0;
  let pixels = 1;
  for (let axis = 0; axis < place.cellAxes; axis++) {
    if (cube.tileShape[axis] !== cube.shape[axis]) return 0;
    pixels *= cube.shape[axis]!;
  }
  return pixels;
}

/** True when stacks are worth a step of their own each. */
export function areLongRuns(format: PixelFormat, stacks: readonly Stack[], cellPixels: number): boolean {
  let rows = 0;
  for (const { count, step } of stacks) {
    if (step !== 1) return false;
    rows += count;
  }
  return stacks.length === 1 || rows * cellPixels * format.bits / 8 >= stacks.length * MIN_RUN_BYTES;
}

function* gatherRun(
  place: SectionPlace,
  batch: GatherBatch,
  cube: Cube,
  stack: Stack,
  cellPixels: number,
  target: Uint8Array,
  at: number,
): Plan<void> {
  const { format } = place;
  const pixel = stack.position * cellPixels, span = stack.count * cellPixels;
  const element = at + stack.index * cellPixels;
  if (format.kind === "bytes" && format.swapUnit === 1) {
    const start = element * format.size;
    yield {
      kind: "readInto",
      file: place.fileName(cube),
      offset: cube.offset + pixel * format.size,
      target: target.subarray(start, start + span * format.size),
    };
    return;
  }
  const run = {
    section: cube.offset,
    pixel,
    span,
    element,
    shape: [span],
    fileStrides: [1],
    arrayStrides: [1],
  };
  for (const move of cutMove(format, run)) yield* batch.add(place.fileName(cube), move, false);
}

function* gatherTiles(place: SectionPlace, batch: GatherBatch, walk: TileWalk): Plan<void> {
  const { cube } = walk;
  const file = place.fileName(cube);
  const bucketSize = place.bucketSize(cube), sectionOffset = place.sectionOffset(cube);
  const { format } = place;
  const limit = Math.floor(MAX_EXTENT_BYTES * 8 / format.bits);
  const move = { ...walk.emptyMove() };
  for (const { tile, rowParts } of walk.tiles()) {
    move.section = cube.offset + tile * bucketSize + sectionOffset;
    for (const part of rowParts) {
      walk.move(part);
      move.pixel = walk.pixel;
      move.span = walk.span;
      move.element = walk.element;
      if (walk.span > limit) {
        for (const piece of cutMove(format, move)) yield* batch.add(file, piece, false);
      } else if (batch.accepts(file, move)) batch.push(move, true);
      else yield* batch.add(file, move, true);
    }
  }
}

/** Collects moves for one gather step. */
class GatherBatch {
  readonly #format: PixelFormat;
  readonly #target: Uint8Array;
  #file = "";
  #moves: MoveList | null = null;
  #extents: Extent[] = [];
  #bytes = 0;
  /** The extent that still grows. */
  #start = 0;
  #end = -1;
  #firstMove = 0;
  #section = -1;

  constructor(format: PixelFormat, target: Uint8Array) {
    this.#format = format;
    this.#target = target;
  }

  /** True when the move can go into the current step: same file and axes, not before what is there, room left. */
  accepts(file: string, move: SectionMove): boolean {
    return this.#moves !== null && this.#moves.ndim === move.shape.length && this.#file === file &&
      this.#moves.count < MAX_MOVES && this.#extents.length + 1 < MAX_EXTENTS &&
      this.#bytes < MAX_STEP_BYTES &&
      firstByte(this.#format, move.section, move.pixel) >= this.#start;
  }

  /** Adds a move that is accepted. `near`: it may share an extent with the moves of the same section before it. */
  push(move: SectionMove, near: boolean): void {
    const start = firstByte(this.#format, move.section, move.pixel);
    const end = byteAfter(this.#format, move.section, move.pixel + move.span - 1);
    const joined = Math.max(end, this.#end);
    const isNear = start < this.#end ||
      (near && move.section === this.#section && start - this.#end <= SKIP_BYTES);
    const joins = end <= this.#end || (isNear && joined - this.#start <= MAX_EXTENT_BYTES);
    if (!joins) {
      this.#closeExtent();
      this.#start = start;
      this.#end = end;
      this.#section = move.section;
    } else this.#end = joined;
    pushMove(this.#moves!, this.#format, move);
  }

  /** Plan: adds a move, after the current step if it doesn't go into that. */
  *add(file: string, move: SectionMove, near: boolean): Plan<void> {
    if (!this.accepts(file, move)) {
      yield* this.flush();
      this.#file = file;
      this.#moves = moveList(this.#format, move.shape.length);
    }
    this.push(move, near);
  }

  /** Plan: the step for what was collected. */
  *flush(): Plan<void> {
    if (this.#moves === null) return;
    this.#closeExtent();
    const step: GatherStep = {
      kind: "gather",
      file: this.#file,
      extents: this.#extents,
      moves: this.#moves,
      target: this.#target,
    };
    this.#moves = null;
    this.#extents = [];
    this.#bytes = 0;
    this.#firstMove = 0;
    this.#start = 0;
    this.#end = -1;
    this.#section = -1;
    yield step;
  }

  #closeExtent(): void {
    const moveCount = this.#moves!.count - this.#firstMove;
    if (moveCount === 0) return;
    const length = this.#end - this.#start;
    this.#extents.push({ offset: this.#start, length, firstMove: this.#firstMove, moveCount });
    this.#bytes += length;
    this.#firstMove = this.#moves!.count;
  }
}
