/**
 * A Parquet file of a table.
 */
import type { RecordBatchOptions } from "../arrow/record-batches.ts";
import { rowsIn, selectionOf } from "../arrow/selection.ts";
import { writeWhole } from "../arrow/whole-file.ts";
import type { Table } from "../table/table.ts";
import { ParquetExporter } from "./export.ts";

/**
 * Writes rows of a table as a Parquet file, in the types that `docs/arrow.md` lists. Row groups end at borders of tiles where
 * their bounds (`batchRows`, `batchBytes`) allow it. An existing file is replaced when the new one is complete.
 *
 * @throws TableError as `Table.getColumn`; INVALID_ARGUMENT; IO
 */
export function writeParquet(
  table: Table,
  file: string,
  options: Omit<RecordBatchOptions, "dictionary"> = {},
): Promise<void> {
  return writeWhole(file, async (write) => {
    const exporter = new ParquetExporter(table, options, write);
    for (const rows of exporter.parts(selectionOf(options.rows, table.rowCount))) {
      exporter.write(rows, rowsIn(rows));
    }
    await exporter.finish();
  });
}
