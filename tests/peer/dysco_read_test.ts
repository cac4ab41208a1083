/**
 * DyscoStMan of casacore: tables that it made with every normalisation, distribution and number of bits, read to the
 * last bit as it reads them. programs/dysco.py makes them.
 */
import assert from "node:assert/strict";
import { disableLibrary } from "../../ffi/binding.ts";
import { Table } from "../../mod.ts";
import { DISTRIBUTIONS, levelTable } from "../../src/storage/dysco/levels.ts";
import { peerTest, temporaryFolder } from "./peer.ts";

const PYTHON = "/usr/bin/python3";
const PROGRAMS = new URL("./programs/", import.meta.url).pathname;

const BITS = [2, 3, 4, 6, 8, 10, 12, 16];
const NORMALIZATIONS = ["AF", "RF", "Row"];
const TRUNCATIONS = [1.5, 2.5, 4, 0.9];
/** Fewer than one are reason for casacore's library of distributions to end the process. */
const DEGREES = [1, 2, 2.5, 3, 7.5, 31];

interface JobColumn {
  readonly name: string;
  readonly correlations: number;
  readonly channels: number;
}

/** What dysco.py makes. */
interface DyscoJob {
  readonly table: string;
  readonly spec: Readonly<Record<string, string | number>>;
  readonly columns: readonly JobColumn[];
  readonly antennas: number;
  readonly autos: boolean;
  readonly groups: number;
  readonly times: number;
  readonly holes: readonly number[];
  readonly big: boolean;
  readonly seed: number;
}

/** Table number `i` of one normalisation and distribution: what is not said varies with the number. */
function jobOf(
  folder: string,
  normalization: string,
  distribution: string,
  bits: number,
  i: number,
): DyscoJob {
  const correlations = 1 + i % 4, channels = [1, 3, 5, 8, 13][i % 5]!;
  const data = { name: "DATA", correlations, channels };
  const weights = { name: "WEIGHT_SPECTRUM", correlations, channels };
  const more = { name: "MODEL_DATA", correlations: 1 + (i + 2) % 4, channels: 1 + i % 3 };
  return {
    table: `${folder}/${normalization}_${distribution}_${bits}`,
    spec: {
      dataBitCount: bits,
      weightBitCount: BITS[(i * 3 + 1) % BITS.length]!,
      distribution,
      normalization,
      studentTNu: distribution === "StudentT" ? DEGREES[i % DEGREES.length]! : 0,
      distributionTruncation: TRUNCATIONS[i % TRUNCATIONS.length]!,
    },
    columns: [[data, weights], [weights, data], [data], [more, data, weights]][i % 4]!,
    antennas: 3 + i % 4,
    autos: i % 3 === 0,
    groups: 1 + i % 2,
    times: 3 + i % 2,
    holes: i % 5 === 1 ? [2] : [],
    big: i % 2 === 1,
    seed: 100 + i,
  };
}

async function run(
  program: string,
  args: readonly string[],
  folder: string,
  jobs: unknown,
  env: Record<string, string> = {},
): Promise<void> {
  const path = `${folder}/jobs.json`;
  await Deno.writeTextFile(path, JSON.stringify(jobs));
  const { success, stderr } = await new Deno.Command(PYTHON, {
    args: [PROGRAMS + program, ...args, path],
    env,
  })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Fails at the first value whose bits differ; NaNs are equal, whatever their bits. */
function assertSameBits(ours: Float32Array, theirs: Float32Array, what: string): void {
  assert.equal(ours.length, theirs.length, what);
  const left = new Uint32Array(ours.buffer, ours.byteOffset, ours.length);
  const right = new Uint32Array(theirs.buffer, theirs.byteOffset, theirs.length);
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i] && !(Number.isNaN(ours[i]) && Number.isNaN(theirs[i]))) {
      assert.fail(`${what}, value ${i}: ${ours[i]}, expected ${theirs[i]}`);
    }
  }
}

/** Reads every column of a table in several ways and compares. */
function compare(job: DyscoJob): void {
  using table = Table.open(job.table);
  for (const { name, correlations, channels } of job.columns) {
    const what = `${job.table}, ${name}`;
    const theirs = new Float32Array(Deno.readFileSync(`${job.table}.${name}.raw`).buffer);
    const ours = table.getColumn(name).data as Float32Array;
    assertSameBits(ours, theirs, what);

    const items = name === "WEIGHT_SPECTRUM" ? 1 : 2, cell = correlations * channels * items;
    for (const row of [table.rowCount - 1, 0, 1]) {
      const data = (table.getCell(name, row) as { data: Float32Array }).data;
      assertSameBits(data, theirs.subarray(row * cell, (row + 1) * cell), `${what}, row ${row}`);
    }
    // Every second channel and the last correlation, of rows from the last to the first.
    const rows = Uint32Array.from({ length: table.rowCount }, (_, i) => table.rowCount - 1 - i);
    const some = table.getColumn(name, { rows, slice: [[correlations - 1, correlations], [0, channels, 2]] });
    const expected: number[] = [];
    for (const row of rows) {
      for (let c = 0; c < channels; c += 2) {
        const at = row * cell + (c * correlations + correlations - 1) * items;
        expected.push(...theirs.subarray(at, at + items));
      }
    }
    assertSameBits(some.data as Float32Array, Float32Array.from(expected), `${what}, a part`);
  }
}

NORMALIZATIONS.forEach((normalization, n) => {
  peerTest(
    `DyscoStMan of casacore, ${normalization}: every distribution and number of bits, to the last bit`,
    async () => {
      using folder = temporaryFolder();
      const jobs = DISTRIBUTIONS.flatMap((distribution, d) =>
        BITS.map((bits, b) => jobOf(folder.path, normalization, distribution, bits, 7 * n + 3 * d + b))
      );
      await run("dysco.py", [], folder.path, jobs);
      jobs.forEach(compare);
      using _ = disableLibrary();
      jobs.forEach(compare);
    },
  );
});

peerTest("DyscoStMan of casacore in a table with MultiFile storage keeps a file of its own", async () => {
  using folder = temporaryFolder();
  const settings = `${folder.path}/settings`;
  Deno.writeTextFileSync(settings, "table.storage.option: multifile\n");
  const job = jobOf(folder.path, "AF", "TruncatedGaussian", 8, 1);
  await run("dysco.py", [], folder.path, [job], { CASARCFILES: settings });
  assert(Deno.statSync(`${job.table}/table.mf`).isFile);
  assert(Deno.statSync(`${job.table}/table.f0`).isFile);
  compare(job);
});

peerTest("DyscoStMan of casacore: the levels of every distribution, to the last bit", async () => {
  using folder = temporaryFolder();
  const tables = [
    { distribution: "Uniform", studentNu: 0, truncation: 0 } as const,
    { distribution: "Gaussian", studentNu: 0, truncation: 0 } as const,
    ...[0, 0.1, 0.5, 0.65, 0.67, 1, 1.5, 2, 2.5, 3, 4, 6, 9, -1].map((truncation) => {
      return { distribution: "TruncatedGaussian", studentNu: 0, truncation } as const;
    }),
    ...[1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 29.9, 31, 50, 100, 1e5].map((studentNu) => {
      return { distribution: "StudentT", studentNu, truncation: 0 } as const;
    }),
  ];
  const jobs = tables.flatMap((table) => BITS.map((bits) => ({ bits, ...table })));
  await run(
    "dysco_levels.py",
    [folder.path],
    folder.path,
    jobs.map(({ bits, distribution, studentNu, truncation }) => {
      return { bits, distribution: DISTRIBUTIONS.indexOf(distribution), nu: studentNu, truncation };
    }),
  );
  jobs.forEach((job, i) => {
    const theirs = new Float32Array(Deno.readFileSync(`${folder.path}/${i}.raw`).buffer);
    assertSameBits(Float32Array.from(levelTable(job)), theirs, JSON.stringify(job));
  });
});
