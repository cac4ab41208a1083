/**
 * What all engines have in common (format reference part 6, section 1): no file, no bytes of their own in `table.dat`;
 * parameters are keywords of the virtual column, and each column stands by itself.
 */
import { rowRange, type Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  ManagerKind,
  SettledSpec,
  SpecContext,
  StorageManager,
  StorageSpec,
} from "../manager.ts";

const NO_BYTES = new Uint8Array(0);

/** A virtual column. */
export interface VirtualColumn extends ManagedColumn {
  /** As that of a StorageManager, for the columns that this one is computed from. */
  rowsAdded?(rows: Rows): Plan<void>;
  /** Plan: whether a new column can be computed. @throws TableError CORRUPT */
  check?(): Plan<void>;
}

/** A virtual column, and what `schema` prints of it. */
export interface EngineColumn {
  readonly column: VirtualColumn;
  readonly info: ManagerInfo;
}

/** What tells one engine from another. */
export interface Engine {
  serves(type: string): boolean;
  /** Makes one of its columns; nothing is read. @throws TableError CORRUPT for keywords that are missing or wrong */
  column(context: ManagerContext, bound: BoundColumn): EngineColumn;
  /** Name of the manager; that of its column unless told otherwise. */
  name?(context: ManagerContext): string;
  /** How specs name it. */
  readonly specType?: string;
  /** As that of a ManagerKind. */
  settle?(spec: StorageSpec, context: SpecContext): SettledSpec;
}

/** The kind of manager that an engine is. */
export function engineKind(engine: Engine): ManagerKind {
  const { specType, settle } = engine;
  return {
    serves: (type) => engine.serves(type),
    // deno-lint-ignore require-yield
    *open(context: ManagerContext): Plan<StorageManager> {
      return new VirtualManager(context, engine);
    },
    ...(specType === undefined ? {} : { specType }),
    ...(settle === undefined ? {} : { settle }),
  };
}

/** A manager without files. Rows and columns come and go without it: it has none of its own. */
class VirtualManager implements StorageManager {
  readonly type: string;
  readonly name: string;
  readonly sequence: number;
  readonly rowCount = -1;
  readonly dirty = false;
  readonly info: ManagerInfo;
  readonly #columns: readonly EngineColumn[];
  readonly #rows: number;

  constructor(context: ManagerContext, engine: Engine) {
    this.type = context.type;
    this.sequence = context.sequence;
    this.#rows = context.rowCount;
    this.#columns = context.columns.map((bound) => engine.column(context, bound));
    this.name = engine.name?.(context) ?? context.columns[0]?.name ?? "";
    this.info = this.#columns[0]?.info ?? {};
  }

  files(): string[] {
    return [];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!.column;
  }

  *addRows(): Plan<void> {}

  *rowsAdded(rows: Rows): Plan<void> {
    for (const { column } of this.#columns) yield* column.rowsAdded?.(rows) ?? [];
  }

  *created(): Plan<void> {
    for (const { column } of this.#columns) yield* column.check?.() ?? [];
    yield* this.rowsAdded(rowRange(0, this.#rows));
  }

  *removeRows(): Plan<void> {}

  *removeColumn(): Plan<void> {}

  // deno-lint-ignore require-yield
  *flush(): Plan<Uint8Array> {
    return NO_BYTES;
  }
}
