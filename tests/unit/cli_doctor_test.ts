import assert from "node:assert/strict";
import { spawnTable, table } from "./cli_support.ts";

interface Examination {
  readonly library: { readonly loaded: boolean; readonly path: string; readonly reason: string };
  readonly compiler: { readonly version: string | null; readonly reason: string };
  readonly locking: { readonly works: boolean };
  readonly auto: string;
  readonly autoWriting: string;
  readonly backends: readonly { readonly name: string; readonly works: boolean; readonly reason: string }[];
  readonly permissions: Readonly<Record<string, string>>;
}

Deno.test("doctor says which backends work, and which one auto stands for", async () => {
  const { status, out, err } = await table("doctor", "--json");
  assert.deepEqual([status, err], [0, []]);
  const found = JSON.parse(out) as Examination;
  const works = new Map(found.backends.map(({ name, works }) => [name, works]));
  assert.equal(works.get("node"), true);
  assert.equal(works.get("pread"), found.library.loaded);
  assert.equal(works.get("mmap"), found.library.loaded);
  assert.equal(found.auto, found.library.loaded ? "mmap" : "node");
  assert.equal(found.autoWriting, found.library.loaded ? "pread" : "node");
  assert.equal(found.locking.works, found.library.loaded);
  for (const { name, works, reason } of found.backends) assert.ok(works || reason !== "", name);
  if (!found.library.loaded) assert.notEqual(found.library.reason, "");
});

Deno.test("doctor's page fits 80 columns", async () => {
  const { status, out } = await table("doctor");
  assert.equal(status, 0);
  assert.match(out, /^C library {3}/m);
  for (const line of out.split("\n")) assert.ok([...line].length <= 80, line);
});

Deno.test("doctor prompts for nothing and says which permissions are missing", () => {
  const { status, out, err } = spawnTable(["doctor", "--json"], { permissions: ["--allow-read"] });
  assert.deepEqual([status, err], [0, []]);
  const found = JSON.parse(out) as Examination;
  assert.equal(found.library.loaded, false);
  assert.match(found.library.reason, /--allow-ffi/);
  assert.match(found.compiler.reason, /--allow-run/);
  assert.equal(found.auto, "node");
  assert.equal(found.permissions.read, "granted");
  assert.notEqual(found.permissions.ffi, "granted");
});

Deno.test("doctor --build without permission to run a compiler ends with one line", () => {
  const { status, out, err } = spawnTable(["doctor", "--build"], {
    permissions: ["--allow-read", "--allow-env"],
    env: { XDG_CACHE_HOME: "/nonexistent" },
  });
  assert.deepEqual([status, out, err.length], [1, "", 1]);
  assert.match(err[0]!, /permission/);
});
