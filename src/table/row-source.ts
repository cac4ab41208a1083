/**
 * A table over rows that somebody else keeps, in memory or in files of another form: what is asked of it is asked of a
 * {@linkcode RowSource}. It can be read, selected from, concatenated and copied as any other; nothing of it is on disk.
 */
import type { Box, Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { EMPTY_RECORD } from "../format/record.ts";
import { newPlainTable } from "../format/new-table.ts";
import { EMPTY_INFO, type TableInfo } from "../format/table-info.ts";
import { TableRecord } from "../format/table-record.ts";
import type { FileAccess } from "../io/access.ts";
import type { IoStats } from "../io/counters.ts";
import { TableFiles } from "../io/files.ts";
import { MemoryBackend, MemoryStore } from "../io/memory-backend.ts";
import type { Plan } from "../io/plan.ts";
import type { BoundColumn, CellTarget, ManagedColumn, ShapeRun } from "../storage/manager.ts";
import type { BodyColumn, ManagerDescription, TableBody } from "./body.ts";
import { describeColumns, nativeByteOrder } from "./create.ts";
import { boundColumn } from "./manager-slot.ts";
import type { ColumnSpec } from "./specs.ts";

/** The values of one column of a {@linkcode RowSource}. Rows are in range, boxes fit the cells. */
export interface RowSourceColumn {
  /** Shapes of the cells of `rows`, in that order; null: undefined. Neighbouring runs may be alike. Scalars: one run with []. */
  shapes(rows: Rows): ShapeRun[];
  /**
   * Copies `box` (null: all) of every cell of `rows`, which are defined and have shape `cellShape`, to the target from
   * element `at` on: in native byte order, first axis fastest, a bool a byte.
   */
  read(rows: Rows, cellShape: readonly number[], box: Box | null, target: CellTarget, at: number): void;
}

/** Rows that are kept elsewhere. They don't change while a table over them is open. */
export interface RowSource {
  /** What messages call it; the path of the directory that it comes from. */
  readonly path: string;
  /** Number of rows. */
  readonly rowCount: number;
  /** The columns, in order. */
  readonly columns: readonly ColumnSpec[];
  /** Values of the column with that number in `columns`. */
  column(index: number): RowSourceColumn;
  /** Called when the table is closed. */
  close?(): void;
}

const MANAGER: ManagerDescription = { type: "RowSource", sequence: 0 };

/** The inside of a table over a {@linkcode RowSource}. */
export class RowSourceBody implements TableBody {
  readonly kind = "plain";
  readonly path: string;
  readonly writable = false;
  readonly bigEndian = nativeByteOrder() === "big";
  readonly rowCount: number;
  readonly columns: readonly BodyColumn[];
  readonly keywords = new TableRecord(EMPTY_RECORD, { readOnly: true });
  readonly managers: readonly ManagerDescription[] = [MANAGER];
  readonly parents: readonly string[] = [];
  readonly access: FileAccess;
  readonly stats: IoStats;
  readonly #source: RowSource;

  constructor(source: RowSource) {
    const backend = new MemoryBackend(new MemoryStore());
    this.#source = source;
    this.path = source.path;
    this.rowCount = source.rowCount;
    this.access = new TableFiles(source.path, backend, { writable: false });
    this.stats = backend.stats;
    this.columns = columnsOf(source);
  }

  get keywordsDirectory(): string {
    return this.path;
  }

  // deno-lint-ignore require-yield
  *managerDetails(): Plan<null> {
    return null;
  }

  check(): void {}
  info(): TableInfo {
    return EMPTY_INFO;
  }
  moved(): boolean {
    return false;
  }
  refresh(): void {}
  beginChange(): never {
    throw this.#readOnly();
  }
  lock(): void {}
  lockAsync(): Promise<void> {
    return Promise.resolve();
  }
  unlock(): void {}
  addRows(): never {
    throw this.#readOnly();
  }
  discard(): void {}
  flush(): void {}

  close(): void {
    this.#source.close?.();
  }

  #readOnly(): TableError {
    return new TableError("READ_ONLY", "rows that are kept elsewhere can't be changed here", {
      file: this.path,
    });
  }
}

function columnsOf(source: RowSource): BodyColumn[] {
  const { columns } = source;
  const spec = { type: MANAGER.type, name: MANAGER.type, options: {} };
  const settled = { type: MANAGER.type, columnKeywords: EMPTY_RECORD };
  const { desc, columnSet } = newPlainTable(
    describeColumns(columns, [{ spec, columns }], [settled], EMPTY_RECORD),
    {
      rowCount: source.rowCount,
      bigEndian: nativeByteOrder() === "big",
      managers: [{ type: MANAGER.type, columns: columns.map(({ name }) => name) }],
    },
  );
  return desc.columns.map((description, i) => {
    const bound: BoundColumn = boundColumn(description, columnSet, i);
    return {
      bound,
      description,
      manager: MANAGER,
      keywords: new TableRecord(description.keywords, { readOnly: true }),
      supported: true,
      // deno-lint-ignore require-yield
      *open() {
        return managed(source.column(i));
      },
    };
  });
}

/** A source's column as a storage manager's. */
function managed(column: RowSourceColumn): ManagedColumn {
  return {
    // deno-lint-ignore require-yield
    *shapes(rows) {
      return column.shapes(rows);
    },
    // deno-lint-ignore require-yield
    *read(rows, cellShape, box, target, at) {
      column.read(rows, cellShape, box, target, at);
    },
  };
}
