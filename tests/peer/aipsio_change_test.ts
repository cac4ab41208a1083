/** Rows and columns of a StManAipsIO come and go, in turns with casacore; and its bytes are casacore's. */
import assert from "node:assert/strict";
import { DTYPES } from "../../src/array/dtype.ts";
import { rowList } from "../../src/array/rows.ts";
import { type PlainTableDat, readTableDat } from "../../src/format/table-dat.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import type { Plan } from "../../src/io/plan.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { writeAips } from "../unit/storage_aipsio_support.ts";
import { boundColumns, openTable } from "../unit/storage_standard_support.ts";
import { changeTests, edgeTests } from "./change_sequence.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { generatedCell, generatedRows, type JobColumn, printedCell } from "./oracle/values.ts";
import { StandardTable } from "./standard_table.ts";

changeTests("StManAipsIO", 16);
edgeTests("StManAipsIO");

/** The Python binding can't open tables with uint16 columns, and can't write records. */
const TYPES = DTYPES.filter((dtype) => dtype !== "uint16" && dtype !== "record");

const COLUMNS: readonly JobColumn[] = TYPES.flatMap((dtype): JobColumn[] => [
  { name: `s_${dtype}`, dtype },
  { name: `d_${dtype}`, dtype, kind: "array", shape: [3, 3], direct: true },
  { name: `f_${dtype}`, dtype, kind: "array", shape: [2, 5] },
  { name: `v_${dtype}`, dtype, kind: "array", undefinedEvery: 3 },
]).map((column) => ({ ...column, managerType: "StManAipsIO" }));

function sameBytes(ours: Uint8Array, theirs: Uint8Array, name: string): void {
  assert.equal(ours.length, theirs.length, `length of ${name}`);
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  const around = (bytes: Uint8Array) => bytes.slice(Math.max(0, at - 8), at + 16).toHex();
  if (at >= 0) assert.fail(`${name} differs at ${at}: ${around(ours)}, casacore has ${around(theirs)}`);
}

for (const byteOrder of ["little", "big"] as const) {
  peerTest(
    `a StManAipsIO in a ${byteOrder}-endian table has casacore's bytes, new and after changes`,
    async () => {
      using folder = temporaryFolder();
      const theirs = `${folder.path}/theirs`, ours = `${folder.path}/ours`;
      const managers = [{ type: "StManAipsIO", name: "Old", columns: COLUMNS.map(({ name }) => name) }];
      const late: JobColumn[] = [
        { name: "late", dtype: "int16", kind: "array", shape: [3], managerType: "StManAipsIO" },
        { name: "last", dtype: "bool", managerType: "StManAipsIO" },
      ];
      const job = { rows: 37, seed: 5, byteOrder, columns: COLUMNS, managers };
      const fill = (columns: readonly JobColumn[]) =>
        columns.map(({ name }) => ({ op: "fill" as const, columns: [name], seed: 5 }));
      await oracleWrite({ ...job, table: theirs, fill: false, operations: fill(COLUMNS) });
      using table = StandardTable.create({ ...job, table: ours });
      table.fill(5);
      table.close();
      const compare = async () => {
        sameBytes(Deno.readFileSync(`${ours}/table.f0`), Deno.readFileSync(`${theirs}/table.f0`), "table.f0");
        // Bytes of gaps mean nothing there; that offsets are the same was seen in the other file.
        const [mine, yours] = [ours, theirs].map((path) => Deno.readFileSync(`${path}/table.f0i`));
        sameBytes(mine!.subarray(0, 16), yours!.subarray(0, 16), "header of table.f0i");
        assert.equal(mine!.length, yours!.length);
        assertSameRows(await oracleRows(ours), await oracleRows(theirs));
      };
      await compare();

      const gone = [0, 1, 5, 20, 21, 36];
      await oracleWrite({
        table: theirs,
        open: true,
        columns: COLUMNS,
        operations: [
          { op: "removerows", rows: gone },
          { op: "removecolumns", columns: ["s_int32", "v_bool"] },
          { op: "addcolumns", columns: late, fill: false },
          ...fill(late),
        ],
      });
      using changed = StandardTable.open(ours, COLUMNS, "StManAipsIO");
      changed.bench.removeRows(rowList(gone));
      for (const name of ["s_int32", "v_bool"]) changed.removeColumn(name);
      for (const column of late) changed.addColumn(column);
      changed.fill(5, { columns: late.map(({ name }) => name) });
      changed.close();
      await compare();
    },
  );
}

peerTest(
  "a StManAipsIO of version 1, with an array file for each column, is changed by us, then by casacore",
  async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`, rows = 25;
    const columns: JobColumn[] = [
      { name: "number", dtype: "int32" },
      { name: "direct", dtype: "bool", kind: "array", shape: [3, 3], direct: true },
      { name: "free", dtype: "float32", kind: "array", undefinedEvery: 3 },
      { name: "words", dtype: "string", kind: "array", shape: [2] },
    ].map((column) => ({ ...column, managerType: "StManAipsIO" }) as JobColumn);
    const managers = [{ type: "StManAipsIO", name: "Old", columns: columns.map(({ name }) => name) }];
    await oracleWrite({ table: path, rows, columns, managers, fill: false });
    const bound = boundColumns(readTableDat(Deno.readFileSync(`${path}/table.dat`), path) as PlainTableDat);
    const model = columns.map((column, i) => ({
      bound: bound[i]!,
      cells: Array.from({ length: rows }, (_, row) => generatedCell(column, 3, row)),
    }));
    const files = new TableFiles(path, openBackend("node"), { writable: true });
    writeAips(files, model, rows, { version: 1, cuts: [7, 8] });
    runSync(
      function* (): Plan<void> {
        yield { kind: "remove", file: "table.f0i" };
      }(),
      files,
    );
    files.flush();
    files.close();
    const expected = generatedRows(columns, 3, 0, rows);
    assertSameRows(await oracleRows(path), expected);

    using table = StandardTable.open(path, columns, "StManAipsIO");
    assert.deepEqual(table.bench.manager.files(), ["table.f0", "table.f0i0", "table.f0i1"]);
    table.bench.removeRows(rowList([0, 1, 10, 24]));
    const left = expected.filter((_, row) => ![0, 1, 10, 24].includes(row));
    table.addColumn({ name: "late", dtype: "int16", kind: "array", shape: [2], managerType: "StManAipsIO" });
    table.fill(4, { columns: ["free", "late"], rows: [2, 3, 4] });
    for (const column of table.columns) {
      if (column.name !== "free" && column.name !== "late") continue;
      left.forEach((row, i) => {
        const cell = i >= 2 && i <= 4 ? printedCell(generatedCell(column, 4, i)) : null;
        if (column.name === "late") row.late = cell ?? { shape: [2], data: [0, 0] };
        else if (cell !== null) row.free = cell;
      });
    }
    table.close();
    assertSameRows(await oracleRows(path), left);
    await oracleWrite({
      table: path,
      open: true,
      columns: [...table.columns],
      operations: [{ op: "removerows", rows: [3] }, { op: "fill", rows: [0, 1, 2], seed: 9 }],
    });
    const again = openTable(path, { kind: stManAipsIO });
    assertSameRows(again.rows(), await oracleRows(path));
    assert.deepEqual(again.benches[0]!.findings(), []);
    again.close();
  },
);
