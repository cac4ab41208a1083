/**
 * Statements of docs/format that need casacore and a table made for them: arrays without axes, records without fields,
 * and a column of fixed shape beside one of free shape in a TiledShapeStMan.
 */
import assert from "node:assert/strict";
import { array, scalar, standard, Table, TableRecord, tiledShape } from "../../mod.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { assertSameRows, oracleRows, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

/** Changes words of a file, little endian. */
function setWords(path: string, at: number, ...words: number[]): void {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setInt32(at + 4 * i, word, true));
  Deno.writeFileSync(path, bytes);
}

/** Where the words begin, one after the other; there must be one such place. */
function findWords(path: string, ...words: number[]): number {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  const found: number[] = [];
  for (let at = 16; at + 4 * words.length <= bytes.length; at += 4) {
    if (words.every((word, i) => view.getInt32(at + 4 * i, true) === word)) found.push(at);
  }
  assert.equal(found.length, 1, `${path} has ${words} at ${found}`);
  return found[0]!;
}

peerTest(
  "an array whose ndim is 0 in an array file is an array without elements, for casacore, too",
  async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    {
      using table = Table.create(path, {
        columns: [array("values", "int32")],
        storage: [standard("SSM")],
        rows: 2,
        byteOrder: "little",
      });
      for (const row of [0, 1]) {
        table.putCell("values", row, { dtype: "int32", shape: [2], data: Int32Array.of(70 + row, 90) });
      }
    }
    // ndim, shape, values: the record of row 0 loses its axes.
    setWords(`${path}/table.f0i`, findWords(`${path}/table.f0i`, 1, 2, 70, 90), 0);
    const theirs = await oracleRows(path);
    assert.deepEqual((theirs[0]!.values as { data: unknown[] }).data, []);
    using table = Table.open(path);
    assertSameRows(rowsAsJson(table), theirs);
    assert.deepEqual(theirs[1]!.values, { shape: [2], data: [71, 90] });
  },
);

peerTest(
  "a record without fields is written as one with 0 fields, which casacore reads; an empty array it can't",
  async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    {
      using table = Table.create(path, {
        columns: [scalar("r", "record")],
        storage: [standard("SSM")],
        rows: 3,
        byteOrder: "little",
      });
      table.putCell("r", 0, TableRecord.from({}));
      table.putCell("r", 1, TableRecord.from({ name: "one" }));
    }
    const theirs = await oracleRows(path);
    assert.deepEqual(theirs, [{ r: {} }, { r: { name: "one" } }, { r: {} }]);
    {
      using table = Table.open(path);
      assertSameRows(rowsAsJson(table), theirs);
    }
    // The first record of the array file is that of row 0: one axis, and as many bytes as the empty record has.
    const view = new DataView(Deno.readFileSync(`${path}/table.f0i`).buffer);
    assert.equal(view.getUint32(16, true), 1);
    assert(view.getUint32(20, true) > 0, "an empty record has bytes");
    setWords(`${path}/table.f0i`, 20, 0);
    await assert.rejects(oracleRows(path, { rows: [0, 1] }), /MemoryIO::read/);
  },
);

for (const byteOrder of ["little", "big"] as const) {
  peerTest(
    `one FixedShape column in a TiledShapeStMan fixes its neighbours, ${byteOrder} endian, both ways`,
    async () => {
      using folder = temporaryFolder();
      const theirs = `${folder.path}/theirs`, ours = `${folder.path}/ours`;
      const columns = [
        { name: "fixed", dtype: "float32", kind: "array", shape: [3, 4] },
        { name: "free", dtype: "int16", kind: "array", ndim: 2, shapes: [[3, 4]] },
      ] as const;
      await oracleWrite({
        table: theirs,
        rows: 5,
        byteOrder,
        columns,
        managers: [{ type: "TiledShapeStMan", name: "T", columns: ["fixed", "free"] }],
        fill: false,
        operations: [{ op: "fill", rows: [1, 3], seed: 3 }],
      });
      const read = await oracleRows(theirs);
      // Nothing is undefined, though rows 0, 2 and 4 were never put.
      assert.deepEqual(read[0]!.free, { shape: [3, 4], data: new Array(12).fill(0) });
      {
        using table = Table.open(theirs);
        assertSameRows(rowsAsJson(table), read);
      }
      const other = { shape: [2, 2], data: [1, 2, 3, 4] };
      await assert.rejects(
        oracleWrite({
          table: theirs,
          open: true,
          columns,
          operations: [{ op: "put", column: "free", row: 0, value: other }],
        }),
        /casacore/,
      );

      {
        using table = Table.create(ours, {
          columns: [array("fixed", "float32", { shape: [3, 4] }), array("free", "int16", { ndim: 2 })],
          storage: [tiledShape("T", ["fixed", "free"])],
          rows: 5,
          byteOrder,
        });
        using original = Table.open(theirs);
        for (const name of ["fixed", "free"]) {
          for (const row of [1, 3]) table.putCell(name, row, original.getCell(name, row));
        }
        assert.throws(
          () => table.putCell("free", 0, { dtype: "int16", shape: [2, 2], data: Int16Array.of(1, 2, 3, 4) }),
          { name: "TableError", code: "SHAPE_MISMATCH" },
        );
      }
      assertSameRows(await oracleRows(ours), read);
      using table = Table.open(ours);
      assertSameRows(rowsAsJson(table), read);
    },
  );
}
