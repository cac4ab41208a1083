/**
 * `table ls`: the tables below a folder.
 */
import { join, relative } from "node:path";
import type { Command } from "commander";
import { type IoSnapshot, Table, TableError } from "../../mod.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { errorText, isTable, shortPath } from "./failure.ts";
import { tableSizes } from "./files.ts";
import { jsonText } from "./json.ts";
import { layout } from "./layout.ts";
import { addReadingOptions, type ReadingOptions, reportSnapshots } from "./options.ts";
import type { Terminal } from "./terminal.ts";
import { counted, humanBytes, humanCount, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface LsOptions extends ReadingOptions {
  readonly json?: true;
  readonly all?: true;
}

/** Folders inside each other that are looked into. */
const MOST_LEVELS = 32;

/** A table, or what keeps its directory from being one. */
export interface FoundTable {
  /** From the folder that was searched. */
  readonly path: string;
  /** Tables around it. */
  readonly depth: number;
  /** Plain, reference or concatenation; `store` for a live store. */
  readonly kind?: string;
  /** What `table.info` says that it is. */
  readonly type?: string;
  readonly rows?: number;
  readonly columns?: number;
  /** Bytes of all files in its directory, subtables included. */
  readonly bytes: number;
  readonly error?: string;
}

interface Place {
  readonly directory: string;
  readonly depth: number;
}

function entriesOf(directory: string): Deno.DirEntry[] {
  return [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** Directories with a `table.dat`, in order of their names; those inside tables with `all`. Links are not followed. */
export function* tablePlaces(
  directory: string,
  all: boolean,
  problem: (directory: string, error: unknown) => void,
  depth = 0,
  levels = MOST_LEVELS,
): Generator<Place> {
  let entries: Deno.DirEntry[];
  try {
    entries = entriesOf(directory);
  } catch (error) {
    problem(directory, error);
    return;
  }
  const here = entries.some(({ name, isDirectory }) => name === "table.dat" && !isDirectory);
  if (here) yield { directory, depth };
  if ((here && !all) || levels === 0) return;
  for (const { name, isDirectory } of entries) {
    if (!isDirectory) continue;
    yield* tablePlaces(join(directory, name), all, problem, depth + (here ? 1 : 0), levels - 1);
  }
}

function describe(
  { directory, depth }: Place,
  root: string,
  options: LsOptions,
  snapshots: IoSnapshot[],
): FoundTable {
  const path = relative(root, directory) || ".";
  const bytes = tableSizes(directory).all;
  try {
    using table = Table.open(directory, { io: options.io, lock: options.lock });
    const { type } = table.info;
    const columns = table.columnNames.length;
    snapshots.push(table.ioStats);
    const kind = hasStore(directory) ? "store" : table.kind;
    return { path, depth, kind, type, rows: table.rowCount, columns, bytes };
  } catch (error) {
    // One that is damaged mustn't hide the others.
    if (!(error instanceof TableError)) throw error;
    return { path, depth, bytes, error: errorText(error, [directory]) };
  }
}

/** What it is: what `table.info` says, or how its rows are kept. */
function kindText({ kind, type, error }: FoundTable): string {
  if (error !== undefined) return "damaged";
  return kind === "plain" ? visible(type ?? "") || "table" : `${kind}${type ? ` ${visible(type)}` : ""}`;
}

/** The listing, one line a table; those inside others are indented. */
export function listingLines(tables: readonly FoundTable[], width: number, color: boolean): string[] {
  const name = ({ path, depth }: FoundTable) =>
    "  ".repeat(depth) + visible(depth === 0 ? path : path.slice(path.lastIndexOf("/") + 1));
  const number = (value: number | undefined) => value === undefined ? "" : humanCount(value);
  return layout([
    { title: "table", cells: tables.map(name), cut: "middle", least: 16 },
    { title: "kind", cells: tables.map(kindText), least: 8 },
    { title: "rows", cells: tables.map(({ rows }) => number(rows)), align: "right" },
    { title: "columns", cells: tables.map(({ columns }) => number(columns)), align: "right", optional: 1 },
    { title: "size", cells: tables.map(({ bytes }) => humanBytes(bytes)), align: "right" },
    { title: "problem", cells: tables.map(({ error }) => error ?? ""), least: 12, faint: true },
  ], { width, color });
}

/** @throws TableError NOT_FOUND, IO */
function checkFolder(folder: string): void {
  let found: Deno.FileInfo | undefined;
  try {
    found = Deno.statSync(folder);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw new TableError("IO", (cause as Error).message, { file: folder, cause });
    }
  }
  if (found?.isDirectory) return;
  throw new TableError("NOT_FOUND", found === undefined ? "there is no such folder" : "that is no folder", {
    file: folder,
  });
}

function ls(folder: string, options: LsOptions, terminal: Terminal): void {
  checkFolder(folder);
  let unreadable = 0;
  const problem = (directory: string, error: unknown) => {
    unreadable++;
    terminal.err(`table: ${visible(shortPath(directory))}: ${errorText(error)}`);
  };
  // What is asked of a folder that is a table itself is what's in it.
  const all = options.all || isTable(folder);
  const snapshots: IoSnapshot[] = [];
  const here = [...tablePlaces(folder, all, problem)];
  const tables = here.map((place) => describe(place, folder, options, snapshots));
  if (options.json) printLines([jsonText(tables, 2)], terminal);
  else if (tables.length > 0) printLines(listingLines(tables, terminal.width, terminal.color), terminal);
  reportSnapshots(snapshots, options, terminal);
  const damaged = tables.filter(({ error }) => error !== undefined).length;
  if (damaged > 0) {
    throw new TableError("CORRUPT", `${counted(damaged, "table")} can't be opened; table check says why`, {
      file: folder,
    });
  }
  if (unreadable > 0) {
    throw new TableError("IO", `${counted(unreadable, "folder")} can't be read`, { file: folder });
  }
}

/** Adds the command. */
export function addLs(program: Command, terminal: Terminal): void {
  const command = program.command("ls")
    .description("list the tables below a folder, with kind, rows and size")
    .argument("[folder]", "where to look", ".")
    .option("--all", "tables inside tables, too, indented")
    .option("--json", "as JSON, for programs")
    .addHelpText(
      "after",
      `
Without --all a table's own subtables aren't listed, unless the folder is that
table. Sizes are of everything in a table's directory, subtables included.

Example:
  $ table ls --all .`,
    )
    .action((folder: string, options: LsOptions) => ls(folder, options, terminal));
  addReadingOptions(command);
}
