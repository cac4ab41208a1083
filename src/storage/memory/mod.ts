/**
 * MemoryStMan: values that are in memory only, until the table is closed. The table keeps the columns and the number of
 * rows; there is no file, and `table.dat` holds nothing for the manager. Format reference part 3, section C, which says
 * what casacore shows of such a table when it is opened again:
 *
 * | column | cells |
 * | --- | --- |
 * | numeric scalar, direct numeric array | 0 |
 * | bool scalar, direct bool array | true |
 * | string | empty |
 * | array of free shape, record | undefined |
 * | array of fixed shape that is not direct | defined; 0, false or empty |
 *
 * Rows that are added since are zeros, bool ones too.
 */
import { isNumeric } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { Finding } from "../findings.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  ManagerKind,
  StorageManager,
  StorageSpec,
  Volatile,
} from "../manager.ts";
import { FixedCells } from "./fixed-cells.ts";
import { FreeCells } from "./free-cells.ts";
import { Removal } from "./removal.ts";

const NO_BYTES = new Uint8Array(0);

/** The kind that serves `MemoryStMan`. */
export const memoryStMan: ManagerKind = {
  serves: (type) => type === "MemoryStMan",
  // deno-lint-ignore require-yield
  *open(context: ManagerContext): Plan<StorageManager> {
    return new MemoryManager(context, "", context.rowCount);
  },
  // deno-lint-ignore require-yield
  *create(context: ManagerContext, { name }: StorageSpec): Plan<StorageManager> {
    return new MemoryManager(context, name, 0);
  },
};

/** A manager without files. */
class MemoryManager implements StorageManager {
  readonly type = "MemoryStMan";
  readonly name: string;
  readonly sequence: number;
  readonly rowCount = -1;
  readonly dirty = false;
  readonly volatile: Volatile = {
    keep: () => this.#columns.forEach((column) => column.keep()),
    restore: () => this.#columns.forEach((column) => column.restore()),
  };
  readonly info: ManagerInfo = {};
  readonly #columns: (FixedCells | FreeCells)[];

  /** `lostRows` had values once. */
  constructor(context: ManagerContext, name: string, lostRows: number) {
    this.name = name;
    this.sequence = context.sequence;
    this.#columns = context.columns.map((bound) => {
      if (bound.kind === "array" && bound.direct && bound.shape === null) {
        throw new TableError("CORRUPT", `column ${bound.name} is direct, but has no shape`, {
          file: context.pathOf("table.dat"),
        });
      }
      return cellsOf(bound, lostRows);
    });
  }

  files(): string[] {
    return [];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  *addRows(): Plan<void> {}

  // deno-lint-ignore require-yield
  *removeRows(rows: Rows): Plan<void> {
    const removal = new Removal(rows);
    for (const column of this.#columns) column.removeRows(removal);
  }

  // deno-lint-ignore require-yield
  *addColumn(bound: BoundColumn): Plan<void> {
    this.#columns.push(cellsOf(bound, 0));
  }

  // deno-lint-ignore require-yield
  *removeColumn(index: number): Plan<void> {
    this.#columns.splice(index, 1);
  }

  // deno-lint-ignore require-yield
  *flush(): Plan<Uint8Array> {
    return NO_BYTES;
  }

  /** Nothing is kept, so nothing can be wrong. */
  // deno-lint-ignore require-yield
  *check(): Plan<Finding[]> {
    return [];
  }
}

function cellsOf(bound: BoundColumn, lostRows: number): FixedCells | FreeCells {
  const fixed = bound.kind === "scalar" || (bound.kind === "array" && bound.shape !== null);
  return fixed && isNumeric(bound.dtype) ? new FixedCells(bound, lostRows) : new FreeCells(bound);
}
