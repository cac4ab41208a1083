/** The comparison of whole tables with casacore (`deno task compare`) on a few, and that it sees what differs. */
import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { copyOfFixture, fixturePath } from "../fixture.ts";
import { compareTable, tablesIn } from "./compare.ts";
import { peerTest } from "./peer.ts";

const EXAMPLE = new URL("../../examples/data/sim.ms", import.meta.url).pathname;

peerTest("tables of the example MeasurementSet are compared with casacore cell by cell", async () => {
  const paths = tablesIn(EXAMPLE);
  assert(paths.includes(EXAMPLE) && paths.includes(`${EXAMPLE}/ANTENNA`));
  for (const name of ["ANTENNA", "FIELD"]) {
    const path = `${EXAMPLE}/${name}`;
    using table = Table.open(path);
    const columns = table.columnNames.length;
    assert.deepEqual(await compareTable(path), {
      path,
      columns,
      cells: columns * table.rowCount,
      differing: 0,
      differences: [],
      leftOut: [],
    });
  }
});

peerTest("one changed cell is one difference, in a later range of rows too", async () => {
  using copy = copyOfFixture("ssm_scalars_le");
  const theirs = fixturePath("ssm_scalars_le");
  let name: string;
  {
    using table = Table.open(copy.path, { mode: "rw" });
    name = table.columnNames.find((column) => table.column(column).dtype === "int32")!;
    table.putCell(name, 30, Number(table.getCell(name, 30)) ^ 1);
  }
  const { differing, differences } = await compareTable(copy.path, theirs);
  assert.equal(differing, 1);
  assert.match(differences[0]!, new RegExp(`^row 30, column ${name}: `));
});

peerTest("a row more or less is a difference", async () => {
  using copy = copyOfFixture("minimal_le");
  {
    using table = Table.open(copy.path, { mode: "rw" });
    table.addRows(1);
  }
  const theirs = fixturePath("minimal_le");
  assert((await compareTable(copy.path, theirs)).differing > 0);
  assert((await compareTable(theirs, copy.path)).differing > 0);
});
