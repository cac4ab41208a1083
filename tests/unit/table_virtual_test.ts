/**
 * Virtual columns of real tables through the public face: other columns and other tables are found when they are needed.
 */
import assert from "node:assert/strict";
import { array, type Cell, type NDArray, scalar, Table, TableError } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { temporaryFolder } from "../fixture.ts";
import { addVirtualColumns, type VirtualSpec } from "./table_virtual_support.ts";

const MAPPED = "MappedArrayEngine<float   ,float   >";
const INDEXED = "ForwardColumnIndexedRowEngine";

function failure(action: () => unknown): TableError {
  try {
    action();
  } catch (error) {
    if (error instanceof TableError) return error;
    throw error;
  }
  assert.fail("no error");
}

/** Files below a folder that this process has open; null where the system doesn't tell. */
function openFilesIn(folder: string): number | null {
  if (Deno.build.os !== "linux") return null;
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

function shapesOf(cells: readonly Cell[]): unknown[] {
  return cells.map((cell) => cell === null ? null : (cell as NDArray).shape);
}

function mapped(name: string, stored: string): VirtualSpec {
  return { name, dtype: "float32", engine: MAPPED, keywords: { _BaseMappedArrayEngine_Name: stored } };
}

function forwarded(name: string, table: string, more: Partial<VirtualSpec> = {}): VirtualSpec {
  const keywords = { _ForwardColumn_TableName: table };
  return { name, dtype: "float32", engine: "ForwardColumnEngine", keywords, ...more };
}

/** A table of 3 rows: id 0, 1, 2, name a, b, c, x [10 r, 10 r + 1], free of shape [r], rows 2, 0, 1. */
function makeTable(path: string): void {
  using table = Table.create(path, {
    columns: [
      scalar("id", "int32"),
      scalar("name", "string"),
      array("x", "float32", { shape: [2] }),
      array("free", "int16", { ndim: 1 }),
      scalar("rows", "uint32"),
    ],
    rows: 3,
  });
  table.putColumn("id", Int32Array.of(0, 1, 2));
  table.putColumn("name", ["a", "b", "c"]);
  table.putColumn("x", Float32Array.of(0, 1, 10, 11, 20, 21));
  table.putColumn("rows", Uint32Array.of(2, 0, 1));
  for (const row of [1, 2]) {
    table.putCell("free", row, { dtype: "int16", shape: [row], data: new Int16Array(row) });
  }
}

/** A table of 3 rows with only an id, and virtual columns. */
function makeVirtual(path: string, specs: readonly VirtualSpec[]): void {
  {
    using table = Table.create(path, { columns: [scalar("id", "int32"), scalar("rows", "uint32")], rows: 3 });
    table.putColumn("rows", Uint32Array.of(2, 0, 1));
  }
  addVirtualColumns(path, specs, (first) => ({
    [`_ForwardColumn_RowName_${first}`]: "rows",
    [`_ForwardColumn_Name_${first}`]: "forwarder",
  }));
}

Deno.test("columns are found whichever manager opens first, and computed from virtual ones", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  makeTable(path);
  addVirtualColumns(path, [mapped("v3", "v2"), mapped("v1", "x"), mapped("v2", "v1")]);
  using table = Table.open(path);
  assert.deepEqual([...table.getColumn("v3").data as Float32Array], [0, 1, 10, 11, 20, 21]);
  assert.deepEqual([
    ...(await table.getColumnAsync("v2", { rows: [2], slice: [[1, 2]] })).data as Float32Array,
  ], [21]);
  assert.deepEqual(table.managerDetails(table.column("v1").manager.sequence), {
    type: MAPPED,
    sequence: 4,
    name: "v1",
    files: [],
    fileBytes: 0,
    info: { stored: "x" },
  });
});

Deno.test("columns computed from each other in a circle are corrupt, and the others are read", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  makeTable(path);
  addVirtualColumns(path, [
    mapped("self", "self"),
    mapped("a", "b"),
    mapped("b", "c"),
    mapped("c", "a"),
    mapped("good", "x"),
  ]);
  using table = Table.open(path);
  for (const name of ["self", "a", "b", "c"]) {
    for (let again = 0; again < 2; again++) {
      const error = failure(() => table.getColumn(name));
      assert.equal(error.code, "CORRUPT");
      assert.match(error.message, /column \w+ is computed from column \w+, which is computed from it/);
    }
    await assert.rejects(table.getColumnAsync(name), (error: TableError) => error.code === "CORRUPT");
  }
  assert.equal(table.getColumn("good").data.length, 6);
});

Deno.test("more columns computed from each other than anybody needs are too many", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  makeTable(path);
  addVirtualColumns(
    path,
    Array.from({ length: 40 }, (_, i) => mapped(`v${i}`, i === 39 ? "x" : `v${i + 1}`)),
  );
  using table = Table.open(path);
  assert.match(
    failure(() => table.getColumn("v0")).message,
    /more than 16 columns are computed from each other/,
  );
  assert.equal(failure(() => table.getColumn("v0")).code, "LIMIT");
  using other = Table.open(path);
  assert.equal(other.getColumn("v24").data.length, 6);
  assert.equal(failure(() => other.getColumn("v23")).code, "LIMIT");
});

Deno.test("a column that is forwarded is read from the other table, in both ways", async () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  const scalars = { kind: "scalar" } as const;
  makeVirtual(`${folder.path}/f`, [
    forwarded("x", "./t"),
    forwarded("name", `${folder.path}/t`, { ...scalars, dtype: "string" }),
    forwarded("free", "./t", { dtype: "int16" }),
  ]);
  using table = Table.open(`${folder.path}/f`, { io: "node" });
  assert.deepEqual([...table.getColumn("x").data as Float32Array], [0, 1, 10, 11, 20, 21]);
  assert.deepEqual(table.getColumn("name", { rows: [2, 0] }).data, ["c", "a"]);
  assert.deepEqual((await table.getColumnAsync("name")).data, ["a", "b", "c"]);
  assert.deepEqual(shapesOf(table.getCells("free")), [null, [1], [2]]);
  assert.deepEqual([...table.getColumn("x", { slice: [[1, 2]] }).data as Float32Array], [1, 11, 21]);
  assert.deepEqual(table.managerDetails(1), {
    type: "ForwardColumnEngine",
    sequence: 1,
    name: "forwarder",
    files: [],
    fileBytes: 0,
    info: { table: "./t" },
  });
});

Deno.test("rows of the other table are looked up where a column has their numbers", async () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  const keywords = { _ForwardColumn_TableName_Row: "./t" };
  makeVirtual(`${folder.path}/f`, [forwarded("x", "", { engine: INDEXED, keywords })]);
  using table = Table.open(`${folder.path}/f`);
  assert.deepEqual([...table.getColumn("x").data as Float32Array], [20, 21, 0, 1, 10, 11]);
  assert.deepEqual([...(await table.getColumnAsync("x", { rows: [1, 1, 0] })).data as Float32Array], [
    0,
    1,
    0,
    1,
    20,
    21,
  ]);
  assert.deepEqual(table.managerDetails(1)?.info, { table: "./t", rows: "rows" });
  assert.equal(table.managerDetails(1)?.name, "forwarder");
});

Deno.test("the other table may forward itself, and a forwarded column be computed with", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  makeVirtual(`${folder.path}/once`, [forwarded("x", "./t")]);
  makeVirtual(`${folder.path}/twice`, [forwarded("x", "./once"), mapped("again", "x")]);
  using table = Table.open(`${folder.path}/twice`, { confine: false });
  assert.deepEqual([...table.getColumn("again", { rows: [1] }).data as Float32Array], [10, 11]);
});

Deno.test("the other table is opened once and closed with this one", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  makeVirtual(`${folder.path}/f`, [forwarded("x", "./t")]);
  const table = Table.open(`${folder.path}/f`, { io: "node" });
  table.getColumn("x");
  assert.ok(table.ioStats.calls.open >= 4);
  table.resetIoStats();
  table.getColumn("x");
  assert.equal(table.ioStats.calls.open, 0);
  const before = openFilesIn(folder.path);
  table.close();
  if (before !== null) assert.deepEqual([before > 2, openFilesIn(folder.path)], [true, 0]);
  assert.equal(failure(() => table.getColumn("x")).code, "CLOSED");
});

Deno.test("two asynchronous requests that need the other table share it", async () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  makeVirtual(`${folder.path}/f`, [forwarded("x", "./t"), mapped("y", "x")]);
  using table = Table.open(`${folder.path}/f`, { io: "node" });
  const results = await Promise.all(["x", "y", "x", "y"].map((name) => table.getColumnAsync(name)));
  for (const { data } of results) assert.deepEqual([...data as Float32Array], [0, 1, 10, 11, 20, 21]);
});

Deno.test("what is wrong with a forwarded column is said when it is read", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  {
    using short = Table.create(`${folder.path}/short`, {
      columns: [array("x", "float32", { shape: [2] })],
      rows: 2,
    });
    short.flush();
  }
  makeVirtual(`${folder.path}/f`, [
    forwarded("x", "./short"),
    forwarded("nobody", "./t"),
    forwarded("id2", "./t"),
    forwarded("free", "./t"),
    forwarded("name", "./t"),
    forwarded("gone", "./gone"),
    forwarded("nameless", "", { keywords: {} }),
  ]);
  using table = Table.open(`${folder.path}/f`);
  const message = (name: string) => {
    const { code, message } = failure(() => table.getColumn(name));
    return `${code} ${message}`;
  };
  assert.match(message("x"), /^CORRUPT .*row 2 is row 2 of table .\/short, which has 2 rows/);
  assert.deepEqual([...table.getColumn("x", { rows: { start: 0, end: 2 } }).data as Float32Array], [
    0,
    0,
    0,
    0,
  ]);
  assert.match(message("nobody"), /^CORRUPT .*forwarded column nobody: table .\/t has no such column/);
  assert.match(
    message("free"),
    /^CORRUPT .*in table .\/t it is a column of array int16, expected array float32/,
  );
  assert.match(
    message("name"),
    /^CORRUPT .*in table .\/t it is a column of scalar string, expected array float32/,
  );
  assert.match(message("nameless"), /^CORRUPT .*keyword _ForwardColumn_TableName is missing/);
  // A table that isn't there isn't one of those that are open, however often it is asked for.
  for (let i = 0; i < 70; i++) {
    assert.match(message("gone"), /^NOT_FOUND .*refers to table .*gone, which is not there/);
  }
});

Deno.test("row numbers past the end of the other table, or in no such column, are corrupt", () => {
  using folder = temporaryFolder();
  {
    using short = Table.create(`${folder.path}/t`, {
      columns: [array("x", "float32", { shape: [2] })],
      rows: 2,
    });
    short.flush();
  }
  const keywords = { _ForwardColumn_TableName_Row: "./t" };
  makeVirtual(`${folder.path}/f`, [
    forwarded("x", "", { engine: INDEXED, keywords }),
    forwarded("y", "", { engine: INDEXED, keywords }),
  ]);
  using table = Table.open(`${folder.path}/f`);
  assert.match(failure(() => table.getColumn("x")).message, /row 0 is row 2 of table .\/t, which has 2 rows/);
  assert.equal(table.getColumn("x", { rows: [2, 1] }).data.length, 4);
  // The second engine has another number, and no keyword of the table says where its rows are.
  assert.match(
    failure(() => table.getColumn("y")).message,
    /table keyword _ForwardColumn_RowName_2 is missing/,
  );
});

Deno.test("row numbers may come from another table too, but not over and over", () => {
  using folder = temporaryFolder();
  const tables = 7;
  makeTable(`${folder.path}/t${tables}`);
  for (let k = 0; k < tables; k++) {
    const path = `${folder.path}/t${k}`, next = `./t${k + 1}`;
    {
      using own = Table.create(path, { columns: [scalar("id", "int32")], rows: 3 });
      own.flush();
    }
    addVirtualColumns(path, [
      forwarded("x", "", { engine: INDEXED, keywords: { _ForwardColumn_TableName_Row: next } }),
      forwarded("rows", next, { kind: "scalar", dtype: "uint32" }),
    ], (first) => ({ [`_ForwardColumn_RowName_${first}`]: "rows" }));
  }
  // Rows 2, 0, 1 of rows 2, 0, 1 … of x.
  using near = Table.open(`${folder.path}/t${tables - 2}`);
  assert.deepEqual([...near.getColumn("x").data as Float32Array], [10, 11, 20, 21, 0, 1]);
  using four = Table.open(`${folder.path}/t${tables - 4}`);
  assert.deepEqual([...four.getColumn("x").data as Float32Array], [20, 21, 0, 1, 10, 11]);
  using far = Table.open(`${folder.path}/t0`);
  assert.equal(failure(() => far.getColumn("x")).code, "LIMIT");
  assert.deepEqual([...far.getColumn("rows").data as Uint32Array], [2, 0, 1]);
});

Deno.test("tables that forward to each other in a circle are corrupt, and too many are too many", async () => {
  using folder = temporaryFolder();
  makeVirtual(`${folder.path}/a`, [forwarded("x", "./b")]);
  makeVirtual(`${folder.path}/b`, [forwarded("x", "./c")]);
  makeVirtual(`${folder.path}/c`, [forwarded("x", "./a")]);
  {
    using table = Table.open(`${folder.path}/a`);
    const error = failure(() => table.getColumn("x"));
    assert.deepEqual([error.code, /refers to itself/.test(error.message)], ["CORRUPT", true]);
    await assert.rejects(table.getColumnAsync("x"), /refers to itself/);
    assert.equal(table.getColumn("id").data.length, 3);
  }
  for (let i = 0; i <= 66; i++) makeVirtual(`${folder.path}/t${i}`, [forwarded("x", `./t${i + 1}`)]);
  using deep = Table.open(`${folder.path}/t0`);
  assert.equal(failure(() => deep.getColumn("x")).code, "LIMIT");
});

Deno.test("the longest chains over the most tables don't exhaust the stack", async () => {
  using folder = temporaryFolder();
  const tables = 65, last = tables - 1;
  for (let k = 0; k < last; k++) {
    // x0 … x14 in each table, the last from the next table's.
    const [first, end] = k % 2 === 0 ? ["even", "odd"] : ["odd", "even"];
    const inner = Array.from({ length: 14 }, (_, i) => `v${i}`);
    const names = [first, ...inner, end];
    makeVirtual(`${folder.path}/t${k}`, [
      ...names.slice(0, -1).map((name, i) => mapped(name, names[i + 1]!)),
      forwarded(end, `./t${k + 1}`),
    ]);
  }
  {
    using end = Table.create(`${folder.path}/t${last}`, {
      columns: [array("even", "float32", { shape: [1] })],
      rows: 3,
    });
    end.putColumn("even", Float32Array.of(5, 6, 7));
  }
  using table = Table.open(`${folder.path}/t0`);
  assert.deepEqual([...table.getColumn("even").data as Float32Array], [5, 6, 7]);
  assert.deepEqual([...(await table.getColumnAsync("even")).data as Float32Array], [5, 6, 7]);
});

Deno.test("with confine a forwarded column stays within the table's tree", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  makeVirtual(`${folder.path}/f`, [forwarded("x", "./t"), forwarded("free", "././in", { dtype: "int16" })]);
  makeTable(`${folder.path}/f/in`);
  using table = Table.open(`${folder.path}/f`, { confine: true });
  assert.equal(failure(() => table.getColumn("x")).code, "INVALID_ARGUMENT");
  assert.equal(table.getCells("free").length, 3);
});

Deno.test("a table that is open for writing reads its virtual columns, and leaves other tables alone", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  makeVirtual(`${folder.path}/f`, [forwarded("x", "./t")]);
  // Where there are locks, the other table's is taken, and not asked for.
  const lock = library() === null ? "none" : "auto";
  using other = Table.open(`${folder.path}/t`, { mode: "rw", lock });
  {
    using table = Table.open(`${folder.path}/f`, { mode: "rw", lock });
    assert.deepEqual([...table.getColumn("x", { rows: [0] }).data as Float32Array], [0, 1]);
    table.putColumn("id", Int32Array.of(7, 8, 9));
    table.column("x").keywords.set("NOTE", "still forwarded");
    // Rows of this table are none of the other's.
    table.addRows(1);
  }
  using again = Table.open(`${folder.path}/f`);
  assert.deepEqual([...again.getColumn("id").data as Int32Array], [7, 8, 9, 0]);
  assert.equal(again.column("x").keywords.get("NOTE"), "still forwarded");
  assert.deepEqual([...again.getColumn("x", { rows: [1] }).data as Float32Array], [10, 11]);
  assert.equal(other.rowCount, 3);
});

Deno.test("a column of an application's own class is read as the numbers that are stored", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  const engine = "RetypedArrayEngine<Pair,float   >";
  addVirtualColumns(`${folder.path}/t`, [
    {
      name: "pairs",
      dtype: "float32",
      engine,
      className: "Pair",
      keywords: {
        _BaseMappedArrayEngine_Name: "x",
        _RetypedArrayEngine_Shape: { dtype: "int32", shape: [1], data: [2] },
        _RetypedArrayEngine_Record: {},
      },
    },
  ]);
  using table = Table.open(`${folder.path}/t`);
  const { dtype, kind, ndim, shape, readable } = table.column("pairs");
  assert.deepEqual({ dtype, kind, ndim, shape, readable }, {
    dtype: "float32",
    kind: "array",
    ndim: -1,
    shape: null,
    readable: true,
  });
  assert.deepEqual(table.getColumn("pairs"), table.getColumn("x"));
});

Deno.test("an expression is named when its column is read; the rest of the table is read", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  addVirtualColumns(`${folder.path}/t`, [{
    name: "twice",
    kind: "scalar",
    dtype: "float64",
    engine: "VirtualTaQLColumn",
    keywords: { _VirtualTaQLEngine_CalcExpr: "2*id", _VirtualTaQLEngine_Style: "python" },
  }]);
  using table = Table.open(`${folder.path}/t`);
  assert.equal(table.column("twice").readable, false);
  const error = failure(() => table.getColumn("twice"));
  assert.equal(error.code, "UNSUPPORTED");
  assert.match(error.message, /column twice is computed by the TaQL expression 2\*id \(style python\)/);
  assert.equal(table.managerDetails(table.column("twice").manager.sequence), null);
  const readable = table.columnNames.filter((name) => table.column(name).readable);
  assert.deepEqual(readable, ["id", "name", "x", "free", "rows"]);
  for (const name of readable) assert.equal(table.getCells(name).length, 3);
});

Deno.test("a copy has the values of virtual columns", () => {
  using folder = temporaryFolder();
  makeTable(`${folder.path}/t`);
  makeVirtual(`${folder.path}/f`, [forwarded("x", "./t"), mapped("y", "x")]);
  {
    using table = Table.open(`${folder.path}/f`);
    table.copy(`${folder.path}/copy`);
  }
  Deno.removeSync(`${folder.path}/t`, { recursive: true });
  using copy = Table.open(`${folder.path}/copy`);
  assert.deepEqual([...copy.getColumn("y").data as Float32Array], [0, 1, 10, 11, 20, 21]);
  assert.notEqual(copy.column("x").manager.type, "ForwardColumnEngine");
});
