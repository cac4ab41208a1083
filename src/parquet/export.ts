/**
 * Rows of a table as Parquet: a row group for each batch of record-batches.ts, so that row groups end where tiles do.
 */
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Write } from "../arrow/ipc.ts";
import { BatchSource, type RecordBatchOptions } from "../arrow/record-batches.ts";
import type { Selection } from "../arrow/selection.ts";
import type { RowSelection } from "../table/selection.ts";
import type { Table } from "../table/table.ts";
import { RowGroupWriter } from "./row-group.ts";
import { ARROW_SCHEMA_KEY, arrowSchemaText, parquetElements } from "./schema.ts";

/** Bytes of values of a row group that are aimed at. */
const ROW_GROUP_BYTES = 16 * 2 ** 20;

/** Writes a table's rows as a Parquet file. */
export class ParquetExporter {
  readonly #source: BatchSource;
  readonly #parquet: ParquetWriter;
  readonly #groups: RowGroupWriter;

  /** Begins the file. @throws TableError NO_SUCH_COLUMN */
  constructor(table: Table, options: RecordBatchOptions, write: Write) {
    this.#source = new BatchSource(table, { batchBytes: ROW_GROUP_BYTES, ...options }, true);
    const { schema } = this.#source;
    const elements = parquetElements(schema);
    const writer: ByteWriter & { flush?: () => void } = new ByteWriter();
    // Called after each row group, and at the end.
    const flush = () => {
      if (writer.index > 0) write(new Uint8Array(writer.buffer, 0, writer.index));
      writer.index = 0;
    };
    writer.flush = flush;
    writer.finish = flush;
    this.#parquet = new ParquetWriter({
      writer,
      schema: elements,
      createdBy: "tessera",
      kvMetadata: [
        { key: ARROW_SCHEMA_KEY, value: arrowSchemaText(schema) },
        ...[...schema.metadata].map(([key, value]) => ({ key, value })),
      ],
    });
    this.#groups = new RowGroupWriter(this.#parquet, elements, write);
  }

  /** The parts of a selection that make row groups. */
  parts(selection: Selection): Iterable<RowSelection> {
    return this.#source.parts(selection);
  }

  /** Writes a row group. @throws TableError */
  write(rows: RowSelection, count: number): void {
    this.#groups.write(this.#source.read(rows, count));
  }

  /** Writes the end. */
  async finish(): Promise<void> {
    await this.#parquet.finish();
  }
}
