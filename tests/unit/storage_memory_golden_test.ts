/** MemoryStMan: a golden table, and cells of every kind. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { memoryStMan } from "../../src/storage/memory/mod.ts";
import { expectedRows, fixturePath, fixtures } from "../fixture.ts";
import { memoryFiles } from "./storage_incremental_support.ts";
import { boundColumn, contextOf, ManagedTable, readCells } from "./storage_managed_support.ts";

for (const { name, managers, about } of fixtures(["memory"])) {
  if (!managers.includes("MemoryStMan")) continue;
  Deno.test(`MemoryStMan reads the golden table ${name}: ${about}`, () => {
    using table = new ManagedTable(fixturePath(name), [memoryStMan]);
    const expected = expectedRows(name);
    assert.equal(table.rowCount, expected.length);
    for (const column of table.columns.keys()) {
      assert.deepEqual(table.cells(column), expected.map((row) => row[column]), column);
    }
  });
}

const CELLS: readonly [bound: BoundColumn, cell: unknown][] = [
  [boundColumn("number", { dtype: "complex128" }), [0, 0]],
  [boundColumn("bool", { dtype: "bool" }), true],
  [boundColumn("text", { dtype: "string" }), ""],
  [boundColumn("free", { dtype: "int16", kind: "array" }), null],
  [boundColumn("record", { dtype: "record", kind: "record" }), {}],
  [boundColumn("direct", { dtype: "int16", kind: "array", direct: true, shape: [2] }), {
    shape: [2],
    data: [0, 0],
  }],
  [boundColumn("bits", { dtype: "bool", kind: "array", direct: true, shape: [2] }), {
    shape: [2],
    data: [true, true],
  }],
  [boundColumn("fixed", { dtype: "bool", kind: "array", shape: [1, 2] }), {
    shape: [1, 2],
    data: [false, false],
  }],
  [boundColumn("names", { dtype: "string", kind: "array", shape: [2] }), { shape: [2], data: ["", ""] }],
];

Deno.test("MemoryStMan gives what casacore gives of values that are gone, for any rows", () => {
  const columns = CELLS.map(([bound]) => bound);
  const context = contextOf({ type: "MemoryStMan", columns, rowCount: 5, bigEndian: false });
  const files = memoryFiles();
  const manager = runSync(memoryStMan.open(context, new Uint8Array(0)), files);
  assert.deepEqual([manager.rowCount, manager.files(), manager.dirty], [-1, [], false]);
  CELLS.forEach(([bound, cell], i) => {
    for (const rows of [rowRange(0, 5), rowList([3, 3, 0]), rowRange(2, 0)]) {
      const read = runSync(readCells(bound, manager.column(i), rows), files);
      assert.deepEqual(read, Array.from({ length: rows.length }, () => cell), bound.name);
    }
  });
});
