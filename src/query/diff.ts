/**
 * Differences between two tables: their descriptions, their keywords, and their cells, in bounded memory. How they are
 * stored makes no difference.
 */
import { Buffer } from "node:buffer";
import { bytesOf, type DType, isNumeric } from "../array/dtype.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { FieldValue, RecordFields } from "../format/record.ts";
import { TableRecord } from "../format/table-record.ts";
import type { Column } from "../table/column.ts";
import type { Table } from "../table/table.ts";
import {
  type BlockData,
  type BlockPlan,
  BlockReader,
  equalShapes,
  jointStretches,
  planBlocks,
  type ShapeStretch,
  shapeStretches,
  windows,
} from "./cell-blocks.ts";

/** How far numbers may be apart and still count as equal: |a − b| ≤ absolute + relative × max(|a|, |b|). */
export interface Tolerance {
  /** In the values' own unit. */
  readonly absolute?: number;
  /** As a fraction of the larger magnitude. */
  readonly relative?: number;
}

/** Options of {@linkcode diffTables}. */
export interface DiffOptions extends Tolerance {
  /** Columns to compare; all of either table unless told otherwise. */
  readonly columns?: readonly string[];
  /** Told how far it got, in rows of a column. */
  readonly onProgress?: (column: string, rows: number, of: number) => void;
}

/** Something that isn't the same in both. */
export interface Difference {
  /** What it is: `rows`, `column DATA: shape`, `keyword MS_VERSION`. */
  readonly what: string;
  /** In the first table, as text; null where it isn't there. */
  readonly left: string | null;
  /** In the second table. */
  readonly right: string | null;
}

/** The first cell of a column that differs. */
export interface FirstDifference {
  /** Its row. */
  readonly row: number;
  /** Which element of the cell, by axis; null where cells differ as a whole: in their shape, or in being defined. */
  readonly index: readonly number[] | null;
  /** In the first table, as text. */
  readonly left: string;
  /** In the second table, as text. */
  readonly right: string;
}

/** How the cells of one column differ. */
export interface ColumnDifference {
  /** The column. */
  readonly name: string;
  /** Rows that both tables have. */
  readonly rows: number;
  /** Rows whose cells differ. */
  readonly differentRows: number;
  /** Elements that differ in cells of equal shape. */
  readonly differentElements: number;
  /** Largest |a − b| of numbers that differ; null where none do, or where it isn't finite. */
  readonly largest: number | null;
  /** The first of them, null where there are none. */
  readonly first: FirstDifference | null;
  /** Why the values can't be compared, null where they were. */
  readonly problem: string | null;
}

/** What differs between two tables. */
export interface TableDiff {
  /** True when nothing does. */
  readonly equal: boolean;
  /** Rows, columns, their types and shapes, comments. */
  readonly schema: readonly Difference[];
  /** Of the table and of its columns; those inside records by their paths. */
  readonly keywords: readonly Difference[];
  /** Columns of both tables that were compared, in the order of the first. */
  readonly columns: readonly ColumnDifference[];
}

/** Items of a difference's text: enough to see what it is. */
const SOME = 6;

function shapeText(shape: readonly number[] | null): string {
  return shape === null ? "undefined" : `[${shape.join(",")}]`;
}

function fieldText(value: FieldValue): string {
  switch (value.kind) {
    case "scalar":
      return `${JSON.stringify(value.value, (_, one) => plainJson(one))} (${value.dtype})`;
    case "array": {
      const items = Array.from(value.data as ArrayLike<unknown>).slice(0, SOME);
      const more = value.data.length > SOME ? ", …" : "";
      return `[${items.map((one) => JSON.stringify(plainJson(one))).join(", ")}${more}] (${value.dtype}${
        shapeText(value.shape)
      })`;
    }
    case "record":
      return `a record of ${value.fields.fields.length} fields`;
    case "table":
      return "a subtable";
  }
}

/** What JSON has no way to write, as text. */
function plainJson(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** True for equal values, 0 and -0 among them, and for two NaN. */
function sameValue(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

/** True when two fields have the same type and value; of subtables only that they are ones. */
function sameField(a: FieldValue, b: FieldValue): boolean {
  if (a.kind === "table" || b.kind === "table") return a.kind === b.kind;
  if (a.kind === "record" || b.kind === "record" || a.kind !== b.kind || a.dtype !== b.dtype) return false;
  if (a.kind === "array" && !equalShapes(a.shape, (b as typeof a).shape)) return false;
  const items = (field: typeof a | typeof b): ArrayLike<unknown> =>
    field.kind === "array" ? field.data : Array.isArray(field.value) ? field.value : [field.value];
  const right = items(b);
  return Array.prototype.every.call(items(a), (one, i) => sameValue(one, right[i]));
}

/** Differences of two records, those inside records under their paths. */
function* diffFields(a: RecordFields, b: RecordFields, where: string): Generator<Difference> {
  const right = new Map(b.fields.map((field) => [field.name, field.value]));
  for (const { name, value } of a.fields) {
    const what = `${where}${name}`;
    const other = right.get(name);
    right.delete(name);
    if (other === undefined) yield { what, left: fieldText(value), right: null };
    else if (value.kind === "record" && other.kind === "record") {
      yield* diffFields(value.fields, other.fields, `${what}.`);
    } else if (!sameField(value, other)) yield { what, left: fieldText(value), right: fieldText(other) };
  }
  for (const [name, value] of right) yield { what: `${where}${name}`, left: null, right: fieldText(value) };
}

function cellsText(column: Column): string {
  if (column.kind !== "array") return column.kind;
  if (column.shape !== null) return `array of shape ${shapeText(column.shape)}`;
  return column.ndim > 0 ? `array of ${column.ndim} axes` : "array of any shape";
}

function* diffColumns(a: Column, b: Column): Generator<Difference> {
  const facts: [string, (column: Column) => string][] = [
    ["type", (column) => column.dtype],
    ["cells", cellsText],
    ["comment", (column) => JSON.stringify(column.comment)],
    ["most bytes of a string", (column) => String(column.maxLength)],
  ];
  for (const [name, fact] of facts) {
    const [left, right] = [fact(a), fact(b)];
    if (left !== right) yield { what: `column ${a.name}: ${name}`, left, right };
  }
}

/** One item of a block as text. */
function itemText(dtype: DType, data: BlockData, index: number): string {
  switch (dtype) {
    case "bool":
      return (data as Uint8Array)[index] === 0 ? "false" : "true";
    case "complex64":
    case "complex128": {
      const [re, im] = [0, 1].map((part) => (data as Float64Array)[2 * index + part]!);
      return `${numberText(dtype, re!)}${im! < 0 || Object.is(im, -0) ? "" : "+"}${numberText(dtype, im!)}i`;
    }
    case "string":
      return JSON.stringify(data[index]);
    case "record":
      return JSON.stringify((data[index] as TableRecord).toJSON(), (_, one) => plainJson(one));
    default:
      return typeof data[index] === "number" ? numberText(dtype, data[index]) : String(data[index]);
  }
}

/** Significant digits that tell any two numbers of 32 bits apart. */
const FLOAT32_DIGITS = 9;

/** The shortest text that reads back as the same number of the type. */
function numberText(dtype: DType, value: number): string {
  if (Object.is(value, -0)) return "-0";
  if ((dtype !== "float32" && dtype !== "complex64") || !Number.isFinite(value)) return String(value);
  for (let digits = 1; digits < FLOAT32_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(FLOAT32_DIGITS)));
}

/** What is found out about one column while its blocks are compared. */
class ColumnComparison {
  readonly #dtype: DType;
  readonly #absolute: number;
  readonly #relative: number;
  differentRows = 0;
  differentElements = 0;
  largest: number | null = null;
  first: FirstDifference | null = null;
  #lastRow = -1;

  constructor(dtype: DType, { absolute = 0, relative = 0 }: Tolerance) {
    this.#dtype = dtype;
    this.#absolute = absolute;
    this.#relative = relative;
  }

  /** Cells of two shapes. */
  shapes(row: number, count: number, left: readonly number[] | null, right: readonly number[] | null): void {
    this.differentRows += count;
    this.#note({ row, index: null, left: shapeText(left), right: shapeText(right) });
  }

  block({ row, shape, from }: BlockPlan, left: BlockData, right: BlockData): void {
    if (isNumeric(this.#dtype) && left.length === right.length && sameBytes(left, right)) return;
    const items = this.#dtype.startsWith("complex") ? 2 : 1;
    const count = left.length / items;
    const each = Math.max(1, elementsOf(shape ?? []));
    for (let i = 0; i < count; i++) {
      let same = true;
      for (let k = i * items; k < (i + 1) * items; k++) same = this.#same(left[k], right[k]) && same;
      if (same) continue;
      const at = from + i;
      this.differentElements++;
      const cell = row + Math.floor(at / each);
      if (cell !== this.#lastRow) this.differentRows++;
      this.#lastRow = cell;
      if (this.first !== null && this.first.row <= cell) continue;
      this.#note({
        row: cell,
        index: indexOf(at % each, shape ?? []),
        left: itemText(this.#dtype, left, i),
        right: itemText(this.#dtype, right, i),
      });
    }
  }

  /** Shapes of a window are compared before its values: what was found first need not come first. */
  #note(found: FirstDifference): void {
    if (this.first === null || found.row < this.first.row) this.first = found;
  }

  /** Equal, both NaN, or within the tolerance. */
  #same(a: unknown, b: unknown): boolean {
    if (sameValue(a, b)) return true;
    if (typeof a === "number" && typeof b === "number") {
      const apart = Math.abs(a - b);
      if (apart <= this.#absolute + this.#relative * Math.max(Math.abs(a), Math.abs(b)) && apart < Infinity) {
        return true;
      }
      if (Number.isFinite(apart)) this.largest = Math.max(this.largest ?? 0, apart);
      return false;
    }
    if (typeof a === "bigint" && typeof b === "bigint") {
      const apart = Number(a > b ? a - b : b - a);
      if (apart <= this.#absolute + this.#relative * Math.max(Math.abs(Number(a)), Math.abs(Number(b)))) {
        return true;
      }
      this.largest = Math.max(this.largest ?? 0, apart);
      return false;
    }
    return a instanceof TableRecord && b instanceof TableRecord &&
      diffFields(a.toFields(), b.toFields(), "").next().done === true;
  }
}

function sameBytes(a: unknown, b: unknown): boolean {
  return Buffer.compare(bytesOf(a as ArrayBufferView), bytesOf(b as ArrayBufferView)) === 0;
}

function indexOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape.map((length) => {
    const at = rest % length;
    rest = Math.floor(rest / length);
    return at;
  });
}

/** Compares the cells of a column that has the same type in both. */
function diffCells(a: Table, b: Table, name: string, options: DiffOptions): ColumnDifference {
  const rows = Math.min(a.rowCount, b.rowCount);
  const { dtype } = a.column(name);
  const comparison = new ColumnComparison(dtype, options);
  const left = new BlockReader(a, name), right = new BlockReader(b, name);
  for (const window of windows({ start: 0, end: rows })) {
    const same: ShapeStretch[] = [];
    for (const stretch of jointStretches(shapeStretches(a, name, window), shapeStretches(b, name, window))) {
      if (equalShapes(stretch.shape, stretch.other)) same.push(stretch);
      else comparison.shapes(stretch.row, stretch.count, stretch.shape, stretch.other);
    }
    for (const plan of planBlocks(same, dtype)) {
      if (plan.shape !== null) comparison.block(plan, left.read(plan), right.read(plan));
      options.onProgress?.(name, plan.row + plan.count, rows);
    }
  }
  const { differentRows, differentElements, largest, first } = comparison;
  return { name, rows, differentRows, differentElements, largest, first, problem: null };
}

function incomparable(name: string, problem: string): ColumnDifference {
  return { name, rows: 0, differentRows: 0, differentElements: 0, largest: null, first: null, problem };
}

/** Names of both, those of the first in its order, then the rest. */
function namesOf(a: Table, b: Table, columns: readonly string[] | undefined): string[] {
  if (columns === undefined) return [...new Set([...a.columnNames, ...b.columnNames])];
  for (const name of columns) {
    // What neither has is a mistake.
    if (!a.columnNames.includes(name) && !b.columnNames.includes(name)) a.column(name);
  }
  return [...columns];
}

/**
 * Compares two tables: rows, columns, keywords, and every cell of the rows that both have. NaN equals NaN, 0 equals -0.
 * Storage managers, tiles, byte order and the order of columns are not compared, nor are subtables beyond their names.
 *
 * @throws TableError NO_SUCH_COLUMN for a column that neither has; CORRUPT, IO
 * @example
 * ```ts
 * import { scalar, Table } from "@tessera/tables";
 * import { diffTables } from "@tessera/tables/query";
 * for (const name of ["a.tab", "b.tab"]) Table.create(name, { columns: [scalar("N", "int32")], rows: 9 }).close();
 * using a = Table.open("a.tab"), b = Table.open("b.tab", { mode: "rw" });
 * b.putCell("N", 5, 1);
 * console.log(diffTables(a, b).columns[0]!.first); // { row: 5, index: [], left: "0", right: "1" }
 * ```
 */
export function diffTables(a: Table, b: Table, options: DiffOptions = {}): TableDiff {
  const schema: Difference[] = [], columns: ColumnDifference[] = [];
  const keywords = [...diffFields(a.keywords.toFields(), b.keywords.toFields(), "keyword ")];
  if (a.rowCount !== b.rowCount) {
    schema.push({ what: "rows", left: String(a.rowCount), right: String(b.rowCount) });
  }
  const inA = new Set(a.columnNames), inB = new Set(b.columnNames);
  for (const name of namesOf(a, b, options.columns)) {
    const place = (table: Table, there: boolean) => there ? cellsText(table.column(name)) : null;
    if (!inA.has(name) || !inB.has(name)) {
      schema.push({ what: `column ${name}`, left: place(a, inA.has(name)), right: place(b, inB.has(name)) });
      continue;
    }
    const left = a.column(name), right = b.column(name);
    schema.push(...diffColumns(left, right));
    const where = `column ${name}: keyword `;
    keywords.push(...diffFields(left.keywords.toFields(), right.keywords.toFields(), where));
    if (left.dtype !== right.dtype || left.kind !== right.kind) {
      columns.push(incomparable(name, "the types differ"));
      continue;
    }
    try {
      columns.push(diffCells(a, b, name, options));
    } catch (error) {
      if (!(error instanceof TableError && error.code === "UNSUPPORTED")) throw error;
      columns.push(incomparable(name, error.reason));
    }
  }
  const equal = schema.length + keywords.length === 0 &&
    columns.every(({ differentRows, problem }) => differentRows === 0 && problem === null);
  return { equal, schema, keywords, columns };
}
