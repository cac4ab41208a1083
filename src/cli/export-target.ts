/**
 * Where an export goes: standard output, or a file that is written beside its place and gets its name when it is complete.
 */
import { basename, dirname, join, resolve } from "node:path";
import { TableError } from "../../mod.ts";
import { Interrupted } from "./failure.ts";
import { PipeClosed, type Terminal } from "./terminal.ts";

/** Takes what is exported. */
export interface Target {
  /** Writes bytes, which are only good until it returns. @throws PipeClosed, TableError IO */
  write(bytes: Uint8Array): void;
  /** Bytes written so far. */
  readonly bytes: number;
  /** Everything is written. @throws TableError IO */
  complete(): void;
  /** Leaves nothing behind. */
  abandon(): void;
}

/** Standard output. */
export function standardOutput(terminal: Terminal): Target {
  let bytes = 0;
  return {
    write(piece) {
      bytes += piece.length;
      terminal.out(piece);
    },
    get bytes() {
      return bytes;
    },
    complete: () => {},
    abandon: () => {},
  };
}

/** True for a device or a pipe: what is written goes through it, and putting a file in its place would break it. */
function isStream(path: string): boolean {
  try {
    const found = Deno.statSync(resolve(path));
    return Boolean(found.isCharDevice || found.isFifo || found.isSocket || found.isBlockDevice);
  } catch {
    return false;
  }
}

/** @throws TableError EXISTS for a file that is there and may not be replaced */
export function checkFree(path: string, overwrite: boolean): void {
  if (isStream(path)) return;
  let found: Deno.FileInfo;
  try {
    found = Deno.lstatSync(resolve(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (found.isDirectory) throw new TableError("EXISTS", "there is a directory of that name", { file: path });
  if (overwrite) return;
  throw new TableError("EXISTS", "there is a file of that name; overwrite: true replaces it", { file: path });
}

/** A file. @throws TableError EXISTS for one that is there and may not be replaced, NOT_FOUND, IO */
export function fileTarget(path: string, overwrite: boolean): Target {
  const place = resolve(path);
  const partial = join(dirname(place), `.${basename(place)}.${Deno.pid}.partial`);
  const failed = (what: string, cause: unknown): TableError => {
    const code = cause instanceof Deno.errors.NotFound ? "NOT_FOUND" : "IO";
    const text = cause instanceof Error ? cause.message : String(cause);
    return new TableError(code, `${what} failed: ${text}`, { file: path, cause });
  };
  checkFree(path, overwrite);
  const stream = isStream(path);
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(
      stream ? place : partial,
      stream ? { write: true } : { write: true, create: true, truncate: true },
    );
  } catch (cause) {
    throw failed("creating it", cause);
  }
  let bytes = 0;
  return {
    write(piece) {
      try {
        for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
      } catch (cause) {
        if (stream && cause instanceof Deno.errors.BrokenPipe) throw new PipeClosed();
        throw failed("writing", cause);
      }
      bytes += piece.length;
    },
    get bytes() {
      return bytes;
    },
    complete() {
      try {
        file.close();
        if (!stream) Deno.renameSync(partial, place);
      } catch (cause) {
        throw failed("completing it", cause);
      }
    },
    abandon() {
      try {
        file.close();
      } catch {
        // It was closed already.
      }
      if (stream) return;
      try {
        Deno.removeSync(partial);
      } catch {
        // It has its name already, or is gone.
      }
    },
  };
}

/** Signals that end an export or import, and the numbers that shells know them by. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
/** Milliseconds between looks whether a signal has come. */
const LOOK_MS = 50;

/** Looks for signals now and then. */
export interface Interruptions {
  /** Lets signals come in. @throws Interrupted when one has */
  look(): Promise<void>;
  /** Rejects when a signal comes, for what waits for others. */
  readonly came: Promise<never>;
}

/** Runs something that looks for signals, instead of being ended by them in the middle. @throws Interrupted */
export async function interruptible<T>(
  what: string,
  run: (signals: Interruptions) => Promise<T>,
): Promise<T> {
  let interrupted: Interrupted | null = null;
  const { promise: came, reject } = Promise.withResolvers<never>();
  // Whoever waits for it is told; nobody may.
  came.catch(() => {});
  const listeners = (Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]).map(([signal, number]) => {
    const listener = () => {
      interrupted = new Interrupted(number, `interrupted; nothing is left of the ${what}`);
      reject(interrupted);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  let last = performance.now();
  try {
    return await run({
      came,
      async look() {
        if (performance.now() - last < LOOK_MS) return;
        await new Promise((resolve) => setTimeout(resolve, 0));
        last = performance.now();
        if (interrupted !== null) throw interrupted;
      },
    });
  } finally {
    for (const remove of listeners) remove();
  }
}
