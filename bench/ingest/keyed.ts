/**
 * Values of 1 MiB by key: a store with a key beside RocksDB's `db_bench` (Debian's rocksdb-tools; left out where it isn't).
 * Both write durably, four at a time: RocksDB's four threads share a sync of its log as four appends under way do here. Mixed:
 * each of four does 50 lookups and then 50 writes, of random keys of a range of which some part is there to begin with.
 */
import { array, scalar } from "../../mod.ts";
import { IngestStore } from "../../src/ingest/mod.ts";
import type { Grid, Line, Part } from "./report.ts";
import { digits } from "./report.ts";
import { inTurn, MIB, remove, type Setting, settle } from "./setting.ts";
import { median } from "../report.ts";

const THREADS = 4;
/** Operations of each in the mixed work: `db_bench` does as many percent of hundred of the one kind, then of the other. */
const MIXED = 100;
const COLUMNS = [scalar("KEY", "int64"), array("VALUE", "uint8", { shape: [MIB] })];
/** Parts of the range of keys that are there when the mixed work begins. */
const HITS = [0, 0.5, 0.9];

/** Numbers of [0, 1) that are the same every time. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 >>> 0;
    return ((state ^ state >>> 13) >>> 0) / 2 ** 32;
  };
}

const VALUE = Uint8Array.from({ length: MIB }, (_, i) => i * 7 >> 3);
const put = (store: IngestStore, key: number) => store.append({ KEY: BigInt64Array.of(BigInt(key)), VALUE });

const open = (path: string) =>
  IngestStore.open(path, { columns: COLUMNS, key: "KEY", compaction: false, graceMs: 0 });

/** Four at once do something so many times in all; seconds. */
async function together(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: THREADS }, async () => {
    while (next < count) await work(next++);
  }));
  return (performance.now() - began) / 1000;
}

/** What `db_bench` says of a work: MiB a second, operations a second, the part of a thread's reads that found a value. */
interface Said {
  readonly mib: number;
  readonly operations: number;
  readonly hits: number;
}

/** RocksDB in a folder. */
class Rocks {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = `${folder}/rocksdb`;
  }

  static async isHere(): Promise<boolean> {
    try {
      return (await new Deno.Command("db_bench", { args: ["--version"], stdout: "null", stderr: "null" })
        .output())
        .success;
    } catch {
      return false;
    }
  }

  async run(work: string, args: Readonly<Record<string, number>>): Promise<Said> {
    const all = {
      value_size: MIB,
      key_size: 16,
      threads: THREADS,
      sync: 1,
      ...args,
    };
    const { stdout, stderr, success } = await new Deno.Command("db_bench", {
      args: [
        `--db=${this.#folder}`,
        `--benchmarks=${work}`,
        "--compression_type=none",
        ...Object.entries(all).map(([name, value]) => `--${name}=${value}`),
      ],
    }).output();
    const text = new TextDecoder().decode(stdout);
    const line = new RegExp(`^${work} *:.*$`, "m").exec(text)?.[0];
    if (!success || line === undefined) {
      throw new Error(`db_bench: ${new TextDecoder().decode(stderr)}${text}`);
    }
    const number = (pattern: RegExp) => Number(pattern.exec(line)?.[1] ?? NaN);
    return {
      mib: number(/([\d.]+) MB\/s/),
      operations: number(/(\d+) ops\/sec/),
      hits: number(/found:(\d+)/) / number(/reads:(\d+)/),
    };
  }

  remove(): Promise<void> {
    return remove(this.#folder);
  }
}

async function writesOnly(setting: Setting, rocks: Rocks | null): Promise<Line[]> {
  const { folder, rounds, quick } = setting,
    count = quick ? 64 : 128,
    path = `${folder}/keyed`,
    lines: Line[] = [];
  for (const order of ["in order", "at random"]) {
    const next = random(7), key = (i: number) => order === "in order" ? i : Math.floor(next() * count);
    const ours = async () => {
      await settle();
      const store = open(path);
      const seconds = await together(count, (i) => put(store, key(i)));
      await store.close();
      await remove(path);
      return count / seconds;
    };
    const theirs = (blobs: number) => async () => {
      await settle();
      const work = order === "in order" ? "fillseq" : "fillrandom", each = Math.floor(count / THREADS);
      const args = { num: work === "fillseq" ? each : count, writes: each, enable_blob_files: blobs };
      const { mib } = await rocks!.run(work, args);
      await rocks!.remove();
      return mib;
    };
    const found = await inTurn(Math.min(3, rounds), {
      Tessera: ours,
      ...(rocks !== null && { RocksDB: theirs(0), "RocksDB, values in blobs": theirs(1) }),
    });
    lines.push({
      what: `values of 1 MiB by key, durable, 4 at a time, keys ${order}`,
      unit: "MiB/s",
      sides: found,
      bounds: ["RocksDB", "RocksDB, values in blobs"].map((against) => ({
        kind: "ratio",
        against,
        atLeast: null,
      })),
    });
  }
  return lines;
}

/** Each of four does 50 lookups and 50 writes of random keys, as `db_bench` does. */
async function mixed(
  store: IngestStore,
  range: number,
  seed: number,
): Promise<{ seconds: number; hits: number }> {
  const began = performance.now();
  let found = 0;
  await Promise.all(Array.from({ length: THREADS }, async (_, thread) => {
    const next = random(seed * THREADS + thread), key = () => Math.floor(next() * range);
    for (let i = 0; i < MIXED / 2; i++) {
      if (store.lookup(key()) !== null) found++;
      // Others have their turn.
      await Promise.resolve();
    }
    for (let i = 0; i < MIXED / 2; i++) await put(store, key());
  }));
  return { seconds: (performance.now() - began) / 1000, hits: found / (THREADS * MIXED / 2) };
}

/** Fills a store with keys 0, 1, … of which the first half is in a segment. */
async function filled(path: string, keys: number): Promise<IngestStore> {
  const store = open(path);
  for (const [from, to] of [[0, keys >> 1], [keys >> 1, keys]] as const) {
    await together(to - from, (i) => put(store, from + i));
    if (from === 0 && to > 0) await store.seal();
  }
  return store;
}

async function mixes(setting: Setting, rocks: Rocks | null): Promise<{ lines: Line[]; grid: Grid }> {
  const { folder, rounds, quick } = setting, path = `${folder}/keyed`, keys = quick ? 64 : 128;
  const lines: Line[] = [], rows: string[][] = [];
  for (const hit of HITS) {
    const range = hit === 0 ? keys * 1000 : Math.round(keys / hit),
      rates = { ours: [] as number[], theirs: [] as number[] };
    let seed = 1;
    const found = await inTurn(Math.min(2, rounds), {
      Tessera: async () => {
        const store = await filled(path, keys);
        await settle();
        const { seconds, hits } = await mixed(store, range, seed++);
        rates.ours.push(hits);
        await store.close();
        await remove(path);
        return THREADS * MIXED / seconds;
      },
      ...(rocks !== null && {
        RocksDB: async () => {
          await rocks.run("fillseq", { num: keys, threads: 1 });
          await settle();
          const args = {
            num: range,
            reads: MIXED,
            readwritepercent: 50,
            use_existing_db: 1,
          };
          const said = await rocks.run("readrandomwriterandom", args);
          rates.theirs.push(said.hits);
          await rocks.remove();
          return said.operations;
        },
      }),
    });
    lines.push({
      what: `50 lookups, then 50 durable writes of 1 MiB, 4 at a time, ${hit * 100} % of the keys are there`,
      unit: "ops/s",
      sides: found,
      bounds: [{ kind: "ratio", against: "RocksDB", atLeast: null }],
    });
    rows.push([
      `${hit * 100} %`,
      digits(median(rates.ours)),
      rates.theirs.length === 0 ? "–" : digits(median(rates.theirs)),
    ]);
  }
  return {
    lines,
    grid: {
      title: "Part of the lookups that found a value",
      header: ["keys there at first", "Tessera", "RocksDB"],
      lines: rows,
      texts: 1,
    },
  };
}

/** Beside RocksDB. */
export async function keyed(setting: Setting): Promise<Omit<Part, "seconds">> {
  const rocks = await Rocks.isHere() ? new Rocks(setting.folder) : null;
  if (rocks === null) console.error("without RocksDB: db_bench isn't installed");
  const written = await writesOnly(setting, rocks), { lines, grid } = await mixes(setting, rocks);
  return {
    name: "keyed",
    title: "Values of 1 MiB by key, beside RocksDB",
    lines: [...written, ...lines],
    grids: [grid],
    notes: [
      "RocksDB: `db_bench` 7.8.3 of Debian, `--sync --compression_type=none --threads=4`, else as it comes; it says of itself that it was built with assertions. Its reads and ours are answered from memory where the page cache has the values.",
      "The hit rate of the study that this follows isn't written down anywhere: 0, 50 and 90 % were taken.",
      "RocksDB writes values to its log and, when 64 MiB are there, to its tables, through the page cache; the store writes them to its log past it, and makes segments when a log has 256 MiB, which isn't reached here.",
      "Half of the keys that are there at first are in a segment, half in a log.",
    ],
  };
}
