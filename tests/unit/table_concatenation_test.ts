/**
 * Subtables of concatenations: which tables they are made of, and what they answer.
 */
import assert from "node:assert/strict";
import { Table, TableError } from "../../mod.ts";
import { type ConcatTableDat, readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { assertSameRows, copyFolder, expectedRows, fixturePath, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

Deno.test("a subtable that a concatenation lists is read as casacore reads it", () => {
  using table = Table.open(fixturePath("concat"));
  using log = table.subtable("LOG");
  assert.equal(log.kind, "concatenation");
  assert.deepEqual(log.parents, ["concat_a/LOG", "concat_b/LOG"].map(fixturePath));
  assert.equal(log.path, fixturePath("concat_a/LOG"));
  assertSameRows(rowsAsJson(log), expectedRows("concat/LOG"), "LOG");
});

Deno.test("a subtable that a concatenation doesn't list is that of the first part", () => {
  using table = Table.open(fixturePath("concat_first"));
  using log = table.subtable("LOG");
  assert.deepEqual([log.kind, log.path], ["plain", fixturePath("concat_b/LOG")]);
});

Deno.test("the subtable of a concatenation of concatenations is that of its first part, concatenated", () => {
  using table = Table.open(fixturePath("concat_nested"));
  using log = table.subtable("LOG");
  assertSameRows(rowsAsJson(log), expectedRows("concat/LOG"), "LOG");
});

Deno.test("a selection of a concatenation has its subtables", () => {
  using table = Table.open(fixturePath("ref_concat"));
  using log = table.subtable("LOG");
  assertSameRows(rowsAsJson(log), expectedRows("concat/LOG"), "LOG");
});

/** A copy of the concatenation and its parts, to be damaged. */
function copyOfConcatenation(): ReturnType<typeof temporaryFolder> {
  const folder = temporaryFolder();
  for (const name of ["concat", "concat_a", "concat_b"]) {
    copyFolder(fixturePath(name), `${folder.path}/${name}`);
  }
  return folder;
}

Deno.test("a part's missing subtable is named when the subtable is opened, not before", () => {
  using folder = copyOfConcatenation();
  Deno.removeSync(`${folder.path}/concat_b/LOG`, { recursive: true });
  using table = Table.open(`${folder.path}/concat`);
  assert.equal(table.rowCount, 12);
  assert.throws(
    () => table.subtable("LOG"),
    (error) =>
      error instanceof TableError && error.code === "NOT_FOUND" &&
      error.file === `${folder.path}/concat_b/LOG`,
  );
});

Deno.test("a part without the keyword is named", () => {
  using folder = copyOfConcatenation();
  {
    using part = Table.open(`${folder.path}/concat_b`, { mode: "rw" });
    part.keywords.delete("LOG");
  }
  using table = Table.open(`${folder.path}/concat`);
  assert.throws(
    () => table.subtable("LOG"),
    (error) =>
      error instanceof TableError && error.code === "NOT_FOUND" && error.file === `${folder.path}/concat_b`,
  );
});

Deno.test("with confine, the subtables of all parts lie within the concatenation's own directory", () => {
  using folder = copyOfConcatenation();
  const path = `${folder.path}/concat`;
  for (const name of ["concat_a", "concat_b"]) Deno.renameSync(`${folder.path}/${name}`, `${path}/${name}`);
  const dat = readTableDat(Deno.readFileSync(`${path}/table.dat`), path) as ConcatTableDat;
  const tables = ["././concat_a", "././concat_b"];
  Deno.writeFileSync(`${path}/table.dat`, writeTableDat({ ...dat, tables }));
  {
    using table = Table.open(path, { confine: true });
    using log = table.subtable("LOG");
    assert.equal(log.rowCount, 5);
  }
  copyFolder(fixturePath("concat_b/LOG"), `${folder.path}/outside`);
  {
    using part = Table.open(`${path}/concat_b`, { mode: "rw" });
    part.keywords.set("LOG", `${folder.path}/outside`, "table");
  }
  using table = Table.open(path, { confine: true });
  assert.throws(() => table.subtable("LOG"), /outside lies outside the table's directory/);
  using free = Table.open(path);
  using log = free.subtable("LOG");
  assert.equal(log.rowCount, 5);
});

Deno.test("cells of a concatenated subtable can be put through it", () => {
  using folder = copyOfConcatenation();
  {
    using table = Table.open(`${folder.path}/concat`, { mode: "rw" });
    using log = table.subtable("LOG");
    log.putColumn("line", ["a", "b", "c", "d", "e"]);
  }
  using part = Table.open(`${folder.path}/concat_b/LOG`);
  assert.deepEqual(part.getColumn("line").data, ["c", "d", "e"]);
});
