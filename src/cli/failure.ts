/**
 * How a command ends: its exit status, and the one line that says what was wrong.
 */
import { resolve } from "node:path";
import { TableError } from "../../mod.ts";
import { visible } from "./text.ts";

/** Everything was done. */
export const EXIT_OK = 0;
/** Something is wrong with the table, the disk or what was asked of them. */
export const EXIT_FAILED = 1;
/** The command was called wrongly. */
export const EXIT_USAGE = 2;

/** Thrown when a signal ended the command, which has cleared away what it left. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** Exit status, as of a program that the signal ends by itself. */
  readonly status: number;

  /** Ended by the signal of that number. */
  constructor(signal: number, message: string) {
    super(message);
    this.status = 128 + signal;
  }
}

/** Thrown for arguments that make no sense, whatever the table: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** `path` as the user would write it: relative where it lies below the current directory. */
export function shortPath(path: string): string {
  let here: string;
  try {
    here = Deno.cwd();
  } catch {
    return path;
  }
  const prefix = here.endsWith("/") ? here : `${here}/`;
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : path;
}

/** The table's path with what the user typed in front: `my.ms/table.f1` for `/data/my.ms/table.f1`. */
function asTyped(file: string, typed: readonly string[]): string {
  for (const path of typed) {
    const whole = absolute(path);
    if (file === whole) return path;
    if (file.startsWith(`${whole}/`)) return path.replace(/\/+$/, "") + file.slice(whole.length);
  }
  return shortPath(file);
}

function absolute(path: string): string {
  try {
    return resolve(path);
  } catch {
    return path; // without permission to know the current directory
  }
}

/** Names that are worth printing. */
const SOME = 3;

/** Which tables are in a directory that is none itself: `tables in it: a.ms, b.ms`. */
function tablesIn(directory: string | undefined): string {
  if (directory === undefined) return "";
  const found: string[] = [];
  try {
    for (const entry of Deno.readDirSync(directory)) {
      if (!entry.isDirectory || !isTable(`${directory}/${entry.name}`)) continue;
      found.push(entry.name);
      if (found.length > SOME) break;
    }
  } catch {
    return ""; // no directory, or none that may be looked into
  }
  const names = found.slice(0, SOME).join(", ");
  return found.length === 0 ? "" : `tables in it: ${names}${found.length > SOME ? ", …" : ""}`;
}

/** True when there is a table in that directory. */
export function isTable(directory: string): boolean {
  try {
    return Deno.statSync(`${directory}/table.dat`).isFile;
  } catch {
    return false;
  }
}

/** What programs are told, and the options of the command that do it. */
const API_ADVICE: readonly (readonly [text: string, hint: string])[] = [
  ["; overwrite: true replaces it", "--overwrite replaces it"],
  ['; lock: "none" goes without', "--lock none goes without"],
];

/** What usually helps, where that is plain from the error. */
function hintFor(error: TableError): string {
  if (error.cause instanceof Deno.errors.NotCapable) return "Deno was started without the permission for it";
  const [, option] = API_ADVICE.find(([text]) => error.reason.includes(text)) ?? [];
  if (option !== undefined) return option;
  switch (error.code) {
    case "NOT_A_TABLE":
      return tablesIn(error.file);
    case "LOCKED":
      return "another process is writing; --lock none reads without waiting for it";
    case "NEEDS_RECOVERY":
      return error.reason.includes("table recover") ? "" : "`table recover` says what can be done";
    default:
      return "";
  }
}

/** What is wrong, in which file, at which offset, and a hint where there is an obvious one; control characters escaped. */
export function errorText(error: unknown, typed: readonly string[] = []): string {
  return visible(wordsFor(error, typed).trim().replaceAll(/\s*\n\s*/g, " | "));
}

function wordsFor(error: unknown, typed: readonly string[]): string {
  // Closing the table failed too: what came first is what the user needs to know.
  if (error instanceof SuppressedError) return wordsFor(error.suppressed, typed);
  if (error instanceof TableError) {
    const file = error.file === undefined ? "" : asTyped(error.file, typed);
    const offset = error.offset === undefined ? "" : `, offset ${error.offset}`;
    const hint = hintFor(error);
    const reason = API_ADVICE.reduce((reason, [text]) => reason.replace(text, ""), error.reason);
    return (file === "" ? "" : `${file}${offset}: `) + reason + (hint === "" ? "" : ` (${hint})`);
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return message;
  if (error instanceof Deno.errors.NotCapable) {
    return `Deno was started without a permission: ${message}`;
  }
  const name = error instanceof Error ? `${error.name}: ` : "";
  return `this is a fault in Tessera: ${name}${message}`;
}
