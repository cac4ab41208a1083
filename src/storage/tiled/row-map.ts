/**
 * The row map of TiledShapeStMan: which row is where. Format reference part 4, section 4.3.
 *
 * | field | type | one entry an interval of rows |
 * | --- | --- | --- |
 * | nused | uInt | entries |
 * | rowMap | Block of uInt | last row of the interval, ascending |
 * | cubeMap | Block of uInt | its cube; 0: the rows are undefined |
 * | posMap | Block of uInt | position of its *last* row on the cube's last axis |
 *
 * Rows of an interval have consecutive positions. Rows past the last interval are undefined.
 */
import type { AipsReader, AipsWriter } from "../../format/aipsio.ts";
import type { Cube } from "./cube.ts";

/** Consecutive rows at consecutive positions of a cube; cube 0: undefined rows. */
export interface RowInterval {
  readonly row: number;
  readonly count: number;
  readonly cube: number;
  /** Position of `row`; meaningless for cube 0. */
  readonly position: number;
}

/** Largest row number and position: the maps are 32 bits. */
export const MAX_MAPPED = 2 ** 32 - 1;

/** The three maps. */
export class RowMap {
  #last = new Uint32Array(16);
  #cube = new Uint32Array(16);
  #position = new Uint32Array(16);
  #count = 0;

  /** Intervals. */
  get size(): number {
    return this.#count;
  }

  /** Reads the maps; they must be in order and stay within the table and its cubes. */
  static read(r: AipsReader, rowCount: number, cubes: readonly Cube[]): RowMap {
    const start = r.offset;
    const used = r.u32();
    const map = new RowMap();
    map.#last = grown(r.blockU32());
    map.#cube = grown(r.blockU32());
    map.#position = grown(r.blockU32());
    if (map.#last.length !== used || map.#cube.length !== used || map.#position.length !== used) {
      r.fail(
        `the row map has ${used} entries, its parts ${map.#last.length}, ${map.#cube.length} and ` +
          `${map.#position.length}`,
        start,
      );
    }
    map.#count = used;
    for (let i = 0; i < used; i++) {
      const { row, count, cube, position } = map.#interval(i);
      const at = `entry ${i} of the row map`;
      if (count < 1 || row + count > rowCount) {
        r.fail(`${at} ends at row ${row + count - 1}, expected ${row} to ${rowCount - 1}`, start);
      }
      if (cube >= cubes.length) r.fail(`${at} names hypercube ${cube}, there are ${cubes.length}`, start);
      if (cube > 0 && (position < 0 || position + count > cubes[cube]!.lastLength)) {
        r.fail(
          `${at} puts ${count} rows at positions ${position} to ${
            position + count - 1
          } of hypercube ${cube}, ` +
            `which has ${cubes[cube]!.lastLength}`,
          start,
        );
      }
    }
    return map;
  }

  /** Writes the maps. */
  write(w: AipsWriter): void {
    w.u32(this.#count);
    w.blockU32(this.#last.subarray(0, this.#count));
    w.blockU32(this.#cube.subarray(0, this.#count));
    w.blockU32(this.#position.subarray(0, this.#count));
  }

  /** Where `count` rows from `row` on are, when that is in one interval; else null. */
  only(row: number, count: number): RowInterval | null {
    const i = this.#indexOf(row);
    if (i >= this.#count) return { row, count, cube: 0, position: 0 };
    const last = this.#last[i]!;
    if (row + count > last + 1) return null;
    const cube = this.#cube[i]!;
    return { row, count, cube, position: cube === 0 ? 0 : this.#position[i]! - (last - row) };
  }

  /** Where `count` rows from `row` on are, interval by interval. */
  *find(row: number, count: number): Generator<RowInterval> {
    const end = row + count;
    for (let i = this.#indexOf(row); row < end; i++) {
      if (i >= this.#count) {
        yield { row, count: end - row, cube: 0, position: 0 };
        return;
      }
      const last = this.#last[i]!;
      const n = Math.min(end, last + 1) - row;
      const cube = this.#cube[i]!;
      yield { row, count: n, cube, position: cube === 0 ? 0 : this.#position[i]! - (last - row) };
      row += n;
    }
  }

  /** Gives rows that are undefined so far their positions. Intervals must not overlap; any order. */
  assign(intervals: readonly RowInterval[]): void {
    if (intervals.length <= 4) { for (const interval of intervals) this.#assignOne(interval); }
    else this.#merge([...intervals].sort((a, b) => a.row - b.row));
  }

  /** First interval that ends at `row` or later. */
  #indexOf(row: number): number {
    let low = 0, high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#last[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #interval(i: number): RowInterval {
    const row = i === 0 ? 0 : this.#last[i - 1]! + 1;
    const count = this.#last[i]! + 1 - row;
    return { row, count, cube: this.#cube[i]!, position: this.#position[i]! - (count - 1) };
  }

  /** Replaces the part of an undefined interval, or appends. */
  #assignOne({ row, count, cube, position }: RowInterval): void {
    const i = this.#indexOf(row);
    const pieces: RowInterval[] = [];
    const from = Math.max(0, i - 1);
    let to = i;
    if (from < i) pieces.push(this.#interval(from));
    const free = i === 0 ? 0 : this.#last[i - 1]! + 1;
    if (row > free) pieces.push({ row: free, count: row - free, cube: 0, position: 0 });
    pieces.push({ row, count, cube, position });
    if (i < this.#count) {
      const after = this.#last[i]! - (row + count - 1);
      if (after > 0) pieces.push({ row: row + count, count: after, cube: 0, position: 0 });
      to = Math.min(this.#count, i + 2);
      if (i + 1 < this.#count) pieces.push(this.#interval(i + 1));
    }
    this.#splice(from, to, joined(pieces));
  }

  /** The same for many sorted intervals in one pass. */
  #merge(sorted: readonly RowInterval[]): void {
    const all: RowInterval[] = [];
    let next = 0, row = 0;
    const takeNew = (end: number) => {
      for (; next < sorted.length && sorted[next]!.row < end; next++) {
        const interval = sorted[next]!;
        if (interval.row > row) all.push({ row, count: interval.row - row, cube: 0, position: 0 });
        all.push(interval);
        row = interval.row + interval.count;
      }
    };
    for (let i = 0; i < this.#count; i++) {
      const old = this.#interval(i);
      const end = old.row + old.count;
      if (old.cube !== 0) all.push(old);
      else {
        takeNew(end);
        if (row < end) all.push({ row, count: end - row, cube: 0, position: 0 });
      }
      row = end;
    }
    takeNew(Infinity);
    this.#splice(0, this.#count, joined(all));
  }

  /** Puts intervals in the place of entries `from` to `to` (exclusive). */
  #splice(from: number, to: number, pieces: readonly RowInterval[]): void {
    const count = this.#count + pieces.length - (to - from);
    if (count > this.#last.length) {
      const capacity = Math.max(count, 2 * this.#last.length);
      this.#last = grown(this.#last, capacity);
      this.#cube = grown(this.#cube, capacity);
      this.#position = grown(this.#position, capacity);
    }
    const after = from + pieces.length;
    for (const map of [this.#last, this.#cube, this.#position]) map.copyWithin(after, to, this.#count);
    pieces.forEach((piece, i) => {
      this.#last[from + i] = piece.row + piece.count - 1;
      this.#cube[from + i] = piece.cube;
      this.#position[from + i] = piece.cube === 0 ? 0 : piece.position + piece.count - 1;
    });
    this.#count = count;
  }
}

function grown(old: Uint32Array, capacity = old.length): Uint32Array<ArrayBuffer> {
  const map = new Uint32Array(capacity);
  map.set(old);
  return map;
}

/** Neighbours that continue each other become one interval. */
function joined(pieces: readonly RowInterval[]): RowInterval[] {
  const result: RowInterval[] = [];
  for (const piece of pieces) {
    const before = result.at(-1);
    const continues = before !== undefined && before.cube === piece.cube &&
      (piece.cube === 0 || before.position + before.count === piece.position);
    if (continues) result[result.length - 1] = { ...before, count: before.count + piece.count };
    else result.push(piece);
  }
  return result;
}
