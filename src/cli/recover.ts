/**
 * `table recover`: what an interrupted change left behind in a table, and with --yes, its repair.
 */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import {
  type Finding,
  type IoName,
  type IoSnapshot,
  type RecoverFinding,
  type RecoverReport,
  recoverTable,
  TableError,
} from "../../mod.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { errorText, shortPath } from "./failure.ts";
import { jsonText } from "./json.ts";
import { addStatsOptions, IO_CHOICES, reportSnapshots, type StatsOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface RecoverCommandOptions extends StatsOptions {
  readonly yes?: true;
  readonly discardJournal?: true;
  readonly json?: true;
  readonly io: IoName | "auto";
  readonly lock: "auto" | "none";
  /** False with `--no-subtables`. */
  readonly subtables: boolean;
}

/** What is wrong, what is known of it, and what repairs it. */
function linesOf({ file, message, details, remedy, done }: RecoverFinding, path: string): string[] {
  const what = errorText(new TableError("CORRUPT", message, { file }), [path]);
  const cure = remedy === null
    ? "nothing can be done about it here"
    : done
    ? `done: ${remedy}`
    : `with --yes: ${remedy}`;
  return [what, ...details.map((line) => `  ${visible(line)}`), `  ${visible(cure)}`];
}

function lines(report: RecoverReport, path: string): string[] {
  const { findings } = report;
  if (findings.length > 0) return findings.flatMap((finding) => linesOf(finding, path));
  return [visible(`${shortPath(path)}: nothing to repair (${counted(report.tables, "table")})`)];
}

/** What repairs a finding of a live store; null where nothing does. */
function storeRemedy({ file, note }: Finding): string | null {
  if (/\/log\/.*\.cut$/.test(file)) return null;
  if (note) return "opening the store for writing clears it away";
  if (/\/manifest[^/]*$/.test(file)) return "the manifest before it takes its place";
  if (/\/log\/[^/]*$/.test(file)) return "the rows before are kept; what follows is put aside as a .cut file";
  if (/\.bloom$/.test(file)) return "the segment is read without a filter";
  return /\/table\.(dat|info)$/.test(file) && !/\/segments\//.test(file)
    ? "it is written anew, as the manifest says"
    : null;
}

/** A live store: repaired as opening it for writing does. */
async function recoverLive(path: string, { yes, lock }: RecoverCommandOptions): Promise<RecoverReport> {
  const { checkStore, recoverStore } = await import("../ingest/check.ts");
  const done = yes ? await recoverStore(path, { lock }) : [], left = await checkStore(path);
  // What was put aside stays, and is nobody's fault.
  const open = left.filter((finding) => !finding.note || (!yes && storeRemedy(finding) !== null));
  const told = ({ file, offset, message }: Finding, remedy: string | null, done: boolean) => ({
    kind: "table" as const,
    file,
    message: offset === undefined ? message : `offset ${offset}: ${message}`,
    details: [],
    remedy,
    done,
  });
  const findings = [
    ...done.map((finding) => told(finding, "the store was repaired", true)),
    ...open.map((finding) => told(finding, storeRemedy(finding), false)),
  ];
  return { path: resolve(path), tables: 1, findings, left: open.length };
}

async function recover(path: string, options: RecoverCommandOptions, terminal: Terminal): Promise<void> {
  const { io, lock, subtables } = options;
  let report: RecoverReport;
  const counters: { snapshot(): IoSnapshot }[] = [];
  try {
    report = hasStore(path) ? await recoverLive(path, options) : recoverTable(path, {
      io,
      lock,
      subtables,
      apply: options.yes ?? false,
      discardJournal: options.discardJournal ?? false,
      onCounters: (some) => counters.push(some),
      onTable: (directory) => terminal.progress(`looking at ${shortPath(directory)}`),
    });
  } finally {
    terminal.progress("");
  }
  printLines(options.json ? [jsonText({ ...report }, 2)] : lines(report, path), terminal);
  reportSnapshots(counters.map((some) => some.snapshot()), options, terminal);
  const { findings, left } = report;
  if (left === 0) return;
  const can = findings.filter(({ done, remedy }) => !done && remedy !== null).length;
  const advice = options.yes
    ? ""
    : can === 0
    ? "; --yes would repair none of them"
    : `; --yes repairs ${can}`;
  const things = counted(left, "thing is left as it is", "things are left as they are");
  throw new TableError("CORRUPT", `${things}${advice}`, { file: report.path });
}

/** Adds the command. */
export function addRecover(program: Command, terminal: Terminal): void {
  const command = program.command("recover")
    .description("say what an interrupted change left behind in a table, and repair it")
    .argument("<table>", "directory of the table")
    .option("--yes", "repair what can be repaired; without it nothing is changed")
    .option(
      "--discard-journal",
      "where somebody changed the table after its writer died: keep the files as they are",
    )
    .addOption(new Option("--io <name>", "I/O backend").choices(IO_CHOICES).default("auto"))
    .addOption(
      new Option("--lock <mode>", "keep others away while it is repaired, or not").choices(["auto", "none"])
        .default("auto"),
    )
    .option("--no-subtables", "leave out subtables")
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
Looks for the journal of a commit whose writer died, a lost table.dat, a damaged
or stale table.lock, row counts that disagree, and files that nothing refers to.
Of a live store: a damaged manifest or log, and what its writer left that died;
opening it for writing repairs the same.

Exit status: 0 when there is nothing to repair, or all of it was repaired;
1 when something is left.

Example:
  $ table recover my.ms
  $ table recover --yes my.ms`,
    )
    .action((path: string, options: RecoverCommandOptions) => recover(path, options, terminal));
  addStatsOptions(command);
}
