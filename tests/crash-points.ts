/**
 * Crash points: a table of some kind is changed commit by commit on a disk that keeps a record, and rebuilt as a crash
 * would have left it after any of its operations. It must open and hold the state before the commit or after it.
 */
import assert from "node:assert/strict";
import { Context, Table } from "../mod.ts";
import type { MemoryBackend, MemoryStore } from "../src/io/memory-backend.ts";
import { commitOf, type Kind, makeTable, randomFrom, stateOf, whole } from "./changing-tables.ts";
import { CrashBackend, DiskLog, type DiskOp } from "./crash-backend.ts";

/** What is tried. */
export interface CrashRun {
  readonly kind: Kind;
  readonly seed: number;
  readonly commits: number;
  /** Crash points of each commit; Infinity: all, and a few within each write. */
  readonly points: number;
  /** The power goes in the middle of durable commits; else the process dies in the middle of others. */
  readonly durable: boolean;
  /** How many points pass for each whose recovery is stopped, too. */
  readonly nested?: number;
}

/** What was tried. */
export interface CrashCount {
  points: number;
  /** Points from which the state before was found, and that after. */
  before: number;
  after: number;
  /** Points at which a recovery was stopped. */
  nested: number;
  operations: number;
}

/** A context whose memory is a disk's image. */
export function contextOn(store: MemoryStore): Context {
  const context = new Context();
  for (const [path, file] of store.files) context.memory.files.set(path, file);
  for (const path of store.directories) context.memory.directories.add(path);
  return context;
}

/** A disk that keeps a record. */
export function recordedDisk(): { context: Context; log: DiskLog } {
  const context = new Context(), log = new DiskLog(), numbers = new Map();
  context.wrapBackend = (inner) => new CrashBackend(inner as MemoryBackend, log, numbers);
  return { context, log };
}

/** The disk of a crash, keeping a record from now on. */
function recordedFrom(store: MemoryStore): { context: Context; log: DiskLog } {
  const context = contextOn(store), log = new DiskLog(), numbers = new Map();
  for (const [path, file] of context.memory.files) {
    const number = numbers.size;
    numbers.set(file, number);
    log.ops.push({ kind: "name", path, file: number });
    log.ops.push({ kind: "write", file: number, offset: 0, bytes: file.bytes.slice(0, file.length) });
    log.ops.push({ kind: "sync", file: number });
  }
  log.ops.push({ kind: "syncNames" });
  context.wrapBackend = (inner) => new CrashBackend(inner as MemoryBackend, log, numbers);
  return { context, log };
}

/** The state of the table in a disk's image. */
export function stateIn(context: Context, kind: Kind, mode: "r" | "rw"): string {
  const table = Table.open("/t", { io: "memory", context, mode });
  try {
    return stateOf(table, kind);
  } finally {
    table.close();
  }
}

/** The same with rows added, which must come as empty as ever: nothing that a crash left behind shows in them. */
function grownIn(context: Context, kind: Kind): string {
  const table = Table.open("/t", { io: "memory", context, mode: "rw" });
  try {
    table.addRows(12 * (kind.rowStep ?? 1));
    return stateOf(table, kind);
  } finally {
    table.close();
  }
}

/** Some bytes from the start of a write, up to the end of a sector. */
function part({ offset, bytes }: DiskOp & { kind: "write" }, random: () => number): number {
  const end = offset + whole(random, bytes.length);
  return Math.max(0, end - end % 512 - offset);
}

function words(op: DiskOp | undefined): string {
  return op === undefined ? "the end" : op.kind;
}

/** Tries crash points of some commits. @throws AssertionError */
export function tryCrashes(run: CrashRun, count: CrashCount): void {
  const { kind, seed, durable } = run;
  const random = randomFrom(seed), { context, log } = recordedDisk();
  const table = makeTable(kind, "/t", { io: "memory", context });
  table.flush({ durable: true });
  for (let number = 1; number <= run.commits; number++) {
    const before = stateOf(table, kind), begin = log.ops.length;
    commitOf(table, kind, seed, number, { durable });
    const after = stateOf(table, kind), end = log.ops.length;
    const grownOf = (ops: number) => grownIn(contextOn(log.prefix(ops)), kind);
    let grown: { before: string; after: string } | undefined;
    const all = run.points >= end - begin + 1;
    for (let point = 0; point < Math.min(run.points, end - begin + 1); point++) {
      const at = all ? begin + point : point === 0 ? end : begin + whole(random, end - begin),
        next = log.ops[at];
      const where = `${kind.name}, seed ${seed}, commit ${number}, ${
        durable ? "power lost" : "killed"
      } after ${at} of ${begin}–${end} (${words(next)})`;
      const store = durable
        ? log.afterPowerLoss(at, randomFrom(seed * 1000 + point))
        : log.prefix(at, next?.kind === "write" ? part(next, random) : 0);
      count.points++;
      const [found, context] = tryDisk(store, run, count, where, count.points % (run.nested ?? 50) === 0);
      // A transaction that was given up before this one, or what is flushed first in a transaction, changes nothing.
      assert(
        found === before || found === after,
        `${where}: found ${found}, before ${before}, after ${after}`,
      );
      if (at === end) assert.equal(found, after, where);
      if (kind.appends === undefined && point % 2 === 0) {
        grown ??= { before: grownOf(begin), after: grownOf(end) };
        assert.equal(grownIn(context, kind), found === after ? grown.after : grown.before, `${where}, grown`);
      }
      if (found === after) count.after++;
      else count.before++;
    }
    count.operations += end - begin;
  }
  table.close();
}

/** The state that a crashed disk has, the same for every way to look; and the disk, recovered. */
function tryDisk(
  store: MemoryStore,
  { kind, durable }: CrashRun,
  count: CrashCount,
  where: string,
  nested: boolean,
): [state: string, context: Context] {
  const { context, log } = nested ? recordedFrom(store) : { context: contextOn(store), log: null };
  const begin = log?.ops.length ?? 0;
  let first = "";
  for (const mode of ["r", "rw", "r"] as const) {
    let found: string;
    try {
      found = stateIn(context, kind, mode);
    } catch (error) {
      throw new Error(where, { cause: error });
    }
    if (first !== "") assert.equal(found, first, `${where}, opened ${mode}`);
    first = found;
  }
  if (log === null) return [first, context];
  for (let at = begin; at <= log.ops.length; at++) {
    const again = contextOn(durable ? log.afterPowerLoss(at, randomFrom(at)) : log.prefix(at));
    assert.equal(stateIn(again, kind, "rw"), first, `${where}; recovery stopped after ${at - begin}`);
    count.nested++;
  }
  return [first, context];
}
