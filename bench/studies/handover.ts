/**
 * What giving values to `putColumnAsync` costs: copied, borrowed or handed over. A program computes blocks of values and
 * puts each; what differs is whose memory the next block is computed in.
 *
 * | way | memory of the next block | the call |
 * | --- | --- | --- |
 * | copy | the same array: it is ours again at once | `copy: true` |
 * | borrow | the same array, after the promise settled | |
 * | borrow, in turn | 64 MiB of arrays, used before, one after the other: no longer in the processor's cache | |
 * | borrow, new | a new array | |
 * | transfer, used | an array made and written to before the clock starts | `transfer: true` |
 * | transfer, new | a new array: the other one is gone | `transfer: true` |
 *
 * So `borrow, in turn` over `borrow` is the cache, `borrow, new` over `borrow, in turn` is new memory, and `transfer, new`
 * over `borrow, new` is the handing over itself.
 *
 *     deno run -A --v8-flags=--expose-gc bench/studies/handover.ts [--rounds=2] [--total=128] [--blocks=256,4096] [--ways=NAME+NAME]
 *
 * Prints JSON: for each block size (KiB) and way, medians over the rounds of the processor's time of the whole process (which
 * doesn't count waiting for other programs) and the time on the clock, in milliseconds of 64 MiB; minor page faults by
 * step; and medians of the ratio to `borrow` of the same round. Where the engine frees what it no longer needs is up to it:
 * what a collection at the end takes counts, and stands beside.
 */
import process from "node:process";
import { array, Table, tiledShape } from "../../mod.ts";
import { inFolder, median, option, print, rounded } from "./study.ts";

const MIB = 2 ** 20, CELL = [4, 64], ROW_BYTES = 2048, IN_TURN = 64 * MIB;
const ALL_WAYS = [
  "copy",
  "borrow",
  "borrow, in turn",
  "borrow, new",
  "transfer, used",
  "transfer, new",
] as const;
const STEPS = ["make", "fill", "call", "wait", "collect"] as const;
type Way = typeof ALL_WAYS[number];
/** `borrow` is what the others are compared with. */
const WAYS = ALL_WAYS.filter((way) => way === "borrow" || option("ways", way).split("+").includes(way));
type Step = typeof STEPS[number];

const collect: () => void = (globalThis as { gc?: () => void }).gc ?? (() => {});

/** Minor page faults of the process so far: field 10 of its `stat`, which ends with plain numbers after the name. */
function faults(): number {
  const text = Deno.readTextFileSync("/proc/self/stat");
  return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[7]);
}

interface Measured {
  ms: number;
  cpu: number;
  steps: Record<Step, { ms: number; faults: number }>;
}

async function run(folder: string, way: Way, block: number, total: number): Promise<Measured> {
  const items = block / 4, rows = block / ROW_BYTES, blocks = total / block;
  const isNew = way.endsWith("new");
  const many = way === "transfer, used"
    ? blocks
    : way === "borrow, in turn"
    ? Math.min(blocks, IN_TURN / block)
    : 1;
  const used = isNew ? [] : Array.from({ length: many }, () => new Float32Array(items).fill(1));
  const options = { copy: way === "copy", transfer: way.startsWith("transfer") };
  const steps = Object.fromEntries(STEPS.map((step) => [step, { ms: 0, faults: 0 }])) as Measured["steps"];
  using table = Table.create(`${folder}/study.tab`, {
    columns: [array("DATA", "complex64", { shape: CELL })],
    storage: [tiledShape("Data", ["DATA"], { tileShape: [...CELL, 64] })],
    rows: total / ROW_BYTES,
    overwrite: true,
    io: "pread",
  });
  // The file has its pages before the clock starts: what is measured is the memory of the values, not that of the file.
  const first = new Float32Array(items);
  for (let i = 0; i < blocks; i++) {
    table.putColumn("DATA", first, { rows: { start: i * rows, end: (i + 1) * rows } });
  }
  collect();
  let time = 0, count = 0;
  const next = (step: Step) => {
    const now = performance.now(), seen = faults();
    steps[step].ms += now - time;
    steps[step].faults += seen - count;
    time = performance.now();
    count = seen;
  };
  const cpu = process.cpuUsage(), began = time = performance.now();
  count = faults();
  for (let i = 0; i < blocks; i++) {
    const values = isNew ? new Float32Array(items) : used[i % used.length]!;
    next("make");
    values.fill(i);
    next("fill");
    const done = table.putColumnAsync("DATA", values, {
      rows: { start: i * rows, end: (i + 1) * rows },
      ...options,
    });
    next("call");
    await done;
    next("wait");
  }
  collect();
  next("collect");
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - began, cpu: (user + system) / 1000, steps };
}

await inFolder(async (folder) => {
  const rounds = Number(option("rounds", "2")), total = Number(option("total", "128")) * MIB;
  const results = [];
  for (const block of option("blocks", "256,4096").split(",").map((kib) => Number(kib) * 1024)) {
    const found = new Map<Way, Measured[]>(WAYS.map((way) => [way, []]));
    for (let round = 0; round <= rounds; round++) {
      // Each round begins with another one, so that none always follows the same.
      for (const way of WAYS.map((_, i) => WAYS[(i + round) % WAYS.length]!)) {
        const measured = await run(folder, way, block, total);
        // The first round warms up and doesn't count.
        if (round > 0) found.get(way)!.push(measured);
      }
    }
    const per64 = 64 * MIB / total, borrow = found.get("borrow")!;
    const ways = Object.fromEntries(WAYS.map((way) => {
      const all = found.get(way)!;
      const middle = (value: (one: Measured) => number) => rounded(median(all.map(value)) * per64);
      const ratio = (value: (one: Measured) => number) =>
        rounded(median(all.map((one, i) => value(one) / value(borrow[i]!))));
      const step = (name: Step) => ({
        ms: middle(({ steps }) => steps[name].ms),
        faults: Math.round(median(all.map(({ steps }) => steps[name].faults)) * per64),
      });
      return [way, {
        cpuMs: middle(({ cpu }) => cpu),
        ms: middle(({ ms }) => ms),
        cpuToBorrow: ratio(({ cpu }) => cpu),
        msToBorrow: ratio(({ ms }) => ms),
        steps: Object.fromEntries(STEPS.map((name) => [name, step(name)])),
      }];
    }));
    results.push({ blockKiB: block / 1024, ways });
  }
  print(results);
});
