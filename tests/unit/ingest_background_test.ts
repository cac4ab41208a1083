import assert from "node:assert/strict";
import { Table, TableError } from "../../mod.ts";
import { errorOf, type Job, plainError, urgency } from "../../src/ingest/background/jobs.ts";
import { JobLoop } from "../../src/ingest/background/loop.ts";
import { InlineRunner, WorkerRunner } from "../../src/ingest/background/runner.ts";
import { concatenationOf } from "../../src/ingest/segments/publish.ts";
import { firstManifest, ManifestWriter } from "../../src/ingest/manifest/format.ts";
import { Folder, memoryContext, rowsOf, someRows, testSchema, TestStore } from "./ingest_segments_support.ts";

const isCode = (code: string) => (error: unknown) => error instanceof TableError && error.code === code;

/** A publication into a folder. */
function publication(directory: string): Job {
  const manifest = firstManifest("0".repeat(32), {});
  return {
    kind: "publish",
    directory,
    lock: "auto",
    manifest: new ManifestWriter().bytes(manifest),
    table: concatenationOf(manifest),
  };
}

Deno.test("urgent jobs are done between the steps of others", async () => {
  const { context } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  for (let i = 0; i < 3; i++) await made.seal(someRows(i * 20, 20));
  const loop = new JobLoop(), done: string[] = [], { manifest } = made.store;
  const files = { directory: made.directory, lock: "none", context } as const;
  const merge = loop.start({
    kind: "merge",
    ...files,
    schema: manifest.schema,
    inputs: manifest.segments,
    deletions: [],
    segment: 50,
    storage: undefined,
    io: "auto",
    readIo: "auto",
    batchBytes: 1,
    bytesPerSecond: Infinity,
  });
  const merged = merge.result.then(() => done.push("merge"));
  const removed = loop.start({ kind: "remove", ...files, segments: [] }).result.then(() =>
    done.push("remove")
  );
  const published = loop.start({ ...publication(made.directory), context }).result.then(() =>
    done.push("publish")
  );
  await Promise.all([merged, removed, published]);
  assert.deepEqual(done, ["publish", "remove", "merge"]);
});

Deno.test("publications come before seals, those before the rest", () => {
  const kinds = (["merge", "remove", "seal", "publish"] as const).map((kind) => urgency({ kind } as Job));
  assert.deepEqual(kinds, [...kinds].sort((a, b) => a - b));
  assert.equal(new Set(kinds).size, 4);
});

Deno.test("a job that is stopped rejects, and what it made is gone", async () => {
  const { context, faulty } = memoryContext();
  await using made = new TestStore(testSchema(), { context });
  await made.seal(someRows(0, 20));
  const loop = new JobLoop(), { manifest } = made.store;
  const { id, result } = loop.start({
    kind: "merge",
    directory: made.directory,
    lock: "none",
    context,
    schema: manifest.schema,
    inputs: manifest.segments,
    deletions: [],
    segment: 50,
    storage: undefined,
    io: "auto",
    readIo: "auto",
    batchBytes: 1,
    bytesPerSecond: 1,
  });
  while (!faulty.list(`${made.directory}/segments`).includes("000050.building")) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  loop.stop(id, new Error("enough"));
  loop.stop(id, new Error("again"));
  await assert.rejects(result, /enough/);
  assert.deepEqual(faulty.list(`${made.directory}/segments`), ["000000.tab", "000001.tab"]);
});

Deno.test("errors keep what they say on their way between threads", () => {
  const error = new TableError("CORRUPT", "wrong", { file: "f", offset: 12, errno: 5 });
  const again = errorOf(structuredClone(plainError(error))) as TableError;
  assert.deepEqual([again.code, again.reason, again.file, again.offset, again.errno], [
    "CORRUPT",
    "wrong",
    "f",
    12,
    5,
  ]);
  assert.ok(again instanceof TableError);
  assert.match(errorOf(plainError(new RangeError("x"))).message, /RangeError: x/);
});

for (const [name, Runner] of [["a worker", WorkerRunner], ["this thread", InlineRunner]] as const) {
  Deno.test(`jobs are done, fail and are stopped in ${name}`, async () => {
    using folder = new Folder();
    const runner = new Runner();
    try {
      const good = publication(folder.path) as Job & { kind: "publish" };
      assert.deepEqual(await runner.run(good), { inForce: true, table: true, error: null });
      const failed = await runner.run({ ...good, directory: `${folder.path}/none` });
      assert.deepEqual([failed.inForce, isCode("NOT_FOUND")(failed.error)], [false, true]);
      const seal: Job = {
        kind: "seal",
        directory: folder.path,
        lock: "auto",
        store: "0".repeat(32),
        schema: testSchema().toJSON(),
        log: { id: 7, path: "p", firstSequence: 0, rows: 1, bytes: 1 },
        segment: 1,
        io: "auto",
        bytesPerSecond: Infinity,
      };
      await assert.rejects(runner.run(seal), isCode("NOT_FOUND"));
      const stop = new AbortController();
      stop.abort();
      await assert.rejects(runner.run(good, stop.signal), isCode("CLOSED"));
    } finally {
      await runner.close();
    }
  });
}

Deno.test("a store whose jobs are done by a worker is the same store", async () => {
  await using made = new TestStore(testSchema({ key: "ID", sort: ["TIME"] }), { runner: "worker" });
  await made.seal(someRows(50, 30));
  await made.seal(someRows(0, 60));
  await made.store.deleteRange({ from: 10, to: 20, before: 1000 });
  const report = await made.store.compact({ all: true });
  assert.deepEqual([report.rowsIn, report.rowsOut], [90, 70]);
  assert.deepEqual(made.rows(), [...someRows(0, 10), ...someRows(20, 60)]);
  await made.store.removeRetired(0);
  assert.deepEqual(made.store.manifest.retired, []);
  using held = made.store.openSegment(made.store.manifest.segments[0]!);
  assert.deepEqual(rowsOf(held.table), made.rows());
  assert.deepEqual(made.errors, []);
});

Deno.test("a worker's failure reaches the caller, and a store that is closed meanwhile leaves a whole one", async () => {
  await using made = new TestStore(testSchema(), {
    runner: "worker",
    compaction: { automatic: false, bytesPerSecond: 100 },
  });
  const log = made.log();
  await assert.rejects(made.store.seal({ ...log, rows: 3 }), isCode("CORRUPT"));
  await made.seal(someRows(0, 30));
  await made.seal(someRows(30, 30));
  const merge = made.store.compact({ all: true });
  await Promise.all([assert.rejects(merge, isCode("CLOSED")), made.store.close()]);
  made.open();
  assert.deepEqual(made.rows(), someRows(0, 60));
  using table = Table.open(made.directory);
  assert.equal(table.parents.length, 2);
});

Deno.test("the worker is begun with the runner, so that no append waits for it later", async () => {
  const Own = globalThis.Worker;
  let begun = 0;
  globalThis.Worker = class extends Own {
    constructor(...args: ConstructorParameters<typeof Own>) {
      super(...args);
      begun++;
    }
  };
  try {
    const runner = new WorkerRunner();
    assert.equal(begun, 1);
    await runner.close();
  } finally {
    globalThis.Worker = Own;
  }
});
