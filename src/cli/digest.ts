/**
 * `table digest`: hashes of what is in a table, whatever it is stored as.
 */
import type { Command } from "commander";
import { type Table, TableError } from "../../mod.ts";
import { digestTable, type TableDigest } from "../query/mod.ts";
import { shortPath } from "./failure.ts";
import { Fields, jsonText } from "./json.ts";
import { styled } from "./layout.ts";
import { addReadingOptions, openTable, parseNames, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { visible } from "./text.ts";
import { printLines } from "./write.ts";

interface DigestCommandOptions extends ReadingOptions {
  readonly columns?: string[];
  readonly subtables?: true;
  readonly json?: true;
}

function digestOf(table: Table, columns: readonly string[] | undefined, terminal: Terminal): TableDigest {
  try {
    return digestTable(table, {
      ...(columns === undefined ? {} : { columns }),
      onProgress: (column, rows, of) =>
        terminal.progress(
          `digesting ${visible(shortPath(table.path))} ${visible(column)} ${Math.floor(100 * rows / of)} %`,
        ),
    });
  } finally {
    terminal.progress("");
  }
}

/** Digests of the subtables that can be found. @throws TableError */
function digestSubtables(table: Table, terminal: Terminal): [name: string, digest: TableDigest][] {
  const names = table.keywords.keys().filter((name) => table.keywords.kind(name) === "table");
  return names.map((name) => {
    using subtable = table.subtable(name);
    return [name, digestOf(subtable, undefined, terminal)];
  });
}

/** One digest a line, what it is of behind it. */
function* lines(
  table: Table,
  digest: TableDigest,
  subtables: readonly (readonly [name: string, digest: TableDigest])[],
  color: boolean,
): Generator<string> {
  yield `${digest.table}  ${styled("table", "bold", color)}`;
  if (table.keywords.size > 0) yield `${digest.keywords}  keywords`;
  for (const { name, values, keywords } of digest.columns) {
    yield `${values}  column ${visible(name)}`;
    if (table.column(name).keywords.size > 0) yield `${keywords}  keywords of ${visible(name)}`;
  }
  for (const [name, { table }] of subtables) yield `${table}  subtable ${visible(name)}`;
}

function digest(path: string, options: DigestCommandOptions, terminal: Terminal): void {
  using table = openTable(path, options);
  const unreadable = (options.columns ?? table.columnNames).find((name) => !table.column(name).readable);
  if (unreadable !== undefined) {
    const { type } = table.column(unreadable).manager;
    throw new TableError(
      "UNSUPPORTED",
      `column ${unreadable}: ${type} can't be read; --columns leaves it out`,
      {
        file: table.path,
      },
    );
  }
  const own = digestOf(table, options.columns, terminal);
  const subtables = options.subtables ? digestSubtables(table, terminal) : [];
  if (options.json) {
    const value = options.subtables ? { ...own, subtables: new Fields(subtables) } : own;
    printLines([jsonText(value, 2)], terminal);
  } else printLines(lines(table, own, subtables, terminal.color), terminal);
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addDigest(program: Command, terminal: Terminal): void {
  const command = program.command("digest")
    .description("print hashes of what is in a table, whatever it is stored as")
    .argument("<table>", "directory of the table")
    .option("--columns <names>", "only these columns: a,b,c", parseNames)
    .option("--subtables", "digests of the subtables, too")
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
SHA-256 of the values of each column, of its keywords and those of the table,
and of all of it together: the same for every table that holds the same,
whatever its storage managers, tiles, byte order and order of columns.

Example:
  $ table digest my.ms --columns DATA,FLAG`,
    )
    .action((path: string, options: DigestCommandOptions) => digest(path, options, terminal));
  addReadingOptions(command);
}
