/**
 * `table cat`: rows as JSON, one object a line.
 */
import { type Command, Option } from "commander";
import { type Table, TableError } from "../../mod.ts";
import { writeArray, writeScalar } from "./cells.ts";
import { jsonText } from "./json.ts";
import {
  addReadingOptions,
  openTable,
  parseNames,
  parseRows,
  type ReadingOptions,
  reportStats,
  type RowRange,
} from "./options.ts";
import { BATCH_BYTES, type BoundedTable, type RowBatch, rowBatches } from "./row-batches.ts";
import { TextSink } from "./sink.ts";
import type { Terminal } from "./terminal.ts";
import { className, visible } from "./text.ts";

interface CatOptions extends ReadingOptions {
  readonly columns?: string[];
  readonly rows?: RowRange;
}

/** Rows to print: those asked for, or which ones of so many. */
type Rows = RowRange | ((rowCount: number) => RowRange);

/** Columns' names as JSON, each with what stands before and behind it. */
export function keysOf(names: readonly string[]): Uint8Array[] {
  const encoder = new TextEncoder();
  return names.map((name, i) => encoder.encode(`${i === 0 ? "{" : ","}${JSON.stringify(name)}:`));
}

/** The rows' text; `keys` are those of {@linkcode keysOf}. */
export function writeRows(sink: TextSink, batch: RowBatch, keys: readonly Uint8Array[]): void {
  for (let i = 0; i < batch.end - batch.start; i++) {
    if (keys.length === 0) sink.text("{");
    batch.columns.forEach((column, c) => {
      sink.bytes(keys[c]!);
      if (column.kind === "array") writeArray(sink, column.cells[i]!);
      else if (column.kind === "values") sink.text(jsonText(column.cells[i]));
      else writeScalar(sink, column.dtype, column.data, i);
    });
    sink.text("}\n");
  }
}

/** The columns that can be read; a line on standard error for each that can't. */
export function readableColumns(
  table: Table,
  asked: readonly string[] | undefined,
  terminal: Terminal,
): string[] {
  return (asked ?? table.columnNames).filter((name) => {
    const column = table.column(name);
    if (column.readable) return true;
    terminal.err(
      `table: column ${visible(name)} is left out: ${className(column.manager.type)} can't be read yet`,
    );
    return false;
  });
}

/** @throws TableError OUT_OF_RANGE */
function checkRows(
  table: Table,
  { start = 0, end = table.rowCount }: RowRange,
): { start: number; end: number } {
  if (end < start || end > table.rowCount) {
    throw new TableError("OUT_OF_RANGE", `rows ${start} to ${end} asked, the table has ${table.rowCount}`, {
      file: table.path,
    });
  }
  return { start, end };
}

/** Prints rows as JSON, one object a line. @throws TableError, PipeClosed */
export function printRows(
  path: string,
  rows: Rows,
  options: ReadingOptions & { readonly columns?: string[] },
  terminal: Terminal,
): void {
  using bounded = openTable(path, options, { maxResultBytes: BATCH_BYTES });
  using extra = new DisposableStack();
  const opened: Table[] = [bounded];
  const table: BoundedTable = {
    bounded,
    unbounded() {
      if (opened.length === 1) opened.push(extra.use(openTable(path, options)));
      return opened[1]!;
    },
  };
  const { start, end } = checkRows(bounded, typeof rows === "function" ? rows(bounded.rowCount) : rows);
  const names = readableColumns(bounded, options.columns, terminal);
  const keys = keysOf(names);
  const sink = new TextSink((bytes) => terminal.out(bytes));
  try {
    for (const batch of rowBatches(table, names, start, end)) writeRows(sink, batch, keys);
  } finally {
    // What was read before something failed is printed.
    sink.flush();
  }
  reportStats(opened, options, terminal);
}

/** Adds the command. */
export function addCat(program: Command, terminal: Terminal): void {
  const command = program.command("cat")
    .description("print rows as JSON, one object a line")
    .argument("<table>", "directory of the table")
    .option("--columns <names>", "columns to print, in this order: a,b,c", parseNames)
    .option("--rows <start:end>", "rows to print, the end not included", parseRows)
    .addOption(new Option("--format <name>", "form of the output").choices(["ndjson"]).default("ndjson"))
    .option("--json", "the same; cat has no other form")
    .addHelpText(
      "after",
      `
A complex scalar is [re, im]; an array cell {"shape": [...], "data": [...]},
first axis fastest, complex values as pairs; NaN and infinities are strings; an
undefined cell is null.

Example:
  $ table cat my.ms --columns TIME,UVW --rows 0:100 --format ndjson | head -3`,
    )
    .action((path: string, options: CatOptions) => printRows(path, options.rows ?? {}, options, terminal));
  addReadingOptions(command);
}
