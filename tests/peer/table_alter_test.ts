/**
 * Rows, columns, cells and keywords come and go in turns by us and by casacore, in tables of all managers, whoever made
 * them. After our turn casacore reads what a model has; after casacore's we read what casacore reads; nothing in the
 * files is out of order.
 */
import assert from "node:assert/strict";
import { checkTable, Table } from "../../mod.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import {
  Bench,
  type Change,
  compare,
  fits,
  KINDS,
  type ManagerName,
  type Model,
  type ModelColumn,
  POOL,
} from "../unit/table_alter_support.ts";
import type { JobColumn } from "./oracle/values.ts";
import {
  assertSameRows,
  type JobManager,
  type JobOperation,
  oracleRows,
  oracleSchema,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";
import { generator } from "./random.ts";

/** Turns of each of the two, and changes of a turn. */
const TURNS = 3, OURS = 8, THEIRS = 4;

const TYPES: Readonly<Record<string, ManagerName>> = {
  StandardStMan: "standard",
  IncrementalStMan: "incremental",
  StManAipsIO: "aipsio",
  TiledShapeStMan: "shape",
  TiledColumnStMan: "column",
  TiledCellStMan: "cell",
};

const SETS: Readonly<Record<string, readonly ManagerName[]>> = {
  "all managers with files": Object.values(TYPES),
  "all managers": [...Object.values(TYPES), "memory"],
  "managers whose rows can be removed": ["standard", "incremental", "aipsio"],
  StandardStMan: ["standard"],
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
  await takeFrom(path, model);
  return model;
}

/** Takes over what casacore reads. */
async function takeFrom(path: string, model: Model): Promise<void> {
  const schema = await oracleSchema(path), rows = await oracleRows(path);
  model.rows = schema.rows;
  model.keywords = { ...schema.keywords };
  for (const [name, column] of model.columns) {
    const found = schema.columns.find((one) => one.name === name)!;
    column.keywords = { ...found.keywords };
    if (column.kind !== "memory") column.cells = rows.map((row) => row[name]);
  }
}

/** casacore reads what the model has. */
async function agree(path: string, model: Model): Promise<void> {
  const schema = await oracleSchema(path);
  const kept = [...model.columns].filter(([, { kind }]) => kind !== "memory");
  assert.deepEqual(schema.columns.map(({ name }) => name), [...model.columns.keys()]);
  assert.equal(schema.rows, model.rows);
  assert.deepEqual(schema.keywords, model.keywords);
  for (const [name, { keywords, job }] of model.columns) {
    const column = schema.columns.find((one) => one.name === name)!;
    assert.deepEqual(column.keywords, keywords);
    assert.equal(column.dtype, job.dtype);
  }
  const rows = kept.length === 0 ? [] : await oracleRows(path, { columns: kept.map(([name]) => name) });
  const expected = Array.from(
    { length: kept.length === 0 ? 0 : model.rows },
    (_, row) => Object.fromEntries(kept.map(([name, { cells }]) => [name, cells[row]])),
  );
  assertSameRows(rows, expected);
}

/** casacore aborts when it closes a table of its own that has such a column, if it has rows. */
function endsCasacore({ kind, shape, direct }: JobColumn, manager: ManagerName): boolean {
  return manager === "memory" && kind === "array" && shape !== undefined && !direct;
}

/** casacore's turn: what it does well (format reference part 1, section 15). */
async function theirs(
  path: string,
  model: Model,
  random: (below: number) => number,
  addsRows: boolean,
): Promise<void> {
  const operations: JobOperation[] = [], jobs = new Map<string, JobColumn>();
  for (const [name, { job }] of model.columns) jobs.set(name, { ...job, name });
  let rows = model.rows;
  for (let i = 0; i < THEIRS; i++) {
    const names = [...model.columns.keys()], name = names[random(names.length)]!;
    const column = model.columns.get(name);
    switch (random(6)) {
      case 0: {
        if (!addsRows) break;
        const count = 1 + random(5);
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
        operations.push({ op: "fill", columns: [name], rows: [random(rows)], seed: random(1000) });
        break;
      }
      case 2: {
        const key = `k${random(4)}`;
        if (model.keywords[key] === undefined) {
          operations.push({ op: "setkeyword", key, value: random(100) });
          model.keywords[key] = 0;
        } else {
          operations.push({ op: "removekeyword", key });
          delete model.keywords[key];
        }
        break;
      }
      case 3: {
        if (column === undefined) break;
        const to = `r${random(1e9)}`;
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
        const job = { ...POOL[random(POOL.length)]!, name: `t${random(1e9)}` };
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
  await oracleWrite({ table: path, open: true, columns: [...jobs.values()], operations });
  await takeFrom(path, model);
}

function assertInOrder(path: string): void {
  assert.deepEqual(checkTable(path).findings.filter(({ note }) => !note), []);
}

async function sequence(path: string, managers: readonly ManagerName[], seed: number): Promise<void> {
  const random = generator(seed), byteOrder = seed % 3 === 0 ? "big" : "little";
  const place = { path, options: { byteOrder }, managers, avoid: endsCasacore };
  // casacore trips over rows that it adds where it added columns.
  const addsRows = random(2) === 0;
  let bench: Bench;
  if (seed % 2 === 0) {
    const columns = Array.from({ length: 1 + random(5) }, () => [random(1e6), random(1e6)] as const);
    bench = Bench.create(place, columns, random(12));
  } else {
    const model = await madeByCasacore(path, byteOrder, managers, seed);
    bench = new Bench(place, Table.open(path, { mode: "rw" }), model);
  }
  bench.check();
  for (let turn = 0; turn < TURNS; turn++) {
    for (let i = 0; i < OURS; i++) {
      const change: Change = [random(KINDS), random(1e6), random(1e6), random(1e6)];
      // casacore takes a table without rows for what it was before.
      bench.change(change);
    }
    bench.close();
    assertInOrder(path);
    await agree(path, bench.model);
    if (bench.model.columns.size > 0) await theirs(path, bench.model, random, addsRows);
    using table = Table.open(path);
    compare(table, bench.model, true);
    const names = [...bench.model.columns].filter(([, { kind }]) => kind !== "memory").map(([name]) => name);
    if (names.length > 0) {
      const rows = rowsAsJson(table).map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
      assertSameRows(rows, await oracleRows(path, { columns: names }));
    }
    assertInOrder(path);
    const { names: given } = bench;
    bench = new Bench(place, Table.open(path, { mode: "rw" }), bench.model);
    bench.names = given;
    bench.takeMemory();
  }
  bench.close();
}

const SEQUENCES = Number(Deno.env.get("SEQUENCES") ?? 8), FIRST = Number(Deno.env.get("FIRST") ?? 1);

for (const [name, managers] of Object.entries(SETS)) {
  peerTest(`tables with ${name} change in turns with casacore`, async (t) => {
    for (let seed = FIRST; seed < FIRST + SEQUENCES; seed++) {
      await t.step(`sequence ${seed}`, async () => {
        using folder = temporaryFolder();
        await sequence(`${folder.path}/t`, managers, seed);
      });
    }
  });
}
