/**
 * MemoryStMan: values that were in memory only and are gone. The table keeps the columns and the number of rows; there
 * is no file. Format reference part 3, section C, which says what casacore shows of such a table:
 *
 * | column | cells |
 * | --- | --- |
 * | numeric scalar, direct numeric array | 0 |
 * | bool scalar, direct bool array | true |
 * | string | empty |
 * | array of free shape, record | undefined |
 * | array of fixed shape that is not direct | defined; 0, false or empty |
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import { type Box, elementsOf, type Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { Finding } from "../findings.ts";
import type {
  BoundColumn,
  CellTarget,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  ManagerKind,
  ShapeRun,
  StorageManager,
} from "../manager.ts";

/** The kind that serves `MemoryStMan`. */
export const memoryStMan: ManagerKind = {
  serves: (type) => type === "MemoryStMan",
  // deno-lint-ignore require-yield
  *open(context: ManagerContext): Plan<StorageManager> {
    return new MemoryManager(context);
  },
};

/** A manager without files. */
class MemoryManager implements StorageManager {
  readonly type = "MemoryStMan";
  readonly name = "";
  readonly sequence: number;
  readonly rowCount = -1;
  readonly dirty = false;
  readonly info: ManagerInfo = {};
  readonly #columns: readonly ManagedColumn[];

  constructor(context: ManagerContext) {
    this.sequence = context.sequence;
    this.#columns = context.columns.map((bound) => new LostColumn(bound, context));
  }

  files(): string[] {
    return [];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  /** Nothing is kept, so nothing can be wrong. */
  // deno-lint-ignore require-yield
  *check(): Plan<Finding[]> {
    return [];
  }
}

/** A column whose values are gone. */
class LostColumn implements ManagedColumn {
  readonly #bound: BoundColumn;
  /** null: undefined cells. */
  readonly #shape: readonly number[] | null;

  constructor(bound: BoundColumn, context: ManagerContext) {
    this.#bound = bound;
    this.#shape = bound.kind === "scalar" ? [] : bound.kind === "array" ? bound.shape : null;
    if (bound.kind === "array" && bound.direct && bound.shape === null) {
      throw new TableError("CORRUPT", `column ${bound.name} is direct, but has no shape`, {
        file: context.pathOf("table.dat"),
      });
    }
  }

  // deno-lint-ignore require-yield
  *shapes(rows: Rows): Plan<ShapeRun[]> {
    return [{ count: rows.length, shape: this.#shape }];
  }

  // deno-lint-ignore require-yield
  *read(
    rows: Rows,
    cellShape: readonly number[],
    box: Box | null,
    target: CellTarget,
    at: number,
  ): Plan<void> {
    const end = at + rows.length * elementsOf(box?.shape ?? cellShape);
    const { kind, dtype, direct } = this.#bound;
    if (target.kind === "strings") {
      for (let i = at; i < end; i++) target.values[i] = target.decode(new Uint8Array(0));
      return;
    }
    const { size } = numericInfo(dtype as NumericType);
    const value = dtype === "bool" && (kind === "scalar" || direct) ? 1 : 0;
    target.bytes.fill(value, at * size, end * size);
  }
}
