import assert from "node:assert/strict";
import { fixturePath, temporaryFolder } from "../fixture.ts";
import { copyFolder } from "../fixture.ts";
import { ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

Deno.test("ls lists the tables below a folder by their paths, and nothing inside them", async () => {
  using folder = temporaryFolder();
  copyFolder(MS, `${folder.path}/b/sim.ms`);
  copyFolder(fixturePath("minimal_le"), `${folder.path}/a`);
  Deno.mkdirSync(`${folder.path}/empty/deep`, { recursive: true });
  Deno.symlinkSync(folder.path, `${folder.path}/loop`);
  const { status, out, err } = await table("ls", folder.path);
  assert.deepEqual([status, err], [0, []]);
  const lines = out.split("\n").slice(0, -1);
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /^table +kind +rows +columns +size$/);
  assert.match(lines[1]!, /^a +table +2 +\d+ +\S+ .?i?B$/);
  assert.match(lines[2]!, /^b\/sim\.ms +Measurement Set +560 +22 +\d+ KiB$/);
});

Deno.test("ls --all lists subtables too, indented, and so does ls of a table", async () => {
  const all = await table("ls", "--all", `${ROOT}examples/data`);
  assert.match(all.out, /^sim\.ms .*\n {2}ANTENNA .*\n {2}DATA_DESCRIPTION /m);
  const inside = await table("ls", MS);
  assert.match(inside.out, /^\. .*\n {2}ANTENNA /m);
  assert.equal(inside.out.split("\n").length, all.out.split("\n").length);
});

Deno.test("ls --json has every table with its kind, rows, columns and bytes", async () => {
  const { out } = await table("ls", "--json", `${ROOT}tests/fixtures/tables`);
  const tables = JSON.parse(out) as Record<string, unknown>[];
  const concat = tables.find(({ path }) => path === "concat_first")!;
  assert.deepEqual([concat.kind, concat.rows, concat.columns, concat.depth], ["concatenation", 19, 2, 0]);
  assert.ok((concat.bytes as number) > 0);
  assert.ok(tables.every(({ path }) => typeof path === "string"));
});

Deno.test("ls lists what is damaged, with the others, and ends with status 1", async () => {
  using folder = temporaryFolder();
  copyFolder(fixturePath("minimal_le"), `${folder.path}/good`);
  Deno.mkdirSync(`${folder.path}/bad`);
  Deno.writeTextFileSync(`${folder.path}/bad/table.dat`, "no table");
  const { status, out, err } = await table("ls", folder.path);
  assert.equal(status, 1);
  assert.match(out, /^bad +damaged .*table\.dat/m);
  assert.match(out, /^good +table /m);
  assert.equal(err.length, 1);
  assert.match(err[0]!, /1 table can't be opened/);
});

Deno.test("ls of no folder, or of a file, ends with status 1 and one line; of an empty one it prints nothing", async () => {
  using folder = temporaryFolder();
  assert.deepEqual(await table("ls", folder.path), { status: 0, out: "", err: [] });
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  for (const name of ["none", "file"]) {
    const { status, out, err } = await table("ls", `${folder.path}/${name}`);
    assert.deepEqual([status, out, err.length], [1, "", 1]);
    assert.match(err[0]!, new RegExp(`${name}: `));
    assert.doesNotMatch(err[0]!, /fault in Tessera/);
  }
});
