/**
 * Stores beside casacore: it opens the directory after each publication, and finds every sealed row, keywords and subtables;
 * what it has open isn't removed.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { scalar, Table } from "../../mod.ts";
import { IngestSchema, SEQUENCE_COLUMN } from "../../src/ingest/schema.ts";
import { columnsOfTemplate } from "../../src/ingest/segments/template.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { someRows, testSchema, TestStore } from "../unit/ingest_segments_support.ts";
import { assertSameRows, oracleRows, oracleSchema, peerTest, temporaryFolder } from "./peer.ts";

const PYTHON = "/usr/bin/python3";

/** What casacore finds in a store's directory, which must be what Tessera finds. */
async function compare(directory: string, rows: number): Promise<void> {
  using table = Table.open(directory);
  assert.equal(table.rowCount, rows);
  assertSameRows(rowsAsJson(table), await oracleRows(directory), directory);
  const schema = await oracleSchema(directory);
  assert.equal(schema.rows, rows);
  assert.deepEqual(schema.columns.map(({ name }) => name), table.columnNames);
}

peerTest("casacore opens a store after each publication and agrees on every row", async () => {
  await using made = new TestStore(testSchema({ key: "ID", sort: ["NAME"] }), {}, {
    prepare(template) {
      template.keywords.set("TELESCOPE", "WSRT");
      using antennas = template.createSubtable("ANTENNA", { columns: [scalar("NAME", "string")] });
      antennas.append({ NAME: ["RT0", "RT1"] });
    },
  });
  const keywords = async () => {
    const { TELESCOPE, ANTENNA } = (await oracleSchema(made.directory)).keywords as Record<string, unknown>;
    assert.equal(TELESCOPE, "WSRT");
    assert.match(JSON.stringify(ANTENNA), /ANTENNA/);
    assert.deepEqual(await oracleRows(`${made.directory}::ANTENNA`), [{ NAME: "RT0" }, { NAME: "RT1" }]);
  };
  await compare(made.directory, 0);
  await keywords();
  await made.seal(someRows(0, 5));
  await compare(made.directory, 5);
  await keywords();
  await made.seal(someRows(5, 40));
  await compare(made.directory, 45);
  await made.store.deleteRange({ from: 3, to: 7, before: 45 });
  await made.store.compact({ all: true });
  await compare(made.directory, 41);
  await keywords();
  await made.store.removeRetired(0);
  await made.seal(someRows(2, 3));
  await compare(made.directory, 44);
  await made.reopen();
  await made.store.compact({ all: true });
  await made.store.removeRetired(0);
  // Row 2 has been written twice.
  await compare(made.directory, 43);
  await keywords();
});

peerTest(
  "casacore reads single cells and the first row of a store, which it can't behind a table without rows",
  async () => {
    await using made = new TestStore();
    await made.seal(someRows(0, 5));
    const rows = await oracleRows(made.directory, {
      columns: ["TIME", "DATA", SEQUENCE_COLUMN],
      rows: [0, 1],
    });
    assert.deepEqual([rows.length, rows[0]!.TIME, rows[0]![SEQUENCE_COLUMN]], [1, 0, 0]);
  },
);

peerTest("a store that is made like a MeasurementSet is one, for casacore too", async () => {
  using folder = temporaryFolder();
  const like = `${folder.path}/like.ms`;
  {
    using ms = Table.createMeasurementSet(like, { shape: [2, 4] });
    using antennas = ms.subtable("ANTENNA");
    antennas.addRows(2);
    antennas.putColumn("NAME", ["A1", "A2"]);
  }
  const schema = IngestSchema.of({ columns: columnsOfTemplate(like), sort: ["ANTENNA1", "TIME"] });
  await using made = new TestStore(schema, {}, { template: like });
  const batch = (first: number) => ({
    TIME: Float64Array.from({ length: 6 }, (_, i) => first + Math.floor(i / 2)),
    ANTENNA1: Int32Array.from({ length: 6 }, (_, i) => i % 2),
    UVW: new Float64Array(18).fill(first),
    DATA: { dtype: "complex64" as const, shape: [2, 4, 6], data: new Float32Array(96).fill(first) },
  });
  for (let i = 0; i < 3; i++) await made.store.seal(made.log(batch(i * 10)));
  const check = async () => {
    await compare(made.directory, 18);
    const { keywords, info, columns } = await oracleSchema(made.directory);
    assert.equal(info?.type, "Measurement Set");
    assert.equal(keywords!.MS_VERSION, 2);
    assert.equal(Object.keys(keywords!).includes("SPECTRAL_WINDOW"), true);
    const measure = (columns.find(({ name }) =>
      name === "TIME"
    )!.keywords as { MEASINFO: { type: string } }).MEASINFO;
    assert.equal(measure.type, "epoch");
    assert.deepEqual((await oracleRows(`${made.directory}::ANTENNA`)).map(({ NAME }) => NAME), ["A1", "A2"]);
  };
  await check();
  await made.store.compact({ all: true });
  await check();
});

peerTest("a segment that casacore has open stays until it lets go", async () => {
  await using made = new TestStore();
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  const reader = new Deno.Command(PYTHON, {
    args: ["-c", READER, made.directory],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = reader.stdout.pipeThrough(new TextDecoderStream()).getReader(),
    writer = reader.stdin.getWriter();
  // A line may come in pieces.
  const line = async () => {
    let text = "";
    while (!text.endsWith("\n")) text += (await lines.read()).value ?? "\n";
    return text.trim();
  };
  const ask = async () => {
    await writer.write(new TextEncoder().encode("\n"));
    return await line();
  };
  try {
    assert.equal(await line(), "open 10");
    await made.store.compact({ all: true });
    await made.store.removeRetired(0);
    const names = ["000001.tab", "000002.tab"].map((name) => `${made.directory}/segments/${name}`);
    assert.deepEqual(names.map((path) => existsSync(`${path}/table.dat`)), [true, true]);
    // It goes on reading the segments that it opened.
    assert.equal(await ask(), "10 45.0");
    await writer.close();
    await reader.status;
    await made.store.removeRetired(0);
    assert.deepEqual(names.map((path) => existsSync(path)), [false, false]);
    await compare(made.directory, 10);
  } finally {
    try {
      reader.kill();
    } catch {
      // It has ended.
    }
    await lines.cancel();
    await reader.status;
  }
});

/** Opens a table and keeps it open; sums a column for each line that it is given. */
const READER = `
import sys
from casacore.tables import table
t = table(sys.argv[1], ack=False)
print("open", t.nrows(), flush=True)
for line in sys.stdin:
    print(t.nrows(), t.getcol("TIME").sum(), flush=True)
`;
