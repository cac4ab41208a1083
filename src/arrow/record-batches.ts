/**
 * Tables as Arrow tables and as streams of record batches.
 */
import {
  type Data,
  DataType,
  type Dictionary,
  type Int32,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  Table as ArrowTable,
  type Utf8,
} from "apache-arrow";
import { isNumeric, type NumericData, numericInfo } from "../array/dtype.ts";
import { allocate } from "../array/alloc.ts";
import { elementsOf } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { Column } from "../table/column.ts";
import type { RowSelection } from "../table/selection.ts";
import type { Table } from "../table/table.ts";
import { columnData } from "./assemble.ts";
import { readValues, readValuesAsync, type Values } from "./columns.ts";
import { Cutter } from "./cuts.ts";
import { StringDictionary } from "./dictionary.ts";
import { rowsIn, type Selection, selectionOf } from "./selection.ts";
import { schemaOf } from "./types.ts";

/** Which part of a table becomes Arrow, and how. */
export interface ArrowOptions {
  /** Columns, in this order; all readable ones unless told otherwise. */
  readonly columns?: readonly string[];
  /** Range or list of rows; all of them unless told otherwise. */
  readonly rows?: RowSelection;
  /** String columns of scalars that become dictionaries: all of them (true), or those named. All their values stay in memory. */
  readonly dictionary?: boolean | readonly string[];
}

/** Options of {@linkcode recordBatches}. */
export interface RecordBatchOptions extends ArrowOptions {
  /** Most rows of a batch; 131,072 unless told otherwise. A batch ends at a tile's border where it can. */
  readonly batchRows?: number;
  /** Bytes of a batch's values that are aimed at, 16 MiB unless told otherwise. A batch has at least one row. */
  readonly batchBytes?: number;
}

/** Rows of a batch unless told otherwise. */
const BATCH_ROWS = 131_072;
/** Bytes of a batch unless told otherwise. */
const BATCH_BYTES = 16 * 2 ** 20;

/** Columns of a table, on their way to Arrow. */
export class BatchSource {
  /** The schema of every batch. */
  readonly schema: Schema;
  readonly #table: Table;
  readonly #columns: readonly Column[];
  readonly #dictionaries: readonly (StringDictionary | null)[];
  readonly #cutter: Cutter;
  /** Memory that is filled again and again, by column, where a caller is done with a batch when it asks for the next. */
  readonly #buffers: (NumericData | undefined)[] | null;

  /** `reuse`: a batch is only good until the next one is made. @throws TableError NO_SUCH_COLUMN, INVALID_ARGUMENT */
  constructor(table: Table, options: RecordBatchOptions, reuse = false) {
    const { columns, dictionary = false, batchRows = BATCH_ROWS, batchBytes = BATCH_BYTES } = options;
    for (const [name, value] of [["batchRows", batchRows], ["batchBytes", batchBytes]] as const) {
      if (!Number.isInteger(value) || value < 1) {
        throw new TableError(
          "INVALID_ARGUMENT",
          `${name} must be a whole number of at least 1, found ${value}`,
        );
      }
    }
    this.#table = table;
    this.#columns = columns === undefined
      ? table.columnNames.map((name) => table.column(name)).filter((column) => column.readable)
      : columns.map((name) => table.column(name));
    const asDictionary = typeof dictionary === "boolean"
      ? () => dictionary
      : (name: string) => dictionary.includes(name);
    this.schema = schemaOf(table, this.#columns, asDictionary);
    this.#dictionaries = this.schema.fields.map(({ type }) =>
      DataType.isDictionary(type) ? new StringDictionary(type as Dictionary<Utf8, Int32>) : null
    );
    this.#cutter = new Cutter(this.#columns, { batchRows, batchBytes });
    this.#buffers = reuse ? this.#columns.map(() => undefined) : null;
  }

  /** The parts of a selection that each batch has. */
  *parts(selection: Selection): Generator<RowSelection> {
    for (const [from, to] of this.#cutter.cuts(selection)) yield selection.part(from, to);
  }

  /** Reads a batch. @throws TableError */
  read(rows: RowSelection, count: number): RecordBatch {
    return this.#batch(
      count,
      this.#columns.map((column, i) => readValues(this.#table, column, rows, this.#into(column, i, count))),
    );
  }

  /** As {@linkcode read}, without blocking while files are read. */
  async readAsync(rows: RowSelection, count: number): Promise<RecordBatch> {
    const values: Values[] = [];
    for (const column of this.#columns) values.push(await readValuesAsync(this.#table, column, rows));
    return this.#batch(count, values);
  }

  #batch(rows: number, values: readonly Values[]): RecordBatch {
    const children = this.#columns.map((column, i) => columnData(column, values[i]!, this.#dictionaries[i]!));
    this.#cutter.learn(rows, children.reduce((sum, child) => sum + bytesOf(child), 0));
    const data = makeData({ type: new Struct(this.schema.fields), length: rows, nullCount: 0, children });
    return new RecordBatch(this.schema, data as never);
  }

  /** Where values of a column go, if memory is used again. */
  #into(column: Column, index: number, rows: number): NumericData | undefined {
    const { dtype, shape, kind } = column;
    if (this.#buffers === null || shape === null || kind === "record" || !isNumeric(dtype)) return undefined;
    const elements = elementsOf(shape) * rows;
    const items = elements * numericInfo(dtype).items;
    let buffer = this.#buffers[index];
    if (buffer === undefined || buffer.length < items) {
      buffer = this.#buffers[index] = allocate(dtype, elements);
    }
    return buffer.subarray(0, items) as NumericData;
  }
}

/** Bytes of values, those of children included; bits count as they lie. */
function bytesOf(data: Data): number {
  let bytes = 0;
  for (const buffer of [data.values, data.valueOffsets] as (ArrayBufferView | undefined)[]) {
    bytes += buffer?.byteLength ?? 0;
  }
  return data.children.reduce((sum, child) => sum + bytesOf(child), bytes);
}

/**
 * Columns of a table as an Arrow table in memory, in the types that `docs/arrow.md` lists. Numbers are not copied: Arrow's
 * buffers are those that were read into.
 *
 * @throws TableError as `Table.getColumn`; LIMIT for more than 2^31 - 1 elements of free shape in a batch
 * @example
 * ```ts
 * import { array, scalar, Table } from "@tessera/tables";
 * import { toArrow } from "@tessera/tables/arrow";
 * using table = Table.create("vis.tab", {
 *   columns: [scalar("TIME", "float64", { unit: "s" }), array("DATA", "complex64", { shape: [4, 64] })],
 *   rows: 10,
 * });
 * const arrow = toArrow(table, { columns: ["TIME"], rows: { start: 2, end: 5 } });
 * console.log(arrow.numRows, String(arrow.schema.fields[0]!.type)); // 3 Float64
 * ```
 */
export function toArrow(table: Table, options: ArrowOptions = {}): ArrowTable {
  const source = new BatchSource(table, options);
  const batches: RecordBatch[] = [];
  for (const rows of source.parts(selectionOf(options.rows, table.rowCount))) {
    batches.push(source.read(rows, rowsIn(rows)));
  }
  return new ArrowTable(source.schema, batches);
}

/**
 * Rows of a table as Arrow record batches, one after the other: each is read when it is asked for, so that memory is that of
 * a few batches however long the table is. Batches end at borders of tiles where their bounds allow it.
 *
 * @throws TableError as {@linkcode toArrow}, when a batch is asked for
 * @example
 * ```ts
 * import { scalar, Table } from "@tessera/tables";
 * import { recordBatches } from "@tessera/tables/arrow";
 * using table = Table.create("times.tab", { columns: [scalar("TIME", "float64")], rows: 1000 });
 * for await (const batch of recordBatches(table, { batchRows: 400 })) console.log(batch.numRows); // 400, 400, 200
 * ```
 */
export async function* recordBatches(
  table: Table,
  options: RecordBatchOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const source = new BatchSource(table, options);
  for (const rows of source.parts(selectionOf(options.rows, table.rowCount))) {
    yield await source.readAsync(rows, rowsIn(rows));
  }
}
