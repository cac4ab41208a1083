import assert from "node:assert/strict";
import { copyOfFixture } from "../fixture.ts";
import { spawnTable, table } from "./cli_support.ts";

Deno.test("recover of a table in order prints one line and ends with status 0", async () => {
  using copy = copyOfFixture("minimal_le");
  const { status, out, err } = await table("recover", copy.path);
  assert.equal(status, 0);
  assert.match(out, /^\S*minimal_le: nothing to repair \(1 table\)\n$/);
  assert.deepEqual(err, []);
});

Deno.test("recover explains, and repairs with --yes", async () => {
  using copy = copyOfFixture("minimal_le");
  Deno.copyFileSync(`${copy.path}/table.dat`, `${copy.path}/table.dat_tmp`);
  Deno.truncateSync(`${copy.path}/table.dat`);
  const look = await table("recover", copy.path);
  assert.equal(look.status, 1);
  assert.match(
    look.out,
    /^\S*minimal_le\/table\.dat: table\.dat can't be read: the file is empty\n {2}table\.dat_tmp, .*\n {2}with --yes: table\.dat_tmp takes its place\n$/,
  );
  assert.match(look.err[0]!, /^table: \S*minimal_le: 1 thing is left as it is; --yes repairs 1$/);
  const repair = await table("recover", "--yes", copy.path);
  assert.equal(repair.status, 0);
  assert.match(repair.out, /\n {2}done: table\.dat_tmp takes its place\n$/);
  assert.equal((await table("check", copy.path)).status, 0);
});

Deno.test("recover ends with status 1 while something is left, and --json says the same to programs", async () => {
  using copy = copyOfFixture("minimal_le");
  Deno.truncateSync(`${copy.path}/table.dat`);
  const { status, out } = await table("recover", "--yes", "--json", copy.path);
  assert.equal(status, 1);
  const report = JSON.parse(out);
  assert.equal(report.left, 1);
  assert.equal(report.path, copy.path);
  assert.deepEqual(Object.keys(report.findings[0]), ["kind", "file", "message", "details", "remedy", "done"]);
  assert.equal(report.findings[0].remedy, null);
  assert.match((await table("recover", copy.path)).out, /nothing can be done about it here/);
});

Deno.test("recover needs no permission but to read as long as it only looks", () => {
  using copy = copyOfFixture("minimal_le");
  const { status } = spawnTable(["recover", copy.path], { permissions: ["--allow-read"] });
  assert.equal(status, 0);
});

Deno.test("recover of what is no table ends with status 1, wrong use with status 2", async () => {
  assert.equal((await table("recover", "/nowhere/at/all")).status, 1);
  assert.equal((await table("recover")).status, 2);
});
