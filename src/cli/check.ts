/**
 * `table check`: walks every structure of every file of a table, and says what is inconsistent.
 */
import { type Command, Option } from "commander";
import {
  type CheckOptions,
  type CheckReport,
  checkTable,
  type Finding,
  type IoName,
  type IoSnapshot,
  TableError,
} from "../../mod.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { errorText, shortPath } from "./failure.ts";
import { jsonText } from "./json.ts";
import { addStatsOptions, IO_CHOICES, reportSnapshots, type StatsOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted } from "./text.ts";
import { printLines } from "./write.ts";

interface CheckCommandOptions extends StatsOptions {
  readonly io: IoName | "auto";
  readonly json?: true;
  /** False with `--no-subtables`. */
  readonly subtables: boolean;
}

/** One line: where, and what is wrong there. */
export function lineOf({ code, file, offset, message, note }: Finding, path: string): string {
  const place = { file, ...(offset === undefined ? {} : { offset }) };
  return (note ? "note: " : "") + errorText(new TableError(code, message, place), [path]);
}

/** What was looked at: `18 tables, 97 files`. */
function amountOf({ tables }: CheckReport): string {
  const files = tables.reduce((sum, table) => sum + table.files, 0);
  return `${counted(tables.length, "table")}, ${counted(files, "file")}`;
}

/** The report as lines: a finding each, and a last one when nothing is wrong. */
export function reportLines(report: CheckReport, path: string): string[] {
  const lines = report.findings.map((finding) => lineOf(finding, path));
  if (report.wrong === 0) lines.push(`${shortPath(path)}: nothing is wrong (${amountOf(report)})`);
  return lines;
}

/** The report for programs. */
function reportObject(report: CheckReport, path: string): object {
  return {
    path,
    wrong: report.wrong,
    notes: report.findings.length - report.wrong,
    tables: report.tables.map(({ path, rows, files }) => ({ path, rows, files })),
    findings: report.findings.map(({ note, code, file, offset, message }) => {
      return { note, code, file, offset: offset ?? null, message };
    }),
  };
}

/** The table, and what makes it a live store. */
async function checkAll(path: string, options: CheckOptions): Promise<CheckReport> {
  if (!hasStore(path)) return checkTable(path, options);
  const { checkStore } = await import("../ingest/check.ts");
  const found = await checkStore(path);
  let report: CheckReport = { path, tables: [], findings: [], wrong: 0 };
  try {
    report = checkTable(path, options);
  } catch (error) {
    // A store whose concatenation is missing: that was found, and its writer mends it.
    if (!(error instanceof TableError) || found.every(({ note }) => note)) throw error;
  }
  const findings = [...found, ...report.findings];
  return { ...report, findings, wrong: findings.filter(({ note }) => !note).length };
}

async function check(path: string, options: CheckCommandOptions, terminal: Terminal): Promise<void> {
  const counters: { snapshot(): IoSnapshot }[] = [];
  const report = await checkAll(path, {
    io: options.io,
    onCounters: (some) => counters.push(some),
    subtables: options.subtables,
    onTable: (directory) => terminal.progress(`checking ${shortPath(directory)}`),
  });
  terminal.progress("");
  printLines(
    options.json ? [jsonText(reportObject(report, path), 2)] : reportLines(report, path),
    terminal,
  );
  reportSnapshots(counters.map((some) => some.snapshot()), options, terminal);
  if (report.wrong > 0) {
    const things = counted(report.wrong, "thing is wrong", "things are wrong");
    throw new TableError("CORRUPT", `${things} (${amountOf(report)})`, { file: report.path });
  }
}

/** Adds the command. */
export function addCheck(program: Command, terminal: Terminal): void {
  const command = program.command("check")
    .description("walk every structure of a table's files, and say what is inconsistent")
    .argument("<table>", "directory of the table")
    .addOption(new Option("--io <name>", "I/O backend").choices(IO_CHOICES).default("auto"))
    .option("--no-subtables", "leave out subtables")
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
A line for each thing that is wrong, with file and offset. Lines that begin
with note: tell of what is odd and does no harm; they don't count. Of a live
store the manifest, all segments and the logs are looked at, too.

Exit status: 0 when nothing is wrong, 1 when something is.

Example:
  $ table check my.ms`,
    )
    .action((path: string, options: CheckCommandOptions) => check(path, options, terminal));
  addStatsOptions(command);
}
