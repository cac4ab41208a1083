/**
 * Arrow's IPC format, as a file (with a footer, for random access) or as a stream (for pipes).
 *
 * The writer of apache-arrow puts what it writes into a queue, which someone has to drain; this one hands it on at once, so that
 * the memory of a batch is free for the next one.
 */
import { open } from "node:fs/promises";
import {
  type RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  RecordBatchStreamWriter,
  type Schema,
} from "apache-arrow";
import { TableError } from "../error.ts";

/** Takes bytes; they are only good until it returns. */
export type Write = (bytes: Uint8Array) => void;

/** Pieces shorter than this are gathered: most of what a batch writes is its values, and then some bytes of padding. */
const GATHER_BYTES = 64 * 1024;

/** Gathers short pieces. */
class Gathered {
  readonly #write: Write;
  readonly #buffer = new Uint8Array(GATHER_BYTES);
  #used = 0;

  constructor(write: Write) {
    this.#write = write;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length > GATHER_BYTES / 2) {
      this.flush();
      return this.#write(bytes);
    }
    if (bytes.length > GATHER_BYTES - this.#used) this.flush();
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  flush(): void {
    if (this.#used > 0) this.#write(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError("expected bytes");
}

class FileWriter extends RecordBatchFileWriter {
  constructor(readonly gathered: Gathered) {
    super();
  }

  protected override _write(chunk: never): this {
    const bytes = bytesOf(chunk);
    this.gathered.push(bytes);
    this._position += bytes.length;
    return this;
  }
}

class StreamWriter extends RecordBatchStreamWriter {
  constructor(readonly gathered: Gathered) {
    super();
  }

  protected override _write(chunk: never): this {
    const bytes = bytesOf(chunk);
    this.gathered.push(bytes);
    this._position += bytes.length;
    return this;
  }
}

/** Writes record batches of one schema. */
export class IpcWriter {
  readonly #gathered: Gathered;
  readonly #writer: FileWriter | StreamWriter;

  /** Begins with the schema, so that a table without rows has one, too. */
  constructor(write: Write, format: "file" | "stream", schema: Schema) {
    this.#gathered = new Gathered(write);
    this.#writer = format === "file" ? new FileWriter(this.#gathered) : new StreamWriter(this.#gathered);
    this.#writer.reset(undefined, schema);
  }

  /** Writes a batch; its memory isn't looked at afterwards. */
  write(batch: RecordBatch): void {
    this.#writer.write(batch);
    this.#gathered.flush();
  }

  /** Hands on what is written so far. */
  flush(): void {
    this.#gathered.flush();
  }

  /** Writes what stands at the end. */
  finish(): void {
    this.#writer.finish();
    this.#gathered.flush();
  }
}

/** The record batches of a file, read as they are asked for, once. */
export interface ArrowFile extends AsyncIterable<RecordBatch> {
  /** The schema of all of them. */
  readonly schema: RecordBatch["schema"];
  /** Closes the file. */
  close(): Promise<void>;
}

/**
 * Opens an Arrow file in either format, for `fromArrow` or to look at its batches.
 *
 * @throws TableError NOT_FOUND, IO, CORRUPT for what is no Arrow, also while batches are read
 */
export async function readArrow(path: string): Promise<ArrowFile> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw failure(cause, path);
  }
  return await batchesOf(file, path, () => file.close());
}

/**
 * The same for bytes that come one after the other in the form of a stream; `name` is what errors call them.
 *
 * @throws TableError CORRUPT for what is no Arrow, also while batches are read
 */
export function readArrowStream(bytes: AsyncIterable<Uint8Array>, name: string): Promise<ArrowFile> {
  return batchesOf(bytes, name, () => Promise.resolve());
}

function failure(cause: unknown, file: string): TableError {
  if (cause instanceof TableError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const missing = (cause as { code?: unknown }).code === "ENOENT";
  return new TableError(
    missing ? "NOT_FOUND" : "CORRUPT",
    missing ? "there is no such file" : `it can't be read as Arrow: ${text}`,
    { file, cause },
  );
}

async function batchesOf(source: unknown, name: string, close: () => Promise<void>): Promise<ArrowFile> {
  try {
    const reader = await RecordBatchReader.from(source as never) as unknown as
      & { readonly schema: Schema | undefined; open(): Promise<unknown> }
      & (AsyncIterable<RecordBatch> | Iterable<RecordBatch>);
    await reader.open();
    const { schema } = reader;
    // A file that ends before its schema gives a reader without one.
    if (schema === undefined || !Array.isArray(schema.fields)) throw new Error("there is no schema");
    return {
      schema,
      close,
      async *[Symbol.asyncIterator]() {
        try {
          for await (const batch of reader) yield batch;
        } catch (cause) {
          throw failure(cause, name);
        }
      },
    };
  } catch (cause) {
    await close().catch(() => {});
    throw failure(cause, name);
  }
}
