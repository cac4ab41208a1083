/**
 * Columns that a virtual column is computed from. They are looked up whenever they are used: the order in which
 * managers open means nothing, and a stored column may be virtual itself.
 */
import { allocate } from "../../array/alloc.ts";
import { bytesOf, type DType, type NumericData, type NumericType } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagedColumn, ManagerContext, SourceColumn } from "../manager.ts";

/** The keyword of every mapped engine that names the stored column (format reference part 6, section 1.2). */
export const STORED_NAME = "_BaseMappedArrayEngine_Name";

/** A column that can be written. */
export type WritableColumn = ManagedColumn & Required<Pick<ManagedColumn, "write">>;

/** Another column of the same table, of a type that the engine's class name tells. */
export class OtherColumn {
  readonly name: string;
  readonly #context: ManagerContext;
  readonly #column: BoundColumn;
  readonly #kind: "scalar" | "array";
  readonly #dtype: DType;

  /** @param column The virtual column, for messages. */
  constructor(
    context: ManagerContext,
    column: BoundColumn,
    name: string,
    kind: "scalar" | "array",
    dtype: DType,
  ) {
    this.#context = context;
    this.#column = column;
    this.name = name;
    this.#kind = kind;
    this.#dtype = dtype;
  }

  /** The column. @throws TableError CORRUPT when it isn't there or of another type, or is computed from this one */
  find(): SourceColumn {
    let found: SourceColumn;
    try {
      found = this.#context.source.column(this.name);
    } catch (error) {
      if (!(error instanceof TableError) || error.code !== "NO_SUCH_COLUMN") throw error;
      return this.#fail("which is not there", error);
    }
    const { kind, dtype } = found.bound;
    if (kind !== this.#kind || dtype !== this.#dtype) {
      this.#fail(`which is a column of ${kind} ${dtype}, expected ${this.#kind} ${this.#dtype}`);
    }
    return found;
  }

  /** Plan: the column, to be written. @throws TableError UNSUPPORTED when its manager can't; as {@linkcode find} */
  *writable(): Plan<WritableColumn> {
    const column = yield* this.find().open();
    if (column.write === undefined) {
      throw new TableError(
        "UNSUPPORTED",
        `column ${this.#column.name} is computed from column ${this.name}, which can't be written`,
        { file: this.#context.pathOf("table.dat") },
      );
    }
    return column as WritableColumn;
  }

  /** Plan: one value for each of `rows`, of a scalar column of numbers. */
  *values(rows: Rows): Plan<NumericData> {
    const data = allocate(this.#dtype as NumericType, rows.length);
    yield* this.find().column.read(rows, [], null, { kind: "numeric", bytes: bytesOf(data) }, 0);
    return data;
  }

  /** Plan: puts one value for each of `rows` into a scalar column of numbers. @throws TableError as {@linkcode writable} */
  *put(rows: Rows, values: NumericData): Plan<void> {
    const column = yield* this.writable();
    yield* column.write(rows, [], null, { kind: "numeric", bytes: bytesOf(values) }, 0);
  }

  #fail(message: string, cause?: unknown): never {
    const { name } = this.#column;
    throw new TableError("CORRUPT", `column ${name} is computed from column ${this.name}, ${message}`, {
      file: this.#context.pathOf("table.dat"),
      cause,
    });
  }
}
