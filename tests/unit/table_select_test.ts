/**
 * Selections and concatenations that Tessera makes: in memory and on disk, of each other, read and written through.
 */
import assert from "node:assert/strict";
import { array, Context, scalar, Table } from "../../mod.ts";
import { fixturePath, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

const options = { io: "node", lock: "none" } as const;

function numbers(path: string, rows: number, first = 0, more: { context?: Context } = {}): Table {
  const table = Table.create(path, {
    columns: [scalar("N", "int32"), array("V", "float64", { shape: [2] }), scalar("S", "string")],
    rows,
    ...options,
    ...more,
  });
  table.putColumn("N", Int32Array.from({ length: rows }, (_, i) => first + i));
  table.putColumn("V", Float64Array.from({ length: 2 * rows }, (_, i) => first + i / 2));
  table.putColumn("S", Array.from({ length: rows }, (_, i) => `row ${first + i}`));
  return table;
}

const column = (table: Table, name = "N") => Array.from(table.getColumn(name).data as Int32Array);

Deno.test("a selection has the rows asked for, in their order, and is no table of its own", () => {
  using folder = temporaryFolder();
  using table = numbers(`${folder.path}/t`, 10);
  using list = table.select([7, 3, 3, 0]);
  using range = table.select({ start: 1, end: 8, step: 3 });
  assert.deepEqual([column(list), column(range)], [[7, 3, 3, 0], [1, 4, 7]]);
  assert.deepEqual([list.kind, list.path, list.parents], ["reference", table.path, [table.path]]);
  assert.deepEqual(column(list, "S"), ["row 7", "row 3", "row 3", "row 0"]);
  assert.equal(table.select([]).rowCount, 0);
  assert.throws(() => table.select([10]), { code: "OUT_OF_RANGE" });
  assert.throws(() => table.select([1.5]), { code: "INVALID_ARGUMENT" });
});

Deno.test("a projection has the columns asked for, under new names", () => {
  using folder = temporaryFolder();
  using table = numbers(`${folder.path}/t`, 4);
  using two = table.project(["S", "N"], { rename: { N: "NUMBER" } });
  assert.deepEqual(two.columnNames, ["S", "NUMBER"]);
  assert.deepEqual(column(two, "NUMBER"), [0, 1, 2, 3]);
  using swapped = table.project(["N", "S"], { rename: { N: "S", S: "N" } }).select([2]);
  assert.deepEqual([swapped.getCell("S", 0), swapped.getCell("N", 0)], [2, "row 2"]);
  // casacore can't open such a table: it gives the new names one by one.
  assert.throws(
    () => table.project(["N", "S"], { path: `${folder.path}/no`, rename: { N: "S", S: "N" } }),
    { code: "UNSUPPORTED", message: /S/ },
  );
  assert.throws(() => table.project(["X"]), { code: "NO_SUCH_COLUMN", message: /N, V, S/ });
  assert.throws(() => table.project(["N", "S"], { rename: { N: "S" } }), { code: "INVALID_ARGUMENT" });
  assert.throws(() => table.project(["N", "N"]), { code: "INVALID_ARGUMENT" });
  assert.throws(() => table.project(["N"], { rename: { S: "T" } }), { code: "INVALID_ARGUMENT" });
});

Deno.test("what is written through a selection is in the table, and committed with it", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  using table = numbers(path, 5);
  table.flush();
  {
    using some = table.select([4, 1]).project(["N"], { rename: { N: "M" } });
    some.putColumn("M", Int32Array.of(40, 10));
    assert.deepEqual(column(table), [0, 10, 2, 3, 40]);
  }
  const committed = () => {
    using other = Table.open(path, options);
    return column(other);
  };
  assert.deepEqual(committed(), [0, 1, 2, 3, 4], "closing a view commits nothing");
  table.select([0]).flush();
  assert.deepEqual(committed(), [0, 10, 2, 3, 40]);
});

Deno.test("rows that are removed are missed, and columns that come and go are seen", () => {
  using folder = temporaryFolder();
  using table = numbers(`${folder.path}/t`, 5);
  using some = table.select([0, 4]);
  using both = Table.concat([table, some], undefined, options);
  table.addColumn(scalar("NEW", "bool"));
  assert.deepEqual(both.rowCount, 7);
  using named = table.select([1]);
  assert.deepEqual(named.columnNames, ["N", "V", "S", "NEW"]);
  table.removeColumn("V");
  assert.deepEqual(some.columnNames, ["N", "S"]);
  assert.throws(() => both.columnNames, { code: "CORRUPT", message: /NEW/ });
  table.removeRows([4]);
  assert.throws(() => some.getCell("N", 1), { code: "OUT_OF_RANGE", message: /row 4.*4 rows/ });
  assert.equal(some.getCell("N", 0), 0);
});

Deno.test("a view is of no use without its table", () => {
  using folder = temporaryFolder();
  const table = numbers(`${folder.path}/t`, 5);
  using some = table.select([0, 4]);
  using both = Table.concat([some, table], undefined, options);
  table.close();
  assert.throws(() => some.getCell("N", 0), { code: "CLOSED" });
  assert.throws(() => both.putCell("N", 0, 1), { code: "CLOSED" });
});

Deno.test("what is written through a concatenation is in its tables", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  numbers(at("a"), 3).close();
  using b = numbers(at("b"), 2, 10);
  b.flush();
  {
    using both = Table.concat([at("a"), b], at("both"), { ...options, mode: "rw" });
    both.putColumn("N", Int32Array.of(7, 8), { rows: { start: 2, end: 4 } });
  }
  using a = Table.open(at("a"), options);
  assert.deepEqual([column(a), column(b)], [[0, 1, 7], [8, 11]]);
  using other = Table.open(at("b"), options);
  assert.deepEqual(column(other), [10, 11], "an open table commits when its owner says so");
});

Deno.test("a transaction isn't ended by a selection in it", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  using table = numbers(path, 3);
  assert.throws(() =>
    table.transaction(() => {
      using some = table.select([1]);
      some.transaction(() => some.putCell("N", 0, 9));
      assert.throws(() => some.flush(), { code: "INVALID_ARGUMENT" });
      assert.throws(() => table.select([1], { path: `${folder.path}/s` }), { code: "INVALID_ARGUMENT" });
      throw new RangeError("no");
    }), RangeError);
  assert.deepEqual(column(table), [0, 1, 2]);
});

Deno.test("a selection with a path is a table that opens, and goes to the table with the data", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  {
    using table = numbers(at("t"), 10);
    using first = table.select({ start: 2, end: 9 }, { path: at("first") });
    using second = first.select([5, 0]).project(["S", "N"], { path: at("t/second"), rename: { N: "M" } });
    assert.deepEqual([second.path, second.parents], [at("t/second"), [at("t")]]);
    assert.deepEqual(column(second, "M"), [7, 2]);
  }
  using first = Table.open(at("first"), options);
  using second = Table.open(at("t/second"), options);
  assert.deepEqual([column(first), column(second, "M")], [[2, 3, 4, 5, 6, 7, 8], [7, 2]]);
  assert.deepEqual([first.parents, second.parents], [[at("t")], [at("t")]]);
  // Everything moved together is found again.
  Deno.renameSync(folder.path, `${folder.path}_moved`);
  try {
    using moved = Table.open(`${folder.path}_moved/t/second`, options);
    assert.deepEqual(column(moved, "M"), [7, 2]);
  } finally {
    Deno.renameSync(`${folder.path}_moved`, folder.path);
  }
});

Deno.test("a selection takes no place that isn't free, least of all its table's", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  using table = numbers(at("t"), 3);
  table.flush();
  for (const path of [at("t"), folder.path]) {
    assert.throws(() => table.select([0], { path, overwrite: true }), { code: "INVALID_ARGUMENT" });
  }
  table.select([0], { path: at("s") }).close();
  assert.throws(() => table.select([1], { path: at("s") }), { code: "EXISTS" });
  table.select([1], { path: at("s"), overwrite: true }).close();
  using s = Table.open(at("s"), options);
  assert.deepEqual(column(s), [1]);
  assert.throws(() => table.select([0], { path: at("no/s") }), { code: "NOT_FOUND" });
});

Deno.test("references to references, which casacore doesn't write, are selected from like any other", () => {
  for (const name of ["ref_of_ref", "ref_columns", "ref_concat"]) {
    using folder = temporaryFolder();
    using table = Table.open(fixturePath(name), options);
    const rows = [table.rowCount - 1, 0], all = rowsAsJson(table);
    using some = table.select(rows, { path: `${folder.path}/some` });
    assert.deepEqual(rowsAsJson(some), rows.map((row) => all[row]));
    using again = Table.open(`${folder.path}/some`, options);
    assert.deepEqual(rowsAsJson(again), rowsAsJson(some));
    assert.deepEqual(again.keywords.toFields(), table.keywords.toFields());
  }
});

Deno.test("a concatenation has the rows of all its tables, given by path or open, in memory or on disk", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  numbers(at("a"), 3).close();
  using b = numbers(at("b"), 2, 10);
  using both = Table.concat([at("a"), b, at("a")], undefined, options);
  assert.deepEqual(column(both), [0, 1, 2, 10, 11, 0, 1, 2]);
  b.append({ N: Int32Array.of(12) });
  assert.deepEqual(column(both), [0, 1, 2, 10, 11, 12, 0, 1, 2]);
  using kept = Table.concat([at("a"), b], at("kept"), options);
  using nested = Table.concat([kept, both.select([0])], undefined, options);
  assert.deepEqual(column(nested), [0, 1, 2, 10, 11, 12, 0]);
  using selected = nested.select([6, 4], {});
  assert.deepEqual(column(selected), [0, 11]);
  using again = Table.open(at("kept"), options);
  assert.deepEqual([again.kind, again.parents], ["concatenation", [at("a"), at("b")]]);
  assert.deepEqual(column(again), [0, 1, 2, 10, 11, 12]);
  assert.match(again.info.readme, /concatenation/);
});

Deno.test("what a concatenation is not made of", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  using a = numbers(at("a"), 3);
  using few = a.project(["N"]);
  assert.throws(() => Table.concat([], at("c")), { code: "INVALID_ARGUMENT" });
  assert.throws(() => Table.concat([few, a], undefined), { code: "INVALID_ARGUMENT", message: /V/ });
  assert.throws(() => Table.concat([a, few], undefined), { code: "INVALID_ARGUMENT", message: /V/ });
  assert.throws(() => Table.concat([a, a.select([0])], at("c"), options), {
    code: "INVALID_ARGUMENT",
    message: /memory/,
  });
  assert.throws(() => Table.concat([few], undefined).select([0], { path: at("c") }), {
    code: "INVALID_ARGUMENT",
  });
  assert.throws(() => Table.concat([a], at("c"), { subtables: ["LOG"] }), { code: "NOT_FOUND" });
  assert.throws(() => Table.concat([a], at("a"), { ...options, overwrite: true }), {
    code: "INVALID_ARGUMENT",
  });
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["a"]);
  // Nor is it put in the place of what its parts refer to.
  using part = a.select([0], { path: at("part") });
  using nested = Table.concat([part], at("nested"), options);
  for (const name of ["part", "a"]) {
    assert.throws(() => nested.select([0], { path: at(name), overwrite: true }), {
      code: "INVALID_ARGUMENT",
      message: /place/,
    });
    assert.throws(() => Table.concat([nested], at(name), { ...options, overwrite: true }), {
      code: "INVALID_ARGUMENT",
    });
  }
});

Deno.test("subtables are those of the first table, or of all where that is asked", () => {
  const context = new Context();
  using folder = temporaryFolder();
  const a = fixturePath("concat_a"), b = fixturePath("concat_b");
  for (const [subtables, rows] of [[[], 2], [["LOG"], 5]] as const) {
    for (const path of [undefined, `${folder.path}/c${rows}`]) {
      using table = Table.concat([a, b], path, { ...options, context, subtables });
      using log = table.subtable("LOG");
      assert.equal(log.rowCount, rows);
      using some = table.select([0]).subtable("LOG");
      assert.equal(some.rowCount, rows);
    }
    using again = Table.open(`${folder.path}/c${rows}`, options);
    using log = again.subtable("LOG");
    assert.equal(log.rowCount, rows);
  }
});
