/**
 * Files of a table that get a new content by renaming, and what the disk may not know of that yet: a plain flush doesn't
 * wait for the disk, a durable one after it has to make up for it.
 */
import type { Backend, Handle } from "./backend.ts";
import { syncTogether, type Unsynced } from "./sync-together.ts";
import type { TableFile } from "./table-file.ts";
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

  /** Returns when the disk has what `files` and replaced files hold. */
  syncContents(files: Iterable<TableFile>): void {
    this.#sync(files, false);
  }

  /** As {@linkcode syncContents}, and the names of files that came or went. */
  syncWith(files: Iterable<TableFile>): void {
    this.#sync(files, true);
  }

  #sync(files: Iterable<TableFile>, names: boolean): void {
    const all: Unsynced[] = [];
    for (const file of files) {
      if (file.takeRenamed()) this.#renamed = true;
      if (file.unsyncedHandle !== null) all.push(file);
    }
    const opened = this.#open();
    try {
      for (const handle of opened) all.push({ unsyncedHandle: handle, synced: () => {} });
      syncTogether(this.#backend, all, names && this.#renamed ? this.#directory : null);
    } finally {
      for (const handle of opened) handle.close();
    }
    this.#unsynced.clear();
    if (names) this.#renamed = false;
  }

  /** Replaced files of which the disk may not have everything. */
  #open(): Handle[] {
    const handles: Handle[] = [];
    for (const file of this.#unsynced) {
      const path = `${this.#directory}/${file}`;
      if (this.#backend.kind(path) !== null) handles.push(this.#backend.open(path, "read"));
    }
    return handles;
  }
}
