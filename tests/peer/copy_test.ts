/**
 * Copies beside casacore: what it wrote, copied into every manager and both byte orders, is the same in every cell and
 * keyword when it reads the copy; so are copies of selections, concatenations and MeasurementSets with their subtables.
 */
import assert from "node:assert/strict";
import {
  aipsio,
  incremental,
  standard,
  type StorageSpec,
  Table,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { assertSameRows, oracleRows, oracleSchema, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

const COLUMNS = [
  { name: "number", dtype: "int32" },
  { name: "text", dtype: "string" },
  { name: "flag", dtype: "bool" },
  { name: "cells", kind: "array", dtype: "complex64", shape: [2, 3] },
  { name: "free", kind: "array", dtype: "float64", ndim: 2 },
  { name: "words", kind: "array", dtype: "string", ndim: 1 },
] as const;

const STORAGE: Readonly<Record<string, readonly StorageSpec[]>> = {
  StandardStMan: [standard("S", { bucketRows: 5 })],
  IncrementalStMan: [incremental("I", {})],
  StManAipsIO: [aipsio("A")],
  TiledShapeStMan: [
    tiledShape("T", ["cells"], { tileShape: [2, 2, 4] }),
    tiledShape("F", ["free"]),
    standard(),
  ],
  TiledColumnStMan: [tiledColumn("T", ["cells"], { tileShape: [1, 3, 7] }), incremental("I", {})],
  TiledCellStMan: [tiledCell("T", ["cells"]), tiledCell("F", ["free"], { tileShape: [2, 2] }), aipsio("A")],
};

/** Keywords of the table and of its columns, as casacore sees them. */
async function keywordsOf(path: string): Promise<unknown> {
  const { keywords, columns } = await oracleSchema(path);
  return [keywords, columns.map((column) => [column.name, column.keywords])];
}

peerTest("copies into every manager have casacore's cells and keywords", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  await oracleWrite({
    table: at("t"),
    rows: 40,
    seed: 11,
    byteOrder: "big",
    columns: COLUMNS,
    keywords: { VERSION: 3, NAMES: ["a", "b"] },
    operations: [
      { op: "setkeyword", key: "QuantumUnits", value: ["Jy"], column: "cells" },
      { op: "addrows", count: 2 },
    ],
  });
  const theirs = await oracleRows(at("t")), keywords = await keywordsOf(at("t"));
  using table = Table.open(at("t"));
  for (const [type, storage] of Object.entries(STORAGE)) {
    for (const byteOrder of ["little", "big"] as const) {
      const path = at(`${type}-${byteOrder}`);
      table.copy(path, { storage, byteOrder });
      assertSameRows(theirs, await oracleRows(path), path);
      assert.deepEqual(await keywordsOf(path), keywords, path);
    }
  }
  const rows = [40, 3, 3, 39, 0];
  table.copy(at("some"), { rows, columns: ["free", "number"], storage: [incremental("I", {})] });
  assertSameRows(
    rows.map((row) => ({ free: theirs[row]!.free, number: theirs[row]!.number })),
    await oracleRows(at("some")),
    "some",
  );
  // A view, and a concatenation of it.
  using odd = table.select({ start: 1, step: 2 }).project(["cells", "text"]);
  odd.copy(at("odd"));
  const half = theirs.filter((_, row) => row % 2 === 1).map(({ cells, text }) => ({ cells, text }));
  assertSameRows(half, await oracleRows(at("odd")), "odd");
  using twice = Table.concat([odd, at("odd")]);
  twice.copy(at("twice"), { storage: STORAGE.TiledColumnStMan!.slice(0, 1) });
  assertSameRows([...half, ...half], await oracleRows(at("twice")), "twice");
});

peerTest(
  "a copy of a MeasurementSet is one, with its subtables, managers and byte order as asked",
  async () => {
    using folder = temporaryFolder();
    const original = new URL("../../examples/data/sim.ms", import.meta.url).pathname;
    const path = `${folder.path}/copy.ms`;
    using ms = Table.open(original);
    ms.copy(path, { byteOrder: "big" });
    using copy = Table.open(path);
    const types = (table: Table) =>
      new Map(table.columnNames.map((name) => [name, table.column(name).manager.type]));
    assert.deepEqual(types(copy), types(ms));
    assertSameRows(await oracleRows(original), await oracleRows(path), "MAIN");
    assert.deepEqual(
      JSON.stringify(await keywordsOf(path)).replaceAll(path, ""),
      JSON.stringify(await keywordsOf(original)).replaceAll(original, ""),
    );
    for (const name of ms.keywords.keys()) {
      if (ms.keywords.kind(name) !== "table") continue;
      assertSameRows(await oracleRows(`${original}/${name}`), await oracleRows(`${path}/${name}`), name);
    }
  },
);
