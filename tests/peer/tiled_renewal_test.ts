/**
 * Hypercubes that Tessera put into new data files: casacore reads them, changes them, adds rows and shapes, and Tessera
 * puts them into other files again.
 */
import assert from "node:assert/strict";
import { numericInfo, type NumericType } from "../../src/array/dtype.ts";
import { elementsOf, rowList } from "../../src/array/rows.ts";
import type { JobColumn } from "./oracle/values.ts";
import { compile, compilerTest, run } from "./compiler.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { TiledTable } from "./tiled_table.ts";

const SHAPES = [[3, 5], [4, 2]] as const;

/** Finite values of every kind. */
function someBytes(dtype: NumericType, elements: number, seed: number): Uint8Array {
  const { size, items } = numericInfo(dtype);
  const bytes = new Uint8Array(elements * size);
  if (dtype === "bool") bytes.forEach((_, i) => bytes[i] = (i * 5 + seed) % 3 === 0 ? 1 : 0);
  else if (dtype === "int16") new Int16Array(bytes.buffer).forEach((_, i, all) => all[i] = i * 7 + seed);
  else new Float32Array(bytes.buffer, 0, elements * items).forEach((_, i, all) => all[i] = i / 4 - seed);
  return bytes;
}

function dataFiles(path: string): string[] {
  return [...Deno.readDirSync(path)].map((entry) => entry.name).filter((name) => name.includes("_TSM"))
    .sort();
}

/** Puts all cells of each shape, with other values each time, and checks that their data files are others afterwards. */
function renew(path: string, columns: readonly JobColumn[], seed: number): void {
  const before = dataFiles(path);
  const shapes = new Set<string>();
  using table = new TiledTable(path, { writable: true, renews: true });
  columns.forEach(({ name, dtype }, i) => {
    const managed = table.managerOf(name).column(table.indexOf(name));
    for (const shape of SHAPES) {
      const rows: number[] = [];
      for (let row = 0; row < table.rowCount; row++) {
        const [run] = table.run(managed.shapes(rowList([row])));
        if (String(run!.shape) === String(shape)) rows.push(row);
      }
      if (rows.length === 0) continue;
      shapes.add(String(shape));
      const type = dtype as NumericType;
      table.putColumn(name, rowList(rows), shape, someBytes(type, elementsOf(shape) * rows.length, seed + i));
    }
  });
  table.flush();
  for (const manager of table.managers.values()) assert.deepEqual(table.run(manager.check!()), []);
  const after = dataFiles(path);
  assert.equal(after.length, before.length);
  // Cells of other shapes stay where they are.
  assert.equal(after.filter((name) => !before.includes(name)).length, shapes.size);
}

async function assertAgreed(path: string): Promise<void> {
  using table = new TiledTable(path);
  assertSameRows(table.rows(), await oracleRows(path));
  for (const manager of table.managers.values()) assert.deepEqual(table.run(manager.check!()), []);
}

for (const byteOrder of ["little", "big"] as const) {
  for (const type of ["TiledColumnStMan", "TiledShapeStMan"]) {
    peerTest(`${type}, ${byteOrder} endian: casacore goes on with hypercubes in new files`, async () => {
      using folder = temporaryFolder();
      const path = `${folder.path}/t`;
      const columns = (["complex64", "bool", "int16"] as const).map((dtype, i): JobColumn => ({
        name: `c${i}`,
        dtype,
        kind: "array",
        like: "c0",
        ...(type === "TiledColumnStMan" ? { shape: SHAPES[0] } : { ndim: 2, shapes: SHAPES }),
      }));
      const managers = [{
        type,
        name: "T",
        columns: ["c0", "c1", "c2"],
        spec: { DEFAULTTILESHAPE: [2, 3, 4] },
      }];
      await oracleWrite({ table: path, rows: 17, seed: 6, byteOrder, columns, managers });
      for (let turn = 0; turn < 4; turn++) {
        renew(path, columns, turn);
        await assertAgreed(path);
        // Rows of its own, and a shape that wasn't there.
        const more: JobColumn[] = columns.map((column) =>
          type === "TiledColumnStMan" ? column : { ...column, shapes: [[5 + turn, 1], ...SHAPES] }
        );
        const rows = [17 + 3 * turn, 18 + 3 * turn, 19 + 3 * turn];
        await oracleWrite({
          table: path,
          open: true,
          columns: more,
          operations: [{ op: "addrows", count: 3 }, { op: "fill", rows, seed: turn }],
        });
        await assertAgreed(path);
        if (type === "TiledColumnStMan") {
          await oracleWrite({
            table: path,
            open: true,
            columns,
            operations: [{ op: "fill", rows: [0, 9, 18], seed: turn }],
          });
        }
        {
          using table = new TiledTable(path, { writable: true });
          for (const manager of table.managers.values()) table.run(manager.addRows!(0));
          table.putColumn(
            "c0",
            rowList([rows[0]!]),
            table.run(table.managerOf("c0").column(0).shapes(rowList([rows[0]!])))[0]!.shape!,
            someBytes("complex64", 100, turn),
          );
          table.flush();
        }
        await assertAgreed(path);
      }
    });
  }

  compilerTest(
    `TiledDataStMan, ${byteOrder} endian: casacore goes on with hypercubes in new files`,
    async () => {
      using folder = temporaryFolder();
      const program = `${folder.path}/tiled_data`, path = `${folder.path}/t`;
      compile(new URL("./tiled_data.cc", import.meta.url).pathname, program);
      run(program, [path, byteOrder === "big" ? "1" : "0", "many"]);
      for (let turn = 0; turn < 3; turn++) {
        const before = dataFiles(path);
        {
          using table = new TiledTable(path, { writable: true, renews: true });
          const rows = rowList(Array.from({ length: 54 }, (_, row) => row));
          table.putColumn(
            "c",
            rows,
            [5],
            new Uint8Array(new Float64Array(54 * 10).map((_, i) => i + turn).buffer),
          );
          table.flush();
        }
        assert.deepEqual(dataFiles(path).filter((name) => before.includes(name)), []);
        await oracleWrite({
          table: path,
          open: true,
          columns: [{ name: "a", dtype: "int16", kind: "array", shape: [5] }],
          operations: [{ op: "fill", rows: [0, 7, 40], seed: turn }],
        });
        using table = new TiledTable(path);
        assertSameRows(table.rows(54), await oracleRows(path, { columns: table.columnNames, rows: [0, 54] }));
        for (const manager of table.managers.values()) assert.deepEqual(table.run(manager.check!()), []);
      }
    },
  );
}
