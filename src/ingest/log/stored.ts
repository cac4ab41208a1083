/**
 * Blocks of a log, in its file and perhaps in memory, too.
 */
import { TableError } from "../../error.ts";
import type { IngestSchema } from "../schema.ts";
import type { BatchPlace, GrowingBlock } from "./block.ts";
import type { LogFile } from "./file.ts";
import { batchHeaderBytes, batchPlace, readBatchHeader, roundUp } from "./format.ts";

/** Bytes that are read at once when headers are walked in a file: of small batches, and of those that are further apart. */
const WINDOW_BYTES = 65_536, HEADER_WINDOW_BYTES = 1024;

/** What the blocks of a log have in common. */
export interface StoredLog {
  readonly id: number;
  readonly file: LogFile;
  readonly schema: IngestSchema;
  /** Groups begin at multiples of so many bytes. */
  readonly blockBytes: number;
}

/** Where the bytes of a block are; changes when memory is used again. */
export interface BlockPlace {
  readonly log: StoredLog;
  /** Bytes from the start of the log's file. */
  readonly offset: number;
  /** Null when they are only in the file. */
  memory: Uint8Array<ArrayBuffer> | null;
}

/** Batches behind each other at a place. */
export class StoredBlock implements GrowingBlock {
  readonly firstSequence: number;
  readonly rows: number;
  readonly bytes: number;
  readonly #place: BlockPlace;

  constructor(place: BlockPlace, firstSequence: number, rows: number, bytes: number) {
    this.#place = place;
    this.firstSequence = firstSequence;
    this.rows = rows;
    this.bytes = bytes;
  }

  get log(): number {
    return this.#place.log.id;
  }

  get memory(): Uint8Array<ArrayBuffer> | null {
    return this.#place.memory?.subarray(0, this.bytes) ?? null;
  }

  read(offset: number, target: Uint8Array): void {
    if (offset < 0 || offset + target.length > this.bytes) {
      throw new TableError(
        "OUT_OF_RANGE",
        `${target.length} bytes from ${offset} on asked for, the block has ${this.bytes}`,
        { file: this.#place.log.file.path, offset: this.#place.offset },
      );
    }
    const { memory, log, offset: start } = this.#place;
    if (memory !== null) target.set(memory.subarray(offset, offset + target.length));
    else log.file.read(start + offset, target);
  }

  batches(): readonly BatchPlace[] {
    const { log: { schema, file, blockBytes }, offset: start } = this.#place;
    const headerBytes = batchHeaderBytes(schema.columns.length), found: BatchPlace[] = [];
    let window: Uint8Array = this.memory ?? new Uint8Array(0), windowAt = 0, batchBytes = WINDOW_BYTES;
    for (let at = 0, next = this.firstSequence; at < this.bytes;) {
      if (at + headerBytes > windowAt + window.length) {
        const wanted = batchBytes < WINDOW_BYTES / 4 ? WINDOW_BYTES : HEADER_WINDOW_BYTES;
        const length = Math.min(this.bytes - at, Math.max(wanted, headerBytes));
        window = new Uint8Array(length);
        windowAt = at;
        this.read(at, window);
      }
      const bytes = window.subarray(at - windowAt), border = roundUp(start + at, blockBytes) - start;
      if (bytes[0] === 0 && border > at) {
        // What a group leaves of its last block.
        at = border;
        continue;
      }
      const head = readBatchHeader(bytes, schema);
      const wrong = typeof head === "string"
        ? head
        : head.firstSequence !== next || head.log !== this.log || at + head.bytes > this.bytes
        ? `rows from ${head.firstSequence} on in log ${head.log}, expected ${next} in ${this.log}`
        : null;
      if (typeof head === "string" || wrong !== null) {
        throw new TableError("CORRUPT", wrong!, { file: file.path, offset: start + at });
      }
      found.push(batchPlace(head, at));
      next += head.rows;
      at += head.bytes;
      batchBytes = head.bytes;
    }
    return found;
  }

  hold(): void {
    this.#place.log.file.hold();
  }

  release(): void {
    this.#place.log.file.release();
  }
}
