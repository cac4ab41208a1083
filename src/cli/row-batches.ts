/**
 * Rows of some columns, some at a time, in bounded memory whatever the cells' sizes.
 *
 * How large cells of free shape are is not known before they are read. So the first batch is small, the next ones are
 * as long as the bytes a row of the last one allow, at most twice as long as that, and a batch whose cells turn out
 * too large is refused by the table (LIMIT), and tried again at half its length. A single row is read whatever its size.
 */
import { type DType, type NDArray, type Table, TableError } from "../../mod.ts";

/** Values of one column in a batch. */
export type BatchColumn =
  | { readonly kind: "scalar"; readonly dtype: DType; readonly data: unknown }
  /** Scalars of rows some of which have no value. */
  | { readonly kind: "values"; readonly cells: readonly unknown[] }
  | { readonly kind: "array"; readonly cells: readonly (NDArray | null)[] };

/** Consecutive rows; `columns` in the order asked for. */
export interface RowBatch {
  readonly start: number;
  readonly end: number;
  readonly columns: readonly BatchColumn[];
}

/** Bytes of a batch that are aimed at. */
export const BATCH_BYTES = 4 * 2 ** 20;
/** Rows of the first batch. */
const FIRST_ROWS = 64;
/** Most rows of a batch, for small cells. */
const MOST_ROWS = 65536;
/** What an object or a string costs beside its characters, roughly. */
const OBJECT_BYTES = 64;

/** A table that refuses results beyond a bound, and the same one without. */
export interface BoundedTable {
  /** Open with `maxResultBytes: BATCH_BYTES`. */
  readonly bounded: Table;
  /** Opens the table without that bound; called only for a row that needs it. */
  unbounded(): Table;
}

function textBytes(data: readonly unknown[]): number {
  return data.reduce(
    (sum: number, value) => sum + OBJECT_BYTES + (typeof value === "string" ? value.length : 0),
    0,
  );
}

function bytesOf(data: unknown): number {
  return ArrayBuffer.isView(data) ? data.byteLength : textBytes(data as unknown[]);
}

function readBatchColumn(table: Table, name: string, rows: { start: number; end: number }): BatchColumn {
  const column = table.column(name);
  if (column.kind !== "array") {
    try {
      const { dtype, data } = table.getColumn(name, { rows });
      return { kind: "scalar", dtype, data };
    } catch (error) {
      // A coordinate or an id of a row that is in no hypercube yet: there is no value, and an array can't say so.
      if (!(error instanceof TableError && error.code === "OUT_OF_RANGE")) throw error;
      return { kind: "values", cells: table.getCells(name, { rows }) };
    }
  }
  return { kind: "array", cells: table.getCells(name, { rows }) as (NDArray | null)[] };
}

function sizeOf(column: BatchColumn): number {
  if (column.kind === "scalar") return bytesOf(column.data);
  if (column.kind === "values") return textBytes(column.cells);
  return column.cells.reduce((sum, cell) => sum + OBJECT_BYTES + (cell === null ? 0 : bytesOf(cell.data)), 0);
}

/** Rows `start` to `end` of the columns, in batches. @throws TableError */
export function* rowBatches(
  table: BoundedTable,
  names: readonly string[],
  start: number,
  end: number,
): Generator<RowBatch> {
  let length = FIRST_ROWS;
  for (let row = start; row < end;) {
    const stop = Math.min(end, row + length);
    const rows = { start: row, end: stop };
    let columns: BatchColumn[];
    try {
      columns = names.map((name) => readBatchColumn(table.bounded, name, rows));
    } catch (error) {
      if (!(error instanceof TableError && error.code === "LIMIT")) throw error;
      if (stop - row > 1) {
        length = Math.max(1, Math.floor((stop - row) / 2));
        continue;
      }
      columns = names.map((name) => readBatchColumn(table.unbounded(), name, rows));
    }
    yield { ...rows, columns };
    const perRow = columns.reduce((sum, column) => sum + sizeOf(column), 0) / (stop - row);
    const fits = Math.max(1, Math.floor(BATCH_BYTES / Math.max(1, perRow)));
    length = Math.min(MOST_ROWS, fits, length * 2);
    row = stop;
  }
}
