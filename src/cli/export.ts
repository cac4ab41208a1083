/**
 * `table export`: rows of a table in a form that other programs read.
 */
import { type Command, Option } from "commander";
import type { RowSelection, Table } from "../../mod.ts";
import { rowsIn, type Selection, selectionOf } from "../arrow/selection.ts";
import type { Condition } from "../query/where.ts";
import { autoBackend } from "../io/backends.ts";
import type { Column } from "../table/column.ts";
import {
  fileTarget,
  interruptible,
  type Interruptions,
  standardOutput,
  type Target,
} from "./export-target.ts";
import { CsvExporter, type Exporter, NdjsonExporter } from "./export-text.ts";
import { UsageError } from "./failure.ts";
import {
  addReadingOptions,
  filterOf,
  openTable,
  parseCondition,
  parseNames,
  parseRowSelection,
  type ReadingOptions,
  reportStats,
} from "./options.ts";
import { type ProgressBar, progressBar } from "./progress.ts";
import type { Terminal } from "./terminal.ts";
import { className, humanBytes, visible } from "./text.ts";

/** Forms of tables outside, and the endings of files that have them. */
export const FORMATS = ["arrow", "parquet", "csv", "ndjson"] as const;
/** One of them. */
export type Format = (typeof FORMATS)[number];

const ENDINGS: Readonly<Record<string, Format>> = {
  arrow: "arrow",
  arrows: "arrow",
  feather: "arrow",
  ipc: "arrow",
  parquet: "parquet",
  csv: "csv",
  ndjson: "ndjson",
  jsonl: "ndjson",
};

interface ExportOptions extends ReadingOptions {
  readonly format?: Format;
  readonly columns?: string[];
  readonly rows?: RowSelection;
  readonly where?: Condition;
  readonly dictionary?: true;
  readonly overwrite?: true;
}

/** The form that a file's name tells. @throws UsageError */
export function formatOf(format: Format | undefined, file: string | undefined): Format {
  const told = format ?? ENDINGS[file?.split(".").at(-1)?.toLowerCase() ?? ""];
  if (told !== undefined) return told;
  throw new UsageError(
    `--format is missing${file === undefined ? "" : `, and ${visible(file)} doesn't tell`}: ${
      FORMATS.join(", ")
    }`,
  );
}

/** Rows that are looked at together by --where. */
const WINDOW_ROWS = 65_536;
/** Chosen rows that are gathered before they are written. */
const CHOSEN_ROWS = 32_768;
/** A bar appears when an export takes longer than this. */
const PATIENCE_MS = 1000;

/** The rows of a range for which a condition holds, some at a time, and how many rows were looked at. */
function* chosen(
  selection: Selection,
  filter: (start: number, end: number) => number[],
): Generator<readonly [chosen: Selection, looked: number]> {
  const first = selection.first!;
  let rows: number[] = [];
  for (let at = 0; at < selection.length; at += WINDOW_ROWS) {
    const end = Math.min(selection.length, at + WINDOW_ROWS);
    for (const row of filter(first + at, first + end)) rows.push(row);
    if (rows.length < CHOSEN_ROWS && end < selection.length) continue;
    yield [selectionOf(rows, Infinity), end];
    rows = [];
  }
}

/** Columns to export; a line on standard error for those that are left out. */
function columnsFor(
  table: Table,
  format: Format,
  names: readonly string[] | undefined,
  terminal: Terminal,
): Column[] {
  const asked = (names ?? table.columnNames).map((name) => table.column(name));
  for (const { name, manager } of asked.filter(({ readable }) => !readable)) {
    terminal.err(`table: column ${visible(name)} is left out: ${className(manager.type)} can't be read yet`);
  }
  const readable = asked.filter((column) => column.readable);
  const left = format === "csv" ? readable.filter(({ kind }) => kind !== "scalar") : [];
  if (left.length > 0) {
    terminal.err(
      `table: CSV has no arrays or records; left out: ${left.map(({ name }) => visible(name)).join(", ")}`,
    );
  }
  return readable.filter((column) => !left.includes(column));
}

async function exporterFor(
  table: Table,
  format: Format,
  columns: readonly Column[],
  toFile: boolean,
  dictionary: boolean,
  write: (bytes: Uint8Array) => void,
): Promise<Exporter> {
  const names = columns.map(({ name }) => name);
  switch (format) {
    case "csv":
      return new CsvExporter(table, columns, write);
    case "ndjson":
      return new NdjsonExporter(table, columns, write);
    case "arrow": {
      const { ArrowExporter } = await import("../arrow/export.ts");
      return new ArrowExporter(table, { columns: names, dictionary }, toFile ? "file" : "stream", write);
    }
    case "parquet": {
      const { ParquetExporter } = await import("../parquet/export.ts");
      return new ParquetExporter(table, { columns: names }, write);
    }
  }
}

/** Writes everything, a part at a time. */
async function run(
  table: Table,
  exporter: Exporter,
  options: ExportOptions,
  target: Target,
  signals: Interruptions,
  bar: ProgressBar,
): Promise<number> {
  const started = performance.now();
  const selection = selectionOf(options.rows, table.rowCount);
  let rows = 0;
  const show = (done: number) => {
    if (performance.now() - started > PATIENCE_MS) {
      bar.update(done, selection.length, humanBytes(target.bytes));
    }
  };
  const write = async (part: RowSelection) => {
    const count = rowsIn(part);
    await exporter.write(part, count);
    rows += count;
    await signals.look();
  };
  if (options.where === undefined) {
    for (const part of exporter.parts(selection)) {
      await write(part);
      show(rows);
    }
  } else {
    if (selection.first === null) {
      throw new UsageError("--where takes a range of rows start:end, without a step");
    }
    for (const [some, looked] of chosen(selection, filterOf(table, options.where))) {
      for (const part of exporter.parts(some)) await write(part);
      show(looked);
      await signals.look();
    }
  }
  await exporter.finish();
  return rows;
}

async function exportTable(
  path: string,
  file: string | undefined,
  options: ExportOptions,
  terminal: Terminal,
): Promise<void> {
  const format = formatOf(options.format, file);
  if (file === undefined && (format === "arrow" || format === "parquet") && Deno.stdout.isTerminal()) {
    throw new UsageError(`${format} is nothing to look at: name a file, or send it to another program`);
  }
  // Pages of a map count as the process's memory; a table that is gone through once is better read.
  const io = options.io === "auto" ? autoBackend({ writable: true }) : options.io;
  using table = openTable(path, { ...options, io });
  const columns = columnsFor(table, format, options.columns, terminal);
  const target = file === undefined ? standardOutput(terminal) : fileTarget(file, options.overwrite ?? false);
  const bar = await progressBar("exporting");
  try {
    await interruptible("export", async (signals) => {
      const write = (bytes: Uint8Array) => target.write(bytes);
      const toFile = file !== undefined;
      const exporter = await exporterFor(table, format, columns, toFile, options.dictionary ?? false, write);
      await run(table, exporter, options, target, signals, bar);
    });
    target.complete();
  } catch (error) {
    target.abandon();
    throw error;
  } finally {
    bar.stop();
  }
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addExport(program: Command, terminal: Terminal): void {
  const command = program.command("export")
    .description("write rows as Arrow, Parquet, CSV or NDJSON")
    .argument("<table>", "directory of the table")
    .argument("[file]", "file to write; left out: standard output")
    .addOption(new Option("--format <name>", "form; left out: as the file's name ends").choices(FORMATS))
    .option("--columns <names>", "columns to export, in this order: a,b,c", parseNames)
    .option("--rows <rows>", "rows to export: start:end, start:end:step or a list", parseRowSelection)
    .option(
      "--where <condition>",
      'only rows for which it holds: "ANTENNA1 = 3 and TIME > 5e9"',
      parseCondition,
    )
    .option("--dictionary", "Arrow: scalar strings as dictionaries, for columns with few different ones")
    .option("--overwrite", "replace an existing file")
    .addHelpText(
      "after",
      `
A condition compares scalar columns with numbers, texts in quotes, true or
false by = != < <= > >=, joined by and, or, and brackets. To standard output
Arrow is a stream; CSV has scalar columns only, complex ones as NAME.re and
NAME.im.

Examples:
  $ table export my.ms vis.parquet --columns TIME,ANTENNA1,ANTENNA2,DATA
  $ table export my.ms --format csv
      --where "ANTENNA1 = 0 and FLAG_ROW = false" | head
  $ table export my.ms --format arrow | python3 -c "
      import sys, pyarrow.ipc as ipc
      print(ipc.open_stream(sys.stdin.buffer).read_all().schema)"`,
    )
    .action((path: string, file: string | undefined, options: ExportOptions) =>
      exportTable(path, file, options, terminal)
    );
  addReadingOptions(command);
}
