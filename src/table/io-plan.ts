/**
 * What reading some columns would do to the files, worked out by doing all of it but bringing the values (see
 * `../io/dry-run.ts`): which is why it is what the counters say when the same is really read, with the files' pages in no
 * cache of this process and backend `pread`.
 */
import { isNumeric, numericInfo } from "../array/dtype.ts";
import { type AxisSlice, elementsOf, rowRange, type Rows } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { CallKind, IoSnapshot } from "../io/counters.ts";
import { runSync } from "../io/drivers.ts";
import { DryRun } from "../io/dry-run.ts";
import type { Plan } from "../io/plan.ts";
import type { BucketGrid, CellTarget, ManagedColumn, ShapeRun } from "../storage/manager.ts";
import type { BodyColumn, TableBody } from "./body.ts";
import { type BucketCounts, bucketCounts, readsOf } from "./io-ranges.ts";
import { ConcatenationBody } from "./concatenation.ts";
import { openBody } from "./open.ts";
import { PlainBody } from "./plain.ts";
import { ReferenceBody } from "./reference.ts";
import { cellShapes, readCells, readColumn, type ReadSettings } from "./read.ts";
import { type RowSelection, rowsOf } from "./selection.ts";
import type { OpenOptions } from "./options.ts";

/** "tile": each column at once, its tiles in file order. "row": row by row, all columns of a row before the next row. */
export type ReadOrder = "tile" | "row";

/** What {@linkcode planIo} is asked. */
export interface IoPlanOptions {
  /** Columns to read, in this order; all readable ones unless told otherwise. */
  readonly columns?: readonly string[];
  /** Rows; all of them unless told otherwise. */
  readonly rows?: RowSelection;
  /** Box of each cell of array columns. */
  readonly slice?: readonly AxisSlice[];
  /** "tile" unless told otherwise: what `getColumn` does. "row": what `getCell` does, row after row. */
  readonly order?: ReadOrder;
  /** Bound of the page cache in bytes, 64 MiB unless told otherwise. */
  readonly cacheBytes?: number;
  /** Refuse parents and other tables that lie outside the table's own directory tree. */
  readonly confine?: boolean;
}

/** What is done to the files in one go. */
export interface IoCost {
  /** System calls by kind; kinds that aren't called are 0. */
  readonly calls: Readonly<Record<CallKind, number>>;
  /** Sum of `calls`. */
  readonly totalCalls: number;
  /** Bytes that read calls bring. */
  readonly bytesRead: number;
  /** Reads that don't start where the last one on that file ended. */
  readonly seeks: number;
}

/** What is read of one file. */
export interface FilePlan {
  /** The file. */
  readonly path: string;
  /** Read calls. */
  readonly reads: number;
  /** Bytes that they bring. */
  readonly bytesRead: number;
  /** Reads that don't start where the last one ended. */
  readonly seeks: number;
  /** Stretches of the file that are read, those that touch joined: in ascending order, [first byte, byte after the last]. */
  readonly ranges: readonly (readonly [start: number, end: number])[];
  /** Tiles or buckets of the file; null where there are none, or the file is in a container. */
  readonly buckets: BucketCounts | null;
}

/** The plan of reading some rows of some columns. */
export interface IoPlan {
  /** Absolute path of the table's directory. */
  readonly path: string;
  /** Columns that are read. */
  readonly columns: readonly string[];
  /** Rows that are read. */
  readonly rows: number;
  /** The order in which cells are asked for. */
  readonly order: ReadOrder;
  /** Opening the table. */
  readonly opening: IoCost;
  /** Reading, with the headers of the managers that are needed. */
  readonly reading: IoCost;
  /** Bytes that the values take in the files. */
  readonly bytesWanted: number;
  /** Files in the order of their first read. */
  readonly files: readonly FilePlan[];
}

/** Results larger than this are refused, as `Table` does unless told otherwise. */
const MAX_RESULT_BYTES = 16 * 2 ** 30;

function costOf({ calls, totalCalls, bytesRead, seeks }: IoSnapshot): IoCost {
  return { calls, totalCalls, bytesRead, seeks };
}

/**
 * Says what reading would do to the files of a table, without reading the values. Headers and indices are read, and so are
 * strings and what else must be looked at to know where to go on.
 *
 * @throws TableError as `Table.open` and `Table.getColumn`
 * @example
 * ```ts
 * import { array, planIo, Table, tiledShape } from "@tessera/tables";
 * Table.create("plan.tab", {
 *   columns: [array("DATA", "complex64", { shape: [4, 64] })],
 *   storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 64, 64] })],
 *   rows: 1000,
 *   overwrite: true,
 * }).close();
 * const { reading, bytesWanted } = planIo("plan.tab", { columns: ["DATA"], slice: [[0, 1], null] });
 * console.log(reading.calls.read, reading.bytesRead / bytesWanted);
 * ```
 */
export function planIo(path: string, options: IoPlanOptions = {}): IoPlan {
  const { cacheBytes, confine = false } = options;
  return planOn(new DryRun({ cacheBytes }), path, { io: "auto", confine }, options);
}

/** As {@linkcode planIo}, with a dry run that may go to other files than the disk's. @internal */
export function planOn(run: DryRun, path: string, open: OpenOptions, options: IoPlanOptions): IoPlan {
  const { order = "tile", slice } = options;
  const body = openBody(path, { ...open, context: run.context });
  try {
    const opening = costOf(body.stats.snapshot());
    body.stats.reset();
    run.reset();
    const columns = chosen(body, options.columns), rows = rowsOf(options.rows, body.rowCount);
    const reader = new Reader(run, body, slice);
    if (order === "tile") { for (const column of columns) reader.column(column, rows); }
    else {
      for (let i = 0; i < rows.length; i++) {
        for (const column of columns) reader.cell(column, rows.at(i));
      }
    }
    const grids = gridsOf(body);
    return {
      path: body.path,
      columns: columns.map(({ bound }) => bound.name),
      rows: rows.length,
      order,
      opening,
      reading: costOf(body.stats.snapshot()),
      bytesWanted: reader.wantedBytes,
      files: run.files.map((file) => ({
        path: file.path,
        reads: file.reads.length,
        bytesRead: file.reads.reduce((sum, { length }) => sum + length, 0),
        seeks: file.seeks,
        ranges: readsOf(file),
        buckets: grids.has(file.path) ? bucketCounts(file, grids.get(file.path)!) : null,
      })),
    };
  } finally {
    body.close();
  }
}

/** Where tiles and buckets lie, by path of the file: of managers that are open. */
function gridsOf(body: TableBody, found = new Map<string, BucketGrid[]>()): Map<string, BucketGrid[]> {
  if (body instanceof ReferenceBody) gridsOf(body.parent, found);
  if (body instanceof ConcatenationBody) { for (const part of body.parts) gridsOf(part, found); }
  if (!(body instanceof PlainBody)) return found;
  for (const { manager } of body.slots) {
    for (const grid of manager?.grids?.() ?? []) {
      const path = body.access.pathOf(grid.file), others = found.get(path);
      if (others === undefined) found.set(path, [grid]);
      else others.push(grid);
    }
  }
  return found;
}

function chosen(body: TableBody, names: readonly string[] | undefined): BodyColumn[] {
  if (names === undefined) return body.columns.filter(({ supported }) => supported);
  return names.map((name) => {
    const column = body.columns.find(({ bound }) => bound.name === name);
    if (column !== undefined) return column;
    const all = body.columns.map(({ bound }) => bound.name).join(", ");
    throw new TableError("NO_SUCH_COLUMN", `no column ${name}; there are ${all || "none"}`, {
      file: body.path,
    });
  });
}

/** Asks for columns and cells as `Table.getColumn`, `getCells` and `getCell` do. */
class Reader {
  /** Bytes that the values take in the files. */
  wantedBytes = 0;
  readonly #run: DryRun;
  readonly #body: TableBody;
  readonly #slice: readonly AxisSlice[] | undefined;

  constructor(run: DryRun, body: TableBody, slice: readonly AxisSlice[] | undefined) {
    this.#run = run;
    this.#body = body;
    this.#slice = slice;
  }

  /** All cells at once: as one array where they have one shape, else as cells. */
  column(column: BodyColumn, rows: Rows): void {
    this.#finish(column, (spied, settings) => {
      return function* (): Plan<void> {
        if (column.bound.kind !== "array" || (yield* isUniform(spied, rows))) {
          yield* readColumn(spied, rows, settings);
        } else yield* readCells(spied, rows, { ...settings, copy: false });
      };
    });
  }

  cell(column: BodyColumn, row: number): void {
    this.#finish(column, (spied, settings) => {
      return function* (): Plan<void> {
        yield* readCells(spied, rowRange(row, 1), { ...settings, copy: true });
      };
    });
  }

  #finish(
    column: BodyColumn,
    planOf: (spied: BodyColumn, settings: ReadSettings) => () => Plan<void>,
  ): void {
    const body = this.#body, run = this.#run, scalar = column.bound.kind !== "array";
    const before = run.wantedBytes;
    let looked = 0;
    const spied = spy(column, run, (bytes) => looked += bytes);
    const slice = scalar ? undefined : this.#slice;
    const settings: ReadSettings = { slice, strings: "bytes", maxResultBytes: MAX_RESULT_BYTES };
    runSync(planOf(spied, settings)(), body.access);
    run.settled();
    // Each call of a table looks whether somebody changed it meanwhile.
    body.check();
    body.moved();
    const counted = run.wantedBytes - before;
    this.wantedBytes += counted > 0 ? counted : looked;
  }
}

/** Plan: true when all cells are defined and of one shape. */
function* isUniform(column: BodyColumn, rows: Rows): Plan<boolean> {
  const managed = yield* column.open();
  const runs = yield* cellShapes(managed, rows);
  return runs.length === 0 || (runs.length === 1 && runs[0]!.shape !== null);
}

/** The same column, which tells the run about the memory that values are to go to. */
function spy(column: BodyColumn, run: DryRun, look: (bytes: number) => void): BodyColumn {
  const { bound, description, manager, keywords, supported } = column;
  let known: { readonly rows: Rows; readonly runs: ShapeRun[] } | null = null;
  return {
    bound,
    description,
    manager,
    keywords,
    supported,
    *open() {
      const managed = yield* column.open();
      const told: ManagedColumn = {
        // Whether cells have one shape is asked before: those who read them ask again, which costs nothing then.
        *shapes(rows) {
          if (known?.rows !== rows) known = { rows, runs: yield* managed.shapes(rows) };
          return known.runs;
        },
        *read(rows, cellShape, box, target, at) {
          const elements = rows.length * elementsOf(box?.shape ?? cellShape);
          yield* managed.read(rows, cellShape, box, tell(column, run, target, elements, look), at);
        },
      };
      return told;
    },
  };
}

function tell(
  { bound }: BodyColumn,
  run: DryRun,
  target: CellTarget,
  elements: number,
  look: (bytes: number) => void,
): CellTarget {
  if (target.kind === "strings") {
    const { values, decode } = target;
    return {
      kind: "strings",
      values,
      decode: (bytes) => {
        look(bytes.length);
        return decode(bytes);
      },
    };
  }
  const size = isNumeric(bound.dtype) ? numericInfo(bound.dtype).size : 1;
  look(bound.dtype === "bool" ? Math.ceil(elements / 8) : elements * size);
  // A record is made of the bytes that come.
  if (bound.kind !== "record") run.expect(target.bytes);
  return target;
}
