/**
 * What a storage manager is: something that knows where cells lie in its files. It yields plans and touches no file
 * itself (see `../io/plan.ts`); it knows nothing of tables, locks or commits.
 *
 * Rows passed in are in range, boxes fit the cells and arrays have the right size: floor 4 checks that. Numbers that
 * come from a file are never trusted: a manager checks them against the file's size before it takes memory for them.
 */
import type { DType } from "../array/dtype.ts";
import type { Box, Rows } from "../array/rows.ts";
import type { RecordFields } from "../format/record.ts";
import type { Plan } from "../io/plan.ts";
import type { Finding } from "./findings.ts";

/** A column as its manager sees it. Managers number their columns 0, 1, … in this order, that of the description. */
export interface BoundColumn {
  /** Current name. */
  readonly name: string;
  /** A record column is stored as a variable-shape uint8 array; floor 4 turns the bytes into records. */
  readonly kind: "scalar" | "array" | "record";
  readonly dtype: DType;
  /** Array columns: values inside the bucket instead of in an array file (casacore's Direct option). */
  readonly direct: boolean;
  /** Array columns: the shape of every cell, casacore's FixedShape option; null if free. */
  readonly shape: readonly number[] | null;
  /** Array columns: number of axes, -1 if any. */
  readonly ndim: number;
  /** Longest string in bytes, 0 if free. */
  readonly maxLength: number;
  /** Column keywords: virtual engines keep their parameters here. */
  readonly keywords: RecordFields;
}

/** The result array of a read: values of consecutive selected cells behind each other, first axis fastest. */
export type CellTarget =
  /** Bytes of the array, native byte order; bool takes one byte, 0 or 1. Element size from the column's dtype. */
  | { readonly kind: "numeric"; readonly bytes: Uint8Array }
  /**
   * One entry an element. `decode` may keep the bytes only if it copies them. `ascii`: where all bytes are below 0x80 the
   * text that they are may be the entry itself.
   */
  | {
    readonly kind: "strings";
    readonly values: unknown[];
    readonly ascii?: boolean;
    decode(bytes: Uint8Array): unknown;
  };

/** Where values to write come from, laid out like a CellTarget. */
export type CellSource =
  | { readonly kind: "numeric"; readonly bytes: Uint8Array }
  /** Encoded strings, one entry an element. */
  | { readonly kind: "strings"; readonly values: readonly Uint8Array[] };

/** Shapes of consecutive selected rows; null: undefined cells. Neighbouring runs may have equal shapes. */
export interface ShapeRun {
  /** Number of cells. */
  readonly count: number;
  /** Their shape, first axis fastest; null: they are undefined. */
  readonly shape: readonly number[] | null;
}

/** Where values begin that lie in a file as in an array. */
export interface ValuePlace {
  readonly file: string;
  readonly offset: number;
}

/** One column of an open manager. */
export interface ManagedColumn {
  /** Shapes of the cells of `rows`, in selection order. Scalars: one run with []. */
  shapes(rows: Rows): Plan<ShapeRun[]>;
  /**
   * Reads `box` (null: all) of every cell of `rows`. The cells are all defined and of shape `cellShape`.
   * The first value goes to element `at` of the target (for complex types an element is a pair).
   */
  read(rows: Rows, cellShape: readonly number[], box: Box | null, target: CellTarget, at: number): Plan<void>;
  /**
   * Writes `box` (null: all) of every cell of `rows` from element `at` of the source. With a null box the cells get
   * shape `cellShape`, changing shape where the manager can (else SHAPE_MISMATCH, before anything is written).
   * With a box the cells exist and have shape `cellShape`. Absent: the column can't be written.
   */
  write?(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void>;
  /**
   * Gives the cells of `rows` shape `cellShape` without values (they read as zeros), or makes them undefined (null).
   * INVALID_ARGUMENT where the manager can't.
   */
  setShape?(rows: Rows, cellShape: readonly number[] | null): Plan<void>;
  /**
   * Plan: where the values of consecutive rows (at least one) lie, if they lie in a file just as they do in an array; a
   * text says why they don't. Absent: they never do.
   */
  place?(rows: Rows): Plan<ValuePlace | string>;
  /** Tile shape of the column's (largest) cube, where there are tiles; with the row axis last. */
  readonly tileShape?: readonly number[] | null;
  /** Bytes that the column's values take on disk, as far as that can be said for one column. */
  bytesOnDisk?(): number;
}

/** What the `schema` command prints of a manager, beside its type, name and sequence number. */
export type ManagerInfo = Readonly<
  Record<string, string | number | boolean | readonly number[] | readonly string[]>
>;

/** What takes the place of files for a manager that has none. */
export interface Volatile {
  /** A commit: what values are now is what they go back to. */
  keep(): void;
  /** Values, and numbers of rows, go back to what they were at the last commit. */
  restore(): void;
}

/** Stretches of equal length behind each other in a file, each of which is kept and read as one: tiles, buckets. */
export interface BucketGrid {
  readonly file: string;
  /** Where the first one starts, in bytes. */
  readonly offset: number;
  /** Bytes of each. */
  readonly bucketBytes: number;
  /** How many there are. */
  readonly count: number;
}

/** An open storage manager. */
export interface StorageManager {
  /** Class name in `table.dat`, e.g. `StandardStMan`. */
  readonly type: string;
  /** The name its user gave it. */
  readonly name: string;
  /** The `<N>` of its files `table.f<N>`. */
  readonly sequence: number;
  /** Names of its files that exist. */
  files(): string[];
  /** The column with that number (see BoundColumn). */
  column(index: number): ManagedColumn;
  /** Rows that the manager's own files hold, or -1 if they don't say. */
  readonly rowCount: number;
  readonly info: ManagerInfo;
  /** Where its buckets or tiles lie, where it has such: for who wants to know how often each is read. */
  grids?(): BucketGrid[];
  /** Writing. Adds rows; absent: the manager can't be written. */
  addRows?(count: number): Plan<void>;
  /**
   * Plan: what the manager of a virtual column does to the columns it is computed from when rows were added: called when
   * every manager of the table has them. It doesn't refuse. Absent: nothing.
   */
  rowsAdded?(rows: Rows): Plan<void>;
  /**
   * Plan: for the manager of virtual columns that were just added to the table, or the table with them: checks what they
   * are computed from, and does for the rows that there are what `rowsAdded` does.
   *
   * @throws TableError CORRUPT when the columns can't be computed
   */
  created?(): Plan<void>;
  /** For a manager that can remove some rows only: throws what `removeRows` would throw. @throws TableError UNSUPPORTED */
  checkRemoval?(rows: Rows): void;
  /** Removes rows; those behind move up. `rows` ascend and are distinct. Absent: the manager can't, as with tiles. */
  removeRows?(rows: Rows): Plan<void>;
  /**
   * Adds a column behind the manager's others, its cells as those of new rows. The caller flushes the manager and opens
   * it anew with the longer list before anything else is asked of it. Absent: the manager can't.
   */
  addColumn?(column: BoundColumn): Plan<void>;
  /** Removes a column, which isn't the only one. The caller flushes the manager and opens it anew. Absent: the manager can't. */
  removeColumn?(index: number): Plan<void>;
  /** Yields what brings the files up to date (data before headers) and ends with the blob for `table.dat`. */
  flush?(): Plan<Uint8Array>;
  /** Of a manager whose values are nowhere but in it. It isn't opened anew, and columns are added and removed at once. */
  readonly volatile?: Volatile;
  /** True when something changed since the last flush. */
  readonly dirty: boolean;
  /**
   * Plan: everything in the manager's files that is inconsistent, what reading cells would not notice included. Absent:
   * whoever checks reads every cell.
   */
  check?(): Plan<Finding[]>;
}

/** A column of the same table, for virtual engines that compute theirs from it. */
export interface SourceColumn {
  readonly bound: BoundColumn;
  readonly column: ManagedColumn;
  /** Plan: the column as its manager has it: `column` may stand in for it, and says nothing of what can't be done. */
  open(): Plan<ManagedColumn>;
}

/**
 * A column of another table, whose plans run on that table's files. `open` is for writing: it opens the other table for
 * that, and takes its lock; what is written is committed with this table. It throws what that throws: LOCKED, IO.
 */
export interface ForeignColumn extends SourceColumn {
  /** Rows of the other table. */
  readonly rowCount: number;
}

/** What virtual engines may ask floor 4 for. Look things up when they are needed, not when the manager opens. */
export interface ColumnSource {
  /**
   * A column of the same table.
   *
   * @throws TableError NO_SUCH_COLUMN; CORRUPT when it is computed from a column of the manager that asks, LIMIT when
   * too many are computed from each other
   */
  column(name: string): SourceColumn;
  /**
   * Plan: a column of another table, which stays open until this one closes. The stored name is resolved as for subtables.
   *
   * @throws TableError NO_SUCH_COLUMN; those of opening a table; CORRUPT for tables that refer to each other in a circle
   */
  foreignColumn(storedTableName: string, column: string): Plan<ForeignColumn>;
  /** Keywords of the table itself. */
  tableKeywords(): RecordFields;
  /** Tables that lead to this one, each referring to the next; 0 or left out for the one that was asked for. */
  readonly depth?: number;
}

/** Everything a manager is told about the table. */
export interface ManagerContext {
  readonly type: string;
  readonly sequence: number;
  /** In order of the table description. */
  readonly columns: readonly BoundColumn[];
  /** Rows of the table, after `table.lock` was heard. */
  readonly rowCount: number;
  /** Byte order of the table's data files. */
  readonly bigEndian: boolean;
  /** Private keywords of the description: hypercolumns. */
  readonly privateKeywords: RecordFields;
  /**
   * True when no other process has the table open, and none will until the next commit: asked before columns go to files
   * of other names, which casacore doesn't notice in a table that it has open. Left out: false.
   */
  alone?(): boolean;
  readonly source: ColumnSource;
  /** The path that an error message shows for a file of the table. */
  pathOf(file: string): string;
}

/** What `storage: [...]` in `Table.create` says of one manager. */
export interface StorageSpec {
  /** Class name. */
  readonly type: string;
  /** Name of the manager (the hypercolumn name of a tiled one). */
  readonly name: string;
  /** Columns it takes; undefined: every column that no one else claims. */
  readonly columns?: readonly string[];
  /** Options of the manager's own. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Tiled managers: what each column is in the hypercubes. Left out: all columns are data, and nothing says so. */
  readonly hypercolumn?: HypercolumnSpec;
}

/** The parts that columns play in the hypercubes of a tiled manager. */
export interface HypercolumnSpec {
  /** Columns whose values are in the tiles. */
  readonly data: readonly string[];
  /** For each axis of a hypercube the column with its coordinates, "" for none; or none at all. */
  readonly coordinates: readonly string[];
  /** Columns that say which hypercube a row is in. */
  readonly ids: readonly string[];
  /** Axes of a hypercube that run over rows. */
  readonly rowAxes: number;
}

/** What a spec is settled with: the table that it is part of. */
export interface SpecContext {
  /** The manager's number. */
  readonly sequence: number;
  /** The table's directory. */
  readonly directory: string;
  /** The columns that the manager takes. */
  readonly own: readonly BoundColumn[];
  /** Every column of the table. */
  readonly columns: readonly BoundColumn[];
}

/** What a spec comes to when the columns are known: what `table.dat` says of its manager beside the blob. */
export interface SettledSpec {
  /** Class name. */
  readonly type: string;
  /** Keywords that each of its columns gets. */
  readonly columnKeywords: RecordFields;
  /** Keywords that the table gets. */
  readonly tableKeywords?: RecordFields;
  /** The element class of its columns, when it is one of an application's own. */
  readonly elementClass?: string;
}

/** A kind of storage manager. */
export interface ManagerKind {
  /** How specs name it, where that isn't its class name: the types of columns are part of an engine's. */
  readonly specType?: string;
  /**
   * For virtual columns, whose managers keep what they need in keywords and are opened, not created: what a spec comes to.
   *
   * @throws TableError INVALID_ARGUMENT, NO_SUCH_COLUMN for specs that make no manager of these columns
   */
  settle?(spec: StorageSpec, context: SpecContext): SettledSpec;
  /** True for the class names that this kind serves, as `table.dat` has them (with template arguments). */
  serves(type: string): boolean;
  /** False: `open` always throws, with the reason why columns of this kind can't be read. */
  readonly readable?: false;
  /** How a column is presented to readers, where that differs from its description: one of a class that is no data type. */
  present?(type: string, bound: BoundColumn): BoundColumn;
  /** Reads the manager's headers. `blob` is what `table.dat` holds for it. */
  open(context: ManagerContext, blob: Uint8Array): Plan<StorageManager>;
  /**
   * Plan: rows that the manager's files hold, where `open` refuses any other number than the table's. For recovery, which
   * wants to know.
   */
  rowsHeld?(context: ManagerContext): Plan<number>;
  /** Makes the manager of a new table with `context.rowCount` rows; files are made by the plan. Absent: can't be written. */
  create?(context: ManagerContext, spec: StorageSpec): Plan<StorageManager>;
}
