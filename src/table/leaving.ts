/**
 * Subtables that go with a commit: their directories, which no keyword names any more, are removed when it is complete, and
 * are locked until then.
 */
import { dirname } from "node:path";
import { TableError } from "../error.ts";
import type { Backend } from "../io/backend.ts";
import { lockTree } from "./alter-directory.ts";
import { removeTree } from "./directory.ts";

/** The subtables of one table that are about to go. */
export class LeavingSubtables {
  readonly #table: string;
  readonly #backend: Backend;
  #leaving: { readonly directory: string; readonly lock: Disposable | null }[] = [];

  /** @param table The table's directory. */
  constructor(table: string, backend: Backend) {
    this.#table = table;
    this.#backend = backend;
  }

  /** @throws TableError INVALID_ARGUMENT for a subtable that isn't in the table's directory */
  check(keyword: string, directory: string): void {
    if (dirname(directory) === this.#table && directory !== this.#table) return;
    throw new TableError("INVALID_ARGUMENT", `subtable ${keyword} is elsewhere, at ${directory}`, {
      file: this.#table,
    });
  }

  /**
   * Takes a subtable; `locked`: nobody else may have it open. `forget` drops what names it, between the two.
   *
   * @throws TableError NOT_FOUND, LOCKED
   */
  add(directory: string, locked: boolean, forget: () => void): void {
    if (this.#backend.kind(directory, { noFollow: true }) !== "directory") {
      throw new TableError("NOT_FOUND", "there is no such directory", { file: directory });
    }
    const lock = locked ? lockTree(this.#backend, directory) : null;
    forget();
    this.#leaving.push({ directory, lock });
  }

  /** The commit is complete, and they go; with `keep` it was given up, and they stay. */
  end({ keep }: { keep: boolean }): void {
    const leaving = this.#leaving;
    this.#leaving = [];
    try {
      if (!keep) { for (const { directory } of leaving) removeTree(this.#backend, directory); }
    } finally {
      for (const { lock } of leaving) lock?.[Symbol.dispose]();
    }
  }
}
