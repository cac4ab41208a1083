/**
 * Tables with TiledCellStMan and TiledDataStMan, and with coordinates, made through the public face: casacore reads and
 * changes them, Tessera goes on.
 */
import assert from "node:assert/strict";
import {
  array,
  type NDArray,
  scalar,
  standard,
  Table,
  tiledCell,
  tiledColumn,
  tiledData,
  tiledShape,
} from "../../mod.ts";
import { compile, compilerTest, run } from "./compiler.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { TiledTable } from "./tiled_table.ts";

const BYTE_ORDERS = ["little", "big"] as const;

/** What Tessera and casacore read is the same, and nothing is wrong with the table. */
async function assertAgreed(path: string): Promise<void> {
  using table = new TiledTable(path);
  assertSameRows(table.rows(), await oracleRows(path, { columns: table.columnNames }));
  for (const manager of table.managers.values()) assert.deepEqual(table.run(manager.check!()), []);
}

/** Values that are never all equal. */
function floats(shape: number[], seed: number): NDArray {
  const count = shape.reduce((n, length) => n * length, 1);
  return { dtype: "float32", shape, data: Float32Array.from({ length: count }, (_, i) => seed * 1000 + i) };
}

function flags(shape: number[], seed: number): NDArray {
  const count = shape.reduce((n, length) => n * length, 1);
  return {
    dtype: "bool",
    shape,
    data: Uint8Array.from({ length: count }, (_, i) => (i * 7 + seed) % 3 === 0 ? 1 : 0),
  };
}

for (const byteOrder of BYTE_ORDERS) {
  compilerTest(`${byteOrder} endian: casacore reads, extends and changes a table of tiledData`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`, program = `${folder.path}/tiled_data`;
    compile(new URL("./tiled_data.cc", import.meta.url).pathname, program);
    const append = (table: Table, spw: number, channels: number, count: number) => {
      const first = table.rowCount;
      table.append({
        SPW: Int32Array.from({ length: count }, () => spw),
        LABEL: Array(count).fill(`band ${spw}`),
        DATA: floats([2, channels, count], first),
        FLAG: flags([2, channels, count], first),
        TIME: Float64Array.from({ length: count }, (_, i) => 100 * first + i),
      });
    };
    {
      using table = Table.create(path, {
        byteOrder,
        columns: [
          array("DATA", "float32", { ndim: 2 }),
          scalar("SPW", "int32"),
          array("FREQ", "float64", { ndim: 1 }),
          array("FLAG", "bool", { ndim: 2 }),
          scalar("TIME", "float64"),
          scalar("LABEL", "string"),
        ],
        storage: [
          tiledData("HC", ["DATA", "FLAG"], {
            ids: ["SPW", "LABEL"],
            coordinates: [null, "FREQ", "TIME"],
            tileShape: [2, 3, 4],
          }),
        ],
      });
      for (let turn = 0; turn < 3; turn++) {
        append(table, 0, 5, 3 + turn);
        append(table, 1, 8, 2);
      }
      table.putCell("FREQ", 4, Float64Array.from({ length: 8 }, (_, i) => 1.4e9 + i));
    }
    await assertAgreed(path);
    run(program, [path, "0", "grow"]);
    await assertAgreed(path);
    await oracleWrite({
      table: path,
      open: true,
      columns: [{ name: "DATA", dtype: "float32", kind: "array", shape: [2, 3] }],
      operations: [{ op: "fill", rows: [22, 23], seed: 5 }],
    });
    {
      using table = Table.open(path, { mode: "rw" });
      // The cube of casacore's own grows on, as the others do.
      append(table, 7, 3, 4);
      append(table, 0, 5, 1);
      append(table, 9, 1, 2);
      table.putColumn("DATA", floats([2, 3, 2], 77), { rows: Uint32Array.of(23, 22) });
    }
    await assertAgreed(path);
    using table = Table.open(path);
    assert.equal(table.managerDetails(0)!.info.hypercubes, 4);
    assert.deepEqual(table.getCell("SPW", table.rowCount - 1), 9);
  });

  peerTest(
    `${byteOrder} endian: casacore reads and changes tables of every tiled manager with coordinates`,
    async () => {
      using folder = temporaryFolder();
      for (const kind of ["cell", "column", "shape", "data"] as const) {
        const path = `${folder.path}/${kind}`;
        const fixed = kind === "column";
        const options = { tileShape: [2, 2, 3] };
        const spec = {
          cell: () => tiledCell("HC", ["A", "B"], { ...options, coordinates: [null, "X"] }),
          column: () => tiledColumn("HC", ["A", "B"], { ...options, coordinates: [null, "X", "T"] }),
          shape: () => tiledShape("HC", ["A", "B"], { ...options, coordinates: [null, "X", "T"] }),
          data: () => tiledData("HC", ["A", "B"], { ...options, coordinates: [null, "X", "T"] }),
        }[kind]();
        {
          using table = Table.create(path, {
            byteOrder,
            columns: [
              scalar("T", "int32"),
              array("A", "float32", fixed ? { shape: [3, 4] } : { ndim: 2 }),
              array("B", "bool", fixed ? { shape: [3, 4] } : { ndim: 2 }),
              array("X", "complex64", { ndim: 1 }),
            ],
            // In a cube that is a cell there is no axis for T.
            storage: [spec, standard()],
          });
          for (let turn = 0; turn < 3; turn++) {
            table.append({
              A: floats([3, 4, 5], turn),
              B: flags([3, 4, 5], turn),
              T: Int32Array.of(1, 2, 3, 4, turn),
            });
          }
          table.putCell("X", 2, Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
        }
        await assertAgreed(path);
        const columns = [
          { name: "A", dtype: "float32" as const, kind: "array" as const, shape: [3, 4] },
          { name: "B", dtype: "bool" as const, kind: "array" as const, shape: [3, 4] },
        ];
        const more = kind === "data" ? [] : [{ op: "addrows" as const, count: 2 }];
        const rows = kind === "data" ? [1, 14] : [1, 14, 15, 16];
        await oracleWrite({
          table: path,
          open: true,
          columns,
          operations: [...more, { op: "fill", rows, seed: 4 }],
        });
        await assertAgreed(path);
        {
          using table = Table.open(path, { mode: "rw" });
          table.append({ A: floats([3, 4, 2], 9), B: flags([3, 4, 2], 9) });
          if (kind === "shape" || kind === "cell") table.putCell("A", table.rowCount - 1, floats([3, 4], 3));
          if (kind === "cell") {
            // Axis 1 has coordinates, and keeps its length; the other column's cell gets the new shape, too.
            table.putCell("A", 3, floats([5, 4], 3));
            assert.deepEqual(table.getCell("B", 3), {
              dtype: "bool",
              shape: [5, 4],
              data: new Uint8Array(20),
            });
          }
          assert.throws(
            () => table.putCell("A", 0, floats([3, 5], 1)),
            { name: "TableError", code: "SHAPE_MISMATCH" },
          );
        }
        await assertAgreed(path);
      }
    },
  );
}
