import assert from "node:assert/strict";
import { scalar, Table, TableError } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

Deno.test("a concatenation may have hundreds of parts, but not the same one hundreds of times", () => {
  using folder = temporaryFolder();
  const parts = Array.from({ length: 200 }, (_, i) => `${folder.path}/part${i}`);
  for (const [i, path] of parts.entries()) {
    using table = Table.create(path, { columns: [scalar("N", "int32")], rows: 1 });
    table.putColumn("N", Int32Array.of(i));
  }
  Table.concat(parts, `${folder.path}/all`).close();
  using all = Table.open(`${folder.path}/all`);
  assert.deepEqual(all.getColumn("N").data, Int32Array.from(parts, (_, i) => i));
  const again = Array.from({ length: 66 }, () => parts[0]!);
  Table.concat(again, `${folder.path}/again`).close();
  assert.throws(
    () => Table.open(`${folder.path}/again`),
    (error) => error instanceof TableError && error.code === "LIMIT",
  );
});

Deno.test("a chain of tables may have 64 that refer to the next", () => {
  using folder = temporaryFolder();
  Table.create(`${folder.path}/t0`, { columns: [scalar("N", "int32")], rows: 1 }).close();
  for (let i = 1; i <= 66; i++) {
    // A concatenation of one table refers to it, where a selection would refer to what that refers to.
    const make = () => Table.concat([`${folder.path}/t${i - 1}`], `${folder.path}/t${i}`).close();
    if (i <= 65) make();
    else assert.throws(make, (error) => error instanceof TableError && error.code === "LIMIT");
  }
});
