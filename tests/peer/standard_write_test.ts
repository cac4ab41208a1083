/** Tessera writes tables with StandardStMan; casacore reads them, changes them, and Tessera reads and changes them again. */
import assert from "node:assert/strict";
import { DTYPES } from "../../src/array/dtype.ts";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { openTable } from "../unit/storage_standard_support.ts";
import { assertSameRows, type Job, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { generatedRows, type JobColumn } from "./oracle/values.ts";
import { StandardTable } from "./standard_table.ts";

const TYPES = DTYPES.filter((dtype) => dtype !== "record" && dtype !== "uint16");

const COLUMNS: readonly JobColumn[] = TYPES.flatMap((dtype): JobColumn[] => [
  { name: `s_${dtype}`, dtype },
  { name: `d_${dtype}`, dtype, kind: "array", shape: [3, 3], direct: true },
  { name: `f_${dtype}`, dtype, kind: "array", shape: [2, 5] },
  { name: `v_${dtype}`, dtype, kind: "array", ndim: -1, undefinedEvery: 3 },
]).concat([
  { name: "bounded", dtype: "string", maxLength: 11 },
  { name: "long", dtype: "string", longest: 1500 },
  { name: "words", dtype: "string", kind: "array", ndim: 1, longest: 200, undefinedEvery: 4 },
]);

for (const byteOrder of ["little", "big"] as const) {
  for (const spec of [{}, { BUCKETROWS: 5 }, { BUCKETSIZE: 4000 }]) {
    peerTest(
      `casacore reads and changes our ${byteOrder}-endian tables with ${JSON.stringify(spec)}`,
      async () => {
        using folder = temporaryFolder();
        const path = `${folder.path}/t`;
        const managers = [{ type: "StandardStMan", name: "SSM", columns: COLUMNS.map((c) => c.name), spec }];
        const job: Job = { table: path, rows: 43, byteOrder, columns: COLUMNS, managers };
        using made = StandardTable.create(job);
        made.fill(11);
        made.close();
        assertSameRows(await oracleRows(path), generatedRows(COLUMNS, 11, 0, 43));

        await oracleWrite({
          table: path,
          open: true,
          columns: COLUMNS,
          operations: [
            { op: "addrows", count: 9 },
            { op: "fill", rows: [43, 44, 47, 51], seed: 12 },
            { op: "fill", rows: [0, 7, 8, 9, 31], seed: 13 },
            { op: "removerows", rows: [2, 3, 40, 50, 51] },
            { op: "reopen" },
            { op: "fill", rows: [1, 4, 5, 46], seed: 14 },
          ],
        });
        const read = openTable(path);
        assertSameRows(read.rows(), await oracleRows(path));
        read.close();

        using changed = StandardTable.open(path, COLUMNS);
        assert.equal(changed.bench.rows, 47);
        changed.bench.addRows(20);
        changed.fill(15, { rows: [47, 50, 66] });
        changed.fill(16, { rows: [0, 1, 2, 3, 20, 46] });
        changed.close();
        const theirs = await oracleRows(path);
        const ours = openTable(path);
        assertSameRows(ours.rows(), theirs);
        ours.close();
        const generated = generatedRows(COLUMNS, 15, 47, 48)[0]!;
        for (const name of Object.keys(generated)) {
          if (generated[name] !== null) assert.deepEqual(theirs[47]![name], generated[name], name);
        }
        // Slots that casacore's removed rows left behind were made zero.
        const zeros = theirs[48]!;
        assert.equal(zeros.s_int32, 0);
        assert.equal(zeros.long, "");
        assert.equal(zeros.v_int32, null);
        assert.deepEqual(zeros.d_uint8, { shape: [3, 3], data: new Array(9).fill(0) });

        // casacore goes on where we stopped.
        await oracleWrite({
          table: path,
          open: true,
          columns: COLUMNS,
          operations: [{ op: "addrows", count: 40 }, { op: "fill", seed: 17 }],
        });
        const last = openTable(path);
        assertSameRows(last.rows(), await oracleRows(path));
        last.close();
      },
    );
  }
}

peerTest("casacore reads a table of more than 2^32 rows that we made", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  const rows = 5_000_000_000;
  const columns: JobColumn[] = [{ name: "flag", dtype: "bool" }];
  const managers = [{ type: "StandardStMan", columns: ["flag"], spec: { BUCKETROWS: 16_000_000 } }];
  using made = StandardTable.create({ table: path, rows, columns, managers });
  const marked = [0, 1, 4_294_967_296, 4_294_967_299, rows - 1];
  for (const row of marked) made.put("flag", row, true);
  made.close();
  for (const row of [...marked, 2, 4_294_967_295, rows - 2]) {
    const [found] = await oracleRows(path, { rows: [row, row + 1] });
    assert.deepEqual(found, { flag: marked.includes(row) }, `row ${row}`);
  }
  await oracleWrite({
    table: path,
    open: true,
    columns,
    operations: [{ op: "put", column: "flag", row: 4_999_999_998, value: true }],
  });
  using ours = StandardTable.open(path, columns);
  assert.equal(ours.bench.rows, rows);
  assert.deepEqual(ours.bench.cells(0, rowRange(rows - 3, 3)), [false, true, true]);

  // Rows leave on both sides of 2^32; then so many that the index takes 32 bits a row again.
  ours.bench.removeRows(rowList([1, 5, 4_294_967_296, 4_294_967_297]));
  ours.close();
  for (const [row, flag] of [[0, true], [1, false], [4_294_967_295, true], [rows - 5, true]] as const) {
    assert.deepEqual(await oracleRows(path, { rows: [row, row + 1] }), [{ flag }], `row ${row}`);
  }
  using few = StandardTable.open(path, columns);
  few.bench.removeRows(rowRange(1000, 4_999_998_900));
  few.close();
  const left = await oracleRows(path);
  assert.equal(left.length, 1096);
  assert.deepEqual(left.flatMap((row, i) => row.flag ? [i] : []), [0, 1094, 1095]);
});
