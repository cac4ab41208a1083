/**
 * Tables to and from Parquet files.
 *
 * @module
 */
export { fromParquet } from "./from-parquet.ts";
export { writeParquet } from "./write-parquet.ts";
export type { FromArrowOptions } from "../arrow/from-arrow.ts";
export type { ImportOptions } from "../arrow/new-table.ts";
export type { ArrowOptions, RecordBatchOptions } from "../arrow/record-batches.ts";
