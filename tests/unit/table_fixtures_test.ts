/**
 * The golden tables, which casacore wrote, read through the public face with every backend: every cell, every keyword.
 */
import assert from "node:assert/strict";
import { backendReport, Table } from "../../mod.ts";
import {
  assertSameRows,
  differenceOf,
  expectedRows,
  expectedSchema,
  fixturePath,
  fixtures,
} from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";

/** What this version reads beside the core managers; see `needs` in fixtures/manifest.json. */
const READS = [
  ...["tiledcell", "coordinates", "repair", "reftable", "concat", "incremental", "aipsio", "memory"],
  ...["compress", "bitflags", "mapped", "forward", "multifile", "dysco"],
];

for (const { name, rows, byteOrder } of fixtures(READS)) {
  Deno.test(`${name} is read as casacore reads it`, () => {
    for (const { name: io, works } of backendReport()) {
      if (!works || io === "memory") continue;
      using table = Table.open(fixturePath(name), { io });
      assert.equal(table.rowCount, rows);
      assert.equal(table.byteOrder, byteOrder);
      assertSameRows(rowsAsJson(table), expectedRows(name), `${name} by ${io}`);
    }
  });

  Deno.test(`${name} is described as casacore describes it`, () => {
    const schema = expectedSchema(name);
    using table = Table.open(fixturePath(name));
    const described = table.columnNames.map((column) => {
      const { dtype, kind, ndim, shape, direct } = table.column(column);
      return { name: column, dtype, kind, ndim, shape: shape?.length ? [...shape] : null, direct };
    });
    assert.deepEqual(
      described,
      schema.columns.map((column) => {
        const { name, dtype, kind, ndim, shape, direct } = column;
        return { name, dtype, kind, ndim, shape: shape ? [...shape] : null, direct };
      }),
    );
    for (const column of schema.columns) {
      if (column.keywords === undefined) continue;
      const difference = differenceOf(table.column(column.name).keywords.toJSON(), column.keywords);
      assert.equal(difference, "", `keywords of ${column.name}${difference}`);
      assert.equal(table.column(column.name).comment, column.comment);
      assert.equal(table.column(column.name).maxLength, column.maxLength);
    }
    if (schema.info !== undefined) assert.deepEqual(table.info, schema.info);
  });
}

Deno.test("columns beside one that isn't read are read as casacore reads them", () => {
  using table = Table.open(fixturePath("taql"));
  const expected = expectedRows("taql").map(({ twice: _, ...row }) => row);
  assert.deepEqual(table.columnNames.filter((name) => !table.column(name).readable), ["twice"]);
  assertSameRows(rowsAsJson(table), expected, "taql");
});
