import assert from "node:assert/strict";
import fc from "fast-check";
import { TableError } from "../../mod.ts";
import { MemoryBackend, type MemoryFile } from "../../src/io/memory-backend.ts";
import { CrashBackend, DiskLog } from "../crash-backend.ts";
import { type Fault, FaultyBackend } from "../faulty-backend.ts";
import { batchOf, LOGS, memoryDisk, numbersOf, openAppender, scan } from "./ingest_append_support.ts";

const NO_SPACE = 28, IO_ERROR = 5;

/** True for calls on logs, not on their folder. */
const onLog = (path: string) => path.endsWith(".log");

/** A fault of calls of a kind, on logs. */
const failing = (kind: string, errno: number, onFolder = false): Fault => (call) =>
  call.kind === kind && (onFolder ? call.path === LOGS : onLog(call.path)) ? { errno } : undefined;

const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ["no space for a write", failing("write", NO_SPACE)],
  [
    "half of a write",
    (call) => call.kind === "write" && onLog(call.path) ? { bytes: call.length / 2 } : undefined,
  ],
  ["an error in a write", failing("write", IO_ERROR)],
  ["an error in a sync", failing("sync", IO_ERROR)],
  ["no log can be made", failing("open", NO_SPACE)],
  ["the folder can't be synced", failing("sync", IO_ERROR, true)],
  [
    "nothing can be written, synced, cut or removed",
    (call) =>
      onLog(call.path) && !["read", "open", "size", "close"].includes(call.kind)
        ? { errno: IO_ERROR }
        : undefined,
  ],
  [
    "a sync fails, and the log can't be cut",
    (call) =>
      (call.kind === "sync" || call.kind === "resize") && onLog(call.path) ? { errno: IO_ERROR } : undefined,
  ],
];

for (const durability of ["batch", "each"] as const) {
  for (const [name, fault] of FAULTS) {
    for (const begun of [false, true]) {
      const when = begun ? "in a log with rows" : "with the first rows";
      Deno.test(`${durability}: ${name} ${when}: the appends reject, and it goes on when that is over`, async () => {
        const disk = new FaultyBackend(memoryDisk()),
          { appender, errors } = openAppender(disk, { durability });
        const expected: number[] = [];
        if (begun) {
          await appender.append(batchOf(1, 2));
          expected.push(1, 2);
        }
        disk.fault = fault;
        const before = disk.log.length;
        const results = await Promise.allSettled([
          appender.append(batchOf(100)),
          appender.append(batchOf(101, 102)),
        ]);
        const met = disk.log.slice(before).some((call) => fault(call) !== undefined);
        if (met) {
          for (const result of results) {
            assert.equal(result.status, "rejected");
            assert.ok(
              result.reason instanceof TableError && result.reason.code === "IO" && result.reason.errno! > 0,
            );
          }
        } else {
          // A log is made once: whoever can't make one doesn't notice while there is one.
          assert.ok(begun && (name.includes("made") || name.includes("folder")));
          expected.push(100, 101, 102);
        }
        assert.deepEqual(numbersOf(appender.visible()), expected);
        assert.equal(appender.nextSequence, expected.length, "numbers are given again");
        disk.fault = () => {};
        assert.equal(await appender.append(batchOf(3)), expected.length);
        expected.push(3);
        assert.equal(await appender.append(batchOf(4)), expected.length);
        expected.push(4);
        assert.deepEqual(numbersOf(appender.visible()), expected);
        assert.deepEqual(errors, [], "whoever waits is told, and nobody else");
        await appender.close();
        const logs = scan(disk);
        assert.deepEqual(numbersOf(logs.visible()), expected);
        assert.ok(logs.findings.every(({ note }) => note), JSON.stringify(logs.findings));
        logs.close();
      });
    }
  }
}

for (const [name, fault] of FAULTS) {
  Deno.test(`none: ${name}: what was accepted stays, somebody is told, and it is written when that is over`, async () => {
    const disk = new FaultyBackend(memoryDisk());
    const { appender, errors, counters } = openAppender(disk, {
      durability: "none",
      flushMs: 0,
      retryMs: 1e6,
    });
    disk.fault = fault;
    await appender.append(batchOf(1, 2));
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(numbersOf(appender.visible()), [1, 2]);
    assert.equal(errors.length, 1);
    assert.ok(counters.get("logErrors") > 0);
    await assert.rejects(
      appender.append(batchOf(99)),
      (error) => error === errors[0],
      "the next call is told, once",
    );
    while (errors.length === 1) await new Promise((resolve) => setTimeout(resolve, 1));
    await assert.rejects(appender.flush(), (error) => error === errors[1]);
    disk.fault = () => {};
    await appender.append(batchOf(3)).catch(() => {});
    await appender.flush().catch(() => {});
    await appender.flush();
    const seen = numbersOf(appender.visible());
    assert.deepEqual(seen.slice(0, 2), [1, 2]);
    assert.ok(!seen.includes(99));
    await appender.close();
    const logs = scan(disk);
    assert.deepEqual(numbersOf(logs.visible()), seen);
    assert.deepEqual(logs.findings, []);
    logs.close();
  });
}

Deno.test("none: appends are refused while more waits than there are buffers for, and nothing that was accepted is lost", async () => {
  const disk = new FaultyBackend(memoryDisk());
  const { appender, errors } = openAppender(disk, {
    durability: "none",
    bufferBytes: 4096,
    frozenBuffers: 2,
    flushMs: 1e6,
    retryMs: 1e6,
  });
  disk.fault = failing("write", NO_SPACE);
  const accepted: number[] = [];
  let refused = 0;
  for (let n = 0; n < 60; n++) {
    const values = { N: Int32Array.of(n), TEXT: ["x".repeat(900)] };
    await appender.append(values).then(() => accepted.push(n), () => refused++);
  }
  assert.ok(refused > 20 && accepted.length >= 6 && accepted.length <= 12, `${refused} ${accepted.length}`);
  assert.ok(errors.length > 0);
  assert.deepEqual(numbersOf(appender.visible()), accepted);
  disk.fault = () => {};
  await appender.flush().catch(() => {});
  await appender.flush();
  accepted.push(1000);
  await appender.append(batchOf(1000));
  await appender.close();
  const logs = scan(disk);
  assert.deepEqual(numbersOf(logs.visible()), accepted);
  logs.close();
});

Deno.test("none: what failed is tried again without a call", async () => {
  const disk = new FaultyBackend(memoryDisk());
  const { appender, errors, counters } = openAppender(disk, { durability: "none", flushMs: 0, retryMs: 5 });
  disk.fault = failing("sync", IO_ERROR);
  await appender.append(batchOf(1));
  while (errors.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  disk.fault = () => {};
  while (counters.get("syncs") === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await appender.close().catch((error) => assert.ok(errors.includes(error)));
});

Deno.test("close tells of rows that couldn't be written, and closes all the same", async () => {
  const disk = new FaultyBackend(memoryDisk());
  const { appender } = openAppender(disk, { durability: "none", flushMs: 1e6, retryMs: 1e6 });
  await appender.append(batchOf(1));
  disk.fault = failing("write", NO_SPACE);
  await assert.rejects(appender.close(), { code: "IO" });
  await assert.rejects(appender.append(batchOf(2)), { code: "CLOSED" });
  await appender.close();
});

Deno.test("a log that ends because it can't be cut is handed over with the rows that count", async () => {
  const disk = new FaultyBackend(memoryDisk()), { appender, full } = openAppender(disk);
  await appender.append(batchOf(1, 2));
  disk.fault = (call) =>
    (call.kind === "sync" || call.kind === "resize") && onLog(call.path) ? { errno: IO_ERROR } : undefined;
  await assert.rejects(appender.append(batchOf(100)));
  disk.fault = () => {};
  assert.equal(await appender.append(batchOf(3)), 2);
  assert.deepEqual(full.map(({ id, firstSequence, rows, bytes }) => ({ id, firstSequence, rows, bytes })), [
    { id: 1, firstSequence: 0, rows: 2, bytes: 8192 },
  ]);
  assert.deepEqual(disk.list(LOGS), ["000001.log", "000002.log"]);
  await appender.close();
});

Deno.test("whatever fails and when, the logs hold the rows that were acknowledged, in order, and no others", async () => {
  const kinds = ["write", "sync", "open", "resize", "remove"] as const;
  const wait = fc.boolean();
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("append" as const),
        batches: fc.integer({ min: 1, max: 5 }),
        wait,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rotate" as const), wait }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("flush" as const), wait }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("turn" as const), wait: fc.constant(true) }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...kinds), fc.boolean()), { maxLength: 6 }),
      fc.constantFrom("batch" as const, "each" as const),
      async (steps, faults, durability) => {
        const disk = new FaultyBackend(memoryDisk());
        const { appender, full } = openAppender(disk, {
          durability,
          bufferBytes: 4096,
          frozenBuffers: 2,
          logBytes: 20_000,
        });
        let calls = 0, number = 0;
        disk.fault = (call) => {
          // Who only reads is no part of this.
          if (call.kind === "read" || call.kind === "size" || call.mode === "read") return;
          calls++;
          const hit = faults.find(([at, kind]) => call.kind === kind && calls >= at && calls < at + 3);
          if (hit === undefined || call.path === LOGS && call.kind !== "sync") return;
          return hit[2] && call.kind === "write" ? { bytes: call.length / 3 } : { errno: IO_ERROR };
        };
        /** Acknowledged rows by their sequence number. */
        const acknowledged = new Map<number, number>();
        const sealed: { id: number; firstSequence: number; rows: number }[] = [];
        const check = () => {
          const seen = numbersOf(appender.visible());
          assert.deepEqual(seen, Array.from({ length: acknowledged.size }, (_, i) => acknowledged.get(i)));
        };
        const under: Promise<unknown>[] = [];
        for (const each of steps) {
          if (each.do === "append") {
            for (let i = 0; i < each.batches; i++) {
              const numbers = [number++, number++];
              under.push(
                appender.append(batchOf(...numbers)).then((first) => {
                  numbers.forEach((n, k) => {
                    assert.ok(!acknowledged.has(first + k), "a number is given once");
                    acknowledged.set(first + k, n);
                  });
                }, (error) => assert.equal(error.code, "IO")),
              );
            }
          } else if (each.do === "rotate") {
            under.push(appender.rotateLog().then((log) => log !== null && sealed.push(log)));
          } else if (each.do === "flush") {
            under.push(appender.flush().catch((error) => assert.equal(error.code, "IO")));
          } else await new Promise((resolve) => setTimeout(resolve, 0));
          if (!each.wait) continue;
          await Promise.all(under.splice(0));
          check();
        }
        await Promise.all(under);
        check();
        disk.fault = () => {};
        await appender.close();
        sealed.push(...full);
        sealed.sort((a, b) => a.id - b.id);
        assert.equal(new Set(sealed.map(({ id }) => id)).size, sealed.length, "a log is handed over once");
        sealed.reduce((end, log) => {
          assert.equal(log.firstSequence, end, "logs that are handed over follow each other");
          return end + log.rows;
        }, 0);
        const logs = scan(disk);
        assert.deepEqual(
          numbersOf(logs.visible()),
          Array.from({ length: acknowledged.size }, (_, i) => acknowledged.get(i)),
        );
        assert.ok(logs.findings.every(({ note }) => note), JSON.stringify(logs.findings));
        logs.close();
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("after a loss of power at any point the logs hold every acknowledged row, and no row twice", async () => {
  for (const failing of [false, true]) {
    const log = new DiskLog(), numbers = new Map<MemoryFile, number>();
    const inner = new MemoryBackend();
    inner.makeDirectory(LOGS);
    const disk = new CrashBackend(inner, log, numbers);
    const { appender } = openAppender(disk, { bufferBytes: 4096, logBytes: 24_000 });
    /** Rows that were acknowledged, by how much had been done on the disk then. */
    const acknowledged: { readonly ops: number; readonly rows: readonly number[] }[] = [{ ops: 0, rows: [] }];
    let rows: number[] = [];
    for (let i = 0; i < 12; i++) {
      if (failing) {
        let left = i % 3 === 1 ? 1 + i % 2 : 0;
        log.fault = (op) => {
          if ((op.kind === "write" || op.kind === "sync") && left > 0 && --left === 0) {
            throw new TableError("IO", "injected", { errno: IO_ERROR });
          }
        };
      }
      const batches = [[3 * i], [3 * i + 1, 3 * i + 2]];
      const results = await Promise.allSettled(batches.map((batch) => appender.append(batchOf(...batch))));
      results.forEach((result, k) => {
        if (result.status === "fulfilled") rows = [...rows, ...batches[k]!];
      });
      acknowledged.push({ ops: log.ops.length, rows });
    }
    log.fault = () => {};
    let seed = 7;
    const random = () => (seed = seed * 16807 % 2147483647) / 2147483647;
    for (let count = 1; count <= log.ops.length; count++) {
      for (let round = 0; round < 6; round++) {
        const store = round === 0 ? log.prefix(count, 700) : log.afterPowerLoss(count, random);
        store.directories.add(LOGS);
        const logs = scan(new MemoryBackend(store)), found = numbersOf(logs.visible());
        const had = acknowledged.findLast(({ ops }) => ops <= count)!.rows;
        assert.deepEqual(found.slice(0, had.length), had, `after ${count} of ${log.ops.length}`);
        assert.equal(new Set(found).size, found.length, "no row is there twice");
        assert.deepEqual([...found].sort((a, b) => a - b), found);
        assert.ok(logs.findings.every(({ note }) => note), JSON.stringify(logs.findings));
        logs.close();
      }
    }
    await appender.close();
  }
});

Deno.test("none: whatever fails and when, what was accepted is seen, and on disk in the end, once and in order", async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("append" as const), length: fc.nat(3000) }) },
    { weight: 1, arbitrary: fc.constant({ do: "flush" as const }) },
    { weight: 1, arbitrary: fc.constant({ do: "rotate" as const }) },
    { weight: 2, arbitrary: fc.constant({ do: "turn" as const }) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.array(fc.tuple(fc.nat(60), fc.constantFrom("write", "sync", "open")), { maxLength: 6 }),
      async (steps, faults) => {
        const disk = new FaultyBackend(memoryDisk());
        const { appender, errors } = openAppender(disk, {
          durability: "none",
          bufferBytes: 4096,
          frozenBuffers: 2,
          logBytes: 20_000,
          flushMs: 0,
          retryMs: 1e6,
        });
        let calls = 0, number = 0;
        disk.fault = (call) => {
          if (call.kind === "read" || call.kind === "size" || call.mode === "read") return;
          calls++;
          return faults.some(([at, kind]) => call.kind === kind && calls >= at && calls < at + 4)
            ? { errno: NO_SPACE }
            : undefined;
        };
        const accepted: number[] = [];
        const told = (error: unknown) => assert.ok(errors.includes(error), String(error));
        for (const each of steps) {
          if (each.do === "append") {
            const n = number++;
            await appender.append({ N: Int32Array.of(n), TEXT: ["x".repeat(each.length)] })
              .then(() => accepted.push(n), told);
          } else if (each.do === "flush") await appender.flush().catch(told);
          else if (each.do === "rotate") await appender.rotateLog().catch(told);
          else await new Promise((resolve) => setTimeout(resolve, 0));
          assert.deepEqual(numbersOf(appender.visible()), accepted);
        }
        disk.fault = () => {};
        await appender.flush().catch(told);
        await appender.flush();
        assert.deepEqual(numbersOf(appender.visible()), accepted);
        await appender.close();
        const logs = scan(disk);
        assert.deepEqual(numbersOf(logs.visible()), accepted);
        assert.deepEqual(logs.findings, []);
        logs.close();
      },
    ),
    { numRuns: 200 },
  );
});
