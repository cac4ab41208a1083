/**
 * ForwardColumnEngine: columns whose cells are those of the same row of the column of the same name in another table
 * (format reference part 6, section 7.1).
 *
 * | keyword | of | type | meaning |
 * | --- | --- | --- | --- |
 * | `_ForwardColumn_TableName` | each column | string | the other table, as stored names of subtables are coded |
 * | `_ForwardColumn_Name_<N>` | the table | string | name of the engine, N being its sequence number; may be missing |
 */
import type { Box, Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { fieldOf } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type {
  BoundColumn,
  CellTarget,
  ForeignColumn,
  ManagedColumn,
  ManagerContext,
  ShapeRun,
} from "../manager.ts";
import { engineKind } from "./engine.ts";
import { Parameters } from "./parameters.ts";

/** The keyword that names the other table. */
export const TABLE_NAME = "_ForwardColumn_TableName";

/** The kind that serves `ForwardColumnEngine`. */
export const forwardColumn = engineKind({
  serves: (type) => type === "ForwardColumnEngine",
  column(context, bound) {
    const column = new ForwardedColumn(context, bound, TABLE_NAME);
    return { column, info: { table: column.table } };
  },
  name: forwardName,
});

/** The name that a forwarding engine was given. */
export function forwardName(context: ManagerContext): string {
  const value = fieldOf(context.source.tableKeywords(), `_ForwardColumn_Name_${context.sequence}`);
  return value?.kind === "scalar" && value.dtype === "string" ? value.value : "";
}

/** A column of another table. */
export class ForwardedColumn implements ManagedColumn {
  /** The other table's stored name. */
  readonly table: string;
  readonly #context: ManagerContext;
  readonly #bound: BoundColumn;

  /** @throws TableError CORRUPT when the keyword is missing */
  constructor(context: ManagerContext, bound: BoundColumn, keyword: string) {
    this.#context = context;
    this.#bound = bound;
    this.table = new Parameters(context, bound).text(keyword);
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const foreign = yield* this.#find();
    return yield* foreign.column.shapes(yield* this.#foreignRows(rows, foreign));
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const foreign = yield* this.#find();
    yield* foreign.column.read(yield* this.#foreignRows(rows, foreign), cellShape, box, target, at);
  }

  /** Plan: the rows of the other table that rows of this one stand for. */
  // deno-lint-ignore require-yield
  protected *otherRows(rows: Rows): Plan<Rows> {
    return rows;
  }

  *#foreignRows(rows: Rows, { rowCount }: ForeignColumn): Plan<Rows> {
    const others = yield* this.otherRows(rows);
    for (const { row, count, index } of others.runs()) {
      if (row + count <= rowCount) continue;
      const beyond = Math.max(row, rowCount);
      this.#fail(
        `row ${
          rows.at(index + beyond - row)
        } is row ${beyond} of table ${this.table}, which has ${rowCount} rows`,
      );
    }
    return others;
  }

  *#find(): Plan<ForeignColumn> {
    const { name, kind, dtype } = this.#bound;
    let foreign: ForeignColumn;
    try {
      foreign = yield* this.#context.source.foreignColumn(this.table, name);
    } catch (error) {
      if (!(error instanceof TableError) || error.code !== "NO_SUCH_COLUMN") throw error;
      return this.#fail(`table ${this.table} has no such column`, error);
    }
    const { bound } = foreign;
    if (bound.kind !== kind || bound.dtype !== dtype) {
      this.#fail(
        `in table ${this.table} it is a column of ${bound.kind} ${bound.dtype}, expected ${kind} ${dtype}`,
      );
    }
    return foreign;
  }

  #fail(message: string, cause?: unknown): never {
    throw new TableError("CORRUPT", `forwarded column ${this.#bound.name}: ${message}`, {
      file: this.#context.pathOf("table.dat"),
      cause,
    });
  }
}
