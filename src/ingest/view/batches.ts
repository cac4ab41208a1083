/**
 * Rows of one part in batches of a bounded size.
 */
import { isNumeric, numericInfo } from "../../array/dtype.ts";
import type { DType } from "../../array/dtype.ts";
import type { NDArray } from "../../array/ndarray.ts";
import { type Condition, rowFilter } from "../../query/where.ts";
import type { Cell } from "../../table/read.ts";
import { type IngestColumn, type IngestSchema, SEQUENCE_COLUMN } from "../schema.ts";
import type { OpenPart, RowNumbers } from "./open-part.ts";

/** Rows of a store. */
export interface IngestBatch {
  /** Number of rows. */
  readonly rowCount: number;
  /** Sequence number of each row. */
  readonly sequences: Float64Array<ArrayBuffer>;
  /**
   * Values by column name: an array whose last axis are the rows; of columns whose cells have shapes of their own a list of
   * cells, null for undefined ones.
   */
  readonly columns: Readonly<Record<string, NDArray<DType, never> | readonly Cell[]>>;
}

/** Rows that are looked at together for a condition. */
const LOOK_ROWS = 64 * 1024;
/** What a text or a cell of free shape is taken to need until one was seen. */
const UNKNOWN_BYTES = 64;
/** Values of so many bytes are read without blocking. */
const ASYNC_BYTES = 512 * 1024;

/** What to read. */
export interface BatchSettings {
  readonly columns: readonly string[];
  readonly condition: Condition | null;
  /** Rows with sequence numbers in [from, to). */
  readonly from: number;
  readonly to: number;
  /** Most bytes of values that a batch has, unless one row has more. */
  readonly maxBytes: number;
  /** Rows in the order of their sequence numbers, also where the part is sorted by something else. */
  readonly inOrder: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Batches of the rows of a part that are in the range, not deleted, and meet the condition. */
export async function* batchesOf(
  open: OpenPart,
  schema: IngestSchema,
  settings: BatchSettings,
): AsyncGenerator<IngestBatch> {
  const known = settings.columns.map((name) => name === SEQUENCE_COLUMN ? null : schema.column(name));
  const size = new RowSize(known);
  let waiting: RowNumbers = [];
  const rowsOf = settings.inOrder && !open.part.ascending ? ordered : windows;
  for (const rows of rowsOf(open, settings)) {
    for (let at = 0; at < rows.length;) {
      // How many fit changes only when rows were read, and then none waits.
      const fit = size.rowsIn(settings.maxBytes), end = Math.min(rows.length, at + fit - waiting.length);
      waiting = waiting.length === 0 ? rows.slice(at, end) : waiting.concat(rows.slice(at, end));
      at = end;
      if (waiting.length < fit) continue;
      yield* readRows(open, schema, waiting, settings, size);
      waiting = [];
    }
  }
  yield* readRows(open, schema, waiting, settings, size);
}

/** Rows that count, some at a time, as they stand in the part. */
function* windows(open: OpenPart, { condition, from, to }: BatchSettings): Generator<RowNumbers> {
  const { part, table } = open;
  const first = part.ascending ? open.firstRow(from) : 0;
  const last = part.ascending && to < part.endSequence ? open.firstRow(to) : part.rows;
  const filter = condition === null ? null : rowFilter(table, condition);
  for (let start = first; start < last; start += LOOK_ROWS) {
    const end = Math.min(last, start + LOOK_ROWS);
    const live = part.ascending && part.deletions.length === 0 ? null : open.live(start, end, from, to);
    const matching = filter?.(start, end) ?? null;
    yield intersection(start, end, live, matching);
  }
}

/** As {@linkcode windows}, in the order of sequence numbers, of which every row's is looked at. */
function* ordered(open: OpenPart, settings: BatchSettings): Generator<RowNumbers> {
  const rows = [...windows(open, settings)].flat();
  const sequences = open.sequences(rows);
  const order = rows.map((_, i) => i).sort((a, b) => sequences[a]! - sequences[b]!);
  yield order.map((i) => rows[i]!);
}

function intersection(
  start: number,
  end: number,
  a: RowNumbers | null,
  b: RowNumbers | null,
): RowNumbers {
  if (a === null && b === null) {
    const all = new Array<number>(end - start);
    for (let i = 0; i < all.length; i++) all[i] = start + i;
    return all;
  }
  if (a === null || b === null) return (a ?? b)!;
  const wanted = new Set(b);
  return a.filter((row) => wanted.has(row));
}

/** Reads rows, in halves where they turn out to be longer than a batch may be. */
async function* readRows(
  open: OpenPart,
  schema: IngestSchema,
  rows: RowNumbers,
  settings: BatchSettings,
  size: RowSize,
): AsyncGenerator<IngestBatch> {
  if (rows.length === 0) return;
  settings.signal?.throwIfAborted();
  const batch = await readBatch(open, schema, rows, settings, size);
  if (size.learn(batch) <= settings.maxBytes || rows.length === 1) return yield batch;
  const middle = Math.ceil(rows.length / 2);
  yield* readRows(open, schema, rows.slice(0, middle), settings, size);
  yield* readRows(open, schema, rows.slice(middle), settings, size);
}

async function readBatch(
  open: OpenPart,
  schema: IngestSchema,
  rows: RowNumbers,
  { columns, signal }: BatchSettings,
  size: RowSize,
): Promise<IngestBatch> {
  const selection = consecutive(rows) ?? [...rows];
  const values: Record<string, NDArray<DType, never> | readonly Cell[]> = {};
  for (const name of columns) {
    const { table, part } = open, column = name === SEQUENCE_COLUMN ? null : schema.column(name);
    if (column?.encoding === "cells") values[name] = table.getCells(name, { rows: selection });
    else if (part.entry !== null && size.ofColumn(column) * rows.length >= ASYNC_BYTES) {
      const options = { rows: selection, ...(signal && { signal }) };
      values[name] = await table.getColumnAsync(name, options) as NDArray<DType, never>;
    } else values[name] = table.getColumn(name, { rows: selection }) as NDArray<DType, never>;
  }
  return { rowCount: rows.length, sequences: open.sequences(selection), columns: values };
}

/** Rows behind each other as a range, null for others. */
function consecutive(rows: RowNumbers): { start: number; end: number } | null {
  const start = rows[0]!;
  return rows.every((row, i) => row === start + i) ? { start, end: start + rows.length } : null;
}

/** What a row takes, as far as is known. */
class RowSize {
  readonly #columns: readonly (IngestColumn | null)[];
  /** Bytes of texts and cells of free shape in the rows seen. */
  #free = 0;
  #rows = 0;

  constructor(columns: readonly (IngestColumn | null)[]) {
    this.#columns = columns;
  }

  /** Bytes of a column's cell. */
  ofColumn(column: IngestColumn | null): number {
    if (column === null) return 8;
    if (column.encoding === "fixed" && isNumeric(column.dtype)) {
      return column.elements * numericInfo(column.dtype).size;
    }
    return Math.max(1, column.elements) * UNKNOWN_BYTES;
  }

  /** Rows that a batch of so many bytes has. */
  rowsIn(bytes: number): number {
    const columns = this.#columns;
    const fixed = columns.filter((column) => column === null || column.encoding === "fixed");
    const free = columns.filter((column) => column !== null && column.encoding !== "fixed");
    const sum = (list: typeof columns) => list.reduce((total, column) => total + this.ofColumn(column), 0);
    const each = sum(fixed) + (this.#rows === 0 ? sum(free) : this.#free / this.#rows);
    return Math.max(1, Math.floor(bytes / Math.max(1, each)));
  }

  /** Remembers what the rows of a batch took: that in bytes. */
  learn(batch: IngestBatch): number {
    let free = 0, fixed = 0;
    for (const [i, values] of Object.values(batch.columns).entries()) {
      const column = this.#columns[i]!;
      if (column === null || column.encoding === "fixed") fixed += this.ofColumn(column) * batch.rowCount;
      else free += bytesOfValues(values);
    }
    this.#free += free;
    this.#rows += batch.rowCount;
    return free + fixed;
  }
}

function bytesOfValues(values: NDArray<DType, never> | readonly Cell[]): number {
  if ("data" in values) return bytesOfData(values.data);
  return (values as readonly Cell[]).reduce((sum: number, cell) => {
    return sum + 16 + (cell === null || typeof cell !== "object" ? 0 : bytesOfData((cell as NDArray).data));
  }, 0);
}

function bytesOfData(data: unknown): number {
  if (ArrayBuffer.isView(data)) return data.byteLength;
  return (data as readonly (string | Uint8Array)[]).reduce((sum, text) => sum + 16 + text.length, 0);
}
