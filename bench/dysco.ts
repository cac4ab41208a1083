/**
 * DyscoStMan beside casacore (`deno run -A bench/dysco.ts`): both sides read the same columns of the same tables, which casacore
 * made, in turn; the table shows the median of casacore's time over Tessera's, with its spread. Warm cache. Values are
 * compared in tests/peer/dysco_read_test.ts, not here. Needs python3-casacore.
 *
 * Usage: dysco.ts [--times N] [--rounds N] [--json] – a time step has 465 rows of complex64 [4, 64]: 105 make 100 MB. Both sides
 * use one core, and time in which others had it isn't counted. With `--json` it prints what joins the bench's results.
 */
import { parseArgs } from "node:util";
import { Table } from "../mod.ts";
import { timed } from "./clock.ts";
import { median, type Result } from "./report.ts";
import { work } from "./works.ts";

const { values } = parseArgs({
  options: {
    times: { type: "string", default: "105" },
    rounds: { type: "string", default: "9" },
    json: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(values.rounds);

const TABLES = {
  AF: "10 bits, factors of antennas and channels",
  RF: "4 bits, factors of rows and channels",
  Row: "8 bits, factors of rows",
} as const;
const WORK = {
  fresh: "DATA into fresh memory",
  into: "DATA into the same array again",
  weights: "WEIGHT_SPECTRUM into the same array",
} as const;
type Work = keyof typeof WORK;
type Times = Record<Work, number>;

/** Arrays to read into; the same for all tables. */
let into: { data: Float32Array<ArrayBuffer>; weights: Float32Array<ArrayBuffer> } | null = null;

function read(path: string): Times {
  using table = Table.open(path);
  into ??= {
    data: new Float32Array(table.rowCount * 512).fill(1),
    weights: new Float32Array(table.rowCount * 256).fill(1),
  };
  const { data, weights } = into;
  return {
    fresh: timed(() => table.getColumn("DATA")),
    into: timed(() => table.getColumn("DATA", { into: data })),
    weights: timed(() => table.getColumn("WEIGHT_SPECTRUM", { into: weights })),
  };
}

const ROWS = Number(values.times) * 465, results: Result[] = [];
const say = (text: string) => values.json ? undefined : console.log(text);

const folder = Deno.makeTempDirSync({ prefix: "tessera-bench-" });
try {
  const peer = new Deno.Command("/usr/bin/python3", {
    args: [new URL("peers/dysco.py", import.meta.url).pathname, folder, values.times],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = peer.stdin.getWriter();
  const reader = peer.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const line = async () => {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("casacore's side ended");
      text += value;
    }
    return text;
  };
  await line();
  say(
    `${ROWS} rows of complex64 [4, 64], ${ROUNDS} rounds in turn, warm; medians`,
  );
  say(
    `${"".padEnd(50)} ${"casacore".padStart(9)} ${"Tessera".padStart(9)} ${"ratio".padStart(6)}  spread`,
  );
  for (const [name, about] of Object.entries(TABLES)) {
    const pairs: [ours: Times, theirs: Times][] = [];
    for (let i = 0; i <= ROUNDS; i++) {
      const ours = read(`${folder}/${name}.tab`);
      await writer.write(new TextEncoder().encode(`${name}\n`));
      const theirs = JSON.parse(await line()) as Times;
      // The first round warms both up.
      if (i > 0) pairs.push([ours, theirs]);
    }
    say(`${name}: ${about}`);
    for (const what of Object.keys(WORK) as Work[]) {
      const ratios = pairs.map(([ours, theirs]) => theirs[what] / ours[what]);
      const ms = (i: 0 | 1) => `${median(pairs.map((pair) => pair[i][what])).toFixed(0)} ms`.padStart(9);
      results.push({
        work: work(`dysco-${what}`, `Dysco, ${name}, ${WORK[what]}`, "dysco", 1.5, {
          argument: name,
          fixedRows: ROWS,
          ...(name === "AF" && what === "into" ? { headline: "a Dysco column, per core" } : {}),
        }),
        rows: ROWS,
        times: {
          tessera: pairs.map(([ours]) => ours[what]),
          casacore: pairs.map(([, theirs]) => theirs[what]),
        },
        calls: {},
      });
      say(
        `  ${WORK[what].padEnd(48)} ${ms(1)} ${ms(0)} ${median(ratios).toFixed(2).padStart(6)}  ` +
          `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      );
    }
  }
  if (values.json) console.log(JSON.stringify({ results, figures: [] }));
  await writer.close();
  await peer.status;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
