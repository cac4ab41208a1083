/** What docs/ingest-store.md says of files and fields is what the code writes. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { DEFAULT_COMPACTION, lowerBound } from "../../src/ingest/compaction/policy.ts";
import { HISTORY_LENGTH } from "../../src/ingest/manifest/format.ts";
import { BloomFilter } from "../../src/ingest/segments/bloom.ts";
import { memoryContext, someRows, testSchema, TestStore } from "./ingest_segments_support.ts";

const PAGE = readFileSync(new URL("../../docs/ingest-store.md", import.meta.url), "utf8");

/** Names in the first column of the table that follows a text. */
function namesAfter(text: string): string[] {
  const from = PAGE.indexOf(text);
  assert.ok(from >= 0, text);
  const rows = PAGE.slice(from).split("\n").map((line) => /^\| (`.*?)\s*\|/.exec(line)?.[1] ?? "");
  const first = rows.findIndex((row) => row !== "");
  const end = rows.findIndex((row, i) => i > first && row === "");
  return rows.slice(first, end).flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map((match) => match[1]!));
}

/** Fields that a sentence names after "An entry of `LIST`:". */
function fieldsOf(list: string): string[] {
  const text = PAGE.replaceAll(/\s+/g, " "), sentence = text.slice(text.indexOf(`An entry of \`${list}\`:`));
  const end = sentence.indexOf(". ");
  return sentence.slice(sentence.indexOf(":"), end).replaceAll(/\([^)]*\)/g, "").match(/`[^`]+`/g)!.map((
    name,
  ) => name.slice(1, -1));
}

Deno.test("the page on stores lists the folder and the fields of manifests as they are", async () => {
  await using made = new TestStore(testSchema({ key: "ID" }));
  await made.seal(someRows(0, 3));
  await made.seal(someRows(3, 3));
  await made.store.compact({ all: true });
  await made.store.deleteRange({ from: 0, to: 1, before: 99 });
  const names = namesAfter("## The folder").filter((name) => !name.includes("/"));
  assert.deepEqual(
    names.sort(),
    readdirSync(made.directory).filter((name) => !["segments", "log"].includes(name)).sort(),
  );
  const manifest = JSON.parse(readFileSync(`${made.directory}/manifest.json`, "utf8"));
  assert.deepEqual([...namesAfter("## The manifest"), "checksum"], Object.keys(manifest));
  const sorted = (list: Iterable<string>) => [...list].sort();
  assert.deepEqual(sorted(namesAfter("An entry of `segments`")), sorted(Object.keys(manifest.segments[0])));
  for (const list of ["retired", "deletions", "history"]) {
    assert.deepEqual(sorted(fieldsOf(list)), sorted(Object.keys(manifest[list][0])), list);
  }
});

Deno.test("the page on stores lists the steps of a publication in their order", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema({ key: "ID" }), { context });
  await made.seal(someRows(0, 3));
  faulty.log.length = 0;
  await made.seal(someRows(3, 3));
  const calls = faulty.log.map(({ kind, path }) => `${kind} ${path.slice(made.directory.length + 1)}`);
  const order = [
    "open segments/000002.building/table.dat_tmp",
    "sync segments/000002.bloom_tmp",
    "rename segments/000002.bloom_tmp",
    "rename segments/000002.building",
    "sync segments",
    "sync manifest.json_tmp",
    "rename manifest.json",
    "rename manifest.json_tmp",
    "sync ",
    "sync table.dat_tmp",
    "rename table.dat_tmp",
  ].map((call) => calls.lastIndexOf(call));
  assert.ok(order.every((at) => at >= 0), calls.join("\n"));
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

Deno.test("figures on the page on stores are those of the code", () => {
  const filter = BloomFilter.forKeys(1000), share = (1 - Math.exp(-filter.hashes / 12)) ** filter.hashes;
  assert.ok(PAGE.includes(`12 bits a key, of which each key sets ${filter.hashes}`));
  assert.equal((filter.bytes().length - 64) * 8, Math.ceil(12_000 / 64) * 64);
  assert.ok(PAGE.includes(`${(share * 100).toFixed(2)} %`));
  assert.equal(lowerBound(4, DEFAULT_COMPACTION), 64 * 1024 * 1024);
  assert.ok(PAGE.includes("level 4 begins at 64 MiB"));
  assert.ok(PAGE.includes(`the newest ${HISTORY_LENGTH} merges`));
});
