/**
 * Copies: every golden table into other managers and the other byte order, cell by cell; subtables come along; a copy that
 * fails leaves nothing.
 */
import assert from "node:assert/strict";
import {
  Context,
  standard,
  type StorageSpec,
  Table,
  TableError,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { fixturePath, fixtures, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

/** Managers that the columns of a table can be moved to. */
function otherStorage(table: Table): StorageSpec[][] {
  const numeric = table.columnNames.map((name) => table.column(name)).filter(({ kind, dtype }) =>
    kind === "array" && dtype !== "string"
  );
  const fixed = numeric.filter(({ shape }) => shape !== null);
  return [
    [standard("Rest", { bucketRows: 5 })],
    // Cells of one hypercolumn have one shape in a row: a manager for each column.
    numeric.filter(({ ndim }) => ndim > 0).map(({ name }) =>
      tiledShape(`TS_${name}`, [name], { tileShape: [2, 2] })
    ),
    fixed.map(({ name }) => tiledColumn(`TC_${name}`, [name], { tileShape: [3] })),
  ];
}

for (const { name } of fixtures(["tiledcell", "reftable", "concat", "coordinates"])) {
  Deno.test(`${name} is the same in other managers and the other byte order`, () => {
    using table = Table.open(fixturePath(name), { io: "node" });
    const rows = rowsAsJson(table);
    // Tiles have no place for cells with an axis of length 0.
    const tiles = !JSON.stringify(rows).includes('"shape":[0') && name !== "ssm_empty_axes";
    for (const storage of tiles ? otherStorage(table) : [[standard("Rest", { bucketRows: 5 })]]) {
      using folder = temporaryFolder();
      const path = `${folder.path}/copy`;
      const byteOrder = table.byteOrder === "big" ? "little" : "big";
      table.copy(path, { storage, byteOrder, io: "node", lock: "none" });
      using copy = Table.open(path, { io: "node" });
      assert.equal(copy.byteOrder, byteOrder);
      assert.deepEqual(rowsAsJson(copy), rows);
      for (const column of table.columnNames) {
        assert.deepEqual(copy.column(column).keywords.toFields(), table.column(column).keywords.toFields());
      }
      assert.deepEqual(copy.info, table.info);
    }
  });
}

Deno.test("columns and rows can be chosen", () => {
  const context = new Context();
  using table = Table.open(fixturePath("ssm_scalars_le"));
  const columns = table.columnNames.slice(2, 4).reverse();
  table.copy("/copy", { columns, rows: { start: 3, end: 7 }, io: "memory", context });
  using copy = Table.open("/copy", { io: "memory", context });
  assert.deepEqual(copy.columnNames, columns);
  const rows = rowsAsJson(table, 3, 7).map((row) =>
    Object.fromEntries(columns.map((name) => [name, row[name]]))
  );
  assert.deepEqual(rowsAsJson(copy), rows);
});

Deno.test("subtables within the table are copied with it, the others stay where they are", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/copy`;
  using table = Table.open(fixturePath("subtables"), { io: "node" });
  table.copy(path, { io: "node", lock: "none" });
  using copy = Table.open(path, { io: "node" });
  for (const name of ["INSIDE", "DEEP", "BESIDE"]) {
    using ours = copy.subtable(name);
    using theirs = table.subtable(name);
    assert.deepEqual(rowsAsJson(ours), rowsAsJson(theirs));
    assert.equal(ours.path.startsWith(copy.path), name !== "BESIDE");
  }
});

Deno.test("a copy of a concatenation has the rows of all parts' subtables where the original has", () => {
  for (const name of ["concat", "concat_first", "concat_nested", "ref_concat"]) {
    using folder = temporaryFolder();
    const path = `${folder.path}/copy`;
    using table = Table.open(fixturePath(name), { io: "node" });
    table.copy(path, { io: "node", lock: "none" });
    using copy = Table.open(path, { io: "node" });
    using ours = copy.subtable("LOG");
    using theirs = table.subtable("LOG");
    assert.deepEqual([ours.kind, ours.path], ["plain", `${path}/LOG`]);
    assert.equal(ours.rowCount, name === "concat_first" ? 3 : 5);
    assert.deepEqual(rowsAsJson(ours), rowsAsJson(theirs));
  }
});

Deno.test("tile shapes can be given by column; those of the others stay, coordinates become standard", () => {
  using folder = temporaryFolder();
  using table = Table.open(fixturePath("tsm_coordinates_le"));
  table.copy(`${folder.path}/copy`, { tileShapes: { fixed: [3, 2, 5], x: [4, 2] } });
  using copy = Table.open(`${folder.path}/copy`);
  assert.deepEqual(rowsAsJson(copy), rowsAsJson(table));
  assert.deepEqual(
    copy.columnNames.map((name) => [name, copy.column(name).manager.type, copy.column(name).tileShape]),
    [
      ["data", "TiledShapeStMan", [2, 2, 3]],
      ["x", "TiledShapeStMan", [4, 2]],
      ["y", "StandardStMan", null],
      ["row", "StandardStMan", null],
      ["fixed", "TiledColumnStMan", [3, 2, 5]],
      ["fx", "StandardStMan", null],
      ["time", "StandardStMan", null],
    ],
  );
  const refused = (name: string, code: string, columns = table.columnNames) =>
    assert.throws(
      () => table.copy(`${folder.path}/no`, { columns, tileShapes: { [name]: [1] } }),
      { code, message: new RegExp(name) },
    );
  refused("time", "INVALID_ARGUMENT");
  refused("fixed", "INVALID_ARGUMENT", ["data"]);
  refused("none", "NO_SUCH_COLUMN");
});

Deno.test("a copy says what was done to files, also of subtables", () => {
  using folder = temporaryFolder();
  using table = Table.open(fixturePath("subtables"));
  const { written, subtablesRead } = table.copy(`${folder.path}/copy`);
  assert.deepEqual([written.length, subtablesRead.length], [3, 2]);
  for (const { bytesWritten } of written) assert.ok(bytesWritten > 0);
  for (const { bytesRead } of subtablesRead) assert.ok(bytesRead > 0);
  const alone = table.copy(`${folder.path}/alone`, { subtables: false });
  assert.deepEqual([alone.written.length, alone.subtablesRead.length], [1, 0]);
});

Deno.test("what symbolic links lead to is never removed", () => {
  using folder = temporaryFolder();
  const precious = `${folder.path}/precious`, path = `${folder.path}/copy`, link = `${folder.path}/link`;
  const options = { io: "node", lock: "none", overwrite: true } as const;
  Deno.mkdirSync(precious);
  Deno.writeTextFileSync(`${precious}/letter.txt`, "keep me");
  using table = Table.open(fixturePath("minimal_le"), { io: "node" });
  table.copy(path, options);
  Deno.symlinkSync(precious, `${path}/LINK`);
  Deno.symlinkSync(path, link);
  assert.throws(() => table.copy(link, options), { code: "EXISTS" });
  {
    using copy = Table.open(link, { io: "node" });
    assert.throws(() => copy.copy(path, options), { code: "INVALID_ARGUMENT" });
    assert.throws(() => copy.copy(`${path}/inside`, options), { code: "INVALID_ARGUMENT" });
  }
  table.copy(path, options);
  assert.equal(Deno.readTextFileSync(`${precious}/letter.txt`), "keep me");
  using again = Table.open(path, { io: "node" });
  assert.deepEqual(rowsAsJson(again), rowsAsJson(table));
});

Deno.test("a copy that fails leaves nothing, and an existing table as it was", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/copy`;
  using table = Table.open(fixturePath("tsm_types_le"), { io: "node" });
  const options = { io: "node", lock: "none" } as const;
  const impossible = [tiledColumn("T", table.columnNames)];
  assert.throws(() => table.copy(path, { ...options, storage: impossible }), TableError);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  table.copy(path, options);
  assert.throws(() => table.copy(path, options), { code: "EXISTS" });
  assert.throws(() => table.copy(path, { ...options, overwrite: true, storage: impossible }), TableError);
  assert.throws(() => table.copy(`${fixturePath("tsm_types_le")}/inside`, options), {
    code: "INVALID_ARGUMENT",
  });
  using copy = Table.open(path, options);
  assert.deepEqual(rowsAsJson(copy), rowsAsJson(table));
});
