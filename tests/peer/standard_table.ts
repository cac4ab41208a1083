/** Complete tables of one manager on disk, a StandardStMan or another, written and changed without floor 4. */
import { rowList } from "../../src/array/rows.ts";
import { newPlainTable, newTableDesc, withBlobs, withRowCount } from "../../src/format/new-table.ts";
import { type PlainTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { EMPTY_INFO, writeTableInfo } from "../../src/format/table-info.ts";
import { freshSync, nextSync, readTableLock, writeTableLock } from "../../src/format/table-lock.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import type { ManagerKind } from "../../src/storage/manager.ts";
import { managerKind } from "../../src/storage/registry.ts";
import { Bench, boundColumns, contextOf, openTable } from "../unit/storage_standard_support.ts";
import type { Job } from "./peer.ts";
import { type GeneratedCell, generatedCell, type JobColumn } from "./oracle/values.ts";

function kindOf(type: string): ManagerKind {
  const kind = managerKind(type);
  if (kind === undefined) throw new Error(`no kind of manager serves ${type}`);
  return kind;
}

/** The description of columns, all in one manager. */
function describe(
  columns: readonly JobColumn[],
  rowCount: number,
  bigEndian: boolean,
  type: string,
): PlainTableDat {
  const desc = newTableDesc({
    columns: columns.map(({ name, kind = "scalar", dtype, shape, ndim, direct, maxLength }) => ({
      name,
      kind,
      dtype,
      shape: shape ?? null,
      managerType: type,
      ...(ndim === undefined ? {} : { ndim }),
      ...(direct === undefined ? {} : { direct }),
      ...(maxLength === undefined ? {} : { maxLength }),
    })),
  });
  const managers = [{ type, columns: columns.map((column) => column.name) }];
  return newPlainTable(desc, { rowCount, bigEndian, managers });
}

/** A table under our hands. */
export class StandardTable implements Disposable {
  readonly path: string;
  columns: readonly JobColumn[];
  bench: Bench;
  #dat: PlainTableDat;
  #closed = false;

  private constructor(path: string, columns: readonly JobColumn[], bench: Bench, dat: PlainTableDat) {
    this.path = path;
    this.columns = columns;
    this.bench = bench;
    this.#dat = dat;
  }

  /** Makes a table as the job says; cells are not filled. */
  static create(job: Job, name = "StandardStMan"): StandardTable {
    const columns = job.columns ?? [];
    const bigEndian = job.byteOrder === "big";
    const rowCount = job.rows ?? 0;
    const type = job.managers?.[0]?.type ?? "StandardStMan";
    const kind = kindOf(type);
    const dat = describe(columns, rowCount, bigEndian, type);
    Deno.mkdirSync(job.table);
    const backend = openBackend("node");
    const files = new TableFiles(job.table, backend, { writable: true });
    const context = contextOf(boundColumns(dat), rowCount, { bigEndian, folder: job.table });
    const spec = (job.managers?.[0]?.spec ?? {}) as { BUCKETROWS?: number; BUCKETSIZE?: number };
    const options = {
      ...(spec.BUCKETROWS === undefined ? {} : { bucketRows: spec.BUCKETROWS }),
      ...(spec.BUCKETSIZE === undefined ? {} : { bucketSize: spec.BUCKETSIZE }),
    };
    const plan = kind.create!(context, {
      type,
      name: job.managers?.[0]?.name ?? name,
      options,
    });
    return new StandardTable(
      job.table,
      columns,
      new Bench(context, files, backend, runSync(plan, files), kind),
      dat,
    );
  }

  /** Opens a table for changes. */
  static open(path: string, columns: readonly JobColumn[], type = "StandardStMan"): StandardTable {
    const table = openTable(path, { writable: true, kind: kindOf(type) });
    const bench = table.benches[0]!;
    return new StandardTable(path, columns, bench, table.dat);
  }

  /** Puts generated values, one column after the other. */
  fill(seed: number, options: { columns?: readonly string[]; rows?: readonly number[] } = {}): void {
    const rows = options.rows ?? Array.from({ length: this.bench.rows }, (_, row) => row);
    for (const name of options.columns ?? this.columns.map((column) => column.name)) {
      const column = this.columns.find((each) => each.name === name)!;
      for (const row of rows) this.put(name, row, generatedCell(column, seed, row));
    }
  }

  /** Puts a cell; null and records are left out. */
  put(name: string, row: number, cell: GeneratedCell): void {
    const index = this.bench.context.columns.findIndex((column) => column.name === name);
    if (cell === null || (typeof cell === "object" && "record" in cell)) return;
    const rows = rowList([row]);
    if (typeof cell === "object" && "shape" in cell) {
      return this.bench.put(index, [...cell.data], { rows, shape: cell.shape });
    }
    const items = typeof cell === "object" ? cell : [typeof cell === "boolean" ? Number(cell) : cell];
    this.bench.put(index, items, { rows, shape: [] });
  }

  /** Adds a column behind the others. */
  addColumn(column: JobColumn): void {
    const columns = [...this.columns, column];
    const { rows, context } = this.bench;
    this.bench.addColumn(
      boundColumns(describe(columns, rows, context.bigEndian, this.bench.manager.type)).at(-1)!,
    );
    this.#reopen(columns);
  }

  /** Removes a column. */
  removeColumn(name: string): void {
    this.bench.removeColumn(this.columns.findIndex((column) => column.name === name));
    this.#reopen(this.columns.filter((column) => column.name !== name));
  }

  /** Flushes, and opens the manager with other columns. */
  #reopen(columns: readonly JobColumn[]): void {
    const { rows, context: { bigEndian }, files, backend, kind, manager } = this.bench;
    const blob = this.bench.flush();
    this.columns = columns;
    this.#dat = describe(columns, rows, bigEndian, manager.type);
    const context = contextOf(boundColumns(this.#dat), rows, { bigEndian, folder: this.path });
    this.bench = new Bench(context, files, backend, runSync(kind.open(context, blob), files), kind);
  }

  /** Writes everything that makes the files a table. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const blob = this.bench.flush();
    this.bench.files.close();
    const { rows, context } = this.bench;
    const dat = withRowCount(withBlobs(this.#dat, new Map([[context.sequence, blob]])), rows);
    Deno.writeFileSync(`${this.path}/table.dat`, writeTableDat(dat));
    const { length } = dat.desc.columns;
    const old = lockOf(this.path);
    const managers = dat.columnSet.managers.map(() => true);
    const sync = old === null
      ? freshSync(rows, length, managers.length)
      : nextSync(old, { rowCount: rows, columnCount: length, table: true, managers });
    Deno.writeFileSync(`${this.path}/table.lock`, writeTableLock({ requests: [], sync }));
    if (old === null) Deno.writeFileSync(`${this.path}/table.info`, writeTableInfo(EMPTY_INFO));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function lockOf(path: string) {
  try {
    return readTableLock(Deno.readFileSync(`${path}/table.lock`), "table.lock").sync;
  } catch {
    return null;
  }
}
