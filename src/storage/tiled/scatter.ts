/**
 * Writing a data column: plans that lay boxes of an array over sections of tiles.
 *
 * | case | steps |
 * | --- | --- |
 * | rows that are one run of bytes in the file, as in the array | `write`, one a run |
 * | such rows in the other byte order, or of bits at whole bytes | `scatter`, fresh, up to 4 MiB each |
 * | a section all of whose pixels inside the cube are given | `scatter`, fresh; neighbours together |
 * | a tile that isn't in the file yet | `scatter`, fresh: what isn't given is zero |
 * | part of a section | `scatter` over the bytes that are touched; read first unless all of them are given |
 *
 * Sections of other data columns in the same tiles keep their bytes. Pixels outside the cube are zero (format
 * reference part 4, section 5.3).
 */
import type { Box } from "../../array/rows.ts";
import type { MoveList } from "../../array/moves.ts";
import type { Plan, Step } from "../../io/plan.ts";
import type { Carry } from "./carry.ts";
import type { Cube } from "./cube.ts";
import { areLongRuns, linearCellPixels, type SectionPlace } from "./gather.ts";
import type { TsmFile } from "./header.ts";
import {
  byteAfter,
  cutMove,
  firstByte,
  MAX_EXTENT_BYTES,
  moveList,
  type PixelFormat,
  pushMove,
  type SectionMove,
} from "./moves.ts";
import type { CubeStacks, Stack } from "./stacks.ts";
import { TileWalk } from "./walk.ts";

/** Up to this many runs are written one by one, however short they are. */
const FEW_RUNS = 16;

/** Bytes between two stretches that are read and written along rather than left out. */
const MERGE_GAP_BYTES = 4096;

/** Tiles of a cube that go to another file while some of their cells are written. */
export interface Carried {
  readonly carry: Carry;
  /** Tiles of the cube that may be in that file in the end. */
  readonly tiles: number;
  /** Bytes of the cube that must be. */
  readonly bytes: number;
}

/** Plan: a box (null: all) of the cells of some stacks, no two of them at one place, from an array. */
export function* scatterCells(
  place: SectionPlace,
  selection: readonly CubeStacks[],
  fileOf: (cube: Cube) => TsmFile,
  box: Box | null,
  source: Uint8Array,
  at: number,
  carried?: Carried,
): Plan<void> {
  for (const { cube, stacks } of selection) {
    const file = fileOf(cube);
    const batch = new ScatterBatch(place.format, place.fileName(cube), file, source);
    const pixels = box === null ? linearCellPixels(place, cube) : 0;
    const runs = pixels > 0 &&
      (areLongRuns(place.format, stacks, pixels) ||
        (stacks.length <= FEW_RUNS && stacks.every((stack) => stack.step === 1)));
    if (runs && stacks.every((stack) => isWholeBytes(place.format, cube, stack, pixels))) {
      for (const stack of stacks) {
        yield* carryToRun(place, batch, cube, stack, pixels, carried);
        yield* scatterRun(place, batch, cube, stack, pixels, source, at);
      }
    } else {
      yield* scatterTiles(place, batch, new TileWalk(cube, place.cellAxes, box, stacks, at), carried);
    }
    if (carried !== undefined) yield* carried.carry.upTo(batch, carried.bytes);
    yield* batch.flush();
  }
}

/** Plan: copies what lies between the runs before and this one. */
function* carryToRun(
  place: SectionPlace,
  batch: ScatterBatch,
  cube: Cube,
  stack: Stack,
  cellPixels: number,
  carried: Carried | undefined,
): Plan<void> {
  if (carried === undefined) return;
  const bytes = (cells: number) => Math.ceil(cells * cellPixels * place.format.bits / 8);
  const end = stack.position + stack.count;
  yield* carried.carry.upTo(batch, bytes(stack.position));
  // Pixels behind the cube's end are zero, and need no copying.
  carried.carry.skip(end === cube.lastLength ? Infinity : bytes(end));
}

/** True when a run shares no byte with pixels that stay. */
function isWholeBytes(format: PixelFormat, cube: Cube, stack: Stack, cellPixels: number): boolean {
  if (format.kind === "bytes") return true;
  const end = (stack.position + stack.count) * cellPixels;
  return stack.position * cellPixels % 8 === 0 && (end % 8 === 0 || end === cube.lastLength * cellPixels);
}

function* scatterRun(
  place: SectionPlace,
  batch: ScatterBatch,
  cube: Cube,
  stack: Stack,
  cellPixels: number,
  source: Uint8Array,
  at: number,
): Plan<void> {
  const { format } = place;
  const pixel = stack.position * cellPixels, span = stack.count * cellPixels;
  const element = at + stack.index * cellPixels;
  if (format.kind === "bytes" && format.swapUnit === 1) {
    const start = element * format.size;
    const offset = cube.offset + pixel * format.size;
    const bytes = source.subarray(start, start + span * format.size);
    yield* batch.other({ kind: "write", file: batch.name, offset, bytes }, offset + bytes.length);
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
  for (const move of cutMove(format, run)) {
    const start = firstByte(format, move.section, move.pixel);
    yield* batch.open(start, byteAfter(format, move.section, move.pixel + move.span - 1), true, 1);
    batch.push(move);
  }
}

function* scatterTiles(
  place: SectionPlace,
  batch: ScatterBatch,
  walk: TileWalk,
  carried?: Carried,
): Plan<void> {
  const { cube } = walk;
  const { format } = place;
  const bucketSize = place.bucketSize(cube), sectionOffset = place.sectionOffset(cube);
  const sectionLength = place.sectionLength(cube);
  const isMostOfTile = 2 * sectionLength >= bucketSize;
  const whole = { offset: sectionOffset, length: sectionLength };
  const move = { ...walk.emptyMove() };
  for (const { tile, rowParts, pixelsInCube } of walk.tiles()) {
    const tileStart = cube.offset + tile * bucketSize;
    const section = move.section = tileStart + sectionOffset;
    let first = Infinity, last = -1, moved = 0;
    for (const part of rowParts) {
      walk.move(part);
      first = Math.min(first, walk.pixel);
      last = Math.max(last, walk.pixel + walk.span - 1);
      moved += walk.moved;
    }
    if (carried !== undefined) {
      yield* carried.carry.tile(batch, tile, moved === pixelsInCube, whole, carried.tiles);
    }
    let start = firstByte(format, section, first), end = byteAfter(format, section, last);
    const isNew = tileStart >= batch.fileEnd;
    let fresh = true;
    if (isNew && isMostOfTile) [start, end] = [tileStart, tileStart + bucketSize];
    else if (isNew || moved === pixelsInCube) [start, end] = [section, section + sectionLength];
    else fresh = start >= batch.fileEnd || (moved === last - first + 1 && isByteRange(format, first, last));
    if (end - start > MAX_EXTENT_BYTES) {
      yield* scatterInPieces(place, batch, walk, rowParts, section, tileStart + bucketSize);
      continue;
    }
    yield* batch.open(start, end, fresh, move.shape.length);
    for (const part of rowParts) {
      walk.move(part);
      move.pixel = walk.pixel;
      move.span = walk.span;
      move.element = walk.element;
      batch.push(move);
    }
  }
}

/** True when pixels `first` to `last` fill whole bytes. */
function isByteRange(format: PixelFormat, first: number, last: number): boolean {
  return first * format.bits % 8 === 0 && (last + 1) * format.bits % 8 === 0;
}

/** Plan: a part of a tile that is too large for one step. */
function* scatterInPieces(
  place: SectionPlace,
  batch: ScatterBatch,
  walk: TileWalk,
  rowParts: TileWalk["rowParts"],
  section: number,
  tileEnd: number,
): Plan<void> {
  const { format } = place;
  if (tileEnd > batch.fileEnd) {
    yield* batch.other({ kind: "resize", file: batch.name, length: tileEnd, shrink: false }, tileEnd);
  }
  for (const part of rowParts) {
    walk.move(part);
    const { pixel, span, element } = walk;
    for (const piece of cutMove(format, { ...walk.emptyMove(), section, pixel, span, element })) {
      let pixels = 1;
      for (const length of piece.shape) pixels *= length;
      const last = piece.pixel + piece.span - 1;
      const fresh = pixels === piece.span && isByteRange(format, piece.pixel, last);
      const start = firstByte(format, section, piece.pixel);
      yield* batch.open(start, byteAfter(format, section, last), fresh, piece.shape.length);
      batch.push(piece);
    }
  }
}

/** Collects neighbouring stretches of one file for a scatter step. */
class ScatterBatch {
  /** Name of the file. */
  readonly name: string;
  /** Bytes that the file will have after what was collected. */
  fileEnd: number;
  readonly #format: PixelFormat;
  readonly #file: TsmFile;
  readonly #source: Uint8Array;
  #moves: MoveList | null = null;
  #start = 0;
  #end = 0;
  #fresh = false;

  constructor(format: PixelFormat, name: string, file: TsmFile, source: Uint8Array) {
    this.#format = format;
    this.#file = file;
    this.#source = source;
    this.name = name;
    this.fileEnd = file.physical ?? 0;
  }

  /**
   * Plan: makes `start` to `end` part of the current step, or of a new one if they don't go together. Stretches come
   * in ascending order, but for rows that were given in pieces.
   *
   * @param fresh True when every byte of the stretch that no move covers is to be zero.
   */
  *open(start: number, end: number, fresh: boolean, ndim: number): Plan<void> {
    const follows = fresh
      ? start === this.#end
      : start >= this.#start && start - this.#end <= MERGE_GAP_BYTES;
    const joins = this.#moves !== null && this.#moves.ndim === ndim && fresh === this.#fresh && follows &&
      end - this.#start <= MAX_EXTENT_BYTES;
    if (!joins) {
      yield* this.flush();
      // A stretch that is to be read must be in the file to its end.
      if (!fresh && end > this.fileEnd) {
        yield* this.other({ kind: "resize", file: this.name, length: end, shrink: false }, end);
      }
      this.#moves = moveList(this.#format, ndim);
      this.#start = start;
      this.#end = end;
      this.#fresh = fresh;
    } else {
      if (!fresh && end > this.fileEnd) {
        yield { kind: "resize", file: this.name, length: end, shrink: false };
      }
      this.#end = Math.max(this.#end, end);
    }
    this.fileEnd = Math.max(this.fileEnd, end);
  }

  /** Adds a move within the stretch that was opened last. */
  push(move: SectionMove): void {
    pushMove(this.#moves!, this.#format, move);
  }

  /** Plan: a step of another kind, after which the file has at least `end` bytes. */
  *other(step: Step, end: number): Plan<void> {
    yield* this.flush();
    yield step;
    this.fileEnd = Math.max(this.fileEnd, end);
    this.#file.physical = this.fileEnd;
  }

  /** Plan: the step for what was collected. */
  *flush(): Plan<void> {
    const moves = this.#moves;
    if (moves === null) return;
    this.#moves = null;
    yield {
      kind: "scatter",
      file: this.name,
      extent: { offset: this.#start, length: this.#end - this.#start, firstMove: 0, moveCount: moves.count },
      fresh: this.#fresh,
      moves,
      source: this.#source,
    };
    this.#file.physical = Math.max(this.#file.physical ?? 0, this.#end);
  }
}
