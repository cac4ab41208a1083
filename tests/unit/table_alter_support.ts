/**
 * A table that anything is done to, and a model in memory of what it holds: rows and columns that come and go, cells,
 * keywords, transactions that fail. What is done follows from numbers, so that sequences can be made shorter.
 */
import assert from "node:assert/strict";
import {
  aipsio,
  array,
  type ColumnSpec,
  type DType,
  incremental,
  memory,
  scalar,
  standard,
  type StorageSpec,
  Table,
  TableError,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { generatedCell, type JobColumn, printedCell } from "../peer/oracle/values.ts";
import { rowsAsJson } from "../rows-as-json.ts";

const TYPES: readonly DType[] = [
  "bool",
  "uint8",
  "int16",
  "int32",
  "uint32",
  "int64",
  "float32",
  "float64",
  "complex64",
  "complex128",
  "string",
];

/** Columns of every type and form. */
export const POOL: readonly JobColumn[] = TYPES.flatMap((dtype): JobColumn[] => [
  { name: `s_${dtype}`, dtype, longest: 60 },
  { name: `d_${dtype}`, dtype, kind: "array", shape: [3], direct: true, longest: 20 },
  { name: `f_${dtype}`, dtype, kind: "array", shape: [2, 2], longest: 20 },
  { name: `v_${dtype}`, dtype, kind: "array", undefinedEvery: 4, longest: 20 },
  { name: `n_${dtype}`, dtype, kind: "array", ndim: 2, longest: 20 },
]);

/** Kinds of managers that new columns go to. */
export type ManagerName = "standard" | "incremental" | "aipsio" | "memory" | "shape" | "column" | "cell";
const SPECS: Readonly<Record<ManagerName, (name: string, columns: readonly string[]) => StorageSpec>> = {
  standard: (name, columns) => standard(name, columns, { bucketRows: 5 }),
  incremental: (name, columns) => incremental(name, columns, { bucketSize: 300 }),
  aipsio,
  memory,
  shape: (name, columns) => tiledShape(name, columns),
  column: (name, columns) => tiledColumn(name, columns),
  cell: (name, columns) => tiledCell(name, columns),
};
const TILED: readonly ManagerName[] = ["shape", "column", "cell"];

function specOf({ name, dtype, kind = "scalar", shape, ndim, direct, comment }: JobColumn): ColumnSpec {
  const options = {
    ...(shape === undefined ? {} : { shape }),
    ...(ndim === undefined ? {} : { ndim }),
    ...(direct === undefined ? {} : { direct }),
    ...(comment === undefined ? {} : { comment }),
  };
  return kind === "array" ? array(name, dtype, options) : scalar(name, dtype, options);
}

/** True for columns that a manager can take. */
export function fits({ kind, dtype, shape, ndim }: JobColumn, manager: ManagerName): boolean {
  if (!TILED.includes(manager)) return true;
  if (kind !== "array" || dtype === "string") return false;
  return shape !== undefined || (ndim !== undefined && manager !== "column");
}

/** A cell before anything is put, as printed. */
function unset({ dtype, kind = "scalar", shape }: JobColumn): unknown {
  const zero = dtype === "string" ? "" : dtype === "bool" ? false : 0;
  const complex = dtype === "complex64" || dtype === "complex128";
  if (kind === "scalar") return complex ? [0, 0] : zero;
  if (shape === undefined) return null;
  return { shape, data: new Array(shape.reduce((a, b) => a * b, 1) * (complex ? 2 : 1)).fill(zero) };
}

/** A column and what it holds. */
export interface ModelColumn {
  readonly job: JobColumn;
  /** Its manager's kind and name. */
  readonly kind: ManagerName;
  readonly manager: string;
  cells: unknown[];
  keywords: Record<string, unknown>;
}

/** What a table holds. */
export interface Model {
  rows: number;
  columns: Map<string, ModelColumn>;
  keywords: Record<string, unknown>;
}

function copyOf({ rows, columns, keywords }: Model): Model {
  return {
    rows,
    columns: new Map(
      [...columns].map((
        [name, column],
      ) => [name, { ...column, cells: [...column.cells], keywords: { ...column.keywords } }]),
    ),
    keywords: { ...keywords },
  };
}

/** Numbers from which a change follows. */
export type Change = readonly [kind: number, a: number, b: number, c: number];
/** Kinds of changes: what `Change` begins with is taken modulo this. */
export const KINDS = 18;
/** What each kind does. */
export const CHANGES: readonly string[] = [
  "add rows",
  ...["remove rows", "remove rows", "add a column", "add a column", "remove columns", "rename a column"],
  ...["put cells", "put cells", "put cells", "put cells", "put a slice", "undefine a cell"],
  ...["edit keywords", "flush", "transaction or discard", "close and open", "what is refused"],
];

/** How tables are made and opened. */
export interface Place {
  readonly path: string;
  readonly options: object;
  /** Managers to choose from. */
  readonly managers: readonly ManagerName[];
  /** Columns that a kind of manager shall not take. */
  readonly avoid?: (job: JobColumn, kind: ManagerName) => boolean;
}

/** A table and its model. */
export class Bench {
  readonly place: Place;
  table: Table;
  model: Model;
  committed: Model;
  /** Names given so far. */
  names = 0;

  constructor(place: Place, table: Table, model: Model) {
    this.place = place;
    this.table = table;
    this.model = model;
    this.committed = copyOf(model);
  }

  /** Makes a table with some columns, as numbers say. */
  static create(
    place: Place,
    chosen: readonly (readonly [column: number, manager: number])[],
    rows: number,
  ): Bench {
    const model: Model = { rows, columns: new Map(), keywords: {} };
    const storage: StorageSpec[] = [], specs: ColumnSpec[] = [];
    for (const [i, [column, manager]] of chosen.entries()) {
      const kind = place.managers[manager % place.managers.length]!;
      const pool = POOL.filter((job) => fits(job, kind) && !place.avoid?.(job, kind));
      const job = { ...pool[column % pool.length]!, name: `c${i}`, comment: `column ${i}` };
      const name = `${kind}${manager % 2}`, last = storage.find((spec) => spec.name === name);
      if (last !== undefined && TILED.includes(kind)) continue;
      if (last === undefined) storage.push(SPECS[kind](name, [job.name]));
      else (last.columns as string[]).push(job.name);
      specs.push(specOf(job));
      const cells = new Array(rows).fill(unset(job));
      model.columns.set(job.name, { job, kind, manager: name, cells, keywords: {} });
    }
    const table = Table.create(place.path, { columns: specs, storage, rows, ...place.options });
    table.flush();
    return new Bench(place, table, model);
  }

  /** The table shows what the model has. */
  check(): void {
    compare(this.table, this.model);
  }

  /** Whoever opens the table finds the last commit. */
  checkCommitted(): void {
    using table = Table.open(this.place.path, { ...this.place.options, mode: "r" });
    compare(table, this.committed, true);
  }

  close(): void {
    this.table.close();
  }

  #name(): string {
    return `x${this.names++}`;
  }

  /** A call that either does it, and the model follows, or is refused with one of `codes`. */
  #try(codes: readonly string[], call: () => void): boolean {
    try {
      call();
      return true;
    } catch (error) {
      if (error instanceof TableError && codes.includes(error.code)) return false;
      throw error;
    }
  }

  #column(number: number): [string, ModelColumn] | undefined {
    const columns = [...this.model.columns];
    return columns[number % columns.length];
  }

  /** Does what the numbers say. */
  change([kind, a, b, c]: Change): void {
    const { table, model } = this;
    switch (kind % KINDS) {
      case 0:
        return this.#addRows(a % 9);
      case 1:
      case 2:
        return this.#removeRows(a, b, c);
      case 3:
      case 4:
        return this.#addColumn(a, b, c);
      case 5:
        return this.#removeColumns(a, b);
      case 6: {
        const column = this.#column(a);
        if (column !== undefined) this.#rename(column[0], this.#name());
        return;
      }
      case 7:
      case 8:
      case 9:
      case 10:
        return this.#putCells(a, b, c);
      case 11:
        return this.#putSlice(a, b, c);
      case 12:
        return this.#undefine(a, b);
      case 13:
        return this.#keyword(a, b, c);
      case 14:
        return this.flush();
      case 15: {
        if (b % 3 > 0) return this.#transaction(a, b, c);
        table.discard();
        this.model = copyOf(this.committed);
        return;
      }
      case 16:
        return this.reopen();
      case 17: {
        const taken = [...model.columns.keys()][0];
        if (taken === undefined) return;
        assert(!this.#try(["EXISTS"], () => table.addColumn(specOf({ ...POOL[0]!, name: taken }))));
        assert(!this.#try(["NO_SUCH_COLUMN"], () => table.removeColumns([taken, "nobody"])));
        assert(!this.#try(["OUT_OF_RANGE", "UNSUPPORTED"], () => table.removeRows([model.rows])));
      }
    }
  }

  flush(): void {
    this.table.flush();
    this.committed = copyOf(this.model);
  }

  /** Closes, which commits, and opens again. What was only in memory is gone. */
  reopen(): void {
    this.table.close();
    this.table = Table.open(this.place.path, { ...this.place.options, mode: "rw" });
    this.takeMemory();
    this.committed = copyOf(this.model);
  }

  /** Takes over what columns hold whose values are only in memory. */
  takeMemory(): void {
    const rows = rowsAsJson(this.table);
    for (const [name, column] of this.model.columns) {
      if (column.kind === "memory") column.cells = rows.map((row) => row[name]);
    }
    this.committed = copyOf(this.model);
  }

  #addRows(count: number): void {
    this.table.addRows(count);
    this.model.rows += count;
    for (const { job, kind, cells } of this.model.columns.values()) {
      // An IncrementalStMan goes on with the last value.
      const cell = kind === "incremental" && cells.length > 0 ? cells.at(-1) : unset(job);
      for (let i = 0; i < count; i++) cells.push(cell);
    }
  }

  #removeRows(a: number, b: number, c: number): void {
    const { model, table } = this;
    if (model.rows === 0) return;
    const rows = c % 3 === 0
      ? { start: a % model.rows, end: Math.min(model.rows, a % model.rows + b % 5) }
      : [...new Set([a % model.rows, b % model.rows, c % model.rows, (a + 1) % model.rows])].slice(
        0,
        1 + a % 4,
      );
    const done = this.#try(["UNSUPPORTED"], () => table.removeRows(rows));
    const none = "start" in rows && rows.start === rows.end;
    assert.equal(done, none || ![...model.columns.values()].some(({ kind }) => TILED.includes(kind)));
    if (!done) return;
    const gone = "start" in rows
      ? (row: number) => row >= rows.start && row < rows.end
      : (row: number) => rows.includes(row);
    for (const column of model.columns.values()) column.cells = column.cells.filter((_, row) => !gone(row));
    model.rows = table.rowCount;
  }

  #addColumn(a: number, b: number, c: number): void {
    const { model, place, table } = this;
    const name = this.#name();
    const kind = place.managers[b % place.managers.length]!;
    const pool = POOL.filter((job) => fits(job, kind) && !place.avoid?.(job, kind));
    const job = { ...pool[a % pool.length]!, name };
    const same = [...model.columns].find(([, column]) => column.kind === kind);
    let manager = `m_${name}`;
    if (c % 2 === 0 && same !== undefined) {
      manager = same[1].manager;
      const { sequence } = table.column(same[0]).manager;
      const options = { manager: kind === "memory" || c % 4 === 0 ? sequence : manager };
      const done = this.#try(
        ["UNSUPPORTED", "INVALID_ARGUMENT"],
        () => table.addColumn(specOf(job), options),
      );
      if (!done) return;
      assert(!TILED.includes(kind));
    } else table.addColumn(specOf(job), { storage: SPECS[kind](manager, [name]) });
    model.columns.set(name, {
      job,
      kind,
      manager,
      cells: new Array(model.rows).fill(unset(job)),
      keywords: {},
    });
  }

  #removeColumns(a: number, b: number): void {
    const { model, table } = this;
    const column = this.#column(a);
    if (column === undefined) return;
    const [name, { kind, manager }] = column;
    const family = [...model.columns].filter(([, other]) => other.manager === manager).map(([name]) => name);
    const names = b % 3 === 0 ? family : [name];
    const done = this.#try(["UNSUPPORTED"], () => table.removeColumns(names));
    assert.equal(done, !TILED.includes(kind) || names.length === family.length);
    if (done) { for (const one of names) model.columns.delete(one); }
  }

  #rename(from: string, to: string): void {
    this.table.renameColumn(from, to);
    const columns = [...this.model.columns].map(([name, column]): [string, ModelColumn] => [
      name === from ? to : name,
      column,
    ]);
    this.model.columns = new Map(columns);
  }

  /** An IncrementalStMan may give a value to rows behind the one that it is put in, too: to those that nobody put. */
  #carried(name: string, row: number): void {
    const { kind, cells } = this.model.columns.get(name)!;
    if (kind !== "incremental") return;
    const put = JSON.stringify(cells[row]);
    rowsAsJson(this.table, row).forEach((found, i) => {
      if (JSON.stringify(found[name]) === put) cells[row + i] = found[name];
    });
  }

  #putCells(a: number, b: number, c: number): void {
    const { model, table } = this;
    const found = this.#column(a);
    if (found === undefined || model.rows === 0) return;
    const [name, { job, cells }] = found;
    for (let i = 0; i <= c % 4; i++) {
      const row = (b + i * (1 + c % 3)) % model.rows;
      const cell = generatedCell(job, c, row);
      if (cell === null) continue;
      // A cell of a tiled column has the shape it has.
      if (!this.#try(["SHAPE_MISMATCH"], () => table.putCell(name, row, cell as never))) continue;
      cells[row] = printedCell(cell);
      this.#carried(name, row);
    }
  }

  /** One value into a part of each of some rows' cells, or all of it. */
  #putSlice(a: number, b: number, c: number): void {
    const { model, table } = this;
    const found = this.#column(a);
    if (found === undefined || model.rows === 0) return;
    const [name, { job, cells }] = found;
    if (job.kind !== "array" || job.shape === undefined) return;
    const { dtype, shape } = job;
    const start = b % model.rows, end = Math.min(model.rows, start + 1 + c % 6);
    const complex = dtype === "complex64" || dtype === "complex128";
    const rest = shape.slice(1), each = rest.reduce((x, y) => x * y, 1), count = each * (end - start);
    const value = dtype === "string" ? `p${c}` : dtype === "bool" ? c % 2 : c % 100;
    const list = new Array(complex ? 2 * count : count).fill(value);
    const data = dtype === "string"
      ? list
      : dtype === "int64"
      ? BigInt64Array.from(list, BigInt)
      : typed(dtype, list);
    const slice = [[c % shape[0]!, c % shape[0]! + 1], ...rest.map(() => null)] as [number, number][];
    table.putColumn(name, { dtype, shape: [1, ...rest, end - start], data } as never, {
      rows: { start, end },
      slice,
    });
    const parts = complex ? 2 : 1;
    for (let row = start; row < end; row++) {
      const cell = cells[row] as { shape: number[]; data: unknown[] };
      const changed = [...cell.data];
      for (let i = 0; i < each; i++) {
        for (let part = 0; part < parts; part++) {
          changed[(i * shape[0]! + c % shape[0]!) * parts + part] = dtype === "bool" ? value === 1 : value;
        }
      }
      cells[row] = { shape: cell.shape, data: changed };
    }
    this.#carried(name, end - 1);
  }

  #undefine(a: number, b: number): void {
    const { model, table } = this;
    const found = this.#column(a);
    if (found === undefined || model.rows === 0) return;
    const [name, { job, cells }] = found, row = b % model.rows;
    if (job.kind !== "array") return;
    if (this.#try(["INVALID_ARGUMENT"], () => table.putCell(name, row, null))) {
      cells[row] = null;
      this.#carried(name, row);
    }
  }

  #keyword(a: number, b: number, c: number): void {
    const found = this.#column(b);
    const onTable = c % 2 === 0 || found === undefined;
    const record = onTable ? this.table.keywords : this.table.column(found[0]).keywords;
    const model = onTable ? this.model.keywords : found[1].keywords;
    const key = `k${a % 4}`;
    const values = [c % 1000, `text ${c}`, c % 2 === 0, { inner: { deep: c % 50 } }, c / 7];
    if (a % 6 === 5) {
      record.delete(key);
      delete model[key];
      return;
    }
    const value = values[a % 5]!;
    record.set(key, value);
    model[key] = value;
  }

  /** Several changes, and then it fails; or it doesn't. */
  #transaction(a: number, b: number, c: number): void {
    this.flush();
    const fails = b % 3 === 1;
    const failure = new Error("transaction");
    try {
      this.table.transaction(() => {
        for (let i = 0; i < 4; i++) this.change([(a + i * b) % 14, a >> i, b >> i, c >> i]);
        if (fails) throw failure;
      });
    } catch (error) {
      if (error !== failure) throw error;
      this.model = copyOf(this.committed);
      return;
    }
    this.committed = copyOf(this.model);
  }
}

function typed(dtype: DType, list: number[]): unknown {
  switch (dtype) {
    case "bool":
    case "uint8":
      return Uint8Array.from(list);
    case "int16":
      return Int16Array.from(list);
    case "int32":
      return Int32Array.from(list);
    case "uint32":
      return Uint32Array.from(list);
    case "float32":
    case "complex64":
      return Float32Array.from(list);
    default:
      return Float64Array.from(list);
  }
}

/** A table holds what a model has; `kept`: but for what was only in memory. */
export function compare(table: Table, model: Model, kept = false): void {
  assert.deepEqual(table.columnNames, [...model.columns.keys()]);
  assert.equal(table.rowCount, model.rows);
  assert.deepEqual(table.keywords.toJSON(), model.keywords);
  const rows = rowsAsJson(table);
  for (const [name, { job, cells, keywords, kind }] of model.columns) {
    const column = table.column(name);
    assert.equal(column.dtype, job.dtype);
    assert.deepEqual(column.keywords.toJSON(), keywords);
    if (kept && kind === "memory") continue;
    assert.deepEqual(rows.map((row) => row[name]), cells, `column ${name} (${job.name}), ${kind}`);
  }
}
