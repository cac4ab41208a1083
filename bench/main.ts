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
 * | `--only NAME` | works whose name or group begins so, and programs; may be given more than once |
 * | `--rows N` | only with that many rows: 10000, 100000 or 1000000 |
 * | `--rounds N` | rounds that count |
 * | `--calls` | what calls each side makes, by strace, beside; a full run does that at 10,000 rows |
 * | `--no-peers` | without other readers, see peers.ts |
 * | `--update` | with `--only` or `--rows`: what is measured takes the place of the same lines in the last full results |
 * | `--dry` | results are shown, but not written to `bench/results` |
 * | `--list` | names and titles |
 * | `--kernels` | the inner loops by themselves, by mitata, instead |
 */
import { parseArgs } from "node:util";
import { callFigures, countCalls } from "./calls.ts";
import { measure } from "./measure.ts";
import { startPeers } from "./peers.ts";
import { PROGRAM_NAMES, runPrograms } from "./programs.ts";
import { type Figure, figureLine, line, lineHeader, peersTable, type Result, type Run } from "./report.ts";
import { mergeFigures, mergeResults, readRun, writeRun } from "./results.ts";
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
    "no-peers": { type: "boolean", default: false },
    update: { type: "boolean", default: false },
    dry: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    kernels: { type: "boolean", default: false },
  },
});

/** Works with so many rows, in so many rounds that count. */
interface Part {
  readonly rows: number;
  readonly works: readonly Work[];
  readonly rounds: number;
}

/** How many rows a work is done with; a quick run appends a tenth of them. */
function rowsOf({ name, fixedRows }: Work, rows: number): number {
  if (fixedRows === undefined) return rows;
  return options.quick && name === "append-integrations" ? fixedRows / 10 : fixedRows;
}

function plan(): Part[] {
  const { only } = options;
  const chosen = WORKS.filter(({ name, group, slow }) =>
    !(options.quick && slow) &&
    (only.length === 0 || only.some((start) => name.startsWith(start) || group.startsWith(start)))
  );
  const sizes = options.rows !== undefined
    ? [Number(options.rows)]
    : options.quick
    ? [10_000]
    : [10_000, 100_000, 1_000_000];
  // Works whose number of rows is fixed are done once, in the middle of a full run.
  const withFixed = sizes[Math.min(1, sizes.length - 1)];
  const parts = sizes.map((rows) => ({
    rows,
    works: chosen.filter((work) =>
      work.fixedRows === undefined ? work.rows.includes(rows) : rows === withFixed
    ),
    rounds: Number(options.rounds ?? (options.quick || rows === 100_000 ? 5 : rows === 1_000_000 ? 3 : 7)),
  }));
  return parts.filter(({ works }) => works.length > 0);
}

type Commands = Map<string, [command: string, args: string[]]>;

/** The programs of the sides, as commands, and the one that drops pages; those that can't be made here are left out. */
function commands(folder: string): { sides: Commands; forget: string | null } {
  const sides: Commands = new Map();
  sides.set("tessera", [
    Deno.execPath(),
    ["run", "-A", new URL("peers/tessera.ts", import.meta.url).pathname],
  ]);
  const make = (name: string, compiler: string, source: string, flags: string[]): boolean => {
    try {
      compile(compiler, source, `${folder}/${name}`, flags);
      return true;
    } catch (error) {
      if (!(error instanceof NotBuilt)) throw error;
      console.error(`without ${name}: ${error.message}`);
      return false;
    }
  };
  const side = (name: string, compiler: string, source: string, flags: string[]) => {
    if (make(name, compiler, source, flags)) sides.set(name, [`${folder}/${name}`, []]);
  };
  side("casacore", "g++", "casacore.cc", ["-lcasa_tables", "-lcasa_casa"]);
  side("limit", "cc", "limit.c", ["-lpthread"]);
  return { sides, forget: make("forget", "cc", "../studies/forget.c", []) ? `${folder}/forget` : null };
}

/** Measures works by all sides, and says each line when it is there. */
class Bench {
  readonly results: Result[] = [];
  readonly figures: Figure[] = [];
  readonly sideNames: string[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async works(parts: readonly Part[]): Promise<void> {
    const { sides: programs, forget } = commands(this.#folder);
    this.sideNames.push(...programs.keys());
    const informing = new Set<string>();
    for (const part of parts) {
      const started = performance.now();
      const sides = [...programs].map(([name, [command, args]]) => new Side(name, command, args));
      // The largest tables are for those that are measured, not for those that are here for information.
      if (!options["no-peers"] && part.rows <= 100_000 && part.works.some(({ peers }) => peers)) {
        const { found, missing } = await startPeers();
        for (const [side, introduction] of found) {
          sides.push(side);
          if (informing.has(side.name)) continue;
          informing.add(side.name);
          this.sideNames.push(introduction);
        }
        if (part === parts[0] && missing.length > 0) {
          console.error(`not installed, and left out: ${missing.join(", ")}`);
        }
      }
      await this.#part(part, { sides, informing, forget }, programs);
      for (const side of sides) await side.close();
      this.#took(`${part.rows.toLocaleString("en")} rows`, started);
    }
  }

  async #part(
    { rows, works, rounds }: Part,
    given: { sides: Side[]; informing: ReadonlySet<string>; forget: string | null },
    programs: Commands,
  ): Promise<void> {
    const folder = `${this.#folder}/${rows}`;
    Deno.mkdirSync(folder);
    const needed = works.filter(({ table }) => table !== "");
    writeTables(folder, new Map(needed.map((work) => [work.table, rowsOf(work, rows)])));
    for (const work of works) {
      if (work.cold === true && given.forget === null) continue;
      const measured = await measure(work, rowsOf(work, rows), { folder, rounds, ...given });
      let { result } = measured;
      // The numbers don't depend on the machine: once is enough.
      if (
        options.calls || (!options.quick && !options.dry && (rows === 10_000 || work.fixedRows !== undefined))
      ) {
        result = { ...result, calls: await countCalls(programs, work, result.rows, folder) };
      }
      this.#add({ results: [result], figures: [...measured.figures, ...callFigures(result)] });
    }
    Deno.removeSync(folder, { recursive: true });
  }

  async programs(only: readonly string[]): Promise<void> {
    const started = performance.now();
    for await (const joined of runPrograms(only, options.quick)) this.#add(joined);
    this.#took("programs of their own", started);
  }

  #took(what: string, started: number): void {
    console.error(`${what}: ${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  }

  #add({ results, figures }: { results: readonly Result[]; figures: readonly Figure[] }): void {
    this.results.push(...results);
    this.figures.push(...figures);
    for (const result of results) console.log(line(result));
    for (const figure of figures) console.log(figureLine(figure));
  }
}

async function main(): Promise<void> {
  if (options.list) {
    for (const { name, argument, title } of WORKS) {
      console.log(`${name.padEnd(24)} ${argument.padEnd(12)} ${title}`);
    }
    for (const name of PROGRAM_NAMES) console.log(`${name.padEnd(37)} a program of its own`);
    return;
  }
  if (options.kernels) return await (await import("./kernels.ts")).runKernels();
  const started = performance.now(), loadBefore = Deno.loadavg()[0]!;
  const folder = Deno.makeTempDirSync({ prefix: "tessera-bench-" }), bench = new Bench(folder);
  try {
    console.log(lineHeader());
    await bench.works(plan());
    if (options.rows === undefined) await bench.programs(options.only);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
  const others = peersTable(bench.results);
  if (others !== "") console.log(`\nOther readers, times over Tessera's:\n\n${others}\n`);
  console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  if (options.dry) return;
  const run: Run = {
    date: new Date().toISOString().slice(0, 10),
    cores: navigator.hardwareConcurrency,
    load: [loadBefore, Deno.loadavg()[0]!],
    sides: bench.sideNames,
    results: bench.results,
    figures: bench.figures,
  };
  if (options.update) {
    const last = readRun();
    const results = mergeResults(last.results, run.results);
    writeRun("full", { ...last, results, figures: mergeFigures(last.figures ?? [], run.figures) });
  } else if (options.only.length === 0) {
    writeRun(options.quick ? "quick" : options.rows ?? "full", run);
  }
}

await main();
