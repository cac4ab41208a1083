/** What is planned is what is done, for every column of the golden tables: all managers, containers, tables that refer to others. */
import assert from "node:assert/strict";
import { Context, type IoCost, planIo, type ReadOrder, Table, TableError } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { allFixtures, fixturePath } from "../fixture.ts";

/** What is counted while `work` runs on a table that was just opened; the code of what it throws. */
function counted(path: string, work: (table: Table) => void): Partial<IoCost> | string {
  using table = Table.open(path, { io: library() === null ? "node" : "pread", context: new Context() });
  table.resetIoStats();
  try {
    work(table);
  } catch (error) {
    if (error instanceof TableError) return error.code;
    throw error;
  }
  const { calls, totalCalls, bytesRead, seeks } = table.ioStats;
  return { calls, totalCalls, bytesRead, seeks };
}

function planned(path: string, column: string, order: ReadOrder): IoCost | string {
  try {
    return planIo(path, { columns: [column], order }).reading;
  } catch (error) {
    if (error instanceof TableError) return error.code;
    throw error;
  }
}

function done(path: string, column: string, order: ReadOrder, rowCount: number): Partial<IoCost> | string {
  if (order === "row") {
    return counted(path, (table) => {
      for (let row = 0; row < rowCount; row++) table.getCell(column, row);
    });
  }
  const whole = counted(path, (table) => void table.getColumn(column));
  return whole === "SHAPE_MISMATCH" ? counted(path, (table) => void table.getCells(column)) : whole;
}

Deno.test("what is planned is what is done: every column of the golden tables", () => {
  let compared = 0;
  for (const { name } of allFixtures()) {
    const path = fixturePath(name);
    using table = Table.open(path);
    for (const column of table.columnNames.filter((each) => table.column(each).readable)) {
      for (const order of ["tile", "row"] as const) {
        assert.deepEqual(
          planned(path, column, order),
          done(path, column, order, table.rowCount),
          `${name}, ${column}, ${order}`,
        );
        compared++;
      }
    }
  }
  assert.ok(compared > 1000, `${compared} readings compared`);
});
