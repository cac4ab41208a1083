/**
 * `table keywords`: the keywords of a table or of its columns.
 */
import { type Command, Option } from "commander";
import { type Table, TableRecord } from "../../mod.ts";
import { Fields, jsonText } from "./json.ts";
import { typeText, valueText } from "./keyword-text.ts";
import { layout } from "./layout.ts";
import { addReadingOptions, openTable, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { visible } from "./text.ts";
import { printLines } from "./write.ts";

interface KeywordsOptions extends ReadingOptions {
  readonly json?: true;
  readonly column?: string;
  readonly columns?: true;
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

function keywords(path: string, options: KeywordsOptions, terminal: Terminal): void {
  using table = openTable(path, options);
  if (options.json) {
    const value = options.column !== undefined
      ? table.column(options.column).keywords
      : options.columns
      ? new Fields(columnsOf(table))
      : table.keywords;
    printLines([jsonText(value, 2)], terminal);
  } else printLines(textLines(table, options, terminal), terminal);
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addKeywords(program: Command, terminal: Terminal): void {
  const command = program.command("keywords")
    .description("print the keywords of a table or of its columns")
    .argument("<table>", "directory of the table")
    .option("--json", "as JSON, for programs")
    .addOption(new Option("--column <name>", "keywords of this column").conflicts("columns"))
    .option("--columns", "keywords of every column")
    .addHelpText("after", "\nExample:\n  $ table keywords --json my.ms --column TIME")
    .action((path: string, options: KeywordsOptions) => keywords(path, options, terminal));
  addReadingOptions(command);
}
