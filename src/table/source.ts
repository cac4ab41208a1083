/**
 * What storage managers see of the table that they belong to: its other columns, its keywords, and columns of tables
 * that keywords name. Only virtual engines ask (format reference part 6).
 */
import { TableError } from "../error.ts";
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
    const tables = [...this.#tables.values()];
    this.#tables.clear();
    for (const table of tables) table.close();
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
    const foreign: ManagedColumn = {
      shapes: (rows) => delegate(access, managed.shapes(rows)),
      read: (rows, cellShape, box, target, at) =>
        delegate(access, managed.read(rows, cellShape, box, target, at)),
    };
    return {
      bound: column.bound,
      rowCount: table.rowCount,
      column: foreign,
      // deno-lint-ignore require-yield
      *open() {
        return foreign;
      },
    };
  }

  *#table(storedName: string): Plan<TableBody> {
    const { path, environment } = this.#body;
    const open = this.#tables.get(storedName);
    if (open !== undefined) return open;
    // Columns that are forwarded are only read, so the other table needs no lock even when this one is written.
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
