/** Columns of a MemoryStMan in a table: they last until it is closed, and take part in commits and transactions. */
import assert from "node:assert/strict";
import { array, type Cell, memory, type NDArray, scalar, standard, Table, TableRecord } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { temporaryFolder } from "../fixture.ts";

const lock = library() === null ? "none" : "auto";

function make(path: string): Table {
  return Table.create(path, {
    columns: [
      scalar("id", "int32"),
      scalar("n", "float64"),
      scalar("b", "bool"),
      scalar("s", "string"),
      array("x", "complex64", { shape: [2] }),
      array("free", "int16"),
      scalar("r", "record"),
    ],
    storage: [memory("Scratch", ["n", "b", "s", "x", "free", "r"]), standard()],
    rows: 2,
    lock,
  });
}

function plain(cell: Cell): unknown {
  if (cell instanceof TableRecord) return cell.toJSON();
  return cell !== null && typeof cell === "object" && "data" in cell
    ? [...(cell as NDArray).data as Int16Array]
    : cell;
}

function rowsOf(table: Table): unknown[][] {
  return Array.from(
    { length: table.rowCount },
    (_, row) => table.columnNames.map((name) => plain(table.getCell(name, row))),
  );
}

function fill(table: Table): void {
  table.putColumn("n", Float64Array.of(1.5, 2.5));
  table.putColumn("b", Uint8Array.of(1, 0));
  table.putColumn("s", ["one", ""]);
  table.putColumn("x", Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  table.putCell("free", 1, { dtype: "int16", shape: [1, 3], data: Int16Array.of(7, 8, 9) });
  table.putCell("r", 0, TableRecord.from({ a: 1 }));
}

const FILLED = [
  [0, 1.5, true, "one", [1, 2, 3, 4], null, { a: 1 }],
  [0, 2.5, false, "", [5, 6, 7, 8], [7, 8, 9], null],
];

Deno.test("values in memory last from put to close, and leave their columns behind", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  {
    using table = make(path);
    assert.deepEqual(rowsOf(table)[0]!.slice(0, 6), [0, 0, false, "", [0, 0, 0, 0], null]);
    fill(table);
    assert.deepEqual(rowsOf(table).map((row) => row.slice(0, 6)), FILLED.map((row) => row.slice(0, 6)));
    assert.deepEqual(plain(table.getCell("r", 0)), { a: 1 });
    table.flush();
    table.putColumn("x", Float32Array.of(-1, -2, -3, -4), { slice: [[1, 2]] });
    assert.deepEqual(plain(table.getCell("x", 1)), [5, 6, -3, -4]);
    table.addRows(1);
    assert.deepEqual(rowsOf(table)[2]!.slice(0, 6), [0, 0, false, "", [0, 0, 0, 0], null]);
    assert.deepEqual(table.managerDetails(0), {
      type: "MemoryStMan",
      sequence: 0,
      name: "Scratch",
      info: {},
      files: [],
      fileBytes: 0,
    });
  }
  assert.deepEqual(
    [...Deno.readDirSync(path)].map(({ name }) => name).filter((name) => name.startsWith("table.f")),
    [
      "table.f1",
    ],
  );
  using again = Table.open(path, { mode: "rw", lock });
  // As casacore shows values that are gone.
  assert.deepEqual(
    rowsOf(again).map((row) => row.slice(0, 6)),
    new Array(3).fill([0, 0, true, "", [0, 0, 0, 0], null]),
  );
  again.putCell("n", 2, 8);
  again.addRows(1);
  assert.deepEqual([...again.getColumn("n").data as Float64Array], [0, 0, 8, 0]);
  assert.deepEqual([...again.getColumn("b").data as Uint8Array], [1, 1, 1, 0]);
});

Deno.test("a transaction that throws takes back what was put into memory, one that returns keeps it", () => {
  using folder = temporaryFolder();
  using table = make(`${folder.path}/t`);
  fill(table);
  table.flush();
  const before = rowsOf(table).map((row) => row.slice(0, 6));
  const stop = new Error("stop");
  const change = () => {
    table.putColumn("n", Float64Array.of(-1, -2));
    table.putCell("s", 1, "other");
    table.putCell("free", 1, null);
    table.addRows(2);
    table.putCell("x", 3, Float32Array.of(9, 9, 9, 9));
  };
  assert.throws(() =>
    table.transaction(() => {
      change();
      throw stop;
    }), stop);
  assert.deepEqual(rowsOf(table).map((row) => row.slice(0, 6)), before);
  table.addRows(2);
  assert.deepEqual(plain(table.getCell("x", 3)), [0, 0, 0, 0]);
  table.transaction(() => table.putCell("s", 3, "kept"));
  assert.throws(() =>
    table.transaction(() => {
      table.putCell("s", 3, "lost");
      throw stop;
    }), stop);
  assert.equal(table.getCell("s", 3), "kept");
});

Deno.test("what another one changes in the table's files leaves what is in memory", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  using table = make(path);
  fill(table);
  table.flush();
  {
    using other = Table.open(path, { mode: "rw", lock });
    other.putColumn("id", Int32Array.of(4, 5));
  }
  assert.deepEqual([...table.getColumn("id").data as Int32Array], [4, 5]);
  assert.deepEqual([...table.getColumn("n").data as Float64Array], [1.5, 2.5]);
});
