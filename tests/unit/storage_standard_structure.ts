/**
 * Looks through the bytes of a StandardStMan file, with code of its own, and says what is inconsistent: every bucket has
 * exactly one use, every byte of string buckets is counted right, the file has the length that its header says.
 */
import assert from "node:assert/strict";
import type { BoundColumn } from "../../src/storage/manager.ts";

/** What the header says, read at fixed places (format reference part 2, section 2.1). */
export function headerOf(bytes: Uint8Array, bigEndian: boolean) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 4 + 4 + 4 + 13 + 4 + (bigEndian ? 0 : 1);
  const next = () => {
    at += 4;
    return view.getInt32(at - 4, !bigEndian);
  };
  const [
    bucketSize,
    buckets,
    ,
    freeBuckets,
    firstFree,
    indexBuckets,
    firstIndex,
    indexOffset,
    lastString,
    indexLength,
  ] = Array.from({ length: 11 }, next) as number[];
  return {
    bucketSize: bucketSize!,
    buckets: buckets!,
    freeBuckets: freeBuckets!,
    firstFree: firstFree!,
    indexBuckets: indexBuckets!,
    firstIndex: firstIndex!,
    indexOffset: indexOffset!,
    lastString: lastString!,
    indexLength: indexLength!,
  };
}

/** Checks a file whose columns all lie in one index. `offsets`: where the columns' areas begin in a bucket. */
export function checkStructure(
  bytes: Uint8Array,
  columns: readonly BoundColumn[],
  offsets: readonly number[],
  rows: number,
  bigEndian: boolean,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = headerOf(bytes, bigEndian);
  const { bucketSize, buckets } = header;
  assert.equal(bytes.length, 512 + buckets * bucketSize, "length of the file");
  const start = (bucket: number) => 512 + bucket * bucketSize;
  const use = new Map<number, string>();
  const claim = (bucket: number, what: string) => {
    assert.ok(bucket >= 0 && bucket < buckets, `${what} bucket ${bucket} of ${buckets}`);
    assert.equal(use.get(bucket), undefined, `bucket ${bucket} is ${use.get(bucket)} and ${what}`);
    use.set(bucket, what);
  };

  let free = header.firstFree;
  for (let n = 0; n < header.freeBuckets; n++) {
    claim(free, "free");
    free = view.getInt32(start(free));
  }
  assert.equal(free, -1, "the free list ends");

  const stream: number[] = [];
  let bucket = header.firstIndex;
  for (let n = 0; n < header.indexBuckets; n++) {
    claim(bucket, "index");
    const from = start(bucket) + (header.indexOffset || 8);
    stream.push(
      ...bytes.subarray(
        from,
        Math.min(start(bucket) + bucketSize, from + header.indexLength - stream.length),
      ),
    );
    bucket = view.getInt32(start(bucket) + 4);
  }
  assert.equal(bucket, -1, "the index chain ends");
  assert.equal(stream.length, header.indexLength);

  const data = indexEntries(Uint8Array.from(stream), bigEndian);
  assert.equal(data.at(-1)?.end ?? 0, rows, "rows of the index");
  for (const entry of data) claim(entry.bucket, "data");

  const live = new Map<number, number>();
  columns.forEach((column, c) => {
    if (column.dtype !== "string" || (column.kind === "scalar" && column.maxLength > 0)) return;
    for (const entry of data) {
      for (let slot = 0; slot < entry.end - entry.start; slot++) {
        const at = start(entry.bucket) + offsets[c]! + 12 * slot;
        const [a, b, length] = [0, 4, 8].map((k) => view.getInt32(at + k, !bigEndian)) as [
          number,
          number,
          number,
        ];
        if (column.kind === "scalar" ? length > 8 : length > 0) followItem(a, b, length);
      }
    }
  });
  function followItem(number: number, offset: number, length: number): void {
    while (length > 0) {
      assert.ok(number >= 0 && number < buckets, `string bucket ${number}`);
      const used = view.getInt32(start(number) + 4);
      const n = Math.min(length, used - offset);
      assert.ok(n > 0, `a string goes on at byte ${offset} of ${used} in bucket ${number}`);
      live.set(number, (live.get(number) ?? 0) + n);
      length -= n;
      number = view.getInt32(start(number) + 12);
      offset = 0;
    }
  }
  for (const [number, count] of live) {
    claim(number, "string");
    const deleted = view.getInt32(start(number) + 8);
    assert.equal(deleted, bucketSize - 16 - count, `bytes without use in string bucket ${number}`);
    assert.ok(view.getInt32(start(number) + 4) <= bucketSize - 16);
    assert.equal(view.getInt32(start(number)), 0);
  }
  assert.equal(use.size, buckets, "every bucket has a use");
  if (header.lastString >= 0) assert.equal(use.get(header.lastString), "string", "the last string bucket");
}

/** Buckets and rows of the first index in a stream, found from the end of the object (section 2.4). */
function indexEntries(
  stream: Uint8Array,
  bigEndian: boolean,
): { bucket: number; start: number; end: number }[] {
  const view = new DataView(stream.buffer);
  const little = !bigEndian;
  // magic, length, "SSMIndex", version
  const used = view.getUint32(24, little);
  const version = view.getUint32(20, little);
  const width = version === 1 ? 4 : 8;
  const numbers = stream.length - 4 * used;
  const lastRows = numbers - 21 - width * used;
  const entries: { bucket: number; start: number; end: number }[] = [];
  for (let i = 0; i < used; i++) {
    const at = lastRows + width * i;
    const last = width === 4 ? view.getUint32(at, little) : Number(view.getBigUint64(at, little));
    entries.push({
      bucket: view.getUint32(numbers + 4 * i, little),
      start: entries.at(-1)?.end ?? 0,
      end: last + 1,
    });
  }
  return entries;
}
