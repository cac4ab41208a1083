/** The golden tables that casacore wrote with StandardStMan, cell by cell; and the annotated example of the reference. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { MemoryStore } from "../../src/io/memory-backend.ts";
import { allFixtures, assertSameRows, expectedRows, fixturePath } from "../fixture.ts";
import { bound, contextOf, openInMemory, openTable, putInMemory } from "./storage_standard_support.ts";

for (const fixture of allFixtures()) {
  if (!fixture.managers.includes("StandardStMan")) continue;
  // Floors above read these: files in a container, tables that refer to others.
  if (fixture.needs.some((need) => ["multifile", "reftable", "concat"].includes(need))) continue;
  Deno.test(`StandardStMan reads golden table ${fixture.name}: ${fixture.about}`, () => {
    const table = openTable(fixturePath(fixture.name));
    const rows = table.rows();
    const mine = new Set(
      table.benches.flatMap((bench) => bench.context.columns.map((column) => column.name)),
    );
    const expected = expectedRows(fixture.name).map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => mine.has(name)))
    );
    assertSameRows(rows, expected, fixture.name);
    // One row at a time and every other row must give the same.
    for (const bench of table.benches) {
      bench.context.columns.forEach((_, index) => {
        const all = bench.cells(index);
        const back = Array.from({ length: all.length }, (_, i) => all.length - 1 - i);
        assert.deepEqual(bench.cells(index, rowList(back)), all.toReversed());
        assert.deepEqual(
          bench.cells(index, rowRange(0, Math.ceil(all.length / 2), 2)),
          all.filter((_, i) => i % 2 === 0),
        );
      });
    }
    table.close();
  });
}

/** Bytes of the example: format reference part 2, section 8. Lines that are zero are left out there. */
function example(): MemoryStore {
  const file = new Uint8Array(1024);
  const put = (offset: number, hex: string) =>
    file.set(hex.replaceAll(" ", "").match(/../g)!.map((byte) => parseInt(byte, 16)), offset);
  put(0x000, "bebe bebe 4600 0000 0d00 0000 5374 616e");
  put(0x010, "6461 7264 5374 4d61 6e03 0000 0000 8000");
  put(0x020, "0000 0400 0000 0200 0000 0000 0000 ffff");
  put(0x030, "ffff 0200 0000 0300 0000 0000 0000 0100");
  put(0x040, "0000 8600 0000 0100 0000");
  put(0x200, "6400 0000 6500 0000 6600 0000 0000 0000");
  put(0x210, "0000 0000 0573 686f 7274 0000 0005 0000");
  put(0x220, "0065 7861 6374 6c79 3808 0000 0001 0000");
  put(0x230, "0000 0000 000f 0000 0000 0000 0000 0000");
  put(0x250, "0000 0000 0000 0000 0010 0000 0000 0000");
  put(0x280, "0000 0000 0000 000f 0000 0061 ffff ffff");
  put(0x290, "6120 6c6f 6e67 6572 2073 7472 696e 6700");
  put(0x300, "ffff ffff ffff ffff 636b 0100 0000 0100");
  put(0x380, "0000 0002 0000 0002 bebe bebe 8200 0000");
  put(0x390, "0800 0000 5353 4d49 6e64 6578 0100 0000");
  put(0x3a0, "0100 0000 0500 0000 0400 0000 3000 0000");
  put(0x3b0, "1000 0000 5369 6d70 6c65 4f72 6465 7265");
  put(0x3c0, "644d 6170 0100 0000 0000 0000 0100 0000");
  put(0x3d0, "0100 0000 7900 0000 0700 0000 1900 0000");
  put(0x3e0, "0500 0000 426c 6f63 6b01 0000 0001 0000");
  put(0x3f0, "0002 0000 0019 0000 0005 0000 0042 6c6f");
  const store = new MemoryStore();
  putInMemory(store, "table.f0", file);
  const arrays = "0000 0000 2200 0000 0000 0000 0000 0000 0200 0000 0300 0000 0100 0000 0100 0200 0300";
  putInMemory(
    store,
    "table.f0i",
    Uint8Array.from(arrays.replaceAll(" ", "").match(/../g)!, (b) => parseInt(b, 16)),
  );
  return store;
}

const BLOB = "bebebebe 00000062 00000003 53534d 00000002 00000005 4d7953534d" +
  "00000025 00000005 426c6f636b 00000001 00000004 00000000 00000014 00000015 00000051" +
  "00000025 00000005 426c6f636b 00000001 00000004 00000000 00000000 00000000 00000000";

Deno.test("the annotated example of the format reference reads as it says", () => {
  const columns = [
    bound("i", "int32"),
    bound("b", "bool"),
    bound("s", "string"),
    bound("v", "int16", { kind: "array" }),
  ];
  const blob = Uint8Array.from(BLOB.replaceAll(" ", "").match(/../g)!, (byte) => parseInt(byte, 16));
  const bench = openInMemory(contextOf(columns, 3), blob, example());
  assert.equal(bench.manager.name, "MySSM");
  assert.equal(bench.manager.rowCount, 3);
  assert.deepEqual(bench.manager.files(), ["table.f0", "table.f0i"]);
  assert.deepEqual(bench.manager.info.bucketRows, [5]);
  assert.deepEqual(bench.cells(0), [100, 101, 102]);
  assert.deepEqual(bench.cells(1), [true, false, true]);
  assert.deepEqual(bench.cells(2), ["short", "exactly8", "a longer string"]);
  assert.deepEqual(bench.cells(3), [null, { shape: [3, 1], data: [1, 2, 3] }, null]);
});
