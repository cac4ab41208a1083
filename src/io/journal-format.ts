/**
 * The journal of a commit, `table.journal` in the table's directory: what the bytes were that a commit overwrites, so
 * that a table whose writer died half-way can be put back. Described in docs/journal.md. Little endian.
 *
 * | header | |
 * | --- | --- |
 * | 8 bytes | `TESSJRNL` |
 * | u32 | version, 1 |
 * | u32 | length of the header with its checksum |
 * | u32 | a number of this journal's own, repeated in each record |
 * | u32, bytes | change counters before: length, and what stands in `table.lock` |
 * | u32, bytes | change counters while the commit runs |
 * | u32 | CRC-32 of all before |
 *
 * | record | |
 * | --- | --- |
 * | u32 | kind |
 * | u32 | the journal's number |
 * | u64 | length of the record with its checksum |
 * | u32, bytes | name of the file, UTF-8 |
 * | … | as the kind says |
 * | u32 | CRC-32 of all before |
 *
 * | kind | | what follows the name |
 * | --- | --- | --- |
 * | 1 | length | i64 length at the last commit, -1: there was no such file |
 * | 2 | old | u64 offset, u64 new length of the file, u32 n, n old bytes, u32 m, m × u32 CRC-32 of the new bytes |
 * | 3 | new | as `old` with n = 0: other new bytes for what an `old` record covers; m as for it |
 * | 4 | whole | i64 old length (-1: none), the old bytes, u64 new length, u32 CRC-32 of the new bytes |
 * | 5 | end | u32, bytes: the change counters when the commit is complete. The name is that of the file that has them |
 * | 6 | undone | as `end`: the change counters when the old bytes were put back |
 * | 7 | spare | u64 offset, u64 length of a range that was part of no value: zeros take its place |
 *
 * New bytes are told by one checksum for each piece of the range that lies in one sector of 512 bytes: what a disk
 * writes whole or not at all.
 */
import { crc32 } from "node:zlib";
import { TableError } from "../error.ts";

/** Name of the journal in a table's directory. */
export const JOURNAL_FILE = "table.journal";
/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** What a journal begins with. */
export const MAGIC = new TextEncoder().encode("TESSJRNL");
/** The version of what is written here, and can be read. */
export const VERSION = 1;
/** Bytes before what differs in length: of a header, of a record; and those of a checksum. */
export const HEADER_FIXED = 20, RECORD_FIXED = 16, CRC_BYTES = 4;
/** Numbers of the kinds of records. */
export const KINDS = { length: 1, old: 2, new: 3, whole: 4, end: 5, undone: 6, spare: 7 } as const;

/** What begins a journal. */
export interface JournalHead {
  /** Repeated in each record, so that none of an earlier journal in the same file is taken for one of this. */
  readonly id: number;
  /** The change counters as the last commit left them. */
  readonly before: Uint8Array;
  /** The change counters while the commit runs. */
  readonly begun: Uint8Array;
}

/** A file had this length at the last commit. */
export interface LengthRecord {
  readonly kind: "length";
  readonly file: string;
  /** -1: there was no such file. */
  readonly length: number;
}

/** Committed bytes that are overwritten. */
export interface OldRecord {
  readonly kind: "old";
  readonly file: string;
  readonly offset: number;
  /** Length of the file after the commit: what lies behind is cut off. */
  readonly newLength: number;
  /** Read from the journal each time it is asked for, where the record comes from one. */
  readonly old: Uint8Array;
  /** CRC-32 of the new bytes, sector by sector. */
  readonly checksums: Uint32Array;
}

/** What is written where old bytes were saved before. */
export interface NewRecord {
  readonly kind: "new";
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly newLength: number;
  readonly checksums: Uint32Array;
}

/** A file that is replaced by another of its name. */
export interface WholeRecord {
  readonly kind: "whole";
  readonly file: string;
  /** null: there was none. */
  readonly old: Uint8Array | null;
  readonly newLength: number;
  readonly checksum: number;
}

/** The commit is complete when the change counters are these. */
export interface EndRecord {
  readonly kind: "end";
  readonly file: string;
  readonly after: Uint8Array;
}

/** The old bytes were put back: nothing is left to be done when the change counters are these. */
export interface UndoneRecord {
  readonly kind: "undone";
  readonly file: string;
  readonly after: Uint8Array;
}

/** Bytes that are overwritten and were part of no value: when the commit is undone they are zeros. */
export interface SpareRecord {
  readonly kind: "spare";
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** An entry of a journal. */
export type JournalRecord =
  | LengthRecord
  | OldRecord
  | NewRecord
  | WholeRecord
  | EndRecord
  | UndoneRecord
  | SpareRecord;

/** Where a journal is read from, record by record: it may be as long as what was overwritten. */
export interface JournalSource {
  /** Bytes of the file. */
  readonly length: number;
  /** Bytes of a range that lies in the file. */
  read(offset: number, length: number): Uint8Array;
}

/** A journal as it was read. */
export interface JournalContent {
  readonly head: JournalHead;
  readonly records: readonly JournalRecord[];
  /** Bytes of the file, those of records that are not complete included. */
  readonly length: number;
  /** Where the last complete record ends. */
  readonly end: number;
}

/** Checksums of bytes that a file has from `offset`, for each piece that lies in one sector. */
export function sectorChecksums(bytes: Uint8Array, offset: number): Uint32Array<ArrayBuffer> {
  const sums = new Uint32Array(sectorsIn(offset, bytes.length));
  let from = 0;
  for (let i = 0; i < sums.length; i++) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - (offset + from) % SECTOR_BYTES);
    sums[i] = crc32(bytes.subarray(from, to));
    from = to;
  }
  return sums;
}

/** Number of sectors that a range touches. */
export function sectorsIn(offset: number, length: number): number {
  if (length === 0) return 0;
  return Math.floor((offset + length - 1) / SECTOR_BYTES) - Math.floor(offset / SECTOR_BYTES) + 1;
}

/** Bytes that a head takes. */
export function headLength({ before, begun }: JournalHead): number {
  return HEADER_FIXED + 4 + before.length + 4 + begun.length + CRC_BYTES;
}

/** Bytes of a record behind the name. */
export function bodyLength(record: JournalRecord): number {
  switch (record.kind) {
    case "length":
      return 8;
    case "old":
      return 8 + 8 + 4 + record.old.length + 4 + 4 * record.checksums.length;
    case "new":
      return 8 + 8 + 4 + 4 + 4 + 4 * record.checksums.length;
    case "whole":
      return 8 + (record.old?.length ?? 0) + 8 + 4;
    case "end":
    case "undone":
      return 4 + record.after.length;
    case "spare":
      return 8 + 8;
  }
}

/** Bytes that a record takes. */
export function recordLength(record: JournalRecord): number {
  return RECORD_FIXED + 4 + new TextEncoder().encode(record.file).length + bodyLength(record) + CRC_BYTES;
}

/** Takes numbers and bytes that lie behind each other. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  readonly #end: number;
  /** Where the bytes begin in the file. */
  readonly base: number;
  at = 0;

  /** Of a header or a record with its checksum, which is not read. */
  constructor(bytes: Uint8Array, base: number, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
    this.#end = bytes.length - CRC_BYTES;
    this.base = base;
  }
  fail(found: string): never {
    throw new TableError("CORRUPT", found, { file: this.#file, offset: this.base + this.at });
  }
  #take(length: number): number {
    const at = this.at;
    if (!(length >= 0 && at + length <= this.#end)) {
      this.fail(`expected ${length} bytes, the record ends after ${this.#end - at}`);
    }
    this.at += length;
    return at;
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  i64(): number {
    const value = Number(this.#view.getBigInt64(this.#take(8), true));
    if (!Number.isSafeInteger(value) || value < -1) this.fail(`${value} is no length`);
    return value;
  }
  offset(): number {
    const value = this.i64();
    return value < 0 ? this.fail(`${value} is no place in a file`) : value;
  }
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
  framed(): Uint8Array {
    return this.bytes(this.u32());
  }
  sums(offset: number, length: number): Uint32Array {
    const count = this.u32();
    if (count !== sectorsIn(offset, length)) {
      this.fail(`${count} checksums for ${length} bytes at ${offset}`);
    }
    const at = this.#take(4 * count);
    return Uint32Array.from({ length: count }, (_, i) => this.#view.getUint32(at + 4 * i, true));
  }
  finish(): void {
    if (this.at !== this.#end) this.fail(`expected the record to end, ${this.#end - this.at} bytes are left`);
  }
}

/**
 * Reads a journal. Records that were not written to their end are left out, with all that follows: nothing is
 * overwritten before its record is complete.
 *
 * @returns null for a journal of which not even the header is complete, as when there is none
 * @throws TableError UNSUPPORTED for another version; CORRUPT for records that are damaged though they were complete
 */
export function readJournal(source: JournalSource, file: string): JournalContent | null {
  if (source.length < HEADER_FIXED) return null;
  const fixed = source.read(0, HEADER_FIXED);
  if (!MAGIC.every((byte, i) => fixed[i] === byte)) return null;
  const headLength = viewOf(fixed).getUint32(12, true);
  if (headLength < HEADER_FIXED + 8 + CRC_BYTES || headLength > source.length) return null;
  const bytes = source.read(0, headLength);
  if (!isSound(bytes)) return null;
  const version = viewOf(bytes).getUint32(8, true);
  if (version !== VERSION) {
    throw new TableError("UNSUPPORTED", `a journal of version ${version}, expected ${VERSION}`, {
      file,
      offset: 8,
    });
  }
  const r = new Reader(bytes, 0, file);
  r.at = 16;
  const head: JournalHead = { id: r.u32(), before: r.framed(), begun: r.framed() };
  r.finish();
  const records: JournalRecord[] = [];
  let at = headLength;
  while (at + RECORD_FIXED + 4 + CRC_BYTES <= source.length) {
    const start = viewOf(source.read(at, RECORD_FIXED));
    if (start.getUint32(4, true) !== head.id) break;
    const length = Number(start.getBigUint64(8, true));
    if (length < RECORD_FIXED + 4 + CRC_BYTES || at + length > source.length) break;
    const record = source.read(at, length);
    if (!isSound(record)) break;
    records.push(readRecord(source, record, at, file));
    at += length;
  }
  return { head, records, length: source.length, end: at };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isSound(bytes: Uint8Array): boolean {
  const end = bytes.length - CRC_BYTES;
  return crc32(bytes.subarray(0, end)) === viewOf(bytes).getUint32(end, true);
}

function readRecord(source: JournalSource, bytes: Uint8Array, at: number, path: string): JournalRecord {
  const r = new Reader(bytes, at, path);
  const kind = r.u32();
  r.at = RECORD_FIXED;
  const file = new TextDecoder().decode(r.framed());
  const record = readBody(r, kind, file, source);
  r.finish();
  return record;
}

function readBody(r: Reader, kind: number, file: string, source: JournalSource): JournalRecord {
  switch (kind) {
    case KINDS.length:
      return { kind: "length", file, length: r.i64() };
    case KINDS.old: {
      const offset = r.offset(), newLength = r.offset(), { length } = r.framed();
      const at = r.base + r.at - length, checksums = r.sums(offset, length);
      return {
        kind: "old",
        file,
        offset,
        newLength,
        get old() {
          return source.read(at, length);
        },
        checksums,
      };
    }
    case KINDS.new: {
      const offset = r.offset(), newLength = r.offset();
      if (r.u32() !== 0) r.fail("expected no old bytes");
      const length = r.u32();
      return { kind: "new", file, offset, length, newLength, checksums: r.sums(offset, length) };
    }
    case KINDS.whole: {
      const length = r.i64(), old = length < 0 ? null : r.bytes(length), newLength = r.i64();
      return { kind: "whole", file, old, newLength, checksum: r.u32() };
    }
    case KINDS.end:
      return { kind: "end", file, after: r.framed() };
    case KINDS.undone:
      return { kind: "undone", file, after: r.framed() };
    case KINDS.spare:
      return { kind: "spare", file, offset: r.offset(), length: r.offset() };
    default:
      return r.fail(`record kind ${kind}, expected 1 to 7`);
  }
}
