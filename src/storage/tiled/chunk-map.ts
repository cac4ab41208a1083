/**
 * The row map of TiledDataStMan: which rows are in which cube. Format reference part 4, section 4.4.
 *
 * | field | root version 2 | root version 1 | one entry a chunk of rows |
 * | --- | --- | --- | --- |
 * | rows assigned | uInt64 | uInt, or uInt64 (casacore 3.4, or many rows) | |
 * | entries | absent | uInt | |
 * | rowMap | Block of uInt64 | Block of uInt | *first* row of the chunk, ascending |
 * | cubeMap | Block of uInt | | its cube |
 * | posMap | Block of uInt | | position of its first row on the cube's last axis |
 *
 * Rows of a chunk follow each other in the cube, first row axis fastest. Rows from "rows assigned" on are in no cube.
 */
import type { AipsReader, AipsWriter } from "../../format/aipsio.ts";
import type { Cube } from "./cube.ts";

/** Bytes of a root version 1 tail without its first field and the blocks' values: entries, and three empty Blocks. */
const EMPTY_TAIL_BYTES = 4 + 3 * 21;
/** Bytes that an entry takes in the three Blocks. */
const ENTRY_BYTES = 12;
/** The root version that is written: what casacore since 3.5 writes, and the only one that it always reads as it was meant. */
export const ROOT_VERSION = 2;
/** Largest position: the map keeps them in 32 bits. */
export const MAX_POSITION = 2 ** 32 - 1;

/** Consecutive rows at consecutive positions of a cube. */
export interface Chunk {
  readonly row: number;
  readonly count: number;
  readonly cube: number;
  /** Position of `row`, counted over the cube's row axes together. */
  readonly position: number;
}

/** Rows at one position of a cube's last axis. */
export function rowsBelowLast(cube: Cube, cellAxes: number): number {
  let rows = 1;
  for (let axis = cellAxes; axis < cube.shape.length - 1; axis++) rows *= cube.shape[axis]!;
  return rows;
}

/** The map of one manager. */
export class ChunkMap {
  /** Rows that are in a cube. */
  assigned = 0;
  #first: number[] = [];
  #cube: number[] = [];
  #position: number[] = [];
  readonly #cellAxes: number;

  constructor(cellAxes: number) {
    this.#cellAxes = cellAxes;
  }

  /** Reads the map; it must be in order and stay within the table and its cubes. */
  static read(
    r: AipsReader,
    rootVersion: number,
    table: { rowCount: number; cubes: readonly Cube[]; cellAxes: number },
  ): ChunkMap {
    const at = r.offset, map = new ChunkMap(table.cellAxes);
    let used = -1;
    if (rootVersion === 2) {
      map.assigned = r.uint64();
      map.#first = Array.from(r.blockU64());
    } else {
      // How wide the first field is shows in the length of the rest: entries take 12 bytes each.
      const isNarrow = (r.remaining() - 4 - EMPTY_TAIL_BYTES) % ENTRY_BYTES === 0;
      map.assigned = isNarrow ? r.u32() : r.uint64();
      used = r.u32();
      map.#first = Array.from(r.blockU32());
    }
    map.#cube = Array.from(r.blockU32());
    map.#position = Array.from(r.blockU32());
    const lengths = [map.#first.length, map.#cube.length, map.#position.length];
    if (used >= 0 && lengths[0] !== used) {
      r.fail(`the row map has ${used} entries, its parts ${lengths[0]}`, at);
    }
    if (lengths.some((length) => length !== lengths[0])) {
      r.fail(`the parts of the row map have ${lengths[0]}, ${lengths[1]} and ${lengths[2]} entries`, at);
    }
    map.#check(r, table, at);
    return map;
  }

  #check(r: AipsReader, { rowCount, cubes }: { rowCount: number; cubes: readonly Cube[] }, at: number): void {
    const first = this.#first, { assigned } = this;
    if (assigned > rowCount || (assigned > 0 && first[0] !== 0)) {
      r.fail(
        `${assigned} rows from row ${first[0] ?? "none"} are in hypercubes, the table has ${rowCount}`,
        at,
      );
    }
    for (let i = 0; i < first.length; i++) {
      const cube = cubes[this.#cube[i]!], position = this.#position[i]!;
      const entry = `entry ${i} of the row map`;
      if (cube === undefined) {
        r.fail(`${entry} names hypercube ${this.#cube[i]}, there are ${cubes.length}`, at);
      }
      const count = this.#end(i) - first[i]!;
      const last = position + Math.ceil(count / rowsBelowLast(cube, this.#cellAxes));
      if (!cube.hasShape || count < 1 || !(last <= cube.lastLength)) {
        r.fail(
          `${entry} puts rows ${first[i]} to ${
            this.#end(i) - 1
          } at position ${position} of a hypercube of shape ` +
            `[${cube.shape}]`,
          at,
        );
      }
    }
  }

  /** Writes the map as root version {@linkcode ROOT_VERSION} has it. */
  write(w: AipsWriter): void {
    w.u64(this.assigned);
    w.blockU64(this.#first);
    w.blockU32(this.#cube);
    w.blockU32(this.#position);
  }

  /** Row after the last one of a chunk. */
  #end(i: number): number {
    return i + 1 < this.#first.length ? this.#first[i + 1]! : this.assigned;
  }

  /** Where rows `row` to `end` (exclusive) are, as far as they are in cubes. */
  *find(row: number, end: number, cubes: readonly Cube[]): Generator<Chunk> {
    const to = Math.min(end, this.assigned);
    for (let i = this.#chunkOf(row); row < to; i++) {
      const count = Math.min(to, this.#end(i)) - row;
      const cube = this.#cube[i]!;
      const before = this.#position[i]! * rowsBelowLast(cubes[cube]!, this.#cellAxes);
      yield { row, count, cube, position: before + (row - this.#first[i]!) };
      row += count;
    }
  }

  /** Last chunk that starts at `row` or before. */
  #chunkOf(row: number): number {
    let low = 0, high = this.#first.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#first[middle]! <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Puts the next `rows` rows into a cube, from position `position` of its last axis on. Rows that continue the last chunk
   * become part of it: casacore begins a new one each time, and finds the same.
   */
  append(rows: number, cube: number, position: number, rowsBelow: number): void {
    const last = this.#first.length - 1;
    const continues = last >= 0 && this.#cube[last] === cube &&
      (this.assigned - this.#first[last]!) === (position - this.#position[last]!) * rowsBelow;
    if (!continues) {
      this.#first.push(this.assigned);
      this.#cube.push(cube);
      this.#position.push(position);
    }
    this.assigned += rows;
  }
}
