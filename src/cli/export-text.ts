/**
 * Rows as NDJSON, in the form of `table cat`, and scalar columns as CSV.
 *
 * | value | CSV |
 * | --- | --- |
 * | number | the shortest text that reads back as the same double; `NaN`, `Infinity`, `-Infinity` |
 * | bool | `true`, `false` |
 * | complex | two columns, `NAME.re` and `NAME.im` |
 * | string | as it is; in quotes if it is empty, or has a comma, a quote or the end of a line in it, or spaces at its ends |
 * | undefined | nothing |
 */
import type { DType, RowSelection, Table } from "../../mod.ts";
import { readValues, type Values } from "../arrow/columns.ts";
import { Cutter } from "../arrow/cuts.ts";
import type { Selection } from "../arrow/selection.ts";
import type { Column } from "../table/column.ts";
import { scalarAt } from "../table/read.ts";
import { writeArray, writeScalar } from "./cells.ts";
import { jsonText } from "./json.ts";
import { BATCH_BYTES } from "./row-batches.ts";
import { TextSink } from "./sink.ts";

/** Turns rows of a table into a form. */
export interface Exporter {
  /** The parts of a selection that are written at a time. */
  parts(selection: Selection): Iterable<RowSelection>;
  /** Writes rows. */
  write(rows: RowSelection, count: number): void | Promise<void>;
  /** Writes what stands at the end. */
  finish(): void | Promise<void>;
}

const TEXT_ROWS = 65_536;

/** A cutter whose parts are those that `getColumn` takes. */
export function* cutParts(cutter: Cutter, selection: Selection): Generator<RowSelection> {
  for (const [from, to] of cutter.cuts(selection)) yield selection.part(from, to);
}

function sizeOf(values: Values): number {
  if (values.kind === "uniform" && ArrayBuffer.isView(values.array.data)) return values.array.data.byteLength;
  const items: readonly unknown[] = values.kind === "uniform"
    ? values.array.data as unknown as unknown[]
    : values.cells;
  return items.reduce((sum: number, item) => {
    if (typeof item === "string") return sum + 64 + item.length;
    const data = typeof item === "object" && item !== null && "data" in item ? item.data : null;
    return sum + 64 + (ArrayBuffer.isView(data) ? data.byteLength : 0);
  }, 0);
}

/** What both have in common: batches of values, row by row into a sink. */
abstract class TextExporter implements Exporter {
  readonly #table: Table;
  readonly #cutter: Cutter;
  protected readonly columns: readonly Column[];
  protected readonly sink: TextSink;

  constructor(table: Table, columns: readonly Column[], write: (bytes: Uint8Array) => void) {
    this.#table = table;
    this.columns = columns;
    this.#cutter = new Cutter(columns, { batchRows: TEXT_ROWS, batchBytes: BATCH_BYTES });
    this.sink = new TextSink(write);
  }

  parts(selection: Selection): Iterable<RowSelection> {
    return cutParts(this.#cutter, selection);
  }

  write(rows: RowSelection, count: number): void {
    const values = this.columns.map((column) => readValues(this.#table, column, rows));
    this.#cutter.learn(count, values.reduce((sum, one) => sum + sizeOf(one), 0));
    for (let row = 0; row < count; row++) this.writeRow(values, row);
  }

  finish(): void {
    this.sink.flush();
  }

  protected abstract writeRow(values: readonly Values[], row: number): void;
}

/** One JSON object a row. */
export class NdjsonExporter extends TextExporter {
  readonly #keys: readonly Uint8Array[];

  constructor(table: Table, columns: readonly Column[], write: (bytes: Uint8Array) => void) {
    super(table, columns, write);
    const encoder = new TextEncoder();
    this.#keys = columns.map(({ name }, i) =>
      encoder.encode(`${i === 0 ? "{" : ","}${JSON.stringify(name)}:`)
    );
  }

  protected writeRow(values: readonly Values[], row: number): void {
    const { sink, columns } = this;
    if (columns.length === 0) sink.text("{");
    columns.forEach((column, c) => {
      sink.bytes(this.#keys[c]!);
      const one = values[c]!;
      if (one.kind === "cells") {
        const cell = one.cells[row]!;
        if (column.kind === "array") writeArray(sink, cell as never);
        else sink.text(jsonText(cell));
      } else if (column.kind === "array") {
        const { dtype, shape, data } = one.array;
        const each = (data as ArrayLike<unknown>).length / shape.at(-1)!;
        const part = (data as Uint8Array | string[]).slice === undefined
          ? data
          : ArrayBuffer.isView(data)
          ? (data as unknown as Uint8Array).subarray(row * each, (row + 1) * each)
          : (data as unknown as string[]).slice(row * each, (row + 1) * each);
        writeArray(sink, { dtype, shape: shape.slice(0, -1), data: part } as never);
      } else writeScalar(sink, one.array.dtype, one.array.data, row);
    });
    sink.text("}\n");
  }
}

/** A header with the names, and a line a row. */
export class CsvExporter extends TextExporter {
  constructor(table: Table, columns: readonly Column[], write: (bytes: Uint8Array) => void) {
    super(table, columns, write);
    const names = columns.flatMap(({ name, dtype }) =>
      isComplex(dtype) ? [`${name}.re`, `${name}.im`] : [name]
    );
    this.sink.text(names.map(csvText).join(",") + "\n");
  }

  protected writeRow(values: readonly Values[], row: number): void {
    this.sink.text(
      values.map((one, c) => {
        const cell = one.kind === "uniform"
          ? scalarAt(one.array.dtype, one.array.data, row)
          : one.cells[row]!;
        if (cell === null) return isComplex(this.columns[c]!.dtype) ? "," : "";
        return Array.isArray(cell) ? cell.map(csvNumber).join(",") : csvValue(cell);
      }).join(",") + "\n",
    );
  }
}

function isComplex(dtype: DType): boolean {
  return dtype.startsWith("complex");
}

function csvNumber(value: number): string {
  return Object.is(value, -0) ? "-0.0" : String(value);
}

function csvValue(value: unknown): string {
  if (typeof value === "string") return csvText(value);
  return typeof value === "number" ? csvNumber(value) : String(value);
}

/** A text, in quotes where it needs them. */
export function csvText(text: string): string {
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
