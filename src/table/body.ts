/**
 * What a table consists of, whichever kind it is: a plain table with files of its own, a reference to rows of
 * another, or a concatenation. The public class in `table.ts` asks only for this.
 */
import type { Rows } from "../array/rows.ts";
import type { ColumnDesc } from "../format/column-desc.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { FileAccess } from "../io/access.ts";
import type { IoStats } from "../io/counters.ts";
import type { Plan } from "../io/plan.ts";
import type { BoundColumn, ManagedColumn, ManagerInfo } from "../storage/manager.ts";
import type { AddColumnOptions } from "./alter.ts";
import type { ColumnSpec } from "./specs.ts";

/** How a table was made. */
export type TableKind = "plain" | "reference" | "concatenation";

/** A storage manager, as `table.dat` names it. */
export interface ManagerDescription {
  /** Class name. */
  readonly type: string;
  /** The `<N>` of `table.f<N>`. */
  readonly sequence: number;
}

/** What an opened manager says of itself. */
export interface ManagerDetails extends ManagerDescription {
  /** Name given by its user. */
  readonly name: string;
  /** Files that it keeps. */
  readonly files: readonly string[];
  /** Bytes of those files, wherever they are: in the table's directory or in a container. */
  readonly fileBytes: number;
  /** Bucket sizes, tile shapes and the like. */
  readonly info: ManagerInfo;
}

/** One column of a table. */
export interface BodyColumn {
  readonly bound: BoundColumn;
  readonly description: ColumnDesc;
  readonly manager: ManagerDescription;
  /** Keywords of the column; read-only in a table opened for reading. */
  readonly keywords: TableRecord;
  /**
   * Plan: the column's storage; its manager's headers are read when they are first needed.
   *
   * @throws TableError UNSUPPORTED, naming the manager, when it isn't known; CORRUPT
   */
  open(): Plan<ManagedColumn>;
  /** False when this version of Tessera doesn't have the column's manager. */
  readonly supported: boolean;
}

/** Changes of what a table consists of. A refused one leaves it as it was. @throws TableError as those of `Table` */
export interface TableStructure {
  /** Removes rows, ascending and distinct, that are chosen when nobody else can change the table any more. */
  removeRows(choose: (rowCount: number) => Rows): void;
  addColumns(columns: readonly ColumnSpec[], options: AddColumnOptions): void;
  removeColumns(names: readonly string[]): void;
  renameColumn(from: string, to: string): void;
  /** Removes a subtable's keyword, and after the commit its directory, which lies in the table's. */
  removeSubtable(keyword: string, directory: string): void;
  /** Returns when the names in the table's directory are on the disk. */
  syncNames(): void;
}

/** The inside of an open table. */
export interface TableBody {
  readonly kind: TableKind;
  readonly path: string;
  readonly writable: boolean;
  readonly bigEndian: boolean;
  readonly rowCount: number;
  readonly columns: readonly BodyColumn[];
  readonly keywords: TableRecord;
  readonly managers: readonly ManagerDescription[];
  /** Plan: what the manager of that number says of itself, null when it isn't known. @throws TableError CORRUPT */
  managerDetails(sequence: number): Plan<ManagerDetails | null>;
  /** The directory against which stored names of subtables in the keywords are resolved. */
  readonly keywordsDirectory: string;
  /**
   * The tables whose subtables of that keyword, behind each other, are this one's subtable. Left out: the keyword's own.
   */
  subtableOwners?(keyword: string): readonly TableBody[];
  /** The directories of the tables that this one refers to, directly. */
  readonly parents: readonly string[];
  /** Files that column plans run on. */
  readonly access: FileAccess;
  readonly stats: IoStats;
  /** Throws what a fault in a mapped file has left behind (IO). */
  check(): void;
  info(): TableInfo;
  /** True when others changed the table since it was read: {@linkcode refresh}, and what was read is read again. */
  moved(): boolean;
  refresh(): void;
  /** True while changes may be there that no commit holds. Left out: nobody knows. */
  readonly changed?: boolean;
  /** Takes the lock that a change needs. @throws TableError LOCKED */
  beginChange(): void;
  lock(kind: "read" | "write", timeoutMs?: number): void;
  lockAsync(kind: "read" | "write", timeoutMs?: number): Promise<void>;
  /** Commits, and lets go of the lock. */
  unlock(): void;
  addRows(count: number): void;
  /** What rows and columns come and go by. Absent: a table that refers to others. */
  readonly structure?: TableStructure;
  /** Drops every change since the last commit. */
  discard(): void;
  /** `last`: the table is closed after it. */
  flush(options: { durable: boolean; last?: boolean }): void;
  close(): void;
}
