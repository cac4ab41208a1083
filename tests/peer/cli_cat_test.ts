/**
 * The command beside casacore: what `cat` prints is what casacore reads, what `copy` writes casacore opens.
 */
import assert from "node:assert/strict";
import type { DType } from "../../src/array/dtype.ts";
import { expectedSchema, fixturePath, fixtures } from "../fixture.ts";
import { table } from "../unit/cli_support.ts";
import type { JobColumn } from "./oracle/values.ts";
import { assertSameRows, oracleRows, oracleSchema, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";

const TYPES: readonly DType[] = [
  "bool",
  "uint8",
  "int16",
  "int32",
  "uint32",
  "int64",
  "float32",
  "float64",
  "complex64",
  "complex128",
  "string",
];

/** Scalars and arrays of every type, with NaN, -0, extremes and undefined cells among the values. */
const COLUMNS: readonly JobColumn[] = [
  ...TYPES.flatMap((dtype): JobColumn[] => [
    { name: `scalar ${dtype}`, dtype },
    { name: `fixed ${dtype}`, dtype, kind: "array", shape: [2, 3], direct: true },
    { name: `free ${dtype}`, dtype, kind: "array", ndim: -1, undefinedEvery: 4, axes: [1, 4] },
  ]),
  { name: "record", dtype: "record", kind: "record" },
  { name: 'quoted "name", comma', dtype: "int32" },
];

/** What `cat` prints; it must have nothing to complain about. */
async function printed(path: string, ...options: string[]): Promise<string> {
  const { status, out, err } = await table("cat", path, ...options);
  assert.deepEqual([status, err], [0, []]);
  return out;
}

for (const byteOrder of ["little", "big"] as const) {
  peerTest(`cat prints what casacore reads: every type, ${byteOrder} endian`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    await oracleWrite({ table: path, rows: 300, seed: 77, byteOrder, columns: COLUMNS });
    assertSameRows(await printed(path), await oracleRows(path));
    const columns = ["record", 'quoted "name", comma', "scalar int64"];
    assertSameRows(
      await printed(
        path,
        "--columns",
        columns.map((name) => name.replaceAll(",", "\\,")).join(","),
        "--rows",
        "99:201",
      ),
      await oracleRows(path, { columns, rows: [99, 201] }),
    );
  });
}

peerTest("copy changes byte order and tiles, and casacore reads the same cells", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, copy = `${folder.path}/copy`;
  const columns: JobColumn[] = [
    { name: "DATA", dtype: "complex64", kind: "array", ndim: 2, shapes: [[4, 7], [4, 3]] },
    { name: "FLAG", dtype: "bool", kind: "array", ndim: 2, shapes: [[4, 7], [4, 3]], like: "DATA" },
    { name: "TIME", dtype: "float64", keywords: { UNIT: "s" } },
    { name: "NAME", dtype: "string" },
  ];
  await oracleWrite({
    table: path,
    rows: 60,
    seed: 5,
    byteOrder: "little",
    columns,
    managers: [{
      type: "TiledShapeStMan",
      name: "Vis",
      columns: ["DATA", "FLAG"],
      spec: { DEFAULTTILESHAPE: [4, 7, 8] },
    }],
    hypercolumns: { Vis: { ndim: 3, data: ["DATA", "FLAG"] } },
    keywords: { VERSION: 2 },
  });
  const made = await table(
    "copy",
    path,
    copy,
    "--byte-order",
    "big",
    "--rows",
    "10:50",
    "--tile-shape",
    "DATA=2,7,4",
  );
  assert.deepEqual([made.status, made.err], [0, []]);
  assert.match(made.out, /: 40 rows, 4 columns, /);
  const original = await oracleRows(path, { rows: [10, 50] });
  assertSameRows(await oracleRows(copy), original);
  assertSameRows(await printed(copy), original);
  const schema = await oracleSchema(copy);
  assert.equal(schema.byteOrder, "big");
  assert.equal(schema.keywords!.VERSION, 2);
  assert.deepEqual(schema.columns[2]!.keywords, { UNIT: "s" });
  const tiled = schema.managers.find((manager) => manager.type === "TiledShapeStMan")!;
  assert.deepEqual([tiled.name, tiled.columns], ["Vis", ["DATA", "FLAG"]]);
  assert.deepEqual(tiled.spec!.DEFAULTTILESHAPE, [2, 7, 4]);

  const again = await table("copy", path, copy, "--columns", "TIME,FLAG");
  assert.deepEqual([again.status, again.out], [1, ""]);
  assertSameRows(await oracleRows(copy), original);
  const replaced = await table("copy", path, copy, "--columns", "TIME,FLAG", "--overwrite", "--io", "node");
  assert.deepEqual([replaced.status, replaced.err], [0, []]);
  assertSameRows(await oracleRows(copy), await oracleRows(path, { columns: ["TIME", "FLAG"] }));
});

peerTest("copy takes storage managers as JSON", async () => {
  using folder = temporaryFolder();
  const copy = `${folder.path}/copy`;
  const storage = JSON.stringify([
    { type: "TiledColumnStMan", name: "Boxes", columns: ["fixed"], options: { tileShape: [3, 3, 2] } },
    { type: "StandardStMan", name: "Rest", options: { bucketRows: 7 } },
  ]);
  const made = await table(
    "copy",
    fixturePath("tsm_mixed_le"),
    copy,
    "--columns",
    "id,fixed",
    "--storage",
    storage,
  );
  assert.deepEqual([made.status, made.err], [0, []]);
  const schema = await oracleSchema(copy);
  assert.deepEqual(
    schema.managers.map(({ type, name, columns }) => [type, name, columns]).sort(),
    [["StandardStMan", "Rest", ["id"]], ["TiledColumnStMan", "Boxes", ["fixed"]]],
  );
  assertSameRows(
    await oracleRows(copy),
    await oracleRows(fixturePath("tsm_mixed_le"), { columns: ["id", "fixed"] }),
  );
});

peerTest("casacore reads a copy of every golden table as it reads the table", async () => {
  using folder = temporaryFolder();
  for (const { name } of fixtures()) {
    // Without columns there is nothing to compare, and the Python binding doesn't open tables with uint16 columns.
    const { columns } = expectedSchema(name);
    if (columns.length === 0 || columns.some((column) => column.dtype === "uint16")) continue;
    const copy = `${folder.path}/${name.replaceAll("/", " ")}`;
    const { status, err } = await table("copy", fixturePath(name), copy);
    assert.deepEqual([status, err], [0, []], name);
    assertSameRows(await oracleRows(copy), await oracleRows(fixturePath(name)), name);
  }
});
