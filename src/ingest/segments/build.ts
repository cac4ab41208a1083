/**
 * Making a segment: a table that grows as `NNNNNN.building` and gets its name when all of it is on the disk.
 *
 * | step | |
 * | --- | --- |
 * | 1 | `NNNNNN.building` is made, filled, committed durably and closed |
 * | 2 | `NNNNNN.bloom` is written and synced, where the store has a key |
 * | 3 | `NNNNNN.building` is renamed to `NNNNNN.tab`, and the folder is synced |
 *
 * Until a manifest names it, all of it is an orphan.
 */
import { TableError } from "../../error.ts";
import type { Backend, IoName } from "../../io/backend.ts";
import { openBackend } from "../../io/backends.ts";
import type { Context } from "../../io/context.ts";
import { replaceFile } from "../../io/whole-file.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import { removeTree } from "../../table/directory.ts";
import { contextOf } from "../../table/open.ts";
import { Table } from "../../table/table.ts";
import type { ColumnValues } from "../../table/values.ts";
import type { SegmentEntry } from "../manifest/format.ts";
import type { IngestSchema } from "../schema.ts";
import type { KeyColumn } from "./key-hash.ts";
import { bloomName, buildingName, segmentName, segmentPath, SEGMENTS, TEMPLATE } from "./places.ts";
import { Facts } from "./ranges.ts";
import { createSegment, takeKeywords } from "./template.ts";

/** What all jobs on the files of a store are told. */
export interface StoreFiles {
  /** The store's directory. */
  readonly directory: string;
  /** Locks of tables that are made; "none" where the C library is missing. */
  readonly lock: "auto" | "none";
  /** Cache and faults, for jobs that this isolate does. */
  readonly context?: Context | undefined;
}

/** A segment to be made. */
export interface NewSegment {
  readonly id: number;
  readonly rows: number;
  readonly schema: IngestSchema;
  readonly storage?: readonly StorageSpec[] | undefined;
  readonly io: IoName | "auto";
}

/** The backend of whole files and folders. */
export function storeBackend(files: Pick<StoreFiles, "context">): Backend {
  return openBackend("auto", { writable: true, ...contextOf(files) });
}

/** What {@linkcode SegmentBuilder.finish} knows of a segment. */
export type BuiltSegment = Pick<SegmentEntry, "id" | "name" | "rows" | "bytes" | "time" | "keys" | "bloom">;

/** A segment while it is made. When it is disposed of before it is finished nothing is left of it. */
export class SegmentBuilder implements Disposable {
  readonly table: Table;
  readonly #files: StoreFiles;
  readonly #segment: NewSegment;
  readonly #backend: Backend;
  readonly #building: string;
  readonly #facts: Facts;
  #finished = false;

  /** @throws TableError as `Table.create` */
  constructor(files: StoreFiles, segment: NewSegment) {
    this.#files = files;
    this.#segment = segment;
    this.#backend = storeBackend(files);
    this.#building = segmentPath(files.directory, buildingName(segment.id));
    this.#facts = new Facts(segment.schema, segment.rows);
    this.#clear();
    const { rows, schema, storage, io } = segment, { lock } = files;
    const template = Table.open(segmentPath(files.directory, TEMPLATE), contextOf(files));
    try {
      this.table = createSegment(this.#building, schema, {
        rows,
        storage,
        io,
        lock,
        info: template.info,
        strings: "bytes",
        ...contextOf(files),
      });
      try {
        takeKeywords(template, this.table);
      } catch (error) {
        this[Symbol.dispose]();
        throw error;
      }
    } finally {
      template.close();
    }
  }

  /** What an earlier try left. */
  #clear(): void {
    if (this.#backend.kind(this.#building) !== null) removeTree(this.#backend, this.#building);
  }

  /** Bytes of the segment's files that were read and written so far. */
  get written(): number {
    return this.table.ioStats.bytesWritten;
  }

  /** Columns of which {@linkcode note} wants the values. */
  get noted(): readonly string[] {
    return this.#facts.columns;
  }

  /** Puts values of a column into some rows. */
  put(column: string, values: ColumnValues, start: number, end: number): void {
    this.table.putColumn(column, values, { rows: { start, end } });
  }

  /** Takes what the manifest will say from the values of some rows. */
  note(columns: ReadonlyMap<string, KeyColumn>, rows: number): void {
    this.#facts.add(columns, rows);
  }

  /** Brings all of it to the disk, under its name. @throws TableError IO; what was made is removed when this is disposed of */
  finish(): BuiltSegment {
    const { id, rows } = this.#segment, { directory } = this.#files, backend = this.#backend;
    this.table.flush({ durable: true });
    this.table.close();
    const facts = this.#facts.finish(), name = segmentName(id), file = bloomName(id);
    if (facts.bloom !== null) replaceFile(backend, segmentPath(directory, file), facts.bloom.bytes);
    const bytes = bytesIn(backend, this.#building) + (facts.bloom?.bytes.length ?? 0);
    const path = segmentPath(directory, name);
    // An orphan of that name is what a publication left that failed.
    if (backend.kind(path) !== null) removeTree(backend, path);
    backend.rename(this.#building, path);
    backend.syncDirectory(`${directory}/${SEGMENTS}`);
    this.#finished = true;
    const { time, keys } = facts, bloom = facts.bloom === null ? null : { file, ...facts.bloom.entry };
    return { id, name, rows, bytes, time, keys, bloom };
  }

  [Symbol.dispose](): void {
    if (this.#finished) return;
    this.#finished = true;
    try {
      // What was put is of no use: nothing is to be written any more.
      this.table?.discard();
      this.table?.close();
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
    }
    try {
      this.#clear();
      const bloom = segmentPath(this.#files.directory, bloomName(this.#segment.id));
      if (this.#backend.kind(bloom) !== null) this.#backend.remove(bloom);
    } catch (error) {
      // What is left is an orphan; the next try, or the next opening, removes it.
      if (!(error instanceof TableError)) throw error;
    }
  }
}

/** Bytes of all files in a folder, and in those within it. */
export function bytesIn(backend: Backend, folder: string): number {
  let bytes = 0;
  for (const name of backend.list(folder)) {
    const path = `${folder}/${name}`;
    if (backend.kind(path, { noFollow: true }) === "directory") bytes += bytesIn(backend, path);
    else {
      const handle = backend.open(path, "read");
      try {
        bytes += handle.size();
      } finally {
        handle.close();
      }
    }
  }
  return bytes;
}
