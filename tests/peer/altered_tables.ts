/**
 * Rows, columns, cells and keywords come and go in tables of all managers, whoever made them: what one sequence of turns
 * with casacore is done to (turns.ts).
 */
import { Table } from "../../mod.ts";
import type { TableSchema } from "../fixture.ts";
import {
  Bench,
  type Change,
  CHANGES,
  compare,
  fits,
  KINDS,
  type ManagerName,
  type Model,
  type ModelColumn,
  type Place,
  POOL,
} from "../unit/table_alter_support.ts";
import type { JobColumn } from "./oracle/values.ts";
import { type JobManager, type JobOperation, oracleRows, oracleSchema, oracleWrite } from "./peer.ts";
import { generator } from "./random.ts";
import type { Maker, Row, Shown, Subject } from "./turns.ts";

const TYPES: Readonly<Record<string, ManagerName>> = {
  StandardStMan: "standard",
  IncrementalStMan: "incremental",
  StManAipsIO: "aipsio",
  TiledShapeStMan: "shape",
  TiledColumnStMan: "column",
  TiledCellStMan: "cell",
};

/** Managers that the tables of a set have. */
export const ALTERED: Readonly<Record<string, readonly ManagerName[]>> = {
  "all managers with files": Object.values(TYPES),
  "all managers": [...Object.values(TYPES), "memory"],
  "managers whose rows can be removed": ["standard", "incremental", "aipsio"],
  ...Object.fromEntries(Object.entries(TYPES).map(([type, kind]) => [type, [kind]])),
};

/** A table that casacore made, with values, and its model. */
async function madeByCasacore(
  path: string,
  byteOrder: "little" | "big",
  allowed: readonly ManagerName[],
  seed: number,
): Promise<Model> {
  const random = generator(seed), rows = 1 + random(12);
  const types = Object.entries(TYPES).filter(([, kind]) => allowed.includes(kind));
  const managers: (JobManager & { columns: string[] })[] = [], columns: JobColumn[] = [];
  for (let i = 0; i < 5; i++) {
    const [type, kind] = types[random(types.length)]!;
    const tiled = type.startsWith("Tiled");
    const pool = POOL.filter((job) => fits(job, kind));
    const job = { ...pool[random(pool.length)]!, name: `c${i}`, comment: `column ${i}`, managerType: type };
    const old = managers.find((manager) => manager.type === type);
    if (old !== undefined && tiled) continue;
    if (old === undefined) managers.push({ type, name: kind, columns: [job.name] });
    else old.columns.push(job.name);
    columns.push(job);
  }
  await oracleWrite({
    table: path,
    rows,
    seed,
    byteOrder,
    columns,
    managers,
    operations: [
      { op: "setkeyword", key: "k0", value: 5, dtype: "int32" },
      { op: "setkeyword", key: "k1", value: { shape: [2], data: ["a", "b"] } },
      {
        op: "setkeyword",
        key: "k2",
        value: { shape: [2, 2], data: [1.5, 2.5, 3.5, 4.5] },
        dtype: "float64[]",
      },
      { op: "setkeyword", key: "k3", value: { deep: { deeper: 1 } } },
      { op: "setkeyword", key: "own", value: [1, 2], dtype: "complex64", column: columns[0]!.name },
    ],
  });
  const model: Model = { rows, columns: new Map(), keywords: {} };
  for (const job of columns) {
    const { type, name } = managers.find((one) => one.columns.includes(job.name))!;
    const column: ModelColumn = { job, kind: TYPES[type]!, manager: name!, cells: [], keywords: {} };
    model.columns.set(job.name, column);
  }
  take(model, await oracleSchema(path), await oracleRows(path));
  return model;
}

/** Takes over what casacore reads. */
function take(model: Model, schema: TableSchema, rows: readonly Row[]): void {
  model.rows = schema.rows;
  model.keywords = { ...schema.keywords };
  for (const [name, column] of model.columns) {
    const found = schema.columns.find((one) => one.name === name)!;
    column.keywords = { ...found.keywords };
    if (column.kind !== "memory") column.cells = rows.map((row) => row[name]);
  }
}

/** casacore aborts when it closes a table of its own that has such a column, if it has rows. */
function endsCasacore({ kind, shape, direct }: JobColumn, manager: ManagerName): boolean {
  return manager === "memory" && kind === "array" && shape !== undefined && !direct;
}

/** casacore's turn: what it does well (format reference part 1, section 15). */
function theirTurn(model: Model, changes: readonly Change[], addsRows: boolean) {
  const operations: JobOperation[] = [], jobs = new Map<string, JobColumn>();
  for (const [name, { job }] of model.columns) jobs.set(name, { ...job, name });
  let rows = model.rows;
  for (const [kind, a, b, c] of changes) {
    const names = [...model.columns.keys()], name = names[a % names.length]!;
    const column = model.columns.get(name);
    switch (kind % 6) {
      case 0: {
        if (!addsRows) break;
        const count = 1 + b % 5;
        operations.push({ op: "addrows", count });
        rows += count;
        break;
      }
      case 1: {
        if (column === undefined || rows === 0 || column.kind === "memory") break;
        // Arrays in an IncrementalStMan and other shapes in a TiledCellStMan are among what casacore does badly.
        if (
          column.job.kind === "array" && (column.kind === "incremental" || column.job.shape === undefined)
        ) break;
        operations.push({ op: "fill", columns: [name], rows: [b % rows], seed: c % 1000 });
        break;
      }
      case 2: {
        const key = `k${b % 4}`;
        if (model.keywords[key] === undefined) {
          operations.push({ op: "setkeyword", key, value: c % 100 });
          model.keywords[key] = 0;
        } else {
          operations.push({ op: "removekeyword", key });
          delete model.keywords[key];
        }
        break;
      }
      case 3: {
        if (column === undefined) break;
        const to = `r${operations.length}_${b}_${c}`;
        operations.push({ op: "renamecolumn", from: name, to });
        model.columns = new Map([...model.columns].map(([n, c]) => [n === name ? to : n, c]));
        jobs.set(to, { ...jobs.get(name)!, name: to });
        break;
      }
      case 4: {
        if (column?.kind !== "standard") break;
        operations.push({ op: "removecolumns", columns: [name] });
        model.columns.delete(name);
        break;
      }
      case 5: {
        if (addsRows) break;
        const job = { ...POOL[b % POOL.length]!, name: `t${operations.length}_${b}_${c}` };
        const manager = `m_${job.name}`;
        operations.push({
          op: "addcolumns",
          columns: [job],
          managers: [{ type: "StandardStMan", name: manager, columns: [job.name] }],
        });
        model.columns.set(job.name, { job, kind: "standard", manager, cells: [], keywords: {} });
        jobs.set(job.name, job);
      }
    }
  }
  return { operations, columns: [...jobs.values()] };
}

/** A table with columns that come and go. */
class Altered implements Subject {
  readonly path: string;
  readonly #place: Place;
  readonly #addsRows: boolean;
  #bench: Bench;
  #open = true;

  constructor(place: Place, bench: Bench, addsRows: boolean) {
    this.path = place.path;
    this.#place = place;
    this.#bench = bench;
    this.#addsRows = addsRows;
    bench.check();
  }

  change(change: Change): string {
    this.#bench.change(change);
    return CHANGES[change[0] % KINDS]!;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#bench.check();
    } finally {
      this.#bench.close();
    }
  }

  shown(): Shown {
    const { rows, keywords, columns } = this.#bench.model;
    return {
      rows,
      keywords: { ...keywords },
      columns: [...columns].map(([name, { job, cells, keywords, kind }]) => ({
        name,
        dtype: job.dtype,
        cells: kind === "memory" ? null : [...cells],
        keywords: { ...keywords },
      })),
    };
  }

  theirs(changes: readonly Change[]): { operations: JobOperation[]; columns: JobColumn[] } {
    return theirTurn(this.#bench.model, changes, this.#addsRows);
  }

  take(schema: TableSchema, rows: readonly Row[]): void {
    take(this.#bench.model, schema, rows);
  }

  open(): void {
    const { names, model } = this.#bench;
    this.#bench = new Bench(this.#place, Table.open(this.path, { mode: "rw" }), model);
    this.#bench.names = names;
    this.#open = true;
    compare(this.#bench.table, model, true);
    this.#bench.takeMemory();
  }
}

/** Makes tables of some managers; every other one is made by casacore. */
export function altered(managers: readonly ManagerName[]): Maker {
  return async (path, seed) => {
    const random = generator(seed), byteOrder = seed % 3 === 0 ? "big" : "little";
    const place = { path, options: { byteOrder }, managers, avoid: endsCasacore };
    // casacore trips over rows that it adds where it added columns.
    const addsRows = random(2) === 0;
    if (seed % 2 === 0) {
      const columns = Array.from({ length: 1 + random(5) }, () => [random(1e6), random(1e6)] as const);
      return new Altered(place, Bench.create(place, columns, random(12)), addsRows);
    }
    const model = await madeByCasacore(path, byteOrder, managers, seed);
    return new Altered(place, new Bench(place, Table.open(path, { mode: "rw" }), model), addsRows);
  };
}
