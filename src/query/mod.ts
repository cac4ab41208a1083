/**
 * What is worked out from tables: digests, differences, statistics. None of it knows how a table is stored.
 *
 * @module
 */
export type { RowSpan } from "./cell-blocks.ts";
export {
  type ColumnDigest,
  digestColumn,
  type DigestOptions,
  digestRecord,
  digestTable,
  type TableDigest,
} from "./digest.ts";
export {
  type ColumnDifference,
  type Difference,
  type DiffOptions,
  diffTables,
  type FirstDifference,
  type TableDiff,
  type Tolerance,
} from "./diff.ts";
export type { ComplexPart } from "./complex-parts.ts";
export {
  type ColumnStatistics,
  columnStatistics,
  type GroupStatistics,
  type StatisticsOptions,
} from "./statistics.ts";
export { type TextStatistics, textStatistics } from "./text-statistics.ts";
export {
  type Comparison,
  type Condition,
  type Literal,
  type Operator,
  parseWhere,
  rowFilter,
} from "./where.ts";
