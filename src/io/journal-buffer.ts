/**
 * Writing journals (format: `journal-format.ts`): a head and records behind each other.
 */
import { crc32 } from "node:zlib";
import {
  bodyLength,
  CRC_BYTES,
  headLength,
  type JournalHead,
  type JournalRecord,
  KINDS,
  MAGIC,
  RECORD_FIXED,
  VERSION,
} from "./journal-format.ts";

/** Bytes that a buffer begins with, and that it goes back to after longer ones. */
const BUFFER_BYTES = 16 * 1024;
const TWO_32 = 2 ** 32;

/** A journal's head and records behind each other, in memory that is used again. */
export class JournalBuffer {
  #bytes = new Uint8Array(BUFFER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  readonly #names = new Map<string, Uint8Array>();

  /** Bytes in it. */
  get length(): number {
    return this.#at;
  }

  /** What is in it, until it is changed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Empties it. */
  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > BUFFER_BYTES) this.#take(BUFFER_BYTES);
  }

  #take(length: number): void {
    const before = this.#bytes;
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
    this.#bytes.set(before.subarray(0, this.#at));
  }

  /** Puts a head behind what is there. */
  head(head: JournalHead): void {
    const { id, before, begun } = head, length = headLength(head), start = this.#begin(length);
    this.#put(MAGIC);
    this.#u32(VERSION);
    this.#u32(length);
    this.#u32(id);
    this.#framed(before);
    this.#framed(begun);
    this.#finish(start);
  }

  /** Puts a record of the journal of that number behind what is there. */
  record(id: number, record: JournalRecord): void {
    const name = this.#name(record.file);
    const length = RECORD_FIXED + 4 + name.length + bodyLength(record) + CRC_BYTES;
    const start = this.#begin(length);
    this.#u32(KINDS[record.kind]);
    this.#u32(id);
    this.#i64(length);
    this.#framed(name);
    switch (record.kind) {
      case "length":
        this.#i64(record.length);
        break;
      case "old": {
        const { old, checksums } = record;
        this.#i64(record.offset);
        this.#i64(record.newLength);
        this.#framed(old);
        this.#sums(checksums);
        break;
      }
      case "new":
        this.#i64(record.offset);
        this.#i64(record.newLength);
        this.#u32(0);
        this.#u32(record.length);
        this.#sums(record.checksums);
        break;
      case "whole":
        this.#i64(record.old?.length ?? -1);
        if (record.old !== null) this.#put(record.old);
        this.#i64(record.newLength);
        this.#u32(record.checksum);
        break;
      case "end":
      case "undone":
        this.#framed(record.after);
        break;
      case "spare":
        this.#i64(record.offset);
        this.#i64(record.length);
    }
    this.#finish(start);
  }

  #name(file: string): Uint8Array {
    let name = this.#names.get(file);
    if (name === undefined) this.#names.set(file, name = new TextEncoder().encode(file));
    return name;
  }

  /** Makes room for `length` bytes, and says where they begin. */
  #begin(length: number): number {
    const end = this.#at + length;
    if (end > this.#bytes.length) this.#take(Math.max(end, 2 * this.#bytes.length));
    return this.#at;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }
  #i64(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#view.setInt32(this.#at + 4, Math.floor(value / TWO_32), true);
    this.#at += 8;
  }
  #put(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
  #framed(bytes: Uint8Array): void {
    this.#u32(bytes.length);
    this.#put(bytes);
  }
  #sums(sums: Uint32Array): void {
    this.#u32(sums.length);
    for (let i = 0; i < sums.length; i++) this.#u32(sums[i]!);
  }
  #finish(start: number): void {
    this.#u32(crc32(this.#bytes.subarray(start, this.#at)));
  }
}

/** The header's bytes. */
export function writeHead(head: JournalHead): Uint8Array<ArrayBuffer> {
  const buffer = new JournalBuffer();
  buffer.head(head);
  return buffer.bytes.slice();
}

/** A record's bytes, in the journal of that number. */
export function writeRecord(id: number, record: JournalRecord): Uint8Array<ArrayBuffer> {
  const buffer = new JournalBuffer();
  buffer.record(id, record);
  return buffer.bytes.slice();
}
