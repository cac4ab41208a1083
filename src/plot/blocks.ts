/**
 * The cells of some rows of a column, in bounded memory, in whatever order is quickest: rows whose cells have one shape are
 * read together, even where others lie between them, as those of another spectral window do. What is flagged is marked.
 */
import { isNumeric, numericInfo } from "../array/dtype.ts";
import { type AxisSlice, elementsOf, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { BLOCK_BYTES, checkedSpan, type RowSpan, shapeStretches, windows } from "../query/cell-blocks.ts";
import type { Table } from "../table/table.ts";

/** Places along an axis: start, end (not included), step. */
export type AxisRange = readonly [start: number, end: number, step: number];

/** Rows to look at. */
export interface RowChoice {
  /** All rows unless told otherwise. */
  readonly rows?: Partial<RowSpan>;
  /** The rows of a range that count; all unless told otherwise. */
  readonly choose?: (start: number, end: number) => ArrayLike<number>;
}

/** Which rows and elements are read. */
export interface BlockOptions extends RowChoice {
  /** Ranges along axes of the cells, by axis: only places in one of them. What lies behind an axis' end is left out. */
  readonly boxes?: ReadonlyMap<number, readonly AxisRange[]>;
  /** Bool columns: what they flag is marked. Arrays of another shape than the cells say nothing of them. */
  readonly flags?: readonly string[];
  /** Told how far it got, in rows. */
  readonly onProgress?: (rows: number, of: number) => void;
}

/** A box of the cells of some rows. */
export interface Block {
  readonly rows: ArrayLike<number>;
  /** A range for each axis; none of scalars. */
  readonly box: readonly AxisRange[];
  /** Elements of a row's box. */
  readonly each: number;
  /** Row by row, first axis fastest, complex values interleaved. */
  readonly data: ArrayLike<number>;
  /** 1 for each element that is flagged; null where none is. */
  readonly flagged: Uint8Array | null;
}

/** Rows that are chosen, a window at a time. @throws TableError OUT_OF_RANGE */
export function* chosenRows(
  table: Table,
  { rows, choose }: RowChoice,
): Generator<{ readonly window: RowSpan; readonly rows: ArrayLike<number> }> {
  for (const window of windows(checkedSpan(table, rows))) {
    const { start, end } = window;
    yield {
      window,
      rows: choose?.(start, end) ?? Float64Array.from({ length: end - start }, (_, i) => start + i),
    };
  }
}

/** Rows as `getColumn` takes them: those that follow each other as a range. */
function selectionOf(rows: ArrayLike<number>): RowSpan | ArrayLike<number> {
  const first = rows[0]!, last = rows[rows.length - 1]!;
  return last - first === rows.length - 1 ? { start: first, end: last + 1 } : rows;
}

/** The values of a scalar column of numbers in some rows; NaN where there is none. @throws TableError */
export function scalars(table: Table, name: string, rows: ArrayLike<number>): Float64Array {
  if (rows.length === 0) return new Float64Array(0);
  try {
    const { data } = table.getColumn(name, { rows: selectionOf(rows) as number[] });
    return Float64Array.from(data as ArrayLike<number>, Number);
  } catch (error) {
    // A coordinate of a row that is in no hypercube yet: there is no value, and an array can't say so.
    if (!(error instanceof TableError && error.code === "OUT_OF_RANGE")) throw error;
    const cells = table.getCells(name, { rows: selectionOf(rows) as number[] });
    return Float64Array.from(cells, (cell) => cell === null ? NaN : Number(cell));
  }
}

/** @throws TableError TYPE_MISMATCH, UNSUPPORTED */
export function checkNumbers(table: Table, name: string, kind?: "scalar" | "array"): void {
  const column = table.column(name);
  const wrong = (text: string) => new TableError("TYPE_MISMATCH", text, { file: table.path });
  if (!column.readable) {
    throw new TableError("UNSUPPORTED", `column ${name} can't be read`, { file: table.path });
  }
  if (!isNumeric(column.dtype)) throw wrong(`column ${name} is ${column.dtype}: that can't be plotted`);
  if (kind !== undefined && column.kind !== kind) {
    throw wrong(`column ${name} has ${column.kind} cells, expected ${kind} ones`);
  }
}

const places = ([start, end, step]: AxisRange) => Math.max(0, Math.ceil((end - start) / step));

/** The boxes of a cell of that shape: each choice of a range along each axis. */
function boxesOf(
  shape: readonly number[],
  boxes: ReadonlyMap<number, readonly AxisRange[]>,
): AxisRange[][] {
  let all: AxisRange[][] = [[]];
  shape.forEach((length, axis) => {
    const ranges = (boxes.get(axis) ?? [[0, length, 1] as const])
      .map(([start, end, step]): AxisRange => [start, Math.min(end, length), step])
      .filter((range) => places(range) > 0);
    all = all.flatMap((before) => ranges.map((range) => [...before, range]));
  });
  return all;
}

/** Parts of a box of at most `most` elements, as far as cutting its slowest axes makes them. */
function* boxParts(box: readonly AxisRange[], most: number): Generator<readonly AxisRange[]> {
  const axis = box.findLastIndex((range) => places(range) > 1);
  const elements = elementsOf(box.map(places));
  if (elements <= most || axis < 0) return yield box;
  const [start, end, step] = box[axis]!;
  const length = Math.max(1, Math.floor(most / (elements / places(box[axis]!))));
  for (let at = start; at < end; at += length * step) {
    const part = box.with(axis, [at, Math.min(end, at + length * step), step]);
    yield* boxParts(part, most);
  }
}

/** Rows by the shape of their cells and by which columns have flags of that shape. */
interface Alike {
  readonly shape: readonly number[];
  readonly flags: readonly string[];
  readonly rows: number[];
}

/** The row numbers of a list that lie in stretches, each with its stretch's shape. */
function shapesOf(table: Table, name: string, window: RowSpan, rows: ArrayLike<number>) {
  const found: (readonly number[] | null)[] = new Array(rows.length);
  let i = 0;
  for (const { row, count, shape } of shapeStretches(table, name, window)) {
    for (; i < rows.length && rows[i]! < row + count; i++) found[i] = shape;
  }
  return found;
}

function alikeRows(
  table: Table,
  name: string,
  flags: readonly string[],
  window: RowSpan,
  rows: ArrayLike<number>,
): Alike[] {
  const shapes = shapesOf(table, name, window, rows);
  const flagShapes = flags.map((flag) => shapesOf(table, flag, window, rows));
  const found = new Map<string, Alike>();
  let last: { shape: readonly number[]; applies: string; alike: Alike } | null = null;
  for (let i = 0; i < rows.length; i++) {
    const shape = shapes[i]!;
    if (shape === null) continue;
    let applies = "";
    for (const of of flagShapes) applies += of[i] !== null && sameShape(of[i]!, shape) ? "1" : "0";
    if (last === null || last.shape !== shape || last.applies !== applies) {
      const key = `${shape.join()} ${applies}`;
      let alike = found.get(key);
      if (alike === undefined) {
        found.set(key, alike = { shape, flags: flags.filter((_, f) => applies[f] === "1"), rows: [] });
      }
      last = { shape, applies, alike };
    }
    last.alike.rows.push(rows[i]!);
  }
  return [...found.values()];
}

/** How flag columns are read: scalars flag rows, arrays elements. */
function flagKinds(table: Table, flags: readonly string[]) {
  for (const name of flags) {
    const { dtype } = table.column(name);
    if (dtype === "bool") continue;
    throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}; flags are bool`, { file: table.path });
  }
  const isScalar = (name: string) => table.column(name).kind === "scalar";
  return { ofRows: flags.filter(isScalar), ofElements: flags.filter((name) => !isScalar(name)) };
}

/**
 * The values of the chosen rows of a column of numbers, as blocks of at most a few megabytes. Undefined cells are left out.
 *
 * @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, OUT_OF_RANGE, UNSUPPORTED, CORRUPT, IO
 */
export function* valueBlocks(table: Table, name: string, options: BlockOptions = {}): Generator<Block> {
  checkNumbers(table, name);
  const { dtype, kind } = table.column(name);
  const { size, items } = numericInfo(dtype as never);
  const { ofRows, ofElements } = flagKinds(table, options.flags ?? []);
  const span = checkedSpan(table, options.rows);
  const most = Math.max(1, Math.floor(BLOCK_BYTES / size));
  for (const { window, rows } of chosenRows(table, options)) {
    for (const alike of alikeRows(table, name, kind === "array" ? ofElements : [], window, rows)) {
      for (const whole of boxesOf(alike.shape, options.boxes ?? new Map())) {
        for (const box of boxParts(whole, most)) {
          const each = elementsOf(box.map(places)), count = Math.max(1, Math.floor(most / each));
          for (let at = 0; at < alike.rows.length; at += count) {
            yield blockOf(alike.rows.slice(at, at + count), box, each, alike);
          }
        }
      }
    }
    options.onProgress?.(window.end - span.start, span.end - span.start);
  }

  function blockOf(rows: number[], box: readonly AxisRange[], each: number, alike: Alike): Block {
    const whole = box.every(([start, end, step], axis) =>
      start === 0 && step === 1 && end === alike.shape[axis]
    );
    const slice = kind === "array" && !whole ? { slice: box as readonly AxisSlice[] } : {};
    const selected = { rows: selectionOf(rows) as number[], ...slice };
    const data = table.getColumn(name, selected).data as unknown as ArrayLike<number>;
    let flagged: Uint8Array | null = null;
    for (const flag of alike.flags) {
      const { data } = table.getColumn(flag, { ...selected, dtype: "bool" });
      if (flagged === null) flagged = data;
      else for (let i = 0; i < data.length; i++) flagged[i]! |= data[i]!;
    }
    for (const flag of ofRows) {
      const { data } = table.getColumn(flag, { rows: selected.rows, dtype: "bool" });
      for (let i = 0; i < data.length; i++) {
        if (data[i] === 0) continue;
        flagged ??= new Uint8Array(rows.length * each);
        flagged.fill(1, i * each, (i + 1) * each);
      }
    }
    if (data.length !== rows.length * each * items) {
      throw new TableError("CORRUPT", `column ${name}: ${data.length} numbers where ${each} a row are`, {
        file: table.path,
      });
    }
    return { rows, box, each, data, flagged };
  }
}
