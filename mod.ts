/**
 * Tessera reads and writes casacore tables: the MeasurementSets, images and calibration tables of radio astronomy.
 *
 * @module
 */
export { TableError, type TableErrorCode, type TableErrorPlace } from "./src/error.ts";
export { allocate } from "./src/array/alloc.ts";
export type { DType, NumericData, NumericType } from "./src/array/dtype.ts";
export type { DataOf, NDArray } from "./src/array/ndarray.ts";
export type { AxisSlice, Box, RowRun, Rows } from "./src/array/rows.ts";
export type { StringPolicy } from "./src/format/strings.ts";
export type { TableInfo } from "./src/format/table-info.ts";
export type { JsonValue } from "./src/format/json.ts";
export type { FieldValue, RecordField, RecordFields } from "./src/format/record.ts";
export {
  type FieldKind,
  type RecordValue,
  TableKeyword,
  TableRecord,
  type TableRecordOptions,
} from "./src/format/table-record.ts";
export { Context, type ContextOptions } from "./src/io/context.ts";
export type { CacheCounts, CallKind, IoSnapshot, TimedKind } from "./src/io/counters.ts";
export { type MetricLabels, openMetrics } from "./src/io/metrics.ts";
export type { IoName } from "./src/io/backend.ts";
export { type BackendReport, backendReport } from "./src/io/backends.ts";
export type {
  CellTarget,
  HypercolumnSpec,
  ManagerInfo,
  ShapeRun,
  StorageSpec,
} from "./src/storage/manager.ts";
export type { ManagerDescription, ManagerDetails, TableKind } from "./src/table/body.ts";
export { type CheckedTable, type CheckOptions, type CheckReport, checkTable } from "./src/table/check.ts";
export {
  type RecoverFinding,
  type RecoverOptions,
  type RecoverReport,
  recoverTable,
} from "./src/table/recover.ts";
export type { Finding } from "./src/storage/findings.ts";
export type { AddColumnOptions } from "./src/table/alter.ts";
export type { DeleteOptions, DirectoryOptions } from "./src/table/alter-directory.ts";
export { Column } from "./src/table/column.ts";
export type { ColumnView, ViewOptions } from "./src/table/view.ts";
export type { CopyAsyncOptions, CopyOptions, CopyProgress, CopyReport } from "./src/table/copy.ts";
export {
  type FilePlan,
  type IoCost,
  type IoPlan,
  type IoPlanOptions,
  planIo,
  type ReadOrder,
} from "./src/table/io-plan.ts";
export { type TileCost, type TileCostOptions, type TileCosts, tileCosts } from "./src/table/tile-costs.ts";
export type { BucketCounts } from "./src/table/io-ranges.ts";
export type { ConcatOptions } from "./src/table/join.ts";
export type { MeasurementSetOptions, OptionalSubtable } from "./src/table/measurement-set/create.ts";
export type { DataColumn } from "./src/table/measurement-set/main-table.ts";
export type { ProjectOptions, SelectOptions } from "./src/table/select.ts";
export type { Cell } from "./src/table/read.ts";
export type { RowSource, RowSourceColumn } from "./src/table/row-source.ts";
export type { RowSelection } from "./src/table/selection.ts";
export {
  aipsio,
  array,
  type ArrayOptions,
  type ColumnOptions,
  type ColumnSpec,
  dysco,
  type DyscoOptions,
  incremental,
  type IncrementalOptions,
  memory,
  scalar,
  standard,
  type StandardOptions,
  tiledCell,
  tiledColumn,
  tiledData,
  type TiledDataOptions,
  type TiledOptions,
  tiledShape,
} from "./src/table/specs.ts";
export type {
  Batch,
  BatchOptions,
  CellsOptions,
  CreateOptions,
  GetAsyncOptions,
  GetOptions,
  IoOptions,
  LockMode,
  OpenOptions,
  PutAsyncOptions,
  PutOptions,
} from "./src/table/options.ts";
export { Table } from "./src/table/table.ts";
export {
  bitFlags,
  type BitFlagsOptions,
  compressComplex,
  compressComplexSD,
  compressFloat,
  type CompressOptions,
  forward,
  type ForwardOptions,
  mappedArray,
  retypedArray,
  type RetypedOptions,
  scaledArray,
  scaledComplex,
  type ScaledComplexOptions,
  type ScaledOptions,
  type StoredOptions,
} from "./src/table/virtual-specs.ts";
export type { ColumnValues } from "./src/table/values.ts";
