/** Subtables that come and go, and whole tables that are removed or get another place. */
import assert from "node:assert/strict";
import { Context, scalar, Table, TableError, type TableErrorCode, TableKeyword } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { temporaryFolder } from "../fixture.ts";

const lock = library() === null ? "none" : "auto";
const COLUMNS = [scalar("A", "int32")];

function refuses(code: TableErrorCode, call: () => unknown, mentions?: RegExp): void {
  assert.throws(call, (error: unknown) => {
    assert(error instanceof TableError, `${error}`);
    assert.equal(error.code, code, error.message);
    if (mentions !== undefined) assert.match(error.message, mentions);
    return true;
  });
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("a subtable is made, found and removed", () => {
  const context = new Context(), options = { io: "memory", context } as const;
  using table = Table.create("/t", {
    columns: COLUMNS,
    rows: 2,
    overwrite: true,
    keywords: { K: 1 },
    ...options,
  });
  table.flush();
  const log = table.createSubtable("LOG", { columns: [scalar("LINE", "string")], rows: 1 });
  assert.deepEqual([log.rowCount, log.columnNames, log.keywords.keys()], [1, ["LINE"], []]);
  log.putCell("LINE", 0, "made");
  log.close();
  assert.equal((table.keywords.get("LOG") as TableKeyword).table, "././LOG");
  assert.equal(table.keywords.dtype("LOG"), "table");
  refuses("EXISTS", () => table.createSubtable("LOG", { columns: COLUMNS }));
  for (const name of ["", "..", "a/b", "table.f0"]) {
    refuses("INVALID_ARGUMENT", () => table.createSubtable(name, { columns: COLUMNS }));
  }
  table.flush();
  {
    using again = Table.open("/t", options);
    using sub = again.subtable("LOG");
    assert.equal(sub.getCell("LINE", 0), "made");
    refuses("READ_ONLY", () => again.createSubtable("X", { columns: COLUMNS }));
    refuses("READ_ONLY", () => again.removeSubtable("LOG"));
  }
  table.keywords.set("OTHER", "/elsewhere", "table");
  refuses("INVALID_ARGUMENT", () => table.removeSubtable("OTHER"));
  refuses("NOT_FOUND", () => table.removeSubtable("NOPE"));
  table.removeSubtable("LOG");
  assert(context.memory.directories.has("/t/LOG"));
  table.discard();
  assert(table.keywords.has("LOG"));
  table.removeSubtable("LOG");
  table.flush();
  assert(!table.keywords.has("LOG"));
  assert(!context.memory.directories.has("/t/LOG"));
});

Deno.test("a subtable whose keyword is dropped leaves nothing dangling, and can be made again", () => {
  const context = new Context(), options = { io: "memory", context } as const;
  using table = Table.create("/t", { columns: COLUMNS, ...options });
  table.flush();
  assert.throws(() =>
    table.transaction(() => {
      table.createSubtable("LOG", { columns: COLUMNS }).close();
      throw new Error("no");
    }), /no/);
  assert(!table.keywords.has("LOG"));
  refuses("EXISTS", () => table.createSubtable("LOG", { columns: COLUMNS }));
  assert(!table.keywords.has("LOG"));
  table.createSubtable("LOG", { columns: COLUMNS, overwrite: true }).close();
  assert.equal(table.subtable("LOG").rowCount, 0);
});

Deno.test("a table is deleted with its subtables, links are removed and not followed", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, outside = `${folder.path}/outside`;
  {
    using table = Table.create(path, { columns: COLUMNS, lock });
    table.createSubtable("SUB", { columns: COLUMNS }).close();
    Table.create(outside, { columns: COLUMNS, lock }).close();
    table.keywords.set("OUTSIDE", "./outside", "table");
    table.flush();
    if (lock === "auto") refuses("LOCKED", () => Table.delete(path));
  }
  Deno.symlinkSync(outside, `${path}/link`);
  Deno.symlinkSync(path, `${folder.path}/alias`);
  refuses("INVALID_ARGUMENT", () => Table.delete(`${folder.path}/alias`, { lock }), /link/);
  refuses("NOT_FOUND", () => Table.delete(`${folder.path}/nope`, { lock }));
  refuses("NOT_A_TABLE", () => Table.delete(folder.path, { lock }));
  if (lock === "auto") {
    using _ = Table.open(`${path}/SUB`, { mode: "rw" });
    refuses("LOCKED", () => Table.delete(path));
  }
  Table.delete(path, { lock });
  assert(!exists(path));
  assert(exists(`${outside}/table.dat`));
});

Deno.test("a table gets another place, and the names in it lead where they led", () => {
  using folder = temporaryFolder();
  const home = `${folder.path}/a`, deep = `${folder.path}/deep`;
  Deno.mkdirSync(home);
  Deno.mkdirSync(deep);
  const path = `${home}/t`;
  Table.create(`${home}/sibling`, { columns: COLUMNS, rows: 3, lock }).close();
  {
    using table = Table.create(path, { columns: COLUMNS, rows: 4, lock });
    table.putColumn("A", Int32Array.of(4, 3, 2, 1));
    table.createSubtable("SUB", { columns: COLUMNS, rows: 2 }).close();
    table.keywords.set("SIBLING", "./sibling", "table");
    table.column("A").keywords.set("IN", { deeper: new TableKeyword("./sibling") });
    table.flush();
    using some = table.select([2, 0], { path: `${path}/SORTED` });
    assert.equal(some.rowCount, 2);
    table.keywords.set("SORTED", "././SORTED", "table");
  }
  refuses("EXISTS", () => Table.rename(path, `${home}/sibling`, { lock }));
  refuses("INVALID_ARGUMENT", () => Table.rename(path, `${path}/inside`, { lock }));
  refuses("NOT_FOUND", () => Table.rename(path, `${home}/no/where`, { lock }));
  const check = (path: string) => {
    using table = Table.open(path);
    assert.equal(table.subtable("SUB").rowCount, 2);
    assert.equal(table.subtable("SIBLING").rowCount, 3);
    assert.equal((table.keywords.get("SUB") as TableKeyword).table, "././SUB");
    using sorted = table.subtable("SORTED");
    assert.deepEqual([...sorted.getColumn("A").data], [2, 4]);
    return (table.keywords.get("SIBLING") as TableKeyword).table;
  };
  Table.rename(path, `${home}/u`, { lock });
  assert(!exists(path));
  assert.equal(check(`${home}/u`), "./sibling");
  Table.rename(`${home}/u`, `${deep}/u`, { lock });
  assert.equal(check(`${deep}/u`), `${home}/sibling`);
  Table.rename(`${deep}/u`, `${home}/v`, { lock });
  assert.equal(check(`${home}/v`), "./sibling");
  using table = Table.open(`${home}/v`);
  const inner = table.column("A").keywords.toJSON() as { IN: { deeper: unknown } };
  assert.deepEqual(inner.IN.deeper, { table: "./sibling" });
});
