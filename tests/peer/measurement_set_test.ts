/**
 * MeasurementSets that Tessera makes: their descriptions are casacore's, column by column, its checks accept them, and it
 * understands their measures.
 */
import assert from "node:assert/strict";
import { type Column, type RecordFields, Table } from "../../mod.ts";
import { DATA_COLUMNS, MAIN } from "../../src/table/measurement-set/main-table.ts";
import { SUBTABLES } from "../../src/table/measurement-set/create.ts";
import { compilerTest, run } from "./compiler.ts";
import { peerTest, temporaryFolder } from "./peer.ts";

const PROGRAMS = new URL("./programs/", import.meta.url).pathname;
const ROOT = new URL("../../", import.meta.url).pathname;
const ALL = ["DOPPLER", "FREQ_OFFSET", "SOURCE", "SYSCAL", "WEATHER"] as const;

/** Keywords with their types, in the order of their names; comments are everybody's own. */
function sorted(record: RecordFields): unknown[] {
  return record.fields.map(({ name, value }) =>
    [
      name,
      value.kind === "record" ? sorted(value.fields) : value,
    ] as const
  ).sort(([a], [b]) => a < b ? -1 : 1);
}

function described(column: Column): unknown {
  const { kind, dtype, shape, ndim, direct, maxLength, keywords } = column;
  return { kind, dtype, shape, ndim, direct, maxLength, keywords: sorted(keywords.toFields()) };
}

function columnsOf(table: Table): Map<string, unknown> {
  return new Map(table.columnNames.map((name) => [name, described(table.column(name))]));
}

peerTest("each table of a MeasurementSet is described as casacore describes it", () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  run("/usr/bin/python3", [`${PROGRAMS}default_ms.py`, at("theirs"), ...Object.keys(SUBTABLES)]);
  const optional = ({ optional }: { optional: readonly { name: string }[] }) =>
    optional.map(({ name }) => name);
  using ours = Table.createMeasurementSet(at("ours"), {
    data: DATA_COLUMNS,
    subtables: ALL,
    columns: {
      MAIN: optional(MAIN),
      ...Object.fromEntries(Object.entries(SUBTABLES).map(([name, columns]) => [name, optional(columns)])),
    },
  });
  run("/usr/bin/python3", [`${PROGRAMS}default_ms.py`, at("default")]);
  using theirs = Table.open(at("theirs"));
  using plain = Table.open(at("default"));
  assert.deepEqual(ours.keywords.get("MS_VERSION"), plain.keywords.get("MS_VERSION"));
  assert.deepEqual(ours.keywords.dtype("MS_VERSION"), plain.keywords.dtype("MS_VERSION"));
  assert.equal(ours.info.type, theirs.info.type);
  // Those that casacore makes by itself, in its order; the others come behind.
  const named = theirs.keywords.keys();
  assert.deepEqual(ours.keywords.keys(), [...named, ...ALL]);
  assert.deepEqual(ours.keywords.get("ANTENNA"), theirs.keywords.get("ANTENNA"));

  // casacore leaves the number of axes open for data columns; CASA's have two.
  const open = new Set<string>([...DATA_COLUMNS, "IMAGING_WEIGHT", "UVW2", "VIDEO_POINT"]);
  const main = columnsOf(ours), standard = columnsOf(theirs);
  assert.deepEqual([...main.keys()].sort(), [...standard.keys()].sort());
  for (const [name, description] of columnsOf(plain)) assert.deepEqual(main.get(name), description, name);
  for (const [name, description] of standard) {
    // Its keyword goes through Python, which knows no empty list of strings.
    if (name === "FLAG_CATEGORY") continue;
    const { ndim, shape, direct, ...rest } = description as ReturnType<typeof Object>;
    const { ndim: axes, shape: cells, direct: short, ...own } = main.get(name) as ReturnType<typeof Object>;
    assert.deepEqual(own, rest, name);
    if (open.has(name)) assert.equal(ndim, -1, name);
    else assert.deepEqual([axes, cells, short], [ndim, shape, direct], name);
  }
  for (const name of Object.keys(SUBTABLES)) {
    using mine = ours.subtable(name);
    using other = Table.open(at(`theirs/${name}`));
    const own = columnsOf(mine);
    assert.deepEqual(own, columnsOf(other), name);
    if (!plain.keywords.has(name)) continue;
    // Keywords that haven't gone through Python.
    using exact = plain.subtable(name);
    for (const [column, description] of columnsOf(exact)) {
      assert.deepEqual(own.get(column), description, `${name} ${column}`);
    }
  }
});

compilerTest("casacore's checks accept MeasurementSets, and it understands their measures", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const program = at("program");
  run("g++", [
    "-std=c++17",
    "-o",
    program,
    `${PROGRAMS}measurement_set.cc`,
    ...["ms", "measures", "tables", "casa"].map((library) => `-lcasa_${library}`),
  ]);
  const checked = (path: string, ...more: string[]): string[] => {
    const { success, stdout, stderr } = new Deno.Command(program, { args: [path, ...more] }).outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trimEnd().split("\n");
  };
  Table.createMeasurementSet(at("plain.ms")).close();
  Table.createMeasurementSet(at("full.ms"), { data: DATA_COLUMNS, shape: [4, 8], subtables: ALL }).close();
  run("/usr/bin/python3", [`${PROGRAMS}default_ms.py`, at("theirs.ms")]);
  const lines = checked(at("plain.ms"));
  assert.deepEqual(lines, checked(at("theirs.ms")));
  assert.deepEqual(lines.filter((line) => line.endsWith(" valid")).length, 13);
  assert.equal(checked(at("full.ms")).filter((line) => line.endsWith(" valid")).length, 18);

  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `${ROOT}examples/write-ms.ts`, at("sim.ms")],
    cwd: ROOT,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const said = checked(at("sim.ms"), "change");
  for (
    const line of [
      "MAIN valid",
      "SOURCE valid",
      "rows 6720",
      "time UTC 2023-02-25T06:01:00.000",
      "channel TOPO 1400 MHz of 16",
      "telescope SIMULATED",
      "range 60000::06:00:00.0000",
    ]
  ) assert.ok(said.includes(line), `${line}: ${said.join("\n")}`);
  assert.ok(!said.some((line) => line.includes("NOT")));
  // What casacore added is there.
  using ms = Table.open(at("sim.ms"));
  assert.equal(ms.rowCount, 6721);
  assert.equal(ms.getCell("TIME", 6720), Number(ms.getCell("TIME", 0)) + 10);
  assert.deepEqual(ms.getCell("DATA", 6720), ms.getCell("DATA", 0));
});
