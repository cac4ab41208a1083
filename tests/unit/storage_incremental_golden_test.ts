/** Golden tables with an IncrementalStMan, which casacore wrote. */
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { assertSameRows, expectedRows, fixturePath, fixtures } from "../fixture.ts";
import { ManagedTable } from "./storage_managed_support.ts";

for (const { name, managers, about } of fixtures(["incremental"])) {
  if (!managers.includes("IncrementalStMan")) continue;
  Deno.test(`IncrementalStMan reads the golden table ${name}: ${about}`, () => {
    using table = new ManagedTable(fixturePath(name), [incrementalStMan]);
    assertSameRows(table.rows(), expectedRows(name), name);
  });
}
