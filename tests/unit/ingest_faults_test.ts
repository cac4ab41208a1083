import assert from "node:assert/strict";
import { Context, Table, TableError } from "../../mod.ts";
import { IngestStore } from "../../src/ingest/mod.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import { type Random, randomFrom } from "../changing-tables.ts";
import { CrashBackend, DiskLog, type DiskOp } from "../crash-backend.ts";
import { assertWhole, checkedTable, COLUMNS, rowsFrom } from "../ingest-rows.ts";

const PATH = "/live";

/** A disk on which some operations fail. */
class Disk {
  readonly log = new DiskLog();
  readonly context = new Context();
  /** Operations that were asked for, those included that failed. */
  asked = 0;
  failed = 0;
  /** Decides about the operation of that number. */
  fails: (number: number, op: DiskOp) => number | null = () => null;

  constructor() {
    const numbers = new Map();
    this.context.memory.directories.add("/");
    this.context.wrapBackend = () =>
      new CrashBackend(new MemoryBackend(this.context.memory), this.log, numbers);
    this.log.fault = (op) => {
      const errno = this.fails(this.asked++, op);
      if (errno === null) return;
      this.failed++;
      throw new TableError("IO", `${op.kind} failed: injected (errno ${errno})`, { file: "/live", errno });
    };
  }

  open(): IngestStore {
    return IngestStore.open(PATH, {
      columns: COLUMNS,
      background: "inline",
      lock: "none",
      graceMs: 0,
      context: this.context,
      bufferBytes: 16 * 1024,
      logBytes: 20 * 1024,
      compaction: { minSegments: 2, fanOut: 2, segmentBytes: 4096 },
    });
  }
}

/** Does something until it works. What fails, fails with the disk's error. */
async function untilItWorks<T>(work: () => T | Promise<T>, what: string): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await work();
    } catch (error) {
      assert.ok(error instanceof TableError && error.code === "IO", `${what}: ${(error as Error).stack}`);
      assert.ok(tries < 200, `${what} never works again: ${error.message}`);
    }
  }
}

/** Appends, seals and merges, each again until it works. @returns rows appended */
async function live(disk: Disk, random: Random): Promise<number> {
  let rows = 0;
  for (let round = 0; round < 2; round++) {
    const store = await untilItWorks(() => disk.open(), "opening");
    for (let i = 0; i < 12; i++) {
      const count = 1 + Math.floor(random() ** 2 * 60);
      // Rows of an append that was refused aren't there: the next ones get their numbers.
      assert.equal(await untilItWorks(() => store.append(rowsFrom(rows, count)), "append"), rows);
      rows += count;
      using snapshot = store.snapshot();
      assert.equal(snapshot.rowCount, rows, "every acknowledged row is visible, and no other");
      if (random() < 0.15) await untilItWorks(() => store.seal(), "seal");
    }
    if (round === 1) {
      await untilItWorks(() => store.seal(), "seal");
      await untilItWorks(() => store.compact(), "compact");
      using sealed = Table.open(PATH, { context: disk.context, lock: "none" });
      assertWhole(checkedTable(sealed, "sealed"), rows, false, "sealed");
    }
    await store.close().catch((error) => assert.ok(error instanceof TableError, String(error)));
  }
  return rows;
}

async function checkWhole(disk: Disk, rows: number, what: string) {
  disk.fails = () => null;
  const store = disk.open();
  assert.deepEqual(store.findings.filter(({ note }) => !note), [], what);
  const snapshot = store.snapshot();
  assertWhole(checkedTable(snapshot, what), rows, false, what);
  snapshot.close();
  await store.close();
}

const KINDS: readonly { readonly errno: number; readonly name: string }[] = [
  { errno: 28, name: "the disk is full" },
  { errno: 5, name: "the disk has an error" },
  { errno: 30, name: "the disk can only be read" },
];

for (const { errno, name } of KINDS) {
  Deno.test(`a store goes on after ${name} for a while, with every acknowledged row, and no other`, async () => {
    const whole = new Disk();
    await live(whole, randomFrom(1));
    let failed = 0;
    for (let i = 0; i < 25; i++) {
      const disk = new Disk(), random = randomFrom(errno * 100 + i);
      const from = Math.floor(random() * whole.asked), length = [1, 3, 15][i % 3]!;
      disk.fails = (number, { kind }) => {
        if (number < from || number >= from + length) return null;
        // Names can be removed from a full disk.
        return errno === 28 && (kind === "remove" || kind === "noDirectory") ? null : errno;
      };
      const { kind, ...of } = whole.log.ops[from]!;
      const what = `operations ${from} to ${from + length}, ${kind} ${
        JSON.stringify({ ...of, bytes: undefined })
      }`;
      const rows = await live(disk, randomFrom(1)).catch((cause) => {
        throw new Error(`${name}, ${what}`, { cause });
      });
      failed += disk.failed;
      await checkWhole(disk, rows, what);
    }
    assert.ok(failed > 25, "operations failed");
  });
}
