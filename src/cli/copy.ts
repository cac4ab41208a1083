/**
 * `table copy`: a table into a new one, with other storage or byte order if asked.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type CopyAsyncOptions,
  type CopyReport,
  type RowSelection,
  type StorageSpec,
  type Table,
  TableError,
} from "../../mod.ts";
import { Interrupted } from "./failure.ts";
import { tableSizes } from "./files.ts";
import {
  addReadingOptions,
  openTable,
  parseNames,
  parseRowSelection,
  parseTileShape,
  type ReadingOptions,
} from "./options.ts";
import { type ProgressBar, progressBar } from "./progress.ts";
import { metricsLines, statsLines } from "./statistics.ts";
import type { Terminal } from "./terminal.ts";
import { counted, humanBytes, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface CopyCommandOptions extends ReadingOptions {
  readonly columns?: string[];
  readonly rows?: RowSelection;
  readonly storage?: StorageSpec[];
  readonly tileShape: ReadonlyMap<string, readonly number[]>;
  readonly byteOrder?: "little" | "big";
  readonly overwrite?: true;
  /** False with --no-subtables. */
  readonly subtables: boolean;
}

/** Parses what `Table.create` takes as `storage`, as JSON. @throws InvalidArgumentError */
export function parseStorage(text: string): StorageSpec[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}.`);
  }
  if (!Array.isArray(list)) throw new InvalidArgumentError("Expected a list of storage managers.");
  return list.map((spec, i) => {
    const wrong = (what: string): never => {
      throw new InvalidArgumentError(`Storage manager ${i}: ${what}.`);
    };
    if (typeof spec !== "object" || spec === null || Array.isArray(spec)) return wrong("expected an object");
    const { type, name = type, columns, options = {}, ...unknown } = spec as Record<string, unknown>;
    if (typeof type !== "string" || type === "") return wrong('expected a "type", e.g. "TiledShapeStMan"');
    if (typeof name !== "string") return wrong('"name" must be a text');
    if (
      columns !== undefined && !(Array.isArray(columns) && columns.every((one) => typeof one === "string"))
    ) {
      return wrong('"columns" must be a list of names');
    }
    if (typeof options !== "object" || options === null) return wrong('"options" must be an object');
    const [extra] = Object.keys(unknown);
    if (extra !== undefined) return wrong(`there is no "${extra}"; expected type, name, columns, options`);
    return {
      type,
      name,
      ...(columns === undefined ? {} : { columns: columns as string[] }),
      options: options as StorageSpec["options"],
    };
  });
}

/** The path without links; as it is where nothing is there. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** Replacing a table would take the source's files away when they are the target's, or lie in its directory. */
function checkApart(table: Table, target: string): void {
  const place = realPath(target);
  for (const source of [table.path, ...table.parents]) {
    const real = realPath(source);
    if (real === place || real.startsWith(`${place}/`)) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `the copy would replace ${real === place ? "" : "a folder with "}its source`,
        {
          file: target,
        },
      );
    }
  }
}

/** Signals that end a copy, and the numbers that shells know them by. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Copies until it is done or a signal comes; then nothing is left of the copy. @throws Interrupted */
async function copyUntilSignal(
  table: Table,
  target: string,
  options: CopyAsyncOptions,
  bar: ProgressBar,
): Promise<CopyReport> {
  const abort = new AbortController();
  const listeners = (Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]).map(([signal, number]) => {
    const listener = () => abort.abort(new Interrupted(number, "interrupted; nothing is left of the copy"));
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  try {
    return await table.copyAsync(target, {
      ...options,
      signal: abort.signal,
      onProgress: ({ rows, of, bytes }) => bar.update(rows, of, humanBytes(bytes)),
    });
  } finally {
    bar.stop();
    for (const remove of listeners) remove();
  }
}

/** Number of rows that a selection has. */
function countOf(rows: RowSelection | undefined, rowCount: number): number {
  if (rows !== undefined && "length" in rows) return rows.length;
  const { start = 0, end = rowCount, step = 1 } = rows ?? {};
  return Math.ceil((end - start) / step);
}

async function copy(
  path: string,
  target: string,
  options: CopyCommandOptions,
  terminal: Terminal,
): Promise<void> {
  using table = openTable(path, options);
  const { columns, rows, byteOrder, overwrite, subtables, io, lock } = options;
  checkApart(table, target);
  const names = columns ?? table.columnNames;
  const { storage, tileShape } = options;
  const report = await copyUntilSignal(table, target, {
    ...(columns === undefined ? {} : { columns }),
    ...(rows === undefined ? {} : { rows }),
    ...(byteOrder === undefined ? {} : { byteOrder }),
    ...(storage === undefined ? {} : { storage }),
    tileShapes: Object.fromEntries(tileShape),
    overwrite: overwrite ?? false,
    subtables,
    io,
    lock,
  }, await progressBar("copying"));
  const count = countOf(rows, table.rowCount);
  const size = humanBytes(tableSizes(target).all);
  printLines([
    visible(`${target}: ${counted(count, "row")}, ${counted(names.length, "column")}, ${size}`),
  ], terminal);
  if (!options.stats) return;
  if (options.statsFormat === "openmetrics") {
    for (const line of metricsLines([table.ioStats, ...report.subtablesRead, ...report.written])) {
      terminal.err(line);
    }
    return;
  }
  const read = statsLines([table.ioStats, ...report.subtablesRead]).map((line) => `read     ${line}`);
  const written = statsLines(report.written).map((line) => `written  ${line}`);
  for (const line of [...read, ...written]) terminal.err(line);
}

/** Adds the command. */
export function addCopy(program: Command, terminal: Terminal): void {
  const command = program.command("copy")
    .description("copy a table into a new one, with other storage or byte order if asked")
    .argument("<table>", "directory of the table")
    .argument("<target>", "directory of the copy")
    .option("--columns <names>", "columns to copy, in this order: a,b,c", parseNames)
    .option(
      "--rows <rows>",
      "rows to copy: start:end or start:end:step, the end not included, or 7,3,12",
      parseRowSelection,
    )
    .addOption(
      new Option(
        "--tile-shape <column=lengths>",
        "tile of a column, rows last: DATA=4,64,64 (may be repeated)",
      )
        .argParser(parseTileShape).default(new Map(), "as it is"),
    )
    .addOption(
      new Option("--storage <json>", "storage managers, as Table.create takes them").argParser(parseStorage)
        .conflicts("tileShape"),
    )
    .addOption(new Option("--byte-order <order>", "byte order of the copy").choices(["little", "big"]))
    .option("--overwrite", "replace an existing table")
    .option("--no-subtables", "leave subtables out; the keywords still name them")
    .addHelpText(
      "after",
      `
Examples:
  $ table copy my.ms tiled.tab --columns DATA,FLAG --tile-shape DATA=4,64,64
  $ table copy my.ms big.tab --rows 0:1000 --byte-order big --storage '[
      {"type": "TiledShapeStMan", "name": "Vis", "columns": ["DATA"],
       "options": {"tileShape": [4, 64, 64]}},
      {"type": "StandardStMan", "options": {"bucketRows": 1024}}]'`,
    )
    .action((path: string, target: string, options: CopyCommandOptions) =>
      copy(path, target, options, terminal)
    );
  addReadingOptions(command);
}
