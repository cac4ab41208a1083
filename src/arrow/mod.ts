/**
 * Tables to and from Apache Arrow.
 *
 * Importing this module also gives `Table` the methods `toArrow` and `recordBatches`, and the function `Table.fromArrow`.
 *
 * @module
 */
import "./methods.ts";

export { type ArrowOptions, recordBatches, type RecordBatchOptions, toArrow } from "./record-batches.ts";
export { type BatchInput, fromArrow, type FromArrowOptions } from "./from-arrow.ts";
export { type ArrowFile, readArrow } from "./ipc.ts";
export { writeArrow, type WriteArrowOptions } from "./write-arrow.ts";
export type { ImportOptions } from "./new-table.ts";
