/**
 * Points in bounded memory. Few of them are kept as they are. Too many become counts in a grid whose columns are those that
 * will be drawn, so that the highest and the lowest point of each column, and any that stands alone, are still there.
 *
 * The grid's columns are fixed, as the range of x is known. Its rows are not: they begin at multiples of a height that is
 * doubled, two rows becoming one, whenever a point doesn't fit any more. So after any number of doublings between half and all
 * of the rows are in use, whatever came first.
 */

/** How many points are kept, and the grid of more. */
export interface CloudOptions {
  /** The least x. */
  readonly from: number;
  /** The largest x. */
  readonly to: number;
  readonly columns: number;
  readonly rows: number;
  /** Points that are kept before they become a grid. */
  readonly most: number;
}

/** Points as they came. */
export interface PointMarks {
  readonly kind: "points";
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** How many points there are in each cell of a grid. */
export interface CellMarks {
  readonly kind: "cells";
  readonly from: number;
  readonly to: number;
  readonly columns: number;
  readonly rows: number;
  /** The first row's lower edge is `base * height`. */
  readonly base: number;
  readonly height: number;
  /** Column by column. */
  readonly counts: Uint32Array;
  /** The least y of each column; Infinity where there is none. */
  readonly low: Float64Array;
  /** The largest y of each column; -Infinity where there is none. */
  readonly high: Float64Array;
}

/** The points of a series, and the ranges that they have. */
export type CloudMarks = (PointMarks | CellMarks) & {
  readonly count: number;
  readonly xRange: readonly [number, number];
  readonly yRange: readonly [number, number];
};

const FIRST_ROOM = 1024;
/** Rows never become thinner than this fraction of the largest value: their numbers must stay exact. */
const THINNEST = 2 ** -40;

/** The least and the largest of some numbers. */
function extremes(values: Float64Array): [low: number, high: number] {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Gathers points. */
export class Cloud {
  readonly #options: CloudOptions;
  #x = new Float64Array(FIRST_ROOM);
  #y = new Float64Array(FIRST_ROOM);
  #count = 0;
  #grid: Grid | null = null;

  /** Empty. */
  constructor(options: CloudOptions) {
    this.#options = options;
  }

  /** Points taken in. */
  get count(): number {
    return this.#count;
  }

  /** Takes a point in; both numbers are finite. */
  add(x: number, y: number): void {
    if (this.#grid === null && this.#count === this.#x.length) this.#grow();
    if (this.#grid !== null) this.#grid.add(x, y);
    else {
      this.#x[this.#count] = x;
      this.#y[this.#count] = y;
    }
    this.#count++;
  }

  #grow(): void {
    const room = Math.min(this.#options.most, 2 * this.#count);
    if (room > this.#count) {
      const [x, y] = [new Float64Array(room), new Float64Array(room)];
      x.set(this.#x);
      y.set(this.#y);
      [this.#x, this.#y] = [x, y];
      return;
    }
    const grid = this.#grid = new Grid(this.#options, ...extremes(this.#y));
    for (let i = 0; i < this.#count; i++) grid.add(this.#x[i]!, this.#y[i]!);
    this.#x = this.#y = new Float64Array(0);
  }

  /** What was gathered. */
  marks(): CloudMarks {
    const count = this.#count;
    if (this.#grid !== null) return { count, ...this.#grid.ranges(), ...this.#grid.marks() };
    const [x, y] = [this.#x.slice(0, count), this.#y.slice(0, count)];
    return { count, xRange: extremes(x), yRange: extremes(y), kind: "points", x, y };
  }
}

class Grid {
  readonly #from: number;
  readonly #to: number;
  readonly #columns: number;
  readonly #rows: number;
  readonly #perX: number;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  #counts: Uint32Array;
  #height: number;
  #base: number;
  #left = Infinity;
  #right = -Infinity;

  constructor({ from, to, columns, rows }: CloudOptions, low: number, high: number) {
    [this.#from, this.#to, this.#columns, this.#rows] = [from, to, columns, rows];
    this.#perX = to > from ? columns / (to - from) : 0;
    this.#low = new Float64Array(columns).fill(Infinity);
    this.#high = new Float64Array(columns).fill(-Infinity);
    this.#counts = new Uint32Array(columns * rows);
    const largest = Math.max(Math.abs(low), Math.abs(high));
    this.#height = Math.max(2 * (high - low) / rows, largest * THINNEST, Number.MIN_VALUE * 2 ** 60);
    this.#base = Math.floor(low / this.#height) - (rows >> 2);
  }

  add(x: number, y: number): void {
    const column = Math.max(
      0,
      Math.min(this.#columns - 1, Math.floor((x - this.#from) * this.#perX)),
    );
    let row = Math.floor(y / this.#height) - this.#base;
    if (row < 0 || row >= this.#rows) {
      this.#widen(y);
      row = Math.floor(y / this.#height) - this.#base;
    }
    this.#counts[column * this.#rows + row]!++;
    if (y < this.#low[column]!) this.#low[column] = y;
    if (y > this.#high[column]!) this.#high[column] = y;
    if (x < this.#left) this.#left = x;
    if (x > this.#right) this.#right = x;
  }

  ranges(): { readonly xRange: [number, number]; readonly yRange: [number, number] } {
    return {
      xRange: [this.#left, this.#right],
      yRange: [extremes(this.#low)[0], extremes(this.#high)[1]],
    };
  }

  /** Makes room for `y`. */
  #widen(y: number): void {
    const rows = this.#rows, old = this.#counts, base = this.#base;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < old.length; i++) {
      if (old[i] === 0) continue;
      const row = i % rows;
      if (row < low) low = row;
      if (row > high) high = row;
    }
    let height = this.#height, factor = 1;
    const first = () => Math.min(Math.floor(y / height), Math.floor((base + low) / factor));
    const last = () => Math.max(Math.floor(y / height), Math.floor((base + high) / factor));
    while (last() - first() >= rows || Math.abs(y) / height > 1 / THINNEST) {
      height *= 2;
      factor *= 2;
    }
    // What is free is shared out to both sides, so that a slow drift doesn't need room for each point.
    const next = first() - ((rows - 1 - (last() - first())) >> 1);
    const counts = new Uint32Array(old.length);
    for (let i = 0; i < old.length; i++) {
      if (old[i] === 0) continue;
      const row = i % rows, column = (i - row) / rows;
      counts[column * rows + Math.floor((base + row) / factor) - next]! += old[i]!;
    }
    [this.#height, this.#base, this.#counts] = [height, next, counts];
  }

  marks(): CellMarks {
    return {
      kind: "cells",
      from: this.#from,
      to: this.#to,
      columns: this.#columns,
      rows: this.#rows,
      base: this.#base,
      height: this.#height,
      counts: this.#counts,
      low: this.#low,
      high: this.#high,
    };
  }
}
