/**
 * The bytes of a log, little-endian throughout (docs/ingest-log.md draws them).
 *
 * A log is a header block and groups of batches. A group is what one write brought: it begins on a block border, its
 * batches follow each other at multiples of 64 bytes, and zeros fill it up to the next border.
 *
 * | header block, byte | type | |
 * | --- | --- | --- |
 * | 0 | 8 bytes | "TESSLOG" and 1 |
 * | 8 | u32 | version: 1 |
 * | 12 | u32 | bytes of a block |
 * | 16 | u64 | number of the log |
 * | 24 | u64 | sequence number of its first row |
 * | 32 | f64 | when it was begun, seconds since 1970 |
 * | 40 | 16 bytes | id of the store |
 * | 56 | 32 bytes | SHA-256 of the schema |
 * | 88 | u32 | CRC-32C of bytes 0 to 87; then zeros to the end of the block |
 *
 * | batch, byte | type | |
 * | --- | --- | --- |
 * | 0 | u32 | "BTCH" |
 * | 4 | u32 | bytes of this header: a multiple of 64 |
 * | 8 | u64 | bytes of the batch: a multiple of 64 |
 * | 16 | u64 | number of the log |
 * | 24 | u64 | sequence number of its first row |
 * | 32 | u64 | bytes of the log that had been synced when the batch was made |
 * | 40 | u32 | rows, at least 1 |
 * | 44 | u32 | columns: those of the schema |
 * | 48 + 16 i | u64, u64 | column i: offset from the start of the batch, a multiple of 64; bytes |
 * | 48 + 16 n | u32 | CRC-32C of the bytes behind the header, to the end of the batch |
 * | 52 + 16 n | u32 | CRC-32C of the bytes of the header before this |
 */
import { crc32c } from "../../array/crc32c.ts";
import type { IngestColumn, IngestSchema } from "../schema.ts";
import type { BatchPlace, ColumnPlace } from "./block.ts";

/** "TESSLOG" and 1, the first bytes of a log. */
export const LOG_MAGIC: readonly number[] = [0x54, 0x45, 0x53, 0x53, 0x4c, 0x4f, 0x47, 1];
/** Version of the format. */
export const LOG_VERSION = 1;
/** Bytes of a block unless the disk has larger ones, and the largest that is read. */
export const LOG_BLOCK_BYTES = 4096, MAX_BLOCK_BYTES = 65_536;
/** Bytes of the header block that mean something. */
export const LOG_HEADER_BYTES = 92;
/** "BTCH" as a u32. */
export const BATCH_MAGIC = 0x48435442;
/** Bytes of a batch's header before the list of columns, of a column's entry, and of the two checksums. */
export const BATCH_HEAD_BYTES = 48, BATCH_COLUMN_BYTES = 16, BATCH_SUM_BYTES = 8;
/** Multiple of which batches, their headers and their columns begin. */
export const BATCH_ALIGNMENT = 64;
/** Most bytes of a batch: 1 GiB. */
export const MAX_BATCH_BYTES = 2 ** 30;
/** Most rows of a batch. */
export const MAX_BATCH_ROWS = 2 ** 32 - 1;

const STORE_ID_BYTES = 16, HASH_BYTES = 32;
const AT = { version: 8, block: 12, log: 16, first: 24, created: 32, store: 40, hash: 56, sum: 88 } as const;
const BATCH_AT = { header: 4, bytes: 8, log: 16, first: 24, durable: 32, rows: 40, columns: 44 } as const;
const TWO_32 = 2 ** 32;

/** `bytes` and as many as are missing to a multiple of `unit`. */
export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

/** Name of a log's file. */
export function logName(id: number): string {
  return `${String(id).padStart(6, "0")}.log`;
}

/** The number of the log that a file's name says; null for other files. */
export function logOfName(name: string): number | null {
  const found = /^(\d{6,15})\.log$/.exec(name);
  if (found === null) return null;
  const id = Number(found[1]);
  return logName(id) === name ? id : null;
}

/** Bytes of a batch's header for so many columns. */
export function batchHeaderBytes(columns: number): number {
  return roundUp(BATCH_HEAD_BYTES + columns * BATCH_COLUMN_BYTES + BATCH_SUM_BYTES, BATCH_ALIGNMENT);
}

function viewOn(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

/** Past 2^53 neighbouring numbers become one: whoever compares finds that it is out of range. */
function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}

/** What a log's header block says. */
export interface LogHeader {
  readonly blockBytes: number;
  readonly log: number;
  readonly firstSequence: number;
  /** Seconds since 1970. */
  readonly created: number;
  /** 32 hexadecimal digits. */
  readonly storeId: string;
  /** SHA-256 of the schema. */
  readonly hash: Uint8Array;
}

/** Writes a header block into `target`, which is as long as a block. */
export function writeLogHeader(target: Uint8Array, header: LogHeader): void {
  target.fill(0);
  const view = viewOn(target);
  target.set(LOG_MAGIC);
  view.setUint32(AT.version, LOG_VERSION, true);
  view.setUint32(AT.block, header.blockBytes, true);
  setU64(view, AT.log, header.log);
  setU64(view, AT.first, header.firstSequence);
  view.setFloat64(AT.created, header.created, true);
  for (let i = 0; i < STORE_ID_BYTES; i++) {
    target[AT.store + i] = parseInt(header.storeId.slice(2 * i, 2 * i + 2), 16);
  }
  target.set(header.hash, AT.hash);
  view.setUint32(AT.sum, crc32c(target.subarray(0, AT.sum)), true);
}

/** What the first bytes of a log say; a text says why they are no header. */
export function readLogHeader(bytes: Uint8Array): LogHeader | string {
  if (bytes.length < LOG_HEADER_BYTES) {
    return `expected a header of ${LOG_HEADER_BYTES} bytes, found ${bytes.length}`;
  }
  if (LOG_MAGIC.some((byte, i) => bytes[i] !== byte)) return `expected "TESSLOG" and 1, found other bytes`;
  const view = viewOn(bytes);
  const sum = view.getUint32(AT.sum, true), found = crc32c(bytes.subarray(0, AT.sum));
  if (sum !== found) return `the header's checksum is ${hex(sum)}, its bytes have ${hex(found)}`;
  const version = view.getUint32(AT.version, true), blockBytes = view.getUint32(AT.block, true);
  if (version !== LOG_VERSION) return `the log has version ${version}, expected ${LOG_VERSION}`;
  if (
    blockBytes < LOG_BLOCK_BYTES || blockBytes > MAX_BLOCK_BYTES || !Number.isInteger(Math.log2(blockBytes))
  ) {
    return `blocks of ${blockBytes} bytes, expected a power of 2 from ${LOG_BLOCK_BYTES} to ${MAX_BLOCK_BYTES}`;
  }
  const log = getU64(view, AT.log), firstSequence = getU64(view, AT.first);
  if (!Number.isSafeInteger(log) || !Number.isSafeInteger(firstSequence)) {
    return `log ${log} from row ${firstSequence} on: expected numbers up to 2^53`;
  }
  return {
    blockBytes,
    log,
    firstSequence,
    created: view.getFloat64(AT.created, true),
    storeId: Array.from(
      bytes.subarray(AT.store, AT.store + STORE_ID_BYTES),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join(""),
    hash: bytes.slice(AT.hash, AT.hash + HASH_BYTES),
  };
}

/** A number in hexadecimal digits. */
export function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** What a batch's header says beside where its columns are. */
export interface BatchHead {
  readonly log: number;
  readonly firstSequence: number;
  /** Bytes of the log that had been synced when the batch was made. */
  readonly durable: number;
  readonly rows: number;
  /** Header and values. */
  readonly bytes: number;
  readonly headerBytes: number;
  /** Offsets from the start of the batch. */
  readonly columns: readonly ColumnPlace[];
  /** CRC-32C of the bytes behind the header. */
  readonly payloadSum: number;
}

/** Writes the header of the batch that `batch` holds; its values are there already. */
export function writeBatchHeader(
  batch: Uint8Array,
  head: Pick<BatchHead, "log" | "firstSequence" | "durable" | "rows" | "columns">,
): void {
  const { columns } = head, headerBytes = batchHeaderBytes(columns.length), view = viewOn(batch);
  view.setUint32(0, BATCH_MAGIC, true);
  view.setUint32(BATCH_AT.header, headerBytes, true);
  setU64(view, BATCH_AT.bytes, batch.length);
  setU64(view, BATCH_AT.log, head.log);
  setU64(view, BATCH_AT.first, head.firstSequence);
  setU64(view, BATCH_AT.durable, head.durable);
  view.setUint32(BATCH_AT.rows, head.rows, true);
  view.setUint32(BATCH_AT.columns, columns.length, true);
  let at = BATCH_HEAD_BYTES;
  for (const { offset, bytes } of columns) {
    setU64(view, at, offset);
    setU64(view, at + 8, bytes);
    at += BATCH_COLUMN_BYTES;
  }
  view.setUint32(at, crc32c(batch.subarray(headerBytes)), true);
  view.setUint32(at + 4, crc32c(batch.subarray(0, at + 4)), true);
  batch.fill(0, at + BATCH_SUM_BYTES, headerBytes);
}

/** Fewest bytes that values of a column can take. */
function fewestBytes({ encoding, elements, cellBytes }: IngestColumn, rows: number): number {
  if (encoding === "fixed") return rows * cellBytes;
  return encoding === "strings" ? 4 * (rows * elements + 1) : 4 * rows;
}

/**
 * The header that begins with `bytes`; a text says why that is none. Everything is checked against the schema and against
 * each other, so that nothing that it says leads outside the batch.
 */
export function readBatchHeader(bytes: Uint8Array, schema: IngestSchema): BatchHead | string {
  const { columns } = schema, headerBytes = batchHeaderBytes(columns.length);
  if (bytes.length < headerBytes) return `a header has ${headerBytes} bytes, found ${bytes.length}`;
  const view = viewOn(bytes), magic = view.getUint32(0, true);
  if (magic !== BATCH_MAGIC) return `expected "BTCH", found ${hex(magic)}`;
  const sumAt = BATCH_HEAD_BYTES + columns.length * BATCH_COLUMN_BYTES;
  const length = view.getUint32(BATCH_AT.header, true), count = view.getUint32(BATCH_AT.columns, true);
  if (length !== headerBytes || count !== columns.length) {
    return `a header of ${length} bytes for ${count} columns, expected ${headerBytes} for ${columns.length}`;
  }
  const sum = view.getUint32(sumAt + 4, true), found = crc32c(bytes.subarray(0, sumAt + 4));
  if (sum !== found) return `the header's checksum is ${hex(sum)}, its bytes have ${hex(found)}`;
  const total = getU64(view, BATCH_AT.bytes), rows = view.getUint32(BATCH_AT.rows, true);
  const log = getU64(view, BATCH_AT.log), firstSequence = getU64(view, BATCH_AT.first);
  const durable = getU64(view, BATCH_AT.durable);
  if (total % BATCH_ALIGNMENT !== 0 || total < headerBytes || total > MAX_BATCH_BYTES) {
    return `a batch of ${total} bytes, expected a multiple of ${BATCH_ALIGNMENT} up to ${MAX_BATCH_BYTES}`;
  }
  if (rows === 0 || !Number.isSafeInteger(firstSequence + rows) || !Number.isSafeInteger(durable)) {
    return `${rows} rows from row ${firstSequence} on`;
  }
  const places: ColumnPlace[] = [];
  let end = headerBytes;
  for (let i = 0; i < count; i++) {
    const at = BATCH_HEAD_BYTES + i * BATCH_COLUMN_BYTES;
    const offset = getU64(view, at), size = getU64(view, at + 8), column = columns[i]!;
    const fewest = fewestBytes(column, rows);
    if (
      offset !== end || offset + size > total || size < fewest ||
      (column.encoding === "fixed" && size !== fewest)
    ) {
      return `column ${column.name} has ${size} bytes at ${offset} for ${rows} rows, expected ${fewest}${
        column.encoding === "fixed" ? "" : " or more"
      } at ${end} of ${total}`;
    }
    places.push({ offset, bytes: size });
    end = roundUp(offset + size, BATCH_ALIGNMENT);
  }
  if (end !== total) return `the columns end at ${end}, the batch at ${total}`;
  return {
    log,
    firstSequence,
    durable,
    rows,
    bytes: total,
    headerBytes,
    columns: places,
    payloadSum: view.getUint32(sumAt, true),
  };
}

/** The place of a batch that begins `offset` bytes into a block. */
export function batchPlace(head: BatchHead, offset: number): BatchPlace {
  return {
    firstSequence: head.firstSequence,
    rows: head.rows,
    offset,
    bytes: head.bytes,
    columns: head.columns.map((column) => ({ offset: offset + column.offset, bytes: column.bytes })),
  };
}
