/**
 * Reading a log from its start to the last batch that is whole. Another process may be writing it: what is there can be
 * read on later, from where it ended.
 */
import { crc32c } from "../../array/crc32c.ts";
import { TableError } from "../../error.ts";
import type { IngestSchema } from "../schema.ts";
import type { GrowingBlock } from "./block.ts";
import type { LogFile } from "./file.ts";
import {
  type BatchHead,
  batchHeaderBytes,
  hex,
  LOG_HEADER_BYTES,
  type LogHeader,
  readBatchHeader,
  readLogHeader,
  roundUp,
} from "./format.ts";
import { BlockIndex } from "./index.ts";
import { StoredBlock, type StoredLog } from "./stored.ts";

/** Bytes that are read at once. */
const WINDOW_BYTES = 2 ** 20;
/** Groups that follow each other become one block up to this size: the index then stays small beside the log. */
const BLOCK_BYTES = 2 ** 20;

/** Why a log ends where it ends. */
export interface LogEnd {
  /** Bytes of the log up to the end of its last batch. */
  readonly offset: number;
  /** Why no batch follows; "" where the file ends or goes on with zeros. */
  readonly reason: string;
}

/** What is looked for in a log. */
export interface LogIdentity {
  readonly id: number;
  readonly storeId: string;
  readonly schema: IngestSchema;
}

/**
 * The header block of a log. A text says why it is none, which a crash may leave.
 *
 * @throws TableError CORRUPT when it is that of another log, store or schema; NOT_FOUND, IO
 */
export function logHeaderOf(file: LogFile, { id, storeId, schema }: LogIdentity): LogHeader | string {
  const bytes = new Uint8Array(LOG_HEADER_BYTES), got = file.open().read(bytes, 0);
  const header = readLogHeader(bytes.subarray(0, got));
  if (typeof header === "string") return header;
  const wrong = header.log !== id
    ? `log ${header.log} in the file of log ${id}`
    : header.storeId !== storeId
    ? `a log of store ${header.storeId}, expected ${storeId}`
    : header.hash.some((byte, i) => byte !== schema.hash[i])
    ? "the log has another schema than the store"
    : null;
  if (wrong !== null) throw new TableError("CORRUPT", wrong, { file: file.path, offset: 0 });
  return header;
}

/** One log's file, and how far it was read. */
export class LogReader implements StoredLog {
  readonly id: number;
  readonly file: LogFile;
  readonly schema: IngestSchema;
  readonly header: LogHeader;
  readonly #headerBytes: number;
  /** Only grows: who looks at its first blocks goes on seeing them. */
  readonly #blocks: GrowingBlock[] = [];
  /** Where the block that is being collected begins, and its first row. */
  #blockAt = 0;
  #blockFirst: number;
  #blockEnd = 0;
  #at: number;
  #next: number;
  #reason = "";
  #window: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #windowAt = 0;

  constructor(identity: LogIdentity, file: LogFile, header: LogHeader) {
    this.id = identity.id;
    this.schema = identity.schema;
    this.file = file;
    this.header = header;
    this.#headerBytes = batchHeaderBytes(identity.schema.columns.length);
    this.#at = header.blockBytes;
    this.#next = this.#blockFirst = header.firstSequence;
  }

  /** Sequence number behind the last row. */
  get endSequence(): number {
    return this.#next;
  }

  /** Where the last batch ends, and why none follows. */
  get end(): LogEnd {
    return { offset: this.#at, reason: this.#reason };
  }

  get blockBytes(): number {
    return this.header.blockBytes;
  }

  /** The blocks as they are now. */
  index(): BlockIndex {
    return new BlockIndex(
      this.id,
      this.file.path,
      this.header.firstSequence,
      this.#blocks,
      null,
      this.#blocks.length,
    );
  }

  /**
   * Reads on from where the log ended: batches up to the first that isn't whole, or to row `limit`, where a newer log goes on.
   * True when there were any.
   *
   * @throws TableError IO, NOT_FOUND, CLOSED
   */
  extend(limit = Infinity): boolean {
    const size = this.file.size(), before = this.#next;
    // Bytes that were read when they were no batch yet may be one now.
    this.#window = this.#window.subarray(0, 0);
    this.#reason = "";
    while (this.#next < limit) {
      const head = this.#batchAt(this.#at, size);
      if (typeof head !== "string") {
        if (head.firstSequence + head.rows > limit) {
          this.#reason = `rows up to ${
            head.firstSequence + head.rows
          }, the next log begins with row ${limit}`;
          break;
        }
        this.#take(head);
        continue;
      }
      const border = roundUp(this.#at, this.header.blockBytes);
      if (border !== this.#at && this.#isZero(this.#at, Math.min(border, size))) {
        // What a group leaves of its last block; perhaps another follows.
        const next = this.#batchAt(border, size);
        if (typeof next !== "string") {
          this.#at = border;
          continue;
        }
        this.#reason = this.#isZero(border, Math.min(border + this.#headerBytes, size)) ? "" : next;
      } else this.#reason = this.#isZero(this.#at, Math.min(this.#at + this.#headerBytes, size)) ? "" : head;
      break;
    }
    this.#finishBlock();
    return this.#next > before;
  }

  /** The header of a whole batch that continues the log at `at`; a text says what is there instead. */
  #batchAt(at: number, size: number): BatchHead | string {
    const head = this.#headAt(at, size);
    if (typeof head === "string") return head;
    if (head.firstSequence !== this.#next) {
      return `rows from ${head.firstSequence} on, expected those from ${this.#next} on`;
    }
    const end = at + head.bytes;
    let sum = 0;
    for (let from = at + head.headerBytes; from < end;) {
      const part = this.#some(from, end - from);
      if (part.length === 0) return `a batch of ${head.bytes} bytes, the file ends before`;
      sum = crc32c(part, sum);
      from += part.length;
    }
    if (sum === head.payloadSum) return head;
    return `the batch's checksum is ${hex(head.payloadSum)}, its values have ${hex(sum)}`;
  }

  /** A batch's header that belongs to this log and lies within the file; its values weren't looked at. */
  #headAt(at: number, size: number): BatchHead | string {
    if (at + this.#headerBytes > size) return "the file ends";
    const head = readBatchHeader(this.#bytes(at, this.#headerBytes), this.schema);
    if (typeof head === "string") return head;
    if (head.log !== this.id) return `a batch of log ${head.log}`;
    return at + head.bytes > size ? `a batch of ${head.bytes} bytes, the file ends before` : head;
  }

  #take(head: BatchHead): void {
    const at = this.#at, begins = at % this.header.blockBytes === 0;
    if (begins && at + head.bytes - this.#blockAt > BLOCK_BYTES) this.#finishBlock();
    if (this.#next === this.#blockFirst) this.#blockAt = at;
    this.#next += head.rows;
    this.#at = at + head.bytes;
    this.#blockEnd = this.#at;
  }

  /** Lists the block that was collected, if there is any. */
  #finishBlock(): void {
    const rows = this.#next - this.#blockFirst;
    if (rows === 0) return;
    const place = { log: this, offset: this.#blockAt, memory: null };
    this.#blocks.push(new StoredBlock(place, this.#blockFirst, rows, this.#blockEnd - this.#blockAt));
    this.#blockFirst = this.#next;
  }

  /**
   * Looks behind the end for a batch that was made when all bytes up to somewhere behind the end had been synced: then what
   * is there at the end was lost later. Gives that batch's offset, or null when there is none: then nothing behind the end
   * was ever acknowledged as durable, as far as can be told.
   */
  durableBehind(): number | null {
    const size = this.file.size(), border = roundUp(this.#at, this.header.blockBytes);
    this.#window = this.#window.subarray(0, 0);
    const rest = !this.#isZero(this.#at, Math.min(border, size));
    for (let at = this.#at; at + this.#headerBytes <= size; at += 64) {
      const bytes = this.#bytes(at, this.#headerBytes);
      if (bytes.length < this.#headerBytes) break;
      // Most of what follows is zeros: no header needs to be looked at there.
      if (bytes[0] !== 0x42 || bytes[1] !== 0x54) continue;
      const head = readBatchHeader(bytes, this.schema);
      if (typeof head === "string" || head.log !== this.id || head.durable > at) continue;
      // The rest of the last block is zeros where nothing was lost.
      const lost = head.durable > border ||
        (head.durable === border && (rest || head.firstSequence > this.#next));
      if (lost) return at;
    }
    return null;
  }

  /** True when the bytes of a range are zeros, as far as there are any. */
  #isZero(from: number, to: number): boolean {
    for (let at = from; at < to;) {
      const part = this.#some(at, to - at);
      if (part.length === 0) return true;
      if (part.some((byte) => byte !== 0)) return false;
      at += part.length;
    }
    return true;
  }

  /** Bytes from the window, which is moved to begin with them where it doesn't hold them; fewer at the end of the file. */
  #bytes(at: number, length: number): Uint8Array {
    const from = at - this.#windowAt;
    if (from < 0 || from + length > this.#window.length) {
      if (this.#window.buffer.byteLength < WINDOW_BYTES) this.#window = new Uint8Array(WINDOW_BYTES);
      const whole = new Uint8Array(this.#window.buffer, 0, WINDOW_BYTES);
      this.#window = whole.subarray(0, this.file.open().read(whole, at));
      this.#windowAt = at;
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(from, from + length);
  }

  /** Bytes that begin at `at`, `most` or fewer; none at the end of the file only. */
  #some(at: number, most: number): Uint8Array {
    const left = this.#windowAt + this.#window.length - at;
    return this.#bytes(at, Math.min(most, at >= this.#windowAt && left > 0 ? left : WINDOW_BYTES));
  }

  /** Lets go of the memory that reading needs. */
  rest(): void {
    this.#window = new Uint8Array(0);
  }
}
