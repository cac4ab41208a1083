/** Forwarded columns are written: values go into the other table, with the commits of the one that forwards. */
import assert from "node:assert/strict";
import { array, type Cell, forward, type NDArray, scalar, standard, Table, TableError } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { temporaryFolder } from "../fixture.ts";

const lock = library() === null ? "none" : "auto";

function failure(action: () => unknown): TableError {
  try {
    action();
  } catch (error) {
    if (error instanceof TableError) return error;
    throw error;
  }
  assert.fail("no error");
}

/** A table of 3 rows, x [10 r, 10 r + 1], free of shape [2] but in row 1, and one that forwards to it. */
function makeBoth(folder: string): { real: string; other: string } {
  const real = `${folder}/real`, other = `${folder}/other`;
  const columns = [
    scalar("id", "int32"),
    scalar("name", "string"),
    array("x", "float32", { shape: [2] }),
    array("free", "int16", { ndim: 1 }),
  ];
  using table = Table.create(real, { columns, storage: [standard()], rows: 3, lock });
  table.putColumn("id", Int32Array.of(0, 1, 2));
  table.putColumn("name", ["a", "b", "c"]);
  table.putColumn("x", Float32Array.of(0, 1, 10, 11, 20, 21));
  table.putColumn("free", { dtype: "int16", shape: [2, 2], data: Int16Array.of(1, 2, 3, 4) }, {
    rows: [0, 2],
  });
  table.flush();
  using forwarding = Table.create(other, {
    columns: [scalar("own", "int32"), ...columns],
    storage: [forward("Real", ["id", "name", "x", "free"], { table: real })],
    rows: 3,
    lock,
  });
  forwarding.putColumn("own", Int32Array.of(7, 8, 9));
  return { real, other };
}

function dataOf(cell: Cell): unknown[] | null {
  return cell === null ? null : [...(cell as NDArray).data as Float32Array];
}

Deno.test("a new table's forwarded columns are those of the other table, under its stored name", () => {
  using folder = temporaryFolder();
  const { other } = makeBoth(folder.path);
  using table = Table.open(other);
  assert.equal(table.column("x").keywords.get("_ForwardColumn_TableName"), "./real");
  assert.equal(table.keywords.get("_ForwardColumn_Name_0"), "Real");
  assert.equal(table.managerDetails(0)?.name, "Real");
  assert.deepEqual([...table.getColumn("id").data as Int32Array], [0, 1, 2]);
  assert.deepEqual(table.getColumn("name").data, ["a", "b", "c"]);
  assert.deepEqual(table.getCells("free").map(dataOf), [[1, 2], null, [3, 4]]);
});

Deno.test("what is put into forwarded columns is in the other table when the commit is done", () => {
  using folder = temporaryFolder();
  const { real, other } = makeBoth(folder.path);
  using onlooker = Table.open(real, { lock });
  {
    using table = Table.open(other, { mode: "rw", lock });
    assert.deepEqual(dataOf(table.getCell("x", 2)), [20, 21]);
    table.putColumn("id", Int32Array.of(5, 6), { rows: [2, 0] });
    table.putCell("name", 1, "longer than eight");
    table.putColumn("x", Float32Array.of(-1, -2, -3), { slice: [[1, 2]] });
    table.putCell("free", 1, { dtype: "int16", shape: [3], data: Int16Array.of(5, 6, 7) });
    table.putCell("free", 0, null);
    assert.deepEqual(dataOf(table.getCell("x", 2)), [20, -3]);
    assert.equal(onlooker.getCell("id", 0), 0);
    table.flush();
    assert.equal(onlooker.getCell("id", 0), 6);
    table.putCell("id", 1, 99);
  }
  assert.deepEqual([...onlooker.getColumn("id").data as Int32Array], [6, 99, 5]);
  assert.deepEqual(onlooker.getColumn("name").data, ["a", "longer than eight", "c"]);
  assert.deepEqual([...onlooker.getColumn("x").data as Float32Array], [0, -1, 10, -2, 20, -3]);
  assert.deepEqual(onlooker.getCells("free").map(dataOf), [null, [5, 6, 7], [3, 4]]);
});

Deno.test("a transaction that throws leaves both tables as they were", () => {
  using folder = temporaryFolder();
  const { real, other } = makeBoth(folder.path);
  using table = Table.open(other, { mode: "rw", lock });
  const stop = new Error("stop");
  assert.throws(() =>
    table.transaction(() => {
      table.putColumn("id", Int32Array.of(5, 6, 7));
      table.putColumn("own", Int32Array.of(1, 2, 3));
      throw stop;
    }), stop);
  assert.deepEqual([...table.getColumn("id").data as Int32Array], [0, 1, 2]);
  assert.deepEqual([...table.getColumn("own").data as Int32Array], [7, 8, 9]);
  table.putCell("id", 0, -1);
  table.flush();
  using again = Table.open(real, { lock });
  assert.deepEqual([...again.getColumn("id").data as Int32Array], [-1, 1, 2]);
});

Deno.test("what others put into the other table is seen, and a table that others hold is left alone", () => {
  using folder = temporaryFolder();
  const { real, other } = makeBoth(folder.path);
  using table = Table.open(other, { mode: "rw", lock });
  assert.equal(table.getCell("id", 0), 0);
  using theirs = Table.open(real, { mode: "rw", lock });
  theirs.putCell("id", 0, 44);
  theirs.flush();
  assert.equal(table.getCell("id", 0), 44);
  if (lock === "none") return;
  theirs.putCell("id", 0, 45);
  assert.equal(failure(() => table.putCell("id", 1, 1)).code, "LOCKED");
  theirs.flush();
  table.putCell("id", 1, 1);
  assert.equal(failure(() => theirs.putCell("id", 2, 1)).code, "LOCKED");
  table.flush();
  assert.deepEqual([...theirs.getColumn("id").data as Int32Array], [45, 1, 2]);
});

Deno.test("rows that the other table doesn't have, and values that don't fit, are refused", () => {
  using folder = temporaryFolder();
  const { real, other } = makeBoth(folder.path);
  using table = Table.open(other, { mode: "rw", lock });
  table.addRows(1);
  assert.match(failure(() => table.putCell("id", 3, 1)).message, /row 3 of table/);
  assert.equal(failure(() => table.putColumn("x", new Float32Array(7))).code, "SHAPE_MISMATCH");
  using reading = Table.open(other);
  assert.equal(failure(() => reading.putCell("id", 0, 1)).code, "READ_ONLY");
  using again = Table.open(real);
  assert.equal(again.rowCount, 3);
});

Deno.test("a column that the other table doesn't have, or describes otherwise, can't be forwarded", () => {
  using folder = temporaryFolder();
  const { real } = makeBoth(folder.path);
  const make = (column: ReturnType<typeof array>, table: unknown = real) =>
    failure(() =>
      Table.create(`${folder.path}/new`, {
        columns: [column],
        storage: [forward("F", [column.name], { table: table as string })],
        lock,
      })
    );
  assert.match(make(array("y", "float32", { shape: [2] })).message, /has no such column/);
  for (
    const column of [
      array("x", "float64", { shape: [2] }),
      array("x", "float32", { shape: [3] }),
      array("x", "float32", { ndim: 1 }),
      array("x", "float32", { shape: [2], direct: true }),
      array("free", "int16"),
      scalar("x", "float32"),
    ]
  ) assert.equal(make(column).code, "INVALID_ARGUMENT", JSON.stringify(column));
  assert.equal(make(array("x", "float32", { shape: [2] }), `${folder.path}/nowhere`).code, "NOT_FOUND");
  assert.equal(make(array("x", "float32", { shape: [2] }), 3).code, "INVALID_ARGUMENT");
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), ["other", "real"]);
});
