/**
 * `table import`: a new table from what other programs wrote.
 */
import { type Command, Option } from "commander";
import { type StorageSpec, type Table, TableError } from "../../mod.ts";
import type { ImportOptions } from "../arrow/new-table.ts";
import { parseStorage } from "./copy.ts";
import { type Format, formatOf, FORMATS } from "./export.ts";
import { interruptible } from "./export-target.ts";
import { tableSizes } from "./files.ts";
import { fromCsv, fromNdjson } from "./import-text.ts";
import { addReadingOptions, openTable, parseNames, type ReadingOptions, reportStats } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, humanBytes, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface ImportCommandOptions extends ReadingOptions {
  readonly format?: Format;
  readonly columns?: string[];
  readonly storage?: StorageSpec[];
  readonly like?: string;
  readonly nulls: "refuse" | "fill";
  readonly byteOrder?: "little" | "big";
  readonly overwrite?: true;
}

async function importAs(
  format: Format,
  file: string,
  path: string,
  options: ImportOptions & { columns?: readonly string[] },
  like: Table | undefined,
): Promise<Table> {
  switch (format) {
    case "arrow": {
      const [{ fromArrow }, { readArrow }] = await Promise.all([
        import("../arrow/from-arrow.ts"),
        import("../arrow/ipc.ts"),
      ]);
      const batches = await readArrow(file);
      try {
        return await fromArrow(path, batches, options);
      } finally {
        await batches.close().catch(() => {});
      }
    }
    case "parquet": {
      const { fromParquet } = await import("../parquet/from-parquet.ts");
      return fromParquet(path, file, options);
    }
    case "csv":
      return fromCsv(path, file, { ...options, ...(like === undefined ? {} : { like }) });
    case "ndjson":
      return fromNdjson(path, file, { ...options, ...(like === undefined ? {} : { like }) });
  }
}

async function importTable(
  file: string,
  path: string,
  options: ImportCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const format = formatOf(options.format, file);
  const { columns, storage, nulls, byteOrder, overwrite = false, io, lock } = options;
  if (options.like !== undefined && (format === "arrow" || format === "parquet")) {
    throw new TableError("INVALID_ARGUMENT", `--like is for csv and ndjson; ${format} says its types itself`);
  }
  using like = options.like === undefined ? undefined : openTable(options.like, options);
  using table = await interruptible("import", (signals) =>
    importAs(
      format,
      file,
      path,
      {
        nulls,
        onProgress: () => signals.look(),
        overwrite,
        io,
        lock,
        ...(columns === undefined ? {} : { columns }),
        ...(storage === undefined ? {} : { storage }),
        ...(byteOrder === undefined ? {} : { byteOrder }),
      },
      like,
    ));
  const { rowCount, columnNames } = table;
  const size = humanBytes(tableSizes(path).all);
  printLines(
    [visible(`${path}: ${counted(rowCount, "row")}, ${counted(columnNames.length, "column")}, ${size}`)],
    terminal,
  );
  reportStats([table], options, terminal);
}

/** Adds the command. */
export function addImport(program: Command, terminal: Terminal): void {
  const command = program.command("import")
    .description("make a table of an Arrow, Parquet, CSV or NDJSON file")
    .argument("<file>", "file to read")
    .argument("<table>", "directory of the new table")
    .addOption(new Option("--format <name>", "form; left out: as the file's name ends").choices(FORMATS))
    .option("--columns <names>", "columns to take, in this order: a,b,c", parseNames)
    .addOption(
      new Option("--storage <json>", "storage managers, as Table.create takes them").argParser(parseStorage),
    )
    .option("--like <table>", "CSV, NDJSON: types, units and keywords as in that table")
    .addOption(
      new Option("--nulls <what>", "values that are missing: an error, or NaN, 0 and empty texts")
        .choices(["refuse", "fill"]).default("refuse"),
    )
    .addOption(new Option("--byte-order <order>", "byte order of the table").choices(["little", "big"]))
    .option("--overwrite", "replace an existing table")
    .addHelpText(
      "after",
      `
What \`table export\` wrote as Arrow or Parquet becomes what it was, with units
and keywords. In CSV and NDJSON whole numbers become int32 or int64, others
float64; --like says better.

Examples:
  $ table import vis.parquet vis.tab
  $ table import rows.ndjson new.tab --like old.tab
  $ table import catalogue.csv sources.tab --columns NAME,RA,DEC --nulls fill`,
    )
    .action((file: string, path: string, options: ImportCommandOptions) =>
      importTable(file, path, options, terminal)
    );
  addReadingOptions(command);
}
