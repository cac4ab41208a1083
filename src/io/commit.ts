/**
 * Commits: how the files of a table go from one consistent state to the next.
 *
 * | step | |
 * | --- | --- |
 * | 1 | the journal takes the lengths of the files, the bytes that will be overwritten, and what the change counters will be |
 * | 2 | the change counters say that something is going on |
 * | 3 | everything pending is sent, files that are replaced whole are renamed into place |
 * | 4 | the change counters get their new values: the commit is complete |
 * | 5 | the journal is emptied, files that are no longer needed are removed |
 *
 * A durable commit waits for the disk after 1, 3 and 4. What has to be sent before the commit, because it is too large to
 * be kept, goes through 1 and 2 first; the disk then has its old bytes before the new ones are sent.
 */
import { crc32 } from "node:zlib";
import { turn, turnIsDue } from "./async-turns.ts";
import type { Backend } from "./backend.ts";
import { Journal } from "./journal.ts";
import { type JournalRecord, sectorChecksums } from "./journal-format.ts";
import { RangeSet } from "./ranges.ts";
import type { TableFile } from "./table-file.ts";
import type { Replacements } from "./replacements.ts";
import { readWholeFile, replaceFile } from "./whole-file.ts";

/** The change counters of a table: who else reads it learns from them that something changed. */
export interface Counters {
  /** The file that has them, and where. */
  readonly file: string;
  readonly offset: number;
  /** What stands there. */
  before(): Uint8Array;
  /** What shall stand there from now on, until a commit is complete: other than before. Asked once a commit. */
  begun(): Uint8Array;
}

/** What a commit does beside sending what is pending. */
export interface CommitRequest {
  /** Return only when the disk has it. */
  readonly durable: boolean;
  /** The change counters when it is complete: other than those that {@linkcode Counters.begun} gave. */
  readonly after: () => Uint8Array;
  /** Files that get a new content by renaming. */
  readonly replaced: readonly { readonly file: string; readonly bytes: Uint8Array }[];
}

/** Longest range that one record keeps. */
const RECORD_BYTES = 4 * 1024 * 1024;
/** The same where the event loop turns between two records: making one takes some milliseconds. */
const SHORT_RECORD_BYTES = 1024 * 1024;

/** The guard of a table's files: it alone decides what is written to them when. */
export class Commits {
  readonly #directory: string;
  readonly #backend: Backend;
  readonly #counters: Counters;
  readonly #countersFile: TableFile;
  readonly #journal: Journal;
  /** The change counters of the journal's head. */
  #head: { before: Uint8Array; begun: Uint8Array } | null = null;
  /** What the counters on the disk are; `unknown` after a commit that failed and couldn't be undone. */
  #state: "before" | "begun" | "unknown" = "before";
  /** The commit is complete, but its journal couldn't be removed. */
  #leftOver = false;
  readonly #replacements: Replacements;

  constructor(
    directory: string,
    backend: Backend,
    counters: Counters,
    countersFile: TableFile,
    replacements: Replacements,
  ) {
    this.#directory = directory;
    this.#backend = backend;
    this.#counters = counters;
    this.#countersFile = countersFile;
    this.#replacements = replacements;
    this.#journal = new Journal(directory, backend);
  }

  #start(): { before: Uint8Array; begun: Uint8Array } {
    if (this.#leftOver) this.#journal.cut(0);
    this.#leftOver = false;
    if (this.#head === null) {
      const before = this.#counters.before();
      this.#head = { before, begun: this.#counters.begun() };
    }
    return this.#head;
  }

  /**
   * Comes before records are asked for: what a journal that is left over saved is not saved in the next one. What an earlier
   * attempt took and didn't write is forgotten.
   */
  #startRecords(): void {
    this.#start();
    this.#journal.forgetAdded();
  }

  #end(): void {
    this.#head = null;
    this.#state = "before";
  }

  #add(record: JournalRecord): void {
    this.#journal.add(() => this.#start(), record);
  }

  #begin(): void {
    if (this.#state === "begun") return;
    this.#writeCounters(this.#start().begun);
    this.#state = "begun";
  }

  #writeCounters(bytes: Uint8Array): void {
    const file = this.#countersFile;
    if (file.size() < 0) file.empty(true);
    file.write(this.#counters.offset, bytes);
    file.flush();
  }

  /** What has to be in the journal before `file` is sent, one record at a time. */
  *#records(file: TableFile, name: string, most = RECORD_BYTES): Generator<JournalRecord, void, void> {
    const saved = this.#journal.saved(name);
    if (saved === undefined) yield this.#lengthOf(file, name);
    const { ranges, spare, newLength } = file.overwrites();
    for (const [start, end] of spare) {
      for (const part of this.#journal.spare(name).split(start, end)) {
        if (part.inside) continue;
        yield { kind: "spare", file: name, offset: part.start, length: part.end - part.start };
      }
    }
    for (const [start, end] of ranges) yield* this.#save(file, name, start, end, newLength, saved, most);
  }

  *#save(
    file: TableFile,
    name: string,
    start: number,
    end: number,
    newLength: number,
    saved: RangeSet | undefined,
    most: number,
  ): Generator<JournalRecord, void, void> {
    for (const part of (saved ?? new RangeSet()).split(start, end)) {
      for (let offset = part.start; offset < part.end; offset += most) {
        const length = Math.min(most, part.end - offset);
        const checksums = sectorChecksums(this.#newBytes(file, offset, length, newLength), offset);
        yield part.inside ? { kind: "new", file: name, offset, length, newLength, checksums } : {
          kind: "old",
          file: name,
          offset,
          newLength,
          old: file.diskBytes(offset, offset + length),
          checksums,
        };
      }
    }
  }

  /** What a range is to have, with zeros behind the end of the file; all of it is sent then. */
  #newBytes(file: TableFile, offset: number, length: number, newLength: number): Uint8Array {
    const inPlace = offset + length <= newLength ? file.pendingView(offset, length) : undefined;
    if (inPlace !== undefined) return inPlace;
    const bytes = new Uint8Array(length);
    if (offset < newLength) {
      const there = bytes.subarray(0, Math.min(length, newLength - offset));
      file.fill(there, offset, false);
      // Sent in one piece, a sector is the old one or the new one at any moment.
      file.write(offset, there);
    }
    return bytes;
  }

  /** Takes what has to be in the journal before `file` is sent. @returns true when bytes of the last commit are overwritten */
  #addRecords(file: TableFile, name: string): boolean {
    let overwrites = false;
    for (const record of this.#records(file, name)) {
      this.#add(record);
      overwrites ||= record.kind !== "length";
    }
    return overwrites;
  }

  /**
   * Sees to it that what is pending of a file can be sent before the commit. Where committed bytes are overwritten, the
   * disk has them in the journal when this returns.
   */
  prepare(file: TableFile, name: string): void {
    this.#startRecords();
    if (!this.#addRecords(file, name)) return this.#journal.write();
    this.#journal.write();
    this.#journal.sync();
    this.#begin();
  }

  /** Sees to it that bytes behind those that the last commit holds can be sent before the commit. */
  announce(file: TableFile, name: string): void {
    // Sending anything carries out a truncation that is pending.
    if (file.cuts) return this.prepare(file, name);
    this.#startRecords();
    if (this.#journal.saved(name) !== undefined) return;
    this.#add(this.#lengthOf(file, name));
    this.#journal.write();
  }

  #lengthOf(file: TableFile, name: string): JournalRecord {
    return { kind: "length", file: name, length: file.existed() ? file.committed() : -1 };
  }

  /** As {@linkcode prepare}, with turns of the event loop. Nothing else may change the files meanwhile. */
  async prepareAsync(file: TableFile, name: string): Promise<void> {
    this.#startRecords();
    let overwrites = false;
    for (const record of this.#records(file, name, SHORT_RECORD_BYTES)) {
      this.#add(record);
      this.#journal.write();
      overwrites ||= record.kind !== "length";
      if (turnIsDue()) await turn();
    }
    if (!overwrites) return;
    await this.#journal.syncAsync();
    this.#begin();
  }

  /** Carries a commit out. After an error what is pending is still pending, and the disk has the state before. */
  commit(files: ReadonlyMap<string, TableFile>, request: CommitRequest): void {
    const { durable, replaced } = request;
    this.#startRecords();
    const after = request.after();
    const dirty = [...files].filter(([, file]) => file.dirty);
    const mark = this.#journal.length;
    try {
      for (const [name, file] of dirty) if (!file.isRemoved) this.#addRecords(file, name);
      for (const { file, bytes } of replaced) {
        const old = this.#oldOf(file);
        this.#add({ kind: "whole", file, old, newLength: bytes.length, checksum: crc32(bytes) });
      }
      this.#add({ kind: "end", file: this.#counters.file, after });
      this.#journal.write();
      if (durable) this.#journal.sync();
      this.#begin();
      for (const [, file] of dirty) file.send();
      for (const { file, bytes } of replaced) this.#replacements.replace(file, bytes, durable);
      if (durable) this.#syncAll(files);
      this.#writeCounters(after);
      if (durable) this.#countersFile.sync();
    } catch (error) {
      this.#undo(files, mark);
      throw error;
    }
    // From here on the commit is complete.
    this.#end();
    for (const [, file] of dirty) file.settle();
    for (const file of files.values()) file.commit();
    try {
      this.#journal.cut(0);
      for (const [, file] of dirty) file.unlink();
    } catch {
      // A journal whose commit is complete harms nobody, nor does a file that nothing refers to.
      this.#leftOver = this.#journal.active;
    }
  }

  #syncAll(files: ReadonlyMap<string, TableFile>): void {
    this.#replacements.syncWith(files.values());
  }

  /** The file as the last commit left it: what is there now is other than that when a commit failed and could not be undone. */
  #oldOf(file: string): Uint8Array | null {
    const saved = this.#journal.savedWhole(file);
    return saved === undefined ? readWholeFile(this.#backend, `${this.#directory}/${file}`) : saved;
  }

  /** Puts back what records from `mark` on saved, and forgets them; if that fails they stay, for the next try or for recovery. */
  #undo(files: ReadonlyMap<string, TableFile>, mark: number): void {
    this.#journal.forgetAdded();
    try {
      // Counters that say "complete" must not meet old bytes.
      if (this.#state !== "before") this.#writeCounters(this.#head!.begun);
      this.#restore(files, mark);
      this.#journal.cut(mark);
    } catch {
      // The first error is what the caller has to hear. The counters may be those of a complete commit: they are written
      // anew before anything else is changed.
      this.#state = "unknown";
    }
  }

  #restore(files: ReadonlyMap<string, TableFile>, mark: number): JournalRecord[] {
    const records = this.#journal.records(mark);
    for (const record of records) {
      if (record.kind === "old") files.get(record.file)?.restore(record.offset, record.old);
      else if (record.kind === "whole") restoreWhole(this.#backend, this.#directory, record);
    }
    // Sectors that were saved may have had some of it already.
    for (const record of records) {
      if (record.kind === "spare") files.get(record.file)?.restoreSpare(record.offset, record.length);
    }
    return records;
  }

  /**
   * Drops what is pending and puts back everything that was sent since the last commit.
   *
   * @throws TableError IO; the journal stays then
   */
  abandon(files: ReadonlyMap<string, TableFile>): void {
    for (const file of files.values()) file.discard();
    if (this.#journal.active && !this.#leftOver) {
      if (this.#state === "unknown") this.#begin();
      for (const record of this.#restore(files, 0)) {
        if (record.kind === "length") files.get(record.file)?.restoreLength(record.length);
      }
      this.#journal.cut(0);
    }
    // Others may change the table before the next commit: its counters are asked for anew, and the lengths of its files.
    this.#end();
    for (const file of files.values()) file.commit();
  }

  /** True when something was sent that no commit holds yet. */
  get active(): boolean {
    return this.#journal.active && !this.#leftOver;
  }

  /** Returns when the disk has the change counters that earlier commits wrote. */
  sync(): void {
    this.#countersFile.sync();
  }

  /** Closes the journal. */
  close(): void {
    this.#journal.close();
  }
}

/** Puts back a file that was replaced by another of its name. */
export function restoreWhole(
  backend: Backend,
  directory: string,
  record: { readonly file: string; readonly old: Uint8Array | null },
): void {
  const path = `${directory}/${record.file}`;
  // A full disk has no room for a copy of what is still there.
  const found = readWholeFile(backend, path);
  if (found !== null && record.old !== null && sameBytes(found, record.old)) return;
  if (record.old !== null) replaceFile(backend, path, record.old);
  else if (backend.kind(path) !== null) backend.remove(path);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
