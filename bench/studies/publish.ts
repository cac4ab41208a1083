/**
 * Runs the five studies as docs/performance.md says, and puts their tables there, between the marks of each:
 *
 *     deno run -A bench/studies/publish.ts [--only=seeks,direct,handover,phases,mapped] [--folder=DIRECTORY]
 *
 * Takes about six minutes. What the page says below the tables is for its reader to hold against them.
 */
import { replaceBetween, studyMarks } from "../publish-text.ts";
import { option } from "./study.ts";
import { directTable, handoverTable, mappedTables, phasesTable, seeksTable } from "./tables.ts";

const PAGE = new URL("../../docs/performance.md", import.meta.url);

interface Study {
  readonly file: string;
  readonly flags?: readonly string[];
  readonly args: readonly string[];
  // deno-lint-ignore no-explicit-any
  readonly tables: (printed: any) => string;
}

const folder = option("folder", ".");
const STUDIES: Readonly<Record<string, Study>> = {
  seeks: { file: "studies/seeks.ts", args: [], tables: ({ results }) => seeksTable(results) },
  direct: {
    file: "direct.ts",
    args: [folder, "--total=128", "--rounds=7", "--blocks=1024"],
    tables: (printed) => directTable(printed),
  },
  handover: {
    file: "studies/handover.ts",
    flags: ["--v8-flags=--expose-gc"],
    args: ["--total=256", "--rounds=3", "--blocks=256,4096,32768"],
    tables: ({ results }) => handoverTable(results),
  },
  phases: {
    file: "studies/phases.ts",
    args: ["--mib=24", "--rounds=5"],
    tables: ({ results }) => phasesTable(results),
  },
  mapped: {
    file: "studies/mapped.ts",
    args: ["--readers=1,2,4,8", "--sizes=1,16,256,1024,10240"],
    tables: ({ results }) => mappedTables(results),
  },
};

for (const name of option("only", Object.keys(STUDIES).join()).split(",")) {
  const study = STUDIES[name];
  if (study === undefined) throw new Error(`expected one of ${Object.keys(STUDIES)}, found ${name}`);
  const { file, flags = [], args, tables } = study, load = Deno.loadavg()[0]!.toFixed(1);
  const path = new URL(`../${file}`, import.meta.url).pathname, where = file.startsWith("studies/");
  const started = performance.now();
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...flags, path, ...args, ...(where ? [`--folder=${folder}`] : [])],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${file} failed`);
  const text = tables(JSON.parse(new TextDecoder().decode(stdout)));
  const command = [
    "deno run -A",
    ...flags,
    `bench/${file}`,
    ...(where ? args : ["DIRECTORY", ...args.slice(1)]),
  ].join(" ");
  const date = new Date().toISOString().slice(0, 10);
  const said = `\`${command}\`, ${date}, load ${load} before.`;
  const page = Deno.readTextFileSync(PAGE);
  Deno.writeTextFileSync(PAGE, replaceBetween(page, ...studyMarks(name), `${said}\n\n${text}`));
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE.pathname] }).output();
