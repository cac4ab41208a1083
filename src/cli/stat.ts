/**
 * `table stat`: statistics of a column, as a whole or by place along axes of its cells.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Table } from "../../mod.ts";
import {
  type ColumnStatistics,
  columnStatistics,
  type ComplexPart,
  type GroupStatistics,
  type TextStatistics,
  textStatistics,
} from "../query/mod.ts";
import { jsonText } from "./json.ts";
import { type Field, layout } from "./layout.ts";
import {
  addReadingOptions,
  openTable,
  parseNames,
  parseRows,
  type ReadingOptions,
  reportStats,
  type RowRange,
} from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, cut, humanCount, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface StatOptions extends ReadingOptions {
  readonly axis: readonly Axis[];
  readonly rows?: RowRange;
  readonly flag?: string[];
  readonly parts?: ComplexPart[];
  readonly quantiles?: number[];
  readonly json?: true;
}

/** An axis as it was asked for. */
interface Axis {
  readonly axis: number;
  readonly title: string;
}

/** Names of axes in the visibility columns of a MeasurementSet. */
const AXIS_NAMES: Readonly<Record<string, number>> = { correlation: 0, corr: 0, channel: 1, chan: 1 };
const PARTS: readonly string[] = ["amplitude", "phase", "real", "imag"];
/** Significant digits for people, and where there is little room. */
const DIGITS = 6, FEW_DIGITS = 4;
/** Digits of a double. */
const ALL_DIGITS = 17;

function parseAxes(text: string): Axis[] {
  return parseNames(text).map((name) => {
    const axis = AXIS_NAMES[name] ?? (/^\d{1,3}$/.test(name) ? Number(name) : undefined);
    if (axis === undefined) {
      throw new InvalidArgumentError("Expected numbers from 0, correlation or channel, e.g. 0 or 0,1.");
    }
    return { axis, title: /^\d/.test(name) ? `axis ${name}` : name };
  });
}

function parseParts(text: string): ComplexPart[] {
  const parts = parseNames(text);
  const wrong = parts.find((part) => !PARTS.includes(part));
  if (wrong !== undefined) throw new InvalidArgumentError(`Expected some of ${PARTS.join(", ")}.`);
  return parts as ComplexPart[];
}

function parseFractions(text: string): number[] {
  const fractions = text.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (!fractions.every((fraction) => fraction >= 0 && fraction <= 1)) {
    throw new InvalidArgumentError("Expected fractions from 0 to 1, e.g. 0.05,0.5,0.95.");
  }
  return fractions;
}

function shortNumber(value: number, digits = DIGITS): string {
  return Number.isNaN(value) ? "–" : String(Number(value.toPrecision(digits)));
}

/** Digits more than usual that tell the numbers of a group apart: times differ in their last ones. */
function commonDigits({ min, max }: GroupStatistics): number {
  const spread = (max - min) / Math.max(Math.abs(min), Math.abs(max));
  return spread > 0 ? Math.min(ALL_DIGITS - DIGITS, Math.floor(-Math.log10(spread))) : 0;
}

/** `25 %`, `0.1 %`. */
function percent(fraction: number): string {
  return fraction === 0.5 ? "median" : `${Number((100 * fraction).toPrecision(DIGITS))} %`;
}

/** Counts of what was left out; nothing where there is none of it. */
function leftOut(
  title: string,
  groups: readonly GroupStatistics[],
  of: (group: GroupStatistics) => number,
): Field {
  const none = groups.every((group) => of(group) === 0);
  return {
    title,
    cells: groups.map((group) => none ? "" : humanCount(of(group))),
    align: "right",
    optional: 1,
  };
}

/** One line a group, one above them all. */
function groupLines(statistics: ColumnStatistics, axes: readonly Axis[], terminal: Terminal): string[] {
  const { groups, quantiles, rows } = statistics;
  const common = Math.max(0, ...groups.map(commonDigits));
  const number = (title: string, of: (group: GroupStatistics) => number, optional?: number): Field => ({
    title,
    cells: groups.map((group) => shortNumber(of(group), DIGITS + common)),
    align: "right",
    shorter: { rank: 3, cells: groups.map((group) => shortNumber(of(group), FEW_DIGITS + common)) },
    ...(optional === undefined ? {} : { optional }),
  });
  const fields: Field[] = [
    ...axes.map(({ title }, i): Field => ({
      title,
      cells: groups.map(({ place }) => String(place[i])),
      align: "right",
    })),
    {
      title: "part",
      cells: groups.map(({ part }) => part ?? ""),
      shorter: { rank: 5, cells: groups.map(({ part }) => part === "amplitude" ? "amp" : part ?? "") },
    },
    { title: "count", cells: groups.map(({ count }) => humanCount(count)), align: "right" },
    leftOut("flagged", groups, ({ flagged }) => flagged),
    leftOut("NaN", groups, ({ nan }) => nan),
    leftOut("infinite", groups, ({ infinite }) => infinite),
    number("min", ({ min }) => min),
    ...quantiles.map((fraction, i) =>
      number(percent(fraction), ({ quantiles }) => quantiles[i]!, fraction === 0.5 ? 2 : 4)
    ),
    number("max", ({ max }) => max),
    number("mean", ({ mean }) => mean),
    number("std", ({ std }) => std),
  ];
  const error = Math.max(0, ...groups.map(({ quantileError }) => quantileError));
  const facts = [
    `${visible(statistics.name)} (${statistics.dtype}): ${counted(rows, "row")}`,
    ...(statistics.undefined > 0 ? [`${humanCount(statistics.undefined)} undefined`] : []),
    ...(error > 0 ? [`quantiles within ${percent(Number(error.toPrecision(2)))} of their rank`] : []),
  ];
  return [
    cut(facts.join(", "), terminal.width),
    ...layout(fields, { width: terminal.width, color: terminal.color }),
  ];
}

function textLines(statistics: TextStatistics, terminal: Terminal): string[] {
  const { name, rows, count, empty, distinct, shortest, longest, first, last } = statistics;
  const some = (text: string | null) => text === null ? "–" : cut(visible(text), 24);
  const facts = [
    `${visible(name)} (string): ${counted(rows, "row")}`,
    ...(statistics.undefined > 0 ? [`${humanCount(statistics.undefined)} undefined`] : []),
  ];
  return [
    cut(facts.join(", "), terminal.width),
    ...layout([
      { title: "count", cells: [humanCount(count)], align: "right" },
      { title: "empty", cells: [humanCount(empty)], align: "right" },
      { title: "distinct", cells: [distinct === null ? "many" : humanCount(distinct)], align: "right" },
      { title: "shortest", cells: [shortNumber(shortest)], align: "right" },
      { title: "longest", cells: [shortNumber(longest)], align: "right" },
      { title: "first", cells: [some(first)], least: 8 },
      { title: "last", cells: [some(last)], least: 8 },
    ], { width: terminal.width, color: terminal.color }),
  ];
}

function numbers(table: Table, column: string, options: StatOptions, terminal: Terminal): ColumnStatistics {
  try {
    return columnStatistics(table, column, {
      ...(options.rows === undefined ? {} : { rows: options.rows }),
      axes: options.axis.map(({ axis }) => axis),
      ...(options.parts === undefined ? {} : { parts: options.parts }),
      ...(options.flag === undefined ? {} : { flags: options.flag }),
      ...(options.quantiles === undefined ? {} : { quantiles: options.quantiles }),
      onProgress: (rows, of) =>
        terminal.progress(`reading ${visible(column)} ${Math.floor(100 * rows / of)} %`),
    });
  } finally {
    terminal.progress("");
  }
}

function stat(path: string, name: string, options: StatOptions, terminal: Terminal): void {
  using table = openTable(path, options);
  const text = table.column(name).dtype === "string";
  const found = text ? textStatistics(table, name, options.rows) : numbers(table, name, options, terminal);
  const lines = options.json
    ? [jsonText(found, 2)]
    : "groups" in found
    ? groupLines(found, options.axis, terminal)
    : textLines(found, terminal);
  printLines(lines, terminal);
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addStat(program: Command, terminal: Terminal): void {
  const command = program.command("stat")
    .description("print statistics of a column: count, extremes, mean, std, quantiles")
    .argument("<table>", "directory of the table")
    .argument("<column>", "name of the column")
    .addOption(
      new Option(
        "--axis <axes>",
        "by place along axes of the cells: 0 or correlation, 1 or channel, or several: 0,1",
      ).argParser(parseAxes).default([], "all together"),
    )
    .option("--rows <start:end>", "rows to look at, the end not included", parseRows)
    .option("--flag <columns>", "leave out what these columns flag: FLAG,FLAG_ROW", parseNames)
    .option("--parts <names>", "of complex numbers: amplitude,phase (the default), real, imag", parseParts)
    .option("--quantiles <fractions>", "which quantiles; quartiles unless told otherwise", parseFractions)
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
Undefined cells and numbers that are flagged, NaN or infinite are counted and
left out. Phases are in radians. Quantiles are exact up to 65,536 numbers (of
each group, fewer of many groups); beyond that it says how close they are.

Example:
  $ table stat my.ms DATA --axis correlation --flag FLAG,FLAG_ROW`,
    )
    .action((path: string, column: string, options: StatOptions) => stat(path, column, options, terminal));
  addReadingOptions(command);
}
