/**
 * `table ingest`: rows that come over a pipe, into a live store.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { StorageSpec } from "../../mod.ts";
import type { Durability } from "../ingest/mod.ts";
import { parseStorage } from "./copy.ts";
import { addReadingOptions, parseNames, type ReadingOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** Form of the input. */
export type InputFormat = "arrow" | "ndjson";

/** What the command may be told. */
export interface IngestCommandOptions extends ReadingOptions {
  readonly columnsLike?: string;
  readonly template?: string;
  readonly schema?: string;
  readonly format?: InputFormat;
  readonly durability: Durability;
  readonly key?: string[];
  readonly time?: string;
  readonly sort?: string[];
  readonly storage?: StorageSpec[];
  readonly logBytes?: number;
  /** False with `--no-seal`. */
  readonly seal: boolean;
  readonly json?: true;
}

const SUFFIXES: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** A number of bytes, as `64M`. @throws InvalidArgumentError */
function parseBytes(text: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const bytes = match === null ? NaN : Number(match[1]) * SUFFIXES[match[2]!.toUpperCase()]!;
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError("Expected a number of bytes, e.g. 1000000, 64M or 2G.");
}

/** Adds the command. */
export function addIngest(program: Command, terminal: Terminal): void {
  const command = program.command("ingest")
    .description("append rows from standard input to a live store")
    .argument("<store>", "directory of the store; it is made if it isn't there")
    .addOption(
      new Option("--columns-like <table>", "columns of a new store: as that table's")
        .conflicts(["template", "schema"]),
    )
    .addOption(
      new Option("--template <table>", "columns, keywords and subtables of a new store: that table's")
        .conflicts("schema"),
    )
    .option("--schema <file>", "columns of a new store, in JSON: see docs/ingest.md")
    .addOption(
      new Option("--format <name>", "form of the input; left out: as its first bytes look")
        .choices(["arrow", "ndjson"]),
    )
    .addOption(
      new Option("--durability <when>", "rows are on the disk when: a sync shared, of their own, or later")
        .choices(["batch", "each", "none"]).default("batch"),
    )
    .option("--key <names>", "a new store: columns that name a row; the newest of a key counts", parseNames)
    .option("--time <name>", "a new store: the column with a row's time; TIME if there is one")
    .option("--sort <names>", "a new store: columns that merged segments are sorted by", parseNames)
    .addOption(
      new Option("--storage <json>", "a new store: storage managers of segments, as Table.create takes them")
        .argParser(parseStorage),
    )
    .option("--log-bytes <size>", "a log of that size becomes a segment: 64M (default: 256M)", parseBytes)
    .option("--no-seal", "leave the last rows in the log, where only stores are read from")
    .option("--json", "say as JSON what was done")
    .addHelpText(
      "after",
      `
The input is an Arrow stream, or NDJSON as \`table cat\` prints rows: a column
that a row doesn't have is 0, empty or undefined. On a terminal rate and lag are
shown. At the end of the input all rows become a segment, which any program can
read as a table. After Ctrl-C, or a line that is wrong, all rows that were
acknowledged before are in the store.

Examples:
  $ table cat my.ms | table ingest live.ms --template my.ms
  $ table export my.ms --format arrow --columns TIME,UVW | table ingest uvw.live`,
    )
    .action(async (path: string, options: IngestCommandOptions) => {
      // Other commands do without the modules of stores.
      const { ingest } = await import("./ingest-run.ts");
      await ingest(path, options, terminal);
    });
  addReadingOptions(command);
}
