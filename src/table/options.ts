/**
 * What the calls of `Table` may be told, and what they give.
 */
import type { DType } from "../array/dtype.ts";
import type { DataOf, NDArray } from "../array/ndarray.ts";
import type { AxisSlice } from "../array/rows.ts";
import type { StringPolicy } from "../format/strings.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { IoName } from "../io/backend.ts";
import type { Context } from "../io/context.ts";
import type { LockMode } from "../io/lock.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { RowSelection } from "./selection.ts";
import type { ColumnSpec } from "./specs.ts";

export type { LockMode };

/** What opening and creating have in common. */
export interface IoOptions {
  /**
   * I/O backend; "auto" takes the best that works here without asking for a permission: "mmap" for tables that are only
   * read, "pread" for those that are changed, where the C library is there, else "node".
   */
  readonly io?: IoName | "auto";
  /**
   * When other processes are kept away. "auto": from the first change to the next commit; reading takes no lock.
   * "user": from {@linkcode Table.lock} to {@linkcode Table.unlock}, and nothing is changed without. "permanent": as
   * long as the table is open. "none": never; needed where the C library is missing, and right only if nobody else
   * writes the table.
   */
  readonly lock?: LockMode;
  /** How long a lock is waited for, in milliseconds, before LOCKED is thrown; 10,000 unless told otherwise. */
  readonly lockTimeoutMs?: number;
  /** Cache and its bound; left out: the one of this isolate. */
  readonly context?: Context;
  /** How the bytes of strings become JavaScript strings; "utf8" unless told otherwise. */
  readonly strings?: StringPolicy;
  /** Most bytes of one result; LIMIT is thrown beyond. 16 GiB unless told otherwise. */
  readonly maxResultBytes?: number;
  /** Refuse subtables and parents that lie outside the table's own directory tree. */
  readonly confine?: boolean;
}

/** Options of {@linkcode Table.open}. */
export interface OpenOptions extends IoOptions {
  /** "r": read only (the default). "rw": read and change. */
  readonly mode?: "r" | "rw";
}

/** Options of {@linkcode Table.create}. */
export interface CreateOptions extends IoOptions {
  /** The columns, in order; see {@linkcode scalar} and {@linkcode array}. */
  readonly columns: readonly ColumnSpec[];
  /** Which managers hold which columns; see {@linkcode standard}, {@linkcode tiledShape}, {@linkcode tiledColumn}. */
  readonly storage?: readonly StorageSpec[];
  /** Rows to begin with, 0 unless told otherwise. */
  readonly rows?: number;
  /** Byte order of the data files; this machine's unless told otherwise. */
  readonly byteOrder?: "little" | "big";
  /** Replace an existing table. */
  readonly overwrite?: boolean;
  /** Table keywords, with values as `TableRecord.set` takes them. */
  readonly keywords?: Readonly<Record<string, unknown>>;
  /** Type, subtype and text of `table.info`. */
  readonly info?: Partial<TableInfo>;
}

/** Options of {@linkcode Table.getColumn}. */
export interface GetOptions<D extends DType = DType> {
  /** Range or list of rows; all of them unless told otherwise. */
  readonly rows?: RowSelection;
  /** For each axis of a cell null or [start, end] or [start, end, step]. */
  readonly slice?: readonly AxisSlice[];
  /** Array that takes the values, of exactly the right size; it is what the result's `data` is then. */
  readonly into?: DataOf<D>;
  /** The data type expected: checked, and it narrows the type of the result. */
  readonly dtype?: D;
}

/** Options of {@linkcode Table.putColumn}. */
export interface PutOptions {
  /** Range or list of rows; all of them unless told otherwise. */
  readonly rows?: RowSelection;
  /** For each axis of a cell null or [start, end] or [start, end, step]: where in each cell the values go. */
  readonly slice?: readonly AxisSlice[];
}

/** Options of {@linkcode Table.getColumnAsync}. */
export interface GetAsyncOptions<D extends DType = DType> extends GetOptions<D> {
  /** Cancels the request: the promise is rejected with the signal's reason, as a rule an AbortError. */
  readonly signal?: AbortSignal;
  /**
   * Take `into` over: the caller's array is detached at once, and the result has its memory. Values go into it from other
   * threads then, as into new memory; an array that is only borrowed is filled by this one, piece by piece.
   */
  readonly transfer?: boolean;
}

/** Options of {@linkcode Table.putColumnAsync}. */
export interface PutAsyncOptions extends PutOptions {
  /** Cancels the request, see {@linkcode Table.putColumnAsync}. */
  readonly signal?: AbortSignal;
  /** Take the values over: the caller's array is detached at once, also when the call is refused. */
  readonly transfer?: boolean;
  /** Copy the values before the call returns, which takes as long as that takes; the array is the caller's again then. */
  readonly copy?: boolean;
}

/** Options of {@linkcode Table.getCells}. */
export interface CellsOptions<D extends DType = DType> extends Omit<GetOptions<D>, "into"> {
  /** Give each cell memory of its own; otherwise cells of a selection may share one block. */
  readonly copy?: boolean;
}

/** Options of {@linkcode Table.batches}. */
export interface BatchOptions {
  /** Columns to read; all readable ones unless told otherwise. */
  readonly columns?: readonly string[];
  /** Rows to go through; all of them unless told otherwise. */
  readonly rows?: { readonly start?: number; readonly end?: number };
  /** Rows of a batch, 1000 unless told otherwise. */
  readonly batchRows?: number;
}

/** Some consecutive rows of some columns. */
export interface Batch {
  /** First row. */
  readonly start: number;
  /** The row after the last one. */
  readonly end: number;
  /** Values by column name. */
  readonly columns: Readonly<Record<string, NDArray<DType, TableRecord>>>;
}
