/**
 * Live ingest: a store to which rows are appended for hours, which can be read at once, survives the death of its writer, and
 * is a casacore table all the while.
 *
 * @module
 */
export { IngestStore } from "./store.ts";
export { checkStore, recoverStore } from "./check.ts";
export type { IngestOptions } from "./options.ts";
export type { Durability } from "./append/appender.ts";
export {
  INGEST_COUNTS,
  INGEST_GAUGES,
  INGEST_STAGES,
  type IngestCount,
  type IngestGauge,
  type IngestSnapshot,
  type IngestStage,
} from "./counters.ts";
export type { IngestRows, IngestValues } from "./log/columns.ts";
export type {
  BloomEntry,
  Deletion,
  JsonBound,
  JsonRange,
  Manifest,
  MergeRecord,
  RetiredSegment,
  SegmentEntry,
} from "./manifest/format.ts";
export {
  type ColumnEncoding,
  type IngestColumn,
  IngestSchema,
  type SchemaOptions,
  SEQUENCE_COLUMN,
} from "./schema.ts";
export type { CompactionOptions, CompactReport, RetentionOptions } from "./segments/types.ts";
export type { IngestBatch } from "./view/batches.ts";
export type { IngestRow, KeyValue } from "./view/lookup.ts";
export type { ScanOptions, TailOptions } from "./view/scan.ts";
