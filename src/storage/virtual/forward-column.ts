/**
 * ForwardColumnEngine: columns whose cells are those of the same row of the column of the same name in another table
 * (format reference part 6, section 7.1).
 *
 * | keyword | of | type | meaning |
 * | --- | --- | --- | --- |
 * | `_ForwardColumn_TableName` | each column | string | the other table, as stored names of subtables are coded |
 * | `_ForwardColumn_Name_<N>` | the table | string | name of the engine, N being its sequence number; may be missing |
 *
 * What is written goes into the other table. Rows that are added to one are not added to the other.
 */
import { resolve } from "node:path";
import { type Box, type Rows, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { storedName } from "../../format/names.ts";
import { fieldOf } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type {
  BoundColumn,
  CellSource,
  CellTarget,
  ForeignColumn,
  ManagedColumn,
  ManagerContext,
  ShapeRun,
} from "../manager.ts";
import { engineKind } from "./engine.ts";
import { Parameters } from "./parameters.ts";
import { recordOf, textKeyword } from "./settle.ts";

/** The keyword that names the other table. */
export const TABLE_NAME = "_ForwardColumn_TableName";

/** The kind that serves `ForwardColumnEngine`. */
export const forwardColumn = engineKind({
  serves: (type) => type === "ForwardColumnEngine",
  column(context, bound) {
    const column = new WritableColumn(context, bound, TABLE_NAME);
    return { column, info: { table: column.table } };
  },
  name: forwardName,
  // Specs name it by its class name, too.
  settle(spec, { sequence, directory }) {
    const { table } = spec.options;
    if (typeof table !== "string" || table === "") {
      throw new TableError(
        "INVALID_ARGUMENT",
        `${spec.type} ${spec.name}: option table is the path of the other table, found ${String(table)}`,
      );
    }
    return {
      type: spec.type,
      columnKeywords: recordOf([textKeyword(TABLE_NAME, storedName(directory, resolve(table)))]),
      tableKeywords: recordOf([textKeyword(`_ForwardColumn_Name_${sequence}`, spec.name)]),
    };
  },
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
  protected readonly bound: BoundColumn;

  /** @throws TableError CORRUPT when the keyword is missing */
  constructor(context: ManagerContext, bound: BoundColumn, keyword: string) {
    this.#context = context;
    this.bound = bound;
    this.table = new Parameters(context, bound).text(keyword);
  }

  *shapes(rows: Rows): Plan<ShapeRun[]> {
    const foreign = yield* this.find();
    return yield* foreign.column.shapes(yield* this.foreignRows(rows, foreign));
  }

  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const foreign = yield* this.find();
    yield* foreign.column.read(yield* this.foreignRows(rows, foreign), cellShape, box, target, at);
  }

  /** Plan: as casacore, which opens no table where the descriptions of both columns differ. */
  *check(): Plan<void> {
    const { bound } = yield* this.find(), own = this.bound;
    const same = (["direct", "ndim"] as const).every((name) => bound[name] === own[name]) &&
      (bound.shape === null ? own.shape === null : own.shape !== null && sameShape(bound.shape, own.shape));
    if (!same) {
      this.#fail(
        `in table ${this.table} its cells are described as ${cellsOf(bound)}, not as ${cellsOf(own)}`,
      );
    }
  }

  /** Plan: the rows of the other table that rows of this one stand for. */
  // deno-lint-ignore require-yield
  protected *otherRows(rows: Rows): Plan<Rows> {
    return rows;
  }

  protected *foreignRows(rows: Rows, { rowCount }: ForeignColumn): Plan<Rows> {
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

  protected *find(): Plan<ForeignColumn> {
    const { name, kind, dtype } = this.bound;
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
    throw new TableError("CORRUPT", `forwarded column ${this.bound.name}: ${message}`, {
      file: this.#context.pathOf("table.dat"),
      cause,
    });
  }
}

/** A column of another table that can be written. */
class WritableColumn extends ForwardedColumn {
  *write(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    source: CellSource,
    at: number,
  ): Plan<void> {
    const { column, others } = yield* this.#opened(rows);
    if (column.write === undefined) {
      throw new TableError(
        "UNSUPPORTED",
        `column ${this.bound.name} of table ${this.table} can't be written`,
      );
    }
    yield* column.write(others, cellShape, box, source, at);
  }

  *setShape(rows: Rows, cellShape: readonly number[] | null): Plan<void> {
    const { column, others } = yield* this.#opened(rows);
    if (column.setShape === undefined) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `cells of column ${this.bound.name} of table ${this.table} have fixed shapes`,
      );
    }
    yield* column.setShape(others, cellShape);
  }

  /** Plan: the other column, open for writing, and its rows. */
  *#opened(rows: Rows): Plan<{ column: ManagedColumn; others: Rows }> {
    const foreign = yield* this.find();
    const others = yield* this.foreignRows(rows, foreign);
    return { column: yield* foreign.open(), others };
  }
}

function cellsOf({ shape, ndim, direct }: BoundColumn): string {
  return `${direct ? "direct, " : ""}${
    shape === null ? `of ${ndim} axes` : `of shape [${shape.join(", ")}]`
  }`;
}
