/**
 * How long until rows are on the disk, at 10, 100 and 1,000 appends a second, beside plain C that writes and syncs as
 * many blocks of the same size at the same times; and how long until they are seen, here and by another process.
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { visRows } from "./rows.ts";
import type { Grid, Line, Part } from "./report.ts";
import { digits } from "./report.ts";
import { clock, inTurn, output, peer, quantile, remove, type Setting, settle } from "./setting.ts";

/** Rows of an append: 77 KiB. */
const ROWS = 32;
const RATES = [10, 100, 1000];

/** Waits until so many milliseconds of {@linkcode performance.now}, as precisely as timers are, but never spins long. */
async function until(due: number): Promise<void> {
  for (let left = due - performance.now(); left > 0; left = due - performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, left > 2 ? left - 1.5 : 0));
  }
}

/** Does something at a rate, several at once if they take long; milliseconds of each from when it was due. */
async function paced(rate: number, count: number, work: (i: number) => Promise<unknown>): Promise<number[]> {
  const began = performance.now(), all: Promise<number>[] = [];
  for (let i = 0; i < count; i++) {
    const due = began + i * 1000 / rate;
    await until(due);
    // When timers are late, it isn't the store that is.
    const start = performance.now();
    all.push(work(i).then(() => performance.now() - start));
  }
  return await Promise.all(all);
}

async function durable(setting: Setting): Promise<{ lines: Line[]; grid: Grid }> {
  const { folder, quick, rounds } = setting, kind = visRows(ROWS), plain = peer(folder, "ingest_plain.c");
  const lines: Line[] = [], grid: string[][] = [];
  for (const rate of RATES) {
    const seconds = quick ? 1 : rate === 10 ? 4 : 2, count = rate * seconds;
    const all: Record<string, number[]> = { Tessera: [], C: [] };
    const ours = async () => {
      const path = `${folder}/latency`, { columns } = kind;
      const store = IngestStore.open(path, { columns, compaction: false });
      await store.append(kind.batch(0, 0));
      const times = await paced(rate, count, (i) => store.append(kind.batch(0, i + 1)));
      all["Tessera"]!.push(...times);
      await store.close();
      await remove(path);
      return quantile(times, 0.99);
    };
    const c = async () => {
      const block = Math.ceil(kind.bytes / 4096) * 4096;
      const times = (await output(plain!, ["paced", `${folder}/paced`, block, rate, count])).trim().split(
        "\n",
      ).map(Number);
      await remove(`${folder}/paced`);
      all["C"]!.push(...times);
      return quantile(times, 0.99);
    };
    await settle();
    const sides = await inTurn(Math.min(2, rounds), { Tessera: ours, ...(plain !== null && { C: c }) });
    lines.push({
      what: `${rate.toLocaleString("en")} appends a second of ${ROWS} rows: 99 of 100 are durable after`,
      unit: "ms",
      sides,
      bounds: [{ kind: "ratio", against: "C", atLeast: null }],
    });
    const cell = (side: string) =>
      all[side]!.length === 0
        ? "–"
        : [0.5, 0.9, 0.99, 1].map((part) => digits(quantile(all[side]!, part))).join(" / ");
    grid.push([rate.toLocaleString("en"), String(all["Tessera"]!.length), cell("Tessera"), cell("C")]);
  }
  return {
    lines,
    grid: {
      title:
        "Milliseconds from the call of append to durable: median / 9 of 10 / 99 of 100 / all, of all rounds",
      header: ["appends a second", "appends", "Tessera", "C: write and fdatasync"],
      lines: grid,
      texts: 1,
    },
  };
}

/** Milliseconds from the return of append until this process's own reading has the row. */
async function seenHere({ folder, quick }: Setting): Promise<Line> {
  const kind = visRows(1), path = `${folder}/seen`, store = IngestStore.open(path, { columns: kind.columns });
  const times: number[] = [];
  for (let i = 0; i < (quick ? 100 : 500); i++) {
    const sequence = await store.append(kind.batch(0, i)), start = performance.now();
    if (store.nextSequence <= sequence) {
      throw new Error(`row ${sequence} isn't there when append has returned`);
    }
    for await (const { columns } of store.scan({ from: sequence, columns: ["TIME"] })) {
      if ((columns["TIME"] as { data: Float64Array }).data[0] !== i) {
        throw new Error(`row ${sequence} has other values`);
      }
    }
    if (i >= 20) times.push(performance.now() - start);
  }
  await store.close();
  await remove(path);
  return {
    what: "same process: append has returned, until a scan begun then has given the row (99 of 100)",
    unit: "ms",
    sides: { Tessera: [quantile(times, 0.99)], "median": [quantile(times, 0.5)] },
    bounds: [{ kind: "value", atMost: 1 }],
  };
}

/** The same by another process. */
async function seenThere({ folder, quick }: Setting, how: "poll" | "spin"): Promise<Line> {
  const kind = visRows(1), path = `${folder}/seen`, count = quick ? 200 : 1000, returned: number[] = [];
  const store = IngestStore.open(path, { columns: kind.columns });
  const reader = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      new URL("tail-reader.ts", import.meta.url).pathname,
      path,
      how,
      String(count),
    ],
    stdout: "piped",
  }).spawn();
  const lines = reader.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = "";
  while (!text.includes("ready\n")) text += (await lines.next()).value ?? "";
  await paced(200, count, async (i) => {
    const sequence = await store.append(kind.batch(0, i));
    returned[sequence] = clock();
  });
  for (let next = await lines.next(); !next.done; next = await lines.next()) text += next.value;
  await reader.status;
  await store.close();
  await remove(path);
  const seen = text.trim().split("\n").slice(1).map(Number);
  const late = seen.map((at, i) => Math.max(0, at - returned[i]!)).slice(20);
  return {
    what: `another process that ${
      how === "poll" ? "tails (looks every 2 ms)" : "looks all the time"
    }: append has returned, until it has seen the row (median)`,
    unit: "ms",
    sides: {
      "Tessera": [quantile(late, 0.5)],
      "9 of 10": [quantile(late, 0.9)],
      "99 of 100": [quantile(late, 0.99)],
    },
    bounds: how === "spin" ? [{ kind: "value", atMost: 1 }] : [],
  };
}

/** Of single appends. */
export async function latency(setting: Setting): Promise<Omit<Part, "seconds">> {
  const { lines, grid } = await durable(setting);
  const seen = [await seenHere(setting), await seenThere(setting, "spin"), await seenThere(setting, "poll")];
  return {
    name: "latency",
    title: "Durable, and visible",
    lines: [...lines, ...seen],
    grids: [grid],
    notes: [
      "In the same process rows are visible in the stretch in which the promise resolves: `nextSequence` was past them after each append.",
      "In another process rows can be seen as soon as they are in the log's file, before append returns; such times count as 0. Both clocks are the system's.",
    ],
  };
}
