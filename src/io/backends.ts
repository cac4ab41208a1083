/**
 * The I/O backends by name. A new one is a file and a line here.
 */
import { TableError } from "../error.ts";
import { library, libraryStatus } from "../../ffi/binding.ts";
import type { Backend, IoName } from "./backend.ts";
import { type Context, sharedContext } from "./context.ts";
import { DirectBackend, directRefused } from "./direct-backend.ts";
import { MemoryBackend } from "./memory-backend.ts";
import { MmapBackend } from "./mmap-backend.ts";
import { NodeBackend } from "./node-backend.ts";
import { PreadBackend } from "./pread-backend.ts";
import { SeekBackend } from "./seek-backend.ts";

/** What a backend may be told. */
export interface BackendOptions {
  /** The table is opened in order to change it. */
  readonly writable?: boolean;
  /** Whose files in memory backend `memory` opens; those of the isolate's context if left out. */
  readonly context?: Context;
}

const BACKENDS: Readonly<Record<IoName, (options: BackendOptions) => Backend>> = {
  node: () => new NodeBackend(),
  seek: () => new SeekBackend(),
  pread: () => new PreadBackend(),
  mmap: () => new MmapBackend(),
  direct: () => new DirectBackend(),
  memory: (options) => new MemoryBackend((options.context ?? sharedContext()).memory),
};

/** Names that {@linkcode openBackend} takes, beside `auto`. */
export const IO_NAMES: readonly IoName[] = Object.keys(BACKENDS) as IoName[];

/**
 * What `auto` stands for: where the C library is there `mmap` for tables that are only read, and `pread` for those that are
 * changed, since what grows is mapped anew after each commit; else `node`. No permission is asked for.
 */
export function autoBackend({ writable = false }: BackendOptions = {}): IoName {
  return library() === null ? "node" : writable ? "pread" : "mmap";
}

/**
 * A new backend instance, with counters of its own. See {@linkcode autoBackend} for `auto`.
 *
 * @throws TableError INVALID_ARGUMENT for a name that isn't one, UNSUPPORTED for one that doesn't work here.
 */
export function openBackend(name: IoName | "auto", options: BackendOptions = {}): Backend {
  const known = name === "auto" ? autoBackend(options) : name;
  if (!Object.hasOwn(BACKENDS, known)) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `expected an I/O backend of auto, ${IO_NAMES.join(", ")}; found ${name}`,
    );
  }
  const backend = BACKENDS[known](options), wrap = options.context?.wrapBackend ?? null;
  return wrap === null ? backend : wrap(backend);
}

/** What `table doctor` says of a backend. */
export interface BackendReport {
  /** The backend. */
  readonly name: IoName;
  /** True when it works here. */
  readonly works: boolean;
  /** True for the one that `auto` stands for where a table is only read. */
  readonly auto: boolean;
  /** True for the one that `auto` stands for where a table is changed. */
  readonly autoWriting: boolean;
  /** Why it works not, or is what `auto` stands for; what is to be known of it here. */
  readonly reason: string;
}

/**
 * Which backends work here, and which one `auto` stands for, with reasons. Whether files can be written past the page cache
 * is asked of the file system of `directory`.
 */
export function backendReport(directory = "."): BackendReport[] {
  const status = libraryStatus(), reading = autoBackend(), writing = autoBackend({ writable: true });
  return IO_NAMES.map((name) => {
    try {
      const works = openBackend(name).name === name;
      const why = name === "direct"
        ? directReason(directory)
        : name !== reading && name !== writing
        ? ""
        : !status.loaded
        ? `the C library is not loaded: ${status.reason}`
        : name === reading
        ? "reads from mapped memory; where that fails, by pread"
        : `the C library is loaded from ${status.path}`;
      return { name, works, auto: name === reading, autoWriting: name === writing, reason: why };
    } catch (error) {
      return {
        name,
        works: false,
        auto: false,
        autoWriting: false,
        reason: error instanceof TableError ? error.reason : String(error),
      };
    }
  });
}

function directReason(directory: string): string {
  const refused = directRefused(directory);
  return refused === "" ? "" : `a file in ${directory} goes through the page cache: ${refused}`;
}
