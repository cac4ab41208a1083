/**
 * `table tail` of a live store: its newest rows, those included that are in no segment yet, and with --follow those to come.
 */
import type { NDArray, Table } from "../../mod.ts";
import { type IngestBatch, IngestStore } from "../ingest/mod.ts";
import { SEQUENCE_COLUMN } from "../ingest/schema.ts";
import { keysOf, writeRows } from "./cat.ts";
import { arrayText, fieldWidth, GAP, MOST_WIDTH } from "./head.ts";
import { scalarText } from "./keyword-text.ts";
import { type Field, layout, styled } from "./layout.ts";
import { type ReadingOptions, reportStats } from "./options.ts";
import { type BatchColumn, type RowBatch, rowBatches } from "./row-batches.ts";
import { TextSink } from "./sink.ts";
import type { Terminal } from "./terminal.ts";
import { counted, cut, pad, visible } from "./text.ts";
import { printLines } from "./write.ts";

/** What to show of a store. */
export interface TailStoreOptions extends ReadingOptions {
  readonly lines: number;
  readonly columns?: readonly string[];
  readonly follow?: true;
  readonly json?: true;
}

/** Bytes of values that are shown at once. */
const BATCH_BYTES = 2 ** 20;

/** Row numbers of the newest rows in the order of arrival. */
function newestRows(snapshot: Table, count: number, sorted: boolean): number[] {
  const { rowCount } = snapshot, first = Math.max(0, rowCount - count);
  if (!sorted) return Array.from({ length: rowCount - first }, (_, i) => first + i);
  // Merged segments have another order: all have to be looked at.
  const sequences = snapshot.getColumn(SEQUENCE_COLUMN, { dtype: "int64" }).data;
  const rows = Array.from(sequences, (_, row) => row);
  return rows.sort((a, b) => Number(sequences[a]! - sequences[b]!)).slice(first);
}

/** Rows that a tail gave, as `table cat` takes them. */
function rowBatchOf(batch: IngestBatch, names: readonly string[]): RowBatch {
  const columns = names.map((name): BatchColumn => {
    const values = batch.columns[name]!;
    if (!("data" in values)) return { kind: "array", cells: values as (NDArray | null)[] };
    const { dtype, shape } = values, data = values.data as unknown as { length: number } & Uint8Array;
    if (shape.length === 1) return { kind: "scalar", dtype, data };
    const each = data.length / batch.rowCount;
    const cells = Array.from({ length: batch.rowCount }, (_, row) => {
      return { dtype, shape: shape.slice(0, -1), data: data.slice(row * each, (row + 1) * each) } as NDArray;
    });
    return { kind: "array", cells };
  });
  return { start: 0, end: batch.rowCount, columns };
}

/** Takes rows and shows them. */
interface Shown {
  rows(batch: RowBatch): void;
}

class AsJson implements Shown {
  readonly #keys: readonly Uint8Array[];
  readonly #terminal: Terminal;

  constructor(names: readonly string[], terminal: Terminal) {
    this.#keys = keysOf(names);
    this.#terminal = terminal;
  }

  rows(batch: RowBatch): void {
    const sink = new TextSink((bytes) => this.#terminal.out(bytes));
    writeRows(sink, batch, this.#keys);
    sink.flush();
  }
}

/** Lines for people. Columns keep the width that they had in the lines above, or become wider. */
class AsLines implements Shown {
  readonly #names: readonly string[];
  readonly #terminal: Terminal;
  /** Whether cells have shapes of their own, by column. */
  readonly #free: ReadonlySet<string>;
  #widths: number[] = [];

  constructor(names: readonly string[], free: ReadonlySet<string>, terminal: Terminal) {
    this.#names = names;
    this.#free = free;
    this.#terminal = terminal;
  }

  rows({ columns }: RowBatch): void {
    const { width, color } = this.#terminal, isFirst = this.#widths.length === 0;
    const fields = this.#names.map((name, i) => this.#field(name, columns[i]!));
    if (isFirst) {
      let used = 0;
      for (const field of fields) {
        used += fieldWidth(field) + GAP;
        if (used - GAP > width && this.#widths.length > 1) break;
        this.#widths.push(0);
      }
    }
    const shown = fields.slice(0, this.#widths.length).map((field, i): Field => {
      const wide = this.#widths[i] = Math.max(this.#widths[i]!, fieldWidth(field));
      return { ...field, cells: field.cells.map((cell) => pad(cell, wide, field.align)) };
    });
    const lines = layout(shown, { width, color, untitled: !isFirst });
    const left = this.#names.slice(shown.length);
    if (isFirst && left.length > 0) {
      const text = `${counted(left.length, "more column")} (--columns): ${left.map(visible).join(", ")}`;
      lines.push(styled(cut(text, width), "faint", color));
    }
    printLines(lines, this.#terminal);
  }

  #field(name: string, column: BatchColumn): Field {
    const texts = column.kind === "array"
      ? column.cells.map((cell) => cell === null ? "–" : arrayText(cell, this.#free.has(name)))
      : column.kind === "scalar"
      ? scalarTexts(column)
      : column.cells.map(String);
    const isNumber = column.kind === "scalar" && column.dtype !== "string";
    return {
      title: name === SEQUENCE_COLUMN ? "sequence" : visible(name),
      cells: texts.map((text) => cut(text, MOST_WIDTH)),
      align: isNumber ? "right" : "left",
      ...(name === SEQUENCE_COLUMN ? { faint: true } : { least: 8 }),
    };
  }
}

function scalarTexts({ dtype, data }: { dtype: string; data: unknown }): string[] {
  const values = data as ArrayLike<unknown>;
  if (dtype === "bool") return Array.from(values, (value) => String(value !== 0));
  if (!dtype.startsWith("complex")) return Array.from(values, (value) => scalarText(dtype, value));
  return Array.from(
    { length: values.length / 2 },
    (_, i) => scalarText(dtype, [values[2 * i], values[2 * i + 1]]),
  );
}

/** Prints the newest rows of a store. @throws TableError */
export async function tailStore(path: string, options: TailStoreOptions, terminal: Terminal): Promise<void> {
  const { io, lines, follow, json, columns } = options;
  await using store = IngestStore.open(path, { mode: "r", ...(io === "auto" ? {} : { io }) });
  const { schema } = store, all = [SEQUENCE_COLUMN, ...schema.columns.map(({ name }) => name)];
  // People find the number of the row in front of it.
  const names = columns === undefined ? all : json ? columns : [...new Set([SEQUENCE_COLUMN, ...columns])];
  for (const name of names) if (name !== SEQUENCE_COLUMN) schema.column(name);
  const free = new Set(schema.columns.filter(({ shape }) => shape === null).map(({ name }) => name));
  const shown = json ? new AsJson(names, terminal) : new AsLines(names, free, terminal);
  // What comes between this and the snapshot is in it.
  let next = store.nextSequence;
  {
    using snapshot = store.snapshot();
    const rows = newestRows(snapshot, lines, schema.sort.length > 0);
    if (rows.length > 0) {
      using newest = snapshot.select(rows);
      for (const batch of rowBatches({ bounded: newest, unbounded: () => newest }, names, 0, rows.length)) {
        shown.rows(batch);
      }
      const [last] = newest.getColumn(SEQUENCE_COLUMN, { rows: [rows.length - 1], dtype: "int64" }).data;
      next = Math.max(next, Number(last) + 1);
    }
    reportStats([snapshot], options, terminal);
  }
  if (!follow) return;
  for await (const batch of store.tail({ from: next, columns: names, maxBytes: BATCH_BYTES })) {
    shown.rows(rowBatchOf(batch, names));
  }
}
