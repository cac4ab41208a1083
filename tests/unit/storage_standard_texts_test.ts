/** Whole string columns are read bucket by bucket, as text that is cut; single cells one by one. Both give the same. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { scalar, standard, Table } from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

const lock = "none", io = "node";
const word = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 999 }).map((n) => `source number ${n}`) },
  { weight: 3, arbitrary: fc.string({ maxLength: 9 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "12345678", "123456789", "große Schüssel", "näh", "射电望远镜"),
  },
  { weight: 1, arbitrary: fc.integer({ min: 40, max: 3000 }).map((n) => "long ".repeat(n / 5)) },
);

Deno.test("string columns are the same read whole, in part, in any order and cell by cell", () => {
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 64, maxLength: 600 }),
      fc.constantFrom("little", "big"),
      fc.integer({ min: 4, max: 64 }),
      fc.array(fc.tuple(fc.nat(), word), { maxLength: 4 }),
      (values, byteOrder, bucketRows, changes) => {
        using folder = temporaryFolder();
        const path = `${folder.path}/t`, rows = values.length;
        {
          using table = Table.create(path, {
            columns: [scalar("S", "string"), scalar("N", "int32")],
            storage: [standard("SSM", { bucketRows })],
            rows,
            byteOrder,
            lock,
            io,
          });
          table.putColumn("S", values);
        }
        using table = Table.open(path, { mode: "rw", lock, io });
        for (const [at, value] of [[0, undefined] as const, ...changes]) {
          // What is put again stands elsewhere.
          if (value !== undefined) table.putCell("S", at % rows, values[at % rows] = value);
          assert.deepEqual(table.getColumn("S").data, values);
        }
        assert.deepEqual(values.map((_, row) => table.getCell("S", row)), values);
        const start = Math.floor(rows / 4);
        assert.deepEqual(table.getColumn("S", { rows: { start } }).data, values.slice(start));
        const backwards = values.map((_, row) => rows - 1 - row);
        assert.deepEqual(table.getColumn("S", { rows: backwards }).data, values.toReversed());
        const twice = values.map((_, row) => row >> 1);
        assert.deepEqual(table.getColumn("S", { rows: twice }).data, twice.map((row) => values[row]));
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("a column of strings of a damaged file is text or a TableError", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, rows = 200;
  {
    using table = Table.create(path, {
      columns: [scalar("S", "string")],
      storage: [standard("SSM", { bucketRows: 16 })],
      rows,
      lock,
      io,
    });
    table.putColumn("S", Array.from({ length: rows }, (_, row) => `source number ${row}`));
  }
  const file = `${path}/table.f0`, good = Deno.readFileSync(file);
  let corrupt = 0;
  for (let at = 512; at < good.length; at += 7) {
    const bad = good.slice();
    bad[at]! ^= at % 3 === 0 ? 0x80 : 0x11;
    Deno.writeFileSync(file, bad);
    using table = Table.open(path, { lock, io });
    try {
      assert.equal(table.getColumn("S").data.length, rows);
    } catch (error) {
      // A version that nobody knows may be damage, too.
      assert.ok(["CORRUPT", "UNSUPPORTED"].includes((error as { code?: string }).code!), String(error));
      corrupt++;
    }
  }
  assert.ok(corrupt > 10, String(corrupt));
});
