/**
 * The disk fails in the middle of a change of rows or columns: either nothing was changed, or nothing can be committed until
 * the change is dropped. Then the table is as it was, and the same call succeeds.
 */
import assert from "node:assert/strict";
import {
  aipsio,
  array,
  Context,
  incremental,
  scalar,
  standard,
  Table,
  TableError,
  tiledShape,
} from "../../mod.ts";
import { FaultyBackend } from "../faulty-backend.ts";
import { rowsAsJson } from "../rows-as-json.ts";

const EIO = 5;

function stateOf(table: Table): string {
  const columns = table.columnNames.map((name) => [name, table.column(name).manager]);
  return JSON.stringify([columns, table.keywords.toJSON(), rowsAsJson(table)]);
}

/** A table on a disk in memory. */
function made(tiles: boolean): Context {
  const context = new Context();
  using table = Table.create("/t", {
    columns: [
      scalar("A", "int32"),
      scalar("S", "string"),
      array("V", "float64"),
      array("L", "string"),
      scalar("I", "int32"),
      array("P", "int16"),
      ...(tiles ? [array("DATA", "float32", { shape: [3] })] : []),
    ],
    storage: [
      standard("SSM", ["A", "S", "V", "L"], { bucketRows: 3 }),
      incremental("ISM", ["I"]),
      aipsio("AIPS", ["P"]),
      ...(tiles ? [tiledShape("T", ["DATA"])] : []),
    ],
    rows: 20,
    io: "memory",
    context,
  });
  for (let row = 0; row < 20; row++) {
    table.putCell("A", row, row);
    table.putCell("S", row, "s".repeat(row * 5));
    table.putCell("V", row, {
      dtype: "float64",
      shape: [row % 3 + 1],
      data: new Float64Array(row % 3 + 1).fill(row),
    });
    table.putCell("L", row, { dtype: "string", shape: [2], data: [`${row}`, "long".repeat(row)] });
    table.putCell("I", row, row % 4);
    table.putCell("P", row, { dtype: "int16", shape: [2], data: Int16Array.of(row, -row) });
  }
  return context;
}

const CHANGES: Readonly<Record<string, (table: Table) => void>> = {
  "rows are removed": (table) => table.removeRows([1, 2, 7, 19]),
  "rows are added": (table) => table.addRows(5),
  "columns are added": (table) =>
    table.addColumns([scalar("N", "string"), array("W", "float32", { shape: [2] }), array("X", "int32")]),
  "columns are added in a transaction": (table) =>
    table.transaction(() => {
      table.addColumn(scalar("N", "int32"), { manager: "ISM" });
      table.addColumn(array("W", "float32"), { manager: "AIPS" });
    }),
  "columns are removed": (table) => table.removeColumns(["S", "L", "I"]),
  "a column is renamed": (table) => table.renameColumn("V", "W"),
};

for (const [name, change] of Object.entries(CHANGES)) {
  Deno.test(`${name} on a disk that fails: all of it or nothing is committed`, () => {
    const { files, directories } = made(name !== "rows are removed").memory;
    let spoilt = 0;
    for (let calls = 0;; calls++) {
      // Hardly anything stays in this cache.
      const context = new Context({ cacheBytes: 1 });
      for (const [path, file] of files) {
        const copy = Object.assign(Object.create(Object.getPrototypeOf(file)), {
          bytes: file.bytes.slice(),
          length: file.length,
        });
        context.memory.files.set(path, copy);
      }
      for (const path of directories) context.memory.directories.add(path);
      let faulty: FaultyBackend | null = null;
      context.wrapBackend = (inner) => faulty = new FaultyBackend(inner);
      using table = Table.open("/t", { mode: "rw", io: "memory", context });
      let left = calls, failed = false;
      faulty!.fault = ({ kind }) => {
        if (kind !== "read" || left-- > 0) return;
        failed = true;
        return { errno: EIO };
      };
      let error: unknown;
      try {
        change(table);
      } catch (thrown) {
        error = thrown;
      }
      faulty!.fault = () => {};
      assert.equal(error !== undefined, failed);
      if (!failed) {
        assert(calls > 0);
        break;
      }
      assert(error instanceof TableError && error.code === "IO", `${error}`);
      using other = Table.open("/t", { io: "memory", context });
      const before = stateOf(other);
      try {
        table.flush();
      } catch (thrown) {
        assert(thrown instanceof TableError && /discard/.test(thrown.message), `${thrown}`);
        assert.throws(() => table.addRows(1), /discard/);
        assert.equal(stateOf(other), before);
        spoilt++;
        table.discard();
        assert.equal(stateOf(table), before);
      }
      assert.equal(stateOf(table), stateOf(other));
      change(table);
      table.flush();
      assert.equal(stateOf(table), stateOf(other));
    }
    // Some changes read all that they need before they change anything.
    if (name.startsWith("rows")) assert(spoilt > 0);
  });
}
