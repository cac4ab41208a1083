import assert from "node:assert/strict";
import { TableError } from "../../mod.ts";
import { Group } from "../../src/ingest/append/buffer.ts";
import { GrowingLog } from "../../src/ingest/append/growing-log.ts";
import { WriteBuffers } from "../../src/ingest/append/rotation.ts";
import { planBatch } from "../../src/ingest/log/batch.ts";
import { GatedBackend, settle } from "./ingest_append_gates.ts";
import {
  batchOf,
  LOGS,
  memoryDisk,
  numbersOf,
  openAppender,
  scan,
  SMALL,
  STORE_ID,
} from "./ingest_append_support.ts";

/** Rows that take about so many bytes in a log. */
function large(first: number, bytes: number): { N: Int32Array; TEXT: string[] } {
  return { N: Int32Array.of(first), TEXT: ["x".repeat(bytes)] };
}

const io = (words: string) => new TableError("IO", words, { errno: 28 });

/** What became of a promise, as far as it is known. */
function watch<T>(
  promise: Promise<T>,
): { state: "pending" | "resolved" | "rejected"; value?: T; error?: unknown } {
  const seen: ReturnType<typeof watch<T>> = { state: "pending" };
  promise.then(
    (value) => Object.assign(seen, { state: "resolved", value }),
    (error) => Object.assign(seen, { state: "rejected", error }),
  );
  return seen;
}

Deno.test("rows are seen from the moment their sync is done, not when they are written", async () => {
  const disk = new GatedBackend(memoryDisk()), { appender } = openAppender(disk);
  const seen: number[] = [];
  appender.onVisible(() => seen.push(appender.visible().rows));
  let seenWhenTold = -1;
  const told = appender.append(batchOf(1, 2)).then((sequence) => {
    seenWhenTold = appender.visible().rows;
    return sequence;
  });
  await settle();
  assert.deepEqual(disk.waiting, { write: 1, sync: 0 });
  assert.equal(appender.visible().rows, 0);
  await disk.next("write").pass();
  assert.deepEqual(disk.waiting, { write: 0, sync: 1 });
  assert.deepEqual([appender.visible().rows, seenWhenTold], [0, -1]);
  await disk.next("sync").pass();
  assert.equal(await told, 0);
  assert.equal(seenWhenTold, 2);
  assert.deepEqual(seen, [2]);
  await disk.release();
  await appender.close();
});

Deno.test("what is seen and who is told change in one stretch: nothing runs between them", async () => {
  const disk = new GatedBackend(memoryDisk()), { appender } = openAppender(disk);
  const states: string[] = [];
  const first = watch(appender.append(batchOf(1))), second = watch(appender.append(batchOf(2)));
  // Runs before whoever waits for the appends is told, and after it is certain that they will be.
  appender.onVisible(() => {
    states.push(`${appender.visible().rows} seen, ${first.state}`);
    queueMicrotask(() => queueMicrotask(() => states.push(`${first.state}, ${second.state}`)));
  });
  await settle();
  await disk.next("write").pass();
  await disk.next("sync").pass();
  assert.deepEqual(states, ["2 seen, pending", "resolved, resolved"]);
  await disk.release();
  await appender.close();
});

Deno.test("a group is written while the one before it is synced, and told of after it", async () => {
  const disk = new GatedBackend(memoryDisk()), { appender } = openAppender(disk, { bufferBytes: 8192 });
  const all = [0, 1, 2].map((n) => watch(appender.append(large(n, 7700))));
  await settle();
  await disk.next("write").pass();
  assert.deepEqual(disk.waiting, { write: 1, sync: 1 });
  await disk.next("write").pass();
  assert.deepEqual(disk.waiting, { write: 1, sync: 1 }, "one sync at a time");
  assert.deepEqual(all.map(({ state }) => state), ["pending", "pending", "pending"]);
  await disk.next("sync").pass();
  assert.deepEqual(all.map(({ state }) => state), ["resolved", "pending", "pending"]);
  assert.deepEqual(numbersOf(appender.visible()), [0]);
  await disk.release();
  await settle();
  assert.deepEqual(all.map(({ value }) => value), [0, 1, 2]);
  await appender.close();
});

Deno.test("appends of one turn, and those that come while the disk is busy, share a sync; with each none does", async () => {
  for (const [durability, syncs] of [["batch", 2], ["each", 9]] as const) {
    const disk = new GatedBackend(memoryDisk()), { appender, counters } = openAppender(disk, { durability });
    const all = [0, 1, 2].map((n) => appender.append(batchOf(n)));
    await settle();
    for (let n = 3; n < 9; n++) all.push(appender.append(batchOf(n)));
    await disk.release();
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(counters.get("syncs"), syncs, durability);
    await appender.close();
  }
});

Deno.test("appends within the time of a group share a sync although they come one after the other", async () => {
  const { appender, counters } = openAppender(memoryDisk(), { groupMs: 200 });
  const first = appender.append(batchOf(0));
  await settle();
  const second = appender.append(batchOf(1));
  await Promise.all([first, second]);
  assert.equal(counters.get("syncs"), 1);
  await appender.close();
});

Deno.test("a buffer is frozen before another becomes active: at no step is a row in neither", () => {
  const setting = {
    directory: LOGS,
    schema: SMALL,
    storeId: STORE_ID,
    backend: memoryDisk(),
    blockBytes: 4096,
    zeros: null,
  };
  const log = new GrowingLog(setting, 1, 0);
  let accepted = 0, steps = 0;
  const buffers: WriteBuffers = new WriteBuffers({
    bufferBytes: 4096,
    frozenBuffers: 12,
    blockBytes: 4096,
    begin: (memory) => {
      complete();
      return new Group(log, log.end, accepted, memory);
    },
    onFrozen: (group) => {
      log.end = group.offset + group.fileBytes;
      complete();
    },
  });
  const complete = () => {
    steps++;
    const rows = buffers.groups().reduce((sum, group) => sum + group.rows, 0);
    assert.equal(rows, accepted, "every row that was accepted is in one group, and in one only");
  };
  // The list is looked at before and after a buffer joins it.
  buffers.frozen.push = function (...groups: Group[]): number {
    complete();
    const length = Array.prototype.push.apply(this, groups);
    complete();
    return length;
  };
  for (let i = 0; i < 20; i++) {
    const plan = planBatch(SMALL, large(i, 1500));
    buffers.room(plan.bytes)!.add(plan);
    accepted++;
    complete();
  }
  assert.ok(buffers.frozen.length >= 8 && steps > 40);
});

Deno.test("buffers rotate once however many appends wait for it", async () => {
  const disk = new GatedBackend(memoryDisk());
  const { appender, counters } = openAppender(disk, { bufferBytes: 8192, frozenBuffers: 1 });
  const filling = [0, 1].map((n) => appender.append(large(n, 7700)));
  const waiting = Array.from({ length: 8 }, (_, i) => appender.append(large(2 + i, 500)));
  await settle();
  assert.equal(counters.get("waitingAppends"), 8);
  await disk.release();
  await Promise.all([...filling, ...waiting]);
  assert.equal(counters.get("groups"), 3, "two that were full, and one for all eight");
  assert.deepEqual(numbersOf(appender.visible()), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await appender.close();
});

Deno.test("an append waits while as many buffers as allowed are on their way, and goes on when one is on disk", async () => {
  for (const durability of ["none", "batch", "each"] as const) {
    const disk = new GatedBackend(memoryDisk());
    const { appender, counters } = openAppender(disk, { durability, bufferBytes: 8192, frozenBuffers: 2 });
    const all = Array.from({ length: 8 }, (_, n) => watch(appender.append(large(n, 7700))));
    await settle();
    assert.equal(counters.get("waitingAppends"), 5, durability);
    assert.equal(appender.nextSequence, 3);
    await disk.next("write").pass();
    await disk.next("sync").pass();
    assert.equal(appender.nextSequence, 4);
    await disk.release();
    await appender.flush();
    assert.deepEqual(all.map(({ value }) => value), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(numbersOf(appender.visible()), [0, 1, 2, 3, 4, 5, 6, 7]);
    await appender.close();
  }
});

Deno.test("a batch that is larger than a buffer gets one of its own", async () => {
  const { appender } = openAppender(memoryDisk(), { bufferBytes: 4096 });
  const all = [appender.append(batchOf(0)), appender.append(large(1, 50_000)), appender.append(batchOf(2))];
  assert.deepEqual(await Promise.all(all), [0, 1, 2]);
  assert.deepEqual(numbersOf(appender.visible()), [0, 1, 2]);
  await appender.close();
});

Deno.test("sizes and contents change together: a batch that can't be written leaves nothing", async () => {
  for (const durability of ["none", "batch"] as const) {
    const disk = new GatedBackend(memoryDisk());
    const { appender } = openAppender(disk, { durability, bufferBytes: 8192, frozenBuffers: 1 });
    const filling = [0, 1].map((n) => appender.append(large(n, 7700)));
    const values = Int32Array.of(99), moved = watch(appender.append({ N: values, TEXT: ["x".repeat(900)] }));
    const after = appender.append(large(2, 900));
    structuredClone(values.buffer, { transfer: [values.buffer] });
    await settle();
    await disk.release();
    assert.deepEqual(await Promise.all([...filling, after]), [0, 1, 2]);
    assert.equal(moved.state, "rejected");
    assert.equal((moved.error as TableError).code, "INVALID_ARGUMENT");
    assert.deepEqual(numbersOf(appender.visible()), [0, 1, 2]);
    await appender.close();
  }
});

Deno.test("what is listed as visible stays as it is while rows are added, buffers are used again and logs go", async () => {
  const disk = memoryDisk();
  const { appender, full } = openAppender(disk, { durability: "none", bufferBytes: 8192, logBytes: 40_000 });
  const views = [];
  for (let n = 0; n < 40; n++) {
    await appender.append(large(n, 2000));
    const view = appender.visible();
    for (const log of view.logs) log.hold();
    views.push(view);
  }
  await appender.flush();
  for (const log of full) appender.forgetLog(log.id);
  views.forEach((view, n) => {
    assert.deepEqual(numbersOf(view), Array.from({ length: n + 1 }, (_, i) => i));
    for (const log of view.logs) log.release();
  });
  assert.ok(full.length > 1);
  assert.equal(appender.visible().firstSequence, full.at(-1)!.firstSequence + full.at(-1)!.rows);
  await appender.close();
});

Deno.test("none: rows are seen when append returns, and written when their time has come", async () => {
  const disk = memoryDisk(), { appender, counters } = openAppender(disk, { durability: "none", flushMs: 30 });
  const told = watch(appender.append(batchOf(1)));
  assert.deepEqual(numbersOf(appender.visible()), [1]);
  await Promise.resolve();
  assert.equal(told.state, "resolved");
  assert.equal(counters.get("groups"), 0);
  while (counters.get("syncs") === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const logs = scan(disk, { mode: "read" });
  assert.deepEqual(numbersOf(logs.visible()), [1]);
  logs.close();
  await appender.close();
});

Deno.test("of writes that are under way those before the one that fails are kept, and all behind it are withdrawn", async () => {
  const disk = new GatedBackend(memoryDisk()),
    { appender, counters } = openAppender(disk, { bufferBytes: 8192 });
  const all = [0, 1, 2, 3].map((n) => watch(appender.append(large(n, 7700))));
  await settle();
  await disk.next("write").pass();
  await disk.next("write").fail(io("no space"));
  // The first group is still being synced; a row that comes now waits for what becomes of the others.
  const late = watch(appender.append(batchOf(1)));
  assert.deepEqual(all.map(({ state }) => state), ["pending", "pending", "pending", "pending"]);
  await disk.next("sync").pass();
  assert.deepEqual(all.map(({ state }) => state), ["resolved", "rejected", "rejected", "rejected"]);
  assert.equal((all[1]!.error as TableError).errno, 28);
  assert.equal(counters.get("withdrawnRows"), 3);
  assert.deepEqual(numbersOf(appender.visible()), [0]);
  await disk.release();
  await settle();
  assert.deepEqual([late.state, late.value], ["resolved", 1]);
  assert.deepEqual(numbersOf(appender.visible()), [0, 1]);
  await appender.close();
  const logs = scan(disk);
  assert.deepEqual(numbersOf(logs.visible()), [0, 1]);
  assert.deepEqual(logs.findings, []);
  logs.close();
});

Deno.test("a sync that fails withdraws everything that wasn't durable, also what was written meanwhile", async () => {
  const disk = new GatedBackend(memoryDisk()), { appender } = openAppender(disk, { bufferBytes: 8192 });
  const all = [0, 1, 2].map((n) => watch(appender.append(large(n, 7700))));
  await settle();
  await disk.next("write").pass();
  const write = disk.next("write");
  await disk.next("sync").fail(io("lost"));
  assert.deepEqual(
    all.map(({ state }) => state),
    ["pending", "pending", "pending"],
    "a write is still under way",
  );
  await write.pass();
  await disk.release();
  assert.deepEqual(all.map(({ state }) => state), ["rejected", "rejected", "rejected"]);
  assert.equal(appender.visible().rows, 0);
  assert.equal(await appender.append(batchOf(7)), 0);
  assert.deepEqual(numbersOf(appender.visible()), [7]);
  await appender.close();
});
