/**
 * Tables to Apache Arrow.
 *
 * @module
 */
export { type ArrowOptions, recordBatches, type RecordBatchOptions, toArrow } from "./record-batches.ts";
