/**
 * Where the command writes: standard output and standard error, and what the terminal behind them can do.
 */
import { TableError } from "../error.ts";

/** What a command needs of the world outside. */
export interface Terminal {
  /** Writes to standard output before it returns. @throws PipeClosed when nobody reads any more; TableError IO */
  out(bytes: Uint8Array): void;
  /** Writes one line to standard error. */
  err(line: string): void;
  /** Shows how far something got, on standard error where that is a terminal; the next line replaces it. */
  progress(line: string): void;
  /** Columns of text that fit on a line. */
  readonly width: number;
  /** True when standard output may be coloured. */
  readonly color: boolean;
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

function widthOfTerminal(): number {
  if (!Deno.stdout.isTerminal()) return DEFAULT_WIDTH;
  try {
    return Math.max(MIN_WIDTH, Deno.consoleSize().columns);
  } catch {
    return DEFAULT_WIDTH;
  }
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
    width: widthOfTerminal(),
    color: Deno.stdout.isTerminal() && !Deno.noColor,
  };
}
