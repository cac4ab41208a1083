/**
 * Parquet: what Tessera wrote comes back as it was; files of others become tables by the same rules as Arrow.
 */
import assert from "node:assert/strict";
import { parquetWriteFile } from "hyparquet-writer";
import type { NDArray, TableError } from "../../mod.ts";
import { fromParquet, writeParquet } from "../../src/parquet/mod.ts";
import { assertSameDescription, assertSameValues, everyKind, inDirectory } from "./arrow_support.ts";

Deno.test("a table of every kind of column comes back from Parquet as it was", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    await writeParquet(table, `${directory}/t.parquet`, { batchRows: 4 });
    using again = await fromParquet(`${directory}/again`, `${directory}/t.parquet`);
    assertSameValues(again, table);
    assertSameDescription(again, table);
    await writeParquet(table, `${directory}/t.parquet`, {
      rows: { start: 2, end: 7 },
      columns: ["UVW", "V_string"],
    });
    using part = await fromParquet(`${directory}/part`, `${directory}/t.parquet`, { columns: ["V_string"] });
    assert.equal(part.rowCount, 5);
    assert.deepEqual(part.columnNames, ["V_string"]);
    assert.deepEqual(part.getCells("V_string"), table.getCells("V_string", { rows: { start: 2, end: 7 } }));
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
      "again",
      "part",
      "t",
      "t.parquet",
    ]);
  }));

Deno.test("a table without rows has its columns", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    await writeParquet(table, `${directory}/t.parquet`, { rows: { start: 0, end: 0 } });
    using again = await fromParquet(`${directory}/again`, `${directory}/t.parquet`);
    assert.equal(again.rowCount, 0);
    assertSameDescription(again, table);
  }));

Deno.test("a file without an Arrow schema becomes a table by Parquet's own types", () =>
  inDirectory(async (directory) => {
    const filename = `${directory}/x.parquet`;
    parquetWriteFile({
      filename,
      columnData: [
        { name: "I", data: [1, 2, 3], type: "INT32", nullable: false },
        { name: "L", data: [1n, -2n, 3n], type: "INT64" },
        { name: "D", data: [0.5, NaN, 2], type: "DOUBLE" },
        { name: "B", data: [true, false, true], type: "BOOLEAN" },
        { name: "S", data: ["a", "é", ""], type: "STRING" },
        { name: "T", data: [new Date(1), new Date(2), new Date(3)], type: "TIMESTAMP" },
        { name: "R", data: [Uint8Array.of(1), Uint8Array.of(2, 255), Uint8Array.of()], type: "BYTE_ARRAY" },
      ],
    });
    using table = await fromParquet(`${directory}/t`, filename);
    assert.deepEqual(table.columnNames.map((name) => table.column(name).dtype), [
      "int32",
      "int64",
      "float64",
      "bool",
      "string",
      "int64",
      "uint8",
    ]);
    assert.deepEqual(table.getCells("L"), [1n, -2n, 3n]);
    assert.deepEqual(table.getCells("D"), [0.5, NaN, 2]);
    assert.deepEqual(table.getCells("S"), ["a", "é", ""]);
    assert.deepEqual(table.getCells("T"), [1n, 2n, 3n]);
    assert.deepEqual(table.column("T").units, ["ms"]);
    assert.deepEqual((table.getCell("R", 1) as NDArray).data, Uint8Array.of(2, 255));
    parquetWriteFile({ filename, columnData: [{ name: "I", data: [1, null], type: "INT32" }] });
    await assert.rejects(
      fromParquet(`${directory}/n`, filename),
      (error: TableError) => error.code === "TYPE_MISMATCH" && /column I, row 1/.test(error.message),
    );
    using filled = await fromParquet(`${directory}/n`, filename, { nulls: "fill" });
    assert.deepEqual(filled.getCells("I"), [1, 0]);
  }));

Deno.test("what is no Parquet file gives a TableError, and no table", () =>
  inDirectory(async (directory) => {
    using table = everyKind(`${directory}/t`);
    const file = `${directory}/x.parquet`;
    await writeParquet(table, file);
    const bytes = Deno.readFileSync(file);
    await assert.rejects(fromParquet(`${directory}/n`, `${directory}/no`), (error: TableError) =>
      error.code === "NOT_FOUND");
    let read = 0;
    for (let i = 0; i < 60; i++) {
      const damaged = bytes.slice(0, i < 20 ? Math.floor((bytes.length * i) / 20) : bytes.length);
      // Everywhere, but mostly in the metadata at the end.
      const at = i < 40 ? (i * 7919) % bytes.length : bytes.length - 1 - ((i - 40) * 97);
      if (i >= 20 && at < damaged.length) {
        damaged[at]! ^= 1 << (i % 8);
      }
      Deno.writeFileSync(file, damaged);
      try {
        (await fromParquet(`${directory}/n`, file, { overwrite: true })).close();
        read++;
      } catch (error) {
        assert.equal((error as TableError).name, "TableError", `${i}: ${error}`);
      }
      assert(
        ![...Deno.readDirSync(directory)].some(({ name }) =>
          name.endsWith(".partial")
        ),
        `${i}`,
      );
    }
    assert(read < 50);
  }));
