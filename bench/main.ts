/**
 * Speed beside casacore (`deno task bench`): both sides create, put and read the same table in turn, and the table shows
 * the median of casacore's time over Tessera's, with its spread. Warm cache. Without casacore-dev only Tessera's own
 * times are measured, by mitata.
 *
 * Usage: main.ts [--rows N] [--rounds N]
 */
import { bench, run } from "mitata";
import { parseArgs } from "node:util";
import { array, scalar, standard, Table, tiledShape } from "../mod.ts";

const { values } = parseArgs({
  options: { rows: { type: "string", default: "100000" }, rounds: { type: "string", default: "9" } },
});
const ROWS = Number(values.rows), ROUNDS = Number(values.rounds);
const CELL = [4, 64];

const WORK = {
  put: "create, put both columns, flush, close",
  getFresh: "get DATA into fresh memory",
  getInto: "get DATA into the same array again",
  getFlags: `get FLAG_ROW (${ROWS} bools)`,
} as const;
type Work = keyof typeof WORK;
type Times = Record<Work, number>;

const data = new Float32Array(ROWS * 256 * 2).fill(1);
const flags = new Uint8Array(ROWS).fill(1);
const into = new Float32Array(data.length);

function create(path: string): void {
  using table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: CELL }), scalar("FLAG_ROW", "bool")],
    storage: [
      tiledShape("TiledData", ["DATA"], { tileShape: [...CELL, 64] }),
      standard("SSM", { bucketRows: 1024 }),
    ],
    rows: ROWS,
    overwrite: true,
  });
  table.putColumn("DATA", data);
  table.putColumn("FLAG_ROW", flags);
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function round(path: string): Times {
  const put = timed(() => create(path));
  using table = Table.open(path);
  const getFresh = timed(() => table.getColumn("DATA"));
  table.getColumn("DATA", { into });
  table.getColumn("FLAG_ROW");
  return {
    put,
    getFresh,
    getInto: timed(() => table.getColumn("DATA", { into })),
    getFlags: timed(() => table.getColumn("FLAG_ROW")),
  };
}

/** The peer as a running program, or null with the reason on standard error. */
function startPeer(folder: string): Deno.ChildProcess | null {
  const program = `${folder}/casacore`;
  const source = new URL("peers/casacore.cc", import.meta.url).pathname;
  try {
    const { success, stderr } = new Deno.Command("g++", {
      args: ["-O2", "-o", program, source, "-lcasa_tables", "-lcasa_casa"],
      stderr: "piped",
    }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr).split("\n")[0]);
  } catch (error) {
    console.error(`without casacore: ${(error as Error).message}`);
    return null;
  }
  return new Deno.Command(program, {
    args: [`${folder}/theirs.tab`, String(ROWS), String(ROUNDS)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
}

async function compare(peer: Deno.ChildProcess, folder: string): Promise<void> {
  const writer = peer.stdin.getWriter();
  const reader = peer.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pairs: [ours: Times, theirs: Times][] = [];
  for (let i = 0; i <= ROUNDS; i++) {
    const ours = round(`${folder}/ours.tab`);
    await writer.write(Uint8Array.of(10));
    let line = "";
    while (!line.endsWith("\n")) line += (await reader.read()).value ?? "\n";
    // The first round warms both up.
    if (i > 0) pairs.push([ours, JSON.parse(line) as Times]);
  }
  await writer.close();
  await peer.status;
  console.log(
    `${ROWS} rows of DATA complex64 [4, 64] + FLAG_ROW bool, ${ROUNDS} rounds in turn, warm; medians`,
  );
  console.log(
    `${"work".padEnd(40)} ${"casacore".padStart(11)} ${"Tessera".padStart(11)} ${
      "ratio".padStart(7)
    }  spread`,
  );
  for (const work of Object.keys(WORK) as Work[]) {
    const ratios = pairs.map(([ours, theirs]) => theirs[work] / ours[work]);
    const ms = (n: number) => `${n.toFixed(3)} ms`.padStart(11);
    console.log(
      `${WORK[work].padEnd(40)} ${ms(median(pairs.map(([, theirs]) => theirs[work])))} ` +
        `${ms(median(pairs.map(([ours]) => ours[work])))} ${median(ratios).toFixed(2).padStart(7)}  ` +
        `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    );
  }
}

const folder = Deno.makeTempDirSync({ prefix: "tessera-bench-" });
try {
  const peer = startPeer(folder);
  if (peer !== null) await compare(peer, folder);
  else {
    const path = `${folder}/ours.tab`;
    create(path);
    using table = Table.open(path);
    bench(WORK.put, () => create(`${folder}/new.tab`));
    bench(WORK.getFresh, () => table.getColumn("DATA"));
    bench(WORK.getInto, () => table.getColumn("DATA", { into }));
    bench(WORK.getFlags, () => table.getColumn("FLAG_ROW"));
    await run();
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}
