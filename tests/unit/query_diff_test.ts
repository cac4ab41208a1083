/** Differences: none between a table and its copies, and every one that is put in is found where it is. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { array, Context, incremental, scalar, standard, Table, TableRecord } from "../../mod.ts";
import { diffTables } from "../../src/query/mod.ts";
import { allFixtures, fixturePath } from "../fixture.ts";

for (const { name } of allFixtures()) {
  Deno.test(`a copy of ${name} in another manager and byte order doesn't differ`, () => {
    using table = Table.open(fixturePath(name), { io: "node" });
    const columns = table.columnNames.filter((column) => table.column(column).readable);
    const context = new Context();
    const byteOrder = table.byteOrder === "big" ? "little" : "big";
    const storage = [standard("S", { bucketRows: 5 })];
    table.copy("/copy", {
      columns,
      storage,
      byteOrder,
      io: "memory",
      context,
      lock: "none",
      subtables: false,
    });
    using copy = Table.open("/copy", { io: "memory", context });
    const diff = diffTables(table, copy, { columns });
    assert.deepEqual([diff.equal, diff.schema, diff.keywords], [true, [], []]);
    assert.deepEqual(
      diff.columns.map(({ name, rows }) => [name, rows]),
      columns.map((c) => [c, table.rowCount]),
    );
  });
}

/** Two tables in memory that hold the same. */
function twins(rows = 200) {
  const context = new Context();
  const make = (path: string, byteOrder: "little" | "big") => {
    const table = Table.create(path, {
      columns: [
        array("DATA", "complex64", { shape: [2, 3] }),
        scalar("T", "float64"),
        scalar("S", "string"),
        scalar("I", "int64"),
        array("FREE", "float32"),
        scalar("B", "bool"),
      ],
      storage: byteOrder === "big" ? [incremental("I", ["T", "B"]), standard("S")] : [],
      rows,
      byteOrder,
      io: "memory",
      lock: "none",
      context,
      keywords: { A: 1, R: { X: [1, 2], Y: "y" } },
    });
    table.putColumn("DATA", Float32Array.from({ length: rows * 12 }, (_, i) => i / 8));
    table.putColumn("T", Float64Array.from({ length: rows }, (_, i) => i));
    for (let row = 0; row < rows; row++) {
      if (row % 5 === 4) continue;
      const shape = row % 40 < 20 ? [3] : [row % 2 + 1, 2];
      const length = shape.reduce((a, b) => a * b);
      table.putCell("FREE", row, { dtype: "float32", shape, data: new Float32Array(length).fill(row) });
    }
    return table;
  };
  return { a: make("/a", "little"), b: make("/b", "big") };
}

Deno.test("every change of a cell is found in its row and element, and no other", () => {
  const { a, b } = twins();
  using _a = a, _b = b;
  assert.equal(diffTables(a, b).equal, true);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(199), { minLength: 1, maxLength: 5 }), fc.nat(5), (rows, element) => {
      for (const row of rows) {
        const cell = a.getCell("DATA", row) as { data: Float32Array };
        cell.data[2 * element + row % 2]! += 1;
        b.putCell("DATA", row, cell.data);
      }
      const diff = diffTables(a, b);
      const first = Math.min(...rows);
      const found = diff.columns[0]!;
      assert.deepEqual([found.differentRows, found.differentElements, found.largest], [
        rows.length,
        rows.length,
        1,
      ]);
      assert.deepEqual([found.first!.row, found.first!.index], [first, [
        element % 2,
        Math.floor(element / 2),
      ]]);
      assert.ok(diff.columns.slice(1).every(({ differentRows }) => differentRows === 0));
      for (const row of rows) b.putCell("DATA", row, a.getCell("DATA", row));
    }),
    { numRuns: 20 },
  );
});

Deno.test("cells of other shapes and undefined ones differ as a whole, and what lies first is told", () => {
  const { a, b } = twins();
  using _a = a, _b = b;
  b.setShape("FREE", [1], { rows: [21, 22] });
  const one = () => diffTables(a, b).columns.find(({ name }) => name === "FREE")!;
  assert.deepEqual(one().first, { row: 21, index: null, left: "[2,2]", right: "[1]" });
  assert.deepEqual([one().differentRows, one().differentElements], [2, 0]);
  b.setShape("FREE", [1], { rows: [4] });
  assert.deepEqual(one().first, { row: 4, index: null, left: "undefined", right: "[1]" });
  const cell = a.getCell("FREE", 3) as { data: Float32Array };
  cell.data[1] = 0.1;
  b.putCell("FREE", 3, { dtype: "float32", shape: [3], data: cell.data });
  assert.deepEqual(one().first, { row: 3, index: [1], left: "3", right: "0.1" });
  assert.deepEqual([one().differentRows, one().differentElements], [4, 1]);
});

Deno.test("strings, whole numbers of 64 bits, flags and records are compared", () => {
  const { a, b } = twins();
  using _a = a, _b = b;
  b.putCell("S", 0, "x");
  a.putCell("I", 199, 2n ** 60n);
  b.putCell("I", 199, 2n ** 60n + 1n);
  b.putCell("B", 100, true);
  const firsts = diffTables(a, b).columns.filter(({ first }) => first !== null).map(({ first }) => first);
  assert.deepEqual(firsts, [
    { row: 0, index: [], left: '""', right: '"x"' },
    { row: 199, index: [], left: "1152921504606846976", right: "1152921504606846977" },
    { row: 100, index: [], left: "false", right: "true" },
  ]);
  assert.equal(diffTables(a, b, { columns: ["I"], absolute: 1 }).equal, true);
});

Deno.test("NaN equals NaN, 0 equals -0, and a tolerance is absolute, relative, or both", () => {
  const { a, b } = twins(8);
  using _a = a, _b = b;
  a.putColumn("T", Float64Array.of(NaN, 0, 1, 1000, Infinity, 5, -1, 0));
  b.putColumn("T", Float64Array.of(NaN, -0, 1.001, 1001, -Infinity, NaN, -1, 1e-9));
  const rows = (options = {}) => {
    const { differentRows, first } = diffTables(a, b, { columns: ["T"], ...options }).columns[0]!;
    return [differentRows, first?.row];
  };
  assert.deepEqual(rows(), [5, 2]);
  assert.deepEqual(rows({ absolute: 0.01 }), [3, 3]);
  assert.deepEqual(rows({ relative: 0.0011 }), [3, 4]);
  assert.deepEqual(rows({ relative: 0.0011, absolute: 1e-9 }), [2, 4]);
  // Infinities of two signs, and NaN beside a number, are never close.
  assert.deepEqual(rows({ relative: 1e9, absolute: 1e9 }), [2, 4]);
});

Deno.test("differences of the description and of keywords are told, those inside records by their paths", () => {
  const context = new Context();
  const make = (path: string, type: "float32" | "float64", comment: string) =>
    Table.create(path, {
      columns: [
        scalar("A", type, { comment }),
        scalar(path === "/l" ? "L" : "R", "int32"),
        array("C", "int32"),
      ],
      rows: path === "/l" ? 3 : 4,
      io: "memory",
      lock: "none",
      context,
    });
  using left = make("/l", "float32", "one");
  using right = make("/r", "float64", "two");
  left.keywords.set("K", TableRecord.from({ x: 1, y: TableRecord.from({ z: "a" }) }));
  right.keywords.set("K", TableRecord.from({ x: 1, y: TableRecord.from({ z: "b" }) }));
  left.keywords.set("ONLY", [1, 2], "int32");
  right.keywords.set("N", NaN);
  left.keywords.set("N", NaN);
  right.column("C").keywords.set("UNIT", "Jy");
  const diff = diffTables(left, right);
  assert.equal(diff.equal, false);
  assert.deepEqual(diff.schema, [
    { what: "rows", left: "3", right: "4" },
    { what: "column A: type", left: "float32", right: "float64" },
    { what: "column A: comment", left: '"one"', right: '"two"' },
    { what: "column L", left: "scalar", right: null },
    { what: "column R", left: null, right: "scalar" },
  ]);
  assert.deepEqual(diff.keywords, [
    { what: "keyword K.y.z", left: '"a" (string)', right: '"b" (string)' },
    { what: "keyword ONLY", left: "[1, 2] (int32[2])", right: null },
    { what: "column C: keyword UNIT", left: null, right: '"Jy" (string)' },
  ]);
  assert.deepEqual(diff.columns.map(({ name, problem }) => [name, problem]), [["A", "the types differ"], [
    "C",
    null,
  ]]);
  assert.throws(() => diffTables(left, right, { columns: ["NONE"] }), { code: "NO_SUCH_COLUMN" });
});

Deno.test("cells larger than a block are compared part by part", () => {
  const context = new Context();
  const make = (path: string) => {
    const table = Table.create(path, {
      columns: [array("A", "float64")],
      rows: 2,
      io: "memory",
      lock: "none",
      context,
    });
    const data = Float64Array.from({ length: 1000 * 3 * 400 }, (_, i) => i);
    table.putCell("A", 1, { dtype: "float64", shape: [1000, 3, 400], data });
    return table;
  };
  using a = make("/a");
  using b = make("/b");
  assert.equal(diffTables(a, b).equal, true);
  const cell = b.getCell("A", 1) as { dtype: "float64"; shape: number[]; data: Float64Array };
  cell.data[1000 * 3 * 399 + 1000 * 2 + 17] = -1;
  cell.data[1000 * 3 * 250 + 18] = -2;
  b.putCell("A", 1, cell);
  const [{ first, differentRows, differentElements }] = diffTables(a, b).columns as [
    ReturnType<typeof diffTables>["columns"][0],
  ];
  assert.deepEqual([first!.row, first!.index, differentRows, differentElements], [1, [18, 0, 250], 1, 2]);
});
