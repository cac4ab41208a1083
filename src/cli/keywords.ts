/**
 * `table keywords`: the keywords of a table or of its columns; one of them; and how they are changed.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Table, TableRecord } from "../../mod.ts";
import { UsageError } from "./failure.ts";
import { Fields, jsonText } from "./json.ts";
import { typeText, valueText } from "./keyword-text.ts";
import {
  deleteKeyword,
  KEYWORD_TYPES,
  type KeywordType,
  keywordType,
  noKeyword,
  placeOf,
  setKeyword,
} from "./keyword-value.ts";
import { layout } from "./layout.ts";
import { addReadingOptions, openTable, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { visible } from "./text.ts";
import { uninterrupted } from "./uninterrupted.ts";
import { printLines } from "./write.ts";

interface KeywordsOptions extends ReadingOptions {
  readonly json?: true;
  readonly column?: string;
  readonly columns?: true;
  readonly set: readonly Assignment[];
  readonly delete: readonly string[];
  readonly type?: KeywordType;
}

/** `KEY=VALUE` as it was typed. */
interface Assignment {
  readonly key: string;
  readonly text: string;
}

/** Records inside records, each field under the path that leads to it. */
function* flat(
  record: TableRecord,
  prefix: string,
): Generator<{ name: string; type: string; value: string }> {
  for (const [key, value] of record) {
    const name = prefix + visible(key);
    if (value instanceof TableRecord) yield* flat(value, `${name}.`);
    else yield { name, type: typeText(record, key), value: valueText(record, key) };
  }
}

function lines(record: TableRecord, terminal: Terminal, indent = 0): string[] {
  const rows = [...flat(record, "")];
  if (rows.length === 0) return [];
  return layout([
    // Only values are cut: a name or a type without its end would be another one.
    { title: "keyword", cells: rows.map((row) => row.name) },
    { title: "type", cells: rows.map((row) => row.type), faint: true },
    { title: "value", cells: rows.map((row) => row.value), least: 20 },
  ], { width: terminal.width, color: terminal.color, indent, untitled: true });
}

function columnsOf(table: Table): [name: string, keywords: TableRecord][] {
  return table.columnNames.map((name) => [name, table.column(name).keywords]);
}

function textLines(table: Table, options: KeywordsOptions, terminal: Terminal): string[] {
  if (options.column !== undefined) return lines(table.column(options.column).keywords, terminal);
  if (!options.columns) return lines(table.keywords, terminal);
  return columnsOf(table)
    .filter(([, keywords]) => keywords.size > 0)
    .flatMap(([name, keywords]) => [visible(name), ...lines(keywords, terminal, 2)]);
}

/** One keyword: its value alone, or the fields of a record. */
function oneLines(record: TableRecord, key: string, options: KeywordsOptions, terminal: Terminal): string[] {
  const value = record.get(key)!;
  if (options.json) return [jsonText(value, 2)];
  return value instanceof TableRecord ? lines(value, terminal) : [valueText(record, key, Infinity)];
}

function print(path: string, key: string | undefined, options: KeywordsOptions, terminal: Terminal): void {
  using table = openTable(path, options);
  if (key !== undefined) {
    const all = options.column === undefined ? table.keywords : table.column(options.column).keywords;
    const place = placeOf(all, key);
    if (!place.record.has(place.key)) throw noKeyword(key, all, table.path);
    printLines(oneLines(place.record, place.key, options, terminal), terminal);
  } else if (options.json) {
    const value = options.column !== undefined
      ? table.column(options.column).keywords
      : options.columns
      ? new Fields(columnsOf(table))
      : table.keywords;
    printLines([jsonText(value, 2)], terminal);
  } else printLines(textLines(table, options, terminal), terminal);
  reportStats([table], options, terminal);
}

/** Changes what was asked for, all of it in one commit or nothing, and prints what the keywords are then. */
function change(path: string, options: KeywordsOptions, terminal: Terminal): void {
  using table = openTable(path, options, { mode: "rw" });
  const record = options.column === undefined ? table.keywords : table.column(options.column).keywords;
  table.transaction(() => {
    for (const key of options.delete) deleteKeyword(record, key, table.path);
    for (const { key, text } of options.set) setKeyword(record, key, text, options.type);
  });
  const changed = new TableRecord();
  for (const { key: path } of options.set) {
    const place = placeOf(record, path);
    const value = place.record.get(place.key);
    if (value !== undefined) changed.set(path, value, typeOf(place.record, place.key));
  }
  printLines(options.json ? [jsonText(changed, 2)] : lines(changed, terminal), terminal);
  reportStats([table], options, terminal);
}

function typeOf(record: TableRecord, key: string) {
  const kind = record.kind(key);
  return kind === "record" || kind === "table" ? undefined : record.dtype(key);
}

function keywords(
  path: string,
  key: string | undefined,
  options: KeywordsOptions,
  terminal: Terminal,
): void {
  const changes = options.set.length + options.delete.length > 0;
  if (options.type !== undefined && options.set.length === 0) throw new UsageError("--type goes with --set");
  if (!changes && !(options.columns && key !== undefined)) return print(path, key, options, terminal);
  if (key !== undefined || options.columns) {
    const what = changes ? "--set and --delete name the keywords; they" : "a keyword's name";
    throw new UsageError(
      `${what} can't be given together with ${options.columns ? "--columns" : `"${key}"`}`,
    );
  }
  uninterrupted(() => change(path, options, terminal));
}

function parseAssignment(text: string, before: readonly Assignment[]): Assignment[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected KEY=VALUE.");
  return [...before, { key: text.slice(0, at), text: text.slice(at + 1) }];
}

function parseType(text: string): KeywordType {
  const type = keywordType(text);
  if (type !== undefined) return type;
  throw new InvalidArgumentError(`Expected one of ${KEYWORD_TYPES.join(", ")}, or an array: float64[].`);
}

/** Adds the command. */
export function addKeywords(program: Command, terminal: Terminal): void {
  const command = program.command("keywords")
    .description("print or change the keywords of a table or of its columns")
    .argument("<table>", "directory of the table")
    .argument("[key]", "print only this one's value; NAME.FIELD looks into a record")
    .option("--json", "as JSON, for programs")
    .addOption(new Option("--column <name>", "keywords of this column").conflicts("columns"))
    .option("--columns", "keywords of every column")
    .addOption(
      new Option("--set <key=value>", "give a keyword a value (may be repeated)").argParser(parseAssignment)
        .default([], "none"),
    )
    .addOption(
      new Option("--type <type>", "type of what is set, e.g. float64 or int32[]").argParser(parseType),
    )
    .addOption(
      new Option("--delete <key>", "remove a keyword (may be repeated)")
        .argParser((key: string, before: readonly string[]) => [...before, key]).default([], "none"),
    )
    .addHelpText(
      "after",
      `
What is set keeps its type unless --type says another; a new keyword is what its
text is as JSON (true, 12, 0.5, [1, 2], {"a": 1}), else a string. All changes of
a call are made in one commit, or none.

Examples:
  $ table keywords my.ms --column TIME
  $ table keywords my.ms MEASINFO.Ref --column TIME
  $ table keywords my.ms --set OBSERVER=Jansky --set 'GAIN=[1.5, 2]'
  $ table keywords my.ms --delete GAIN
  $ table keywords my.ms --set VERSION=2 --type float32`,
    )
    .action((path: string, key: string | undefined, options: KeywordsOptions) =>
      keywords(path, key, options, terminal)
    );
  addReadingOptions(command);
}
