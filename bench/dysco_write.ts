/**
 * Writing DyscoStMan beside casacore (`deno run -A bench/dysco_write.ts`): both sides put the same values of one column into a new
 * table and close it, in turn; the table shows the median of casacore's time over Tessera's, with its spread. casacore
 * encodes with a thread for each core, Tessera with one. What comes out is compared in tests/peer/dysco_write_test.ts, not
 * here. Needs python3-casacore.
 *
 * Usage: dysco_write.ts [--times N] [--rounds N] – a time step has 465 rows of complex64 [4, 64]: 21 make 20 MB.
 */
import { parseArgs } from "node:util";
import { array, dysco, scalar, standard, Table } from "../mod.ts";

const { values } = parseArgs({
  options: { times: { type: "string", default: "21" }, rounds: { type: "string", default: "7" } },
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

function write(path: string, work: (typeof WORK)[number], data: Float32Array): number {
  const [column, normalization, distribution, bits] = work;
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
  const start = performance.now();
  table.putColumn(column, data);
  table.close();
  return performance.now() - start;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
}

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
  console.log(`${ROWS} rows of [4, 64] put and closed, ${ROUNDS} rounds in turn, warm; medians`);
  console.log(
    `${"".padEnd(44)} ${"casacore".padStart(9)} ${"Tessera".padStart(9)} ${"ratio".padStart(6)}  spread`,
  );
  for (const work of WORK) {
    const theirs: number[] = [], ours: number[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      await writer.write(new TextEncoder().encode(work.join(" ") + "\n"));
      const their = Number(await line()), our = write(`${folder}/tessera.tab`, work, columns[work[0]]);
      if (round < 0) continue;
      theirs.push(their);
      ours.push(our);
    }
    const ratios = theirs.map((time, i) => time / ours[i]!);
    const name = `${work[0]}, ${work[0] === "DATA" ? `${work[1]}, ${work[2]}, ` : ""}${work[3]} bits`;
    console.log(
      `${name.padEnd(44)} ${`${median(theirs).toFixed(1)} ms`.padStart(9)} ${
        `${median(ours).toFixed(1)} ms`.padStart(9)
      } ${median(ratios).toFixed(2).padStart(6)}  ${Math.min(...ratios).toFixed(2)}–${
        Math.max(...ratios).toFixed(2)
      }`,
    );
  }
  await writer.close();
  await peer.status;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
