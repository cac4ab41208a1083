/**
 * Engines without a table: columns in memory as what they read, and cells in the form of `table cat` after JSON.parse.
 */
import { bytesOf, type DType, isNumeric, type NumericData, numericInfo } from "../../src/array/dtype.ts";
import { type Box, elementsOf, rowRange, type Rows } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { EMPTY_RECORD, type RecordFields } from "../../src/format/record.ts";
import { encodeUtf8 } from "../../src/format/strings.ts";
import { TableRecord } from "../../src/format/table-record.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import type { Plan } from "../../src/io/plan.ts";
import type {
  BoundColumn,
  CellTarget,
  ColumnSource,
  ManagedColumn,
  ManagerKind,
  ShapeRun,
  SourceColumn,
  StorageManager,
} from "../../src/storage/manager.ts";
import { virtualEngines } from "../../src/storage/virtual/mod.ts";
import { boundColumn, contextOf, readCells } from "./storage_managed_support.ts";

/** Values of one cell; shape [] for a scalar. */
export interface MemoryCell {
  readonly shape: readonly number[];
  readonly data: NumericData | readonly string[];
}

/** A column in memory. */
export class MemoryColumn implements ManagedColumn, SourceColumn {
  readonly bound: BoundColumn;
  readonly cells: readonly (MemoryCell | null)[];
  /** What was asked for. */
  readonly reads: { rows: number[]; box: Box | null }[] = [];

  constructor(
    name: string,
    dtype: DType,
    cells: readonly (MemoryCell | null)[],
    about: { kind?: "scalar" | "array"; keywords?: RecordFields } = {},
  ) {
    this.bound = boundColumn(name, { dtype, kind: "array", ...about });
    this.cells = cells;
  }

  get column(): ManagedColumn {
    return this;
  }

  // deno-lint-ignore require-yield
  *open(): Plan<ManagedColumn> {
    return this;
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return rowNumbers(rows).map((row) => ({ count: 1, shape: this.cells[row]?.shape ?? null }));
  }

  // deno-lint-ignore require-yield
  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const numbers = rowNumbers(rows);
    this.reads.push({ rows: numbers, box });
    const order = positions(cellShape, box);
    numbers.forEach((row, k) => {
      const { data, shape } = this.cells[row]!;
      if (shape.join() !== cellShape.join()) {
        throw new Error(`row ${row} has shape ${shape}, not ${cellShape}`);
      }
      order.forEach((from, i) => put(target, this.bound.dtype, data, from, at + k * order.length + i));
    });
  }
}

function put(target: CellTarget, dtype: DType, data: MemoryCell["data"], from: number, to: number): void {
  if (target.kind === "strings") target.values[to] = target.decode(encodeUtf8(String(data[from])));
  else if (isNumeric(dtype)) {
    const { size } = numericInfo(dtype);
    target.bytes.set(bytesOf(data as NumericData).subarray(from * size, (from + 1) * size), to * size);
  }
}

/** Positions of the box's elements in a cell, first axis fastest. */
export function positions(shape: readonly number[], box: Box | null): number[] {
  const { start, step, shape: lengths } = box ??
    { start: shape.map(() => 0), step: shape.map(() => 1), shape };
  let all = [0], stride = elementsOf(shape);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    stride /= shape[axis]! || 1;
    const along = Array.from({ length: lengths[axis]! }, (_, i) => (start[axis]! + i * step[axis]!) * stride);
    all = all.flatMap((base) => along.map((offset) => base + offset));
  }
  return all;
}

function rowNumbers(rows: Rows): number[] {
  return Array.from({ length: rows.length }, (_, i) => rows.at(i));
}

/** Another table, for forwarded columns. */
export interface MemoryTable {
  readonly rowCount: number;
  readonly columns: readonly MemoryColumn[];
}

/** What engines see of a table in memory. */
export function sourceOf(
  columns: readonly SourceColumn[],
  others: Readonly<Record<string, MemoryTable>> = {},
  keywords: RecordFields = EMPTY_RECORD,
): ColumnSource {
  const find = <C extends SourceColumn>(list: readonly C[], name: string): C => {
    const found = list.find((one) => one.bound.name === name);
    if (found === undefined) throw new TableError("NO_SUCH_COLUMN", `no column ${name}`);
    return found;
  };
  return {
    column: (name) => find(columns, name),
    // deno-lint-ignore require-yield
    *foreignColumn(table, name) {
      const other = others[table];
      if (other === undefined) throw new TableError("NOT_FOUND", `no table ${table}`);
      const found = find(other.columns, name);
      return { bound: found.bound, column: found, open: () => found.open(), rowCount: other.rowCount };
    },
    tableKeywords: () => keywords,
  };
}

/** Keywords: values as `TableRecord.set` takes them, or [value, dtype]. */
export function keywordsOf(values: Readonly<Record<string, unknown>>): RecordFields {
  const record = new TableRecord();
  for (const [key, value] of Object.entries(values)) {
    if (Array.isArray(value) && value.length === 2 && typeof value[1] === "string" && value[1] !== "") {
      record.set(key, value[0], value[1] as DType);
    } else record.set(key, value);
  }
  return record.toFields();
}

/** The kind of manager that serves an engine's class name. */
export function engineOf(type: string): ManagerKind {
  const kind = virtualEngines.find((one) => one.serves(type));
  if (kind === undefined) throw new Error(`no engine for ${type}`);
  return kind;
}

/** An engine with one column. */
export function openEngine(
  type: string,
  bound: BoundColumn,
  source: ColumnSource,
  about: { sequence?: number; rowCount?: number } = {},
): StorageManager {
  const context = contextOf({ type, columns: [bound], rowCount: 100, bigEndian: false, source, ...about });
  return run(engineOf(type).open(context, new Uint8Array(0)));
}

/** Runs a plan that touches no file. */
export function run<T>(plan: Plan<T>): T {
  return runSync(plan, new TableFiles("/nowhere", openBackend("memory"), { writable: false }));
}

/** Cells of an engine's only column. */
export function cellsOf(
  manager: StorageManager,
  bound: BoundColumn,
  rows: Rows | number,
  box: Box | null = null,
): unknown[] {
  return run(readCells(bound, manager.column(0), typeof rows === "number" ? rowRange(0, rows) : rows, box));
}
