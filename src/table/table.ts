/**
 * `Table`: the public face of a table of any kind.
 */
import type { DType } from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { type AxisSlice, rowRange, type Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { storedName } from "../format/names.ts";
import type { StringPolicy } from "../format/strings.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { IoSnapshot } from "../io/counters.ts";
import { checkIdle, Place, RequestQueue } from "../io/async-queue.ts";
import { AsyncRequest, type RequestOptions } from "../io/async-request.ts";
import { runAsync, runSync } from "../io/drivers.ts";
import type { Plan } from "../io/plan.ts";
import type {
  BodyColumn,
  ManagerDescription,
  ManagerDetails,
  TableBody,
  TableKind,
  TableStructure,
} from "./body.ts";
import type { AddColumnOptions } from "./alter.ts";
import {
  checkSubtableName,
  type DeleteOptions,
  deleteTable,
  type DirectoryOptions,
  renameTable,
} from "./alter-directory.ts";
import { Column } from "./column.ts";
import {
  type CopyAsyncOptions,
  type CopyOptions,
  type CopyReport,
  copyTable,
  copyTableAsync,
} from "./copy.ts";
import { createBody } from "./create.ts";
import { createMeasurementSet, type MeasurementSetOptions } from "./measurement-set/create.ts";
import { openBody, openBodyAsync, openJoined } from "./open.ts";
import type {
  Batch,
  BatchOptions,
  CellsOptions,
  CreateOptions,
  GetAsyncOptions,
  GetOptions,
  IoOptions,
  OpenOptions,
  PutAsyncOptions,
  PutOptions,
} from "./options.ts";
import { type Cell, readCells, readColumn, type ReadSettings } from "./read.ts";
import { type RowSource, RowSourceBody } from "./row-source.ts";
import { checkRow, distinct, type RowSelection, rowsOf } from "./selection.ts";
import { LOCK_TIMEOUT_MS } from "./sharing.ts";
import type { ColumnSpec } from "./specs.ts";
import { subtablePaths } from "./subtables.ts";
import { type Handover, takeOver, takeValues } from "./async-values.ts";
import type { ColumnValues } from "./values.ts";
import type { PlaceOptions } from "./references.ts";
import { type ConcatOptions, joinTables, type Part } from "./join.ts";
import { projectColumns, type ProjectOptions, type SelectOptions, selectRows } from "./select.ts";
import { planAppend, writeCell, writeColumn, writeShape } from "./write.ts";

const DEFAULT_MAX_RESULT_BYTES = 16 * 2 ** 30;
const DEFAULT_BATCH_ROWS = 1000;

/**
 * An open table: rows × columns, each cell a scalar or an array, with keywords. Rows are numbered from 0.
 *
 * @example
 * ```ts
 * import { array, scalar, Table } from "@tessera/tables";
 * using table = Table.create("vis.tab", {
 *   columns: [array("DATA", "complex64", { shape: [4, 64] }), scalar("FLAG_ROW", "bool")],
 *   rows: 10,
 * });
 * table.putColumn("DATA", new Float32Array(10 * 4 * 64 * 2));
 * console.log(table.getColumn("FLAG_ROW").shape); // [10]
 * ```
 */
export class Table {
  readonly #body: TableBody;
  readonly #options: IoOptions;
  /** The body's columns by name, and the list that they were made of. */
  #columns: { readonly list: readonly BodyColumn[]; readonly byName: ReadonlyMap<string, BodyColumn> };
  #closed = false;
  /** Requests on this table, and on those that refer to it. */
  readonly #queue = new RequestQueue();
  /** Those of the tables that it refers to, too. */
  readonly #queues: readonly RequestQueue[];
  #inTransaction = false;
  /** The tables that own what this one refers to: selections and concatenations commit with them. */
  readonly #owners: readonly Table[];

  readonly #onClose: (() => void) | undefined;

  private constructor(
    body: TableBody,
    options: IoOptions,
    owners: readonly Table[] = [],
    onClose?: () => void,
  ) {
    this.#body = body;
    this.#options = options;
    this.#owners = owners;
    this.#onClose = onClose;
    this.#queues = [...new Set([this.#queue, ...owners.flatMap((owner) => owner.#queues)])];
    this.#columns = byName(body.columns);
  }

  /**
   * Makes a new table. Its files are complete when {@linkcode flush} or {@linkcode close} returns.
   *
   * @throws TableError EXISTS when there is a table already (see `overwrite`), INVALID_ARGUMENT and NO_SUCH_COLUMN for
   * descriptions that make no table, LOCKED, IO.
   */
  static create(path: string, options: CreateOptions): Table {
    return new Table(createBody(path, options), options);
  }

  /**
   * Makes a MeasurementSet of version 2 with all required subtables, columns, keywords, units and measures. Its tables are
   * empty; {@linkcode subtable} opens each.
   *
   * @throws TableError INVALID_ARGUMENT for columns and subtables that the standard doesn't know; as {@linkcode create}
   * @example
   * ```ts
   * import { Table } from "@tessera/tables";
   * using ms = Table.createMeasurementSet("new.ms", { data: ["DATA", "WEIGHT_SPECTRUM"], shape: [4, 64] });
   * using antennas = ms.subtable("ANTENNA");
   * antennas.append({ NAME: ["A1", "A2"], POSITION: Float64Array.of(3826577, 461022, 5064892, 3826600, 461010, 5064880) });
   * ```
   */
  static createMeasurementSet(path: string, options: MeasurementSetOptions = {}): Table {
    return createMeasurementSet(path, options);
  }

  /**
   * Opens a table.
   *
   * @throws TableError NOT_FOUND, NOT_A_TABLE, CORRUPT, UNSUPPORTED, LOCKED, IO.
   */
  static open(path: string, options: OpenOptions = {}): Table {
    return new Table(openBody(path, options), options);
  }

  /** As {@linkcode open}, without blocking while files are read. */
  static async openAsync(path: string, options: OpenOptions = {}): Promise<Table> {
    return new Table(await openBodyAsync(path, options), options);
  }

  /**
   * Concatenates tables with the same columns: their rows behind each other, keywords and subtables of the first one. With a
   * path the concatenation is kept there and refers to the tables by their paths; otherwise it is only in memory. A table that
   * is given open stays the caller's, who closes it after the concatenation.
   *
   * @throws TableError INVALID_ARGUMENT for no tables, for tables with different columns, and for those that are on no disk
   * when a path is given; NOT_FOUND for a keyword in `subtables` that names no subtable; EXISTS, IO; those of {@linkcode open}
   * @example
   * ```ts
   * import { scalar, Table } from "@tessera/tables";
   * for (const name of ["a.tab", "b.tab"]) {
   *   Table.create(name, { columns: [scalar("TIME", "float64")], rows: 5 }).close();
   * }
   * using both = Table.concat(["a.tab", "b.tab"], "both.tab");
   * console.log(both.rowCount); // 10
   * ```
   */
  static concat(tables: readonly (string | Table)[], path?: string, options: ConcatOptions = {}): Table {
    const parts: Part[] = [], owners = tables.filter((table) => table instanceof Table);
    try {
      for (const table of tables) {
        parts.push(
          table instanceof Table
            ? { body: table.#settled(path), borrowed: true }
            : { body: openBody(table, options), borrowed: false },
        );
      }
      const body = joinTables(parts, path, options.subtables ?? [], options);
      return new Table(body, options, owners, options.onClose);
    } catch (error) {
      for (const { body, borrowed } of parts) if (!borrowed) body.close();
      throw error;
    }
  }

  /**
   * A read-only table over rows that somebody else keeps, in memory or in files of another form. It can be read, selected
   * from, concatenated and copied as any other.
   *
   * @throws TableError INVALID_ARGUMENT for columns that make no table
   */
  static over(source: RowSource, options: Pick<IoOptions, "strings" | "maxResultBytes"> = {}): Table {
    return new Table(new RowSourceBody(source), options);
  }

  /**
   * Removes a table with everything in its directory, subtables too. Tables that it refers to stay, and so does what symbolic
   * links lead to. Who reads it without a lock, as Tessera does unless told otherwise, isn't noticed.
   *
   * @throws TableError NOT_FOUND, NOT_A_TABLE; INVALID_ARGUMENT for a symbolic link; LOCKED when it is open elsewhere, or a
   * table in its directory is; UNSUPPORTED where tables can't be locked (see `lock`); IO. Nothing is removed then, but for IO.
   */
  static delete(path: string, options: DeleteOptions = {}): void {
    deleteTable(path, options);
  }

  /**
   * Gives a table another name or place on the same file system. Names of subtables and other tables in it lead where they led
   * before. Tables elsewhere that refer to it don't follow.
   *
   * @throws TableError NOT_FOUND, NOT_A_TABLE; EXISTS for a new name that is taken; INVALID_ARGUMENT for a symbolic link, or a
   * place in the table itself; LOCKED when it is open elsewhere, or a table in its directory is; UNSUPPORTED where tables can't
   * be locked (see `lock`); IO
   */
  static rename(path: string, newPath: string, options: DirectoryOptions = {}): void {
    renameTable(path, newPath, options);
  }

  /** Absolute path of the table's directory. That of a selection or concatenation in memory is its (first) table's. */
  get path(): string {
    return this.#body.path;
  }
  /** Number of rows. */
  get rowCount(): number {
    return this.#fresh().rowCount;
  }
  /** Plain, or a reference to rows of another table, or a concatenation. */
  get kind(): TableKind {
    return this.#body.kind;
  }
  /** Byte order of the data files. */
  get byteOrder(): "little" | "big" {
    return this.#body.bigEndian ? "big" : "little";
  }
  /** Names in the order of the description. */
  get columnNames(): string[] {
    if (!this.#closed) this.#fresh();
    return [...this.#named().keys()];
  }
  /** Keywords of the table; those of a table opened for writing can be changed. */
  get keywords(): TableRecord {
    return this.#fresh().keywords;
  }
  /** The directory against which the names of subtables in the keywords are resolved: a parent's for a reference. */
  get keywordsDirectory(): string {
    return this.#body.keywordsDirectory;
  }
  /** How the bytes of strings become JavaScript strings. */
  get strings(): StringPolicy {
    return this.#options.strings ?? "utf8";
  }
  /** Type, subtype and text of `table.info`. */
  get info(): TableInfo {
    return this.#open().info();
  }
  /** The storage managers; {@linkcode managerDetails} says more of one. */
  get managers(): readonly ManagerDescription[] {
    return this.#fresh().managers;
  }
  /** What a storage manager says of itself: name, files, bucket size and the like; null when it isn't known. @throws TableError CORRUPT, IO */
  managerDetails(sequence: number): ManagerDetails | null {
    return this.#run(() => this.#open().managerDetails(sequence));
  }
  /** Directories of the tables that this one refers to: none for a plain table. */
  get parents(): readonly string[] {
    return this.#body.parents;
  }
  /** What was done to files since opening or the last {@linkcode resetIoStats}: calls by kind, bytes, seeks, cache hits. */
  get ioStats(): IoSnapshot {
    return this.#body.stats.snapshot();
  }
  /** Sets the counters of {@linkcode ioStats} to 0. */
  resetIoStats(): void {
    this.#body.stats.reset();
  }

  /** Description, keywords and storage of a column. @throws TableError NO_SUCH_COLUMN */
  column(name: string): Column {
    this.#fresh();
    return new Column(this.#column(name), this.#body);
  }

  /**
   * Opens the subtable that keyword `name` names, with this table's options. Where a concatenation concatenates it too,
   * it is a concatenation of those of all parts. `mode` is that of this table unless told otherwise.
   *
   * @throws TableError NOT_FOUND and those of {@linkcode open}
   */
  subtable(name: string, { mode }: { readonly mode?: "r" | "rw" } = {}): Table {
    const body = this.#open();
    const paths = subtablePaths(body, name, this.#options.confine ?? false);
    const options = { ...this.#options, mode: mode ?? (body.writable ? "rw" : "r") } as const;
    return new Table(openJoined(paths, options), options);
  }

  /**
   * Values of a column: a scalar column gives shape [rows], an array column the cell's shape followed by the number of rows.
   * With a `slice` cells may have several shapes, as long as what is taken of each has one.
   *
   * @throws TableError NO_SUCH_COLUMN, OUT_OF_RANGE, TYPE_MISMATCH, SHAPE_MISMATCH (cells of several shapes, naming two rows;
   * a slice or `into` that doesn't fit), LIMIT, UNSUPPORTED, CORRUPT, IO, CLOSED.
   */
  getColumn<D extends DType = DType>(name: string, options: GetOptions<D> = {}): NDArray<D, TableRecord> {
    return this.#run(() => this.#columnPlan(name, options)) as NDArray<D, TableRecord>;
  }

  /**
   * As {@linkcode getColumn}, without blocking: large pieces are read, and their values put in place, on two other threads,
   * and the event loop turns every few milliseconds. `into` is borrowed until the promise settles, or taken over.
   *
   * The requests on a table are carried out in the order in which they were made; those that only read run side by side.
   * While they run, other calls may read the table, too; those that change it throw BUSY.
   *
   * @throws TableError as {@linkcode getColumn}; INVALID_ARGUMENT when `into` was moved away meanwhile; the reason of `signal`
   * @example
   * ```ts
   * import { array, Table } from "@tessera/tables";
   * using table = Table.create("async.tab", {
   *   columns: [array("DATA", "complex64", { shape: [4, 64] })],
   *   rows: 100,
   *   overwrite: true,
   * });
   * await table.putColumnAsync("DATA", new Float32Array(100 * 4 * 64 * 2), { transfer: true });
   * const { shape } = await table.getColumnAsync("DATA", { signal: AbortSignal.timeout(10_000) });
   * console.log(shape); // [4, 64, 100]
   * ```
   */
  async getColumnAsync<D extends DType = DType>(
    name: string,
    options: GetAsyncOptions<D> = {},
  ): Promise<NDArray<D, TableRecord>> {
    const { signal, transfer = false } = options;
    const given: unknown = options.into, into = transfer ? takeOver(given) : given;
    const lent = !transfer && ArrayBuffer.isView(into) ? [into.buffer] : [];
    const settings = { ...options, into } as GetOptions;
    const plan = () => this.#columnPlan(name, settings);
    return await this.#runAsync(`getColumnAsync of ${name}`, { lent, signal }, plan) as NDArray<
      D,
      TableRecord
    >;
  }

  /**
   * Cells of any shapes: scalars as JavaScript values, arrays as { dtype, shape, data }, undefined cells as null.
   *
   * @throws TableError as {@linkcode getColumn}
   */
  getCells(name: string, options: CellsOptions = {}): Cell[] {
    const settings = { ...this.#settings(options), copy: options.copy ?? false };
    return this.#run(() => readCells(this.#column(name), this.#rows(options.rows), settings));
  }

  /** One cell. @throws TableError as {@linkcode getColumn} */
  getCell(name: string, row: number, options: { slice?: readonly AxisSlice[] } = {}): Cell {
    return this.#run(() => this.#cellPlan(name, row, options))[0]!;
  }

  /**
   * Puts values into a column, or into some rows, or into a box of each cell. A typed array has the values of all cells
   * behind each other; for columns without a fixed shape give { dtype, shape, data } with the rows as last axis.
   *
   * @throws TableError READ_ONLY, NO_SUCH_COLUMN, OUT_OF_RANGE, TYPE_MISMATCH, SHAPE_MISMATCH, UNSUPPORTED, IO, CLOSED.
   * A call refused for its arguments leaves the table as it was.
   */
  putColumn(
    name: string,
    values: ColumnValues,
    options: PutOptions = {},
  ): void {
    this.#checkIdle();
    const column = this.#writableColumn(name);
    this.#change(writeColumn(column, this.#rows(options.rows), values, options.slice, this.strings));
  }

  /**
   * As {@linkcode putColumn}, without blocking: what can be sent before the next commit is laid out and written on other
   * threads, and the event loop turns every few milliseconds. The values are borrowed until the promise settles, or taken
   * over, or copied. Values in plain arrays are turned into bytes by this thread, at once.
   *
   * It runs alone: it begins when all earlier requests have settled, and later ones wait for it. Until then other calls
   * that change the table throw BUSY; while it runs those that read cells do, too.
   *
   * While pieces are on other threads, arrays of the caller are read by system calls only, and laid out otherwise by this
   * thread; with `transfer` or `copy` that is done by the others, too.
   *
   * Cancelled while it waits, it does nothing. Cancelled or failing later it leaves the table as it was before, if
   * everything was committed then. If not, it is too late to cancel, and after an error {@linkcode discard} goes back to the
   * last commit. What was overwritten is put back in one go, which blocks.
   *
   * @throws TableError as {@linkcode putColumn}; INVALID_ARGUMENT when the values were moved away meanwhile; the reason of
   * `signal`
   */
  async putColumnAsync(name: string, values: ColumnValues, options: PutAsyncOptions = {}): Promise<void> {
    this.#writable();
    const { signal } = options, handover: Handover = options;
    const taken = takeValues(values, handover);
    const place = new Place(this.#queues, `putColumnAsync of ${name}`, "change");
    await place.begin(signal);
    try {
      const body = this.#open(), isClean = body.changed === false;
      const autoLock = (this.#options.lock ?? "auto") === "auto";
      const request = new AsyncRequest({
        lent: taken.lent,
        values: taken.memory,
        signal,
        mayCancel: () => isClean,
      });
      try {
        if (autoLock) await body.lockAsync("write");
        request.check();
        const column = this.#writableColumn(name);
        const plan = writeColumn(
          column,
          this.#rows(options.rows),
          taken.values,
          options.slice,
          this.strings,
        );
        await runAsync(plan, body.access, request);
        request.checkLent();
        body.check();
      } catch (error) {
        if (isClean) {
          body.discard();
          if (autoLock) body.unlock();
        }
        request.checkLent();
        throw error;
      }
    } finally {
      place.leave();
    }
  }

  /** Puts one cell; null makes an array cell undefined where the manager can. @throws TableError as {@linkcode putColumn} */
  putCell(name: string, row: number, value: Cell | ArrayBufferView | readonly string[]): void {
    this.#checkIdle();
    const column = this.#writableColumn(name);
    checkRow(row, this.#body.rowCount);
    this.#change(writeCell(column, rowRange(row, 1), value, this.strings));
  }

  /**
   * Gives array cells a shape without values, which read as zeros until they are put, perhaps slice by slice; or makes them
   * undefined (null).
   *
   * @throws TableError SHAPE_MISMATCH for a shape that the column doesn't allow, INVALID_ARGUMENT where the column's manager
   * can't, as {@linkcode putColumn}
   */
  setShape(name: string, shape: readonly number[] | null, options: { rows?: RowSelection } = {}): void {
    const column = this.#writableColumn(name);
    this.#change(writeShape(column, this.#rows(options.rows), shape));
  }

  /** Adds rows at the end: zeros, empty strings, undefined cells. @throws TableError READ_ONLY, INVALID_ARGUMENT, IO, CLOSED */
  addRows(count: number): void {
    this.#writable();
    if (!Number.isInteger(count) || count < 0) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `a number of rows to add is whole and not negative, found ${count}`,
      );
    }
    this.#checkIdle();
    if (count > 0) this.#body.addRows(count);
  }

  /**
   * Adds as many rows as the values have, and puts them; columns that are left out get zeros. The values are checked
   * before any row is added.
   *
   * @throws TableError as {@linkcode putColumn}; SHAPE_MISMATCH when columns have different numbers of rows.
   */
  append(values: Readonly<Record<string, ColumnValues>>): void {
    this.#writable();
    this.#checkIdle();
    this.#body.beginChange();
    const first = this.#body.rowCount;
    const plans = Object.entries(values).map(([name, data]) =>
      this.#change(planAppend(this.#column(name), data, this.strings))
    );
    const counts = new Set(plans.map((plan) => plan.rows));
    if (counts.size > 1) {
      throw new TableError("SHAPE_MISMATCH", `append: columns of ${[...counts].join(" and ")} rows given`);
    }
    const [count = 0] = counts;
    if (count === 0) return;
    this.#body.addRows(count);
    for (const plan of plans) this.#change(plan.write(rowRange(first, count)));
  }

  /**
   * Removes rows; those behind them move up.
   *
   * @throws TableError UNSUPPORTED when a storage manager of the table can't remove rows, as those with tiles;
   * INVALID_ARGUMENT for a row that is named twice and for tables that refer to others; OUT_OF_RANGE, READ_ONLY, LOCKED,
   * CORRUPT, IO, CLOSED. A refused call leaves the table as it was.
   */
  removeRows(rows: RowSelection): void {
    this.#structure("removeRows").removeRows((rowCount) => distinct(rowsOf(rows, rowCount)));
  }

  /** Adds a column behind the others, as {@linkcode addColumns} does. */
  addColumn(column: ColumnSpec, options: AddColumnOptions = {}): void {
    this.addColumns([column], options);
  }

  /**
   * Adds columns behind the others; their cells are what those of new rows are. As with everything that changes columns,
   * nobody else may have the table open until the next commit.
   *
   * @throws TableError EXISTS for a column or storage manager of that name; NOT_FOUND for a manager that isn't there; UNSUPPORTED
   * for one that can't take columns in; INVALID_ARGUMENT and NO_SUCH_COLUMN as {@linkcode create}; LOCKED when the table is
   * open elsewhere; READ_ONLY, CORRUPT, IO, CLOSED. A refused call leaves the table as it was.
   * @example
   * ```ts
   * import { array, scalar, Table, tiledColumn } from "@tessera/tables";
   * using table = Table.create("vis.tab", { columns: [scalar("TIME", "float64")], rows: 10, overwrite: true });
   * table.addColumn(scalar("EXPOSURE", "float64", { unit: "s" })); // where TIME is
   * table.addColumn(array("DATA", "complex64", { shape: [4, 64] }), {
   *   storage: tiledColumn("Tiled", ["DATA"], { tileShape: [4, 64, 16] }),
   * });
   * ```
   */
  addColumns(columns: readonly ColumnSpec[], options: AddColumnOptions = {}): void {
    this.#structure("addColumns").addColumns(columns, options);
  }

  /** Removes a column with its values, as {@linkcode removeColumns} does. */
  removeColumn(name: string): void {
    this.removeColumns([name]);
  }

  /**
   * Removes columns with their values. A storage manager goes with the last of its columns; some, as those with tiles, lose
   * all of them at once or none.
   *
   * @throws TableError NO_SUCH_COLUMN; UNSUPPORTED for a manager that can't lose a column; INVALID_ARGUMENT for a column from
   * which one that stays is computed; LOCKED when the table is open elsewhere; READ_ONLY, CORRUPT, IO, CLOSED. A refused call
   * leaves the table as it was.
   */
  removeColumns(names: readonly string[]): void {
    this.#structure("removeColumns").removeColumns(names);
  }

  /**
   * Gives a column another name. What names it in the table follows: hypercolumns, virtual columns that are computed from
   * it, and measures with variable references.
   *
   * @throws TableError NO_SUCH_COLUMN; EXISTS; INVALID_ARGUMENT for what is no name; UNSUPPORTED for a forwarded column; LOCKED
   * when the table is open elsewhere; READ_ONLY, CORRUPT, IO, CLOSED. A refused call leaves the table as it was.
   */
  renameColumn(from: string, to: string): void {
    this.#structure("renameColumn").renameColumn(from, to);
  }

  /**
   * Makes a subtable: a table in this one's directory, and the keyword of that name. The subtable is complete, with its rows,
   * before the keyword is set, which the next commit of this table makes visible; when that is dropped, only a directory is
   * left that no keyword names.
   *
   * @param name Of the keyword, and of the directory
   * @returns the subtable, open for writing
   * @throws TableError EXISTS when there is a keyword or a directory of that name (see `overwrite`); INVALID_ARGUMENT for what is
   * no name; as {@linkcode create}; READ_ONLY, LOCKED, CLOSED
   * @example
   * ```ts
   * import { scalar, Table } from "@tessera/tables";
   * using table = Table.create("vis.tab", { columns: [scalar("TIME", "float64")], overwrite: true });
   * using log = table.createSubtable("LOG", { columns: [scalar("LINE", "string")] });
   * log.append({ LINE: ["made"] });
   * ```
   */
  createSubtable(name: string, options: CreateOptions): Table {
    const structure = this.#structure("createSubtable");
    checkSubtableName(name);
    this.#body.beginChange();
    const { keywords, path } = this.#body;
    if (keywords.has(name) && !options.overwrite) {
      throw new TableError("EXISTS", `there is a keyword ${name} already`, { file: path });
    }
    const made = Table.create(`${path}/${name}`, { ...ioOptionsOf(this.#options), ...options });
    try {
      made.flush({ durable: true });
      structure.syncNames();
      keywords.set(name, storedName(path, made.path), "table");
      return made;
    } catch (error) {
      made.close();
      throw error;
    }
  }

  /**
   * Removes a subtable that is in this table's directory: its keyword, and after the next commit the directory. Nobody may
   * have the subtable open.
   *
   * @throws TableError NOT_FOUND, TYPE_MISMATCH for a keyword that is no subtable; INVALID_ARGUMENT for a table elsewhere:
   * remove its keyword, and the table with {@linkcode Table.delete}; LOCKED, READ_ONLY, IO, CLOSED
   */
  removeSubtable(name: string): void {
    const structure = this.#structure("removeSubtable");
    const [directory] = subtablePaths(this.#fresh(), name, this.#options.confine ?? false);
    structure.removeSubtable(name, directory!);
  }

  /** The rows in order, some at a time. @throws TableError as {@linkcode getColumn} */
  *batches(options: BatchOptions = {}): Generator<Batch> {
    const names = options.columns ?? this.columnNames.filter((name) => this.column(name).readable);
    const { start = 0, end = this.rowCount } = options.rows ?? {};
    const step = options.batchRows ?? DEFAULT_BATCH_ROWS;
    if (!Number.isInteger(step) || step < 1) {
      throw new TableError("INVALID_ARGUMENT", `batchRows must be at least 1, found ${step}`);
    }
    rowsOf({ start, end }, this.rowCount);
    for (let row = start; row < end; row += step) {
      const rows = { start: row, end: Math.min(end, row + step) };
      const columns = Object.fromEntries(names.map((name) => [name, this.getColumn(name, { rows })]));
      yield { ...rows, columns };
    }
  }

  /**
   * Chooses rows: a table that refers to rows of this one, in that order, also with repetitions. What is read and written
   * through it are this table's cells. With a path it is kept there as a reference table; otherwise it is only in memory.
   * It is a view of this table: closing it commits nothing, and this table is closed after it.
   *
   * @throws TableError OUT_OF_RANGE, INVALID_ARGUMENT for anything that is no row; with a path EXISTS, LOCKED, IO, and
   * INVALID_ARGUMENT where that is the table's own place or the table is on no disk
   * @example
   * ```ts
   * import { scalar, Table } from "@tessera/tables";
   * using table = Table.create("all.tab", { columns: [scalar("TIME", "float64"), scalar("N", "int32")], rows: 9 });
   * using some = table.select([7, 3]).project(["TIME"], { path: "some.tab" });
   * console.log(some.rowCount, some.columnNames); // 2 [ "TIME" ]
   * ```
   */
  select(rows: RowSelection, options: SelectOptions = {}): Table {
    const body = this.#settled(options.path);
    return new Table(selectRows(body, rows, { ...this.#place, ...options }), this.#options, [this]);
  }

  /**
   * Chooses columns, in that order and under other names if asked; else as {@linkcode select}.
   *
   * @throws TableError NO_SUCH_COLUMN; INVALID_ARGUMENT for two columns of one name; as {@linkcode select}
   */
  project(columns: readonly string[], options: ProjectOptions = {}): Table {
    const body = this.#settled(options.path);
    return new Table(projectColumns(body, columns, { ...this.#place, ...options }), this.#options, [this]);
  }

  /**
   * Copies the table (also a reference or concatenation) into a new plain one: all of it or some rows and columns, with other
   * managers or byte order if asked, in bounded memory. Subtables within its directory are copied along. The copy grows beside
   * its place, as `path` with `.partial` behind, and gets its name when it is complete; when it fails, nothing is left of it.
   *
   * @throws TableError as {@linkcode create} and {@linkcode getColumn}
   */
  copy(path: string, options: CopyOptions = {}): CopyReport {
    this.#open();
    return copyTable(this, path, this.#copyOptions(options));
  }

  /** As {@linkcode copy}, with turns for others between batches; `signal` ends it. @throws what `signal` was aborted with */
  async copyAsync(path: string, options: CopyAsyncOptions = {}): Promise<CopyReport> {
    this.#open();
    return await copyTableAsync(this, path, this.#copyOptions(options));
  }

  #copyOptions<O extends CopyOptions>(options: O): O {
    const { io = "auto", lock = "auto", context } = this.#options;
    return { io, lock, ...(context === undefined ? {} : { context }), ...options };
  }

  /**
   * Commits: whoever opens the table sees all changes since the last commit, or none. That holds whatever happens to the
   * process, with `durable: true` also when the power goes. After an error the files have the state before, what was
   * changed is still there, and flushing again tries again.
   *
   * @throws TableError IO, CLOSED; INVALID_ARGUMENT in a transaction, which commits at its end
   */
  flush(options: { durable?: boolean } = {}): void {
    const body = this.#open();
    if (this.#transacting) {
      throw new TableError("INVALID_ARGUMENT", "a transaction commits when it ends, not before", {
        file: this.path,
      });
    }
    if (body.writable) this.#checkIdle();
    body.flush({ durable: options.durable ?? false });
  }

  /**
   * Runs `change`, commits what it changed when it returns, and drops all of it when it throws. What was changed before is
   * committed first. A transaction within a transaction is part of it.
   *
   * @returns what `change` returns; a promise is waited for
   * @throws what `change` throws; TableError as {@linkcode flush}, and all is dropped then, too
   */
  transaction<T>(change: () => T, options: { durable?: boolean } = {}): T {
    this.#writable();
    if (this.#transacting) return change();
    this.flush();
    const body = this.#body;
    body.beginChange();
    this.#inTransaction = true;
    const end = (): void => {
      this.#inTransaction = false;
      try {
        body.flush({ durable: options.durable ?? false });
      } catch (error) {
        body.discard();
        throw error;
      }
    };
    const drop = (error: unknown): never => {
      this.#inTransaction = false;
      if (!this.#closed) body.discard();
      throw error;
    };
    let result: T;
    try {
      result = change();
    } catch (error) {
      return drop(error);
    }
    if (result instanceof Promise) {
      // Requests that the change didn't wait for are part of it.
      return result.then(async (value) => {
        await this.#queue.settled();
        end();
        return value;
      }, async (error) => {
        await this.#queue.settled();
        return drop(error);
      }) as T;
    }
    end();
    return result;
  }

  /** Drops every change since the last commit. @throws TableError READ_ONLY, IO, CLOSED */
  discard(): void {
    this.#writable();
    this.#checkIdle();
    this.#body.discard();
  }

  /**
   * Takes the table's read or write lock and keeps it until {@linkcode unlock}: nobody else changes the table meanwhile,
   * or, with the write lock, even locks it. What others changed before is seen.
   *
   * @param timeoutMs How long to wait; what the table was opened with unless told otherwise
   * @throws TableError LOCKED when time is over, or at once when another table of this isolate is in the way
   */
  lock(kind: "read" | "write" = "write", timeoutMs?: number): void {
    if (kind === "write") this.#writable();
    const body = this.#lockable();
    this.#checkIdle();
    body.lock(kind, timeoutMs);
  }

  /** As {@linkcode lock}, without blocking while it waits. */
  async lockAsync(kind: "read" | "write" = "write", timeoutMs?: number): Promise<void> {
    if (kind === "write") this.#writable();
    const body = this.#lockable();
    const place = new Place(this.#queues, "lockAsync", "refresh");
    await place.begin();
    try {
      await body.lockAsync(kind, timeoutMs);
    } finally {
      place.leave();
    }
  }

  /** Commits, and lets go of the lock. @throws TableError as {@linkcode flush} */
  unlock(): void {
    const body = this.#open();
    this.#checkIdle();
    body.unlock();
  }

  /** Looks now whether others changed the table; every reading call does by itself. @returns true when they did */
  resync(): boolean {
    const body = this.#open(), moved = body.moved();
    if (moved) this.#checkIdle();
    if (moved) body.refresh();
    return moved;
  }

  /** Flushes and closes. Closing twice does nothing. @throws TableError BUSY while a request runs, IO */
  close(): void {
    if (this.#closed) return;
    if (this.#queue.length > 0) {
      throw new TableError(
        "BUSY",
        `${this.#queue.length} request(s) on the table haven't settled, ${this.#queue.first!.what} first`,
        { file: this.path },
      );
    }
    try {
      if (this.#inTransaction) this.#body.discard();
      if (this.#body.writable) this.#body.flush({ durable: false, last: true });
    } finally {
      this.#closed = true;
      this.#body.close();
      this.#onClose?.();
    }
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): TableBody {
    if (this.#closed) throw new TableError("CLOSED", "the table is closed", { file: this.#body.path });
    return this.#body;
  }

  /** True in a transaction of this table, or of one that it refers to. */
  get #transacting(): boolean {
    return this.#inTransaction || this.#owners.some((owner) => owner.#transacting);
  }

  /** Where and how tables that refer to this one are made. */
  get #place(): Pick<PlaceOptions, "io" | "context"> {
    const { io, context } = this.#options;
    return { io, context };
  }

  /** The body, for a table that refers to it: one at `path` is for others, too, who see what is committed. */
  #settled(path: string | undefined): TableBody {
    const body = this.#fresh();
    if (path !== undefined && body.writable) this.flush();
    return body;
  }

  /** The body, with what others changed. */
  #fresh(): TableBody {
    const body = this.#open();
    if (this.#isIdle && body.moved()) body.refresh();
    return body;
  }

  /** What rows and columns come and go by. @throws TableError READ_ONLY; INVALID_ARGUMENT for a table that refers to others */
  #structure(what: string): TableStructure {
    this.#writable();
    this.#checkIdle();
    const { structure, kind } = this.#body;
    if (structure !== undefined) return structure;
    throw new TableError(
      "INVALID_ARGUMENT",
      `${what}: this is a ${kind}; change the table that it refers to`,
      {
        file: this.path,
      },
    );
  }

  #lockable(): TableBody {
    if ((this.#options.lock ?? "auto") === "none") {
      throw new TableError("INVALID_ARGUMENT", 'the table was opened with lock: "none"', { file: this.path });
    }
    return this.#open();
  }

  #named(): ReadonlyMap<string, BodyColumn> {
    const { columns } = this.#body;
    if (this.#columns.list !== columns) this.#columns = byName(columns);
    return this.#columns.byName;
  }

  #writable(): void {
    if (!this.#open().writable) {
      throw new TableError("READ_ONLY", 'the table is open for reading; open it with mode: "rw"', {
        file: this.path,
      });
    }
  }

  #column(name: string): BodyColumn {
    this.#open();
    const column = this.#named().get(name);
    if (column === undefined) {
      throw new TableError(
        "NO_SUCH_COLUMN",
        `no column ${name}; there are ${this.columnNames.join(", ") || "none"}`,
        {
          file: this.path,
        },
      );
    }
    this.#body.stats.attribute(name);
    return column;
  }

  /** A column that is about to be changed: the lock is held from here on. */
  #writableColumn(name: string): BodyColumn {
    this.#writable();
    this.#column(name);
    this.#body.beginChange();
    return this.#column(name);
  }

  #rows(selection: RowSelection | undefined): Rows {
    return rowsOf(selection, this.#open().rowCount);
  }

  #settings(options: GetOptions): ReadSettings {
    return {
      slice: options.slice,
      into: options.into,
      dtype: options.dtype,
      strings: this.strings,
      maxResultBytes: this.#options.maxResultBytes ?? DEFAULT_MAX_RESULT_BYTES,
    };
  }

  #cellPlan(name: string, row: number, options: { slice?: readonly AxisSlice[] }): Plan<Cell[]> {
    const column = this.#column(name);
    checkRow(row, this.#body.rowCount);
    const settings = this.#settings(column.bound.kind === "scalar" ? {} : options);
    return readCells(column, rowRange(row, 1), { ...settings, copy: true });
  }

  #columnPlan(name: string, options: GetOptions): Plan<NDArray> {
    return readColumn(this.#column(name), this.#rows(options.rows), this.#settings(options));
  }

  /** Runs a plan that changes something. */
  #change<T>(plan: Plan<T>): T {
    const body = this.#open();
    const result = runSync(plan, body.access);
    body.check();
    return result;
  }

  /** True when no request would notice that what is known of the table is read anew. */
  get #isIdle(): boolean {
    return this.#queues.every(({ readers }) => readers === 0);
  }

  /** @throws TableError BUSY while requests run or wait: for calls that change something */
  #checkIdle(): void {
    checkIdle(this.#queues, true, this.#body.path);
  }

  /** Runs a plan that reads, again when others changed the table meanwhile. */
  #run<T>(makePlan: () => Plan<T>): T {
    const body = this.#open();
    checkIdle(this.#queues, false, body.path);
    let until = 0;
    for (let tries = 1;; tries++) {
      try {
        const result = runSync(makePlan(), body.access);
        body.check();
        if (!body.moved()) return result;
      } catch (error) {
        if (!body.moved()) throw error;
        if (this.#isOver(tries, until)) throw error;
      }
      until ||= this.#until();
      // Requests still read the state that is about to be forgotten.
      if (!this.#isIdle) this.#checkIdle();
      this.#again(tries, until);
    }
  }

  /** As {@linkcode #run}, without blocking. */
  async #runAsync<T>(what: string, options: RequestOptions, makePlan: () => Plan<T>): Promise<T> {
    const body = this.#open(), { signal } = options;
    let place = new Place(this.#queues, what, "read");
    // The next place is taken before the last is given up: nobody who waits gets in between.
    const move = async (kind: "read" | "refresh"): Promise<void> => {
      const next = new Place(this.#queues, what, kind, true);
      place.leave();
      place = next;
      await place.begin(signal);
    };
    try {
      await place.begin(signal);
      const until = this.#until();
      for (let tries = 1;; tries++) {
        const request = new AsyncRequest(options);
        try {
          const result = await runAsync(makePlan(), body.access, request);
          request.checkLent();
          body.check();
          if (!body.moved()) return result;
        } catch (error) {
          request.checkLent();
          if (signal?.aborted || !body.moved() || this.#isOver(tries, until)) throw error;
        }
        // Other requests still read the state that is about to be forgotten.
        await move("refresh");
        if (body.moved() || this.#isOver(tries, until)) this.#again(tries, until);
        await move("read");
      }
    } finally {
      place.leave();
    }
  }

  /** Until when it is tried to read between the changes of others. */
  #until(): number {
    return performance.now() + (this.#options.lockTimeoutMs ?? LOCK_TIMEOUT_MS);
  }

  #isOver(tries: number, until: number): boolean {
    return tries >= MIN_TRIES && performance.now() >= until;
  }

  #again(tries: number, until: number): void {
    if (this.#isOver(tries, until)) {
      throw new TableError(
        "LOCKED",
        `the table changed ${tries} times while it was read; lock("read") keeps it still`,
        {
          file: this.path,
        },
      );
    }
    this.#body.refresh();
  }
}

/** What opening and creating have in common, of options that may be more. */
function ioOptionsOf(options: IoOptions): IoOptions {
  const { io, lock, lockTimeoutMs, context, strings, maxResultBytes, confine } = options;
  const all = { io, lock, lockTimeoutMs, context, strings, maxResultBytes, confine };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as IoOptions;
}

/** How often at least something is read anew because others changed the table meanwhile. */
const MIN_TRIES = 30;

function byName(
  list: readonly BodyColumn[],
): { list: readonly BodyColumn[]; byName: ReadonlyMap<string, BodyColumn> } {
  return { list, byName: new Map(list.map((column) => [column.bound.name, column])) };
}
