/** Tessera writes tables with IncrementalStMan; casacore reads them, changes them, and Tessera changes them again. */
import assert from "node:assert/strict";
import { DTYPES } from "../../src/array/dtype.ts";
import { rowList } from "../../src/array/rows.ts";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { openTable } from "../unit/storage_standard_support.ts";
import { generatedCell, generatedRows, type JobColumn, printedCell } from "./oracle/values.ts";
import { assertSameRows, type Job, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { StandardTable } from "./standard_table.ts";

const TYPE = "IncrementalStMan";

/** The Python binding can't open tables with uint16 columns, and can't write records. */
const TYPES = DTYPES.filter((dtype) => dtype !== "uint16" && dtype !== "record");

/** Every data type in every form, runs of 1 to 4 equal cells. */
const COLUMNS: readonly JobColumn[] = TYPES.flatMap((dtype, i): JobColumn[] => {
  const common = { dtype, repeat: 1 + i % 4, longest: 60, managerType: TYPE };
  return [
    { ...common, name: `s_${dtype}` },
    { ...common, name: `d_${dtype}`, kind: "array", shape: [3], direct: true },
    { ...common, name: `f_${dtype}`, kind: "array", shape: [2, 2] },
    { ...common, name: `v_${dtype}`, kind: "array", undefinedEvery: 3 },
  ] as JobColumn[];
});

const ROWS = 43;

function jobOf(table: string, byteOrder: "little" | "big", bucketBytes: number): Job {
  const names = COLUMNS.map(({ name }) => name);
  const managers = [{ type: TYPE, name: "Mine", columns: names, spec: { BUCKETSIZE: bucketBytes } }];
  return { table, rows: ROWS, byteOrder, columns: COLUMNS, managers };
}

/** Both read the same, and nothing is wrong with the files. */
async function agreed(path: string): Promise<Record<string, unknown>[]> {
  const theirs = await oracleRows(path);
  const ours = openTable(path, { kind: incrementalStMan });
  try {
    assertSameRows(ours.rows(), theirs);
    assert.deepEqual(ours.benches[0]!.findings().filter(({ note }) => !note), []);
  } finally {
    ours.close();
  }
  return theirs;
}

/** What rows hold that are filled one after the other: what isn't put is as the row before. */
function filled(seed: number, rows: number): Record<string, unknown>[] {
  const all = generatedRows(COLUMNS, seed, 0, rows);
  return all.map((row, i) => {
    if (i > 0) { for (const name of Object.keys(row)) row[name] ??= all[i - 1]![name]; }
    return row;
  });
}

for (const byteOrder of ["little", "big"] as const) {
  for (const bucketBytes of [4000, 32768]) {
    peerTest(
      `casacore reads and changes our ${byteOrder}-endian IncrementalStMan with buckets of ${bucketBytes}, and we change it again`,
      async () => {
        using folder = temporaryFolder();
        const path = `${folder.path}/t`;
        using made = StandardTable.create(jobOf(path, byteOrder, bucketBytes));
        made.fill(11);
        made.close();
        assertSameRows(await agreed(path), filled(11, ROWS));

        await oracleWrite({
          table: path,
          open: true,
          columns: COLUMNS,
          operations: [
            { op: "fill", rows: [0, 7, 8, 9, 31], seed: 13 },
            { op: "addrows", count: 9 },
            { op: "fill", rows: [43, 44, 47, 51], seed: 12 },
            { op: "removerows", rows: [2, 3, 40, 50, 51] },
            { op: "reopen" },
            { op: "fill", rows: [1, 4, 5, 45], seed: 14 },
          ],
        });
        const before = await agreed(path);
        assert.equal(before.length, 47);

        using changed = StandardTable.open(path, COLUMNS, TYPE);
        assert.equal(changed.bench.rows, 47);
        changed.bench.addRows(20);
        const model = [...before, ...Array.from({ length: 20 }, () => before[46]!)].map((row) => ({
          ...row,
        }));
        const put = (rows: readonly number[], seed: number, putEnd: number) => {
          changed.fill(seed, { rows });
          for (const column of COLUMNS) {
            let end = putEnd;
            for (const row of rows) {
              const cell = printedCell(generatedCell(column, seed, row));
              if (cell === null) continue;
              for (let to = row; to < (row >= end ? model.length : row + 1); to++) {
                model[to]![column.name] = cell;
              }
              end = Math.max(end, row + 1);
            }
          }
        };
        put([0, 1, 2, 3, 20, 46], 16, 47);
        put([47, 50, 66], 15, 47);
        changed.bench.removeRows(rowList([0, 10, 11, 12, 13, 48]));
        changed.close();
        assertSameRows(
          await agreed(path),
          model.filter((_, row) => ![0, 10, 11, 12, 13, 48].includes(row)),
        );

        await oracleWrite({
          table: path,
          open: true,
          columns: COLUMNS,
          operations: [{ op: "addrows", count: 40 }, { op: "fill", seed: 17 }],
        });
        await agreed(path);
      },
    );

    peerTest(
      `we change casacore's ${byteOrder}-endian IncrementalStMan with buckets of ${bucketBytes}, and it changes it again`,
      async () => {
        using folder = temporaryFolder();
        const path = `${folder.path}/t`;
        await oracleWrite({ ...jobOf(path, byteOrder, bucketBytes), seed: 3 });
        const before = await agreed(path);
        using changed = StandardTable.open(path, COLUMNS, TYPE);
        const rows = [5, 6, 7, 20, 42, 0];
        changed.fill(21, { rows });
        changed.bench.removeRows(rowList([30, 31]));
        changed.bench.addRows(3);
        changed.close();
        for (const row of rows) {
          for (const column of COLUMNS) {
            const cell = printedCell(generatedCell(column, 21, row));
            if (cell !== null) before[row]![column.name] = cell;
          }
        }
        const model = before.filter((_, row) => row !== 30 && row !== 31);
        for (let i = 0; i < 3; i++) model.push(model[40]!);
        assertSameRows(await agreed(path), model);
        await oracleWrite({
          table: path,
          open: true,
          columns: COLUMNS,
          operations: [
            { op: "fill", rows: [3, 9, 40], seed: 5 },
            { op: "removerows", rows: [0, 43] },
            { op: "addrows", count: 5 },
            { op: "fill", rows: [42, 45], seed: 6 },
          ],
        });
        await agreed(path);
      },
    );
  }
}
