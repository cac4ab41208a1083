/**
 * Speed beside casacore (`deno task bench`). Each side is a program of its own (`peers/`): Tessera, casacore, and a C program
 * that does nothing but the reads, writes and copies that can't be avoided. They do the same work in turn on the same
 * tables; the lines show medians of the ratio, its spread, and whether the target is met. Caches are warm: the first rounds
 * don't count. Nor does the time in which a side's thread had to wait because other programs had the processor (Linux
 * tells): machines are shared. Where a compiler or casacore is missing its side is left out, with a line that says why.
 *
 * | option | meaning |
 * | --- | --- |
 * | `--quick` | 10,000 rows and fewer rounds, under 2 minutes |
 * | `--only NAME` | works whose name or group begins so; may be given more than once |
 * | `--rows N` | only with that many rows: 10000, 100000 or 1000000 |
 * | `--rounds N` | rounds that count |
 * | `--calls` | what calls each side makes, by strace, beside; a full run does that at 10,000 rows |
 * | `--update` | with `--only` or `--rows`: what is measured takes the place of the same lines in the last full results |
 * | `--dry` | results are shown, but not written to `bench/results` |
 * | `--list` | names and titles |
 * | `--kernels` | the inner loops by themselves, by mitata, instead |
 */
import { parseArgs } from "node:util";
import { countCalls } from "./calls.ts";
import { chart } from "./chart.ts";
import { line, lineHeader, markdown, type Result } from "./report.ts";
import { compile, NotBuilt, Side } from "./side.ts";
import { writeTables } from "./tables.ts";
import { type Work, WORKS } from "./works.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rows: { type: "string" },
    rounds: { type: "string" },
    calls: { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    dry: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    kernels: { type: "boolean", default: false },
  },
});

/** Rounds that don't count: at most so many, and no more after so long, in milliseconds. */
const WARM_ROUNDS = 20, WARM_MS = 300;

/** Rounds that count, and for how many rows. */
function plan(): { rows: number; works: Work[]; rounds: number }[] {
  const chosen = WORKS.filter(({ name, group }) =>
    options.only.length === 0 ||
    options.only.some((start) => name.startsWith(start) || group.startsWith(start))
  );
  const sizes = options.rows === undefined
    ? options.quick ? [10_000] : [10_000, 100_000, 1_000_000]
    : [Number(options.rows)];
  const plans = sizes.map((rows) => ({
    rows,
    works: chosen.filter((work) =>
      work.fixedRows === undefined ? work.rows.includes(rows) : rows === sizes[Math.min(1, sizes.length - 1)]
    ),
    rounds: Number(options.rounds ?? (options.quick ? 5 : rows === 1_000_000 ? 3 : 9)),
  }));
  return plans.filter(({ works }) => works.length > 0);
}

/** The programs of the sides, as commands; those that can't be made here are left out. */
function commands(folder: string): Map<string, [command: string, args: string[]]> {
  const found = new Map<string, [string, string[]]>();
  found.set("tessera", [
    Deno.execPath(),
    ["run", "-A", new URL("peers/tessera.ts", import.meta.url).pathname],
  ]);
  const tryToMake = (name: string, compiler: string, source: string, flags: string[]) => {
    try {
      compile(compiler, source, `${folder}/${name}`, flags);
      found.set(name, [`${folder}/${name}`, []]);
    } catch (error) {
      if (!(error instanceof NotBuilt)) throw error;
      console.error(`without ${name}: ${error.message}`);
    }
  };
  tryToMake("casacore", "g++", "casacore.cc", ["-lcasa_tables", "-lcasa_casa"]);
  tryToMake("limit", "cc", "limit.c", ["-lpthread"]);
  return found;
}

/** One work by all sides in turn. */
async function measure(
  work: Work,
  rows: number,
  rounds: number,
  folder: string,
  sides: readonly Side[],
): Promise<Result> {
  const times: Record<string, number[]> = {}, able: Side[] = [];
  for (const side of sides) {
    if (await side.set(work, folder, rows)) {
      able.push(side);
      times[side.name] = [];
    }
  }
  // The engine compiles what it runs often, while it runs: short works go on until they are at their speed.
  const slow = work.fixedRows !== undefined && work.fixedRows > 100_000;
  for (const side of slow ? [] : able) {
    for (let spent = 0, i = 0; i < WARM_ROUNDS && spent < WARM_MS; i++) {
      spent += work.repeat * await side.run(work.repeat);
    }
  }
  for (let round = 0; round < (slow ? Math.min(3, rounds) : rounds); round++) {
    for (const side of able) times[side.name]!.push(await side.run(work.repeat));
  }
  for (const side of able) await side.end();
  return { work, rows, times, calls: {} };
}

async function main(): Promise<void> {
  if (options.list) {
    for (const { name, argument, title } of WORKS) {
      console.log(`${name.padEnd(24)} ${argument.padEnd(12)} ${title}`);
    }
    return;
  }
  if (options.kernels) return await (await import("./kernels.ts")).runKernels();
  const started = performance.now();
  const folder = Deno.makeTempDirSync({ prefix: "tessera-bench-" }), results: Result[] = [];
  try {
    const programs = commands(folder);
    console.log(lineHeader());
    for (const { rows, works, rounds } of plan()) {
      const tables = `${folder}/${rows}`;
      Deno.mkdirSync(tables);
      writeTables(tables, rows, new Set(works.map(({ table }) => table)));
      const sides = [...programs].map(([name, [command, args]]) => new Side(name, command, args));
      for (const work of works) {
        const most = work.fixedRows ?? rows, of = options.quick && most > 100_000 ? most / 10 : most;
        let result = await measure(work, of, rounds, tables, sides);
        if (options.calls || (!options.quick && rows === 10_000 && !options.dry)) {
          result = { ...result, calls: await countCalls(programs, work, of, tables) };
        }
        results.push(result);
        console.log(line(result));
      }
      for (const side of sides) await side.close();
      Deno.removeSync(tables, { recursive: true });
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  if (options.dry) return;
  if (options.update) return write("full", merged(results));
  if (options.only.length === 0) write(options.quick ? "quick" : options.rows ?? "full", results);
}

const place = (file: string) => new URL(`results/${file}`, import.meta.url);

/** Writes results as JSON, as a table and, but for quick ones, as a chart. */
function write(name: string, results: readonly Result[]): void {
  const head = { date: new Date().toISOString().slice(0, 10), cores: navigator.hardwareConcurrency };
  Deno.mkdirSync(place(""), { recursive: true });
  Deno.writeTextFileSync(place(`${name}.json`), JSON.stringify({ ...head, results }, null, 1) + "\n");
  Deno.writeTextFileSync(place(`${name}.md`), markdown(results) + "\n");
  if (!options.quick) {
    const shown = results.filter(({ rows, work }) => work.fixedRows !== undefined || rows === 100_000);
    Deno.writeTextFileSync(place(`${name}.svg`), chart(shown));
  }
}

/** The last full results with some lines measured anew; calls are kept where they weren't counted again. */
function merged(results: readonly Result[]): Result[] {
  const key = ({ work, rows }: Result) => `${work.name} ${work.argument} ${rows}`;
  const last = JSON.parse(Deno.readTextFileSync(place("full.json"))) as { results: Result[] };
  const anew = new Map(results.map((result) => [key(result), result]));
  const list = last.results.map((result) => {
    const now = anew.get(key(result));
    anew.delete(key(result));
    return now === undefined
      ? result
      : Object.keys(now.calls).length === 0
      ? { ...now, calls: result.calls }
      : now;
  });
  return [...list, ...anew.values()];
}

await main();
