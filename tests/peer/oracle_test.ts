/** The oracle itself: what it writes and reads, and that it outlives casacore's aborts. */
import assert from "node:assert/strict";
import { allFixtures, expectedRows, fixturePath } from "../fixture.ts";
import { assertSameRows, oracleRows, oracleSchema, oracleWrite, peerTest, temporaryFolder } from "./peer.ts";
import { generatedRows, type JobColumn } from "./oracle/values.ts";
import { DTYPES } from "../../src/array/dtype.ts";

const COLUMNS: readonly JobColumn[] = [
  ...DTYPES.filter((d) => d !== "uint16" && d !== "record").flatMap((dtype): JobColumn[] => [
    { name: `s_${dtype}`, dtype },
    { name: `f_${dtype}`, dtype, kind: "array", shape: [3, 2], direct: true },
    { name: `v_${dtype}`, dtype, kind: "array", ndim: -1, undefinedEvery: 3, axes: [1, 5] },
  ]),
  { name: "record", dtype: "record", kind: "record" },
  { name: "text", dtype: "string", maxLength: 9, repeat: 3 },
  { name: "long", dtype: "string", longest: 500 },
  {
    name: "shapes",
    dtype: "float32",
    kind: "array",
    ndim: 2,
    shapes: [[2, 3], [4, 1]],
    specials: false,
    like: "long",
  },
];

peerTest("casacore's generated values are those of the TypeScript twin", async () => {
  using folder = temporaryFolder();
  const table = `${folder.path}/t`;
  await oracleWrite({ table, rows: 40, seed: 12345, byteOrder: "big", columns: COLUMNS });
  assertSameRows(await oracleRows(table), generatedRows(COLUMNS, 12345, 0, 40));
});

peerTest(
  "the oracle makes, changes and reads uint16 columns, which the Python binding can't open",
  async () => {
    using folder = temporaryFolder();
    const table = `${folder.path}/t`;
    const columns: JobColumn[] = [
      { name: "a", dtype: "uint16" },
      { name: "b", dtype: "uint16", kind: "array", shape: [2, 3] },
      { name: "c", dtype: "uint16", kind: "array", ndim: 2, undefinedEvery: 2 },
      { name: "d", dtype: "float32", specials: false },
    ];
    await oracleWrite({ table, rows: 5, seed: 7, columns });
    assertSameRows(await oracleRows(table), generatedRows(columns, 7, 0, 5));
    await oracleWrite({
      table,
      open: true,
      columns,
      operations: [
        { op: "removerows", rows: [0, 3] },
        { op: "addrows", count: 2 },
        { op: "fill", rows: [3], seed: 8 },
        { op: "put", column: "b", row: 0, value: { shape: [2, 3], data: [1, 2, 3, 4, 5, 65535] } },
      ],
    });
    const before = generatedRows(columns, 7, 0, 5);
    const changed = { ...before[1]!, b: { shape: [2, 3], data: [1, 2, 3, 4, 5, 65535] } };
    const unset = { a: 0, b: { shape: [2, 3], data: [0, 0, 0, 0, 0, 0] }, c: null, d: 0 };
    const rows: Record<string, unknown>[] = [
      changed,
      before[2]!,
      before[4]!,
      generatedRows(columns, 8, 3, 4)[0]!,
      unset,
    ];
    assertSameRows(
      await oracleRows(table, { columns: ["a", "c", "d"] }),
      rows.map(({ a, c, d }) => ({ a, c, d })),
    );
    assertSameRows(
      await oracleRows(table, { columns: ["b"], rows: [0, 4] }),
      rows.slice(0, 4).map(({ b }) => ({ b })),
    );
    const schema = await oracleSchema(table);
    assert.deepEqual(schema.columns.map((c) => [c.name, c.dtype, c.shape]), [
      ["a", "uint16", null],
      ["b", "uint16", [2, 3]],
      ["c", "uint16", null],
      ["d", "float32", null],
    ]);
  },
);

peerTest("the oracle changes a table and selects rows and columns", async () => {
  using folder = temporaryFolder();
  const table = `${folder.path}/t`;
  const columns: JobColumn[] = [{ name: "n", dtype: "int64" }, { name: "z", dtype: "complex128" }];
  await oracleWrite({ table, rows: 2, columns, fill: false });
  await oracleWrite({
    table,
    open: true,
    operations: [
      { op: "addrows", count: 1 },
      { op: "put", column: "n", row: 2, value: "-9223372036854775808" },
      { op: "put", column: "z", row: 2, value: ["NaN", -0] },
      { op: "setkeyword", key: "K", value: { shape: [2], data: [1, 2] }, dtype: "int16[]", column: "n" },
    ],
  });
  assertSameRows(await oracleRows(table, { rows: [1, 3] }), [
    { n: 0, z: [0, 0] },
    { n: "-9223372036854775808", z: ["NaN", -0] },
  ]);
  assertSameRows(await oracleRows(table, { columns: ["n"], rows: [2, null] }), [{
    n: "-9223372036854775808",
  }]);
  assert.deepEqual((await oracleSchema(table)).columns[0]!.keywordTypes, { K: "int16[]" });
});

peerTest("the oracle reports what casacore says of a bad table and serves the next request", async () => {
  using folder = temporaryFolder();
  await assert.rejects(oracleRows(`${folder.path}/none`), /casacore failed: .*does not exist/);
  assert.equal((await oracleRows(fixturePath("minimal_le"))).length, 2);
});

peerTest("the oracle outlives a request in which casacore ends its process", async () => {
  using folder = temporaryFolder();
  const scalars = ["ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID"].map((name): JobColumn => ({
    name,
    dtype: "int32",
  }));
  const data: JobColumn = {
    name: "DATA",
    dtype: "complex64",
    kind: "array",
    shape: [2, 2],
    direct: true,
    specials: false,
  };
  const spec = {
    dataBitCount: 8,
    weightBitCount: 8,
    distribution: "Uniform",
    normalization: "RF",
    distributionTruncation: 2.5,
  };
  // One time block is too few for DyscoStMan: it throws where nobody catches.
  const job = oracleWrite({
    table: `${folder.path}/t`,
    rows: 2,
    columns: [...scalars, { name: "TIME", dtype: "float64" }, data],
    managers: [{ type: "DyscoStMan", columns: ["DATA"], spec }],
    fill: false,
    operations: [{ op: "fill", columns: ["DATA"] }],
  });
  await assert.rejects(job, /casacore ended with signal 6/);
  assert.equal((await oracleRows(fixturePath("minimal_be"))).length, 2);
});

peerTest("casacore reads every golden table as it did when it was made", async (t) => {
  for (const { name, peer } of allFixtures()) {
    if (!peer) continue;
    await t.step(
      name,
      async () => assertSameRows(await oracleRows(fixturePath(name)), expectedRows(name), name),
    );
  }
});
