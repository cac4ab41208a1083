/**
 * Writing DyscoStMan beside casacore (`deno run -A bench/dysco_write.ts`): both sides put the same values of one column into a new
 * table and close it, in turn; the table shows the median of casacore's time over Tessera's, with its spread. casacore
 * encodes with a thread for each core, Tessera with one: so the processor's time of both is compared as well. What comes out is compared in tests/peer/dysco_write_test.ts, not
 * here. Needs python3-casacore.
 *
 * Usage: dysco_write.ts [--times N] [--rounds N] [--json] – a time step has 465 rows of complex64 [4, 64]: 21 make 20 MB. With
 * `--json` it prints what joins the bench's results.
 */
import { parseArgs } from "node:util";
import process from "node:process";
import { array, dysco, scalar, standard, Table } from "../mod.ts";
import { median, type Result } from "./report.ts";
import { work } from "./works.ts";

const { values } = parseArgs({
  options: {
    times: { type: "string", default: "21" },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(values.rounds), TIMES = Number(values.times);
const ANTENNAS = 30, SHAPE = [4, 64];

const WORK = [
  ["DATA", "AF", "TruncatedGaussian", 10],
  ["DATA", "RF", "Gaussian", 4],
  ["DATA", "Row", "TruncatedGaussian", 8],
  ["WEIGHT_SPECTRUM", "AF", "TruncatedGaussian", 12],
] as const;

const pairs: [number, number][] = [];
for (let a = 0; a < ANTENNAS; a++) for (let b = a; b < ANTENNAS; b++) pairs.push([a, b]);
const ROWS = pairs.length * TIMES;

/** Milliseconds on the clock, and of the processor. */
type Spent = readonly [clock: number, processor: number];

function write(path: string, what: (typeof WORK)[number], data: Float32Array): Spent {
  const [column, normalization, distribution, bits] = what;
  using table = Table.create(path, {
    columns: [
      array(column, column === "DATA" ? "complex64" : "float32", { shape: SHAPE, direct: true }),
      scalar("TIME", "float64"),
      ...["ANTENNA1", "ANTENNA2", "FIELD_ID", "DATA_DESC_ID"].map((name) => scalar(name, "int32")),
    ],
    storage: [
      dysco("Dysco", [column], { normalization, distribution, dataBitCount: bits, weightBitCount: bits }),
      standard(),
    ],
    rows: ROWS,
    overwrite: true,
  });
  const pairOf = (row: number) => pairs[row % pairs.length]!;
  table.putColumn("ANTENNA1", Int32Array.from({ length: ROWS }, (_, row) => pairOf(row)[0]));
  table.putColumn("ANTENNA2", Int32Array.from({ length: ROWS }, (_, row) => pairOf(row)[1]));
  table.putColumn("TIME", Float64Array.from({ length: ROWS }, (_, row) => Math.floor(row / pairs.length)));
  const before = process.cpuUsage(), start = performance.now();
  table.putColumn(column, data);
  table.close();
  const clock = performance.now() - start, { user, system } = process.cpuUsage(before);
  return [clock, (user + system) / 1000];
}

const say = (text: string) => values.json ? undefined : console.log(text);
const results: Result[] = [];

const folder = Deno.makeTempDirSync({ prefix: "tessera-bench-" });
try {
  const peer = new Deno.Command("/usr/bin/python3", {
    args: [new URL("peers/dysco_write.py", import.meta.url).pathname, folder, values.times],
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
  const data = (name: string) => new Float32Array(Deno.readFileSync(`${folder}/${name}.raw`).buffer);
  const columns = { DATA: data("DATA"), WEIGHT_SPECTRUM: data("WEIGHT_SPECTRUM") };
  say(`${ROWS} rows of [4, 64] put and closed, ${ROUNDS} rounds in turn, warm; medians`);
  say(
    `${"".padEnd(44)} ${"casacore".padStart(9)} ${"Tessera".padStart(9)} ${"ratio".padStart(6)}  spread`,
  );
  for (const what of WORK) {
    const theirs: Spent[] = [], ours: Spent[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      await writer.write(new TextEncoder().encode(what.join(" ") + "\n"));
      const [clock = NaN, processor = NaN] = (await line()).split(" ").map(Number);
      const our = write(`${folder}/tessera.tab`, what, columns[what[0]]);
      if (round < 0) continue;
      theirs.push([clock, processor]);
      ours.push(our);
    }
    const name = `${what[0]}, ${what[0] === "DATA" ? `${what[1]}, ${what[2]}, ` : ""}${what[3]} bits`;
    for (const [kind, said] of [[1, "processor's time"], [0, "all cores"]] as const) {
      const of = (list: readonly Spent[]) => list.map((spent) => spent[kind]);
      const [their, our] = [of(theirs), of(ours)], ratios = their.map((time, i) => time / our[i]!);
      results.push({
        work: work(
          `dysco-put-${kind}`,
          `Dysco, put and close: ${name}; ${said}`,
          "dysco",
          kind === 1 ? 1.5 : null,
          {
            argument: what.join("-"),
            fixedRows: ROWS,
          },
        ),
        rows: ROWS,
        times: { tessera: our, casacore: their },
        calls: {},
      });
      say(
        `${`${name}; ${said}`.padEnd(60)} ${`${median(their).toFixed(1)} ms`.padStart(9)} ${
          `${median(our).toFixed(1)} ms`.padStart(9)
        } ${median(ratios).toFixed(2).padStart(6)}  ${Math.min(...ratios).toFixed(2)}–${
          Math.max(...ratios).toFixed(2)
        }`,
      );
    }
  }
  if (values.json) console.log(JSON.stringify({ results, figures: [] }));
  await writer.close();
  await peer.status;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
