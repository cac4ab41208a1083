/**
 * Tessera writes tiled columns: casacore finds the bytes that it would have written itself, reads them, changes them,
 * and Tessera reads again.
 *
 * casacore makes a table; Tessera makes the same managers from its `table.dat` in a copy, and puts the same cells.
 */
import assert from "node:assert/strict";
import { NUMERIC_TYPES, type NumericType } from "../../src/array/dtype.ts";
import { generatedCell, type JobColumn } from "./oracle/values.ts";
import {
  assertSameRows,
  type JobManager,
  oracleRows,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";
import { type MakeOptions, TiledTable } from "./tiled_table.ts";

const DTYPES = NUMERIC_TYPES.filter((dtype) => dtype !== "uint16");

interface WriteJob {
  readonly table: string;
  readonly rows: number;
  readonly seed: number;
  readonly byteOrder: "little" | "big";
  readonly columns: readonly JobColumn[];
  readonly managers: readonly JobManager[];
  readonly hypercolumns?: Readonly<
    Record<string, { ndim: number; data: readonly string[]; coord?: readonly string[] }>
  >;
}

/** Tessera's copy of a table of casacore: the same cells put in the same order. */
function writeCopy(job: WriteJob, path: string): void {
  Deno.mkdirSync(path);
  for (const file of ["table.dat", "table.lock", "table.info"]) {
    Deno.copyFileSync(`${job.table}/${file}`, `${path}/${file}`);
  }
  const make: Record<number, MakeOptions[number]> = {};
  job.managers.forEach(({ name, spec }, i) => {
    const tileShape = spec?.DEFAULTTILESHAPE;
    const maxCacheSize = spec?.MAXIMUMCACHESIZE;
    make[i] = {
      name: name!,
      options: {
        ...(tileShape === undefined ? {} : { tileShape }),
        ...(maxCacheSize === undefined ? {} : { maxCacheSize }),
      },
    };
  });
  using table = new TiledTable(path, { writable: true, make });
  for (const manager of table.managers.values()) table.run(manager.addRows!(job.rows));
  for (let row = 0; row < job.rows; row++) {
    for (const column of job.columns) table.put(column.name, row, generatedCell(column, job.seed, row));
  }
  table.flush();
}

/** The managers' files of two tables are the same, byte by byte. */
function assertSameFiles(ours: string, theirs: string): void {
  const names = (path: string) =>
    [...Deno.readDirSync(path)].map((entry) => entry.name).filter((name) => /^table\.f/.test(name)).sort();
  assert.deepEqual(names(ours), names(theirs));
  for (const name of names(ours)) {
    assert.deepEqual(Deno.readFileSync(`${ours}/${name}`), Deno.readFileSync(`${theirs}/${name}`), name);
  }
}

async function check(job: WriteJob): Promise<void> {
  await oracleWrite(job);
  const copy = `${job.table}.copy`;
  writeCopy(job, copy);
  assertSameFiles(copy, job.table);
  assertSameRows(await oracleRows(copy), await oracleRows(job.table));
  // casacore goes on with Tessera's table.
  const data = job.columns.filter((column) => column.kind === "array");
  const change = [
    { op: "addrows" as const, count: 5 },
    { op: "fill" as const, rows: Array.from({ length: 5 }, (_, i) => job.rows + i), seed: 99 },
    { op: "addrows" as const, count: 1 },
  ];
  await oracleWrite({ table: copy, open: true, columns: data, operations: change });
  const after = { table: copy, open: true, columns: job.columns };
  if (data.every((column) => column.shape !== undefined)) {
    await oracleWrite({ ...after, operations: [{ op: "fill", rows: [0, 3, job.rows - 1], seed: 98 }] });
  }
  using table = new TiledTable(copy);
  assert.equal(table.rowCount, job.rows + 6);
  // The last row has no shape in TiledShapeStMan, and so no scalar coordinate.
  const end = table.rowCount - (job.columns.some((column) => column.kind !== "array") ? 1 : 0);
  assertSameRows(table.rows(end), await oracleRows(copy, { rows: [0, end] }));
}

for (const type of ["TiledShapeStMan", "TiledColumnStMan", "TiledCellStMan"] as const) {
  for (const byteOrder of ["little", "big"] as const) {
    peerTest(
      `${type}, ${byteOrder} endian: files are those of casacore, which reads and changes them`,
      async () => {
        using folder = temporaryFolder();
        const tiles: Readonly<Record<number, readonly number[]>> = {
          1: [3, 5],
          2: [2, 4, 3],
          3: [2, 2, 3, 4],
          4: [2, 1, 2, 3, 5],
        };
        for (const ndim of [1, 2, 3, 4]) {
          for (const fixed of type === "TiledColumnStMan" ? [true] : [false, true]) {
            const shapes = [[5, 2, 3, 2].slice(0, ndim), [3, 4, 1, 5].slice(0, ndim)];
            const columns = DTYPES.map((dtype): JobColumn => ({
              name: `c_${dtype}`,
              dtype,
              kind: "array",
              ...(fixed ? { shape: shapes[0]! } : { ndim, shapes }),
            }));
            const managers = DTYPES.map((dtype, i): JobManager => ({
              type,
              name: `T_${dtype}`,
              columns: [`c_${dtype}`],
              spec: {
                DEFAULTTILESHAPE: i % 3 === 2 ? [...tiles[ndim]!.slice(0, -1), 50] : tiles[ndim]!,
                MAXIMUMCACHESIZE: i,
              },
            }));
            await check({
              table: `${folder.path}/t${ndim}${fixed}`,
              rows: 13,
              seed: ndim,
              byteOrder,
              columns,
              managers,
            });
          }
        }
      },
    );

    peerTest(`${type}, ${byteOrder} endian: several columns in shared tiles, byte for byte`, async () => {
      using folder = temporaryFolder();
      const dtypes: NumericType[] = [
        "float32",
        "bool",
        "complex64",
        "int32",
        "bool",
        "float32",
        "uint8",
        "complex128",
      ];
      const columns = dtypes.map((dtype, i): JobColumn => ({
        name: `c${i}`,
        dtype,
        kind: "array",
        like: "c0",
        ...(type === "TiledColumnStMan" ? { shape: [3, 5] } : { ndim: 2, shapes: [[3, 5], [4, 2], [7, 1]] }),
      }));
      const names = columns.map((column) => column.name);
      const managers = [{ type, name: "T", columns: names, spec: { DEFAULTTILESHAPE: [2, 3, 4] } }];
      const base = { rows: 17, seed: 6, byteOrder, columns, managers };
      await check({ ...base, table: `${folder.path}/plain` });
      const data = [...names].reverse();
      const ndim = type === "TiledCellStMan" ? 2 : 3;
      await check({ ...base, table: `${folder.path}/defined`, hypercolumns: { T: { ndim, data } } });
    });
  }
}

peerTest("tile shapes left to Tessera are those that casacore chooses, byte for byte", async () => {
  using folder = temporaryFolder();
  const shapes = [[4, 64], [1, 100], [7, 33], [300, 5]];
  for (const [i, DEFAULTTILESHAPE] of [undefined, [0, 16], [2], [0, 0, 10], [5, 0, 3, 9]].entries()) {
    for (const type of ["TiledShapeStMan", "TiledColumnStMan", "TiledCellStMan"]) {
      const cells = type === "TiledColumnStMan" ? { shape: shapes[i % shapes.length]! } : { ndim: 2, shapes };
      await check({
        table: `${folder.path}/${type}${i}`,
        rows: 9,
        seed: i,
        byteOrder: "little",
        columns: [{ name: "a", dtype: "int16", kind: "array", ...cells }],
        managers: [{
          type,
          name: "A",
          columns: ["a"],
          spec: DEFAULTTILESHAPE === undefined ? {} : { DEFAULTTILESHAPE },
        }],
      });
    }
  }
});

peerTest("undefined rows and rows set in any order: casacore reads Tessera's row map", async () => {
  using folder = temporaryFolder();
  const column: JobColumn = {
    name: "a",
    dtype: "float32",
    kind: "array",
    ndim: 2,
    shapes: [[3, 5], [4, 2], [7, 1]],
    specials: false,
  };
  const job = {
    table: `${folder.path}/t`,
    rows: 40,
    seed: 1,
    byteOrder: "little" as const,
    columns: [{ ...column, fill: false }],
    managers: [{ type: "TiledShapeStMan", name: "A", columns: ["a"], spec: { DEFAULTTILESHAPE: [2, 2, 4] } }],
  };
  await oracleWrite(job);
  const order = Array.from({ length: 40 }, (_, i) => (i * 27 + 5) % 40);
  {
    using table = new TiledTable(job.table, { writable: true });
    for (const row of order.slice(0, 15)) table.put("a", row, generatedCell(column, 1, row));
    table.flush();
  }
  assertSameRows(
    (() => {
      using table = new TiledTable(job.table);
      return table.rows();
    })(),
    await oracleRows(job.table),
  );
  const operations = [{ op: "fill" as const, rows: order.slice(15, 25), seed: 1 }];
  await oracleWrite({ table: job.table, open: true, columns: [column], operations });
  {
    using table = new TiledTable(job.table, { writable: true });
    for (const row of order.slice(25, 32)) table.put("a", row, generatedCell(column, 1, row));
    table.flush();
  }
  const rows = await oracleRows(job.table);
  using table = new TiledTable(job.table);
  assertSameRows(table.rows(), rows);
  assert.equal(rows.filter((row) => row.a === null).length, 8);
});

peerTest("coordinate columns written by Tessera, byte for byte", async () => {
  using folder = temporaryFolder();
  const dtypes: NumericType[] = ["int32", "uint32", "float32", "float64", "complex64", "complex128"];
  for (const type of ["TiledColumnStMan", "TiledShapeStMan", "TiledCellStMan"]) {
    for (const [i, dtype] of dtypes.entries()) {
      const cells = type === "TiledColumnStMan" ? { shape: [3, 4] } : { ndim: 2, shapes: [[3, 4], [5, 2]] };
      const columns: JobColumn[] = [
        { name: "data", dtype: "float32", kind: "array", ...cells },
        {
          name: "x",
          dtype,
          kind: "array",
          ndim: 1,
          like: "data",
          shapes: type === "TiledColumnStMan" ? [[3]] : [[3], [5]],
        },
        // In a cube that is a cell every axis has vectors.
        ...(type === "TiledCellStMan" ? [] : [
          { name: "t", dtype: dtypes[(i + 2) % dtypes.length]!, specials: false },
        ]),
      ];
      const names = columns.map((column) => column.name);
      await check({
        table: `${folder.path}/${type}${dtype}`,
        rows: 9,
        seed: i,
        byteOrder: i % 2 === 0 ? "little" : "big",
        columns,
        managers: [{ type, name: "HC", columns: names, spec: { DEFAULTTILESHAPE: [2, 2, 2] } }],
        hypercolumns: {
          HC: type === "TiledCellStMan"
            ? { ndim: 2, data: ["data"], coord: ["x", ""] }
            : { ndim: 3, data: ["data"], coord: ["x", "", "t"] },
        },
      });
    }
  }
});

peerTest("scalar columns in TiledColumnStMan written by Tessera, byte for byte", async () => {
  using folder = temporaryFolder();
  const columns = (["float64", "bool", "int32"] as const).map((dtype): JobColumn => ({ name: dtype, dtype }));
  const names = columns.map((column) => column.name);
  await check({
    table: `${folder.path}/t`,
    rows: 31,
    seed: 3,
    byteOrder: "big",
    columns,
    managers: [{ type: "TiledColumnStMan", name: "S", columns: names, spec: { DEFAULTTILESHAPE: [12] } }],
    hypercolumns: { S: { ndim: 1, data: names } },
  });
});
