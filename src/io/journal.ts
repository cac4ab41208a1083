/**
 * The journal of an open table as its writer keeps it (format: `journal-format.ts`). It is there from the first write of
 * a commit to its end. Whoever holds the table's write lock and finds one knows that its writer is dead.
 */
import { TableError } from "../error.ts";
import type { Backend, Handle } from "./backend.ts";
import {
  headLength,
  JOURNAL_FILE,
  type JournalHead,
  type JournalRecord,
  readJournal,
  recordLength,
} from "./journal-format.ts";
import { JournalBuffer } from "./journal-buffer.ts";
import { RangeSet } from "./ranges.ts";
import { syncTogether } from "./sync-together.ts";

/** Records are written before there are more bytes of them. */
const WRITE_BYTES = 4 * 1024 * 1024;

/** A writer's journal. */
export class Journal {
  readonly path: string;
  readonly #directory: string;
  readonly #backend: Backend;
  #handle: Handle | null = null;
  #head: JournalHead | null = null;
  #length = 0;
  #unsynced = false;
  /** Files whose length at the last commit is in the journal, and what of their bytes is. */
  readonly #saved = new Map<string, RangeSet>();
  /** What is known to be part of no value. */
  readonly #spare = new Map<string, RangeSet>();
  /** Files that were saved whole. */
  readonly #wholes = new Map<string, Uint8Array | null>();
  /** Records that were taken and not written yet. */
  readonly #added: JournalRecord[] = [];
  readonly #buffer = new JournalBuffer();

  constructor(directory: string, backend: Backend) {
    this.path = `${directory}/${JOURNAL_FILE}`;
    this.#directory = directory;
    this.#backend = backend;
  }

  /** True when there is one. */
  get active(): boolean {
    return this.#handle !== null;
  }

  /** Bytes in it. */
  get length(): number {
    return this.#length;
  }

  /** What is saved of a file, or undefined when not even its length is. */
  saved(file: string): RangeSet | undefined {
    return this.#saved.get(file);
  }

  /** What of a file is known to be part of no value. */
  spare(file: string): RangeSet {
    let ranges = this.#spare.get(file);
    if (ranges === undefined) this.#spare.set(file, ranges = new RangeSet());
    return ranges;
  }

  /** A file as it was saved whole (null: there was none), or undefined when it wasn't. */
  savedWhole(file: string): Uint8Array | null | undefined {
    return this.#wholes.get(file);
  }

  #open(): Handle {
    if (this.#handle !== null) return this.#handle;
    if (this.#backend.kind(this.path) !== null) {
      throw new TableError(
        "NEEDS_RECOVERY",
        "another writer's journal is there; `table recover` looks at it",
        {
          file: this.path,
        },
      );
    }
    this.#unsynced = true;
    return this.#handle = this.#backend.open(this.path, "create");
  }

  /**
   * Takes a record, which {@linkcode write}, or a later one, puts behind those that are there. Its bytes are copied at once. `head` is asked
   * for what begins the journal, if this is its first record.
   */
  add(head: () => { before: Uint8Array; begun: Uint8Array }, record: JournalRecord): void {
    if (this.#head === null) {
      this.#head = { id: crypto.getRandomValues(new Uint32Array(1))[0]!, ...head() };
      this.#buffer.head(this.#head);
    }
    this.#buffer.record(this.#head.id, record);
    this.#added.push(record);
    if (this.#buffer.length >= WRITE_BYTES) this.write();
  }

  /** Writes the records that were taken, by one call; what they save counts as saved then. After an error they are forgotten. */
  write(): void {
    if (this.#added.length === 0) return;
    try {
      const handle = this.#open();
      handle.write(this.#buffer.bytes, this.#length);
      this.#length += this.#buffer.length;
      for (const record of this.#added) this.#note(record);
    } finally {
      this.forgetAdded();
    }
  }

  /** Forgets the records that were taken and not written. */
  forgetAdded(): void {
    this.#added.length = 0;
    this.#buffer.clear();
    if (this.#length === 0) this.#head = null;
  }

  #note(record: JournalRecord): void {
    if (record.kind === "whole" && !this.#wholes.has(record.file)) this.#wholes.set(record.file, record.old);
    if (record.kind === "spare") this.spare(record.file).add(record.offset, record.offset + record.length);
    if (record.kind !== "length" && record.kind !== "old") return;
    let ranges = this.#saved.get(record.file);
    if (ranges === undefined) this.#saved.set(record.file, ranges = new RangeSet());
    if (record.kind === "old") ranges.add(record.offset, record.offset + record.old.length);
  }

  /** Returns when the disk has it, and its name. */
  sync(): void {
    const unsyncedHandle = this.#handle;
    syncTogether(
      this.#backend,
      [{ unsyncedHandle, synced: () => this.#unsynced = false }],
      this.#unsynced ? this.#directory : null,
    );
  }

  /** As {@linkcode sync}, without blocking where the backend can wait on another thread. */
  async syncAsync(): Promise<void> {
    if (this.#handle?.syncAsync === undefined) this.#handle?.sync();
    else await this.#handle.syncAsync();
    this.#syncName();
  }

  #syncName(): void {
    if (!this.#unsynced) return;
    this.#backend.syncDirectory(this.#directory);
    this.#unsynced = false;
  }

  /** The records from byte `mark` on, as they stand in the file; all of them for 0. */
  records(mark: number): JournalRecord[] {
    if (this.#handle === null || this.#head === null) return [];
    const handle = this.#handle;
    const content = readJournal({
      length: this.#length,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        handle.read(bytes, offset);
        return bytes;
      },
    }, this.path);
    if (content === null) {
      throw new TableError("CORRUPT", "the journal can't be read back", { file: this.path });
    }
    let at = headLength(this.#head);
    for (const [i, record] of content.records.entries()) {
      if (at >= mark) return content.records.slice(i);
      at += recordLength(record);
    }
    return [];
  }

  /** Forgets the records from byte `mark` on; 0: there is no journal any more. */
  cut(mark: number): void {
    if (this.#handle === null) return;
    if (mark === 0) {
      try {
        this.#backend.remove(this.path);
      } catch (error) {
        // Another process found it after its commit was complete, and removed it.
        if (!(error instanceof TableError && error.code === "NOT_FOUND")) throw error;
      }
      this.#forget();
      return;
    }
    this.#handle.resize(mark);
    this.#length = mark;
    const kept = this.records(0);
    this.#forgetRecords();
    for (const record of kept) this.#note(record);
  }

  #forget(): void {
    const handle = this.#handle;
    this.#handle = this.#head = null;
    this.#length = 0;
    this.#forgetRecords();
    handle?.close();
  }

  #forgetRecords(): void {
    this.#saved.clear();
    this.#spare.clear();
    this.#wholes.clear();
  }

  /** Closes the file. A journal that is still there is for recovery. */
  close(): void {
    this.#forget();
  }
}
