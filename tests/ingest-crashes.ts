/**
 * Crash points of a live store: it is written on a disk that keeps a record, and rebuilt as a crash would have left it after
 * any operation: of its logs, segments, manifest and concatenation. What was acknowledged until then must be there.
 */
import assert from "node:assert/strict";
import { Context, Table } from "../mod.ts";
import { IngestStore } from "../src/ingest/mod.ts";
import { MemoryBackend, type MemoryStore } from "../src/io/memory-backend.ts";
import type { Random } from "./changing-tables.ts";
import { CrashBackend, DiskLog } from "./crash-backend.ts";
import { contextOn } from "./crash-points.ts";
import { assertWhole, checkedTable, COLUMNS, rowsFrom } from "./ingest-rows.ts";

const PATH = "/live";

/** A history: every operation on the disk, and how many rows were acknowledged when. */
export interface History {
  readonly log: DiskLog;
  /** Operations done, and rows acknowledged, after each append. */
  readonly acknowledged: readonly { readonly operations: number; readonly rows: number }[];
  readonly keyed: boolean;
  /** Rows that were appended in all. */
  readonly rows: number;
}

function contextWith(log: DiskLog | null, store?: MemoryStore): Context {
  const context = store === undefined ? new Context() : contextOn(store);
  const numbers = new Map();
  context.memory.directories.add("/");
  context.wrapBackend = () => {
    const inner = new MemoryBackend(context.memory);
    return log === null ? inner : new CrashBackend(inner, log, numbers);
  };
  return context;
}

function open(context: Context, keyed: boolean): IngestStore {
  return IngestStore.open(PATH, {
    columns: COLUMNS,
    ...(keyed && { key: "KEY" }),
    background: "inline",
    lock: "none",
    graceMs: 0,
    context,
    bufferBytes: 16 * 1024,
    logBytes: 20 * 1024,
    compaction: { minSegments: 2, fanOut: 2, segmentBytes: 4096 },
  });
}

/** Appends, seals and merges for some rounds, and closes and opens the store in between. */
export async function historyOf(random: Random, rounds: number, keyed: boolean): Promise<History> {
  const log = new DiskLog(), context = contextWith(log);
  const acknowledged: { operations: number; rows: number }[] = [];
  let rows = 0;
  for (let round = 0; round < rounds; round++) {
    await using store = open(context, keyed);
    for (let i = 0; i < 12; i++) {
      const count = 1 + Math.floor(random() ** 2 * 60);
      assert.equal(await store.append(rowsFrom(rows, count)), rows);
      rows += count;
      acknowledged.push({ operations: log.ops.length, rows });
      if (random() < 0.15) await store.seal();
    }
    if (random() < 0.5) await store.compact();
  }
  return { log, acknowledged, keyed, rows };
}

/** Opens what a crash left, and checks it, twice: the second time after the recovery itself. @returns rows found */
export async function checkCrash(
  store: MemoryStore,
  { acknowledged, keyed, rows }: History,
  operations: number,
  where: string,
): Promise<number> {
  const sure = acknowledged.reduce((most, one) => one.operations <= operations ? one.rows : most, 0);
  const context = contextWith(null, store);
  let found = 0;
  for (const what of [`${where}, recovered`, `${where}, opened again`]) {
    let opened: IngestStore;
    try {
      opened = open(context, keyed);
    } catch (cause) {
      throw new Error(`${what}: the store doesn't open`, { cause });
    }
    try {
      const wrong = opened.findings.filter(({ note }) => !note);
      assert.deepEqual(wrong, [], `${what}: damage`);
      using snapshot = opened.snapshot();
      const sequences = checkedTable(snapshot, what), whole = opened.nextSequence;
      assert.ok(
        whole >= sure && whole <= rows,
        `${what}: ${whole} rows, ${sure} were acknowledged of ${rows}`,
      );
      assertWhole(sequences, whole, keyed, what);
      found = whole;
      // And it goes on.
      assert.equal(await opened.append(rowsFrom(whole, 3)), whole, what);
      await opened.seal();
      using sealed = Table.open(PATH, { context, lock: "none" });
      assertWhole(checkedTable(sealed, `${what}, sealed`), whole + 3, keyed, `${what}, sealed`);
    } finally {
      await opened.close();
    }
    // The second time round the three rows are there, too.
    rows += 3;
  }
  return found;
}
