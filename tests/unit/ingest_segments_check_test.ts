import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Table, type TableError } from "../../mod.ts";
import { type Manifest, ManifestWriter, parseManifest } from "../../src/ingest/manifest/format.ts";
import { SEQUENCE_COLUMN } from "../../src/ingest/schema.ts";
import { checkSegments, recoverSegments } from "../../src/ingest/segments/check.ts";
import { Folder, someRows, testSchema, TestStore } from "./ingest_segments_support.ts";

/** A store of two segments, one of them merged and sorted, that is closed. */
async function closedStore(): Promise<TestStore> {
  const made = new TestStore(testSchema({ key: "NAME", sort: ["ID"] }));
  await made.seal(someRows(5, 5));
  await made.seal(someRows(0, 5));
  await made.store.compact({ all: true });
  await made.seal(someRows(10, 5));
  await made.store.removeRetired(0);
  await made.store.close();
  return made;
}

/** Writes a manifest with something else in it. */
function change(directory: string, to: (manifest: Manifest) => Manifest): void {
  const path = `${directory}/manifest.json`, manifest = parseManifest(readFileSync(path), path);
  writeFileSync(path, new ManifestWriter().bytes(to(manifest)));
}

function changeSegment(directory: string, more: Partial<Manifest["segments"][number]>): void {
  change(directory, (manifest) => ({
    ...manifest,
    segments: manifest.segments.map((segment, i) => i === 1 ? { ...segment, ...more } : segment),
  }));
}

Deno.test("nothing is found in a store that is whole, open or closed", async () => {
  await using made = await closedStore();
  assert.deepEqual(checkSegments(made.directory), []);
  made.open();
  assert.deepEqual(checkSegments(made.directory), []);
});

Deno.test("what is wrong with the sealed part of a store is found", async () => {
  await using made = await closedStore();
  const { directory } = made, segment = (name: string) => `${directory}/segments/${name}`;
  const files = [
    "manifest.json",
    "manifest.previous.json",
    "table.dat",
    "segments/000003.bloom",
    "segments/000004.bloom",
  ];
  const kept = files.map((name) => [`${directory}/${name}`, readFileSync(`${directory}/${name}`)] as const);
  const put = (name: string, column: string, row: number, value: number | bigint) => {
    using table = Table.open(segment(name), { mode: "rw" });
    const before = table.getCell(column, row);
    table.putCell(column, row, value);
    return () => {
      using again = Table.open(segment(name), { mode: "rw" });
      again.putCell(column, row, before);
    };
  };
  const damage: [RegExp, () => void | (() => void)][] = [
    [/taken, from manifest.previous.json/, () => writeFileSync(`${directory}/manifest.json`, "{}")],
    [/missing/, () => rmSync(`${directory}/table.dat`)],
    [/doesn't name the segments/, () => writeFileSync(`${directory}/table.dat`, "x")],
    [/missing/, () => rmSync(segment("000003.bloom"))],
    [/checksum/, () => writeFileSync(segment("000003.bloom"), new Uint8Array(kept[3]![1].length))],
    [/rows, the manifest says/, () => changeSegment(directory, { rows: 4 })],
    [/sequence number/, () => changeSegment(directory, { firstSequence: 11 })],
    [/sequence number/, () => put("000004.tab", SEQUENCE_COLUMN, 1, 10n)],
    [/sequence number/, () => put("000003.tab", SEQUENCE_COLUMN, 1, 5n)],
    [/1 values of TIME/, () => put("000004.tab", "TIME", 1, -1)],
    [/5 values of NAME/, () => changeSegment(directory, { keys: {} })],
    [
      /no such file|refers to|nothing of that name|NOT_FOUND|missing/i,
      () => changeSegment(directory, { name: "000009.tab" }),
    ],
    [/no manifest names it/, () => writeFileSync(segment("000077.bloom"), "x")],
  ];
  for (const [message, harm] of damage) {
    const undo = harm(), findings = checkSegments(directory);
    assert.ok(
      findings.some((finding) => message.test(finding.message)),
      `${message}: ${JSON.stringify(findings)}`,
    );
    undo?.();
    for (const [path, bytes] of kept) writeFileSync(path, bytes);
    rmSync(segment("000077.bloom"), { force: true });
  }
  assert.deepEqual(checkSegments(directory), []);
});

Deno.test("a key that isn't in a filter is found", async () => {
  await using made = await closedStore();
  const path = `${made.directory}/segments/000004.tab`;
  {
    using table = Table.open(path, { mode: "rw" });
    table.putColumn("NAME", ["row 10", "row 11", "row 12", "row 121", "row 14"]);
  }
  assert.match(checkSegments(made.directory)[0]!.message, /1 keys aren't in the filter/);
});

Deno.test("recovery repairs manifests, concatenation and filters, and says so", async () => {
  await using made = await closedStore();
  const { directory } = made;
  writeFileSync(`${directory}/manifest.json`, "{}");
  writeFileSync(`${directory}/table.dat`, "x");
  writeFileSync(`${directory}/segments/000003.bloom`, "x");
  const findings = recoverSegments(directory);
  assert.equal(findings.length, 4, JSON.stringify(findings));
  assert.deepEqual(checkSegments(directory), []);
  assert.deepEqual(recoverSegments(directory), []);
  const opened = made.open();
  assert.equal(opened.manifest.segments[0]!.bloom, null);
  assert.equal(opened.mayHoldKey(opened.manifest.segments[0]!, ["row 3"]), true);
});

Deno.test("a store that is being written isn't recovered, and what is no store isn't one", async () => {
  await using made = new TestStore();
  assert.throws(() => recoverSegments(made.directory), (error: TableError) => error.code === "LOCKED");
  using folder = new Folder();
  for (const run of [checkSegments, recoverSegments]) {
    assert.throws(() => run(folder.path), (error: TableError) => error.code === "NOT_FOUND");
  }
});
