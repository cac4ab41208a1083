/**
 * Reading columns: from selections to result arrays. Everything here is a plan, so that the synchronous and the
 * asynchronous calls of `Table` share it.
 */
import { allocate } from "../array/alloc.ts";
import { bytesOf, type DType, holds, isNumeric, numericInfo } from "../array/dtype.ts";
import type { DataOf, NDArray } from "../array/ndarray.ts";
import { type AxisSlice, type Box, boxOf, elementsOf, rowList, type Rows, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { decodeText, type StringPolicy } from "../format/strings.ts";
import { TableRecord } from "../format/table-record.ts";
import type { Plan } from "../io/plan.ts";
import type { CellTarget, ManagedColumn, ShapeRun } from "../storage/manager.ts";
import type { BodyColumn } from "./body.ts";
import { decodeRecordCell } from "./record-cell.ts";

/** A cell's value: scalars as JavaScript values, arrays as NDArray, an undefined cell as null. */
export type Cell =
  | boolean
  | number
  | bigint
  | string
  | readonly [re: number, im: number]
  | TableRecord
  | NDArray
  | null;

/** What a reading call may say beside the rows. */
export interface ReadSettings {
  /** Box of each cell. */
  readonly slice?: readonly AxisSlice[] | undefined;
  /** Array to put the values into. */
  readonly into?: unknown;
  /** Expected data type. */
  readonly dtype?: DType | undefined;
  readonly strings: StringPolicy;
  /** Most bytes that a result may take. */
  readonly maxResultBytes: number;
}

/** Checks the `dtype` option. */
function checkType(column: BodyColumn, dtype: DType | undefined): void {
  if (dtype !== undefined && dtype !== column.bound.dtype) {
    throw new TableError(
      "TYPE_MISMATCH",
      `column ${column.bound.name} is ${column.bound.dtype}, asked for ${dtype}`,
    );
  }
}

/** Plan: the shapes of the cells, neighbouring runs of equal shape joined. */
export function* cellShapes(managed: ManagedColumn, rows: Rows): Plan<ShapeRun[]> {
  if (rows.length === 0) return [];
  const joined: { count: number; shape: readonly number[] | null }[] = [];
  for (const run of yield* managed.shapes(rows)) {
    const last = joined.at(-1);
    const same = last !== undefined &&
      (run.shape === null ? last.shape === null : last.shape !== null && sameShape(last.shape, run.shape));
    if (same) last.count += run.count;
    else if (run.count > 0) joined.push({ ...run });
  }
  return joined;
}

/** The shape that an array column's cells have when there is none to ask. */
function emptyShape(column: BodyColumn): readonly number[] {
  if (column.bound.kind !== "array") return [];
  return column.bound.shape ?? Array.from({ length: Math.max(0, column.bound.ndim) }, () => 0);
}

/** The one shape of all cells of the selection; naming two rows when there are several. */
function uniformShape(column: BodyColumn, runs: readonly ShapeRun[], rows: Rows): readonly number[] {
  const first = runs[0];
  if (first === undefined) return emptyShape(column);
  const second = runs[1];
  const text = (shape: readonly number[] | null) =>
    shape === null ? "undefined" : `of shape [${shape.join(", ")}]`;
  if (second !== undefined) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${column.bound.name}: the cell of row ${rows.at(0)} is ${text(first.shape)}, that of row ` +
        `${rows.at(first.count)} is ${text(second.shape)}; getCells reads cells of any shape`,
    );
  }
  if (first.shape === null) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${column.bound.name}: the cells are undefined; getCells gives null`,
    );
  }
  return first.shape;
}

/** @throws TableError LIMIT when a result of `elements` would be larger than allowed. */
function checkLimit(column: BodyColumn, elements: number, limit: number): void {
  const dtype = column.bound.dtype;
  const bytes = elements * (isNumeric(dtype) ? numericInfo(dtype).size : 8);
  if (!(bytes <= limit)) {
    throw new TableError(
      "LIMIT",
      `column ${column.bound.name}: the result takes ${bytes} bytes, the limit is ${limit}`,
    );
  }
}

/** The result array: the caller's, when it fits, or a new one. */
function resultArray(column: BodyColumn, elements: number, settings: ReadSettings): unknown {
  const { name, dtype } = column.bound;
  const { into } = settings;
  if (into === undefined) {
    checkLimit(column, elements, settings.maxResultBytes);
    return isNumeric(dtype) ? allocate(dtype, elements) : new Array(elements);
  }
  if (isNumeric(dtype)) {
    if (!holds(dtype, into)) {
      throw new TableError(
        "TYPE_MISMATCH",
        `into: column ${name} is ${dtype}, the array given is ${classOf(into)}`,
      );
    }
    const items = elements * numericInfo(dtype).items;
    const length = (into as Uint8Array).length;
    if (length !== items) {
      throw new TableError("SHAPE_MISMATCH", `into: the array has ${length} items, the result ${items}`);
    }
  } else if (!Array.isArray(into)) {
    throw new TableError(
      "TYPE_MISMATCH",
      `into: column ${name} is ${dtype}, expected an array, found ${classOf(into)}`,
    );
  }
  return into;
}

function classOf(value: unknown): string {
  return value === null
    ? "null"
    : typeof value === "object"
    ? value.constructor?.name ?? "object"
    : typeof value;
}

/** How a manager hands values over. */
export function targetOf(dtype: DType, data: unknown, strings: StringPolicy): CellTarget {
  return isNumeric(dtype) ? { kind: "numeric", bytes: bytesOf(data as ArrayBufferView) } : {
    kind: "strings",
    values: data as unknown[],
    ascii: strings !== "bytes",
    decode: (bytes) => decodeText(bytes, strings),
  };
}

/** Plan: one value a row of a record column. */
function* readRecords(column: BodyColumn, rows: Rows): Plan<TableRecord[]> {
  const managed = yield* column.open();
  const records: TableRecord[] = [];
  let index = 0;
  for (const run of yield* cellShapes(managed, rows)) {
    for (let i = 0; i < run.count; i++, index++) {
      const bytes = new Uint8Array(elementsOf(run.shape ?? [0]));
      const row = rows.sub(index, index + 1);
      if (bytes.length > 0) yield* managed.read(row, run.shape!, null, { kind: "numeric", bytes }, 0);
      records.push(new TableRecord(decodeRecordCell(bytes, `${column.bound.name}, row ${row.at(0)}`)));
    }
  }
  return records;
}

/** Plan: a column, or some rows of it, or a box of each cell, as one array with the rows last. */
export function* readColumn(column: BodyColumn, rows: Rows, settings: ReadSettings): Plan<NDArray> {
  checkType(column, settings.dtype);
  const { dtype, kind } = column.bound;
  if (kind === "record") {
    return { dtype, shape: [rows.length], data: (yield* readRecords(column, rows)) as unknown as string[] };
  }
  const managed = yield* column.open();
  const runs = kind === "scalar" ? [] : yield* cellShapes(managed, rows);
  if (settings.slice !== undefined && runs.length > 1) {
    const groups = groupByShape(runs);
    if (groups.length > 1) return yield* readBoxes(column, managed, rows, groups, settings);
  }
  const shape = kind === "scalar" ? [] : uniformShape(column, runs, rows);
  const box: Box | null = settings.slice === undefined ? null : boxOf(settings.slice, shape);
  const cell = box === null ? shape : box.shape;
  const data = resultArray(column, elementsOf(cell) * rows.length, settings);
  if (rows.length > 0 && elementsOf(cell) > 0) {
    yield* managed.read(rows, shape, box, targetOf(dtype, data, settings.strings), 0);
  }
  return { dtype, shape: [...cell, rows.length], data: data as DataOf<DType> };
}

/** Plan: the same box of cells of several shapes, as one array. Cells of each shape are read at once, and put in their places. */
function* readBoxes(
  column: BodyColumn,
  managed: ManagedColumn,
  rows: Rows,
  groups: readonly ShapeGroup[],
  settings: ReadSettings,
): Plan<NDArray> {
  const { name, dtype } = column.bound;
  const boxes = groups.map(({ shape, runs }) => {
    const box = boxOf(settings.slice!, shape);
    return { box, shape, runs, cell: box === null ? shape : box.shape };
  });
  const [{ cell, runs: [first] }] = boxes as [typeof boxes[0]];
  const defined = groups.reduce((sum, { count }) => sum + count, 0);
  for (const other of boxes) {
    if (sameShape(other.cell, cell)) continue;
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name}: what is asked of the cell of row ${rows.at(first!.index)} is of shape [${
        cell.join(", ")
      }], of ` +
        `that of row ${rows.at(other.runs[0]!.index)} [${
          other.cell.join(", ")
        }]; getCells reads cells of any shape`,
    );
  }
  if (defined < rows.length) {
    throw new TableError("SHAPE_MISMATCH", `column ${name}: some cells are undefined; getCells gives null`);
  }
  const n = elementsOf(cell), items = isNumeric(dtype) ? n * numericInfo(dtype).items : n;
  const data = resultArray(column, n * rows.length, settings);
  for (const { box, shape, runs } of boxes) {
    if (n === 0) continue;
    const chosen = rowsOfRuns(rows, runs);
    const [only] = runs;
    if (runs.length === 1) {
      yield* managed.read(chosen, shape, box, targetOf(dtype, data, settings.strings), only!.index * n);
      continue;
    }
    const part: unknown = isNumeric(dtype)
      ? allocate(dtype, n * chosen.length)
      : new Array(n * chosen.length);
    yield* managed.read(chosen, shape, box, targetOf(dtype, part, settings.strings), 0);
    let from = 0;
    for (const { index, count } of runs) {
      const end = from + count * items;
      if (Array.isArray(data)) {
        for (let i = from; i < end; i++) data[index * items + i - from] = (part as unknown[])[i];
      } else (data as Uint8Array).set((part as Uint8Array).subarray(from, end), index * items);
      from = end;
    }
  }
  return { dtype, shape: [...cell, rows.length], data: data as DataOf<DType> };
}

/** A part of a data array, sharing its memory where it is a typed array. */
function part(dtype: DType, data: unknown, at: number, elements: number, copy: boolean): DataOf<DType> {
  if (!isNumeric(dtype)) return (data as string[]).slice(at, at + elements);
  const items = numericInfo(dtype).items;
  const all = data as Uint8Array;
  return (copy
    ? all.slice(at * items, (at + elements) * items)
    : all.subarray(at * items, (at + elements) * items)) as DataOf<DType>;
}

/** One element as a JavaScript value. */
export function scalarAt(dtype: DType, data: unknown, index: number): Cell {
  switch (dtype) {
    case "bool":
      return (data as Uint8Array)[index] !== 0;
    case "complex64":
    case "complex128": {
      const pairs = data as Float64Array;
      return [pairs[2 * index]!, pairs[2 * index + 1]!];
    }
    default:
      return (data as Cell[])[index]!;
  }
}

/** Plan: cells of any shapes, in selection order. Cells of equal shape share one block of memory unless `copy`. */
export function* readCells(
  column: BodyColumn,
  rows: Rows,
  settings: ReadSettings & { readonly copy: boolean },
): Plan<Cell[]> {
  checkType(column, settings.dtype);
  const { dtype, kind } = column.bound;
  if (kind === "record") return yield* readRecords(column, rows);
  const managed = yield* column.open();
  const runs = yield* cellShapes(managed, rows);
  const cells: Cell[] = new Array(rows.length).fill(null);
  if (kind === "scalar") {
    // Only coordinates and ids of hypercubes have rows without a value: those that are in no hypercube yet.
    const defined = runsOf(runs, ({ shape }) => shape !== null);
    if (defined.length === 0) return cells;
    const { data } = yield* readColumn(column, rowsOfRuns(rows, defined), settings);
    let k = 0;
    for (const { index, count } of defined) {
      for (let i = index; i < index + count; i++) cells[i] = scalarAt(dtype, data, k++);
    }
    return cells;
  }
  const groups = groupByShape(runs);
  for (const { shape, runs, count } of groups) {
    const box = settings.slice === undefined ? null : boxOf(settings.slice, shape);
    const cellShape = box === null ? [...shape] : [...box.shape];
    const n = elementsOf(cellShape);
    checkLimit(column, n * count, settings.maxResultBytes);
    const data: unknown = isNumeric(dtype) ? allocate(dtype, n * count) : new Array(n * count);
    if (n > 0) {
      yield* managed.read(rowsOfRuns(rows, runs), shape, box, targetOf(dtype, data, settings.strings), 0);
    }
    // The block of a single cell is nobody else's.
    const alone = data as DataOf<DType>;
    let k = 0;
    for (const run of runs) {
      for (let i = run.index; i < run.index + run.count; i++, k++) {
        cells[i] = {
          dtype,
          shape: cellShape,
          data: count === 1 ? alone : part(dtype, data, k * n, n, settings.copy),
        };
      }
    }
  }
  return cells;
}

/** Those runs that are wanted, with their places in the selection. */
function runsOf(
  runs: readonly ShapeRun[],
  wanted: (run: ShapeRun) => boolean,
): { index: number; count: number }[] {
  const chosen: { index: number; count: number }[] = [];
  let index = 0;
  for (const run of runs) {
    if (wanted(run)) chosen.push({ index, count: run.count });
    index += run.count;
  }
  return chosen;
}

interface ShapeGroup {
  readonly shape: readonly number[];
  readonly runs: { index: number; count: number }[];
  count: number;
}

/** Runs of one shape together, so that each shape is read by one plan; undefined cells are left out. */
function groupByShape(runs: readonly ShapeRun[]): ShapeGroup[] {
  const groups = new Map<string, ShapeGroup>();
  let index = 0;
  for (const { shape, count } of runs) {
    if (shape !== null) {
      const key = shape.join();
      let group = groups.get(key);
      if (group === undefined) groups.set(key, group = { shape, runs: [], count: 0 });
      group.runs.push({ index, count });
      group.count += count;
    }
    index += count;
  }
  return [...groups.values()];
}

function rowsOfRuns(rows: Rows, runs: readonly { index: number; count: number }[]): Rows {
  const only = runs[0]!;
  if (runs.length === 1) return rows.sub(only.index, only.index + only.count);
  const list: number[] = [];
  for (const { index, count } of runs) for (let i = index; i < index + count; i++) list.push(rows.at(i));
  return rowList(list);
}
