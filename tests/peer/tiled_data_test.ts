/**
 * TiledDataStMan of casacore: tiled_data.cc makes the hypercubes, the Python binding puts values, Tessera reads.
 */
import assert from "node:assert/strict";
import { rowRange } from "../../src/array/rows.ts";
import { type JobColumn, printedCell } from "./oracle/values.ts";
import { compile, compilerTest, run } from "./compiler.ts";
import { assertSameRows, oracleRows, oracleWrite, temporaryFolder } from "./peer.ts";
import { TiledTable } from "./tiled_table.ts";

const SOURCE = new URL("./tiled_data.cc", import.meta.url).pathname;

/** Data columns by kind of table, with the shape of cells where all are alike. */
const KINDS: Readonly<Record<string, { assigned: number; rows: number; columns: readonly JobColumn[] }>> = {
  ids: {
    assigned: 24,
    rows: 26,
    columns: [
      { name: "data", dtype: "float32", kind: "array", ndim: 1, fill: true },
      { name: "mask", dtype: "bool", kind: "array", ndim: 1 },
    ],
  },
  axes: {
    assigned: 30,
    rows: 33,
    columns: [{ name: "data", dtype: "complex64", kind: "array", shape: [3, 4] }],
  },
  scalars: {
    assigned: 42,
    rows: 42,
    columns: [{ name: "data", dtype: "float64" }, { name: "mask", dtype: "bool" }],
  },
  many: {
    assigned: 54,
    rows: 61,
    columns: [
      { name: "a", dtype: "int16", kind: "array", shape: [5] },
      { name: "b", dtype: "bool", kind: "array", shape: [5] },
      { name: "c", dtype: "complex128", kind: "array", shape: [5] },
      { name: "d", dtype: "int64", kind: "array", shape: [5] },
    ],
  },
};

compilerTest(
  "TiledDataStMan of casacore: cubes that grow in turn, ids, coordinates, several row axes",
  async () => {
    using folder = temporaryFolder();
    const program = `${folder.path}/tiled_data`;
    compile(SOURCE, program);
    for (const [kind, { assigned, rows, columns }] of Object.entries(KINDS)) {
      for (const big of ["0", "1"]) {
        const path = `${folder.path}/${kind}${big}`;
        run(program, [path, big, kind]);
        using empty = new TiledTable(path);
        assert.equal(empty.rowCount, rows);
        // Cells of different cubes have different shapes: the generator is told which.
        const operations = Array.from({ length: assigned }, (_, row) => {
          return columns.map((column) => {
            const cell = empty.cell(column.name, row);
            const shape = cell !== null && typeof cell === "object" && "shape" in cell
              ? cell.shape
              : undefined;
            return { row, column: { ...column, ...(shape === undefined ? {} : { shape }) } };
          });
        }).flat();
        for (const column of columns) {
          const own = operations.filter((each) => each.column.name === column.name);
          const shapes = new Set(own.map((each) => String(each.column.shape)));
          for (const shape of shapes) {
            const some = own.filter((each) => String(each.column.shape) === shape);
            await oracleWrite({
              table: path,
              open: true,
              columns: [some[0]!.column],
              operations: [{ op: "fill", rows: some.map((each) => each.row), seed: 4 }],
            });
          }
        }
        using table = new TiledTable(path);
        const theirs = await oracleRows(path, { columns: table.columnNames, rows: [0, assigned] });
        assertSameRows(table.rows(assigned), theirs, `${kind}, big ${big}`);
        // Whole columns at once give the same.
        for (const column of columns) {
          if (column.shape === undefined && column.kind === "array") continue;
          const shape = column.shape ?? [];
          const all = table.column(column.name, rowRange(0, assigned), shape);
          const backwards = table.column(column.name, rowRange(assigned - 1, assigned, -1), shape);
          for (let row = 0; row < assigned; row++) {
            assert.deepEqual(printedCell(all[row]!), theirs[row]![column.name]);
            assert.deepEqual(printedCell(backwards[assigned - 1 - row]!), theirs[row]![column.name]);
          }
        }
        // Rows that no cube has yet.
        if (rows > assigned && columns[0]!.kind === "array") {
          assert.equal(table.cell(columns[0]!.name, assigned), null);
        }
      }
    }
  },
);
