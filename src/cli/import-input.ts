/**
 * Standard input as a file: most forms are read twice, or from their end. It is kept beside the table that is made of it, where
 * there must be room anyway, and removed afterwards.
 */
import { basename, dirname, join, resolve } from "node:path";
import { TableError } from "../../mod.ts";
import type { Interruptions } from "./export-target.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";
import { humanBytes } from "./text.ts";

/** How standard input is called on the command line, and in messages. */
export const STANDARD_INPUT = "-", INPUT_NAME = "standard input";

/** Copies standard input into a file. @throws TableError IO, NOT_FOUND, Interrupted */
async function keep(path: string, signals: Interruptions, terminal: Terminal): Promise<void> {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { write: true, createNew: true });
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const text = missing ? "there is no such folder" : `no file can be made in it: ${(cause as Error).name}`;
    throw new TableError(missing ? "NOT_FOUND" : "IO", text, { file: dirname(path), cause });
  }
  const reader = Deno.stdin.readable.getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), signals.came]);
      if (done) return;
      for (let at = 0; at < value.length;) at += file.writeSync(value.subarray(at));
      bytes += value.length;
      terminal.progress(`reading ${INPUT_NAME}: ${humanBytes(bytes)}`);
      await signals.look();
    }
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name === "Interrupted") throw cause;
    throw new TableError("IO", `reading failed: ${cause.message}`, { file: INPUT_NAME, cause });
  } finally {
    terminal.progress("");
    reader.releaseLock();
    file.close();
  }
}

/** What went wrong with that file went wrong with standard input. */
function renamed(error: unknown, path: string): unknown {
  if (!(error instanceof TableError) || !(error.file === path || error.reason.includes(path))) return error;
  return new TableError(error.code, error.reason.replaceAll(path, INPUT_NAME), {
    ...(error.file === undefined ? {} : { file: error.file === path ? INPUT_NAME : error.file }),
    ...(error.offset === undefined ? {} : { offset: error.offset }),
    cause: error,
  });
}

/**
 * Runs something with a file, which is what standard input has when `file` is `-`.
 *
 * @throws UsageError where standard input is a terminal; TableError, Interrupted; what `run` throws
 */
export async function withInput<T>(
  file: string,
  table: string,
  signals: Interruptions,
  terminal: Terminal,
  run: (file: string) => Promise<T>,
): Promise<T> {
  if (file !== STANDARD_INPUT) return await run(file);
  if (Deno.stdin.isTerminal()) {
    throw new UsageError("there is nothing at standard input: send a file to it, or name one");
  }
  const place = resolve(table), path = join(dirname(place), `.${basename(place)}.${Deno.pid}.input`);
  try {
    await keep(path, signals, terminal);
    return await run(path);
  } catch (error) {
    throw renamed(error, path);
  } finally {
    try {
      Deno.removeSync(path);
    } catch {
      // It could not even be made.
    }
  }
}
