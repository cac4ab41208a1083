/**
 * Merging segments: how fast beside a copy of the same bytes in plain C, how much slower reading gets meanwhile, and how long
 * appends are held up.
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { LoopWatch } from "./own-time.ts";
import { visRows } from "./rows.ts";
import { append } from "./sustained.ts";
import type { Line, Part } from "./report.ts";
import { clock, inTurn, MIB, output, peer, quantile, remove, type Setting, settle } from "./setting.ts";

const SEGMENTS = 4;
/** A merge that keeps to a rate: bytes a second, read and written. */
const GENTLE = 100 * MIB;

const kind = visRows();

/** A store with some segments that nobody has merged. */
async function filled(path: string, bytes: number, bytesPerSecond = Infinity): Promise<IngestStore> {
  const store = IngestStore.open(path, {
    columns: kind.columns,
    logBytes: 2 ** 40,
    graceMs: 0,
    compaction: { automatic: false, bytesPerSecond },
  });
  for (let i = 0; i < SEGMENTS; i++) {
    await append(store, kind, bytes / SEGMENTS);
    await store.seal();
  }
  await settle();
  return store;
}

/** The files of a store's segments. */
function files(path: string, store: IngestStore): string[] {
  return store.manifest.segments.flatMap(({ name }) => {
    const folder = `${path}/segments/${name}`;
    return [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map((file) =>
      `${folder}/${file.name}`
    );
  });
}

async function bulk({ folder, rounds }: Setting, bytes: number): Promise<Line[]> {
  const path = `${folder}/merged`, plain = peer(folder, "ingest_plain.c");
  const copies = { buffered: [] as number[], direct: [] as number[] };
  const { Tessera } = await inTurn(rounds, {
    Tessera: async () => {
      const store = await filled(path, bytes);
      // The copies come first: they are of the segments that are merged then.
      for (const how of ["buffered", "direct"] as const) {
        if (plain === null) continue;
        const to = `${folder}/copy`, said = await output(plain, ["copy", how, to, ...files(path, store)]);
        const [seconds, copied] = said.split(" ").map(Number);
        copies[how].push(copied! / MIB / seconds!);
        await remove(to);
        await settle();
      }
      const began = performance.now();
      const { merges, bytesRead } = await store.compact({ all: true });
      const seconds = (performance.now() - began) / 1000;
      if (merges !== 1) throw new Error(`${merges} merges`);
      await store.close();
      await remove(path);
      return bytesRead / MIB / seconds;
    },
  });
  const [buffered, direct] = ["copy and fsync in C", "copy to O_DIRECT and fsync in C"] as const;
  return [{
    what: `${SEGMENTS} segments of ${bytes / SEGMENTS / MIB} MiB merged into one, published, durable`,
    unit: "MiB/s",
    sides: {
      Tessera: Tessera!,
      ...(plain !== null && { [buffered]: copies.buffered.slice(1), [direct]: copies.direct.slice(1) }),
    },
    bounds: [buffered, direct].map((against) => ({ kind: "ratio", against, atLeast: 0.5 })),
  }];
}

/** MiB a second of scans of DATA while something runs. */
async function scanned(
  store: IngestStore,
  during: Promise<unknown> | null,
  leastMs: number,
): Promise<number> {
  let bytes = 0, running = during !== null;
  void during?.then(() => running = false);
  const began = performance.now();
  do {
    for await (const { rowCount } of store.scan({ columns: ["DATA"] })) {
      bytes += rowCount * 2048;
      if (during !== null && !running) break;
    }
  } while (running || performance.now() - began < (during === null ? leastMs : 0));
  return bytes / MIB / ((performance.now() - began) / 1000);
}

/** A process that scans, and what it has said. */
class Scanner {
  readonly #process: Deno.ChildProcess;
  readonly #said: { readonly at: number; readonly bytes: number }[] = [];
  readonly #read: Promise<void>;

  constructor(path: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("scan-reader.ts", import.meta.url).pathname, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#read = this.#listen();
  }

  async #listen(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const [at, bytes] = line.split(" ").map(Number);
        this.#said.push({ at: at!, bytes: bytes! });
      }
    }
  }

  /** MiB a second while something goes on; begins when it has been scanning for so many milliseconds. */
  async during(warmMs: number, work: () => Promise<unknown>): Promise<number> {
    while (this.#said.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, warmMs));
    const from = clock();
    await work();
    const to = clock();
    // What it said last may still be on its way.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const some = this.#said.filter(({ at }) => at >= from && at <= to), first = some[0], last = some.at(-1);
    if (first === undefined || last === first) throw new Error("the reader got nothing");
    return (last!.bytes - first.bytes) / MIB / ((last!.at - first.at) / 1000);
  }

  async end(): Promise<void> {
    await this.#process.stdin.close();
    await this.#read;
    await this.#process.status;
  }
}

async function reads(setting: Setting, bytes: number): Promise<Line[]> {
  const { folder, rounds } = setting, path = `${folder}/merged`, lines: Line[] = [];
  const rates = [["as fast as it can", Infinity], [`${GENTLE / MIB} MiB a second`, GENTLE]] as const;
  for (const where of ["writer's", "another"] as const) {
    for (const [said, rate] of rates) {
      const alone: number[] = [];
      const { Tessera } = await inTurn(Math.min(2, rounds), {
        Tessera: async () => {
          const store = await filled(path, bytes, rate),
            scanner = where === "another" ? new Scanner(path) : null;
          const merge = async () => {
            const stop = new AbortController(), timer = setTimeout(() => stop.abort(), 2000);
            await store.compact({ all: true, signal: stop.signal }).catch(() => {});
            clearTimeout(timer);
          };
          let value: number;
          if (scanner === null) {
            await scanned(store, null, 200);
            alone.push(await scanned(store, null, 1000));
            value = await scanned(store, merge(), 0);
          } else {
            alone.push(await scanner.during(300, () => new Promise((resolve) => setTimeout(resolve, 1000))));
            value = await scanner.during(0, merge);
            await scanner.end();
          }
          await store.close();
          await remove(path);
          return value;
        },
      });
      lines.push({
        what: `scans of DATA in ${
          where === "another" ? "another" : "the writer's"
        } process during a merge, ${said}`,
        unit: "MiB/s",
        sides: { Tessera: Tessera!, "without a merge": alone.slice(1) },
        bounds: [{ kind: "ratio", against: "without a merge", atLeast: 0.8 }],
      });
    }
  }
  return lines;
}

/** Appends of an integration, 50 a second, while something runs. */
async function held(store: IngestStore, during: Promise<unknown> | null, watch: LoopWatch) {
  let running = during !== null;
  void during?.then(() => running = false);
  const times: Promise<number>[] = [], began = performance.now();
  watch.start();
  for (let i = 0; running || (during === null && i < 50); i++) {
    const start = performance.now();
    times.push(store.append(kind.batch(0, i)).then(() => performance.now() - start));
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, began + (i + 1) * 20 - performance.now()))
    );
  }
  const loop = watch.stop(), all = await Promise.all(times);
  return { ...loop, median: quantile(all, 0.5), most: quantile(all, 0.99) };
}

async function appends(setting: Setting, bytes: number): Promise<Line[]> {
  const { folder, rounds } = setting, path = `${folder}/merged`, watch = new LoopWatch();
  const alone: Awaited<ReturnType<typeof held>>[] = [], merging: typeof alone = [];
  await inTurn(Math.min(3, rounds), {
    Tessera: async () => {
      const store = await filled(path, bytes);
      const without = await held(store, null, watch);
      const merge = store.compact({ all: true }), during = await held(store, merge, watch);
      await merge;
      await store.close();
      await remove(path);
      alone.push(without);
      merging.push(during);
      return 0;
    },
  });
  watch.close();
  const of = (list: typeof alone, name: keyof typeof alone[number]) =>
    list.slice(1).map((each) => each[name]);
  const line = (what: string, name: keyof typeof alone[number], worst = false): Line => ({
    what,
    unit: "ms",
    sides: { "Tessera": of(merging, name), "without a merge": of(alone, name) },
    bounds: worst ? [{ kind: "worst", atMost: 10 }] : [],
  });
  return [
    line("50 appends a second during a merge: longest that our thread worked without a turn", "own", true),
    line("the same with waiting for locks and the disk, but not for a processor", "blocked", true),
    line("the same: median of the appends is durable after", "median"),
    line("the same: 99 of 100 are durable after", "most"),
  ];
}

/** Merging, and what it costs the others. */
export async function compaction(setting: Setting): Promise<Omit<Part, "seconds">> {
  const bytes = (setting.quick ? 128 : 384) * MIB;
  const lines = [
    ...await bulk(setting, bytes),
    ...await reads(setting, bytes),
    ...await appends(setting, bytes),
  ];
  return {
    name: "compaction",
    title: "Compaction",
    lines,
    grids: [],
    notes: [
      `${kind.title[0]!.toUpperCase()}${
        kind.title.slice(1)
      }. The copy is of the same segments' files, in pieces of 1 MiB from the page cache, to the page cache or past it, then fsync; rates are of bytes read. A merge decodes rows, tiles them anew and publishes.`,
      "The merge is in a worker of the writer's process, appends in its main thread: with two cores each has one, and they share the memory and the disk.",
    ],
  };
}
