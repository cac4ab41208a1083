/**
 * The values of a copy, some rows at a time, in bounded memory: columns of one manager together, so that each of its
 * buckets is filled once; cells that are larger than the bound in pieces.
 */
import { allocate } from "../array/alloc.ts";
import { isNumeric, type NumericData, numericInfo, type NumericType } from "../array/dtype.ts";
import { type AxisSlice, elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { Column } from "./column.ts";
import { type RowSelection, rowsOf } from "./selection.ts";
import type { Table } from "./table.ts";
import type { ColumnValues } from "./values.ts";

/** Most bytes of one column that are in memory at a time. */
const BATCH_BYTES = 16 * 2 ** 20;
/** What a string is taken to need; how long it is can't be known before it is read. */
const STRING_BYTES = 256;
/** Rows of a batch where cells have shapes of their own: what is known of each of them is in memory, too. */
const FREE_SHAPE_ROWS = 4096;
/** Records that are read at once. */
const RECORDS = 256;

/** Values that were copied since the last time. */
export interface CopiedBatch {
  /** Cells, all columns' together. */
  readonly cells: number;
  readonly bytes: number;
}

/** Managers whose columns are put into another table, or computed from others. */
const FORWARDING = new Set(["ForwardColumnEngine", "ForwardColumnIndexedRowEngine"]);

/** The rows of the original that a copy has. */
export interface ChosenRows {
  readonly length: number;
  /** Rows `start` to `end` of the copy, as the original numbers them. */
  selection(start: number, end: number): RowSelection;
}

/** @throws TableError OUT_OF_RANGE, INVALID_ARGUMENT */
export function chosenRows(selection: RowSelection | undefined, rowCount: number): ChosenRows {
  const rows = rowsOf(selection, rowCount);
  if (selection !== undefined && "length" in selection) {
    return {
      length: rows.length,
      selection: (start, end) => Array.prototype.slice.call(selection, start, end) as number[],
    };
  }
  // A range stays one: a list of its rows may be larger than memory.
  const { start: first = 0, step = 1 } = selection ?? {};
  return {
    length: rows.length,
    selection: (start, end) => ({ start: first + start * step, end: first + (end - 1) * step + 1, step }),
  };
}

/** Copies the cells of `rows` of each column into the rows of `to`; yields after each batch. */
export function* copyValues(
  from: Table,
  to: Table,
  names: readonly string[],
  rows: ChosenRows,
  storage: readonly StorageSpec[],
): Generator<CopiedBatch, void> {
  const copier = new Copier(from, to, rows);
  for (const group of groupsOf(to, names, storage)) {
    const columns = group.map((name) => from.column(name));
    const step = Math.max(1, Math.min(...columns.map(rowsAtOnce)));
    for (let start = 0; start < rows.length; start += step) {
      const end = Math.min(rows.length, start + step);
      for (const column of columns) yield* copier.batch(column, start, end);
    }
  }
}

/**
 * The columns by the manager that takes them. What others depend on comes first: virtual columns are written when the columns
 * of their scales are, and visibilities that are encoded when it is known whose they are.
 */
function groupsOf(to: Table, names: readonly string[], storage: readonly StorageSpec[]): string[][] {
  const groups = new Map<number, { readonly rank: number; readonly names: string[] }>();
  for (const name of names) {
    const { type, sequence } = to.column(name).manager;
    // Its cells are another table's, which a copy must not change.
    if (FORWARDING.has(type)) continue;
    const rank = type.endsWith("StMan") ? type === "DyscoStMan" ? 1 : 0 : 2;
    const group = groups.get(sequence) ?? { rank, names: [] };
    group.names.push(name);
    groups.set(sequence, group);
  }
  return [...groups.values()].sort((a, b) => a.rank - b.rank).map((group) => inRoles(group.names, storage));
}

/** Columns of a tiled manager as it wants them put: ids, data, coordinates. */
function inRoles(names: readonly string[], storage: readonly StorageSpec[]): string[] {
  const hypercolumn = storage.find(({ columns }) => columns?.includes(names[0]!))?.hypercolumn;
  if (hypercolumn === undefined) return [...names];
  const { ids = [], coordinates = [] } = hypercolumn;
  const role = (name: string) => ids.includes(name) ? 0 : coordinates.includes(name) ? 2 : 1;
  return [...names].sort((a, b) => role(a) - role(b));
}

/** Bytes that a cell of that shape takes in memory, about. */
function bytesOfCell({ dtype }: Column, shape: readonly number[]): number {
  return elementsOf(shape) * (isNumeric(dtype) ? numericInfo(dtype).size : STRING_BYTES);
}

/** Rows of a column that fit the bound; whole tiles, so that none is read twice. */
function rowsAtOnce(column: Column): number {
  if (column.kind === "record") return RECORDS;
  if (column.shape === null) return FREE_SHAPE_ROWS;
  const step = Math.floor(BATCH_BYTES / Math.max(1, bytesOfCell(column, column.shape)));
  const tile = column.tileShape?.at(-1) ?? 1;
  return Math.max(1, step - (step > tile ? step % tile : 0));
}

class Copier {
  readonly #from: Table;
  readonly #to: Table;
  readonly #rows: ChosenRows;
  /** Memory for values, which every batch uses again. */
  readonly #buffers = new Map<NumericType, NumericData<NumericType>>();

  constructor(from: Table, to: Table, rows: ChosenRows) {
    this.#from = from;
    this.#to = to;
    this.#rows = rows;
  }

  /** Rows `start` to `end` of the copy. */
  *batch(column: Column, start: number, end: number): Generator<CopiedBatch, void> {
    if (column.kind === "record") return yield this.#cells(column, start, end);
    if (column.kind === "scalar") {
      return yield this.#isPlaced(column, start, end)
        ? this.#values(column, [], start, end)
        : this.#cells(column, start, end);
    }
    let at = start;
    for (const { count, shape } of column.cellShapes(this.#rows.selection(start, end))) {
      const stop = at + count;
      if (shape === null) yield this.#undefined(column, at, stop);
      else yield* this.#stretch(column, shape, at, stop);
      at = stop;
    }
  }

  /** New cells are undefined already, but where they are what those before them are. */
  #undefined({ name }: Column, start: number, end: number): CopiedBatch {
    if (start > 0 && this.#to.column(name).manager.type === "IncrementalStMan") {
      this.#to.setShape(name, null, { rows: { start, end } });
    }
    return { cells: end - start, bytes: 0 };
  }

  /** Cells of one shape. */
  *#stretch(
    column: Column,
    shape: readonly number[],
    start: number,
    end: number,
  ): Generator<CopiedBatch, void> {
    const each = bytesOfCell(column, shape);
    const step = Math.floor(BATCH_BYTES / Math.max(1, each));
    for (let at = start; at < end; at += Math.max(1, step)) {
      if (step === 0 && isNumeric(column.dtype)) yield* this.#pieces(column, shape, at);
      else yield this.#values(column, shape, at, Math.min(end, at + Math.max(1, step)));
    }
  }

  #values(column: Column, shape: readonly number[], start: number, end: number): CopiedBatch {
    const { name } = column, count = end - start;
    const values = this.#from.getColumn(name, {
      rows: this.#rows.selection(start, end),
      ...this.#into(column, elementsOf(shape) * count),
    });
    this.#to.putColumn(name, values as ColumnValues, { rows: { start, end } });
    return { cells: count, bytes: bytesOfCell(column, shape) * count };
  }

  /** A cell that is larger than what may be in memory, in boxes of whole first axes. */
  *#pieces(column: Column, shape: readonly number[], at: number): Generator<CopiedBatch, void> {
    const { name } = column,
      row = this.#rows.selection(at, at + 1),
      to = { rows: { start: at, end: at + 1 } };
    const element = bytesOfCell(column, []);
    if (column.shape === null) this.#to.setShape(name, shape, to);
    let whole = 0, bytes = element;
    while (bytes * shape[whole]! <= BATCH_BYTES) bytes *= shape[whole++]!;
    const step = Math.max(1, Math.floor(BATCH_BYTES / bytes));
    // Positions on the axes behind the one that is cut.
    const places = shape.slice(whole + 1).reduce((product, length) => product * length, 1);
    for (let place = 0; place < places; place++) {
      let rest = place;
      const behind = shape.slice(whole + 1).map((length): AxisSlice => {
        const position = rest % length;
        rest = Math.floor(rest / length);
        return [position, position + 1];
      });
      for (let start = 0; start < shape[whole]!; start += step) {
        const end = Math.min(shape[whole]!, start + step);
        const slice: AxisSlice[] = [...shape.slice(0, whole).map(() => null), [start, end], ...behind];
        const elements = (bytes / element) * (end - start);
        const values = this.#from.getColumn(name, {
          rows: row,
          slice,
          ...this.#into(column, elements),
        });
        this.#to.putColumn(name, values as ColumnValues, { ...to, slice });
        yield { cells: (end - start) / (shape[whole]! * places), bytes: elements * element };
      }
    }
  }

  /** Cell by cell; undefined ones stay so. */
  #cells({ name }: Column, start: number, end: number): CopiedBatch {
    this.#from.getCells(name, { rows: this.#rows.selection(start, end) }).forEach((cell, i) => {
      if (cell !== null) this.#to.putCell(name, start + i, cell);
    });
    return { cells: end - start, bytes: 0 };
  }

  /** False for a coordinate or an id of which some row is in no hypercube yet. */
  #isPlaced({ name, manager: { type } }: Column, start: number, end: number): boolean {
    if (!type.startsWith("Tiled")) return true;
    try {
      this.#from.getColumn(name, { rows: this.#rows.selection(start, end) });
      return true;
    } catch (error) {
      if (error instanceof TableError && error.code === "OUT_OF_RANGE") return false;
      throw error;
    }
  }

  /** Memory for so many values, where they are numbers. */
  #into({ dtype }: Column, elements: number): { into?: never } {
    if (!isNumeric(dtype)) return {};
    let buffer = this.#buffers.get(dtype);
    const known = buffer === undefined ? 0 : buffer.byteLength / numericInfo(dtype).size;
    if (buffer === undefined || known < elements) {
      this.#buffers.set(dtype, buffer = allocate(dtype, elements));
      return { into: buffer as never };
    }
    return { into: buffer.subarray(0, elements * (buffer.length / known)) as never };
  }
}
