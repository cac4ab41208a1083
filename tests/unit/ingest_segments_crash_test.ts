/**
 * What a crash leaves of a store's sealed side. Every change that reaches the disk is recorded; from each prefix of them,
 * and from what a loss of power could leave of it, a disk is rebuilt and the store opened: every publication that was
 * acknowledged is there, at most the next one more, and nothing is left over.
 */
import assert from "node:assert/strict";
import { Table, TableError } from "../../mod.ts";
import { openBackend } from "../../src/io/backends.ts";
import { Context } from "../../src/io/context.ts";
import { MemoryBackend, type MemoryFile, type MemoryStore } from "../../src/io/memory-backend.ts";
import { SegmentStore } from "../../src/ingest/segments/store.ts";
import { CrashBackend, DiskLog } from "../crash-backend.ts";
import { rowsOf, someRows, testSchema, TestStore } from "./ingest_segments_support.ts";

/** What a store held when something was acknowledged, after so many operations of the disk. */
interface Acknowledged {
  readonly operations: number;
  readonly ids: readonly number[];
}

interface Recording {
  readonly log: DiskLog;
  readonly directory: string;
  readonly states: readonly Acknowledged[];
}

/** Seals, merges, deletes, drops and removes, and records all of it. */
async function record(): Promise<Recording> {
  const log = new DiskLog(), numbers = new Map<MemoryFile, number>(), context = new Context();
  context.wrapBackend = () => new CrashBackend(new MemoryBackend(context.memory), log, numbers);
  const states: Acknowledged[] = [];
  await using made = new TestStore(testSchema({ key: "ID" }), { context });
  const note = () => states.push({ operations: log.ops.length, ids: made.rows().map(({ id }) => id) });
  note();
  await made.seal(someRows(0, 4));
  note();
  await made.seal(someRows(4, 3));
  note();
  await made.store.deleteRange({ from: 2, to: 3, before: 7 });
  await made.seal(someRows(3, 2));
  note();
  await made.store.compact({ all: true });
  note();
  await made.store.removeRetired(0);
  await made.seal(someRows(9, 2));
  note();
  await made.reopen();
  await made.seal(someRows(11, 1));
  note();
  await made.store.compact({ all: true });
  await made.store.removeRetired(0);
  note();
  return { log, directory: made.directory, states };
}

/** Opens the store that a disk holds; `operations` reached it before it stopped. */
async function check(
  recording: Recording,
  store: MemoryStore,
  operations: number,
  label: string,
): Promise<void> {
  const { directory, states } = recording, context = new Context();
  context.wrapBackend = () => new MemoryBackend(store);
  const last = states.findLastIndex((state) => state.operations <= operations);
  const allowed = states.slice(Math.max(0, last), last + 2).map(({ ids }) => ids.join());
  let opened: SegmentStore;
  try {
    // Who only reads finds a whole store, too, repaired or not.
    await SegmentStore.open(directory, { mode: "r", context }).close();
    opened = SegmentStore.open(directory, {
      mode: "rw",
      context,
      compaction: { automatic: false },
      graceMs: 3_600_000,
    });
  } catch (error) {
    assert.ok(last < 0 && error instanceof TableError && error.code === "NOT_FOUND", `${label}: ${error}`);
    return;
  }
  using table = Table.open(directory, { context });
  assert.ok(allowed.includes(rowsOf(table).map(({ id }) => id).join()), `${label}: ${table.rowCount} rows`);
  assert.ok(opened.findings.every(({ note }) => note), `${label}: ${JSON.stringify(opened.findings)}`);
  await opened.removeRetired(0);
  await opened.removeRetired(0);
  const { segments } = opened.manifest, expected = segments.flatMap(({ name, bloom }) => [bloom!.file, name]);
  const names = openBackend("auto", { context }).list(`${directory}/segments`);
  assert.deepEqual(names, ["000000.tab", ...expected].sort(), label);
  await opened.close();
}

/** Numbers from a seed. */
function random(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

Deno.test("a process that dies after any change of the disk leaves a store with all that was acknowledged", async () => {
  const recording = await record(), { log } = recording;
  assert.ok(log.ops.length > 300);
  for (let count = 0; count <= log.ops.length; count++) {
    await check(recording, log.prefix(count), count, `${count} of ${log.ops.length}`);
    const next = log.ops[count];
    if (next?.kind === "write" && next.bytes.length > 1 && count % 3 === 0) {
      const part = Math.floor(next.bytes.length / 2);
      await check(recording, log.prefix(count, part), count, `${count} and a half`);
    }
  }
});

Deno.test("a loss of power after any change leaves a store with all that was acknowledged", async () => {
  const recording = await record(), { log } = recording, next = random(11);
  for (let count = 0; count <= log.ops.length; count++) {
    await check(recording, log.afterPowerLoss(count, next), count, `power, ${count} of ${log.ops.length}`);
  }
});
