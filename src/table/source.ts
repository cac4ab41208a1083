/**
 * What storage managers see of the table that they belong to: its other columns, its keywords, and columns of tables
 * that keywords name. Only virtual engines ask (format reference part 6).
 */
import { TableError } from "../error.ts";
import type { FileAccess } from "../io/access.ts";
import { delegate, type Plan } from "../io/plan.ts";
import type { ColumnSource, ForeignColumn, ManagedColumn, SourceColumn } from "../storage/manager.ts";
import type { TableBody } from "./body.ts";
import { Dependencies, MAX_CHAIN } from "./dependencies.ts";
import { openReferred } from "./open.ts";
import type { PlainBody } from "./plain.ts";

/** The columns that a plain table's managers can reach. It owns the tables that they forward to. */
export class ColumnSources {
  readonly #body: PlainBody;
  readonly #dependencies = new Dependencies();
  /** Other tables by stored name, opened when they are first needed. */
  readonly #tables = new Map<string, TableBody>();
  /** Those that were open for reading, and are open for writing now. */
  readonly #replaced: TableBody[] = [];

  constructor(body: PlainBody) {
    this.#body = body;
  }

  /** The view that the manager of that sequence number has. */
  of(sequence: number): ColumnSource {
    return {
      column: (name) => this.#column(sequence, name),
      foreignColumn: (storedName, column) => this.#foreignColumn(storedName, column),
      tableKeywords: () => this.#body.keywords.toFields(),
      depth: this.#body.environment.chain.length - 1,
    };
  }

  /** As `TableBody.check`, for the other tables. */
  check(): void {
    for (const table of this.#tables.values()) table.check();
  }

  /** Closes the other tables. */
  close(): void {
    const tables = [...this.#tables.values(), ...this.#replaced];
    this.#tables.clear();
    this.#replaced.length = 0;
    for (const table of tables) table.close();
  }

  /** True when others changed one of the other tables since it was read. */
  moved(): boolean {
    return [...this.#tables.values()].some((table) => table.moved());
  }

  /** Takes over what others changed. */
  refresh(): void {
    for (const table of this.#tables.values()) if (table.moved()) table.refresh();
  }

  /** Commits what was written into other tables. */
  flush(durable: boolean): void {
    for (const table of this.#tables.values()) if (table.writable) table.flush({ durable });
  }

  /** Drops what was written into other tables since the last commit. */
  discard(): void {
    for (const table of this.#tables.values()) if (table.writable) table.discard();
  }

  #column(asker: number, name: string): SourceColumn {
    const body = this.#body;
    const column = body.columns.find((one) => one.bound.name === name);
    if (column === undefined) {
      throw new TableError("NO_SUCH_COLUMN", `no column ${name}`, { file: body.path });
    }
    const wrong = this.#dependencies.add(asker, column.manager.sequence);
    if (wrong !== undefined) {
      const names = body.columns.filter((one) => one.manager.sequence === asker).map((one) => one.bound.name);
      const what = `column ${names.join(", ")} is computed from column ${name}`;
      throw wrong === "circle"
        ? new TableError("CORRUPT", `${what}, which is computed from it`, { file: body.path })
        : new TableError("LIMIT", `${what}: more than ${MAX_CHAIN} columns are computed from each other`, {
          file: body.path,
        });
    }
    return { bound: column.bound, column: column.lazily(), open: () => column.open() };
  }

  *#foreignColumn(storedName: string, name: string): Plan<ForeignColumn> {
    const table = yield* this.#table(storedName);
    const column = table.columns.find((one) => one.bound.name === name);
    if (column === undefined) {
      throw new TableError("NO_SUCH_COLUMN", `no column ${name}`, { file: table.path });
    }
    const { access } = table;
    const managed = yield* delegate(access, column.open());
    return {
      bound: column.bound,
      rowCount: table.rowCount,
      column: delegated(access, managed),
      open: () => this.#openedForWriting(storedName, name),
    };
  }

  /** Plan: a column of another table, which is opened for writing and locked. */
  *#openedForWriting(storedName: string, name: string): Plan<ManagedColumn> {
    let table = yield* this.#table(storedName);
    if (!table.writable) {
      const { path, environment } = this.#body;
      const writable = yield* openReferred(path, storedName, {
        ...environment,
        options: { ...environment.options, mode: "rw" },
      });
      this.#tables.set(storedName, writable);
      // What was read of it may still be in use.
      this.#replaced.push(table);
      table = writable;
    }
    table.beginChange();
    const column = table.columns.find((one) => one.bound.name === name);
    if (column === undefined) {
      throw new TableError("NO_SUCH_COLUMN", `no column ${name}`, { file: table.path });
    }
    return delegated(table.access, yield* delegate(table.access, column.open()));
  }

  *#table(storedName: string): Plan<TableBody> {
    const { path, environment } = this.#body;
    const open = this.#tables.get(storedName);
    if (open !== undefined) return open;
    // Until something is written into it, the other table needs no lock even when this one is written.
    const options = { ...environment.options, mode: "r" } as const;
    const opened = yield* openReferred(path, storedName, { ...environment, options });
    // Two asynchronous requests may have opened it side by side: the first one counts.
    const first = this.#tables.get(storedName);
    if (first !== undefined) {
      opened.close();
      return first;
    }
    this.#tables.set(storedName, opened);
    return opened;
  }
}

/** A column whose plans run on the files of another table. */
function delegated(access: FileAccess, column: ManagedColumn): ManagedColumn {
  const { write, setShape } = column;
  return {
    shapes: (rows) => delegate(access, column.shapes(rows)),
    read: (rows, cellShape, box, target, at) =>
      delegate(access, column.read(rows, cellShape, box, target, at)),
    ...(write && {
      write: (rows, cellShape, box, source, at) =>
        delegate(access, write.call(column, rows, cellShape, box, source, at)),
    }),
    ...(setShape && {
      setShape: (rows, cellShape) => delegate(access, setShape.call(column, rows, cellShape)),
    }),
  };
}
