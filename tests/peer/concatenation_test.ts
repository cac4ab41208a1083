/**
 * Subtables of concatenations beside casacore: those that the table lists are concatenated, the others are the first
 * part's, also through concatenations of concatenations and selections of them.
 */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

/** A table with two subtables of its own and one, SHARED, that all parts name. */
async function part(path: string, seed: number, rows: number, shared: string): Promise<void> {
  const columns = [{ name: "number", dtype: "int32" }] as const;
  await oracleWrite({ table: path, rows, seed, columns });
  await oracleWrite({ table: `${path}/LOG`, rows: rows + 1, seed: seed + 1, columns });
  await oracleWrite({ table: `${path}/NOTES`, rows: 2, seed: seed + 2, columns });
  await oracleWrite({
    table: path,
    open: true,
    operations: [
      { op: "subtable", key: "LOG", table: `${path}/LOG` },
      { op: "subtable", key: "NOTES", table: `${path}/NOTES` },
      { op: "subtable", key: "SHARED", table: shared },
    ],
  });
}

peerTest("subtables of concatenations have the rows that casacore sees", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  await oracleWrite({ table: at("shared"), rows: 3, seed: 9, columns: [{ name: "number", dtype: "int32" }] });
  await part(at("a"), 10, 3, at("shared"));
  await part(at("b"), 20, 5, at("shared"));
  const concatenate = (table: string, parts: readonly string[], concatSubtables: readonly string[]) =>
    oracleWrite({ table: at(table), parts: parts.map(at), concatSubtables });
  await concatenate("two", ["a", "b"], ["LOG"]);
  await concatenate("again", ["b", "a", "b"], ["LOG"]);
  await concatenate("same", ["a", "b"], ["SHARED"]);
  await concatenate("none", ["b", "a"], []);
  await concatenate("nested", ["two", "none", "a"], ["LOG", "NOTES"]);
  await concatenate("first", ["two", "b"], []);
  await oracleWrite({
    table: at("a"),
    open: true,
    operations: [{
      op: "taql",
      command: `select from ${at("nested")} where number > 0 giving ${at("some")}`,
    }],
  });
  const rows: Record<string, number> = {};
  for (const name of ["two", "again", "same", "none", "nested", "first", "some"]) {
    using table = Table.open(at(name));
    for (const keyword of ["LOG", "NOTES", "SHARED"]) {
      using subtable = table.subtable(keyword);
      const where = `${name}::${keyword}`;
      assertSameRows(rowsAsJson(subtable), await oracleRows(at(where)), where);
      rows[where] = subtable.rowCount;
    }
  }
  // A subtable that two parts share counts twice: nothing is left out for being the same.
  assert.deepEqual(rows, {
    "two::LOG": 10,
    "two::NOTES": 2,
    "two::SHARED": 3,
    "again::LOG": 16,
    "again::NOTES": 2,
    "again::SHARED": 3,
    "same::LOG": 4,
    "same::NOTES": 2,
    "same::SHARED": 6,
    "none::LOG": 6,
    "none::NOTES": 2,
    "none::SHARED": 3,
    "nested::LOG": 20,
    "nested::NOTES": 6,
    "nested::SHARED": 3,
    "first::LOG": 10,
    "first::NOTES": 2,
    "first::SHARED": 3,
    "some::LOG": 20,
    "some::NOTES": 6,
    "some::SHARED": 3,
  });
});
