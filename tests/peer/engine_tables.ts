/**
 * Tables whose columns stay: virtual ones over columns of any manager, hypercubes by id, Dysco. What one sequence of turns
 * with casacore is done to (turns.ts). Values lie on the levels of what keeps them, or come back within a tolerance.
 */
import assert from "node:assert/strict";
import { type ColumnSpec, type NDArray, type StorageSpec, Table, TableError } from "../../mod.ts";
import { allocate } from "../../src/array/alloc.ts";
import type { NumericType } from "../../src/array/dtype.ts";
import type { TableSchema } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import type { Change } from "../unit/table_alter_support.ts";
import { type GeneratedCell, type JobColumn, printedCell } from "./oracle/values.ts";
import type { JobOperation } from "./peer.ts";
import type { Maker, Row, Shown, Subject } from "./turns.ts";

/** How the values of a column are made and kept. */
export interface Values {
  /** What one step is. Numbers are whole multiples of it. */
  readonly step?: number;
  /** Numbers are from minus to plus so many steps, or from 0 if `positive`. */
  readonly most?: number;
  readonly positive?: boolean;
  /** How far what is kept may be from what was put, for a cell that was; left out: not at all. */
  readonly tolerance?: (numbers: readonly number[]) => number;
  /** What keeps the values gives those of a row to rows behind it. */
  readonly carries?: boolean;
  /** The first axis has the same values everywhere. */
  readonly alike?: boolean;
  /** Cells may be put in any shape, by casacore too. */
  readonly free?: boolean;
  /** casacore doesn't put it well. */
  readonly oursOnly?: boolean;
}

/** How a table is made. */
export interface EngineTable {
  readonly columns: readonly ColumnSpec[];
  readonly storage: readonly StorageSpec[];
  /** Columns that are put. */
  readonly put: Readonly<Record<string, Values>>;
  /** Rows come so many at a time with values, in this order of columns; left out: empty, any number. */
  readonly append?: {
    readonly order: readonly string[];
    readonly step: number;
    readonly byCasacore: boolean;
  };
  /** A column's value in a new row, where it isn't any. */
  readonly given?: Readonly<Record<string, (row: number, n: number) => number>>;
  /** Shape of the cells of new rows, where it follows from a number. */
  readonly shapeOfNew?: (n: number) => number[];
  /** Rows that are encoded together. */
  readonly block?: number;
  readonly removes?: boolean;
}

interface Model {
  rows: number;
  cells: Map<string, unknown[]>;
  keywords: Record<string, unknown>;
}

function copyOf({ rows, cells, keywords }: Model): Model {
  return {
    rows,
    cells: new Map([...cells].map(([name, list]) => [name, [...list]])),
    keywords: { ...keywords },
  };
}

function mixed(n: number): number {
  let x = Math.imul(n ^ (n >>> 15), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function numbersOf(printed: unknown): number[] {
  if (Array.isArray(printed)) return printed as number[];
  if (typeof printed === "object" && printed !== null) return (printed as { data: number[] }).data;
  return [Number(printed)];
}

/** A cell before anything is put, as printed. */
function unset({ dtype, kind, options: { shape } }: ColumnSpec): unknown {
  const zero = dtype === "string" ? "" : dtype === "bool" ? false : 0;
  const complex = dtype === "complex64" || dtype === "complex128";
  if (kind === "scalar") return complex ? [0, 0] : zero;
  if (shape === undefined) return null;
  return { shape, data: new Array(shape.reduce((a, b) => a * b, 1) * (complex ? 2 : 1)).fill(zero) };
}

function valueOf(
  { dtype, kind }: ColumnSpec,
  values: Values,
  n: number,
  shape: readonly number[],
): GeneratedCell {
  const { step = 1, most = 1000, positive = false, alike = false } = values;
  if (dtype === "string") return "text ".repeat(n % 4) + n;
  const elements = kind === "scalar" ? 1 : shape.reduce((a, b) => a * b, 1);
  const data = allocate(dtype as NumericType, elements);
  for (let i = 0; i < data.length; i++) {
    const k = alike ? Math.floor(i / shape[0]!) : i, word = mixed(n * 131 + k);
    const value = dtype === "bool"
      ? word & 1
      : (positive ? word % (most + 1) : word % (2 * most + 1) - most) * step;
    data[i] = (dtype === "int64" ? BigInt(value) : value) as never;
  }
  if (kind === "array") return { dtype: dtype as NumericType, shape: [...shape], data };
  if (dtype === "bool") return data[0] === 1;
  return dtype.startsWith("complex") ? [Number(data[0]), Number(data[1])] : data[0]!;
}

/** What is done, by kind of change. */
const CHANGES = [
  "add rows",
  "add rows",
  "put cells",
  "put cells",
  "put cells",
  "put a column",
  "put a slice",
  "remove rows",
  "edit keywords",
  "flush",
  "discard",
  "transaction",
  "close and open",
] as const;
/** Kinds before those that commit or give up. */
const PLAIN = 9;

/** A table whose columns stay, and its model. */
class EngineSubject implements Subject {
  readonly path: string;
  readonly #made: EngineTable;
  readonly #specs: ReadonlyMap<string, ColumnSpec>;
  readonly #names: readonly string[];
  #table: Table;
  #model: Model;
  #committed: Model;
  /** Other columns, as they were when the turn ended. */
  #others = new Map<string, unknown[]>();
  #open = true;

  constructor(path: string, made: EngineTable, byteOrder: "little" | "big", rows: number) {
    this.path = path;
    this.#made = made;
    this.#specs = new Map(made.columns.map((spec) => [spec.name, spec]));
    this.#names = Object.keys(made.put);
    const { columns, storage, append } = made;
    const first = append === undefined ? rows : 0;
    this.#table = Table.create(path, { columns, storage, rows: first, byteOrder });
    const cells = new Map(
      this.#names.map((name) => [name, new Array<unknown>(first).fill(unset(this.#specs.get(name)!))]),
    );
    this.#model = { rows: first, cells, keywords: {} };
    this.#committed = copyOf(this.#model);
    if (append !== undefined) this.#addRows(rows, 7);
    this.#flush();
    this.#settle(new Set());
  }

  change([kind, a, b, c]: Change): string {
    const what = CHANGES[kind % CHANGES.length]!, { rows } = this.#model;
    if (what === "remove rows" && !this.#made.removes) return this.change([kind + 1, a, b, c]);
    if (rows === 0 && (what.startsWith("put") || what === "remove rows")) return this.change([0, a, b, c]);
    this.#do(what, a, b, c);
    return what;
  }

  #do(what: (typeof CHANGES)[number], a: number, b: number, c: number): void {
    const { rows } = this.#model;
    switch (what) {
      case "add rows":
        return this.#addRows(1 + a % 7, b);
      case "put cells":
      case "put a column":
      case "put a slice":
        if (rows === 0) return;
        if (what === "put cells") return this.#putCells(a, b, c);
        return this.#putColumn(a, b, c, what === "put a slice");
      case "remove rows":
        if (this.#made.removes && rows > 0) this.#removeRows(a, b);
        return;
      case "edit keywords":
        this.#table.keywords.set(`k${a % 3}`, b);
        this.#model.keywords[`k${a % 3}`] = b;
        return;
      case "flush":
        return this.#flush();
      case "discard":
        return this.#discard();
      case "transaction":
        return this.#transaction(a, b, c);
      case "close and open":
        this.#table.close();
        this.#table = Table.open(this.path, { mode: "rw" });
        this.#committed = copyOf(this.#model);
        this.#settle(new Set());
    }
  }

  #flush(): void {
    this.#table.flush();
    this.#committed = copyOf(this.#model);
  }

  #discard(): void {
    this.#table.discard();
    this.#model = copyOf(this.#committed);
    this.#settle(new Set());
  }

  #transaction(a: number, b: number, c: number): void {
    this.#flush();
    const failure = new Error("given up"), fails = b % 2 === 0;
    try {
      this.#table.transaction(() => {
        for (let i = 0; i < 3; i++) this.#do(CHANGES[(a + i * b) % PLAIN]!, a >> i, b >> i, c >> i);
        if (fails) throw failure;
      });
      this.#committed = copyOf(this.#model);
    } catch (error) {
      if (error !== failure) throw error;
      this.#model = copyOf(this.#committed);
    }
    this.#settle(new Set());
  }

  /** The values of rows that are put at once: their cells, one after the other. */
  #together(cells: readonly GeneratedCell[], spec: ColumnSpec, shape: readonly number[]): NDArray {
    const dtype = spec.dtype, all = [...shape, cells.length];
    if (dtype === "string") return { dtype, shape: all, data: cells as string[] };
    const data = allocate(dtype as NumericType, all.reduce((x, y) => x * y, 1));
    const per = data.length / cells.length;
    cells.forEach((cell, i) => {
      if (typeof cell === "object" && cell !== null && "data" in cell) data.set(cell.data as never, i * per);
      else data.set((Array.isArray(cell) ? cell : [cell]) as never, i * per);
    });
    return { dtype: dtype as NumericType, shape: all, data };
  }

  #newCells(name: string, from: number, count: number, n: number): GeneratedCell[] {
    const spec = this.#specs.get(name)!, given = this.#made.given?.[name];
    return Array.from({ length: count }, (_, i) => {
      if (given !== undefined) return given(from + i, n);
      return valueOf(spec, this.#made.put[name]!, n + i * 17, this.#shapeOfNew(spec, n));
    });
  }

  #shapeOfNew({ kind, options: { shape } }: ColumnSpec, n: number): readonly number[] {
    return kind === "scalar" ? [] : shape ?? this.#made.shapeOfNew!(n);
  }

  #addRows(some: number, n: number): void {
    const { append } = this.#made, model = this.#model, from = model.rows;
    if (append === undefined) {
      this.#table.addRows(some);
      for (const [name, cells] of model.cells) {
        const carries = this.#made.put[name]!.carries && cells.length > 0;
        const cell = carries ? cells.at(-1) : unset(this.#specs.get(name)!);
        for (let i = 0; i < some; i++) cells.push(cell);
      }
      model.rows += some;
      return;
    }
    const count = append.step * Math.ceil(some / append.step), values: Record<string, NDArray> = {};
    const touched = new Set(Array.from({ length: count }, (_, i) => from + i));
    for (const name of append.order) {
      const spec = this.#specs.get(name)!, cells = this.#newCells(name, from, count, n);
      values[name] = this.#together(cells, spec, this.#shapeOfNew(spec, n));
      model.cells.get(name)!.push(...cells.map(printedCell));
    }
    this.#table.append(values as never);
    model.rows += count;
    this.#settle(touched);
  }

  #column(a: number): [ColumnSpec, Values] {
    const names = this.#names.filter((name) => this.#made.given?.[name] === undefined);
    const name = names[a % names.length]!;
    return [this.#specs.get(name)!, this.#made.put[name]!];
  }

  /** The shape that a cell is put in: its own where it can't change. */
  #shapeFor({ name, kind, options }: ColumnSpec, values: Values, row: number, n: number): number[] | null {
    if (kind === "scalar") return [];
    if (options.shape !== undefined) return [...options.shape];
    const now = this.#model.cells.get(name)![row] as { shape: number[] } | null;
    if (now !== null && (!values.free || n % 2 === 0)) return [...now.shape];
    if (now === null && this.#made.append !== undefined) return null;
    return Array.from({ length: options.ndim! }, (_, axis) => 1 + (n >> axis) % 4);
  }

  #putCells(a: number, b: number, c: number): void {
    const [spec, values] = this.#column(a), touched = new Set<number>();
    for (let i = 0; i <= c % 4; i++) {
      const row = (b + i * (1 + c % 3)) % this.#model.rows, shape = this.#shapeFor(spec, values, row, c + i);
      if (shape === null) continue;
      const cell = valueOf(spec, values, c + i, shape);
      try {
        this.#table.putCell(spec.name, row, cell as never);
      } catch (error) {
        if (error instanceof TableError && error.code === "SHAPE_MISMATCH") continue;
        throw error;
      }
      this.#model.cells.get(spec.name)![row] = printedCell(cell);
      touched.add(row);
      if (values.carries) this.#settle(touched);
    }
    this.#settle(touched);
  }

  /** Some rows, or the first element of each cell of some rows. */
  #putColumn(a: number, b: number, c: number, part: boolean): void {
    const [spec, values] = this.#column(a), { name, kind, options: { shape = [] } } = spec;
    if (kind === "array" && shape.length === 0) return this.#putCells(a, b, c);
    part &&= kind === "array" && values.tolerance === undefined;
    const start = b % this.#model.rows, end = Math.min(this.#model.rows, start + 1 + c % 6);
    const lengths = part ? [1, ...shape.slice(1)] : shape;
    const cells = Array.from({ length: end - start }, (_, i) => valueOf(spec, values, c + i, lengths));
    const slice = [[0, 1], ...shape.slice(1).map(() => null)] as [number, number][];
    this.#table.putColumn(name, this.#together(cells, spec, lengths) as never, {
      rows: { start, end },
      ...(part ? { slice } : {}),
    });
    const list = this.#model.cells.get(name)!, touched = new Set<number>();
    const parts = spec.dtype.startsWith("complex") ? 2 : 1;
    cells.forEach((cell, i) => {
      const printed = printedCell(cell);
      touched.add(start + i);
      if (!part) {
        list[start + i] = printed;
        return;
      }
      const now = list[start + i] as { shape: number[]; data: unknown[] }, data = [...now.data];
      numbersOf(printed).forEach((value, k) =>
        data[Math.floor(k / parts) * shape[0]! * parts + k % parts] = value
      );
      list[start + i] = { shape: now.shape, data };
    });
    this.#settle(touched);
  }

  #removeRows(a: number, b: number): void {
    const { rows } = this.#model, start = a % rows, end = Math.min(rows, start + b % 5);
    this.#table.removeRows({ start, end });
    for (const cells of this.#model.cells.values()) cells.splice(start, end - start);
    this.#model.rows = this.#table.rowCount;
    this.#settle(new Set());
  }

  /** The table holds what the model has; rows that were `touched` within the tolerance, and the model takes them over. */
  #settle(touched: ReadonlySet<number>): void {
    const table = this.#table, model = this.#model, { block = 1 } = this.#made;
    assert.equal(table.rowCount, model.rows);
    assert.deepEqual(table.keywords.toJSON(), model.keywords);
    const rows = rowsAsJson(table), blocks = new Set([...touched].map((row) => Math.floor(row / block)));
    const first = Math.min(...touched);
    for (const [name, cells] of model.cells) {
      const { tolerance, carries } = this.#made.put[name]!;
      const put = carries ? new Set([...touched].map((row) => JSON.stringify(cells[row]))) : null;
      rows.forEach((found, row) => {
        const cell = found[name], close = tolerance !== undefined && blocks.has(Math.floor(row / block));
        if (close && cell !== null && cells[row] !== null) {
          // Others that are encoded with a row that is put may come anew from what was once put, or from what was kept.
          const wanted = numbersOf(cells[row]), numbers = numbersOf(cell);
          const most = tolerance(wanted) * (touched.has(row) ? 1 : 2);
          assert.equal(numbers.length, wanted.length);
          numbers.forEach((number, i) =>
            assert.ok(
              Math.abs(number - wanted[i]!) <= most,
              `column ${name}, row ${row}: ${number} for ${wanted[i]}, tolerance ${most}`,
            )
          );
          cells[row] = cell;
        } else if (put !== null && row > first && put.has(JSON.stringify(cell))) cells[row] = cell;
        else assert.deepEqual(cell, cells[row], `column ${name}, row ${row}`);
      });
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      const rows = rowsAsJson(this.#table);
      for (const { name } of this.#made.columns) {
        if (!this.#model.cells.has(name)) this.#others.set(name, rows.map((row) => row[name]));
      }
    } finally {
      this.#table.close();
    }
  }

  shown(): Shown {
    const { rows, keywords, cells } = this.#model;
    return {
      rows,
      keywords: { ...keywords },
      columns: this.#made.columns.map(({ name, dtype }) => ({
        name,
        dtype,
        cells: [...(cells.get(name) ?? this.#others.get(name)!)],
        keywords: null,
      })),
    };
  }

  theirs(changes: readonly Change[]): { operations: JobOperation[]; columns: JobColumn[] } {
    const operations: JobOperation[] = [], model = this.#model, { append, block = 1 } = this.#made;
    const columns = this.#made.columns.map(({ name, dtype, kind }): JobColumn => ({ name, dtype, kind }));
    const put = (column: string, row: number, cell: GeneratedCell) =>
      operations.push({ op: "put", column, row, value: printedCell(cell) });
    const keywords = { ...model.keywords };
    let rows = model.rows;
    for (const [kind, a, b, c] of changes) {
      if (kind % 5 === 0) {
        if (append !== undefined && !append.byCasacore) continue;
        const count = append?.step ?? 1 + a % 4;
        operations.push({ op: "addrows", count });
        for (const name of append?.order ?? []) {
          this.#newCells(name, rows, count, b).forEach((cell, i) => put(name, rows + i, cell));
        }
        rows += count;
      } else if (kind % 5 === 1) {
        const key = `k${a % 3}`;
        if (keywords[key] === undefined) operations.push({ op: "setkeyword", key, value: b });
        else operations.push({ op: "removekeyword", key });
        if (keywords[key] === undefined) keywords[key] = b;
        else delete keywords[key];
      } else if (model.rows > 0) {
        const [spec, values] = this.#column(a);
        if (values.oursOnly) continue;
        const start = b % model.rows, from = start - start % block;
        for (let row = from; row < Math.min(model.rows, from + block); row++) {
          const now = model.cells.get(spec.name)![row] as { shape: number[] } | null;
          if (spec.kind === "array" && spec.options.shape === undefined && now === null && !values.free) {
            continue;
          }
          const shape = spec.kind === "scalar" ? [] : now?.shape ?? this.#shapeFor(spec, values, row, c);
          if (shape !== null) put(spec.name, row, valueOf(spec, values, c + row, shape));
        }
      }
    }
    return { operations, columns };
  }

  take(schema: TableSchema, rows: readonly Row[]): void {
    const { cells } = this.#model;
    for (const { name } of this.#made.columns) {
      (cells.has(name) ? cells : this.#others).set(name, rows.map((row) => row[name]));
    }
    this.#model.rows = schema.rows;
    this.#model.keywords = { ...schema.keywords };
  }

  open(): void {
    this.#table = Table.open(this.path, { mode: "rw" });
    this.#open = true;
    this.#committed = copyOf(this.#model);
    this.#settle(new Set());
    const rows = rowsAsJson(this.#table);
    for (const [name, cells] of this.#others) {
      assert.deepEqual(rows.map((row) => row[name]), cells, `column ${name}, which Tessera keeps values in`);
    }
  }
}

/** Makes tables as `made` says for a seed. */
export function withEngines(made: (seed: number) => EngineTable): Maker {
  return (path, seed) =>
    Promise.resolve(
      new EngineSubject(path, made(seed), seed % 3 === 0 ? "big" : "little", 3 + seed % 9),
    );
}
