/**
 * Columns and rows come and go: what a table shows before and after a commit, what is refused, and that a refused call
 * leaves the table as it was.
 */
import assert from "node:assert/strict";
import {
  aipsio,
  array,
  compressFloat,
  Context,
  incremental,
  memory,
  scalar,
  standard,
  Table,
  TableError,
  type TableErrorCode,
  type TableRecord,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { rowsAsJson } from "../rows-as-json.ts";

/** Everything that a table shows. */
function stateOf(table: Table): string {
  return JSON.stringify([
    table.columnNames.map((name) => {
      const { dtype, kind, shape, ndim, comment, manager, keywords } = table.column(name);
      return [name, dtype, kind, shape, ndim, comment, manager, keywords.toJSON()];
    }),
    table.managers,
    table.keywords.toJSON(),
    rowsAsJson(table),
  ]);
}

function refuses(code: TableErrorCode, call: () => unknown, mentions?: RegExp): void {
  assert.throws(call, (error: unknown) => {
    assert(error instanceof TableError, `${error}`);
    assert.equal(error.code, code, error.message);
    if (mentions !== undefined) assert.match(error.message, mentions);
    return true;
  });
}

/** A table in memory with columns in several managers, and values. */
function example(context = new Context()): Table {
  const table = Table.create("/t", {
    columns: [
      scalar("A", "int32"),
      scalar("S", "string"),
      array("V", "float64"),
      array("DATA", "complex64", { shape: [2, 3] }),
      array("FLAG", "bool", { shape: [2, 3] }),
      scalar("I", "float64"),
      scalar("M", "int32"),
    ],
    storage: [
      standard("SSM", ["A", "S", "V"], { bucketRows: 4 }),
      tiledShape("T", ["DATA", "FLAG"], { tileShape: [2, 3, 2] }),
      incremental("ISM", ["I"]),
      memory("MEM", ["M"]),
    ],
    rows: 6,
    io: "memory",
    context,
  });
  table.putColumn("A", Int32Array.of(0, 1, 2, 3, 4, 5));
  table.putColumn("S", ["a", "bb".repeat(20), "c", "", "e", "f"]);
  table.putCell("V", 2, { dtype: "float64", shape: [2], data: Float64Array.of(1, 2) });
  table.putColumn("DATA", Float32Array.from({ length: 72 }, (_, i) => i));
  table.putColumn("I", Float64Array.of(1, 1, 1, 2, 2, 3));
  table.putColumn("M", Int32Array.of(5, 4, 3, 2, 1, 0));
  table.flush();
  return table;
}

/** The table as somebody else finds it. */
function found(context: Context): string {
  using table = Table.open("/t", { io: "memory", context });
  return stateOf(table);
}

Deno.test("columns are added, with values that can be put at once, and are there when the table is opened again", () => {
  const context = new Context(), table = example(context);
  const column = table.column("A");
  table.addColumn(scalar("B", "int32", { unit: "Jy", comment: "new" }));
  assert.deepEqual(table.columnNames.at(-1), "B");
  assert.deepEqual(table.column("B").manager, { type: "StandardStMan", sequence: 0 });
  assert.deepEqual([...table.getColumn("B").data], [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(table.column("B").units, ["Jy"]);
  table.putColumn("B", Int32Array.of(9, 8, 7, 6, 5, 4));
  assert.equal(column.cellShape(0)?.length, 0);
  table.addColumns([
    array("W", "float32", { shape: [4] }),
    scalar("C", "string"),
    array("X", "int16", { shape: [2], direct: true }),
  ], { storage: [tiledColumn("TC", ["W"], { tileShape: [4, 2] }), standard("SSM2")] });
  table.putCell("C", 5, "last");
  table.addColumn(array("FREE", "float64", { ndim: 1 }));
  assert.equal(table.column("FREE").manager.type, "TiledShapeStMan");
  table.addColumn(array("ANY", "uint8"), { manager: "SSM2" });
  assert.equal(table.column("ANY").manager.sequence, table.column("C").manager.sequence);
  table.addColumn(scalar("I2", "int32"), { manager: 2 });
  table.addColumn(scalar("M2", "float64"), { manager: 3 });
  table.putColumn("M2", Float64Array.of(1, 2, 3, 4, 5, 6));
  table.addColumn(scalar("N", "int32"), { storage: aipsio("AIPS", ["N"]) });
  table.addRows(2);
  const before = stateOf(table);
  table.flush();
  assert.equal(stateOf(table), before);
  using again = Table.open("/t", { io: "memory", context, mode: "rw" });
  assert.deepEqual(again.columnNames, table.columnNames);
  assert.deepEqual(
    rowsAsJson(again).map(({ M: _, M2: __, ...row }) => row),
    rowsAsJson(table).map(({ M: _, M2: __, ...row }) => row),
  );
  table.close();
});

Deno.test("columns that are refused leave the table as it was, and what is pending pending", () => {
  const context = new Context();
  using table = example(context);
  const committed = found(context);
  table.putCell("A", 0, 77);
  const before = stateOf(table);
  refuses("EXISTS", () => table.addColumn(scalar("A", "int32")), /column A/);
  refuses("INVALID_ARGUMENT", () => table.addColumns([scalar("Q", "int32"), scalar("Q", "int32")]), /twice/);
  refuses("EXISTS", () => table.addColumn(scalar("Q", "int32"), { storage: standard("SSM") }), /SSM/);
  refuses("NOT_FOUND", () => table.addColumn(scalar("Q", "int32"), { manager: "NOPE" }), /SSM, T, ISM/);
  refuses(
    "UNSUPPORTED",
    () => table.addColumn(array("Q", "int32", { shape: [2, 3] }), { manager: "T" }),
    /TiledShapeStMan T/,
  );
  refuses("NO_SUCH_COLUMN", () => table.addColumn(scalar("Q", "int32"), { storage: standard("X", ["R"]) }));
  refuses(
    "INVALID_ARGUMENT",
    () => table.addColumn(scalar("Q", "int32"), { storage: standard("X"), manager: 0 }),
  );
  refuses(
    "INVALID_ARGUMENT",
    () =>
      table.addColumns(
        [scalar("OK", "int32"), array("BIG", "float64", { shape: [500, 500], direct: true })],
        {
          manager: "SSM",
        },
      ),
    /BIG/,
  );
  refuses(
    "INVALID_ARGUMENT",
    () =>
      table.addColumns([scalar("OK", "int32"), array("T2", "string", { shape: [2] })], {
        storage: [standard("NEW", ["OK"]), tiledColumn("TC", ["T2"])],
      }),
  );
  refuses(
    "INVALID_ARGUMENT",
    () =>
      table.addColumns([array("P", "float32", { ndim: 1 }), array("P2", "int32", { ndim: 1 })], {
        storage: compressFloat("P", { stored: "P2" }),
      }),
  );
  assert.equal(stateOf(table), before);
  assert.equal(found(context), committed);
  table.flush();
  assert.equal(stateOf(table), before);
});

Deno.test("columns are removed, a manager with the last of them and its files", () => {
  const context = new Context(), table = example(context);
  const gone = table.column("DATA"), kept = table.column("S");
  refuses("UNSUPPORTED", () => table.removeColumn("DATA"), /DATA, FLAG/);
  refuses("NO_SUCH_COLUMN", () => table.removeColumns(["A", "NOPE"]), /NOPE/);
  table.removeColumns(["DATA", "FLAG"]);
  assert.deepEqual(table.columnNames, ["A", "S", "V", "I", "M"]);
  assert.deepEqual(table.managers.map(({ sequence }) => sequence), [0, 2, 3]);
  refuses("NO_SUCH_COLUMN", () => gone.cellShape(0));
  refuses("NO_SUCH_COLUMN", () => gone.keywords.set("K", 1));
  assert([...context.memory.files.keys()].includes("/t/table.f1"));
  table.removeColumn("A");
  assert.equal(kept.name, "S");
  assert.deepEqual(kept.cellShape(0), []);
  assert.equal(table.getCell("S", 1), "bb".repeat(20));
  table.flush();
  assert.deepEqual([...context.memory.files.keys()].filter((path) => path.includes("table.f1")), []);
  const state = stateOf(table);
  table.removeColumns(["M", "I"]);
  table.discard();
  assert.equal(stateOf(table), state);
  table.removeColumns(table.columnNames);
  assert.deepEqual(table.columnNames, []);
  table.close();
  using again = Table.open("/t", { io: "memory", context });
  assert.deepEqual(again.columnNames, []);
  assert.equal(again.rowCount, 6);
});

Deno.test("a column is renamed with what names it", () => {
  const context = new Context();
  const table = Table.create("/t", {
    columns: [
      scalar("TIME", "float64", { measure: { type: "epoch", VarRefCol: "REF" } }),
      scalar("REF", "int32"),
      array("W", "float32", { shape: [2] }),
      array("PACKED", "int16", { shape: [2] }),
      array("X", "float64", { shape: [2], keywords: { VariableUnits: "UNIT", _OtherName: "REF" } }),
      scalar("UNIT", "string"),
    ],
    storage: [compressFloat("W", { stored: "PACKED", scale: 0.5 })],
    rows: 2,
    io: "memory",
    context,
  });
  table.putColumn("W", Float32Array.of(1, 2, 3, 4));
  table.flush();
  const column = table.column("PACKED");
  for (const name of ["REF", "PACKED", "UNIT", "W"]) table.renameColumn(name, `${name}_2`);
  assert.equal(column.name, "PACKED_2");
  refuses("EXISTS", () => table.renameColumn("X", "TIME"));
  refuses("NO_SUCH_COLUMN", () => table.renameColumn("REF", "Y"));
  refuses("INVALID_ARGUMENT", () => table.renameColumn("X", ""));
  refuses("INVALID_ARGUMENT", () => table.removeColumn("PACKED_2"), /W_2/);
  const check = (table: Table) => {
    assert.deepEqual(table.columnNames, ["TIME", "REF_2", "W_2", "PACKED_2", "X", "UNIT_2"]);
    assert.equal((table.column("TIME").keywords.get("MEASINFO") as TableRecord).get("VarRefCol"), "REF_2");
    assert.equal(table.column("X").keywords.get("VariableUnits"), "UNIT_2");
    assert.equal(table.column("X").keywords.get("_OtherName"), "REF");
    assert.deepEqual([...table.getColumn("W_2").data], [1, 2, 3, 4]);
  };
  check(table);
  table.close();
  using again = Table.open("/t", { io: "memory", context, mode: "rw" });
  check(again);
  again.removeColumns(["PACKED_2", "W_2"]);
  assert.deepEqual(again.columnNames, ["TIME", "REF_2", "X", "UNIT_2"]);
});

Deno.test("rows are removed where all managers can; others refuse before anything is done", () => {
  const context = new Context();
  using table = example(context);
  const before = stateOf(table);
  refuses("UNSUPPORTED", () => table.removeRows([1]), /TiledShapeStMan T.*copy/);
  assert.equal(stateOf(table), before);
  table.removeColumns(["DATA", "FLAG"]);
  const rows = rowsAsJson(table);
  refuses("INVALID_ARGUMENT", () => table.removeRows([1, 2, 1]), /row 1/);
  refuses("OUT_OF_RANGE", () => table.removeRows([6]));
  assert.deepEqual(rowsAsJson(table), rows);
  table.removeRows([4, 1]);
  const left = rows.filter((_, i) => i !== 1 && i !== 4);
  assert.deepEqual(rowsAsJson(table), left);
  table.flush();
  table.removeRows({ start: 0, end: 2 });
  table.discard();
  assert.deepEqual(rowsAsJson(table), left);
  table.removeRows({});
  assert.equal(table.rowCount, 0);
  table.flush();
  assert.equal(JSON.parse(found(context))[3].length, 0);
});

Deno.test("a transaction that throws takes changes of columns back, those in memory too", () => {
  const context = new Context();
  using table = example(context);
  const before = stateOf(table), files = [...context.memory.files.keys()].sort();
  assert.throws(() =>
    table.transaction(() => {
      table.addColumn(scalar("B", "int32"));
      table.addColumn(scalar("M2", "int32"), { manager: "MEM" });
      table.putColumn("M2", Int32Array.of(1, 2, 3, 4, 5, 6));
      table.addColumn(array("C", "float32", { shape: [4] }), { storage: standard("C") });
      table.putColumn("C", new Float32Array(24).fill(1));
      table.renameColumn("A", "Z");
      table.removeColumn("M");
      table.addColumn(scalar("L", "string"), { storage: standard("L") });
      table.removeColumns(["DATA", "FLAG"]);
      table.removeRows([0, 3]);
      table.putColumn("M2", Int32Array.of(9, 9, 9, 9));
      throw new Error("no");
    }), /no/);
  assert.equal(stateOf(table), before);
  assert.equal(found(context).replace(/"M":\d/g, ""), before.replace(/"M":\d/g, ""));
  assert.deepEqual([...context.memory.files.keys()].sort(), files);
  table.addColumn(scalar("B", "int32"));
  table.flush();
  assert.equal(table.columnNames.at(-1), "B");
});

Deno.test("a new table's columns can be changed before its first commit", () => {
  const context = new Context();
  const table = Table.create("/t", {
    columns: [scalar("A", "int32"), array("D", "float32", { shape: [3] })],
    rows: 3,
    io: "memory",
    context,
  });
  table.addColumn(array("E", "float32", { shape: [3] }), { storage: tiledCell("E", ["E"]) });
  table.removeColumn("D");
  table.renameColumn("E", "D");
  table.putColumn("D", new Float32Array(9).fill(2));
  table.removeColumn("A");
  table.close();
  using again = Table.open("/t", { io: "memory", context });
  assert.deepEqual(again.columnNames, ["D"]);
  assert.deepEqual([...again.getColumn("D").data], new Array(9).fill(2));
  assert.deepEqual([...context.memory.files.keys()].sort(), [
    "/t/table.dat",
    "/t/table.f2",
    "/t/table.f2_TSM0",
    "/t/table.info",
    "/t/table.lock",
  ]);
});
