/**
 * Reference and concatenated tables that Tessera writes: casacore opens them and agrees in every cell, and its own of the
 * same content are the same to the byte.
 */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { assertSameRows, oracleRows, oracleSchema, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

const COLUMNS = [
  { name: "number", dtype: "int32" },
  { name: "text", dtype: "string" },
  { name: "flag", dtype: "bool" },
  { name: "cells", kind: "array", dtype: "complex64", shape: [2, 3] },
  { name: "free", kind: "array", dtype: "float64", ndim: 1 },
] as const;

async function agrees(path: string): Promise<void> {
  using table = Table.open(path);
  assertSameRows(rowsAsJson(table), await oracleRows(path), path);
  assert.deepEqual((await oracleSchema(path)).columns.map(({ name }) => name), table.columnNames);
}

const bytes = (path: string) => Deno.readFileSync(path);

peerTest("selections on disk are as casacore writes them, and casacore reads them", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  await oracleWrite({
    table: at("t"),
    rows: 20,
    seed: 4,
    columns: COLUMNS,
    info: { type: "kind", readme: "x" },
  });
  const some = [2, 5, 6, 19];
  await oracleWrite({
    table: at("t"),
    open: true,
    operations: [{ op: "select", rows: some, giving: at("theirs") }],
  });
  using table = Table.open(at("t"));
  table.select(some, { path: at("ours") }).close();
  assert.deepEqual(bytes(at("ours/table.dat")), bytes(at("theirs/table.dat")));
  assert.deepEqual(bytes(at("ours/table.info")), bytes(at("theirs/table.info")));
  table.select([19, 0, 0, 3], { path: at("t/inside") }).close();
  table.select([]).project(["free", "number"], { path: at("empty"), rename: { free: "a", number: "z" } })
    .close();
  using theirs = Table.open(at("theirs"));
  theirs.select([3, 1]).project(["text", "cells"], {
    path: at("again"),
    rename: { text: "flag", cells: "c" },
  })
    .close();
  for (const name of ["ours", "t/inside", "empty", "again"]) await agrees(at(name));
  const lines = await oracleRows(at("again"));
  assert.equal(lines.length, 2);
  // casacore writes through it, and the table has it.
  await oracleWrite({
    table: at("t/inside"),
    open: true,
    operations: [{ op: "put", column: "number", row: 1, value: 77 }],
  });
  assert.equal(table.getCell("number", 0), 77);
});

peerTest("concatenations on disk are as casacore writes them, and casacore reads them", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  for (const [i, name] of ["a", "b"].entries()) {
    await oracleWrite({ table: at(name), rows: 3 + i, seed: i, columns: COLUMNS, info: { type: "kind" } });
    await oracleWrite({ table: at(`${name}/LOG`), rows: 2 + i, seed: 7 + i, columns: COLUMNS });
    await oracleWrite({
      table: at(name),
      open: true,
      operations: [{ op: "subtable", key: "LOG", table: at(`${name}/LOG`) }],
    });
  }
  await oracleWrite({ table: at("theirs"), parts: [at("a"), at("b")], concatSubtables: ["LOG"] });
  Table.concat([at("a"), at("b")], at("ours"), { subtables: ["LOG"] }).close();
  assert.deepEqual(bytes(at("ours/table.dat")), bytes(at("theirs/table.dat")));
  assert.deepEqual(
    Deno.readTextFileSync(at("ours/table.info")),
    Deno.readTextFileSync(at("theirs/table.info")),
  );
  {
    using ours = Table.open(at("ours"));
    ours.select([6, 1, 4], { path: at("selected") }).close();
    using a = Table.open(at("a"));
    using part = a.select([2, 0], { path: at("part") });
    Table.concat([ours, part, at("b")], at("nested")).close();
    Table.concat([at("b"), ours], at("first")).close();
  }
  for (const name of ["ours", "selected", "nested", "first"]) {
    await agrees(at(name));
    using table = Table.open(at(name));
    using log = table.subtable("LOG");
    assertSameRows(rowsAsJson(log), await oracleRows(`${at(name)}::LOG`), name);
  }
});
