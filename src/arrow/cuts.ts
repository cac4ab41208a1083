/**
 * Where batches end: at borders of tiles, within a bound in bytes.
 *
 * A tile that lies in two batches is read twice (or kept by the cache). So a batch ends at the last border that its bound
 * allows; with tiles of several lengths at a common multiple of them, or where the widest column has one. What cells of
 * free shape take is asked of the table before they are read; what strings take is guessed from those that came before.
 */
import { isNumeric, numericInfo } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import type { Column } from "../table/column.ts";
import type { Selection } from "./selection.ts";

/** Bytes that a string is taken to have before any was seen, and what each costs beside its characters. */
const STRING_BYTES = 64;
/** Bytes that a record is taken to have. */
const RECORD_BYTES = 2048;
/** Rows of free shape whose sizes are asked at once, to begin with. */
const FIRST_WINDOW = 256;

/** Bounds of a batch. */
export interface CutOptions {
  /** Most rows. */
  readonly batchRows: number;
  /** Bytes of the values that are aimed at; a single row may take more. */
  readonly batchBytes: number;
}

/** Bytes of one element, as far as they are known. */
function elementBytes({ dtype }: Column): number {
  return isNumeric(dtype) ? numericInfo(dtype).size : dtype === "string" ? STRING_BYTES : RECORD_BYTES;
}

/** Rows of a tile; null for columns without tiles along the rows. */
export function tileRows(column: Column): number | null {
  const { tileShape, ndim, shape } = column;
  const axes = shape?.length ?? ndim;
  // Where tiles belong to single cells, or cubes have several row axes, there is no length in rows.
  if (tileShape === null || column.kind !== "array" || tileShape.length !== axes + 1) return null;
  const rows = tileShape.at(-1)!;
  return rows > 0 ? rows : null;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Cuts a selection into batches. */
export class Cutter {
  readonly #columns: readonly Column[];
  readonly #options: CutOptions;
  /** Bytes of a row of those columns whose cells all have one size. */
  readonly #fixedBytes: number;
  readonly #free: readonly Column[];
  /** Lengths of tiles, those of the widest column last. */
  readonly #tiles: readonly number[];
  #window = FIRST_WINDOW;
  /** Bytes that a row took beyond what was known of it, by the last batch. */
  #extra = 0;

  /** A cutter for some columns of a table. */
  constructor(columns: readonly Column[], options: CutOptions) {
    this.#columns = columns;
    this.#options = options;
    const fixed = columns.filter((column) => column.shape !== null);
    this.#free = columns.filter((column) => column.shape === null);
    this.#fixedBytes = fixed.reduce(
      (sum, column) => sum + elementsOf(column.shape!) * elementBytes(column),
      0,
    );
    const width = (column: Column) => elementsOf(column.shape ?? [1]) * elementBytes(column);
    this.#tiles = columns.flatMap((column) => {
      const rows = tileRows(column);
      return rows === null ? [] : [{ rows, width: width(column) }];
    }).sort((a, b) => a.width - b.width).map(({ rows }) => rows);
  }

  /** Positions of the selection from which to which each batch goes. */
  *cuts(selection: Selection): Generator<readonly [from: number, to: number]> {
    for (let from = 0; from < selection.length;) {
      const to = this.#align(selection, from, from + this.#fit(selection, from));
      yield [from, to];
      from = to;
    }
  }

  /** Tells how many bytes a batch of `rows` rows really took, where strings and records were guessed. */
  learn(rows: number, bytes: number): void {
    if (rows > 0) this.#extra = Math.max(0, bytes / rows - this.#fixedBytes);
  }

  /** Rows from `from` on that the bounds allow, at least one. */
  #fit(selection: Selection, from: number): number {
    const { batchRows, batchBytes } = this.#options;
    const left = Math.min(batchRows, selection.length - from);
    if (this.#free.length === 0) {
      const guessed = this.#columns.some(({ dtype }) => !isNumeric(dtype)) ? this.#extra : 0;
      return Math.max(1, Math.min(left, Math.floor(batchBytes / Math.max(1, this.#fixedBytes + guessed))));
    }
    const window = Math.min(left, this.#window);
    const bytes = new Float64Array(window).fill(this.#fixedBytes);
    for (const column of this.#free) {
      let at = 0;
      for (const { count, shape } of column.cellShapes(selection.part(from, from + window))) {
        const each = shape === null ? 0 : elementsOf(shape) * elementBytes(column);
        for (const end = at + count; at < end; at++) bytes[at]! += each;
      }
    }
    let rows = 0;
    for (let sum = 0; rows < window; rows++) {
      sum += bytes[rows]!;
      if (sum > batchBytes && rows > 0) break;
    }
    this.#window = rows === window ? window * 2 : Math.max(FIRST_WINDOW, rows * 2);
    return Math.max(1, rows);
  }

  /** The last border from `from` to `to` that is one of tiles, `to` if there is none. */
  #align(selection: Selection, from: number, to: number): number {
    if (selection.first === null || to >= selection.length) return Math.min(to, selection.length);
    const { first } = selection;
    const common = this.#tiles.reduce((a, b) => (a / gcd(a, b)) * b, 1);
    for (const step of [common, this.#tiles.at(-1) ?? 1]) {
      const border = Math.floor((first + to) / step) * step - first;
      if (border > from) return border;
    }
    return to;
  }
}
