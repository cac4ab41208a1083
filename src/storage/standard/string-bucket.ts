/**
 * A string bucket: format reference part 2, section 4. Its header is big endian in every table.
 *
 * | offset | type | content |
 * | --- | --- | --- |
 * | 0 | i32 | 0 while in use |
 * | 4 | i32 | usedLength: end of the used part of the data area |
 * | 8 | i32 | nDeleted: bytes of the data area that hold nothing alive |
 * | 12 | i32 | nextBucket: where the last item goes on, -1: it doesn't |
 * | 16 | bytes | data area |
 */
import type { BucketFile } from "./bucket-file.ts";
import { STRING_HEADER_BYTES } from "./header.ts";

/** Items are placed in a bucket of their own rather than cut when less than this is left in the last one. */
export const MIN_REST_BYTES = 50;

/**
 * How many bytes of a bucket hold nothing alive, when its header says `deleted`; null where it can't be so many.
 *
 * casacore sometimes forgets to write the header of an empty bucket, when the shape of an array of strings is put: it
 * then goes on from a header of zeros, and all that it counts in this bucket is too low by the bytes that it has.
 */
export function trueDeleted(used: number, deleted: number, capacity: number): number | null {
  const least = capacity - used;
  for (const count of [deleted, deleted + capacity]) if (count >= least && count <= capacity) return count;
  return null;
}

/** A string bucket in memory. */
export class StringBucket {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** True when the file doesn't have these bytes. */
  dirty = false;

  constructor(number: number, bytes: Uint8Array) {
    this.number = number;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A new bucket with nothing in it. */
  static empty(number: number, bucketSize: number): StringBucket {
    const bucket = new StringBucket(number, new Uint8Array(bucketSize));
    bucket.deleted = bucket.capacity;
    bucket.next = -1;
    return bucket;
  }

  /** A bucket of the file, to be changed: what its header counts is put right. @throws TableError CORRUPT */
  static loaded(number: number, bytes: Uint8Array, file: BucketFile): StringBucket {
    const bucket = StringBucket.checked(number, bytes, file);
    const deleted = trueDeleted(bucket.used, bucket.deleted, bucket.capacity)!;
    if (deleted !== bucket.deleted) bucket.deleted = deleted;
    return bucket;
  }

  /** A bucket of the file. @throws TableError CORRUPT if its header can't be */
  static checked(number: number, bytes: Uint8Array, file: BucketFile): StringBucket {
    const bucket = new StringBucket(number, bytes);
    const { capacity, used, deleted, next } = bucket;
    if (used < 0 || used > capacity || trueDeleted(used, deleted, capacity) === null) {
      file.corrupt(`a string bucket uses ${used} bytes and lost ${deleted}, it has ${capacity}`, number, 4);
    }
    if (next < -1 || next >= file.buckets) {
      file.corrupt(`a string goes on in bucket ${next}, there are ${file.buckets}`, number, 12);
    }
    return bucket;
  }

  /** Bytes of the data area. */
  get capacity(): number {
    return this.bytes.length - STRING_HEADER_BYTES;
  }

  /** Puts bytes behind the used part, where there is room for them. */
  append(value: Uint8Array): void {
    const { used, deleted } = this;
    this.bytes.set(value, STRING_HEADER_BYTES + used);
    this.used = used + value.length;
    this.deleted = deleted - value.length;
  }

  /** Part of the data area. */
  data(from: number, to: number): Uint8Array {
    return this.bytes.subarray(STRING_HEADER_BYTES + from, STRING_HEADER_BYTES + to);
  }

  get used(): number {
    return this.#view.getInt32(4);
  }
  set used(value: number) {
    this.#set(4, value);
  }
  get deleted(): number {
    return this.#view.getInt32(8);
  }
  set deleted(value: number) {
    this.#set(8, value);
  }
  get next(): number {
    return this.#view.getInt32(12);
  }
  set next(value: number) {
    this.#set(12, value);
  }

  #set(offset: number, value: number): void {
    this.#view.setInt32(offset, value);
    this.dirty = true;
  }
}
