/**
 * Live ingest: how fast rows get to the disk, to readers and into segments (`deno task bench:ingest`, under 8 minutes). Results
 * go to `bench/results/ingest.{json,md}`; `bench/ingest/publish.ts` puts them into docs/performance.md.
 *
 * | option | meaning |
 * | --- | --- |
 * | `--quick` | less of everything; to `ingest-quick` |
 * | `--only NAME` | parts whose name begins so; may be given more than once. What they come to takes the place of the same parts in the last results |
 * | `--rounds N` | rounds that count |
 * | `--folder DIRECTORY` | where it works: on the disk that is meant; the working folder unless told otherwise |
 * | `--dry` | results are shown, but not written |
 */
import { parseArgs } from "node:util";
import { compaction } from "./compaction.ts";
import { keyed } from "./keyed.ts";
import { latency } from "./latency.ts";
import { reading } from "./reading.ts";
import { ingestMarkdown, type IngestRun, lineText, type Part } from "./report.ts";
import { exists, remove, type Setting } from "./setting.ts";
import { sustained, writers } from "./sustained.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string" },
    folder: { type: "string", default: "." },
    dry: { type: "boolean", default: false },
  },
});

const PARTS: Readonly<Record<string, (setting: Setting) => Promise<Omit<Part, "seconds">>>> = {
  sustained,
  writers,
  keyed,
  reading,
  latency,
  compaction,
};

const place = (end: string) =>
  new URL(`../results/ingest${options.quick ? "-quick" : ""}.${end}`, import.meta.url);

async function main(): Promise<void> {
  const { quick, only, dry } = options, load = Deno.loadavg()[0]!, parts: Part[] = [];
  const names = Object.keys(PARTS).filter((name) =>
    only.length === 0 || only.some((start) => name.startsWith(start))
  );
  const folder = await Deno.realPath(
    await Deno.makeTempDir({ dir: options.folder, prefix: "tessera-ingest-" }),
  );
  try {
    for (const name of names) {
      const began = performance.now();
      const part = await PARTS[name]!({ folder, quick, rounds: Number(options.rounds ?? (quick ? 3 : 5)) });
      const seconds = (performance.now() - began) / 1000;
      parts.push({ ...part, seconds });
      console.log(`${part.title} (${seconds.toFixed(0)} s)`);
      for (const line of part.lines) console.log(`  ${lineText(line)}`);
      for (const grid of part.grids) {
        console.log(`  ${grid.title}`);
        for (const line of [grid.header, ...grid.lines]) console.log(`    ${line.join(" | ")}`);
      }
      for (const note of part.notes) console.log(`  - ${note}`);
    }
  } finally {
    await remove(folder);
  }
  if (dry) return;
  const last = only.length > 0 && exists(place("json").pathname)
    ? JSON.parse(Deno.readTextFileSync(place("json"))) as IngestRun
    : null;
  const all = [...last?.parts.filter(({ name }) => !names.includes(name)) ?? [], ...parts];
  const run: IngestRun = {
    date: new Date().toISOString().slice(0, 10),
    cores: navigator.hardwareConcurrency,
    load: [load, Deno.loadavg()[0]!],
    parts: Object.keys(PARTS).flatMap((name) => all.filter((part) => part.name === name)),
  };
  Deno.writeTextFileSync(place("json"), JSON.stringify(run, null, 1) + "\n");
  Deno.writeTextFileSync(place("md"), ingestMarkdown(run) + "\n");
}

await main();
