/** casacore writes tiled columns, Tessera reads them. */
import { NUMERIC_TYPES, type NumericType } from "../../src/array/dtype.ts";
import { generatedRows, type JobColumn } from "./oracle/values.ts";
import {
  assertSameRows,
  type JobManager,
  oracleRows,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";
import { TiledTable } from "./tiled_table.ts";

const ROWS = 23;

/** casacore's Python binding can't open tables with uint16 columns; they have a test of their own. */
const DTYPES = NUMERIC_TYPES.filter((dtype) => dtype !== "uint16");

const SHAPES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [[5], [9], [1]],
  2: [[4, 6], [3, 5]],
  3: [[2, 3, 4], [5, 1, 3]],
  4: [[2, 3, 2, 3], [1, 4, 3, 2]],
};

/** Tile shapes of a manager; none of them divides all cubes. */
const TILES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [[2, 4], [5, 7], [16, 1]],
  2: [[2, 4, 3], [4, 6, 8], [3, 1, 50]],
  3: [[2, 2, 2, 2], [5, 3, 4, 6], [1, 3, 2, 40]],
  4: [[2, 2, 2, 2, 2], [1, 4, 3, 3, 5], [2, 1, 2, 1, 30]],
};

async function compare(
  job: { table: string; rows: number; seed: number; columns: readonly JobColumn[] },
): Promise<void> {
  using table = new TiledTable(job.table);
  const rows = table.rows();
  const uint16 = job.columns.some((column) => column.dtype === "uint16");
  if (!uint16) assertSameRows(rows, await oracleRows(job.table));
  assertSameRows(rows, generatedRows(job.columns, job.seed, 0, job.rows));
}

const KINDS = ["TiledShapeStMan", "TiledColumnStMan", "TiledCellStMan"] as const;

for (const type of KINDS) {
  for (const byteOrder of ["little", "big"] as const) {
    peerTest(
      `${type} of casacore, ${byteOrder} endian: cells of every type and of one to four axes`,
      async () => {
        using folder = temporaryFolder();
        for (const ndim of [1, 2, 3, 4]) {
          const columns: JobColumn[] = [], managers: JobManager[] = [];
          DTYPES.forEach((dtype: NumericType, i) => {
            const name = `c_${dtype}`;
            const shapes = SHAPES[ndim]!, tiles = TILES[ndim]!;
            const cells = type === "TiledColumnStMan"
              ? { shape: shapes[i % shapes.length]! }
              : { ndim, shapes, undefinedEvery: 4 };
            columns.push({ name, dtype, kind: "array", ...cells });
            const tile = tiles[i % tiles.length]!;
            const DEFAULTTILESHAPE = type === "TiledCellStMan" ? tile.slice(0, -1) : tile;
            managers.push({ type, name: `T_${dtype}`, columns: [name], spec: { DEFAULTTILESHAPE } });
          });
          const job = {
            table: `${folder.path}/t${ndim}`,
            rows: ROWS,
            seed: ndim,
            byteOrder,
            columns,
            managers,
          };
          await oracleWrite(job);
          await compare(job);
        }
      },
    );
  }
}

peerTest("several columns in the tiles of one casacore manager", async () => {
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
    "int16",
  ];
  for (const type of KINDS) {
    for (const byteOrder of ["little", "big"] as const) {
      const columns = dtypes.map((dtype, i): JobColumn => ({
        name: `c${i}`,
        dtype,
        kind: "array",
        like: "c0",
        ...(type === "TiledColumnStMan"
          ? { shape: [3, 5] }
          : { ndim: 2, shapes: [[3, 5], [4, 2], [7, 1]], undefinedEvery: 5 }),
      }));
      const DEFAULTTILESHAPE = type === "TiledCellStMan" ? [2, 3] : [2, 3, 4];
      const managers = [{
        type,
        name: "T",
        columns: columns.map((column) => column.name),
        spec: { DEFAULTTILESHAPE },
      }];
      const job = {
        table: `${folder.path}/${type}${byteOrder}`,
        rows: ROWS,
        seed: 5,
        byteOrder,
        columns,
        managers,
      };
      await oracleWrite(job);
      await compare(job);
    }
  }
});

peerTest("a hypercolumn definition that names the data columns in another order", async () => {
  using folder = temporaryFolder();
  const columns: JobColumn[] = ["a", "b", "c", "d"].map((name) => ({
    name,
    dtype: name === "c" ? "int32" : "float32",
    kind: "array",
    shape: [3, 4],
  }));
  for (const type of ["TiledShapeStMan", "TiledColumnStMan"]) {
    const job = {
      table: `${folder.path}/${type}`,
      rows: 7,
      seed: 1,
      columns,
      managers: [{ type, name: "HC", columns: ["a", "b", "c", "d"], spec: { DEFAULTTILESHAPE: [2, 2, 2] } }],
      hypercolumns: { HC: { ndim: 3, data: ["d", "a", "c", "b"] } },
    };
    await oracleWrite(job);
    await compare(job);
  }
});

peerTest("uint16 columns of casacore in tiles", async () => {
  using folder = temporaryFolder();
  for (const byteOrder of ["little", "big"] as const) {
    for (const type of KINDS) {
      const cells = type === "TiledColumnStMan"
        ? { shape: [3, 2] }
        : { ndim: 2, shapes: [[3, 2], [1, 4]], undefinedEvery: 3 };
      // The harness knows what the binding says of a table whose first column is a uint16 scalar.
      const columns: JobColumn[] = [{ name: "s", dtype: "uint16" }, {
        name: "a",
        dtype: "uint16",
        kind: "array",
        ...cells,
      }];
      const DEFAULTTILESHAPE = type === "TiledCellStMan" ? [2, 2] : [2, 2, 3];
      const managers = [{ type, name: "A", columns: ["a"], spec: { DEFAULTTILESHAPE } }];
      const job = {
        table: `${folder.path}/${type}${byteOrder}`,
        rows: 7,
        seed: 2,
        byteOrder,
        columns,
        managers,
      };
      await oracleWrite(job);
      await compare({ ...job, columns: columns.slice(1) });
    }
  }
});

peerTest("scalar columns in TiledColumnStMan", async () => {
  using folder = temporaryFolder();
  const dtypes: NumericType[] = ["float64", "bool", "int32", "complex64"];
  for (const byteOrder of ["little", "big"] as const) {
    const columns = dtypes.map((dtype): JobColumn => ({ name: dtype, dtype }));
    const job = {
      table: `${folder.path}/${byteOrder}`,
      rows: 31,
      seed: 3,
      byteOrder,
      columns,
      managers: [{ type: "TiledColumnStMan", name: "S", columns: dtypes, spec: { DEFAULTTILESHAPE: [12] } }],
      hypercolumns: { S: { ndim: 1, data: dtypes } },
    };
    await oracleWrite(job);
    await compare(job);
  }
});

peerTest("coordinate columns of casacore", async () => {
  using folder = temporaryFolder();
  const dtypes: NumericType[] = ["int32", "uint32", "float32", "float64", "complex64", "complex128"];
  for (const type of KINDS) {
    for (const [i, dtype] of dtypes.entries()) {
      const isCell = type === "TiledCellStMan";
      const shapes = type === "TiledColumnStMan" ? { shape: [3, 4] } : { ndim: 2, shapes: [[3, 4], [5, 2]] };
      const columns: JobColumn[] = [
        { name: "data", dtype: "float32", kind: "array", ...shapes },
        { name: "x", dtype, kind: "array", ndim: 1, fill: false },
        { name: "y", dtype: dtypes[(i + 1) % dtypes.length]!, kind: "array", ndim: 1, fill: false },
        ...(isCell ? [] : [{ name: "t", dtype: dtypes[(i + 2) % dtypes.length]!, specials: false }]),
      ];
      const names = columns.map((column) => column.name);
      const table = `${folder.path}/${type}${dtype}`;
      const value = (data: number[]) => ({
        shape: [data.length / (dtype.startsWith("complex") ? 2 : 1)],
        data,
      });
      await oracleWrite({
        table,
        rows: 9,
        seed: i,
        byteOrder: i % 2 === 0 ? "little" : "big",
        columns,
        managers: [{
          type,
          name: "HC",
          columns: names,
          spec: { DEFAULTTILESHAPE: isCell ? [2, 2] : [2, 2, 2] },
        }],
        hypercolumns: {
          HC: { ndim: isCell ? 2 : 3, data: ["data"], coord: isCell ? ["x", "y"] : ["x", "y", "t"] },
        },
      });
      using before = new TiledTable(table);
      assertSameRows(before.rows(), await oracleRows(table));
      const length = (before.cell("x", 2) as { shape: number[] }).shape[0]!;
      const data = Array.from({ length: length * (dtype.startsWith("complex") ? 2 : 1) }, (_, k) => 10 + k);
      await oracleWrite({
        table,
        open: true,
        columns,
        operations: [{ op: "put", column: "x", row: 2, value: value(data) }, { op: "addrows", count: 3 }],
      });
      using after = new TiledTable(table);
      // A new row without shape has no position, and so no scalar coordinate.
      const end = type === "TiledColumnStMan" ? 12 : 9;
      assertSameRows(after.rows(end), await oracleRows(table, { rows: [0, end] }));
    }
  }
});
