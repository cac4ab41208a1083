/**
 * How long the event loop is blocked while 200 MB are put and got without blocking, and how long that takes beside the
 * calls that block and beside python-casacore's getcol and putcol, in turn.
 *
 *     deno run -A --v8-flags=--expose-gc bench/event_loop.ts [--io pread] [--rounds 10] [--byte-order little] [--tile 4,64,64]
 *         [--rows 100000] [--json]
 *
 * In every second round a timer ticks every millisecond; times are those of the other rounds. The longest time between two
 * ticks is the *gap*. On a machine with other work a gap has a part in which our thread wanted to run and didn't get a processor: Linux counts that in
 * `/proc/thread-self/schedstat`. *Blocked* is the longest gap without it: what is left is our own work, or waiting for a
 * lock or the disk. *Own* is the longest time that our thread worked between two ticks, in the engine or the system.
 *
 * The engine gives the memory of large arrays that nobody needs any more back when others are allocated, and holds our thread up for
 * 60 ms and more for 200 MB. With `--v8-flags=--expose-gc` that is done between the measurements; without, it is in them.
 * With `--json` it prints what joins the bench's results.
 */
import { parseArgs } from "node:util";
import { array, type IoName, Table, tiledShape } from "../mod.ts";
import type { Figure } from "./report.ts";

const { values: given } = parseArgs({
  options: {
    io: { type: "string", default: "auto" },
    rounds: { type: "string", default: "10" },
    rows: { type: "string", default: "100000" },
    "byte-order": { type: "string", default: "little" },
    tile: { type: "string", default: "4,64,64" },
    json: { type: "boolean", default: false },
  },
});
const io = given.io as IoName | "auto", byteOrder = given["byte-order"] as "little" | "big";
const rounds = Number(given.rounds), rows = Number(given.rows);
const tileShape = given.tile.split(",").map(Number);
/** What a request may keep the event loop from other work at a time, in milliseconds. */
const MOST_MS = 10;
const ITEMS = 4 * 64 * 2;

function openSpent(): Deno.FsFile | null {
  try {
    return Deno.openSync("/proc/thread-self/schedstat");
  } catch {
    return null;
  }
}
// Opened once, read into the same memory: what looks should not wait for memory itself.
const file = openSpent(), text = new Uint8Array(100);

/** Milliseconds that this thread worked so far, and waited for a processor. */
function spent(): { own: number; wait: number } {
  if (file === null) return { own: NaN, wait: 0 };
  file.seekSync(0, Deno.SeekMode.Start);
  const length = file.readSync(text) ?? 0, numbers = [0, 0, 0];
  for (let i = 0, k = 0; i < length && k < 2; i++) {
    if (text[i] === 32) k++;
    else numbers[k] = numbers[k]! * 10 + text[i]! - 48;
  }
  return { own: numbers[0]! / 1e6, wait: numbers[1]! / 1e6 };
}

interface Measured {
  ms: number;
  gap: number;
  blocked: number;
  own: number;
}

async function measure(work: () => unknown, probing: boolean): Promise<Measured> {
  let gap = 0, blocked = 0, own = 0, last = performance.now(), before = spent();
  const tick = () => {
    const after = spent(), now = performance.now();
    gap = Math.max(gap, now - last);
    blocked = Math.max(blocked, now - last - (after.wait - before.wait));
    own = Math.max(own, after.own - before.own);
    last = performance.now();
    before = after;
  };
  const timer = probing ? setInterval(tick, 1) : undefined;
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 300));
  tick();
  gap = blocked = own = 0;
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  tick();
  clearInterval(timer);
  return probing ? { ms: NaN, gap, blocked, own } : { ms, gap: NaN, blocked: NaN, own: NaN };
}

const results = new Map<string, Measured[]>();
let round = 0;
async function note(what: string, work: () => unknown): Promise<void> {
  const measured = await measure(work, round % 2 === 1);
  const list = results.get(what) ?? [];
  results.set(what, [...list, measured]);
}

/** A process of python-casacore that does what it is told, a line each. */
class Casacore {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor() {
    const script = `
import sys, time, numpy as np
from casacore.tables import table
values = (np.arange(${rows} * 256) % 1000).astype(np.complex64).reshape(${rows}, 64, 4)
print("ready", flush=True)
for line in sys.stdin:
    what, path = line.split()
    t = table(path, readonly=what == "get", ack=False)
    if what == "put":
        start = time.perf_counter(); t.putcol("DATA", values); t.flush(); took = time.perf_counter() - start
    else:
        start = time.perf_counter(); got = t.getcol("DATA"); took = time.perf_counter() - start
        del got
    t.close(); del t
    print(took * 1000, flush=True)
`;
    this.#process = new Deno.Command("/usr/bin/python3", {
      args: ["-c", script],
      stdin: "piped",
      stdout: "piped",
    })
      .spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#writer = this.#process.stdin.getWriter();
  }

  #rest = "";

  async #line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("python-casacore isn't here, or gave up");
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n"), line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  async ready(): Promise<void> {
    await this.#line();
  }

  async ask(what: "get" | "put", path: string): Promise<number> {
    await this.#writer.write(new TextEncoder().encode(`${what} ${path}\n`));
    return Number(await this.#line());
  }

  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#process.status;
  }
}

const folder = Deno.makeTempDirSync({ prefix: "tessera_event_loop_" });
const values = Float32Array.from({ length: rows * ITEMS }, (_, i) => i % 1000);
function create(name: string): Table {
  return Table.create(`${folder}/${name}`, {
    columns: [array("DATA", "complex64", { shape: [4, 64] })],
    storage: [tiledShape("T", ["DATA"], { tileShape })],
    rows,
    overwrite: true,
    byteOrder,
    io,
  });
}

let casacore: Casacore | null = new Casacore();
try {
  await casacore.ready();
} catch {
  casacore = null;
}
try {
  for (; round < rounds; round++) {
    const name = `table${round}`;
    await note("nothing, for 200 ms", () => new Promise((resolve) => setTimeout(resolve, 200)));
    {
      using table = create(name);
      await note("putColumn and flush, new table", () => {
        table.putColumn("DATA", values);
        table.flush();
      });
    }
    for (const transfer of [false, true]) {
      using table = create(name);
      const taken = transfer ? values.slice() : values;
      await note(`putColumnAsync, new table${transfer ? ", transfer" : ""}`, async () => {
        await table.putColumnAsync("DATA", taken, { transfer });
      });
      if (transfer) continue;
      table.flush();
      await note("putColumnAsync over what is committed", () => table.putColumnAsync("DATA", values));
    }
    const path = `${folder}/${name}`;
    {
      using table = Table.open(path, { io });
      await note("getColumn, fresh memory", () => table.getColumn("DATA"));
    }
    {
      using table = Table.open(path, { io });
      await note("getColumnAsync, fresh memory", () => table.getColumnAsync("DATA"));
    }
    const into = new Float32Array(values.length).fill(1);
    {
      using table = Table.open(path, { io });
      await note("getColumn into an array", () => table.getColumn("DATA", { into }));
      await note("getColumnAsync into a borrowed array", () => table.getColumnAsync("DATA", { into }));
      await note("getColumnAsync, transfer", () => table.getColumnAsync("DATA", { into, transfer: true }));
    }
    if (casacore !== null) {
      for (const what of ["get", "put"] as const) {
        const ms = await casacore.ask(what, path);
        const side = what === "get"
          ? "casacore getcol, fresh memory"
          : "casacore putcol and flush, over old values";
        results.set(side, [...results.get(side) ?? [], { ms, gap: NaN, blocked: NaN, own: NaN }]);
      }
    }
    Deno.removeSync(path, { recursive: true });
  }
} finally {
  await casacore?.close();
  Deno.removeSync(folder, { recursive: true });
}

const known = (list: readonly number[]) => list.filter((each) => !Number.isNaN(each));
function median(list: readonly number[]): number {
  const sorted = known(list).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}
/**
 * Of the calls that don't block, the longest time that our thread worked between two ticks; beside it that with waiting for
 * locks and the disk, and that of the call that blocks.
 */
function figures(): Figure[] {
  const longest = (what: string, of: "own" | "blocked") =>
    Math.max(0, ...known((results.get(what) ?? []).map((each) => each[of])));
  const blocking = (what: string) =>
    what.startsWith("put")
      ? "putColumn and flush, new table"
      : what.includes("fresh")
      ? "getColumn, fresh memory"
      : "getColumn into an array";
  return [...results.keys()].filter((what) => what.includes("Async")).map((what) => ({
    title: `event loop, ${rows.toLocaleString("en")} rows, ${what}: longest stretch of our own work`,
    unit: "ms",
    value: longest(what, "own"),
    atMost: MOST_MS,
    peers: { "with waiting": longest(what, "blocked"), [blocking(what)]: longest(blocking(what), "own") },
  }));
}

function print(): void {
  const shown = (ms: number) => (!Number.isFinite(ms) ? "" : ms.toFixed(1)).padStart(8);
  console.log(
    `${rows} rows of complex64 [4, 64], tiles [${tileShape}], ${byteOrder} endian, io ${io}, ${rounds} rounds`,
  );
  console.log(
    `${"".padEnd(44)}  median     min   gap: median  max   blocked: median  max   own: median  max  (ms)`,
  );
  for (const [what, list] of results) {
    const ms = list.map((each) => each.ms), gaps = list.map(({ gap }) => gap);
    const blocked = list.map((each) => each.blocked), own = list.map((each) => each.own);
    console.log(
      what.padEnd(44),
      shown(median(ms)),
      shown(Math.min(...known(ms))),
      shown(median(gaps)),
      shown(Math.max(...known(gaps))),
      shown(median(blocked)),
      shown(Math.max(...known(blocked))),
      shown(median(own)),
      shown(Math.max(...known(own))),
    );
  }
  const getcol = results.get("casacore getcol, fresh memory");
  if (getcol !== undefined) {
    for (const what of ["getColumn, fresh memory", "getColumnAsync, fresh memory"]) {
      const ratios = results.get(what)!.map(({ ms }, round) => getcol[round]!.ms / ms);
      console.log(`casacore's time over that of ${what}: median ${median(ratios).toFixed(2)}`);
    }
  }
}

if (given.json) console.log(JSON.stringify({ results: [], figures: figures() }));
else print();
