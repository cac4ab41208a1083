/**
 * The methods that `Table` has once `@tessera/tables/arrow` is imported. The table itself knows nothing of Arrow, so that
 * nobody loads it for a `getCell`.
 */
import type { RecordBatch, Table as ArrowTable } from "apache-arrow";
import { Table } from "../table/table.ts";
import { type BatchInput, fromArrow, type FromArrowOptions } from "./from-arrow.ts";
import { type ArrowOptions, recordBatches, type RecordBatchOptions, toArrow } from "./record-batches.ts";

declare module "../table/table.ts" {
  interface Table {
    /** As the function of that name; there once `@tessera/tables/arrow` is imported. */
    toArrow(options?: ArrowOptions): ArrowTable;
    /** As the function of that name; there once `@tessera/tables/arrow` is imported. */
    recordBatches(options?: RecordBatchOptions): AsyncGenerator<RecordBatch, void, undefined>;
  }
  namespace Table {
    /** As the function of that name; there once `@tessera/tables/arrow` is imported. */
    function fromArrow(path: string, batches: BatchInput, options?: FromArrowOptions): Promise<Table>;
  }
}

Table.prototype.toArrow = function (options) {
  return toArrow(this, options);
};
Table.prototype.recordBatches = function (options) {
  return recordBatches(this, options);
};
Table.fromArrow = fromArrow;
