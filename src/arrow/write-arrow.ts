/**
 * Tables as files of Arrow's IPC formats.
 */
import type { Table } from "../table/table.ts";
import { ArrowExporter } from "./export.ts";
import type { RecordBatchOptions } from "./record-batches.ts";
import { rowsIn, selectionOf } from "./selection.ts";
import { writeWhole } from "./whole-file.ts";

/** Options of {@linkcode writeArrow}. */
export interface WriteArrowOptions extends RecordBatchOptions {
  /** "file" (the default) has a footer, so that readers may begin with any batch; "stream" has none. */
  readonly format?: "file" | "stream";
}

/**
 * Writes rows of a table as an Arrow file, a batch of {@linkcode recordBatches} at a time, in the memory of one. An existing
 * file is replaced when the new one is complete.
 *
 * @throws TableError as `Table.getColumn`; INVALID_ARGUMENT; IO
 * @example
 * ```ts
 * import { scalar, Table } from "@tessera/tables";
 * import { fromArrow, readArrow, writeArrow } from "@tessera/tables/arrow";
 * using table = Table.create("times.tab", { columns: [scalar("TIME", "float64")], rows: 1000 });
 * await writeArrow(table, "times.arrow");
 * const file = await readArrow("times.arrow");
 * using again = await fromArrow("again.tab", file);
 * await file.close();
 * console.log(again.rowCount); // 1000
 * ```
 */
export function writeArrow(table: Table, file: string, options: WriteArrowOptions = {}): Promise<void> {
  const { format = "file", ...rest } = options;
  return writeWhole(file, (write) => {
    const exporter = new ArrowExporter(table, rest, format, write);
    for (const rows of exporter.parts(selectionOf(options.rows, table.rowCount))) {
      exporter.write(rows, rowsIn(rows));
    }
    exporter.finish();
  });
}
