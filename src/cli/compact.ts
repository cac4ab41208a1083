/**
 * `table compact`: merges the segments of a live store.
 */
import { type Command, Option } from "commander";
import { TableError } from "../../mod.ts";
import { hasStore } from "../ingest/segments/places.ts";
import { lineOf } from "./check.ts";
import { Interrupted } from "./failure.ts";
import { jsonText } from "./json.ts";
import type { Terminal } from "./terminal.ts";
import { counted, humanBytes, humanCount, visible } from "./text.ts";
import { printLines } from "./write.ts";

interface CompactCommandOptions {
  readonly all?: true;
  readonly json?: true;
  readonly lock: "auto" | "none";
}

/** Signals that end it, and the numbers that shells know them by. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** A signal for whoever works, given when the process gets one of its own. */
function interruption(): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController();
  const listeners = (Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]).map(([name, number]) => {
    const listener = () =>
      abort.abort(new Interrupted(number, "interrupted; merges that were complete are in force"));
    Deno.addSignalListener(name, listener);
    return () => Deno.removeSignalListener(name, listener);
  });
  return {
    signal: abort.signal,
    [Symbol.dispose]: () => listeners.forEach((remove) => remove()),
  };
}

async function compact(path: string, options: CompactCommandOptions, terminal: Terminal): Promise<void> {
  if (!hasStore(path)) throw new TableError("NOT_FOUND", "there is no live store", { file: path });
  const { IngestStore } = await import("../ingest/mod.ts");
  using interrupted = interruption();
  const { signal } = interrupted;
  await using store = IngestStore.open(path, { compaction: false, lock: options.lock });
  for (const finding of store.findings) terminal.err(`table: ${lineOf(finding, path)}`);
  terminal.progress(`merging segments of ${visible(path)}`);
  try {
    const before = store.manifest.segments.length;
    await store.seal();
    const report = await store.compact({ all: options.all ?? false, signal });
    const { segments } = store.manifest;
    const line = report.merges === 0
      ? `${path}: nothing to merge in ${counted(segments.length, "segment")}`
      : `${path}: ${counted(report.merges, "merge")}, ${humanCount(report.rowsIn)} to ${
        counted(report.rowsOut, "row")
      }, ${humanBytes(report.bytesRead)} to ${humanBytes(report.bytesWritten)}; ${
        counted(segments.length, "segment")
      } now`;
    const told = { path, segmentsBefore: before, segments: segments.length, ...report };
    terminal.progress("");
    printLines([options.json ? jsonText(told, 2) : visible(line)], terminal);
  } finally {
    terminal.progress("");
  }
}

/** Adds the command. */
export function addCompact(program: Command, terminal: Terminal): void {
  program.command("compact")
    .description("merge the segments of a live store, and drop what was deleted")
    .argument("<store>", "directory of the store")
    .option("--all", "everything into one segment; left out: what a writer would merge by itself")
    .option("--json", "say as JSON what was done")
    .addOption(
      new Option("--lock <mode>", "keep other writers away, or not").choices(["auto", "none"]).default(
        "auto",
      ),
    )
    .addHelpText(
      "after",
      `
Rows in logs become a segment first. A store that is being written can't be
compacted: its writer does that. Segments that were replaced go when nobody
reads them any more, by who writes the store next.

Example:
  $ table compact live.ms --all`,
    )
    .action((path: string, options: CompactCommandOptions) => compact(path, options, terminal));
}
