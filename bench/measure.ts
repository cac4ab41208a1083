/** One work by all sides in turn. */
import type { Figure, Result } from "./report.ts";
import { median } from "./report.ts";
import type { Side } from "./side.ts";
import { INTEGRATION } from "./tables.ts";
import type { Work } from "./works.ts";

/** Rounds that don't count: at most so many, and no more after so long, in milliseconds. */
const WARM_ROUNDS = 20, WARM_MS = 300;
/** Once a round of a side that is here for information takes so long, in milliseconds, it takes part in no more. */
const SLOW_PEER_MS = 3000;
/** The unit in which the kernel caches files, and bytes of a cell of DATA. */
const PAGE_BYTES = 4096, CELL_BYTES = 2048;

/** Bytes that a process brought, by the kernel's count. */
interface Brought {
  /** By calls that read, from the page cache or not. */
  readonly asked: number;
  /** From the disk. */
  readonly disk: number;
}

function broughtBy(pid: number): Brought | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/io`);
  } catch {
    return null;
  }
  const count = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1] ?? NaN);
  return { asked: count("rchar"), disk: count("read_bytes") };
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
  const times: Record<string, number[]> = {}, brought: Record<string, Brought[]> = {}, able: Side[] = [];
  for (const side of sides) {
    if (informing.has(side.name) && (work.peers !== true || rows > 100_000)) continue;
    if (await side.set(work, folder, rows)) {
      able.push(side);
      times[side.name] = [];
      brought[side.name] = [];
    }
  }
  // The engine compiles what it runs often, while it runs: short works go on until they are at their speed.
  for (const side of work.mostRounds === undefined ? able : []) {
    for (let spent = 0, i = 0; i < WARM_ROUNDS && spent < WARM_MS; i++) {
      spent += work.repeat * await side.run(work.repeat);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const side of able) {
      if (informing.has(side.name) && times[side.name]!.some((time) => time * work.repeat > SLOW_PEER_MS)) {
        continue;
      }
      if (work.cold === true) await forget(given.forget!, path);
      const before = work.cold === true ? broughtBy(side.pid) : null;
      times[side.name]!.push(await side.run(work.repeat));
      const after = before === null ? null : broughtBy(side.pid);
      if (before !== null && after !== null) {
        brought[side.name]!.push({ asked: after.asked - before.asked, disk: after.disk - before.disk });
      }
    }
  }
  for (const side of able) await side.end();
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

/** Bytes from the disk and bytes asked of the system, over those of the pages that are wanted. */
function bytesFigures(
  work: Work,
  rows: number,
  brought: Readonly<Record<string, readonly Brought[]>>,
): Figure[] {
  const wanted = pagesWanted(rows, Number(work.argument)) * PAGE_BYTES;
  const figure = (title: string, atMost: number | null, value: (brought: Brought) => number): Figure[] => {
    const of = (name: string) => median((brought[name] ?? []).map((each) => value(each) / wanted));
    const peers = Object.keys(brought).filter((name) => name !== "tessera" && brought[name]!.length > 0);
    return Number.isNaN(of("tessera")) ? [] : [{
      title: `${work.title}: ${title}`,
      unit: "",
      value: of("tessera"),
      atMost,
      peers: Object.fromEntries(peers.map((name) => [name, of(name)])),
    }];
  };
  return [
    ...figure("bytes from the disk ÷ wanted, rounded up to pages", 1.1, ({ disk }) => disk),
    ...figure("bytes asked for ÷ wanted, rounded up to pages", 1.1, ({ asked }) => asked),
  ];
}
