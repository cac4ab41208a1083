/**
 * `table import`: a new table from what other programs wrote.
 */
import { type Command, Option } from "commander";
import { type StorageSpec, type Table, TableError } from "../../mod.ts";
import { parseStorage } from "./copy.ts";
import { type Format, formatOf, FORMATS } from "./export.ts";
import { interruptible } from "./export-target.ts";
import { tableSizes } from "./files.ts";
import { STANDARD_INPUT, withInput } from "./import-input.ts";
import { fromCsv, fromNdjson, type TextImportOptions } from "./import-text.ts";
import { addReadingOptions, openTable, parseNames, type ReadingOptions, reportStats } from "./options.ts";
import { progressBar } from "./progress.ts";
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
  { onRead, ...options }: TextImportOptions,
  like: Table | undefined,
): Promise<Table> {
  const reading = onRead === undefined ? {} : { onRead };
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
      return fromCsv(path, file, { ...options, ...reading, ...(like === undefined ? {} : { like }) });
    case "ndjson":
      return fromNdjson(path, file, { ...options, ...reading, ...(like === undefined ? {} : { like }) });
  }
}

/** Progress is shown when an import takes longer than this. */
const PATIENCE_MS = 1000;

/** Says how far an import got: which part of a file that is read as text, of others how many rows. */
async function importProgress(file: string, times: number, terminal: Terminal) {
  const bar = await progressBar("importing", "parts"), started = performance.now();
  let rows = 0, size = 0;
  try {
    size = times * Deno.statSync(file).size;
  } catch {
    // Whoever reads it says what is wrong with it.
  }
  const patient = () => performance.now() - started < PATIENCE_MS;
  return {
    rows(done: number) {
      rows = done;
      if (times === 0 && !patient()) terminal.progress(`importing: ${counted(rows, "row")}`);
    },
    bytes(done: number) {
      if (!patient() && size > 0) {
        bar.update(Math.min(done, size), size, rows === 0 ? "looking for types" : counted(rows, "row"));
      }
    },
    stop() {
      bar.stop();
      terminal.progress("");
    },
  };
}

async function importTable(
  file: string,
  path: string,
  options: ImportCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const format = formatOf(options.format, file === STANDARD_INPUT ? undefined : file);
  const { columns, storage, nulls, byteOrder, overwrite = false, io, lock } = options;
  const text = format === "csv" || format === "ndjson";
  if (options.like !== undefined && !text) {
    throw new TableError("INVALID_ARGUMENT", `--like is for csv and ndjson; ${format} says its types itself`);
  }
  using like = options.like === undefined ? undefined : openTable(options.like, options);
  using table = await interruptible(
    "import",
    (signals) =>
      withInput(file, path, signals, terminal, async (file) => {
        const progress = await importProgress(file, !text ? 0 : like === undefined ? 2 : 1, terminal);
        try {
          return await importAs(
            format,
            file,
            path,
            {
              nulls,
              onProgress: (rows) => {
                progress.rows(rows);
                return signals.look();
              },
              onRead: (bytes) => {
                progress.bytes(bytes);
                return signals.look();
              },
              overwrite,
              io,
              lock,
              ...(columns === undefined ? {} : { columns }),
              ...(storage === undefined ? {} : { storage }),
              ...(byteOrder === undefined ? {} : { byteOrder }),
            },
            like,
          );
        } finally {
          progress.stop();
        }
      }),
  );
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
    .argument("<file>", "file to read; - is standard input")
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
  $ table import catalogue.csv sources.tab --columns NAME,RA,DEC --nulls fill
  $ table cat old.tab --rows 0:3 | table import - few.tab --format ndjson`,
    )
    .action((file: string, path: string, options: ImportCommandOptions) =>
      importTable(file, path, options, terminal)
    );
  addReadingOptions(command);
}
