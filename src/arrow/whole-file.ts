/**
 * A file that is written beside its place, and gets its name when it is complete.
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { TableError } from "../error.ts";
import type { Write } from "./ipc.ts";

/** Added to the name of a file that is not complete yet. */
const PARTIAL = ".partial";

/**
 * Lets `run` write a file; an existing one is replaced when the new one is complete.
 *
 * @throws TableError IO when the file can't be written; what `run` throws, as it is if that is a TableError
 */
export async function writeWhole(file: string, run: (write: Write) => void | Promise<void>): Promise<void> {
  const partial = file + PARTIAL;
  const failed = (cause: unknown): never => {
    if (cause instanceof TableError) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new TableError("IO", `writing failed: ${text}`, { file, cause });
  };
  let descriptor: number;
  try {
    descriptor = openSync(partial, "w");
  } catch (cause) {
    return failed(cause);
  }
  try {
    try {
      await run((bytes) => {
        for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
      });
    } finally {
      closeSync(descriptor);
    }
    renameSync(partial, file);
  } catch (cause) {
    rmSync(partial, { force: true });
    failed(cause);
  }
}
