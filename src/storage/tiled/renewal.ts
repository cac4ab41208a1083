/**
 * Overwriting most of a hypercube: its tiles go to a new data file, and the header then names that one.
 *
 * Tiles that a commit holds can't simply be overwritten: their old bytes must be kept until the next commit is complete,
 * which costs as much as writing them. So where most of a cube is overwritten, as CORRECTED_DATA of a whole MeasurementSet
 * is, the new tiles go to a file that no commit holds yet. Nothing then needs to be kept: until the header is replaced the
 * old file counts, and afterwards it is removed.
 *
 * | rows of the cube | where they are until the flush |
 * | --- | --- |
 * | before the edge | in the new file |
 * | from there on | in the old file |
 *
 * The edge is at the end of a tile row (the tiles that have one place on the cube's last axis), or behind any row where
 * rows are runs of bytes that follow each other.
 *
 * A column is seldom put at once, mostly in stretches of rows from the first to the last. So the edge moves on with each
 * put, and only what the puts leave out is copied. What has not been put when the table is flushed decides: with half of
 * the cube or more in the new file, the rest is copied to it; with less, the tiles are put back into the old file, which
 * is what would have happened without, and the cube is then not begun a second time unless half of it is put at once.
 *
 * It needs that nobody else has the table open: casacore looks up the file of a cube when it opens the table and never
 * again, and goes on with a file object that it has deleted when the header names the file no more (3.5 crashes).
 *
 * TiledCellStMan stays with its one file, to which casacore adds new cells.
 */
import type { Box } from "../../array/rows.ts";
import { committedSize, type Plan, type Step } from "../../io/plan.ts";
import { Carry, type CarryTarget } from "./carry.ts";
import { Cube } from "./cube.ts";
import { linearCellPixels, type SectionPlace } from "./gather.ts";
import type { TsmFile } from "./header.ts";
import { dataName } from "./manager.ts";
import { scatterCells } from "./scatter.ts";
import type { CubeStacks, Stack } from "./stacks.ts";
import type { WritableTiled } from "./writable.ts";

/** From which sizes on it pays, in bytes. */
export interface RenewalLimits {
  /** Smaller cubes are overwritten in place. */
  readonly cubeBytes: number;
  /** Puts that touch fewer bytes of tiles don't begin it. */
  readonly putBytes: number;
}

const LIMITS: RenewalLimits = { cubeBytes: 1024 * 1024, putBytes: 256 * 1024 };

/** A cube on its way to a new file. */
interface Renewal {
  /** As it is in the header, with the old file. */
  readonly old: Cube;
  /** The same cube in the new file; both have one shape array. */
  readonly renewed: Cube;
  /** Bytes of a row where rows follow each other in the file, else 0. */
  readonly rowBytes: number;
  /** Position of the first row that isn't in the new file yet. */
  edge: number;
}

/** The cubes of one manager that are on their way to new files. */
export class Renewals {
  /** Smaller in tests. */
  limits: RenewalLimits = LIMITS;
  readonly #manager: WritableTiled;
  readonly #open = new Map<Cube, Renewal>();
  /** Cubes that went back to their old files. */
  readonly #wentBack = new Set<Cube>();
  /** Data files that the header no longer names. */
  #left: number[] = [];

  constructor(manager: WritableTiled) {
    this.#manager = manager;
  }

  /** A selection with each stack at the file where its tiles are. */
  placed(selection: readonly CubeStacks[]): readonly CubeStacks[] {
    if (this.#open.size === 0) return selection;
    return selection.flatMap(({ cube, stacks }): CubeStacks[] => {
      const renewal = this.#open.get(cube);
      if (renewal === undefined) return [{ cube, stacks }];
      const [before, behind] = split(stacks, renewal.edge);
      return [{ cube: renewal.renewed, stacks: before }, { cube, stacks: behind }].filter(
        (part) => part.stacks.length > 0,
      );
    });
  }

  /** Plan: as scatterCells, with cubes of which most is written going to new files. */
  *write(
    place: SectionPlace,
    selection: readonly CubeStacks[],
    box: Box | null,
    source: Uint8Array,
    at: number,
  ): Plan<void> {
    const manager = this.#manager;
    const fileOf = (cube: Cube) => manager.fileOf(cube);
    const rest: CubeStacks[] = [];
    for (const { cube, stacks } of selection) {
      const renewal = this.#open.get(cube) ?? (yield* this.#begun(place, cube, stacks, box));
      if (renewal === undefined) {
        rest.push({ cube, stacks });
        continue;
      }
      const { renewed } = renewal, rows = this.#rowsOf(cube);
      const [before, behind] = split(stacks, renewal.edge);
      if (before.length > 0) {
        yield* scatterCells(place, [{ cube: renewed, stacks: before }], fileOf, box, source, at);
      }
      if (behind.length === 0) continue;
      const { count, end } = tileRows(behind, rows);
      // Where more would have to be copied than is written, the old file takes it.
      if (2 * count < end - Math.floor(renewal.edge / rows)) {
        rest.push({ cube, stacks: behind });
        continue;
      }
      yield* manager.settle([fileOf(cube)]);
      const edge = renewal.rowBytes > 0 ? endOf(behind) : Math.min(end * rows, this.#positions(cube));
      const carried = {
        carry: this.#carry(renewal),
        tiles: end * cube.tilesBelowLast,
        bytes: this.#bytesTo(renewal, edge),
      };
      yield* scatterCells(place, [{ cube: renewed, stacks: behind }], fileOf, box, source, at, carried);
      this.#reached(renewal, edge);
    }
    for (const { cube } of rest) yield* manager.physicalSize(fileOf(cube));
    yield* scatterCells(place, rest, fileOf, box, source, at);
  }

  /** Plan: what a flush does before it writes the header: no cube is left in two files. */
  *settle(): Plan<void> {
    for (const renewal of [...this.#open.values()]) {
      if (2 * renewal.edge >= this.#positions(renewal.old)) yield* this.#finish(renewal);
      else yield* this.#goBack(renewal);
    }
  }

  /** Plan: what a flush does when the new header is there. */
  *removeLeft(): Plan<void> {
    for (const number of this.#left) {
      yield { kind: "remove", file: dataName(this.#manager.sequence, number) };
    }
    this.#left = [];
  }

  /** Rows of the table in a tile row. */
  #rowsOf(cube: Cube): number {
    let rows = cube.tileShape[cube.shape.length - 1]!;
    for (let axis = this.#manager.cellAxes; axis < cube.shape.length - 1; axis++) rows *= cube.shape[axis]!;
    return rows;
  }

  /** Positions of rows. */
  #positions(cube: Cube): number {
    return cube.lastLength * this.#rowsOf(cube) / cube.tileShape[cube.shape.length - 1]!;
  }

  /** Bytes of the tiles that hold the positions before `edge`. */
  #bytesTo({ old, rowBytes }: Renewal, edge: number): number {
    if (rowBytes > 0 && edge < this.#positions(old)) return edge * rowBytes;
    return Math.ceil(edge / this.#rowsOf(old)) * old.tilesBelowLast * this.#manager.bucketSize(old);
  }

  #carry(renewal: Renewal): Carry {
    const manager = this.#manager, { old, renewed } = renewal;
    return new Carry(
      { file: manager.fileName(old), cube: old },
      { file: manager.fileName(renewed), cube: renewed },
      manager.bucketSize(old),
      this.#bytesTo(renewal, renewal.edge),
    );
  }

  /** Plan: begins with a cube, if that pays for what is about to be written. */
  *#begun(
    place: SectionPlace,
    cube: Cube,
    stacks: readonly Stack[],
    box: Box | null,
  ): Plan<Renewal | undefined> {
    const manager = this.#manager, bucketSize = manager.bucketSize(cube);
    const rowBytes = cube.tilesBelowLast * bucketSize;
    const { cubeBytes, putBytes } = this.limits;
    if (manager.context.alone === undefined || rowBytes * lastRow(cube) < cubeBytes) return undefined;
    // Most of the bytes of the tiles are other columns', or in tiles that the box leaves out.
    if (2 * place.sectionLength(cube) * shareOfTiles(cube, box) < bucketSize) return undefined;
    const rows = this.#rowsOf(cube), all = tileRows(stacks, rows);
    if (all.count * rowBytes < putBytes || 2 * all.count < all.end) return undefined;
    if (!manager.canRenew(cube)) return undefined;
    // What was appended since the last commit can be overwritten at no cost.
    const committed = yield* committedSize(manager.fileName(cube));
    const held = Math.min(lastRow(cube), Math.ceil((committed - cube.offset) / rowBytes));
    if (held <= 0 || held * rowBytes < cubeBytes) return undefined;
    const { count, end } = tileRows(split(stacks, held * rows)[0], rows);
    if (count * rowBytes < putBytes || 2 * count < end) return undefined;
    if (this.#wentBack.has(cube) && 2 * count < held) return undefined;
    if (!manager.hasFreeFile || !manager.context.alone()) return undefined;
    const number = yield* manager.freeFileNumber();
    yield* manager.makeFile(number);
    const renewed = new Cube(cube.shape, cube.tileShape, {
      file: number,
      offset: 0,
      extensible: cube.extensible,
      values: cube.values,
    });
    const run = linearCellPixels(place, cube) * place.format.bits / 8;
    const renewal = { old: cube, renewed, rowBytes: Number.isInteger(run) ? run : 0, edge: 0 };
    this.#open.set(cube, renewal);
    return renewal;
  }

  /** What is before `edge` is in the new file now; with all of it there the cube has moved. */
  #reached(renewal: Renewal, edge: number): void {
    const { old, renewed } = renewal, manager = this.#manager;
    const file = manager.fileOf(renewed);
    renewal.edge = edge;
    file.length = this.#bytesTo(renewal, edge);
    file.grown = true;
    if (edge < this.#positions(old)) return;
    const left = old.file;
    old.file = renewed.file;
    old.offset = renewed.offset;
    this.#open.delete(old);
    this.#wentBack.delete(old);
    this.#left.push(left);
    manager.forgetFile(left);
  }

  /** Plan: copies what is still missing in the new file. */
  *#finish(renewal: Renewal): Plan<void> {
    const { old, renewed } = renewal, manager = this.#manager;
    yield* manager.settle([manager.fileOf(old)]);
    yield* this.#carry(renewal).upTo(
      new CopyTarget(manager.fileOf(renewed)),
      old.tiles * manager.bucketSize(old),
    );
    this.#reached(renewal, this.#positions(old));
  }

  /** Plan: puts tiles of the new file back into the old one. */
  *#goBack(renewal: Renewal): Plan<void> {
    const { old, renewed } = renewal, manager = this.#manager;
    const number = renewed.file;
    const back = new Carry(
      { file: manager.fileName(renewed), cube: renewed },
      { file: manager.fileName(old), cube: old },
      manager.bucketSize(old),
      0,
    );
    yield* manager.settle([manager.fileOf(renewed)]);
    yield* manager.physicalSize(manager.fileOf(old));
    yield* back.upTo(new CopyTarget(manager.fileOf(old)), this.#bytesTo(renewal, renewal.edge));
    yield { kind: "remove", file: dataName(manager.sequence, number) };
    this.#open.delete(old);
    this.#wentBack.add(old);
    manager.forgetFile(number);
  }
}

/** A file that only copies go to. */
class CopyTarget implements CarryTarget {
  readonly #file: TsmFile;

  constructor(file: TsmFile) {
    this.#file = file;
  }

  *other(step: Step, end: number): Plan<void> {
    yield step;
    this.#file.physical = Math.max(this.#file.physical ?? 0, end);
  }
}

/** Position after the last one of stacks. */
function endOf(stacks: readonly Stack[]): number {
  const { position, count, step } = stacks.at(-1)!;
  return position + (count - 1) * step + 1;
}

/** Tile rows of a cube. */
function lastRow(cube: Cube): number {
  return cube.tilesOn(cube.shape.length - 1);
}

/** Stacks before a position and from it on. */
export function split(stacks: readonly Stack[], position: number): [before: Stack[], behind: Stack[]] {
  const before: Stack[] = [], behind: Stack[] = [];
  for (const stack of stacks) {
    const fitting = Math.ceil((position - stack.position) / stack.step);
    const count = Math.max(0, Math.min(stack.count, fitting));
    if (count > 0) before.push({ ...stack, count });
    if (count < stack.count) {
      behind.push({
        position: stack.position + count * stack.step,
        count: stack.count - count,
        step: stack.step,
        index: stack.index + count,
      });
    }
  }
  return [before, behind];
}

/** How many tile rows stacks touch, and the one behind the last of them. `rows`: positions in a tile row. */
function tileRows(stacks: readonly Stack[], rows: number): { count: number; end: number } {
  let count = 0, end = 0;
  for (const stack of stacks) {
    const last = Math.floor((stack.position + (stack.count - 1) * stack.step) / rows);
    const first = Math.max(end, Math.floor(stack.position / rows));
    count += Math.max(0, Math.min(last - first + 1, stack.count));
    end = Math.max(end, last + 1);
  }
  return { count, end };
}

/** Share of the tiles of a tile row that a box of each cell touches. */
function shareOfTiles(cube: Cube, box: Box | null): number {
  let share = 1;
  for (let axis = 0; axis < (box?.shape.length ?? 0); axis++) {
    const start = box!.start[axis]!, count = box!.shape[axis]!, tile = cube.tileShape[axis]!;
    const last = start + (count - 1) * box!.step[axis]!;
    share *= Math.min(count, Math.floor(last / tile) - Math.floor(start / tile) + 1) / cube.tilesOn(axis);
  }
  return share;
}
