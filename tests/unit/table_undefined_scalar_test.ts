/**
 * Scalar coordinates of rows that are in no hypercube yet. casacore throws for such a row; here a cell is null, and only a
 * whole column, which has no place for that, is refused.
 */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { runTable } from "../../src/cli/main.ts";
import { copyOfFixture, expectedRows, parsedRows, temporaryFolder } from "../fixture.ts";
import { caughtTerminal } from "./cli_support.ts";

const NAME = "tsm_coordinates_le";
const COORDINATES = [100, 101, 102, 103, 104, 105, 106, 107, null, null];

/** Two rows more than the golden table has; the rows of its TiledShapeStMan get no shape. */
function grown(): ReturnType<typeof copyOfFixture> {
  const copy = copyOfFixture(NAME);
  using table = Table.open(copy.path, { mode: "rw" });
  table.addRows(2);
  return copy;
}

Deno.test("a scalar coordinate of a row without a shape is null", () => {
  using copy = grown();
  using table = Table.open(copy.path);
  assert.deepEqual(table.getCells("row"), COORDINATES);
  assert.deepEqual(table.getCells("row", { rows: [9, 0, 8, 7] }), [null, 100, null, 107]);
  assert.deepEqual(table.getCells("row", { rows: { start: 8 } }), [null, null]);
  assert.equal(table.getCell("row", 8), null);
  assert.equal(table.getCell("row", 7), 107);
  assert.deepEqual(
    [...table.getColumn("row", { rows: { end: 8 } }).data as Int32Array],
    COORDINATES.slice(0, 8),
  );
  assert.throws(() => table.getColumn("row"), { code: "OUT_OF_RANGE", message: /no value in row 8/ });
});

Deno.test("cat prints null for it, and the other rows as ever", async () => {
  using copy = grown();
  const { caught, terminal } = caughtTerminal();
  assert.equal(await runTable(["cat", copy.path], terminal), 0, caught.err.join("\n"));
  const rows = parsedRows(caught.out);
  assert.deepEqual(rows.slice(0, 8), expectedRows(NAME));
  assert.deepEqual(rows.map((row) => row.row), COORDINATES);
});

Deno.test("a copy has zeros in its place", () => {
  using original = grown();
  using folder = temporaryFolder();
  using table = Table.open(original.path);
  table.copy(`${folder.path}/copy`);
  using copy = Table.open(`${folder.path}/copy`);
  assert.deepEqual([...copy.getColumn("row").data as Int32Array], COORDINATES.map((value) => value ?? 0));
});
