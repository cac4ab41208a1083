/**
 * Sealed rows, which are read from mapped files, and growing ones, which are read from the log: by size of a request, with the
 * files in the page cache or not, in order and at random, by 1 to 8 readers. A reader is a worker that has the store open for reading.
 *
 * The bound is against what a reader behind a writer got of a growing table in bench/studies/mapped.ts (`pread`, one reader),
 * which runs in turn with the rest.
 */
import { array, tiledShape } from "../../mod.ts";
import { IngestStore } from "../../src/ingest/mod.ts";
import { digits, type Grid, type Line, type Part } from "./report.ts";
import type { Told } from "./reading-worker.ts";
import { inTurn, MIB, output, peer, remove, type Setting, settle } from "./setting.ts";

const ROW_BYTES = 1024, COLUMNS = [array("DATA", "float64", { shape: [128] })];
const SIZES = [1, 16, 256, 1024, 10240].map((kib) => kib * 1024);
/** Rows of an append: 64 KiB. */
const APPEND_ROWS = 64;
/** Readers of all, and of a run through cold files. */
const READERS = [1, 2, 4, 8], COLD_READERS = [1, 8];
const STORES = ["sealed", "growing"] as const, ORDERS = ["in order", "at random"] as const;

type Name = typeof STORES[number];
type Order = typeof ORDERS[number];

/** Where the requests of one reader begin; readers begin in different places. */
function starts(order: Order, size: number, reader: number, total: number): number[] {
  const rows = size / ROW_BYTES, places = Math.floor(total / size), first = Math.floor(places * reader / 8);
  const count = Math.max(4, Math.min(128, Math.floor(8 * MIB / size)));
  let state = 12345 + reader;
  return Array.from({ length: count }, (_, i) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return (order === "in order" ? (first + i) % places : Math.floor(state / 2 ** 31 * places)) * rows;
  });
}

class Reader {
  readonly #worker = new Worker(new URL("reading-worker.ts", import.meta.url), { type: "module" });

  ask(told: Told): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data as number);
      this.#worker.onerror = ({ message }) => reject(new Error(message));
      this.#worker.postMessage(told);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}

async function makeStores(folder: string, total: number): Promise<Record<Name, string>> {
  const paths = { sealed: `${folder}/sealed`, growing: `${folder}/growing` };
  const values = Float64Array.from({ length: APPEND_ROWS * 128 }, (_, i) => i % 8191);
  for (const name of STORES) {
    const storage = [tiledShape("Data", ["DATA"], { tileShape: [128, 1024] })];
    const store = IngestStore.open(paths[name], {
      columns: COLUMNS,
      storage,
      logBytes: 2 ** 40,
      compaction: false,
    });
    const waiting: Promise<number>[] = [];
    for (let i = 0; i < total / ROW_BYTES / APPEND_ROWS; i++) {
      waiting.push(store.append({ DATA: values }));
      if (waiting.length >= 16) await waiting.shift();
    }
    await Promise.all(waiting);
    if (name === "sealed") await store.seal();
    await store.close();
  }
  await settle();
  return paths;
}

/** Drops the pages of all files of a store. */
async function forget(program: string, path: string): Promise<void> {
  for (const { name, isFile, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) await forget(program, `${path}/${name}`);
    else if (isFile && Deno.statSync(`${path}/${name}`).size > 0) await output(program, [`${path}/${name}`]);
  }
}

/** MiB a second of all readers together. */
async function rate(list: readonly Reader[], size: number, order: Order, total: number): Promise<number> {
  const all = list.map((_, i) => starts(order, size, i, total));
  const began = performance.now();
  const times = await Promise.all(list.map((one, i) => one.ask({ rows: size / ROW_BYTES, starts: all[i]! })));
  // A single reader's own clock doesn't count the way to it and back.
  const ms = list.length === 1 ? times[0]! : performance.now() - began;
  return all.length * all[0]!.length * size / MIB / (ms / 1000);
}

/** What the study comes to by size of a request: MiB a second. */
async function studied(folder: string): Promise<Map<number, number>> {
  const text = await output(Deno.execPath(), [
    "run",
    "-A",
    "--quiet",
    new URL("../studies/mapped.ts", import.meta.url).pathname,
    "--ways=growing",
    "--rounds=1",
    "--readers=1",
    `--sizes=${SIZES.map((size) => size / 1024).join()}`,
    `--folder=${folder}`,
  ]);
  const { results } = JSON.parse(text) as { results: { cases: { KiB: number; pread: { ms: number } }[] } };
  return new Map(results.cases.map(({ KiB, pread }) => [KiB * 1024, KiB / 1024 / (pread.ms / 1000)]));
}

const said = (size: number) => size < MIB ? `${size / 1024} KiB` : `${size / MIB} MiB`;

async function bounded(
  setting: Setting,
  paths: Record<Name, string>,
  reader: Reader,
  total: number,
): Promise<Line[]> {
  const found = SIZES.map(() => ({ sealed: [] as number[], growing: [] as number[], study: [] as number[] }));
  for (let round = 0; round <= Math.min(3, setting.rounds); round++) {
    const study = await studied(setting.folder);
    for (const name of STORES) {
      await reader.ask({ open: paths[name] });
      for (const [i, size] of SIZES.entries()) {
        await rate([reader], size, "in order", total);
        const value = await rate([reader], size, "in order", total);
        if (round > 0) found[i]![name].push(value);
        if (round > 0 && name === "sealed") found[i]!.study.push(study.get(size)!);
      }
      await reader.ask("close");
    }
  }
  return SIZES.map((size, i) => ({
    what: `sealed rows, warm, in order, one reader, ${said(size)} a request`,
    unit: "MiB/s",
    sides: {
      "Tessera": found[i]!.sealed,
      "growing rows": found[i]!.growing,
      "the study's growing table": found[i]!.study,
    },
    bounds: [
      { kind: "ratio", against: "the study's growing table", atLeast: 4 },
      { kind: "ratio", against: "growing rows", atLeast: null },
    ],
  }));
}

async function matrix(
  setting: Setting,
  paths: Record<Name, string>,
  list: readonly Reader[],
  total: number,
): Promise<Grid> {
  const program = peer(setting.folder, "../studies/forget.c"),
    lines: string[][] = [];
  for (const cache of ["warm", "cold"] as const) {
    if (cache === "cold" && program === null) continue;
    for (const order of ORDERS) {
      for (const count of cache === "warm" ? READERS : COLD_READERS) {
        const some = list.slice(0, count), line: string[] = [cache, order, String(count)];
        for (const size of SIZES) {
          const way = (name: Name) => async () => {
            if (cache === "cold") await forget(program!, paths[name]);
            await Promise.all(some.map((one) => one.ask({ open: paths[name] })));
            if (cache === "warm") await rate(some, size, order, total);
            const value = await rate(some, size, order, total);
            await Promise.all(some.map((one) => one.ask("close")));
            return value;
          };
          line.push(`${digits(await way("sealed")())} / ${digits(await way("growing")())}`);
        }
        lines.push(line);
      }
    }
  }
  return {
    title: "MiB a second of all readers together, sealed / growing, by bytes of a request (one round)",
    header: ["pages", "order", "readers", ...SIZES.map(said)],
    lines,
    texts: 2,
  };
}

/** What is read by `scan`, in batches of so many bytes, in fresh memory. */
async function scans(setting: Setting, paths: Record<Name, string>, total: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (const maxBytes of [64 * 1024, MIB, 8 * MIB]) {
    const way = (name: Name) => async () => {
      await using store = IngestStore.open(paths[name], { mode: "r" });
      const began = performance.now();
      let rows = 0;
      for await (const batch of store.scan({ maxBytes })) rows += batch.rowCount;
      if (rows !== total / ROW_BYTES) throw new Error(`a scan gave ${rows} rows`);
      return total / MIB / ((performance.now() - began) / 1000);
    };
    const { sealed, growing } = await inTurn(setting.rounds, {
      sealed: way("sealed"),
      growing: way("growing"),
    });
    lines.push({
      what: `scan of all sealed rows, warm, batches of ${said(maxBytes)} in fresh memory`,
      unit: "MiB/s",
      sides: { "Tessera": sealed!, "growing rows": growing! },
      bounds: [{ kind: "ratio", against: "growing rows", atLeast: null }],
    });
  }
  return lines;
}

/** Sealed and growing. */
export async function reading(setting: Setting): Promise<Omit<Part, "seconds">> {
  const total = (setting.quick ? 32 : 64) * MIB, paths = await makeStores(setting.folder, total);
  const list = Array.from({ length: Math.max(...READERS) }, () => new Reader());
  try {
    const lines = [...await bounded(setting, paths, list[0]!, total), ...await scans(setting, paths, total)];
    const grid = await matrix(setting, paths, list, total);
    return {
      name: "reading",
      title: "Reading sealed and growing rows",
      lines,
      grids: [grid],
      notes: [
        `Rows of 1 KiB, ${
          total / MIB
        } MiB in each store, appended ${APPEND_ROWS} at a time; requests are getColumn of a snapshot into an array that is used again.`,
        "Cold: the pages of the store's files were dropped (`posix_fadvise`, DONTNEED); the host of a virtual machine may still have them.",
      ],
    };
  } finally {
    for (const one of list) one.end();
    for (const path of Object.values(paths)) await remove(path);
  }
}
