/**
 * A log that is being written: its file, how far it goes, and the blocks of it that readers may see.
 */
import { TableError } from "../../error.ts";
import type { Backend, Handle } from "../../io/backend.ts";
import type { GrowingBlock } from "../log/block.ts";
import { LogFile, readingBackend } from "../log/file.ts";
import { logName, writeLogHeader } from "../log/format.ts";
import { BlockIndex } from "../log/index.ts";
import type { StoredLog } from "../log/stored.ts";
import type { IngestSchema } from "../schema.ts";
import { allocate } from "../../array/alloc.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Blocks that a short group is going to be written over are filled with zeros before, so many bytes at once: a sync then has
 * the group's blocks to bring to the disk and nothing else. Where a file grows with every group, by its length or into space
 * that was only reserved, each sync also waits for the file system's journal, which takes 1.7 times as long. Groups that are
 * longer than this gain less by it than the zeros cost.
 */
export const AHEAD_BYTES: number = 2 ** 20;
/** Groups shorter than this are short. */
export const SHORT_BYTES: number = 2 ** 17;

/** What the logs of an appender have in common. */
export interface LogSetting {
  readonly directory: string;
  readonly schema: IngestSchema;
  readonly storeId: string;
  readonly backend: Backend;
  readonly blockBytes: number;
  /** Zeros to be written ahead of short groups; null where files aren't on a disk. */
  readonly zeros: Bytes | null;
}

/** A log to which nothing is added any more, all of it on disk. */
export interface SealedLog {
  readonly id: number;
  readonly path: string;
  readonly firstSequence: number;
  readonly rows: number;
  /** Bytes from the start of the file to the end of the last row's block; what the file may have behind them doesn't count. */
  readonly bytes: number;
}

/** Who waits for the end of a log. */
export interface EndWaiter {
  resolve(log: SealedLog | null): void;
  reject(error: unknown): void;
}

/** A log that is being written. */
export class GrowingLog implements StoredLog {
  readonly id: number;
  readonly path: string;
  readonly firstSequence: number;
  readonly file: LogFile;
  readonly schema: IngestSchema;
  readonly blockBytes: number;
  /** Blocks that readers may see; only added to. */
  readonly blocks: GrowingBlock[] = [];
  /** Where the next group begins. */
  end: number;
  /** Bytes from the start of the file that are durable, with all rows before {@linkcode durableSequence}. */
  durable: number;
  durableSequence: number;
  /** True when the next group begins another log. */
  full = false;
  /** True when nothing is added any more and all of it is durable. */
  finished = false;
  /** True when rows that were withdrawn are still in its file. */
  uncut = false;
  /** Those who asked for the end, and are told instead of `onLogFull`. */
  readonly waiters: EndWaiter[] = [];
  readonly #setting: LogSetting;
  #handle: Handle | null = null;
  #created = false;
  /** Up to here the file has blocks that were written once. */
  #ahead = 0;

  constructor(setting: LogSetting, id: number, firstSequence: number) {
    this.#setting = setting;
    this.id = id;
    this.path = `${setting.directory}/${logName(id)}`;
    this.firstSequence = this.durableSequence = firstSequence;
    this.file = new LogFile(this.path, readingBackend(setting.backend));
    this.schema = setting.schema;
    this.blockBytes = setting.blockBytes;
    this.end = this.durable = setting.blockBytes;
  }

  /** True once its file has a header that is durable, under a name that is. */
  get created(): boolean {
    return this.#created;
  }

  /** What readers may see of it; `last` is the part of a buffer that is being filled. */
  index(last: GrowingBlock | null = null): BlockIndex {
    return new BlockIndex(this.id, this.path, this.firstSequence, this.blocks, last, this.blocks.length);
  }

  /** What sealing is told of it. */
  sealed(): SealedLog {
    const { id, path, firstSequence } = this;
    return { id, path, firstSequence, rows: this.durableSequence - firstSequence, bytes: this.durable };
  }

  /** Makes the file with its header. @throws TableError IO; there is no such file then, or one without a whole header */
  async create(): Promise<void> {
    const { backend, blockBytes, storeId, schema, directory } = this.#setting;
    const header = allocate("uint8", blockBytes, blockBytes) as Bytes, { id, firstSequence } = this;
    writeLogHeader(header, {
      blockBytes,
      log: id,
      firstSequence,
      created: Date.now() / 1000,
      storeId,
      hash: schema.hash,
    });
    const handle = backend.open(this.path, "create");
    try {
      handle.write(header, 0);
      await sync(handle);
      backend.syncDirectory(directory);
    } catch (error) {
      attempt(() => handle.close());
      throw error;
    }
    this.#handle = handle;
    this.#created = true;
  }

  /** Writes at an offset. @throws TableError IO */
  async write(bytes: Bytes, offset: number): Promise<void> {
    const handle = this.#opened(), end = offset + bytes.length, { zeros } = this.#setting;
    if (zeros !== null && bytes.length < SHORT_BYTES && end > this.#ahead) {
      // Where there is no space for them there may be for the group.
      await write(handle, zeros, end).catch(() => {});
      this.#ahead = end + zeros.length;
    }
    await write(handle, bytes, offset);
    this.#ahead = Math.max(this.#ahead, end);
  }

  /** Resolves when what was written is durable. @throws TableError IO */
  async sync(): Promise<void> {
    await sync(this.#opened());
  }

  /** Takes back what was written behind `end`, durably. @throws TableError IO */
  async cut(end: number): Promise<void> {
    const handle = this.#opened();
    this.#ahead = end;
    handle.resize(end);
    await sync(handle);
  }

  /** The same once it was closed, where it failed before. @throws TableError IO */
  cutClosed(): void {
    const handle = this.#setting.backend.open(this.path, "update");
    try {
      handle.resize(this.durable);
      handle.sync();
      this.uncut = false;
    } finally {
      handle.close();
    }
  }

  #opened(): Handle {
    if (this.#handle !== null) return this.#handle;
    throw new TableError("CLOSED", "the log's file was closed", { file: this.path });
  }

  /** Closes the file for writing. @throws TableError IO */
  close(): void {
    const handle = this.#handle;
    this.#handle = null;
    handle?.close();
  }

  /** Removes the file; who holds it can read on. @throws TableError IO */
  remove(): void {
    this.close();
    const { backend } = this.#setting;
    if (backend.kind(this.path) === null) return void this.file.forget();
    this.file.forget();
    backend.remove(this.path);
  }
}

async function write(handle: Handle, bytes: Bytes, offset: number): Promise<void> {
  if (handle.writeAsync === undefined) handle.write(bytes, offset);
  else await handle.writeAsync(bytes, offset);
}

async function sync(handle: Handle): Promise<void> {
  if (handle.syncAsync === undefined) handle.sync();
  else await handle.syncAsync();
}

/** Does what need not succeed. */
export function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
  }
}
