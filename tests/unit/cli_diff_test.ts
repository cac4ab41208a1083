import assert from "node:assert/strict";
import { Table } from "../../mod.ts";
import { copyFolder, copyOfFixture, fixturePath, temporaryFolder } from "../fixture.ts";
import { ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

Deno.test("digest is the same for a copy in another byte order, and prints a line for each thing", async () => {
  using folder = temporaryFolder();
  await table("copy", MS, `${folder.path}/t`, "--byte-order", "big", "--tile-shape", "DATA=2,8,5");
  const { status, out, err } = await table("digest", MS, "--subtables");
  assert.deepEqual([status, err], [0, []]);
  assert.equal((await table("digest", `${folder.path}/t`, "--subtables")).out, out);
  assert.match(out, /^[0-9a-f]{64} {2}table\n[0-9a-f]{64} {2}keywords\n[0-9a-f]{64} {2}column UVW\n/);
  assert.match(out, /^[0-9a-f]{64} {2}keywords of DATA\n[0-9a-f]{64} {2}subtable ANTENNA\n/m);
  const one = await table("digest", MS, "--columns", "DATA,TIME", "--json");
  const json = JSON.parse(one.out) as { columns: { name: string; values: string }[] };
  assert.deepEqual(json.columns.map(({ name }) => name), ["DATA", "TIME"]);
  assert.ok(out.includes(`${json.columns[0]!.values}  column DATA\n`));
});

Deno.test("digest refuses a table with a column that can't be read, unless it is left out", async () => {
  using opened = Table.open(fixturePath("taql"));
  const readable = opened.columnNames.filter((name) => opened.column(name).readable);
  const { status, out, err } = await table("digest", fixturePath("taql"));
  assert.deepEqual([status, out, err.length], [1, "", 1]);
  assert.match(err[0]!, /--columns/);
  assert.equal((await table("digest", fixturePath("taql"), "--columns", readable.join())).status, 0);
});

Deno.test("diff says nothing of a table and its copy, with status 0", async () => {
  using folder = temporaryFolder();
  await table("copy", MS, `${folder.path}/t`, "--byte-order", "big");
  assert.deepEqual(await table("diff", MS, `${folder.path}/t`, "--subtables"), {
    status: 0,
    out: "",
    err: [],
  });
});

Deno.test("diff says what differs, with status 1; a tolerance may forgive it", async () => {
  using folder = temporaryFolder();
  const other = `${folder.path}/t`;
  copyFolder(MS, other);
  {
    using opened = Table.open(other, { mode: "rw", lock: "none" });
    opened.putCell("EXPOSURE", 7, 1.5);
    opened.keywords.set("OBSERVER", "Jansky");
    using antennas = opened.subtable("ANTENNA");
    antennas.putCell("NAME", 2, "\x1b[31m");
  }
  const { status, out, err } = await table("diff", MS, other, "--subtables");
  assert.equal(status, 1);
  assert.deepEqual(out.split("\n"), [
    'keyword OBSERVER: only in the second: "Jansky" (string)',
    "column EXPOSURE: 1 of 560 rows, at most 8.5 apart; first row 7: 10 | 1.5",
    'ANTENNA/column NAME: 1 of 7 rows; first row 2: "ea03" | "\\u001b[31m"',
    "",
  ]);
  assert.equal(err.length, 1);
  const close = ["diff", MS, other, "--columns", "EXPOSURE,DATA"];
  assert.equal((await table(...close, "--tolerance", "8.4")).status, 1);
  const { keywords, columns } = JSON.parse((await table(...close, "--json")).out);
  assert.equal(keywords.length, 1);
  assert.deepEqual(columns[0].first, { row: 7, index: [], left: "10", right: "1.5" });
  assert.equal((await table("keywords", other, "--delete", "OBSERVER", "--lock", "none")).status, 0);
  assert.equal((await table(...close, "--tolerance", "8.5")).status, 0);
  assert.equal((await table(...close, "--tolerance", "rel:0.9,abs:0")).status, 0);
});

Deno.test("diff of what is no table, and wrong tolerances, end as they should", async () => {
  using copy = copyOfFixture("minimal_le");
  assert.equal((await table("diff", copy.path, `${copy.path}/none`)).status, 1);
  for (const text of ["x", "-1", "rel:", "abs:1,rel:x", "NaN"]) {
    const { status, out } = await table("diff", copy.path, copy.path, "--tolerance", text);
    assert.deepEqual([status, out], [2, ""], text);
  }
});
