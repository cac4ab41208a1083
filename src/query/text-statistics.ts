/**
 * Statistics of a column of strings.
 */
import { TableError } from "../error.ts";
import type { Table } from "../table/table.ts";
import { cellBlocks, checkedSpan, type RowSpan } from "./cell-blocks.ts";

/** What there is to say of strings. */
export interface TextStatistics {
  /** The column. */
  readonly name: string;
  /** Rows that were looked at. */
  readonly rows: number;
  /** Rows whose cell has no value. */
  readonly undefined: number;
  /** Number of strings. */
  readonly count: number;
  /** Strings without any character. */
  readonly empty: number;
  /** Different strings; null where there are more than 65,536. */
  readonly distinct: number | null;
  /** Lengths in characters of the shortest and the longest; NaN of none. */
  readonly shortest: number;
  /** Length in characters of the longest; NaN of none. */
  readonly longest: number;
  /** First and last in the order of their characters' codes; null of none. */
  readonly first: string | null;
  /** Last in the order of the characters' codes; null of none. */
  readonly last: string | null;
}

/** Different strings that are told apart. */
const MOST_DISTINCT = 65536;

/** Statistics of a column of strings. @throws TableError NO_SUCH_COLUMN, TYPE_MISMATCH, OUT_OF_RANGE, UNSUPPORTED, CORRUPT, IO */
export function textStatistics(table: Table, name: string, rows?: Partial<RowSpan>): TextStatistics {
  const { dtype } = table.column(name);
  if (dtype !== "string") {
    throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}, no column of strings`, {
      file: table.path,
    });
  }
  const span = checkedSpan(table, rows);
  const seen = new Set<string>();
  let without = 0, count = 0, empty = 0, shortest = Infinity, longest = 0;
  let first: string | null = null, last: string | null = null;
  for (const block of cellBlocks(table, name, span)) {
    if (block.shape === null) without += block.count;
    for (const text of block.data as string[]) {
      count++;
      if (text === "") empty++;
      shortest = Math.min(shortest, text.length);
      longest = Math.max(longest, text.length);
      if (first === null || text < first) first = text;
      if (last === null || text > last) last = text;
      if (seen.size <= MOST_DISTINCT) seen.add(text);
    }
  }
  return {
    name,
    rows: span.end - span.start,
    undefined: without,
    count,
    empty,
    distinct: seen.size > MOST_DISTINCT ? null : seen.size,
    shortest: count === 0 ? NaN : shortest,
    longest: count === 0 ? NaN : longest,
    first,
    last,
  };
}
