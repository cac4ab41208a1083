/**
 * A Parquet file of a table.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { rowsIn, selectionOf } from "../arrow/selection.ts";
import type { RecordBatchOptions } from "../arrow/record-batches.ts";
import { TableError } from "../error.ts";
import type { Table } from "../table/table.ts";
import { ParquetExporter } from "./export.ts";

/** Added to the name of a file that is not complete yet. */
const PARTIAL = ".partial";

/**
 * Writes rows of a table as a Parquet file, in the types that `docs/arrow.md` lists. Row groups end at borders of tiles where
 * their bounds (`batchRows`, `batchBytes`) allow it. An existing file is replaced when the new one is complete.
 *
 * @throws TableError as `Table.getColumn`; INVALID_ARGUMENT when dictionaries are asked for, which Parquet chooses by itself; IO
 */
export async function writeParquet(
  table: Table,
  file: string,
  options: Omit<RecordBatchOptions, "dictionary"> = {},
): Promise<void> {
  const partial = file + PARTIAL;
  const failed = (cause: unknown): never => {
    if (cause instanceof TableError) throw cause;
    throw new TableError("IO", `writing failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file,
      cause,
    });
  };
  let descriptor: number;
  try {
    descriptor = openSync(partial, "w");
  } catch (cause) {
    return failed(cause);
  }
  try {
    try {
      const exporter = new ParquetExporter(table, options, (bytes) => {
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
      });
      for (const rows of exporter.parts(selectionOf(options.rows, table.rowCount))) {
        exporter.write(rows, rowsIn(rows));
      }
      await exporter.finish();
    } finally {
      closeSync(descriptor);
    }
    renameSync(partial, file);
  } catch (cause) {
    rmSync(partial, { force: true });
    failed(cause);
  }
}
