import assert from "node:assert/strict";
import { copyFolder, copyOfFixture, fixturePath, temporaryFolder } from "../fixture.ts";
import { ROOT, spawnTable, table } from "./cli_support.ts";

const MINIMAL = fixturePath("minimal_le");

Deno.test("check of a table that is in order prints one line and ends with status 0", async () => {
  const { status, out, err } = await table("check", MINIMAL);
  assert.equal(status, 0);
  assert.match(out, /^\S*minimal_le: nothing is wrong \(1 table, 4 files\)\n$/);
  assert.deepEqual(err, []);
});

Deno.test("check looks at subtables unless told otherwise", async () => {
  const ms = `${ROOT}examples/data/sim.ms`;
  assert.match((await table("check", ms)).out, /nothing is wrong \(1\d tables, \d+ files\)\n$/);
  assert.match(
    (await table("check", ms, "--no-subtables")).out,
    /nothing is wrong \(1 table, \d+ files\)\n$/,
  );
});

Deno.test("check prints a line for each thing that is wrong, with file and offset, and ends with status 1", async () => {
  using copy = copyOfFixture("minimal_le");
  const path = `${copy.path}/table.f0`, bytes = Deno.readFileSync(path);
  // The header's number of free buckets, and the lock's number of columns.
  new DataView(bytes.buffer).setUint32(4 + 4 + 4 + 13 + 4 + 1 + 12, 1, true);
  Deno.writeFileSync(path, bytes);
  const lock = Deno.readFileSync(`${copy.path}/table.lock`);
  new DataView(lock.buffer).setInt32(264 + 20 + 4, 9);
  Deno.writeFileSync(`${copy.path}/table.lock`, lock);
  const { status, out, err } = await table("check", copy.path);
  assert.equal(status, 1);
  const lines = out.trimEnd().split("\n");
  assert.equal(lines.length, 2, out);
  assert.match(
    lines[0]!,
    /^\S*minimal_le\/table\.lock: the table is said to have 9 columns, table\.dat has 1$/,
  );
  assert.match(lines[1]!, /^\S*minimal_le\/table\.f0: the list of free buckets has 1 /);
  assert.equal(err.length, 1);
  assert.match(err[0]!, /^table: \S*minimal_le: 2 things are wrong \(1 table, 4 files\)$/);
});

Deno.test("check tells notes, which don't count", async () => {
  using copy = copyOfFixture("minimal_le");
  Deno.writeTextFileSync(`${copy.path}/table.f7`, "stray");
  const { status, out } = await table("check", copy.path);
  assert.equal(status, 0);
  const lines = out.trimEnd().split("\n");
  assert.match(lines[0]!, /^note: \S*minimal_le\/table\.f7: no storage manager has a file of that name$/);
  assert.match(lines[1]!, /nothing is wrong/);
});

Deno.test("check --json says the same to programs", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/subtables`;
  copyFolder(fixturePath("subtables"), path);
  const { status, out, err } = await table("check", "--json", path);
  assert.equal(status, 1);
  assert.equal(err.length, 1);
  const report = JSON.parse(out);
  assert.equal(report.path, path);
  assert.equal(report.wrong, report.findings.filter(({ note }: { note: boolean }) => !note).length);
  assert(report.wrong >= 1);
  assert.equal(report.notes + report.wrong, report.findings.length);
  assert.equal(report.tables[0].path, path);
  assert.equal(typeof report.tables[0].rows, "number");
  assert.deepEqual(Object.keys(report.findings[0]), ["note", "code", "file", "offset", "message"]);
  assert.equal(report.findings[0].code, "NOT_FOUND");
  assert.equal(report.findings[0].offset, null);

  const clean = await table("check", "--json", MINIMAL);
  assert.equal(clean.status, 0);
  assert.deepEqual(JSON.parse(clean.out).findings, []);
  assert.deepEqual(clean.err, []);
});

Deno.test("check of what is no table ends with status 1 and one line, wrong use with status 2", async () => {
  const missing = await table("check", "/nowhere/at/all");
  assert.equal(missing.status, 1);
  assert.equal(missing.out, "");
  assert.match(missing.err.join("\n"), /^table: .*nothing of that name$/);
  assert.equal((await table("check")).status, 2);
  assert.equal((await table("check", "--io", "floppy", MINIMAL)).status, 2);
});

Deno.test("check needs no permission but to read", () => {
  const { status, out } = spawnTable(["check", MINIMAL], { permissions: ["--allow-read"] });
  assert.equal(status, 0);
  assert.match(out, /nothing is wrong/);
});

Deno.test("control characters in names do nothing to the terminal", async () => {
  using copy = copyOfFixture("minimal_le");
  Deno.writeTextFileSync(`${copy.path}/table.f7\x1b[31m`, "stray");
  const { out } = await table("check", copy.path);
  assert(!out.includes("\x1b"), JSON.stringify(out));
});
