/**
 * Engines on a stored array column, beside casacore: programs/virtual_arrays.cc makes the tables and prints every cell.
 */
import assert from "node:assert/strict";
import { temporaryFolder } from "../fixture.ts";
import { assertReads, compile, compilerTest, printed } from "./virtual_printed.ts";

compilerTest("casacore's engines on a stored column are read to the last bit", () => {
  using folder = temporaryFolder();
  const program = compile("virtual_arrays", folder.path);
  for (const big of ["0", "1"]) {
    const place = `${folder.path}/${big}`;
    Deno.mkdirSync(place);
    const tables = printed(program, [place, big]);
    assert.deepEqual([...tables.keys()], ["scaled", "complex", "mapped", "compress", "flags", "chain"]);
    for (const [name, columns] of tables) assertReads(`${place}/${name}`, columns);
  }
});
