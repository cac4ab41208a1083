/**
 * From a selection of rows to stacks: cells that stand at regular positions of a hypercube and go to consecutive
 * places of an array. Tiles must be visited in file order whatever the order in which rows are asked, so the
 * stacks of a cube are sorted by position.
 */
import type { Cube } from "./cube.ts";

/** Consecutive rows of a selection that are at consecutive positions of a cube; no cube: undefined cells. */
export interface Segment {
  readonly cube: Cube | null;
  /** Position of the first row, counted over the cube's row axes together, first of them fastest. */
  readonly position: number;
  readonly count: number;
  /** Place of the first row in the selection. */
  readonly index: number;
}

/** Cells at positions `position`, `position + step`, … that are `index`, `index + 1`, … in the selection. */
export interface Stack {
  readonly position: number;
  readonly count: number;
  /** At least 1. */
  readonly step: number;
  readonly index: number;
}

/** The cells of one cube. */
export interface CubeStacks {
  readonly cube: Cube;
  /** Sorted by position; no two overlap, except equal single positions when rows repeat. */
  readonly stacks: readonly Stack[];
}

/** Segments of one cube as they come. */
class Collector {
  readonly positions: number[] = [];
  readonly counts: number[] = [];
  readonly indexes: number[] = [];
  rows = 0;
  sorted = true;
  #end = -1;

  add(position: number, count: number, index: number): void {
    if (position < this.#end) this.sorted = false;
    this.#end = position + count;
    this.positions.push(position);
    this.counts.push(count);
    this.indexes.push(index);
    this.rows += count;
  }
}

/**
 * Sorts a selection's segments into stacks, cube by cube in the order of the cubes in their files.
 *
 * @param options.unique For writing: of rows that repeat only the last one stays, as if they were written in turn.
 * @param options.strided False: every stack has step 1.
 */
export function stacksOf(
  segments: Iterable<Segment>,
  options: { unique: boolean; strided: boolean },
): CubeStacks[] {
  const collectors = new Map<Cube, Collector>();
  let cube: Cube | null = null, collector: Collector | undefined, only: Segment | undefined;
  for (const segment of segments) {
    if (segment.cube === null) continue;
    // A single segment, often a single row, needs no sorting.
    if (collector === undefined) {
      if (only === undefined) {
        only = segment;
        continue;
      }
      cube = only.cube!;
      collectors.set(cube, collector = new Collector());
      collector.add(only.position, only.count, only.index);
    }
    if (segment.cube !== cube) {
      cube = segment.cube;
      collector = collectors.get(cube);
      if (collector === undefined) collectors.set(cube, collector = new Collector());
    }
    collector.add(segment.position, segment.count, segment.index);
  }
  if (only === undefined) return [];
  if (collector === undefined) {
    const { position, count, index } = only;
    return [{ cube: only.cube!, stacks: [{ position, count, step: 1, index }] }];
  }
  const result: CubeStacks[] = [];
  for (const [cube, collected] of collectors) {
    result.push({ cube, stacks: stacksOfCube(collected, options) });
  }
  return result.sort((a, b) => a.cube.file - b.cube.file || a.cube.offset - b.cube.offset);
}

function stacksOfCube(collected: Collector, options: { unique: boolean; strided: boolean }): Stack[] {
  const builder = new StackBuilder(options.strided);
  if (collected.sorted) {
    const { positions, counts, indexes } = collected;
    for (let i = 0; i < positions.length; i++) builder.add(positions[i]!, counts[i]!, indexes[i]!);
    return builder.stacks;
  }
  const { positions, indexes } = sortedRows(collected);
  for (let i = 0; i < positions.length; i++) {
    if (options.unique && positions[i + 1] === positions[i]) continue;
    builder.add(positions[i]!, 1, indexes[i]!);
  }
  return builder.stacks;
}

/** Row by row, by position; rows at the same position in the order of the selection. */
function sortedRows(
  { positions, counts, indexes, rows }: Collector,
): { positions: Float64Array; indexes: Float64Array } {
  const position = new Float64Array(rows), index = new Float64Array(rows);
  let n = 0, highest = 0;
  for (let i = 0; i < positions.length; i++) {
    for (let k = 0; k < counts[i]!; k++, n++) {
      position[n] = positions[i]! + k;
      index[n] = indexes[i]! + k;
      if (position[n]! > highest) highest = position[n]!;
    }
  }
  const order = sortOrder(position, highest);
  return {
    positions: position.map((_, i) => position[order[i]!]!),
    indexes: index.map((_, i) => index[order[i]!]!),
  };
}

/** Where the sorted sequence takes its elements from. Sorting plain numbers is many times faster than by a comparison. */
function sortOrder(position: Float64Array, highest: number): Float64Array {
  const n = position.length;
  if (Number.isSafeInteger((highest + 1) * n)) {
    const keys = position.map((p, i) => p * n + i).sort();
    return keys.map((key) => key % n);
  }
  return Float64Array.from(position.keys()).sort((a, b) => position[a]! - position[b]! || a - b);
}

/** Joins neighbours into stacks where positions and indexes allow it. */
class StackBuilder {
  readonly stacks: Stack[] = [];
  readonly #strided: boolean;

  constructor(strided: boolean) {
    this.#strided = strided;
  }

  add(position: number, count: number, index: number): void {
    const before = this.stacks[this.stacks.length - 1];
    if (before !== undefined && before.index + before.count === index) {
      const distance = position - (before.position + (before.count - 1) * before.step);
      const step = before.count === 1 ? distance : before.step;
      const joins = distance === step && step > 0 && (step === 1 || (count === 1 && this.#strided));
      if (joins) {
        this.stacks[this.stacks.length - 1] = {
          position: before.position,
          count: before.count + count,
          step,
          index: before.index,
        };
        return;
      }
    }
    this.stacks.push({ position, count, step: 1, index });
  }
}
