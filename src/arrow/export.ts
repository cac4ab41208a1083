/**
 * Rows of a table as Arrow IPC, for the command: in memory that is used again for every batch.
 */
import type { RowSelection } from "../table/selection.ts";
import type { Table } from "../table/table.ts";
import { IpcWriter, type Write } from "./ipc.ts";
import { BatchSource, type RecordBatchOptions } from "./record-batches.ts";
import type { Selection } from "./selection.ts";

/** Writes a table's rows as an Arrow file or stream. */
export class ArrowExporter {
  readonly #source: BatchSource;
  readonly #writer: IpcWriter;

  /** Begins with the schema. @throws TableError NO_SUCH_COLUMN */
  constructor(table: Table, options: RecordBatchOptions, format: "file" | "stream", write: Write) {
    this.#source = new BatchSource(table, options, true);
    this.#writer = new IpcWriter(write, format, this.#source.schema);
  }

  /** The parts of a selection that make batches. */
  parts(selection: Selection): Iterable<RowSelection> {
    return this.#source.parts(selection);
  }

  /** Writes a batch. @throws TableError */
  write(rows: RowSelection, count: number): void {
    this.#writer.write(this.#source.read(rows, count));
  }

  /** Writes the end. */
  finish(): void {
    this.#writer.finish();
  }
}
