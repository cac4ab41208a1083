/**
 * Where the command writes: standard output and standard error, and what the terminal behind them can do.
 */
import { environment } from "../../ffi/paths.ts";
import { TableError } from "../error.ts";

/** What a command needs of the world outside. */
export interface Terminal {
  /** Writes to standard output before it returns. @throws PipeClosed when nobody reads any more; TableError IO */
  out(bytes: Uint8Array): void;
  /** Writes one line to standard error. */
  err(line: string): void;
  /** Shows how far something got, on standard error where that is a terminal; the next line replaces it. */
  progress(line: string): void;
  /** Standard input; that of the process where it is left out. */
  input?(): ReadableStream<Uint8Array>;
  /** Columns of text that fit on a line. */
  readonly width: number;
  /** True when standard output may be coloured. */
  readonly color: boolean;
  /** Lines of text that fit on the terminal; undefined where there is none. */
  readonly height?: number;
  /** True when more than 256 colours can be shown; false where it isn't known. */
  readonly trueColor?: boolean;
  /** False where the locale has no Unicode; true where it isn't known. */
  readonly unicode?: boolean;
}

/** Thrown when the reader of standard output has gone, as `head` does: nothing is wrong, there is only no more to do. */
export class PipeClosed extends Error {
  override readonly name = "PipeClosed";
}

/** Width where standard output is no terminal. */
export const DEFAULT_WIDTH = 80;
/** Narrower than this nothing sensible can be aligned. */
const MIN_WIDTH = 40;
/** Wait between tries on a pipe that someone else made nonblocking, in milliseconds. */
const RETRY_MS = 1;

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}

/** Writes everything, however small the pieces that the pipe takes. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) pause();
      else if (!(error instanceof Deno.errors.Interrupted)) throw error;
    }
  }
}

function sizeOfTerminal(): { width: number; height?: number } {
  if (!Deno.stdout.isTerminal()) return { width: DEFAULT_WIDTH };
  try {
    const { columns, rows } = Deno.consoleSize();
    return { width: Math.max(MIN_WIDTH, columns), height: rows };
  } catch {
    return { width: DEFAULT_WIDTH };
  }
}

/** Whether the locale is one of UTF-8: the first of the variables that says anything counts, as POSIX has it. */
export function unicodeLocale(variable: (name: string) => string | undefined, os: string): boolean {
  const locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).find((value) =>
    value !== undefined && value !== ""
  );
  // Windows and macOS have Unicode terminals, whatever these say or don't.
  if (locale === undefined) return os !== "linux";
  return /utf-?8/i.test(locale);
}

function localeOfProcess(): boolean {
  // Without permission to look nothing is known.
  if (Deno.permissions.querySync({ name: "env", variable: "LC_ALL" }).state !== "granted") return true;
  return unicodeLocale(environment, Deno.build.os);
}

/** The terminal, or the pipes and files, that this process was started with. */
export function processTerminal(): Terminal {
  const encoder = new TextEncoder();
  const live = Deno.stderr.isTerminal();
  let shown = false;
  const error = (text: string) => {
    try {
      writeAll(Deno.stderr, encoder.encode(text));
    } catch {
      // Nobody reads the complaints; the exit status still tells.
    }
  };
  const clear = () => {
    if (shown) error("\r\x1b[K");
    shown = false;
  };
  return {
    out(bytes) {
      clear();
      try {
        writeAll(Deno.stdout, bytes);
      } catch (cause) {
        if (cause instanceof Deno.errors.BrokenPipe) throw new PipeClosed();
        const text = cause instanceof Error ? cause.message : String(cause);
        throw new TableError("IO", `write failed: ${text}`, { file: "standard output", cause });
      }
    },
    err(line) {
      clear();
      error(`${line}\n`);
    },
    progress(line) {
      if (!live) return;
      error(`\r\x1b[K${line}`);
      shown = line !== "";
    },
    ...sizeOfTerminal(),
    trueColor: /^(truecolor|24bit)$/i.test(environment("COLORTERM") ?? ""),
    unicode: localeOfProcess(),
    color: Deno.stdout.isTerminal() && !Deno.noColor,
  };
}
