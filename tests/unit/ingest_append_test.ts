import assert from "node:assert/strict";
import { openBackend } from "../../src/io/backends.ts";
import { library } from "../../ffi/binding.ts";
import { AHEAD_BYTES } from "../../src/ingest/append/growing-log.ts";
import { FaultyBackend } from "../faulty-backend.ts";
import { batchOf, memoryDisk, numbersOf, openAppender, rowsOf, scan } from "./ingest_append_support.ts";

for (const durability of ["none", "batch", "each"] as const) {
  Deno.test(`rows that were appended are visible, in order, and there when the logs are opened again: ${durability}`, async () => {
    const disk = memoryDisk(), { appender } = openAppender(disk, { durability });
    assert.deepEqual(appender.visible(), { firstSequence: 0, rows: 0, logs: [] });
    assert.equal(await appender.append(batchOf(1, 2, 3)), 0);
    assert.equal(await appender.append(batchOf(4)), 3);
    const two = [appender.append(batchOf(5, 6)), appender.append(batchOf(7))];
    assert.deepEqual(await Promise.all(two), [4, 6]);
    assert.deepEqual(numbersOf(appender.visible()), [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(rowsOf(appender.visible())[6], { N: 7, TEXT: "row 7" });
    await appender.close();

    const logs = scan(disk);
    assert.deepEqual(logs.findings, []);
    assert.deepEqual(numbersOf(logs.visible()), [1, 2, 3, 4, 5, 6, 7]);
    assert.equal(logs.nextSequence, 7);
    assert.equal(logs.nextLog, 2);
    logs.close();
  });
}

for (const io of ["node", "seek", "pread", "direct"] as const) {
  Deno.test({
    name: `rows go through backend ${io} and back`,
    ignore: io !== "node" && io !== "seek" && library() === null,
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        const backend = openBackend(io);
        const { appender, full } = openAppender(backend, {
          directory,
          bufferBytes: 2 ** 18,
          logBytes: 2 ** 20,
        });
        const expected: number[] = [];
        const appends: Promise<number>[] = [];
        for (let i = 0; i < 200; i++) {
          const numbers = Array.from({ length: 800 }, (_, k) => i * 800 + k);
          expected.push(...numbers);
          appends.push(appender.append(batchOf(...numbers)));
        }
        assert.deepEqual(await Promise.all(appends), appends.map((_, i) => i * 800));
        assert.ok(full.length >= 2, "logs were found full");
        assert.deepEqual(numbersOf(appender.visible()), expected);
        await appender.close();
        const logs = scan(backend, { directory });
        assert.deepEqual(logs.findings, []);
        assert.deepEqual(numbersOf(logs.visible()), expected);
        logs.close();
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

Deno.test({
  name:
    "short groups are written over zeros that are there already; without space for those they are written all the same",
  ignore: library() === null,
  async fn() {
    for (const space of [true, false]) {
      const directory = await Deno.makeTempDir();
      try {
        const backend = new FaultyBackend(openBackend("direct"));
        backend.fault = (call) => !space && call.length === AHEAD_BYTES ? { errno: 28 } : undefined;
        const { appender } = openAppender(backend, { directory });
        for (let i = 0; i < 300; i++) await appender.append(batchOf(i));
        const zeros = backend.log.filter(({ kind, length }) => kind === "write" && length === AHEAD_BYTES);
        // 300 groups of a block each, of which 256 fit on what is filled at once.
        assert.equal(zeros.length, 2);
        const expected = Array.from({ length: 300 }, (_, i) => i);
        assert.deepEqual(numbersOf(appender.visible()), expected);
        // A process that looks meanwhile, and one that comes after a crash: nothing is odd.
        for (const mode of ["read", "recover"] as const) {
          const logs = scan(backend, { directory, mode });
          assert.deepEqual(numbersOf(logs.visible()), expected);
          assert.deepEqual(logs.findings, []);
          logs.close();
        }
        await appender.close();
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    }
  },
});
