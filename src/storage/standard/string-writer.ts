/**
 * Writing items to string buckets: format reference part 2, section 4.3, bucket by bucket as casacore does it.
 *
 * A writer lives as long as one request. It keeps the buckets it touches and writes them when it has many, and at the
 * end.
 */
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { STRING_HEADER_BYTES } from "./header.ts";
import { MIN_REST_BYTES, StringBucket } from "./string-bucket.ts";
import type { ItemPlace } from "./string-references.ts";

/** Bytes of buckets that are kept before they are written. */
const KEPT_BYTES = 1 << 20;

/** Lengths are i32. */
const MAX_ITEM_BYTES = 2 ** 31 - 1;

/** Where new items go; it outlives writers. */
export interface StringTail {
  /** Bucket of the last item, -1: none. */
  lastStringBucket: number;
}

/** Puts, replaces and removes items. */
export class StringWriter {
  readonly #file: BucketFile;
  readonly #tail: StringTail;
  readonly #kept = new Map<number, StringBucket>();

  constructor(file: BucketFile, tail: StringTail) {
    this.#file = file;
    this.#tail = tail;
  }

  /** Stores `value` in place of the item at `old` (null: there was none) and returns where it is; null for no bytes. */
  *put(old: ItemPlace | null, value: Uint8Array): Plan<ItemPlace | null> {
    if (value.length > MAX_ITEM_BYTES) {
      throw new TableError(
        "LIMIT",
        `a string takes ${value.length} bytes, expected at most ${MAX_ITEM_BYTES}`,
        {
          file: this.#file.path,
        },
      );
    }
    if (old !== null && value.length > 0 && value.length <= old.length) {
      yield* this.#overwrite(old, value);
      return { ...old, length: value.length };
    }
    if (old !== null) yield* this.remove(old);
    return value.length === 0 ? null : yield* this.#append(value);
  }

  /** As `put`, where that needs nothing but a bucket that is in memory; undefined where it needs more. */
  putAtOnce(old: ItemPlace | null, value: Uint8Array): ItemPlace | undefined {
    if (value.length === 0) return undefined;
    const bucket = this.#kept.get(old === null ? this.#tail.lastStringBucket : old.bucket);
    if (bucket === undefined) return undefined;
    const { capacity } = bucket;
    if (old !== null) {
      if (value.length !== old.length || old.offset < 0 || old.offset + old.length > capacity) {
        return undefined;
      }
      bucket.data(old.offset, old.offset + value.length).set(value);
      bucket.dirty = true;
      return old;
    }
    const offset = bucket.used;
    if (value.length > capacity - offset) return undefined;
    bucket.append(value);
    return { bucket: bucket.number, offset, length: value.length };
  }

  /** Gives the bytes of an item back. @throws TableError CORRUPT for an item that isn't there */
  *remove(item: ItemPlace): Plan<void> {
    let { bucket: number, offset, length } = item;
    const most = this.#file.buckets * (this.#file.bucketSize - STRING_HEADER_BYTES);
    if (length > most) {
      throw new TableError("CORRUPT", `a string of ${length} bytes stands in buckets that hold ${most}`, {
        file: this.#file.path,
      });
    }
    while (length > 0) {
      const bucket = yield* this.#load(number, offset);
      const n = Math.min(length, bucket.capacity - offset);
      if (bucket.deleted + n > bucket.capacity) {
        this.#file.corrupt(`${n} bytes of a string bucket are freed twice`, number, 8);
      }
      bucket.deleted += n;
      if (offset + n === bucket.used) bucket.used = offset;
      length -= n;
      const { next } = bucket;
      if (length > 0) bucket.next = -1;
      if (bucket.deleted === bucket.capacity) yield* this.#free(number);
      if (length > 0 && next < 0) this.#file.corrupt(`a string ends ${length} bytes early`, number, 12);
      number = next;
      offset = 0;
    }
  }

  /** Writes what was changed. */
  *finish(): Plan<void> {
    const dirty = [...this.#kept.values()].filter((bucket) => bucket.dirty).sort((a, b) =>
      a.number - b.number
    );
    const { bucketSize, file } = this.#file;
    for (let i = 0; i < dirty.length;) {
      let n = 1;
      while (i + n < dirty.length && dirty[i + n]!.number === dirty[i]!.number + n) n++;
      const bytes = n === 1 ? dirty[i]!.bytes : new Uint8Array(n * bucketSize);
      for (let k = 0; k < n; k++) {
        if (n > 1) bytes.set(dirty[i + k]!.bytes, k * bucketSize);
        dirty[i + k]!.dirty = false;
      }
      yield { kind: "write", file, offset: this.#file.offsetOf(dirty[i]!.number), bytes };
      i += n;
    }
    this.#kept.clear();
  }

  *#append(value: Uint8Array): Plan<ItemPlace> {
    const last = this.#tail.lastStringBucket;
    let bucket = last < 0 ? yield* this.#begin() : yield* this.#load(last, 0);
    let rest = bucket.capacity - bucket.used;
    if (value.length > rest && rest < MIN_REST_BYTES) {
      bucket = yield* this.#begin();
      rest = bucket.capacity;
    }
    const place = { bucket: bucket.number, offset: bucket.used, length: value.length };
    for (let done = 0;;) {
      const n = Math.min(value.length - done, bucket.capacity - bucket.used);
      bucket.append(value.subarray(done, done + n));
      done += n;
      if (done === value.length) return place;
      bucket = yield* this.#begin(bucket);
    }
  }

  *#overwrite(old: ItemPlace, value: Uint8Array): Plan<void> {
    let { bucket: number, offset } = old;
    for (let done = 0;;) {
      const bucket = yield* this.#load(number, offset);
      const n = Math.min(value.length - done, bucket.capacity - offset);
      bucket.data(offset, offset + n).set(value.subarray(done, done + n));
      bucket.dirty = true;
      done += n;
      offset += n;
      if (done === value.length) break;
      if (bucket.next < 0) this.#file.corrupt(`a string of ${old.length} bytes ends early`, number, 12);
      number = bucket.next;
      offset = 0;
    }
    const tail = old.length - value.length;
    if (tail > 0) yield* this.remove({ bucket: number, offset, length: tail });
  }

  /** A bucket by number; `offset` is where something is expected in it. */
  *#load(number: number, offset: number): Plan<StringBucket> {
    const file = this.#file;
    const capacity = file.bucketSize - STRING_HEADER_BYTES;
    if (number < 0 || number >= file.buckets || offset < 0 || offset > capacity) {
      throw new TableError(
        "CORRUPT",
        `a string is said to stand at byte ${offset} of bucket ${number}, there are ${file.buckets} buckets of ` +
          `${capacity} bytes for strings`,
        { file: file.path },
      );
    }
    const known = this.#kept.get(number);
    if (known !== undefined) return known;
    const bytes = (yield* readBytes(file.file, file.offsetOf(number), file.bucketSize)).slice();
    return yield* this.#keep(StringBucket.loaded(number, bytes, file));
  }

  /** Takes a new bucket for items; the last one of `from` goes on in it. */
  *#begin(from?: StringBucket): Plan<StringBucket> {
    const number = yield* this.#file.take();
    if (from !== undefined) from.next = number;
    this.#tail.lastStringBucket = number;
    return yield* this.#keep(StringBucket.empty(number, this.#file.bucketSize));
  }

  *#keep(bucket: StringBucket): Plan<StringBucket> {
    if (this.#kept.size * this.#file.bucketSize >= KEPT_BYTES) yield* this.finish();
    this.#kept.set(bucket.number, bucket);
    return bucket;
  }

  *#free(number: number): Plan<void> {
    this.#kept.delete(number);
    if (this.#tail.lastStringBucket === number) this.#tail.lastStringBucket = -1;
    yield* this.#file.free(number);
  }
}
