import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { array, scalar, standard, Table, TableError, tiledShape } from "../../mod.ts";
import { readManifest } from "../../src/ingest/manifest/files.ts";
import { type Manifest, parseManifest } from "../../src/ingest/manifest/format.ts";
import { readWholeFile, replaceFile } from "../../src/io/whole-file.ts";
import { IngestSchema, SEQUENCE_COLUMN } from "../../src/ingest/schema.ts";
import { SegmentStore } from "../../src/ingest/segments/store.ts";
import { openBackend } from "../../src/io/backends.ts";
import { Context } from "../../src/io/context.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import type { FaultyCall } from "../faulty-backend.ts";
import {
  columnsOf,
  Folder,
  memoryContext,
  rowsOf,
  someRows,
  testSchema,
  TestStore,
  writeLog,
} from "./ingest_segments_support.ts";

const isCode = (code: string) => (error: unknown) => error instanceof TableError && error.code === code;

/** Names in the segments' folder. */
function inSegments({ directory }: TestStore): string[] {
  return readdirSync(`${directory}/segments`).sort();
}

// ---- making a store

Deno.test("a new store is a concatenation without rows that has the columns, keywords and subtables", async () => {
  await using made = new TestStore(testSchema(), {}, {
    prepare(template) {
      template.keywords.set("TELESCOPE", "WSRT");
      template.column("DATA").keywords.set("NOTE", "raw");
      using antennas = template.createSubtable("ANTENNA", { columns: [scalar("NAME", "string")] });
      antennas.append({ NAME: ["RT0", "RT1"] });
    },
  });
  using table = Table.open(made.directory);
  assert.equal(table.kind, "concatenation");
  assert.equal(table.rowCount, 0);
  assert.deepEqual(table.columnNames, ["TIME", "ID", "DATA", "NAME", SEQUENCE_COLUMN]);
  assert.equal(table.keywords.get("TELESCOPE"), "WSRT");
  assert.equal(table.subtable("ANTENNA").rowCount, 2);
  assert.deepEqual(made.store.findings, []);
});

Deno.test("every segment has the keywords of the template, and its subtables are the template's", async () => {
  await using made = new TestStore(testSchema(), {}, {
    prepare(template) {
      template.keywords.set("TELESCOPE", "WSRT");
      template.column("DATA").keywords.set("NOTE", "raw");
      template.createSubtable("ANTENNA", { columns: [scalar("NAME", "string")], rows: 2 }).close();
    },
  });
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  await made.store.compact({ all: true });
  for (const path of [made.directory, `${made.directory}/segments/000003.tab`]) {
    using table = Table.open(path);
    assert.equal(table.rowCount, 10);
    assert.equal(table.keywords.get("TELESCOPE"), "WSRT");
    assert.equal(table.column("DATA").keywords.get("NOTE"), "raw");
    assert.deepEqual(table.column("DATA").units, ["Jy"]);
    using antennas = table.subtable("ANTENNA");
    assert.equal(antennas.path, `${made.directory}/segments/000000.tab/ANTENNA`);
    assert.equal(antennas.rowCount, 2);
  }
});

Deno.test("a store takes keywords and subtables of a table that is there", async () => {
  using folder = new Folder();
  const like = `${folder.path}/like.tab`;
  {
    using table = Table.create(like, {
      columns: [
        scalar("TIME", "float64", { unit: "d", comment: "other" }),
        scalar("ID", "int32", { unit: "m" }),
      ],
      rows: 3,
      info: { type: "Measurement Set", subType: "", readme: "x\n" },
    });
    table.keywords.set("MS_VERSION", 2, "float32");
    table.createSubtable("FIELD", { columns: [scalar("NAME", "string")], rows: 1 }).close();
  }
  await using made = new TestStore(testSchema(), {}, { template: like });
  await made.seal(someRows(0, 3));
  using table = Table.open(made.directory);
  assert.equal(table.keywords.get("MS_VERSION"), 2);
  assert.equal(table.keywords.dtype("MS_VERSION"), "float32");
  assert.equal(table.subtable("FIELD").rowCount, 1);
  assert.equal(table.info.type, "Measurement Set");
  // What the schema says counts more than the template.
  assert.deepEqual([table.column("TIME").units, table.column("ID").units], [["s"], ["m"]]);
  assert.equal(existsSync(`${like}/FIELD/table.dat`), true);
});

Deno.test("a store isn't made where something is, but where one was begun", async () => {
  using folder = new Folder();
  const directory = `${folder.path}/store`, schema = testSchema();
  mkdirSync(`${directory}/segments/000000.tab`, { recursive: true });
  mkdirSync(`${directory}/log`);
  writeFileSync(`${directory}/segments/000000.tab/table.f0`, "half");
  SegmentStore.create(directory, schema);
  assert.throws(() => SegmentStore.create(directory, schema), isCode("EXISTS"));
  mkdirSync(`${folder.path}/other`);
  writeFileSync(`${folder.path}/other/letter`, "dear");
  assert.throws(() => SegmentStore.create(`${folder.path}/other`, schema), isCode("EXISTS"));
  assert.deepEqual(readdirSync(`${folder.path}/other`), ["letter"]);
  assert.throws(() => SegmentStore.open(`${folder.path}/none`, { mode: "r" }), isCode("NOT_FOUND"));
  await SegmentStore.open(directory, { mode: "rw" }).close();
});

Deno.test("whatever call fails while a store is made, it can be made afterwards", () => {
  const schema = testSchema();
  let calls = Infinity;
  for (let failing = -1; failing < calls; failing++) {
    const directory = "/store", { context, faulty } = memoryContext();
    let at = 0, error: unknown = null;
    faulty.fault = () => at++ === failing ? { errno: 28 } : undefined;
    try {
      SegmentStore.create(directory, schema, { context });
    } catch (caught) {
      error = caught;
    }
    if (failing < 0) {
      calls = at;
      continue;
    }
    if (error !== null) assert.equal((error as TableError).errno, 28, `call ${failing}: ${error}`);
    faulty.fault = () => undefined;
    try {
      SegmentStore.create(directory, schema, { context });
    } catch (again) {
      // It was complete before the call that failed.
      assert.ok(isCode("EXISTS")(again));
      assert.equal(readManifest(directory, faulty).manifest.generation, 1);
    }
  }
  assert.ok(calls > 20);
});

// ---- sealing

Deno.test("a log becomes a segment, whatever its columns are", async () => {
  const schema = IngestSchema.of({
    columns: [
      scalar("FLAG", "bool"),
      scalar("BIG", "int64"),
      scalar("SMALL", "uint8"),
      scalar("Z", "complex128"),
      scalar("TEXT", "string"),
      array("FIXED", "float32", { shape: [3] }),
      array("WORDS", "string", { shape: [2] }),
      array("FREE", "int16", { ndim: 2 }),
      array("ANY", "float64"),
      array("NOTES", "string"),
      array("BITS", "bool", { shape: [5] }),
    ],
  });
  await using made = new TestStore(schema);
  const free = [{ dtype: "int16", shape: [1, 2], data: Int16Array.of(1, 2) }, null, {
    dtype: "int16",
    shape: [1, 2],
    data: Int16Array.of(5, 6),
  }] as const;
  const any = [null, { dtype: "float64", shape: [2], data: Float64Array.of(1, NaN) }, {
    dtype: "float64",
    shape: [0],
    data: new Float64Array(0),
  }] as const;
  const notes = [{ dtype: "string", shape: [2], data: ["a", "ü"] }, null, {
    dtype: "string",
    shape: [1],
    data: [""],
  }] as const;
  const batch = {
    FLAG: Uint8Array.of(1, 0, 1),
    BIG: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n),
    SMALL: Uint8Array.of(0, 255, 7),
    Z: Float64Array.of(1, -2, 3, -4, -0, NaN),
    TEXT: ["", "größe", "x".repeat(200)],
    FIXED: Float32Array.from({ length: 9 }, (_, i) => i),
    WORDS: ["a", "b", "c", "d", "e", ""],
    FREE: free,
    ANY: any,
    NOTES: notes,
    BITS: Uint8Array.from({ length: 15 }, (_, i) => i % 3 === 0 ? 1 : 0),
  };
  const { manifest } = made.store;
  const log = writeLog(made.directory, schema, manifest.store, { id: 1, firstSequence: 0 }, [
    batch as never,
    { FLAG: Uint8Array.of(1) },
    batch as never,
  ]);
  await made.store.seal(log);
  await made.store.compact({ all: true });
  using table = Table.open(made.directory);
  assert.equal(table.rowCount, 7);
  for (const first of [0, 4]) {
    const rows = { rows: { start: first, end: first + 3 } };
    for (const name of ["FLAG", "BIG", "SMALL", "Z", "FIXED", "BITS"] as const) {
      assert.deepEqual(table.getColumn(name, rows).data, batch[name], name);
    }
    for (const name of ["TEXT", "WORDS"] as const) {
      assert.deepEqual(table.getColumn(name, rows).data, batch[name]);
    }
    assert.deepEqual(plain(table.getCells("FREE", rows)), plain(free));
    assert.deepEqual(plain(table.getCells("ANY", rows)), plain(any));
    assert.deepEqual(plain(table.getCells("NOTES", rows)), plain(notes));
  }
  // Columns that weren't given.
  assert.equal(table.getCell("BIG", 3), 0n);
  assert.equal(table.getCell("FREE", 3), null);
  assert.deepEqual(table.getColumn(SEQUENCE_COLUMN).data, BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 5n, 6n));
});

function plain(cells: readonly unknown[]): unknown {
  return cells.map((cell) => {
    const { shape, data } = (cell ?? {}) as { shape?: number[]; data?: ArrayLike<unknown> };
    return cell === null ? null : { shape: [...shape!], data: Array.from(data!) };
  });
}

Deno.test("a log of many batches, more than are put at once, becomes a segment with every row in its place", async () => {
  const schema = IngestSchema.of({
    columns: [array("DATA", "float64", { shape: [40_000] }), scalar("N", "int32")],
    storage: [tiledShape("T", ["DATA"], { tileShape: [10_000, 4] }), standard("S")],
  });
  await using made = new TestStore(schema);
  const batches = Array.from({ length: 60 }, (_, i) => ({
    DATA: new Float64Array(40_000).fill(i),
    N: Int32Array.of(i),
  }));
  await made.store.seal(made.log(...batches));
  await made.store.seal(made.log(...batches));
  await made.store.compact({ all: true });
  using table = Table.open(made.directory);
  assert.deepEqual([...table.getColumn("N", { dtype: "int32" }).data], [
    ...batches.keys(),
    ...batches.keys(),
  ]);
  for (let row = 0; row < 120; row += 7) {
    const { data } = table.getCell("DATA", row) as { data: Float64Array };
    assert.equal(data.every((value) => value === row % 60), true);
  }
});

Deno.test("the manifest says of a segment what is in it", async () => {
  const schema = testSchema({ key: ["NAME", "ID"] });
  await using made = new TestStore(schema);
  await made.seal(someRows(10, 5), [{ time: NaN, id: -3, name: "z" }]);
  const [entry] = made.store.manifest.segments;
  assert.deepEqual(entry!.time, { min: 10, max: 14 });
  assert.deepEqual(entry!.keys, { NAME: { min: "row 10", max: "z" }, ID: { min: -3, max: 14 } });
  assert.deepEqual([entry!.rows, entry!.firstSequence, entry!.endSequence, entry!.level], [6, 0, 6, 0]);
  assert.deepEqual(made.store.range(entry!, "ID"), { min: -3, max: 14 });
  assert.equal(made.store.range(entry!, "DATA"), null);
  assert.equal(made.store.mayHoldKey(entry!, ["row 12", 12]), true);
  assert.equal(made.store.mayHoldKey(entry!, ["row 12", 11]), false);
  assert.equal(made.store.mayHoldKey(entry!, ["row 12", 15]), false);
  assert.equal(made.store.manifest.nextSequence, 6);
  assert.equal(made.store.manifest.firstLog, 2);
});

Deno.test("ranges of int64 columns are exact, those of long texts wide enough", async () => {
  const schema = IngestSchema.of({
    columns: [scalar("T", "int64"), scalar("K", "int64"), scalar("S", "string")],
    key: ["K", "S"],
    time: "T",
  });
  await using made = new TestStore(schema);
  const low = 2n ** 60n + 1n, high = 2n ** 60n + 3n, long = "y".repeat(100);
  await made.store.seal(
    made.log({ T: BigInt64Array.of(low, high), K: BigInt64Array.of(high, low), S: [long, "b"] }),
  );
  const [entry] = made.store.manifest.segments, { store } = made;
  assert.deepEqual(store.range(entry!, "K"), { min: low, max: high });
  const times = store.range(entry!, "T")!;
  assert.ok((times.min as bigint) <= low && (times.max as bigint) >= high);
  const texts = store.range(entry!, "S")!;
  assert.ok(texts.min === "b" && texts.max >= long && String(texts.max).length < 70);
  assert.ok(store.mayHoldKey(entry!, [high, long]));
  assert.ok(!store.mayHoldKey(entry!, [low, long]));
});

Deno.test("a log that doesn't follow, or doesn't hold what is said, isn't sealed", async () => {
  await using made = new TestStore();
  const log = made.log(columnsOf(someRows(0, 5)));
  for (const wrong of [{ id: 0 }, { firstSequence: 3 }]) {
    await assert.rejects(made.store.seal({ ...log, ...wrong }), isCode("INVALID_ARGUMENT"));
  }
  await assert.rejects(made.store.seal({ ...log, rows: 6 }), isCode("CORRUPT"));
  const bytes = readFileSync(log.path);
  bytes[bytes.length - 1]! ^= 1;
  bytes[bytes.length - 200]! ^= 1;
  writeFileSync(log.path, bytes);
  await assert.rejects(made.store.seal(log), isCode("CORRUPT"));
  assert.deepEqual(inSegments(made), ["000000.tab"]);
  await made.seal(someRows(0, 5));
  assert.deepEqual(made.rows(), someRows(0, 5));
});

Deno.test("rows behind those of a log that was cut back are not sealed", async () => {
  await using made = new TestStore();
  const log = made.log(columnsOf(someRows(0, 5)), columnsOf(someRows(90, 4)));
  await made.store.seal({ ...log, rows: 5 });
  assert.deepEqual(made.rows(), someRows(0, 5));
  assert.equal(made.store.manifest.nextSequence, 5);
});

Deno.test("a log without rows only moves the place where logs begin", async () => {
  await using made = new TestStore();
  assert.equal(await made.store.seal(made.log()), null);
  assert.equal(made.store.manifest.firstLog, 2);
  assert.deepEqual(made.store.manifest.segments, []);
});

// ---- publication

Deno.test("what is published is told in the same stretch, and a log is forgotten one publication later", async () => {
  const told: string[] = [];
  await using made: TestStore = new TestStore(testSchema(), {
    onSealed: (log, entry) =>
      told.push(`sealed ${log.id} ${entry?.rows} ${made.store.manifest.segments.length}`),
    onForget: (log) => told.push(`forget ${log.id}`),
    onPublished: ({ generation }) => told.push(`published ${generation}`),
  });
  const { generation } = made.store.manifest;
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  assert.deepEqual(told, [
    "sealed 1 5 1",
    `published ${generation + 1}`,
    "sealed 2 5 2",
    "forget 1",
    `published ${generation + 2}`,
  ]);
  const { manifest, previous } = readManifest(made.directory, openBackend("auto"));
  assert.equal(manifest.firstLog, 3);
  // Its log, 2, is still there.
  assert.equal(previous?.firstLog, 2);
});

Deno.test("at every call of a seal and a merge the directory is a whole table with all sealed rows", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  const counts = new Set<number>(), quiet = new Context();
  quiet.wrapBackend = () => new MemoryBackend(context.memory);
  let expected = 0;
  faulty.fault = () => {
    using table = Table.open(made.directory, { context: quiet });
    counts.add(table.rowCount);
    const rows = rowsOf(table);
    assert.deepEqual(rows, someRows(0, rows.length));
    assert.ok(rows.length >= expected);
    expected = rows.length;
  };
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 40));
  await made.store.compact({ all: true });
  await made.store.removeRetired(0);
  assert.deepEqual([...counts], [0, 5, 45]);
});

for (const errno of [28, 5]) {
  Deno.test(`an error (errno ${errno}) in any call of a seal leaves everything as it was, and the next try works`, async () => {
    let calls = Infinity;
    for (let failing = -1; failing < calls; failing++) {
      const { context, faulty } = memoryContext();
      await using made = new TestStore(testSchema({ key: "ID" }), { context });
      await made.seal(someRows(0, 5));
      const log = made.log(columnsOf(someRows(5, 6)));
      let at = 0;
      faulty.fault = (call: FaultyCall) => {
        // What is only looked at or let go of isn't what fails here.
        return call.kind === "close" || at++ !== failing ? undefined : { errno };
      };
      const result = await made.store.seal(log).then(() => null, (error) => error);
      if (failing < 0) {
        calls = at;
        continue;
      }
      faulty.fault = () => undefined;
      const inForce = made.store.manifest.segments.length === 2;
      const label = `call ${failing} of ${calls}, ${inForce}: ${result}`;
      // Somebody is told, one way or the other, or the call didn't matter.
      if (!inForce) assert.equal((result as TableError).errno, errno, label);
      else assert.equal(result, null, label);
      // A reader finds exactly what is in force, whether the publication was finished or not.
      const { segments } = readManifest(made.directory, faulty).manifest;
      assert.equal(segments.reduce((sum, { rows }) => sum + rows, 0), inForce ? 11 : 5, label);
      if (inForce) await made.store.removeRetired(0);
      else await made.store.seal(log);
      assert.deepEqual(made.rows(), someRows(0, 11), label);
      await made.reopen();
      assert.deepEqual(made.rows(), someRows(0, 11), label);
      const names = made.store.manifest.segments.flatMap(({ name, bloom }) => [name, bloom!.file]);
      assert.deepEqual(faulty.list(`${made.directory}/segments`), ["000000.tab", ...names].sort(), label);
    }
    assert.ok(calls > 30, `${calls}`);
  });
}

Deno.test("a publication that is in force but couldn't be finished is reported, and finished later", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  faulty.fault = ({ kind, path }) =>
    kind === "rename" && path.endsWith("store/table.dat_tmp") ? { errno: 28 } : undefined;
  await made.seal(someRows(0, 5));
  assert.ok(made.errors.length >= 1);
  assert.equal((made.errors[0] as TableError).errno, 28);
  assert.deepEqual(made.rows(), []);
  assert.equal(made.store.manifest.segments.length, 1);
  faulty.fault = () => undefined;
  await made.store.removeRetired(0);
  assert.deepEqual(made.rows(), someRows(0, 5));
});

// ---- opening

Deno.test("what a crash left goes when the store is opened, and is reported", async () => {
  await using made = new TestStore(testSchema({ key: "ID" }));
  await made.seal(someRows(0, 5));
  await made.store.close();
  const folder = `${made.directory}/segments`;
  mkdirSync(`${folder}/000009.building/deep`, { recursive: true });
  writeFileSync(`${folder}/000009.building/deep/x`, "x");
  Table.create(`${folder}/000008.tab`, { columns: [scalar("A", "int32")] }).close();
  writeFileSync(`${folder}/000008.bloom`, "x");
  writeFileSync(`${made.directory}/table.dat_tmp`, "x");
  writeFileSync(`${made.directory}/manifest.json_tmp`, "x");
  writeFileSync(`${made.directory}/mine.txt`, "x");
  writeFileSync(`${folder}/mine.tab`, "x");
  made.open();
  assert.deepEqual(inSegments(made), ["000000.tab", "000001.bloom", "000001.tab", "mine.tab"]);
  assert.equal(made.store.findings.length, 4);
  assert.ok(made.store.findings.every(({ note }) => note));
  assert.equal(existsSync(`${made.directory}/mine.txt`), true);
  assert.deepEqual(made.rows(), someRows(0, 5));
});

Deno.test("an orphan that somebody has open stays", async () => {
  await using made = new TestStore();
  await made.store.close();
  const path = `${made.directory}/segments/000008.tab`;
  {
    using table = Table.create(path, { columns: [scalar("A", "int32")] });
    table.flush();
    made.open();
    assert.match(made.store.findings[0]!.message, /open/);
  }
  assert.equal(existsSync(path), true);
  await made.reopen();
  assert.equal(existsSync(path), false);
});

Deno.test("a table.dat that names other segments, is damaged or missing is repaired on opening", async () => {
  await using made = new TestStore();
  const path = `${made.directory}/table.dat`, empty = readFileSync(path);
  await made.seal(someRows(0, 5));
  for (const content of [empty, new Uint8Array(0), null]) {
    await made.store.close();
    if (content === null) rmSync(path);
    else writeFileSync(path, content);
    made.open();
    assert.equal(made.store.findings.length, 1);
    assert.deepEqual(made.rows(), someRows(0, 5));
  }
});

Deno.test("with the newest manifest damaged nothing is lost: the log is there that the one before needs", async () => {
  await using made = new TestStore(testSchema(), {
    onForget: (log) => rmSync(log.path),
  });
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  await made.store.close();
  writeFileSync(`${made.directory}/manifest.json`, "{}");
  made.open();
  assert.equal(made.store.findings.some(({ code, note }) => code === "CORRUPT" && !note), true);
  assert.deepEqual(made.rows(), someRows(0, 5));
  const { firstLog, nextSequence } = made.store.manifest;
  assert.deepEqual([firstLog, nextSequence], [2, 5]);
  assert.equal(existsSync(`${made.directory}/log/000002.log`), true);
  // And what comes next is on the disk whatever becomes of the other file.
  await made.seal(someRows(5, 5));
  assert.deepEqual(made.rows(), someRows(0, 10));
});

Deno.test("whatever call fails while a store with a damaged manifest is opened, it can be opened afterwards", async () => {
  let calls = Infinity;
  for (let failing = -1; failing < calls; failing++) {
    const { context, faulty } = memoryContext();
    await using made = new TestStore(testSchema(), { context });
    await made.seal(someRows(0, 5));
    await made.seal(someRows(5, 5));
    await made.store.close();
    replaceFile(faulty, `${made.directory}/manifest.json`, new Uint8Array(9));
    let at = 0;
    faulty.fault = () => at++ === failing ? { errno: 5 } : undefined;
    try {
      made.open();
    } catch (error) {
      assert.equal((error as TableError).errno, 5, `call ${failing}: ${error}`);
    }
    if (failing < 0) calls = at;
    faulty.fault = () => undefined;
    await made.reopen();
    assert.deepEqual(made.rows(), someRows(0, 5), `call ${failing}`);
    assert.deepEqual(faulty.list(`${made.directory}/segments`), ["000000.tab", "000001.tab"]);
  }
  assert.ok(calls > 10);
});

Deno.test("at every call of a merge and of removing what it leaves, both manifests' segments are there", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  const inner = new MemoryBackend(context.memory), generations = new Set<number>();
  faulty.fault = () => {
    for (const name of ["manifest.json", "manifest.previous.json"]) {
      const bytes = readWholeFile(inner, `${made.directory}/${name}`);
      if (bytes === null) continue;
      const { generation, segments } = parseManifest(bytes, name);
      generations.add(generation);
      for (const segment of segments) {
        assert.notEqual(
          inner.kind(`${made.directory}/segments/${segment.name}/table.dat`),
          null,
          `manifest ${generation}`,
        );
      }
    }
  };
  await made.store.compact({ all: true });
  await made.store.removeRetired(0);
  assert.ok(generations.size >= 4);
  assert.deepEqual(faulty.list(`${made.directory}/segments`), ["000000.tab", "000003.tab"]);
});

Deno.test("a store can be moved", async () => {
  await using made = new TestStore(testSchema(), {}, {
    prepare: (template) =>
      template.createSubtable("SUB", { columns: [scalar("A", "int32")], rows: 1 }).close(),
  });
  await made.seal(someRows(0, 5));
  await made.store.close();
  const place = `${made.folder.path}/elsewhere`;
  renameSync(made.directory, place);
  using table = Table.open(place);
  assert.deepEqual(rowsOf(table), someRows(0, 5));
  assert.equal(table.subtable("SUB").rowCount, 1);
});

Deno.test("one writes, others read", async () => {
  await using made = new TestStore();
  assert.throws(() => SegmentStore.open(made.directory, { mode: "rw" }), isCode("LOCKED"));
  const reader = SegmentStore.open(made.directory, { mode: "r" });
  assert.equal(reader.refresh(), false);
  assert.throws(() => reader.maybeCompact(), isCode("READ_ONLY"));
  await made.seal(someRows(0, 5));
  assert.equal(reader.refresh(), true);
  assert.equal(reader.refresh(), false);
  assert.equal(reader.manifest.generation, made.store.manifest.generation);
  {
    using held = reader.openSegment(reader.manifest.segments[0]!);
    assert.deepEqual(rowsOf(held.table), someRows(0, 5));
  }
  await reader.close();
  assert.throws(() => reader.refresh(), isCode("CLOSED"));
  await assert.rejects(made.store.close().then(() => made.store.seal(made.log())), isCode("CLOSED"));
  made.open();
});

// ---- removing

Deno.test("a segment that was merged goes when its last reader has let go, and not before", async () => {
  await using made = new TestStore(testSchema({ key: "ID" }));
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  const [first] = made.store.manifest.segments;
  const reader = SegmentStore.open(made.directory, { mode: "r" });
  const held = reader.openSegment(first!), again = reader.openSegment(first!);
  await made.store.compact({ all: true });
  await made.store.removeRetired(0);
  assert.deepEqual(inSegments(made).filter((name) => name.endsWith(".tab")), [
    "000000.tab",
    "000001.tab",
    "000003.tab",
  ]);
  assert.deepEqual(rowsOf(held.table), someRows(0, 5));
  reader.refresh();
  assert.deepEqual(rowsOf(held.table), someRows(0, 5));
  held.release();
  held.release();
  await made.store.removeRetired(0);
  assert.equal(existsSync(`${made.directory}/segments/000001.tab`), true);
  assert.deepEqual(rowsOf(again.table), someRows(0, 5));
  again.release();
  await made.store.removeRetired(0);
  assert.deepEqual(inSegments(made), ["000000.tab", "000003.bloom", "000003.tab"]);
  assert.deepEqual(made.store.manifest.retired, []);
  assert.throws(() => reader.openSegment(first!), isCode("NOT_FOUND"));
  await reader.close();
});

Deno.test("a segment stays for the time of grace, and as long as the manifest before has it", async () => {
  await using made = new TestStore(testSchema());
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  await made.store.compact({ all: true });
  const inBefore = (manifest: Manifest | null) => manifest?.segments.map(({ id }) => id);
  assert.deepEqual(inBefore(readManifest(made.directory, openBackend("auto")).previous), [1, 2]);
  await made.store.removeRetired();
  assert.deepEqual(inSegments(made), ["000000.tab", "000001.tab", "000002.tab", "000003.tab"]);
  await made.reopen();
  assert.deepEqual(inBefore(readManifest(made.directory, openBackend("auto")).previous), [3]);
  await made.store.removeRetired(0);
  assert.deepEqual(inSegments(made), ["000000.tab", "000003.tab"]);
});

Deno.test("an error while a segment is removed is reported, and it is removed later", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  await made.seal(someRows(0, 5));
  await made.seal(someRows(5, 5));
  await made.store.compact({ all: true });
  for (const name of ["table.dat", "table.f1"]) {
    faulty.fault = ({ kind, path }) =>
      kind === "remove" && path.endsWith(`000001.tab/${name}`) ? { errno: 5 } : undefined;
    await assert.rejects(made.store.removeRetired(0), (error: TableError) => error.errno === 5);
  }
  assert.deepEqual(made.store.manifest.retired.map(({ name }) => name), ["000001.tab"]);
  assert.deepEqual(made.rows(), someRows(0, 10));
  faulty.fault = () => undefined;
  await made.store.removeRetired(0);
  assert.deepEqual(faulty.list(`${made.directory}/segments`), ["000000.tab", "000003.tab"]);
});
