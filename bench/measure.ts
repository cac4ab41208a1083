/** One work by all sides in turn. */
import type { Figure, Result } from "./report.ts";
import { median } from "./report.ts";
import type { Side } from "./side.ts";
import { INTEGRATION } from "./tables.ts";
import type { Work } from "./works.ts";

/** Rounds that don't count: at most so many, and no more after so long, in milliseconds. */
const WARM_ROUNDS = 20, WARM_MS = 300;
/** Rounds of sides that are here for information: at most so many, and no more once one took so long, in milliseconds. */
const PEER_ROUNDS = 3, SLOW_PEER_MS = 3000;
/** The unit in which the kernel caches files, and bytes of a cell of DATA. */
const PAGE_BYTES = 4096, CELL_BYTES = 2048;

/** Bytes that a process brought from the disk so far, by the kernel's count; null where it doesn't tell. */
function broughtBy(pid: number): number | null {
  try {
    return Number(/^read_bytes: (\d+)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/io`))?.[1] ?? NaN);
  } catch {
    return null;
  }
}

/** Drops the pages of a table's files from the system's cache. */
async function forget(program: string, folder: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    // Fails for empty files, which have no pages.
    if (isFile) await new Deno.Command(program, { args: [`${folder}/${name}`], stdout: "null" }).output();
  }
}

/** What a work is measured with. */
export interface Measuring {
  /** Where its table is. */
  readonly folder: string;
  readonly rounds: number;
  readonly sides: readonly Side[];
  /** Names of sides that are there for information. */
  readonly informing: ReadonlySet<string>;
  /** Program that drops pages; null: there is none, and cold works can't be measured. */
  readonly forget: string | null;
}

/** A result, and figures that came with it. */
export interface Measured {
  readonly result: Result;
  readonly figures: readonly Figure[];
}

/** Measures one work with so many rows. */
export async function measure(work: Work, rows: number, given: Measuring): Promise<Measured> {
  const { folder, sides, informing } = given, path = `${folder}/${work.table}`;
  const rounds = Math.min(given.rounds, work.mostRounds ?? Infinity);
  const times: Record<string, number[]> = {}, brought: Record<string, number[]> = {};
  const able = new Set<Side>();
  /** What a side that is here for information does; when it fails it is left out, and says why. */
  const attempt = async <T>(side: Side, ask: () => Promise<T>): Promise<T | null> => {
    try {
      return await ask();
    } catch (error) {
      if (!informing.has(side.name)) throw error;
      console.error((error as Error).message);
      able.delete(side);
      delete times[side.name];
      return null;
    }
  };
  for (const side of sides) {
    if (informing.has(side.name) && (work.peers !== true || rows > 100_000)) continue;
    if (await attempt(side, () => side.set(work, folder, rows)) === true) {
      able.add(side);
      times[side.name] = [];
      brought[side.name] = [];
    }
  }
  // The engine compiles what it runs often, while it runs: short works go on until they are at their speed.
  for (const side of work.mostRounds === undefined ? able : []) {
    for (let spent = 0, i = 0; i < WARM_ROUNDS && spent < WARM_MS; i++) {
      spent += work.repeat * (await attempt(side, () => side.run(work.repeat)) ?? Infinity);
      if (informing.has(side.name)) break;
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const side of able) {
      const slow = times[side.name]!.some((time) => time * work.repeat > SLOW_PEER_MS);
      if (informing.has(side.name) && (slow || round >= PEER_ROUNDS)) continue;
      if (work.cold === true) await forget(given.forget!, path);
      const before = work.cold === true ? broughtBy(side.pid) : null;
      const time = await attempt(side, () => side.run(work.repeat));
      if (time === null) continue;
      times[side.name]!.push(time);
      const after = before === null ? null : broughtBy(side.pid);
      if (before !== null && after !== null) {
        brought[side.name]!.push(after - before);
      }
    }
  }
  for (const side of able) await attempt(side, () => side.end());
  const figures = work.cold === true ? bytesFigures(work, rows, brought) : [];
  return { result: { work, rows, times, calls: {} }, figures };
}

/** How many of some bytes' pages are wanted by the baselines' rows of a cold work. */
export function pagesWanted(rows: number, baselines: number): number {
  const pages = new Set<number>();
  for (let baseline = 0; baseline < baselines; baseline++) {
    for (let row = Math.floor(baseline * INTEGRATION / baselines); row < rows; row += INTEGRATION) {
      pages.add(Math.floor(row * CELL_BYTES / PAGE_BYTES));
    }
  }
  return pages.size;
}

/** Bytes from the disk over those of the pages that are wanted. */
function bytesFigures(
  work: Work,
  rows: number,
  brought: Readonly<Record<string, readonly number[]>>,
): Figure[] {
  const wanted = pagesWanted(rows, Number(work.argument)) * PAGE_BYTES;
  const of = (name: string) => median(brought[name]!.map((bytes) => bytes / wanted));
  const others = Object.keys(brought).filter((name) => name !== "tessera" && brought[name]!.length > 0);
  return (brought["tessera"] ?? []).length === 0 ? [] : [{
    title: `${work.title}: bytes from the disk ÷ bytes wanted, rounded up to pages`,
    unit: "",
    value: of("tessera"),
    atMost: 1.1,
    peers: Object.fromEntries(others.map((name) => [name, of(name)])),
  }];
}
