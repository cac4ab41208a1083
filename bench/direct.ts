/**
 * Sustained writing past the page cache: a column of visibilities, appended block by block and made safe at the end, with
 * backend `direct` and with `pread`, and plain C doing the same writes to a file, with O_DIRECT and without. All take turns.
 *
 *   deno run -A bench/direct.ts [DIRECTORY] [--total=MiB] [--rounds=N] [--blocks=KiB,KiB] [--json]
 *
 * Prints JSON: for every block size and way the seconds of each round, their median and their spread (the difference of
 * the largest and the smallest over the median), and the ratios to plain C. With `--json` what joins the bench's results.
 */
import { allocate, array, Table, tiledShape } from "../mod.ts";
import { type Figure, median, type Result, spreadOf } from "./report.ts";
import { work } from "./works.ts";

const MIB = 2 ** 20;
const CELL = [4, 64];
const ROW_BYTES = CELL[0]! * CELL[1]! * 8;
/** What the writes go round in, as in `peers/plain_write.c`. */
const SOURCE_BYTES = 64 * MIB;

const ALIGNED = "tessera direct, array of allocate()", ANY = "tessera direct, any array";
const ALIGNED_ASYNC = `${ALIGNED}, putColumnAsync`, ANY_ASYNC = `${ANY}, putColumnAsync`;
const OURS = [ALIGNED, ANY, ALIGNED_ASYNC, ANY_ASYNC], PREAD = "tessera pread";
const C_DIRECT = "C direct", C_BUFFERED = "C buffered";

interface Options {
  readonly directory: string;
  readonly total: number;
  readonly rounds: number;
  readonly blocks: readonly number[];
}

function optionsOf(args: readonly string[]): Options {
  const value = (name: string, other: string) =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? other;
  return {
    directory: args.find((arg) => !arg.startsWith("--")) ?? ".",
    total: Number(value("total", "512")) * MIB,
    rounds: Number(value("rounds", "7")),
    blocks: value("blocks", "1024,16384").split(",").map((n) => Number(n) * 1024),
  };
}

/** Values at an address that is `beside` bytes past a multiple of a page. */
function source(beside: number): Float32Array {
  const room = allocate("uint8", SOURCE_BYTES + 4096) as Uint8Array;
  const values = new Float32Array(room.buffer, room.byteOffset + beside, SOURCE_BYTES / 4);
  for (let i = 0; i < values.length; i++) values[i] = i % 8191;
  return values;
}

interface Run {
  readonly io: "direct" | "pread";
  /** By `putColumnAsync`. */
  readonly async?: boolean;
}

async function tessera(
  path: string,
  { io, async = false }: Run,
  values: Float32Array,
  total: number,
  block: number,
) {
  const rows = block / ROW_BYTES, began = performance.now();
  const table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: CELL })],
    storage: [tiledShape("Data", ["DATA"], { tileShape: [...CELL, Math.min(rows, MIB / ROW_BYTES)] })],
    io,
  });
  const items = block / 4, places = Math.floor(SOURCE_BYTES / block);
  for (let i = 0; i < total / block; i++) {
    const at = i % places * items, some = values.subarray(at, at + items);
    const where = { rows: { start: i * rows, end: (i + 1) * rows } };
    table.addRows(rows);
    if (async) await table.putColumnAsync("DATA", some, where);
    else table.putColumn("DATA", some, where);
  }
  table.flush({ durable: true });
  const { calls, directBytes, copiedBytes, fallbacks } = table.ioStats;
  table.close();
  const seconds = (performance.now() - began) / 1000;
  return { seconds, calls: { write: calls.write, sync: calls.sync }, directBytes, copiedBytes, fallbacks };
}

async function plain(program: string, path: string, total: number, block: number, how: string) {
  const { stdout, success } = await new Deno.Command(program, {
    args: [path, String(total), String(block), how],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("plain_write failed");
  const { write, sync } = JSON.parse(new TextDecoder().decode(stdout));
  return { seconds: write + sync };
}

function summary(seconds: readonly number[], total: number) {
  const typical = median(seconds);
  return {
    seconds: seconds.map((s) => Number(s.toFixed(4))),
    median: Number(typical.toFixed(4)),
    spread: Number(spreadOf(seconds).toFixed(3)),
    GBperSecond: Number((total / typical / 1e9).toFixed(2)),
  };
}

async function compile(folder: string): Promise<string> {
  const program = `${folder}/plain_write`;
  const code = new URL("peers/plain_write.c", import.meta.url).pathname;
  const { success } = await new Deno.Command("cc", { args: ["-O2", "-o", program, code], stderr: "inherit" })
    .output();
  if (!success) throw new Error("peers/plain_write.c doesn't compile");
  return program;
}

/** As the bench has it: of plain C with O_DIRECT, and the spread of the rounds over that of plain C through the page cache. */
function joined(block: number, total: number, times: ReadonlyMap<string, readonly number[]>) {
  const results: Result[] = [], figures: Figure[] = [];
  const ms = (way: string) => times.get(way)!.map((seconds) => seconds * 1000);
  const [rows, said] = [total / ROW_BYTES, `blocks of ${block / MIB} MiB`];
  for (const way of OURS) {
    const ours = ms(way),
      title = `sustained writing, ${way.replace("tessera ", "")}, ${said}`;
    const headline = way === ALIGNED && block === MIB
      ? { headline: "sustained direct writing, of plain C" }
      : {};
    results.push({
      work: work(`direct-${OURS.indexOf(way)}`, title, "direct", 0.9, {
        against: "limit",
        argument: String(block / 1024),
        fixedRows: rows,
        ...headline,
      }),
      rows,
      times: { tessera: ours, limit: ms(C_DIRECT) },
      calls: {},
    });
    figures.push({
      title: `sustained writing, ${
        way.replace("tessera ", "")
      }, ${said}: spread ÷ that of C with write and fdatasync`,
      unit: "",
      value: spreadOf(ours) / spreadOf(ms(C_BUFFERED)),
      atMost: 0.5,
      peers: { "C direct": spreadOf(ms(C_DIRECT)) / spreadOf(ms(C_BUFFERED)) },
    });
  }
  return { results, figures };
}

async function main(): Promise<void> {
  const { directory, total, rounds, blocks } = optionsOf(Deno.args);
  const folder = await Deno.makeTempDir({ dir: directory, prefix: "tessera-bench-" });
  try {
    const program = await compile(folder), path = `${folder}/written`;
    const aligned = source(0), any = source(16);
    const results = [], forBench = { results: [] as Result[], figures: [] as Figure[] };
    for (const block of blocks) {
      const ways: Record<string, () => Promise<{ seconds: number }>> = {
        [ALIGNED]: () => tessera(path, { io: "direct" }, aligned, total, block),
        [C_DIRECT]: () => plain(program, path, total, block, "direct"),
        [ANY]: () => tessera(path, { io: "direct" }, any, total, block),
        [ALIGNED_ASYNC]: () => tessera(path, { io: "direct", async: true }, aligned, total, block),
        [C_BUFFERED]: () => plain(program, path, total, block, "buffered"),
        [ANY_ASYNC]: () => tessera(path, { io: "direct", async: true }, any, total, block),
        [PREAD]: () => tessera(path, { io: "pread" }, any, total, block),
      };
      const times = new Map<string, number[]>(), last = new Map<string, unknown>();
      // The first round warms up and doesn't count.
      for (let round = 0; round <= rounds; round++) {
        for (const [way, run] of Object.entries(ways)) {
          const { seconds, ...more } = await run();
          await Deno.remove(path, { recursive: true });
          if (round > 0) times.set(way, [...times.get(way) ?? [], seconds]);
          last.set(way, more);
        }
      }
      const { results: lines, figures } = joined(block, total, times);
      forBench.results.push(...lines);
      forBench.figures.push(...figures);
      const of = (way: string) => times.get(way)!;
      const spread = (way: string) => summary(of(way), total).spread;
      const rounded = (value: number) => Number(value.toFixed(3));
      const each = (value: (way: string) => number) =>
        Object.fromEntries(OURS.map((way) => [way, rounded(value(way))]));
      results.push({
        blockKiB: block / 1024,
        ways: Object.fromEntries(
          [...times].map(([way, s]) => [way, { ...summary(s, total), ...last.get(way)! }]),
        ),
        speedOfPlainDirect: each((way) =>
          median(of(C_DIRECT).map((seconds, round) => seconds / of(way)[round]!))
        ),
        spreadToBuffered: each((way) => spread(way) / spread(C_BUFFERED)),
      });
    }
    if (Deno.args.includes("--json")) console.log(JSON.stringify(forBench));
    else console.log(JSON.stringify({ totalMiB: total / MIB, rounds, results }, null, 2));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
