/**
 * Rows of a table as Parquet: a row group for each batch of record-batches.ts, so that row groups end where tiles do.
 */
import { type Data, type DataType, DataType as Types, Vector } from "apache-arrow";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Write } from "../arrow/ipc.ts";
import { BatchSource, type RecordBatchOptions } from "../arrow/record-batches.ts";
import type { Selection } from "../arrow/selection.ts";
import type { RowSelection } from "../table/selection.ts";
import type { Table } from "../table/table.ts";
import { ARROW_SCHEMA_KEY, arrowSchemaText, parquetElements } from "./schema.ts";

/**
 * Bytes of values of a row group with arrays. Parquet's writer takes arrays as JavaScript lists, which need some 50 bytes an
 * element beside the values.
 */
const ROW_GROUP_BYTES = 2 * 2 ** 20;

/** Writes a table's rows as a Parquet file. */
export class ParquetExporter {
  readonly #source: BatchSource;
  readonly #bytes: ByteWriter;
  readonly #writer: ParquetWriter;

  /** Begins the file. @throws TableError NO_SUCH_COLUMN */
  constructor(table: Table, options: RecordBatchOptions, write: Write) {
    this.#source = new BatchSource(table, { batchBytes: ROW_GROUP_BYTES, ...options }, true);
    const { schema } = this.#source;
    const writer: ByteWriter & { flush?: () => void } = new ByteWriter();
    // Called after each row group, and at the end.
    const flush = () => {
      write(new Uint8Array(writer.buffer, 0, writer.index));
      writer.index = 0;
    };
    writer.flush = flush;
    writer.finish = flush;
    this.#bytes = writer;
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: parquetElements(schema),
      createdBy: "tessera",
      kvMetadata: [
        { key: ARROW_SCHEMA_KEY, value: arrowSchemaText(schema) },
        ...[...schema.metadata].map(([key, value]) => ({ key, value })),
      ],
    });
  }

  /** The parts of a selection that make row groups. */
  parts(selection: Selection): Iterable<RowSelection> {
    return this.#source.parts(selection);
  }

  /** Writes a row group. @throws TableError */
  async write(rows: RowSelection, count: number): Promise<void> {
    const batch = this.#source.read(rows, count);
    await this.#writer.write({
      rowGroupSize: count,
      columnData: batch.schema.fields.map((field, i) => {
        const data = rowsOf(batch.data.children[i]!);
        const nested = field.type.children?.length > 0;
        // Values of arrays are measurements: a dictionary of them, or their extremes, would be work for nothing.
        return nested
          ? { name: field.name, data, encoding: "PLAIN", statistics: false, codec: "UNCOMPRESSED" }
          : { name: field.name, data };
      }),
    });
  }

  /** Writes the end. */
  async finish(): Promise<void> {
    await this.#writer.finish();
  }
}

/** A list for the writer: numbers where there are no nulls as they are. */
type Rows = {
  readonly length: number;
  readonly [row: number]: unknown;
  slice(from: number, to: number): unknown;
};

/** Values of Arrow data, lists as arrays and structs as objects. */
function rowsOf(data: Data): never {
  return valuesOf(data) as never;
}

function valuesOf(data: Data): Rows {
  const values = plainValues(data);
  if (data.nullCount === 0) return values;
  return Array.from({ length: data.length }, (_, row) => data.getValid(row) ? values[row] : null);
}

function plainValues(data: Data): Rows {
  const type = data.type as DataType, { length } = data;
  if (Types.isFixedSizeList(type)) {
    const items = valuesOf(data.children[0]!), n = type.listSize;
    return Array.from({ length }, (_, row) => part(items, row * n, (row + 1) * n));
  }
  if (Types.isList(type)) {
    const items = valuesOf(data.children[0]!), offsets = data.valueOffsets;
    return Array.from({ length }, (_, row) => part(items, offsets[row]!, offsets[row + 1]!));
  }
  if (Types.isStruct(type)) {
    const fields = type.children.map(({ name }, i) => [name, valuesOf(data.children[i]!)] as const);
    return Array.from(
      { length },
      (_, row) => Object.fromEntries(fields.map(([name, values]) => [name, values[row]])),
    );
  }
  if (Types.isBool(type)) {
    const bits = data.values as Uint8Array, { offset } = data;
    return Array.from({ length }, (_, i) => ((bits[(offset + i) >> 3]! >> ((offset + i) & 7)) & 1) === 1);
  }
  if (Types.isUtf8(type)) {
    const texts = new Vector([data]);
    return Array.from({ length }, (_, i) => texts.get(i) ?? "");
  }
  const numbers = (data.values as Float64Array).subarray(0, length) as unknown;
  // The writer refuses numbers from 2^31 on in a Uint32Array, but not in an Array.
  return numbers instanceof Uint32Array ? Array.from(numbers) : numbers as Rows;
}

/** The writer knows a list by its being an Array. */
function part(items: Rows, from: number, to: number): unknown[] {
  return Array.prototype.slice.call(items, from, to);
}
