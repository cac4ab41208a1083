/**
 * ForwardColumnIndexedRowEngine: as ForwardColumnEngine, but a column of this table says which row of the other table
 * each row is (format reference part 6, section 7.2).
 *
 * | keyword | of | type | meaning |
 * | --- | --- | --- | --- |
 * | `_ForwardColumn_TableName_Row` | each column | string | the other table |
 * | `_ForwardColumn_RowName_<N>` | the table | string | a scalar uint32 column with row numbers from 0; N is the engine's sequence number |
 * | `_ForwardColumn_Name_<N>` | the table | string | name of the engine, may be missing |
 */
import { rowList, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import { fieldOf } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";
import { engineKind } from "./engine.ts";
import { ForwardedColumn, forwardName, TABLE_NAME } from "./forward-column.ts";
import { tableText } from "./parameters.ts";
import { OtherColumn } from "./stored.ts";

const INDEXED_TABLE_NAME = `${TABLE_NAME}_Row`;
/** Tables, each behind the other, that may take their row numbers from yet another. */
const MAX_LOOKUPS = 4;

/** The kind that serves `ForwardColumnIndexedRowEngine`. */
export const forwardRow = engineKind({
  serves: (type) => type === "ForwardColumnIndexedRowEngine",
  column(context, bound) {
    const column = new IndexedColumn(context, bound);
    return { column, info: { table: column.table, rows: column.rowColumn } };
  },
  name: forwardName,
});

class IndexedColumn extends ForwardedColumn {
  readonly #rows: OtherColumn;
  readonly #context: ManagerContext;

  constructor(context: ManagerContext, bound: BoundColumn) {
    super(context, bound, INDEXED_TABLE_NAME);
    this.#context = context;
    const name = tableText(context, `_ForwardColumn_RowName_${context.sequence}`);
    this.#rows = new OtherColumn(context, bound, name, "scalar", "uint32");
  }

  /** Name of the column with the row numbers. */
  get rowColumn(): string {
    return this.#rows.name;
  }

  protected override *otherRows(rows: Rows): Plan<Rows> {
    // Each table that looks its row numbers up elsewhere doubles the work: over many of them it would never end.
    const { keywords } = this.#rows.find().bound;
    const forwarded = [TABLE_NAME, INDEXED_TABLE_NAME].some((keyword) =>
      fieldOf(keywords, keyword) !== undefined
    );
    if (forwarded && (this.#context.source.depth ?? 0) >= MAX_LOOKUPS) {
      throw new TableError(
        "LIMIT",
        `row numbers in column ${this.rowColumn} come from another table, in a chain of more than ${MAX_LOOKUPS} tables`,
        { file: this.#context.pathOf("table.dat") },
      );
    }
    return rowList(yield* this.#rows.values(rows) as Plan<Uint32Array>);
  }
}
