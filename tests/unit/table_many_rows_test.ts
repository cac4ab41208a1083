/**
 * Concatenations of more than 2^32 rows, and references to them, in sparse files. casacore 3.5 refuses to concatenate so
 * many rows, so there is nothing to compare with; tests/peer/many_rows_test.ts has the kinds that it reads.
 */
import assert from "node:assert/strict";
import { scalar, standard, Table } from "../../mod.ts";
import {
  type ConcatTableDat,
  readTableDat,
  type RefTableDat,
  writeTableDat,
} from "../../src/format/table-dat.ts";
import { runTable } from "../../src/cli/main.ts";
import { copyFolder, fixturePath, parsedRows, temporaryFolder } from "../fixture.ts";
import { caughtTerminal } from "./cli_support.ts";

const ROWS = 2 ** 32 + 10;

/** A table of zeros but for the rows given. */
function sparse(path: string, values: Readonly<Record<number, number>>): void {
  const columns = [scalar("v", "uint8")];
  using table = Table.create(path, {
    columns,
    storage: [standard("S", { bucketRows: 2 ** 24 })],
    rows: ROWS,
  });
  for (const [row, value] of Object.entries(values)) table.putCell("v", Number(row), value);
}

/** A golden table's description, changed, as a new table. */
function remade<T extends ConcatTableDat | RefTableDat>(
  name: string,
  path: string,
  change: Partial<T>,
): void {
  copyFolder(fixturePath(name), path);
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path) as T;
  Deno.writeFileSync(`${path}/table.dat`, writeTableDat({ ...dat, ...change }));
}

Deno.test("a concatenation of tables of more than 2^32 rows, and a reference to its rows, are read and written", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  sparse(at("a"), { 3: 1, [2 ** 32 - 1]: 2, [2 ** 32]: 3, [ROWS - 1]: 4 });
  sparse(at("b"), { 0: 5, [2 ** 31]: 6, [ROWS - 1]: 7 });
  remade<ConcatTableDat>("concat", at("both"), { tables: ["./a", "./b"], rowCount: 2 * ROWS, subtables: [] });
  {
    using both = Table.open(at("both"));
    assert.equal(both.rowCount, 2 ** 33 + 20);
    const far = [2 ** 32 - 1, ROWS - 1, ROWS, ROWS + 2 ** 31, 2 * ROWS - 1, 3, 2 ** 33];
    assert.deepEqual([...both.getColumn("v", { rows: far }).data as Uint8Array], [2, 4, 5, 6, 7, 1, 0]);
    assert.deepEqual(far.map((row) => both.getCell("v", row)), [2, 4, 5, 6, 7, 1, 0]);
    const across = both.getColumn("v", { rows: { start: ROWS - 3, end: ROWS + 2 } });
    assert.deepEqual([...across.data as Uint8Array], [0, 0, 4, 5, 0]);
    const steps = both.getColumn("v", { rows: { start: 2 ** 32 - 1, end: 2 * ROWS, step: ROWS } });
    assert.deepEqual([...steps.data as Uint8Array], [2, 0]);
    assert.throws(() => both.getCell("v", 2 * ROWS), { code: "OUT_OF_RANGE" });
  }
  const { caught, terminal } = caughtTerminal();
  assert.equal(
    await runTable(["cat", at("both"), "--rows", `${ROWS - 1}:${ROWS + 1}`], terminal),
    0,
    caught.err.join("\n"),
  );
  assert.deepEqual(parsedRows(caught.out), [{ v: 4 }, { v: 5 }]);

  const rows = Float64Array.of(2 * ROWS - 1, 3, ROWS, 2 ** 32);
  remade<RefTableDat>("ref_concat", at("some"), {
    parent: "./both",
    columns: [{ name: "w", parentName: "v" }],
    parentRowCount: 2 * ROWS,
    rowCount: rows.length,
    rows,
  });
  {
    using some = Table.open(at("some"), { mode: "rw" });
    assert.deepEqual([...some.getColumn("w").data as Uint8Array], [7, 1, 5, 3]);
    some.putColumn("w", Uint8Array.of(70, 50), { rows: [0, 2] });
  }
  using part = Table.open(at("b"));
  assert.deepEqual([part.getCell("v", ROWS - 1), part.getCell("v", 0)], [70, 50]);
});

Deno.test("a reference to a table that has fewer rows now is refused, also past 2^32", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  sparse(at("a"), {});
  remade<RefTableDat>("ref_rows", at("some"), {
    parent: "./a",
    columns: [{ name: "v", parentName: "v" }],
    parentRowCount: ROWS + 1,
    rowCount: 1,
    rows: Float64Array.of(ROWS),
  });
  assert.throws(() => Table.open(at("some")), { code: "CORRUPT" });
});
