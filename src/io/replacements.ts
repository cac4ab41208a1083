/**
 * Files of a table that get a new content by renaming, and what the disk may not know of that yet: a plain flush doesn't
 * wait for the disk, a durable one after it has to make up for it.
 */
import type { Backend } from "./backend.ts";
import { replaceFile } from "./whole-file.ts";

/** The files that took others' places in one directory. */
export class Replacements {
  readonly #directory: string;
  readonly #backend: Backend;
  /** Files whose content may not be on the disk. */
  readonly #unsynced = new Set<string>();
  /** Names came or went, and the disk may not know yet. */
  #renamed = false;

  constructor(directory: string, backend: Backend) {
    this.#directory = directory;
    this.#backend = backend;
  }

  /**
   * Puts a new file in the place of one of that name. `durable`: its content is on the disk before its name is.
   *
   * @throws TableError IO; the old content stays
   */
  replace(file: string, bytes: Uint8Array, durable: boolean): void {
    this.#renamed = true;
    if (!durable) this.#unsynced.add(file);
    replaceFile(this.#backend, `${this.#directory}/${file}`, bytes, { sync: durable });
    if (durable) this.#unsynced.delete(file);
  }

  /** Notes that a name came or went. */
  noteName(): void {
    this.#renamed = true;
  }

  /** Returns when the disk has what replaced files hold. */
  syncContents(): void {
    for (const file of this.#unsynced) {
      const path = `${this.#directory}/${file}`;
      if (this.#backend.kind(path) === null) continue;
      const handle = this.#backend.open(path, "read");
      try {
        handle.sync();
      } finally {
        handle.close();
      }
    }
    this.#unsynced.clear();
  }

  /** Returns when the disk has the names. */
  syncNames(): void {
    if (this.#renamed) this.#backend.syncDirectory(this.#directory);
    this.#renamed = false;
  }
}
