/**
 * Opening a table: what kind it is, how many rows it has, and its inside.
 */
import { resolve } from "node:path";
import { TableError } from "../error.ts";
import { readTableDat, type TableDat } from "../format/table-dat.ts";
import { readSync, rowCountOf, type SyncInfo } from "../format/table-lock.ts";
import type { Backend } from "../io/backend.ts";
import { openBackend } from "../io/backends.ts";
import { runAsync, runSync } from "../io/drivers.ts";
import { TableFiles } from "../io/files.ts";
import { lockTable, type TableLock } from "../io/lock.ts";
import { fileSize, type Plan, readBytes } from "../io/plan.ts";
import type { TableBody } from "./body.ts";
import { PlainBody } from "./plain.ts";
import type { OpenOptions } from "./table.ts";

/** Opens a table of any kind. @throws TableError as `Table.open` */
export function openBody(path: string, options: OpenOptions): TableBody {
  const opening = new Opening(path, options);
  try {
    return runSync(opening.plan(), opening.files);
  } catch (error) {
    throw opening.failed(error);
  }
}

/** As {@linkcode openBody}, without blocking while files are read. */
export async function openBodyAsync(path: string, options: OpenOptions): Promise<TableBody> {
  const opening = new Opening(path, options);
  try {
    return await runAsync(opening.plan(), opening.files);
  } catch (error) {
    throw opening.failed(error);
  }
}

/** One attempt to open a table; what it holds is let go when it fails. */
class Opening {
  readonly files: TableFiles;
  readonly #backend: Backend;
  readonly #directory: string;
  readonly #options: OpenOptions;
  #lock: TableLock | null = null;

  constructor(path: string, options: OpenOptions) {
    if (typeof path !== "string" || path === "") {
      throw new TableError(
        "INVALID_ARGUMENT",
        `the path of a table is a string that is not empty, found ${String(path)}`,
      );
    }
    const writable = options.mode === "rw";
    this.#options = options;
    this.#directory = resolve(path);
    this.#backend = openBackend(options.io ?? "auto", { writable, ...contextOf(options) });
    this.files = new TableFiles(this.#directory, this.#backend, { writable, ...contextOf(options) });
  }

  *plan(): Plan<TableBody> {
    const { mode = "r", lock = "auto", confine = false } = this.#options;
    if (mode === "rw") {
      this.#checkIsTable();
      this.#lock = lockTable(this.#directory, this.#backend, lock);
    }
    const sync = yield* readSyncInfo(this.files);
    const dat = yield* readDat(this.files);
    if (dat === null) throw this.#notATable();
    if (dat.kind !== "PlainTable") {
      throw new TableError("UNSUPPORTED", `a ${dat.kind} can't be read by this version`, {
        file: this.#directory,
      });
    }
    const { rowCount, askManagers } = rowCountOf(dat.rowCount, sync);
    const body = new PlainBody({ files: this.files, dat, rowCount, sync, lock: this.#lock, confine });
    if (askManagers) yield* body.askManagers();
    return body;
  }

  /** Lets go of files and lock; returns what to throw. */
  failed(error: unknown): unknown {
    try {
      this.files.close();
    } finally {
      this.#lock?.release();
    }
    return error;
  }

  #checkIsTable(): void {
    if (this.#backend.kind(`${this.#directory}/table.dat`) === null) throw this.#notATable();
  }

  #notATable(): TableError {
    const kind = this.#backend.kind(this.#directory);
    return kind === null
      ? new TableError("NOT_FOUND", "there is nothing of that name", { file: this.#directory })
      : new TableError(
        "NOT_A_TABLE",
        kind === "directory" ? "there is no table.dat in it" : "not a directory",
        {
          file: this.#directory,
        },
      );
  }
}

/** The context that options name, for calls that take it only when it is there. */
export function contextOf(options: Pick<OpenOptions, "context">): Pick<OpenOptions, "context"> {
  return options.context === undefined ? {} : { context: options.context };
}

/** Plan: the sync info in `table.lock`, null if there is none. */
function* readSyncInfo(files: TableFiles): Plan<SyncInfo | null> {
  const size = yield* fileSize("table.lock");
  if (size <= 0) return null;
  return readSync(yield* readBytes("table.lock", 0, size), files.pathOf("table.lock"));
}

/** Plan: `table.dat`, null if there is none. */
function* readDat(files: TableFiles): Plan<TableDat | null> {
  const size = yield* fileSize("table.dat");
  if (size < 0) return null;
  return readTableDat(yield* readBytes("table.dat", 0, size), files.pathOf("table.dat"));
}
