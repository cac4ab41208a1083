/**
 * The `table` command: its subcommands, and how each ends.
 */
import { Command, CommanderError } from "commander";
import { addCat } from "./cat.ts";
import { addCheck } from "./check.ts";
import { addCompact } from "./compact.ts";
import { addCompletions } from "./completions.ts";
import { addCopy } from "./copy.ts";
import { addDiff } from "./diff.ts";
import { addDigest } from "./digest.ts";
import { addDoctor } from "./doctor.ts";
import { addExport } from "./export.ts";
import { errorText, EXIT_FAILED, EXIT_OK, EXIT_USAGE, Interrupted, UsageError } from "./failure.ts";
import { addHead, addTail } from "./head.ts";
import { addImport } from "./import.ts";
import { addIngest } from "./ingest.ts";
import { addIo } from "./io.ts";
import { addKeywords } from "./keywords.ts";
import { addLs } from "./ls.ts";
import { addPlot } from "./plot.ts";
import { addRecover } from "./recover.ts";
import { addSchema } from "./schema.ts";
import { addShow } from "./show.ts";
import { addStat } from "./stat.ts";
import { PipeClosed, type Terminal } from "./terminal.ts";
import { visible } from "./text.ts";
import { VERSION } from "./version.ts";

/** What commander says of wrong use, in one line as all that is wrong is told; it may suggest a name. */
function usageText(text: string): string {
  const line = text.trim().replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ").replace(/\.$/, "");
  return `table: ${visible(line)} (--help says more)`;
}

/** The command with everything below it. */
export function tableProgram(terminal: Terminal): Command {
  const encoder = new TextEncoder();
  const program = new Command("table")
    .description("Look into casacore tables, print, copy, check and repair them.")
    .version(VERSION, "--version", "print the version")
    .helpOption("--help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText(
      "after",
      `
Exit status: 0; 1 when something is wrong with a table; 2 for wrong use.

Example:
  $ table show my.ms`,
    )
    .exitOverride()
    .configureOutput({
      // What commander would find out by itself needs permission to read the environment.
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => terminal.color,
      getErrHasColors: () => false,
      writeOut: (text) => terminal.out(encoder.encode(text)),
      writeErr: (text) => terminal.err(text.replace(/\n$/, "")),
      outputError: (text, write) => write(usageText(text)),
    });
  const commands = [
    addLs,
    addShow,
    addHead,
    addTail,
    addCat,
    addSchema,
    addKeywords,
    addDigest,
    addDiff,
    addStat,
    addPlot,
    addCopy,
    addExport,
    addIo,
    addImport,
    addIngest,
    addCompact,
    addCheck,
    addRecover,
    addDoctor,
    addCompletions,
  ];
  for (const add of commands) {
    add(program, terminal);
  }
  return program;
}

/** Runs the command and returns its exit status. Nothing is thrown. */
export async function runTable(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await tableProgram(terminal).parseAsync([...args], { from: "user" });
    return EXIT_OK;
  } catch (error) {
    if (error instanceof PipeClosed) return EXIT_OK;
    if (error instanceof Interrupted) {
      terminal.err(`table: ${error.message}`);
      return error.status;
    }
    // commander has said itself what was wrong; help and version end with status 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    terminal.err(`table: ${errorText(error, args.filter((arg) => !arg.startsWith("-")))}`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}
