/**
 * The cells of a column in order, some at a time, in bounded memory: the values of rows that follow each other and have
 * cells of one shape, or a part of a single cell that is too large.
 *
 * Shapes are asked first, for a window of rows; so what a block takes is known before it is read. Where neighbouring rows
 * differ in shape, they are read together all the same and handed out one by one.
 */
import { type DType, isNumeric, numericInfo } from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { type AxisSlice, elementsOf, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { TableRecord } from "../format/table-record.ts";
import type { Cell } from "../table/read.ts";
import type { Table } from "../table/table.ts";

/** Values of a block: numbers as typed arrays hold them, strings, or records. */
export type BlockData = NDArray<DType, TableRecord>["data"];

/** Cells of one shape in rows that follow each other, or a part of one cell. */
export interface CellBlock {
  /** First row. */
  readonly row: number;
  /** Number of rows. */
  readonly count: number;
  /** Shape of the whole cells, [] for scalars and records, null where they are undefined. */
  readonly shape: readonly number[] | null;
  /** Elements of the first cell that came in the blocks before: more than 0 only for the later parts of a large cell. */
  readonly from: number;
  /** The values in order, first axis fastest; of undefined cells none. */
  readonly data: BlockData;
}

/** Rows of one shape that are read at once, or a part of a cell. */
export interface BlockPlan {
  readonly row: number;
  readonly count: number;
  readonly shape: readonly number[] | null;
  readonly from: number;
  /** The part of a single cell; whole cells when it is left out. */
  readonly slice?: readonly AxisSlice[];
  /** The row behind the last of those that are read together, though each is a block of its own. */
  readonly until?: number;
}

/** Bytes of a block that are aimed at. */
export const BLOCK_BYTES = 4 * 2 ** 20;
/** Rows whose shapes are asked at once. */
const WINDOW_ROWS = 65536;
/** What a string is taken to need. */
const STRING_BYTES = 64;
/** What a record is taken to need. */
const RECORD_BYTES = 4096;

/** Rows from `start` to `end`. */
export interface RowSpan {
  /** The first row. */
  readonly start: number;
  /** The row behind the last. */
  readonly end: number;
}

/** A stretch of rows whose cells have one shape. */
export interface ShapeStretch {
  readonly row: number;
  readonly count: number;
  readonly shape: readonly number[] | null;
}

function elementBytes(dtype: DType): number {
  return isNumeric(dtype) ? numericInfo(dtype).size : dtype === "string" ? STRING_BYTES : RECORD_BYTES;
}

/** Windows of rows, one after the other. */
export function* windows({ start, end }: RowSpan): Generator<RowSpan> {
  for (let row = start; row < end; row += WINDOW_ROWS) {
    yield { start: row, end: Math.min(end, row + WINDOW_ROWS) };
  }
}

/** Stretches of equal shape in a window. @throws TableError */
export function shapeStretches(table: Table, name: string, { start, end }: RowSpan): ShapeStretch[] {
  const column = table.column(name);
  if (end === start) return [];
  if (column.kind === "record") return [{ row: start, count: end - start, shape: [] }];
  let row = start;
  return column.cellShapes({ start, end }).map(({ count, shape }) => {
    // A scalar is there, or it is not: what stands in for its shape doesn't matter.
    const stretch = { row, count, shape: shape !== null && column.kind === "scalar" ? [] : shape };
    row += count;
    return stretch;
  });
}

/** Stretches in which the cells of two columns have one shape each; both cover the same rows. */
export function* jointStretches(
  left: readonly ShapeStretch[],
  right: readonly ShapeStretch[],
): Generator<ShapeStretch & { readonly other: readonly number[] | null }> {
  let row = left[0]?.row ?? 0;
  for (let i = 0, k = 0; i < left.length && k < right.length;) {
    const a = left[i]!, b = right[k]!;
    const end = Math.min(a.row + a.count, b.row + b.count);
    yield { row, count: end - row, shape: a.shape, other: b.shape };
    row = end;
    if (a.row + a.count === end) i++;
    if (b.row + b.count === end) k++;
  }
}

/** Parts of a cell of `shape`, each of at most `most` elements where an axis can be cut: whole first axes, ranges of the next. */
function* cellParts(shape: readonly number[], most: number): Generator<{ from: number; slice: AxisSlice[] }> {
  let axis = 0, inner = 1;
  while (axis < shape.length - 1 && inner * shape[axis]! <= most) inner *= shape[axis++]!;
  const length = shape[axis]!;
  const step = Math.max(1, Math.min(length, Math.floor(most / inner)));
  const outer = shape.slice(axis + 1);
  const outerCount = elementsOf(outer);
  for (let k = 0; k < outerCount; k++) {
    let rest = k;
    const fixed = outer.map((n): AxisSlice => {
      const at = rest % n;
      rest = Math.floor(rest / n);
      return [at, at + 1];
    });
    for (let at = 0; at < length; at += step) {
      const slice: AxisSlice[] = [...Array(axis).fill(null), [at, Math.min(length, at + step)], ...fixed];
      yield { from: (k * length + at) * inner, slice };
    }
  }
}

/** How the rows of some stretches are read, in blocks of about `bytes` bytes. */
export function* planBlocks(
  stretches: readonly ShapeStretch[],
  dtype: DType,
  bytes = BLOCK_BYTES,
): Generator<BlockPlan> {
  const each = elementBytes(dtype);
  let singles: ShapeStretch[] = [], gathered = 0;
  function* flush(): Generator<BlockPlan> {
    const until = singles.length === 0 ? 0 : singles.at(-1)!.row + 1;
    for (const single of singles) yield { ...single, from: 0, until };
    singles = [];
    gathered = 0;
  }
  for (const stretch of stretches) {
    const { row, count, shape } = stretch;
    const size = shape === null ? 0 : elementsOf(shape) * each;
    const apart = singles.length > 0 && singles.at(-1)!.row + 1 !== row;
    if (count > 1 || gathered + size > bytes || apart) yield* flush();
    if (size > bytes && shape!.length > 0) {
      for (let i = 0; i < count; i++) {
        for (const { from, slice } of cellParts(shape!, Math.max(1, Math.floor(bytes / each)))) {
          yield { row: row + i, count: 1, shape, from, slice };
        }
      }
    } else if (count === 1) {
      singles.push(stretch);
      gathered += size;
    } else {
      const rows = Math.max(1, Math.floor(bytes / Math.max(1, size)));
      for (let at = 0; at < count; at += rows) {
        yield { row: row + at, count: Math.min(rows, count - at), shape, from: 0 };
      }
    }
  }
  yield* flush();
}

/** Reads what plans of blocks say, from one column. */
export class BlockReader {
  readonly #table: Table;
  readonly #name: string;
  /** Cells of rows that were read together. */
  #cells: { start: number; cells: readonly Cell[] } = { start: 0, cells: [] };

  /** A reader of column `name`. */
  constructor(table: Table, name: string) {
    this.#table = table;
    this.#name = name;
  }

  /** The values of a block. @throws TableError */
  read({ row, count, shape, slice, until = row + 1 }: BlockPlan): BlockData {
    if (shape === null || elementsOf(shape) === 0) return [];
    const rows = { start: row, end: row + count };
    const { start, cells } = this.#cells;
    const there = row >= start && row < start + cells.length;
    if (count > 1 || slice !== undefined || (until === row + 1 && !there)) {
      return this.#table.getColumn(this.#name, { rows, ...(slice === undefined ? {} : { slice }) }).data;
    }
    if (!there) {
      this.#cells = {
        start: row,
        cells: this.#table.getCells(this.#name, { rows: { start: row, end: until } }),
      };
    }
    return this.#dataOf(this.#cells.cells[row - this.#cells.start]!, rows);
  }

  #dataOf(cell: Cell, rows: RowSpan): BlockData {
    // Scalars and records are quicker as a column.
    return typeof cell === "object" && cell !== null && "data" in cell && !(cell instanceof TableRecord)
      ? cell.data as BlockData
      : this.#table.getColumn(this.#name, { rows }).data;
  }
}

/**
 * The cells of a column, or of some of its rows, as blocks in order.
 *
 * @throws TableError NO_SUCH_COLUMN, OUT_OF_RANGE, UNSUPPORTED, CORRUPT, IO
 */
export function* cellBlocks(table: Table, name: string, rows?: RowSpan): Generator<CellBlock> {
  const span = checkedSpan(table, rows);
  const reader = new BlockReader(table, name);
  const { dtype } = table.column(name);
  for (const window of windows(span)) {
    for (const plan of planBlocks(shapeStretches(table, name, window), dtype)) {
      const { row, count, shape, from } = plan;
      yield { row, count, shape, from, data: reader.read(plan) };
    }
  }
}

/** The rows asked for; all of them if they are left out. @throws TableError OUT_OF_RANGE */
export function checkedSpan(table: Table, rows: Partial<RowSpan> | undefined): RowSpan {
  const { start = 0, end = table.rowCount } = rows ?? {};
  if (start < 0 || end < start || end > table.rowCount) {
    throw new TableError("OUT_OF_RANGE", `rows ${start} to ${end} asked, the table has ${table.rowCount}`, {
      file: table.path,
    });
  }
  return { start, end };
}

/** True when both are undefined, or both have these lengths. */
export function equalShapes(a: readonly number[] | null, b: readonly number[] | null): boolean {
  return a === null || b === null ? a === b : sameShape(a, b);
}
