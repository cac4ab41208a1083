/**
 * `table diff`: what differs between two tables.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Table, TableError } from "../../mod.ts";
import {
  type ColumnDifference,
  type Difference,
  diffTables,
  type TableDiff,
  type Tolerance,
} from "../query/mod.ts";
import { Fields, jsonText } from "./json.ts";
import { addReadingOptions, openTable, parseNames, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, humanCount, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface DiffCommandOptions extends ReadingOptions {
  readonly columns?: string[];
  readonly tolerance: Tolerance;
  readonly subtables?: true;
  readonly json?: true;
}

/** A difference of two tables, or of their subtables of one name. */
interface NamedDiff {
  /** Names of the subtables that lead there, "" for the tables themselves. */
  readonly subtable: string;
  readonly diff: TableDiff;
}

/** Names of the subtables of a table. */
function subtablesOf(table: Table): string[] {
  return table.keywords.keys().filter((name) => table.keywords.kind(name) === "table");
}

function* diffs(
  a: Table,
  b: Table,
  options: DiffCommandOptions,
  terminal: Terminal,
  subtable = "",
): Generator<NamedDiff> {
  const diff = diffTables(a, b, {
    ...options.tolerance,
    ...(options.columns === undefined || subtable !== "" ? {} : { columns: options.columns }),
    onProgress: (column, rows, of) =>
      terminal.progress(`comparing ${visible(subtable + column)} ${Math.floor(100 * rows / of)} %`),
  });
  yield { subtable, diff };
  if (!options.subtables || subtable !== "") return;
  const others = new Set(subtablesOf(b));
  for (const name of subtablesOf(a).filter((name) => others.has(name))) {
    using left = a.subtable(name);
    using right = b.subtable(name);
    yield* diffs(left, right, options, terminal, `${name}/`);
  }
}

function differenceText({ what, left, right }: Difference): string {
  if (right === null) return `${what}: only in the first: ${left}`;
  return left === null ? `${what}: only in the second: ${right}` : `${what}: ${left} | ${right}`;
}

function columnText(column: ColumnDifference): string {
  const { name, rows, differentRows, differentElements, largest, first, problem } = column;
  if (problem !== null) return `column ${name}: not compared: ${problem}`;
  const { row, index, left, right } = first!;
  const number = `${humanCount(differentRows)} of ${counted(rows, "row")}`;
  const elements = differentElements > differentRows ? ` (${counted(differentElements, "element")})` : "";
  const apart = largest === null ? "" : `, at most ${Number(largest.toPrecision(6))} apart`;
  const place = index === null || index.length === 0 ? "" : ` at [${index.join(",")}]`;
  return `column ${name}: ${number}${elements}${apart}; first row ${row}${place}: ${left} | ${right}`;
}

/** A line for each thing that differs, the first table's on the left. */
export function diffLines({ subtable, diff }: NamedDiff): string[] {
  return [
    ...diff.schema.map(differenceText),
    ...diff.keywords.map(differenceText),
    ...diff.columns.filter((column) => column.differentRows > 0 || column.problem !== null).map(columnText),
  ].map((line) => visible(subtable + line));
}

function jsonOf(found: readonly NamedDiff[]): object {
  const [{ diff }, ...subtables] = found as [NamedDiff, ...NamedDiff[]];
  const equal = found.every(({ diff }) => diff.equal);
  if (subtables.length === 0) return { ...diff };
  return {
    ...diff,
    equal,
    subtables: new Fields(subtables.map(({ subtable, diff }) => [subtable.slice(0, -1), diff] as const)),
  };
}

function diff(left: string, right: string, options: DiffCommandOptions, terminal: Terminal): void {
  using a = openTable(left, options);
  using b = openTable(right, options);
  const found: NamedDiff[] = [];
  try {
    found.push(...diffs(a, b, options, terminal));
  } finally {
    terminal.progress("");
  }
  printLines(options.json ? [jsonText(jsonOf(found), 2)] : found.flatMap(diffLines), terminal);
  reportStats([a, b], options, terminal);
  if (found.every(({ diff }) => diff.equal)) return;
  throw new TableError("INVALID_ARGUMENT", `it differs from ${left}`, { file: b.path });
}

/** Parses `1e-6` (absolute), `rel:1e-6`, or both with a comma between. @throws InvalidArgumentError */
export function parseTolerance(text: string): Tolerance {
  const tolerance: { absolute?: number; relative?: number } = {};
  for (const part of text.split(",")) {
    const [, kind = "abs", digits = ""] = /^(?:(abs|rel):)?(.*)$/.exec(part.trim())!;
    const value = digits === "" ? NaN : Number(digits);
    if (!(value >= 0 && value < Infinity)) {
      throw new InvalidArgumentError("Expected 1e-6 or abs:1e-6, rel:1e-6, or both with a comma between.");
    }
    tolerance[kind === "abs" ? "absolute" : "relative"] = value;
  }
  return tolerance;
}

/** Adds the command. */
export function addDiff(program: Command, terminal: Terminal): void {
  const command = program.command("diff")
    .description("say what differs between two tables: schema, keywords, cells")
    .argument("<table>", "directory of the first table")
    .argument("<other>", "directory of the second one")
    .option("--columns <names>", "compare only these columns: a,b,c", parseNames)
    .addOption(
      new Option(
        "--tolerance <number>",
        "how far numbers may be apart: 1e-6, rel:1e-6 (of the larger), or abs:1e-9,rel:1e-6",
      ).argParser(parseTolerance).default({}, "0"),
    )
    .option("--subtables", "compare the subtables, too")
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
A line for each thing that differs; of a column's cells how many, and the first
one, the first table's value on the left. NaN equals NaN, 0 equals -0; parts of
complex numbers are compared one by one. How tables are stored makes no
difference, nor does the order of columns.

Exit status: 0 when nothing differs, 1 when something does.

Example:
  $ table diff my.ms copy.ms --columns DATA --tolerance rel:1e-6`,
    )
    .action((left: string, right: string, options: DiffCommandOptions) =>
      diff(left, right, options, terminal)
    );
  addReadingOptions(command);
}
