/**
 * Tables of more than 2^32 rows, of every kind that a few bytes or a sparse file can show, beside casacore: row numbers
 * past 2^32 through cells, ranges, lists and the command. casacore concatenates no more than 2^32 rows ("Concatenation of
 * tables exceeds 2**32 rows"): those are in tests/unit/table_many_rows_test.ts.
 */
import assert from "node:assert/strict";
import { array, scalar, standard, Table, tiledColumn } from "../../mod.ts";
import { runTable } from "../../src/cli/main.ts";
import { parsedRows } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { caughtTerminal } from "../unit/cli_support.ts";
import {
  assertSameRows,
  type JobOperation,
  oracleRows,
  oracleSchema,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";

const ROWS = 2 ** 32 + 10;
/** The binding adds no more than 2^31 rows at once. */
const MANY: readonly JobOperation[] = [
  ...Array.from({ length: 4 }, () => ({ op: "addrows" as const, count: 2 ** 30 })),
  { op: "addrows", count: 10 },
];
/** Ranges about the numbers at which 31 or 32 bits end, and both ends of the table. */
const RANGES = [[0, 4], [2 ** 31 - 2, 2 ** 31 + 2], [2 ** 32 - 3, 2 ** 32 + 3], [ROWS - 4, ROWS]] as const;

/** What `table cat --rows` prints. */
async function printed(path: string, start: number, end: number): Promise<Record<string, unknown>[]> {
  const { caught, terminal } = caughtTerminal();
  assert.equal(
    await runTable(["cat", path, "--rows", `${start}:${end}`], terminal),
    0,
    caught.err.join("\n"),
  );
  return parsedRows(caught.out);
}

/** Compares some ranges of a table's rows with casacore, read in each way that there is. */
async function compare(path: string, ranges: readonly (readonly [number, number])[]): Promise<void> {
  using table = Table.open(path);
  assert.equal(table.rowCount, (await oracleSchema(path)).rows);
  for (const [start, end] of ranges) {
    const where = `${path}, rows ${start} to ${end}`;
    const theirs = await oracleRows(path, { rows: [start, end] });
    assert.equal(theirs.length, end - start);
    assertSameRows(rowsAsJson(table, start, end), theirs, where);
    assertSameRows(await printed(path, start, end), theirs, `${where}, printed`);
    const list = Array.from({ length: end - start }, (_, i) => end - 1 - i);
    for (const name of table.columnNames) {
      const cells = table.getCells(name, { rows: { start, end } });
      assert.deepEqual(table.getCells(name, { rows: list }), cells.toReversed(), `${where}, from its end`);
      assert.deepEqual(list.map((row) => table.getCell(name, row)), cells.toReversed(), `${where}, by cell`);
    }
  }
}

/** casacore's table with an IncrementalStMan: a bucket or two, whatever the number of rows. */
async function incremental(path: string, at: readonly number[]): Promise<void> {
  await oracleWrite({
    table: path,
    columns: [{ name: "number", dtype: "int32" }, { name: "text", dtype: "string" }],
    managers: [{ type: "IncrementalStMan", name: "I", columns: ["number", "text"] }],
    operations: [
      ...MANY,
      ...at.flatMap((row, i): JobOperation[] => [
        { op: "put", column: "number", row, value: i + 1 },
        { op: "put", column: "text", row, value: `from ${row}` },
      ]),
    ],
  });
}

peerTest("an IncrementalStMan with more than 2^32 rows", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  await incremental(path, [0, 2, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 1, ROWS - 2]);
  await compare(path, RANGES);
  using table = Table.open(path);
  assert.equal(table.getCell("text", ROWS - 1), `from ${ROWS - 2}`);
  assert.throws(() => table.getCell("text", ROWS), { code: "OUT_OF_RANGE" });
});

peerTest("a reference to rows past 2^32", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, selected = `${folder.path}/selected`;
  await incremental(path, [0, 2, 2 ** 32, ROWS - 2]);
  const rows = [2, ROWS - 1, 2 ** 32, 0, 2 ** 32 - 1];
  await oracleWrite({ table: path, open: true, operations: [{ op: "select", rows, giving: selected }] });
  await compare(selected, [[0, rows.length]]);
  using table = Table.open(selected);
  assert.equal(table.getCell("text", 1), `from ${ROWS - 2}`);
});

peerTest("a TiledShapeStMan with more than 2^32 rows, most of them undefined", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  await oracleWrite({
    table: path,
    columns: [{ name: "values", dtype: "int16", kind: "array", ndim: 1 }],
    managers: [{ type: "TiledShapeStMan", columns: ["values"], spec: { DEFAULTTILESHAPE: [4, 8] } }],
    operations: [
      { op: "addrows", count: 3 },
      { op: "put", column: "values", row: 1, value: { shape: [3], data: [1, 2, 3] } },
      ...MANY,
    ],
  });
  // casacore keeps an entry for each row up to the last one that has a cell, so none past 2^32 has.
  await compare(path, [[0, 4], [2 ** 32 - 3, 2 ** 32 + 3], [ROWS - 1, ROWS + 3]]);
});

for (
  const [name, storage] of [
    ["a TiledColumnStMan", tiledColumn("T", ["v"], { tileShape: [2, 2 ** 24] })],
    ["a StandardStMan", standard("S", { bucketRows: 2 ** 25 })],
  ] as const
) {
  peerTest(`${name} with more than 2^32 rows, in a sparse file of Tessera's`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    {
      const v = name === "a StandardStMan" ? scalar("v", "bool") : array("v", "bool", { shape: [2] });
      using table = Table.create(path, { columns: [v], storage: [storage], rows: ROWS });
      const yes = v.kind === "scalar" ? true : Uint8Array.of(1, 0);
      for (const row of [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 + 1, ROWS - 1]) table.putCell("v", row, yes);
      const last = { start: 2 ** 32 + 4, end: 2 ** 32 + 6 };
      const both = v.kind === "scalar" ? Uint8Array.of(1, 1) : Uint8Array.of(0, 1, 1, 1);
      table.putColumn("v", both, { rows: last });
    }
    await compare(path, RANGES);
    using table = Table.open(path);
    const steps = table.getColumn("v", { rows: { start: 2 ** 31, end: ROWS, step: 2 ** 30 } });
    assert.equal(steps.shape.at(-1), 3);
  });

  peerTest(`rows added to ${name} until they are more than 2^32, and cells put there`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    {
      const v = name === "a StandardStMan" ? scalar("v", "bool") : array("v", "bool", { shape: [2] });
      using _table = Table.create(path, { columns: [v], storage: [storage], rows: 5 });
    }
    {
      using table = Table.open(path, { mode: "rw" });
      table.addRows(2 ** 32 - 4);
      table.addRows(9);
      const yes = name === "a StandardStMan" ? true : Uint8Array.of(0, 1);
      table.putCell("v", ROWS - 1, yes);
      table.putCell("v", 2 ** 32, yes);
    }
    await compare(path, RANGES);
  });
}
