/**
 * Index buckets: format reference part 2, section 2.3. Their payloads, joined, are the index stream.
 *
 * | offset | type | content |
 * | --- | --- | --- |
 * | 0 | i32, big endian | next index bucket, -1: none |
 * | 4 | i32, big endian | the same again; this one counts |
 * | 8 | bytes | index stream |
 *
 * A stream that fits in half a bucket stands in one bucket, at byte 8 or in the second half, in turns: the previous
 * index survives until the header says that there is a new one. For the same reason freed index buckets keep their
 * second link word: the free list uses the first.
 */
import { type Plan, readBytes } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { INDEX_LINK_BYTES } from "./header.ts";

/** Where an index stream stands. */
export interface IndexPlace {
  indexBuckets: number;
  firstIndex: number;
  /** 0: in a chain of buckets. */
  indexOffset: number;
  indexLength: number;
}

/** An index stream that was read, and the buckets that it came from. */
export interface ReadIndex {
  readonly stream: Uint8Array;
  readonly buckets: readonly number[];
}

/** The number of the bucket behind an index bucket, from the link word that counts. */
function linkOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(4);
}

/** Reads the index stream. The place was checked against the file. @throws TableError CORRUPT for a broken chain */
export function* readIndexStream(file: BucketFile, place: IndexPlace): Plan<ReadIndex> {
  const { indexLength, indexOffset, firstIndex } = place;
  const stream = new Uint8Array(indexLength);
  if (indexOffset > 0) {
    stream.set(yield* readBytes(file.file, file.offsetOf(firstIndex) + indexOffset, indexLength));
    return { stream, buckets: [firstIndex] };
  }
  let bucket = firstIndex, previous = firstIndex;
  const seen = new Set<number>();
  for (let at = 0; at < indexLength;) {
    if (bucket < 0 || bucket >= file.buckets || seen.has(bucket)) {
      file.corrupt(`the index goes on in bucket ${bucket} after ${at} of ${indexLength} bytes`, previous, 4);
    }
    seen.add(bucket);
    const n = Math.min(file.bucketSize - INDEX_LINK_BYTES, indexLength - at);
    const bytes = yield* readBytes(file.file, file.offsetOf(bucket), INDEX_LINK_BYTES + n);
    stream.set(bytes.subarray(INDEX_LINK_BYTES), at);
    at += n;
    previous = bucket;
    bucket = linkOf(bytes);
  }
  return { stream, buckets: [...seen] };
}

/** An index stream as it was written, and where. */
export interface WrittenIndex extends ReadIndex {
  readonly place: IndexPlace;
}

/**
 * Writes the index stream where casacore would, and gives the buckets of the old one free. What is known of the old one
 * from `before` isn't read.
 */
export function* writeIndexStream(
  file: BucketFile,
  old: IndexPlace,
  stream: Uint8Array,
  before: WrittenIndex | null = null,
): Plan<WrittenIndex> {
  const capacity = file.bucketSize - INDEX_LINK_BYTES;
  const half = Math.floor(capacity / 2);
  if (old.indexOffset > 0 && stream.length <= half) {
    const indexOffset = old.indexOffset === INDEX_LINK_BYTES ? INDEX_LINK_BYTES + half : INDEX_LINK_BYTES;
    yield {
      kind: "write",
      file: file.file,
      offset: file.offsetOf(old.firstIndex) + indexOffset,
      bytes: stream,
    };
    return { place: { ...old, indexOffset, indexLength: stream.length }, stream, buckets: [old.firstIndex] };
  }
  const count = Math.ceil(stream.length / capacity), buckets: number[] = new Array(count);
  for (let k = count - 1; k >= 0; k--) buckets[k] = yield* file.take();
  yield* writeChain(file, buckets, stream, buckets.map((_, k) => buckets[k + 1] ?? -1));
  if (before?.place === old && old.indexOffset === 0) {
    const links: number[] = [];
    for (const bucket of before.buckets) links.push(yield* file.release(bucket));
    yield* writeChain(file, before.buckets, before.stream, links);
  } else yield* freeChain(file, old);
  const place = {
    indexBuckets: count,
    firstIndex: buckets[0] ?? -1,
    indexOffset: stream.length <= half ? INDEX_LINK_BYTES : 0,
    indexLength: stream.length,
  };
  return { place, stream, buckets };
}

/** Plan: writes a chain of index buckets, with `first` as their first link words; those side by side by one step. */
function* writeChain(
  file: BucketFile,
  buckets: readonly number[],
  stream: Uint8Array,
  first: readonly number[],
): Plan<void> {
  const { bucketSize } = file, capacity = bucketSize - INDEX_LINK_BYTES;
  const order = buckets.map((_, k) => k).sort((a, b) => buckets[a]! - buckets[b]!);
  for (let at = 0; at < order.length;) {
    const start = buckets[order[at]!]!;
    let count = 1;
    while (buckets[order[at + count]!] === start + count) count++;
    const bytes = new Uint8Array(count * bucketSize), view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i++) {
      const k = order[at + i]!;
      view.setInt32(i * bucketSize, first[k]!);
      view.setInt32(i * bucketSize + 4, buckets[k + 1] ?? -1);
      bytes.set(stream.subarray(k * capacity, (k + 1) * capacity), i * bucketSize + INDEX_LINK_BYTES);
    }
    yield { kind: "write", file: file.file, offset: file.offsetOf(start), bytes };
    at += count;
  }
}

function* freeChain(file: BucketFile, old: IndexPlace): Plan<void> {
  let bucket = old.firstIndex;
  for (let k = 0; k < old.indexBuckets && bucket >= 0 && bucket < file.buckets; k++) {
    const next = linkOf(yield* readBytes(file.file, file.offsetOf(bucket), INDEX_LINK_BYTES));
    yield* file.free(bucket);
    bucket = next;
  }
}
