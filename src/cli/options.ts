/**
 * Options that several commands share, and how their texts become values.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type IoName,
  type IoSnapshot,
  type LockMode,
  type OpenOptions,
  type RowSelection,
  Table,
  TableError,
} from "../../mod.ts";
import { IO_NAMES } from "../io/backends.ts";
import { type Condition, parseWhere, rowFilter } from "../query/where.ts";
import { UsageError } from "./failure.ts";
import { metricsLines, STATS_FORMATS, type StatsFormat, statsLines } from "./statistics.ts";
import type { Terminal } from "./terminal.ts";

/** Names that `--io` takes; a table that lives in memory isn't there when the command starts. */
export const IO_CHOICES: readonly (IoName | "auto")[] = [
  "auto",
  ...IO_NAMES.filter((name) => name !== "memory"),
];

/** How files are reached. */
export interface IoChoice {
  readonly io: IoName | "auto";
  readonly lock: LockMode;
}

/** What every command that only reads a table may be told. */
export interface ReadingOptions extends IoChoice, StatsOptions {}

/** Whether counters are printed, and how. */
export interface StatsOptions {
  readonly stats?: true;
  readonly statsFormat: StatsFormat;
}

/** Gives a command the options that say how files are reached. */
export function addIoOptions(command: Command): Command {
  return command
    .addOption(new Option("--io <name>", "I/O backend").choices(IO_CHOICES).default("auto"))
    .addOption(
      new Option("--lock <mode>", "lock the table as casacore does, or not").choices(["auto", "none"])
        .default("auto"),
    );
}

/** Gives a command the options of {@linkcode ReadingOptions}. */
export function addReadingOptions(command: Command): Command {
  return addStatsOptions(addIoOptions(command));
}

/** Gives a command the options that print counters. */
export function addStatsOptions(command: Command): Command {
  return command
    .option("--stats", "print what was done to files on standard error: calls, bytes, seeks, durations")
    .addOption(
      new Option("--stats-format <format>", "print them so; openmetrics is for what scrapes it")
        .choices(STATS_FORMATS).default("text").implies({ stats: true }),
    );
}

/** Opens a table for reading as the options say. @throws TableError */
export function openTable(path: string, options: IoChoice, more: OpenOptions = {}): Table {
  return Table.open(path, { io: options.io, lock: options.lock, ...more });
}

/** Prints the counters where `--stats` asks for them. */
export function reportStats(tables: readonly Table[], options: StatsOptions, terminal: Terminal): void {
  if (options.stats) reportSnapshots(tables.map((table) => table.ioStats), options, terminal);
}

/** Prints counters where `--stats` asks for them. */
export function reportSnapshots(
  snapshots: readonly IoSnapshot[],
  options: StatsOptions,
  terminal: Terminal,
): void {
  if (!options.stats) return;
  const lines = options.statsFormat === "openmetrics" ? metricsLines(snapshots) : statsLines(snapshots);
  for (const line of lines) terminal.err(line);
}

/** A range of rows; what is left out is the table's first row, or the end. */
export interface RowRange {
  readonly start?: number;
  readonly end?: number;
}

const RANGE = /^(\d*):(\d*)$/;

/** Parses `start:end`, either of which may be missing. @throws InvalidArgumentError */
export function parseRows(text: string): RowRange {
  const match = RANGE.exec(text);
  if (match === null) {
    throw new InvalidArgumentError("Expected start:end, e.g. 0:100, :100 or 100: (end not included).");
  }
  const [start, end] = match.slice(1).map((digits) => digits === "" ? undefined : Number(digits));
  for (const row of [start, end]) {
    if (row !== undefined && !Number.isSafeInteger(row)) {
      throw new InvalidArgumentError(`Row ${row} is too large.`);
    }
  }
  if (start !== undefined && end !== undefined && end < start) {
    throw new InvalidArgumentError(`The end, ${end}, lies before the start, ${start}.`);
  }
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

const STEPPED = /^(\d*):(\d*)(?::(\d+))?$/;

/** Parses a range `start:end:step`, any of which may be missing, or a list of rows `7,3,12`. @throws InvalidArgumentError */
export function parseRowSelection(text: string): RowSelection {
  if (/^\d+(,\d+)*$/.test(text)) {
    const rows = text.split(",").map(Number);
    const large = rows.find((row) => !Number.isSafeInteger(row));
    if (large !== undefined) throw new InvalidArgumentError(`Row ${large} is too large.`);
    return rows;
  }
  const match = STEPPED.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(
      "Expected start:end or start:end:step (end not included), or a list 7,3,12.",
    );
  }
  const range = parseRows(`${match[1]}:${match[2]}`);
  if (match[3] === undefined) return range;
  const step = Number(match[3]);
  if (!Number.isSafeInteger(step) || step < 1) throw new InvalidArgumentError("A step is at least 1.");
  return { ...range, step };
}

/** Parses a condition that rows are chosen by. @throws InvalidArgumentError */
export function parseCondition(text: string): Condition {
  try {
    return parseWhere(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** As `rowFilter`. @throws UsageError for a comparison that makes no sense in this table */
export function filterOf(table: Table, condition: Condition): ReturnType<typeof rowFilter> {
  try {
    return rowFilter(table, condition);
  } catch (error) {
    if (!(error instanceof TableError) || error.code !== "INVALID_ARGUMENT") throw error;
    throw new UsageError(`--where: ${error.message}`);
  }
}

/** Parses names with commas between; a name may hold a comma as `\,`. @throws InvalidArgumentError */
export function parseNames(text: string): string[] {
  const names = text.split(/(?<!\\),/).map((name) => name.replaceAll("\\,", ","));
  if (names.some((name) => name === "")) {
    throw new InvalidArgumentError("Expected names with commas between, e.g. DATA,FLAG.");
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(`${twice} is named twice.`);
  return names;
}

/** Parses `COLUMN=4,64,64` and adds it to those before. @throws InvalidArgumentError */
export function parseTileShape(
  text: string,
  before: ReadonlyMap<string, readonly number[]>,
): Map<string, number[]> {
  const at = text.lastIndexOf("=");
  const lengths = text.slice(at + 1).split(",").map((length) => /^\d+$/.test(length) ? Number(length) : NaN);
  if (at < 1 || !lengths.every((length) => Number.isSafeInteger(length))) {
    throw new InvalidArgumentError("Expected COLUMN=lengths of a tile, the rows last, e.g. DATA=4,64,64.");
  }
  return new Map([...before as Map<string, number[]>, [text.slice(0, at), lengths]]);
}
