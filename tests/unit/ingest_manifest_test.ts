import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { TableError } from "../../src/error.ts";
import { openBackend } from "../../src/io/backends.ts";
import { readManifest, replaceManifest, restoreManifest } from "../../src/ingest/manifest/files.ts";
import {
  firstManifest,
  type Manifest,
  ManifestWriter,
  parseManifest,
  type SegmentEntry,
} from "../../src/ingest/manifest/format.ts";
import { FaultyBackend, type FaultyCall } from "../faulty-backend.ts";
import { Folder } from "./ingest_segments_support.ts";

const STORE = "00112233445566778899aabbccddeeff";

function segment(
  id: number,
  firstSequence: number,
  rows: number,
  more: Partial<SegmentEntry> = {},
): SegmentEntry {
  return {
    id,
    name: `${String(id).padStart(6, "0")}.tab`,
    rows,
    bytes: rows * 100,
    level: 0,
    firstSequence,
    endSequence: firstSequence + rows,
    sorted: false,
    time: { min: -1.5, max: Infinity },
    keys: { ID: { min: "-9223372036854775808", max: "12" }, NAME: { min: "a\ud800", max: "ü\uffff" } },
    bloom: {
      file: `${String(id).padStart(6, "0")}.bloom`,
      bytes: 128,
      hashes: 8,
      keys: rows,
      crc32c: 4294967295,
    },
    cleaned: 2,
    created: "2026-01-02T03:04:05.678Z",
    ...more,
  };
}

function full(generation = 7): Manifest {
  return {
    ...firstManifest(STORE, { columns: [], key: ["a"], note: '\u2028 "x"\n' }),
    generation,
    nextSegment: 9,
    firstLog: 5,
    nextSequence: 40,
    nextDeletion: 4,
    segments: [segment(3, 0, 10), segment(8, 10, 20, { time: null, keys: {}, bloom: null, endSequence: 35 })],
    retired: [{
      name: "000001.tab",
      bloom: null,
      bytes: 5,
      generation: 6,
      retired: "2026-01-02T03:04:05.678Z",
    }],
    deletions: [{ id: 3, column: "TIME", from: -Infinity, to: 5.5, before: 40 }],
    history: [{
      generation: 6,
      kind: "merge",
      inputs: [1, 2],
      output: 3,
      rowsIn: 12,
      rowsOut: 10,
      bytesIn: 1200,
      bytesOut: 1000,
      milliseconds: 3,
      at: "2026-01-02T03:04:05.678Z",
    }],
  };
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TableError) return error.code;
    throw error;
  }
  return "none";
}

Deno.test("a manifest comes back as it was written", () => {
  for (const manifest of [firstManifest(STORE, {}), full()]) {
    assert.deepEqual(parseManifest(new ManifestWriter().bytes(manifest), "m"), manifest);
  }
});

Deno.test("a manifest is JSON, with an entry a line", () => {
  const text = new TextDecoder().decode(new ManifestWriter().bytes(full()));
  assert.equal(JSON.parse(text).generation, 7);
  assert.equal(text.split("\n").filter((line) => line.includes('"firstSequence"')).length, 2);
});

Deno.test("the writer of manifests writes the same bytes when it knows entries already", () => {
  const writer = new ManifestWriter(), manifest = full();
  writer.bytes(manifest);
  const next = { ...manifest, generation: 8, segments: [...manifest.segments, segment(9, 35, 5)] };
  assert.deepEqual(writer.bytes(next), new ManifestWriter().bytes(next));
});

Deno.test("a manifest of which any byte is another is refused", () => {
  const bytes = new ManifestWriter().bytes(full());
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 << (at % 8);
    assert.equal(code(() => parseManifest(damaged, "m")), "CORRUPT", `byte ${at}`);
  }
});

Deno.test("a manifest that is cut short or has something behind it is refused", () => {
  const bytes = new ManifestWriter().bytes(full());
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(code(() => parseManifest(bytes.subarray(0, length), "m")), "CORRUPT");
  }
  assert.equal(code(() => parseManifest(Uint8Array.of(...bytes, 10), "m")), "CORRUPT");
});

Deno.test("a manifest with a right checksum and fields that make no sense is refused", () => {
  const wrong: [string, (manifest: Manifest) => unknown][] = [
    ["CORRUPT", (m) => ({ ...m, format: "other" })],
    ["UNSUPPORTED", (m) => ({ ...m, version: 2 })],
    ["CORRUPT", (m) => ({ ...m, generation: -1 })],
    ["CORRUPT", (m) => ({ ...m, nextSequence: 30 })],
    ["CORRUPT", (m) => ({ ...m, nextSegment: 8 })],
    ["CORRUPT", (m) => ({ ...m, store: "x" })],
    ["CORRUPT", (m) => ({ ...m, segments: [m.segments[1], m.segments[0]] })],
    ["CORRUPT", (m) => ({ ...m, segments: [segment(3, 0, 0)] })],
    ["CORRUPT", (m) => ({ ...m, segments: [segment(3, 0, 5, { endSequence: 4 })] })],
    ["CORRUPT", (m) => ({ ...m, segments: [segment(3, 0, 5, { name: "../../x.tab" })] })],
    ["CORRUPT", (m) => ({ ...m, segments: [segment(3, 0, 5, { name: "000001.tab" })] })],
    ["CORRUPT", (m) => ({ ...m, segments: [null] })],
    ["CORRUPT", (m) => ({ ...m, segments: [{ ...segment(3, 0, 5), rows: "5" }] })],
    ["CORRUPT", (m) => ({ ...m, history: [{ ...m.history[0], kind: "melt" }] })],
    ["CORRUPT", (m) => ({ ...m, deletions: [{ ...m.deletions[0], from: null }] })],
  ];
  for (const [i, [expected, change]] of wrong.entries()) {
    const bytes = new ManifestWriter().bytes(change(full()) as Manifest);
    assert.equal(code(() => parseManifest(bytes, "m")), expected, `change ${i}`);
  }
});

Deno.test("random bytes and random JSON are no manifest, and nothing worse", () => {
  const writer = new ManifestWriter();
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      (bytes) => code(() => parseManifest(bytes, "m")) === "CORRUPT",
    ),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(full())), (value, field) => {
      const bytes = writer.bytes(
        {
          ...full(),
          ...(["segments", "retired", "deletions", "history"].includes(field)
            ? { [field]: [value] }
            : { [field]: value }),
        } as unknown as Manifest,
      );
      return ["CORRUPT", "UNSUPPORTED", "none"].includes(code(() => parseManifest(bytes, "m")));
    }),
    { numRuns: 300 },
  );
});

Deno.test("a manifest that takes another's place keeps it as the one before", () => {
  using folder = new Folder();
  const backend = openBackend("auto"), writer = new ManifestWriter();
  for (const generation of [1, 2, 3]) {
    assert.deepEqual(replaceManifest(folder.path, backend, writer.bytes(full(generation))), {
      inForce: true,
      error: null,
    });
  }
  const found = readManifest(folder.path, backend);
  assert.equal(found.from, "current");
  assert.equal(found.manifest.generation, 3);
  assert.equal(found.previous?.generation, 2);
  assert.deepEqual(readdirSync(folder.path).sort(), ["manifest.json", "manifest.previous.json"]);
});

Deno.test("the manifest before is taken when the newest is missing or damaged", () => {
  using folder = new Folder();
  const backend = openBackend("auto"), writer = new ManifestWriter(), path = `${folder.path}/manifest.json`;
  for (const generation of [1, 2]) replaceManifest(folder.path, backend, writer.bytes(full(generation)));
  const whole = readFileSync(path);
  for (
    const damage of [
      () => rmSync(path),
      () => writeFileSync(path, ""),
      () => writeFileSync(path, whole.subarray(9)),
    ]
  ) {
    writeFileSync(path, whole);
    damage();
    const found = readManifest(folder.path, backend);
    assert.equal(found.from, "previous");
    assert.equal(found.manifest.generation, 1);
    assert.equal(found.findings.length, 1);
  }
  restoreManifest(folder.path, backend, writer.bytes(readManifest(folder.path, backend).manifest));
  assert.equal(readManifest(folder.path, backend).from, "current");
});

Deno.test("without any manifest there is no store; with damaged ones the damage is named", () => {
  using folder = new Folder();
  const backend = openBackend("auto");
  assert.equal(code(() => readManifest(folder.path, backend)), "NOT_FOUND");
  writeFileSync(`${folder.path}/manifest.json`, "{}");
  writeFileSync(`${folder.path}/manifest.previous.json`, "{}");
  assert.equal(code(() => readManifest(folder.path, backend)), "CORRUPT");
});

Deno.test("whatever call fails while a manifest is replaced, the old or the new one is found, and which is said", () => {
  const writer = new ManifestWriter();
  let calls = Infinity;
  // The first time nothing fails: calls are counted.
  for (let failing = -1; failing < calls; failing++) {
    using folder = new Folder();
    const inner = openBackend("auto"), faulty = new FaultyBackend(inner);
    replaceManifest(folder.path, inner, writer.bytes(full(1)));
    let at = 0;
    faulty.fault = (_: FaultyCall) => at++ === failing ? { errno: 28 } : undefined;
    const { inForce, error } = replaceManifest(folder.path, faulty, writer.bytes(full(2)));
    if (failing < 0) calls = at;
    assert.equal((error as TableError | null)?.errno, failing < 0 ? undefined : 28);
    assert.equal(readManifest(folder.path, inner).manifest.generation, inForce ? 2 : 1, `call ${failing}`);
    assert.deepEqual(replaceManifest(folder.path, inner, writer.bytes(full(3))), {
      inForce: true,
      error: null,
    });
    assert.equal(readManifest(folder.path, inner).manifest.generation, 3);
  }
  assert.ok(calls >= 5);
});

Deno.test("at every call while a manifest is replaced a reader finds the old or the new one", () => {
  using folder = new Folder();
  const inner = openBackend("auto"), faulty = new FaultyBackend(inner), writer = new ManifestWriter();
  replaceManifest(folder.path, inner, writer.bytes(full(1)));
  const seen: number[] = [];
  faulty.fault = () => {
    seen.push(readManifest(folder.path, inner).manifest.generation);
  };
  replaceManifest(folder.path, faulty, writer.bytes(full(2)));
  assert.deepEqual([...new Set(seen)], [1, 2]);
});
