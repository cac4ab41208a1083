/**
 * Opening a table: what kind it is, how many rows it has, and its inside. All of it is a plan, so that `Table.open` and
 * `Table.openAsync` share it; the tables that a table refers to are opened on the way.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import type { PlainTableDat } from "../format/table-dat.ts";
import { rowCountOf } from "../format/table-lock.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import type { Context } from "../io/context.ts";
import { runAsync, runSync } from "../io/drivers.ts";
import { TableFiles } from "../io/files.ts";
import { openLock } from "../io/lock.ts";
import { delegate, type Plan } from "../io/plan.ts";
import type { TableBody } from "./body.ts";
import { ConcatenationBody } from "./concatenation.ts";
import { managerFiles } from "./container.ts";
import { PlainBody } from "./plain.ts";
import { datOf, readState } from "./read-state.ts";
import { ReferenceBody } from "./reference.ts";
import { LOCK_TIMEOUT_MS, Sharing } from "./sharing.ts";
import { resolveConfined } from "./subtables.ts";
import type { OpenOptions } from "./options.ts";

/** Most tables that refer to each other in a row, and times that tables are opened which are open already. */
const MAX_DEPTH = 64, MAX_AGAIN = 64;
/** Most tables that one may refer to, directly and through others: each is there with files of its own. */
const MAX_TABLES = 4096;

/** What is counted of tables that are opened together. */
export class TableCount {
  /** How often each directory is open. */
  readonly #open = new Map<string, number>();
  #tables = 0;

  /** A table is opened at the end of a chain. @throws TableError LIMIT */
  add(directory: string, chain: readonly string[]): void {
    this.#open.set(directory, (this.#open.get(directory) ?? 0) + 1);
    this.#tables++;
    const distinct = this.#open.size;
    const wrong = chain.length > MAX_DEPTH
      ? `more than ${MAX_DEPTH} tables refer to each other in a row`
      : this.#tables - distinct > MAX_AGAIN
      ? `tables that are open already are referred to more than ${MAX_AGAIN} times`
      : distinct > MAX_TABLES + 1
      ? `more than ${MAX_TABLES} tables are referred to`
      : null;
    if (wrong !== null) throw new TableError("LIMIT", wrong, { file: chain[0] ?? directory });
  }

  /** A table is closed again: only those that are open count. */
  remove(directory: string): void {
    const times = this.#open.get(directory) ?? 0;
    if (times === 0) return;
    if (times === 1) this.#open.delete(directory);
    else this.#open.set(directory, times - 1);
    this.#tables--;
  }
}

/** What tables that are opened together share. */
export interface Environment {
  readonly backend: Backend;
  readonly options: OpenOptions;
  /** The directory of the table that was asked for; `confine` keeps the others within it. */
  readonly tree: string;
  /** Directories from the table that was asked for down to the one that is being opened. */
  readonly chain: readonly string[];
  /** Tables opened so far. */
  readonly count: TableCount;
}

/** Opens a table of any kind. @throws TableError as `Table.open` */
export function openBody(path: string, options: OpenOptions): TableBody {
  const { directory, environment } = begin(path, options);
  const files = filesOf(directory, environment);
  return runSync(openFiles(files, environment), files);
}

/** Opens one table, or several as a concatenation that is on no disk. @throws TableError as `Table.open` */
export function openJoined(paths: readonly string[], options: OpenOptions): TableBody {
  if (paths.length === 1) return openBody(paths[0]!, options);
  const { environment } = begin(paths[0]!, options);
  const parts: TableBody[] = [];
  try {
    for (const path of paths) {
      const files = filesOf(path, environment);
      // Each has a tree of its own, and as many parents as it would have when opened alone.
      const own = { ...environment, tree: path, count: new TableCount() };
      parts.push(runSync(openFiles(files, own), files));
    }
    return new ConcatenationBody(null, [], parts);
  } catch (error) {
    for (const part of parts) part.close();
    throw error;
  }
}

/** As {@linkcode openBody}, without blocking while files are read. */
export async function openBodyAsync(path: string, options: OpenOptions): Promise<TableBody> {
  const { directory, environment } = begin(path, options);
  const files = filesOf(directory, environment);
  return await runAsync(openFiles(files, environment), files);
}

/** The context that options name, for calls that take it only when it is there. */
export function contextOf(options: { context?: Context | undefined }): { context?: Context } {
  return options.context === undefined ? {} : { context: options.context };
}

function begin(path: string, options: OpenOptions): { directory: string; environment: Environment } {
  if (typeof path !== "string" || path === "") {
    throw new TableError(
      "INVALID_ARGUMENT",
      `the path of a table is a string that is not empty, found ${String(path)}`,
    );
  }
  const directory = resolve(path);
  const backend = openBackend(options.io ?? "auto", { writable: isWritable(options), ...contextOf(options) });
  return {
    directory,
    environment: { backend, options, tree: directory, chain: [], count: new TableCount() },
  };
}

function isWritable(options: OpenOptions): boolean {
  const { mode = "r" } = options;
  if (mode !== "r" && mode !== "rw") {
    throw new TableError("INVALID_ARGUMENT", `expected mode "r" or "rw", found ${JSON.stringify(mode)}`);
  }
  return mode === "rw";
}

function filesOf(directory: string, { backend, options }: Environment): TableFiles {
  const settings = { writable: isWritable(options), ...contextOf(options) };
  return options.context?.makeFiles?.(directory, backend, settings) ??
    new TableFiles(directory, backend, settings);
}

/**
 * Plan: opens the table that `referrer` refers to by a stored name.
 *
 * @throws TableError CORRUPT for a circle of references, LIMIT for too many tables, NOT_FOUND
 */
export function* openReferred(
  referrer: string,
  storedName: string,
  environment: Environment,
): Plan<TableBody> {
  const { options, tree } = environment;
  const directory = resolve(resolveConfined(referrer, storedName, options.confine ?? false, tree));
  try {
    const files = filesOf(directory, environment);
    return yield* delegate(files, openFiles(files, environment));
  } catch (error) {
    if (error instanceof TableError && error.code === "NOT_FOUND" && error.file === directory) {
      throw new TableError("NOT_FOUND", `refers to table ${directory}, which is not there`, {
        file: referrer,
        cause: error,
      });
    }
    throw error;
  }
}

/** Plan: opens the table whose files these are; they are closed again when that fails. */
function* openFiles(files: TableFiles, outer: Environment): Plan<TableBody> {
  const { directory } = files;
  let sharing: Sharing | null = null;
  try {
    const environment = { ...outer, chain: [...outer.chain, directory] };
    checkChain(environment, directory, outer.chain);
    sharing = share(files, environment);
    const { sync, dat } = yield* readState(files, sharing);
    if (dat === null) throw notATable(environment.backend, directory);
    switch (dat.kind) {
      case "PlainTable": {
        const { rowCount, askManagers } = rowCountOf(dat.rowCount, sync);
        const access = yield* managerFiles(files, dat.columnSet);
        if (files.writable) checkStorage(dat, files);
        const body = new PlainBody({ files, access, dat, rowCount, sync, sharing, environment });
        if (askManagers) yield* body.askManagers();
        return body;
      }
      case "RefTable": {
        sharing.close();
        const parent = yield* openReferred(directory, dat.parent, environment);
        return ReferenceBody.read(files, dat, parent);
      }
      case "ConcatTable": {
        sharing.close();
        const parts: TableBody[] = [];
        try {
          for (const name of dat.tables) parts.push(yield* openReferred(directory, name, environment));
          return new ConcatenationBody(files, dat.subtables, parts);
        } catch (error) {
          for (const part of parts) part.close();
          throw error;
        }
      }
    }
  } catch (error) {
    // A forwarded column may be asked for again and again.
    outer.count.remove(directory);
    try {
      files.close();
    } finally {
      sharing?.close();
    }
    throw error;
  }
}

/** The table's part in what other processes do. @throws TableError LOCKED, UNSUPPORTED */
function share(files: TableFiles, { backend, options }: Environment): Sharing {
  const { directory, writable } = files, mode = options.lock ?? "auto";
  if (writable && backend.kind(`${directory}/table.dat`) === null) throw notATable(backend, directory);
  // Reference and concatenated tables have no lock of their own; their parents do (part 1, section 0).
  const lockless = mode === "none" || (mode === "auto" && !writable) ||
    (backend.kind(`${directory}/table.lock`) === null && (!writable || !isPlain(files)));
  const timeoutMs = options.lockTimeoutMs ?? LOCK_TIMEOUT_MS;
  const lock = openLock(directory, backend, {
    mode: lockless ? "none" : mode,
    readOnly: !writable,
    timeoutMs,
  });
  const sharing = new Sharing(directory, backend, lock, {
    mode,
    timeoutMs,
    writable,
  });
  try {
    if (mode === "permanent") sharing.acquire(writable ? "write" : "read");
  } catch (error) {
    sharing.close();
    throw error;
  }
  return sharing;
}

function isPlain(files: TableFiles): boolean {
  return runSync(datOf(files), files)?.kind === "PlainTable";
}

/** Files in a container are read, not written. */
function checkStorage({ columnSet: { storage } }: PlainTableDat, { directory }: TableFiles): void {
  if (storage === "separate") return;
  throw new TableError(
    "UNSUPPORTED",
    `the table keeps its data in one file (storage option ${
      storage === "multifile" ? "MultiFile" : "MultiHDF5"
    }), which this version doesn't write; open it for reading, or copy it: the copy has separate files`,
    { file: directory },
  );
}

function checkChain({ count }: Environment, directory: string, chain: readonly string[]): void {
  if (chain.includes(directory)) {
    throw new TableError("CORRUPT", `the table refers to itself, by way of ${chain.join(", ")}`, {
      file: directory,
    });
  }
  count.add(directory, chain);
}

function notATable(backend: Backend, directory: string): TableError {
  const kind = backend.kind(directory);
  return kind === null
    ? new TableError("NOT_FOUND", "there is nothing of that name", { file: directory })
    : new TableError(
      "NOT_A_TABLE",
      kind === "directory" ? "there is no table.dat in it" : "not a directory",
      {
        file: directory,
      },
    );
}
