/** Golden tables with a StManAipsIO, which casacore wrote. */
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { assertSameRows, expectedRows, fixturePath, fixtures } from "../fixture.ts";
import { ManagedTable } from "./storage_managed_support.ts";

for (const { name, managers, about } of fixtures(["aipsio"])) {
  if (!managers.includes("StManAipsIO")) continue;
  Deno.test(`StManAipsIO reads the golden table ${name}: ${about}`, () => {
    using table = new ManagedTable(fixturePath(name), [stManAipsIO]);
    assertSameRows(table.rows(), expectedRows(name), name);
  });
}
