/**
 * Reading items from string buckets: format reference part 2, section 4.1. Items are taken in file order, so that each
 * bucket is read once; an item that runs through several buckets is followed to its end first.
 */
import { TableError } from "../../error.ts";
import { type ByteRange, type Plan, readRanges } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { STRING_HEADER_BYTES } from "./header.ts";
import { StringBucket } from "./string-bucket.ts";
import { asciiText } from "./text-reader.ts";

/** Bytes of buckets that are asked for in one step. */
const WINDOW_BYTES = 1 << 18;
/** Bytes of buckets that are kept while a request runs. */
const KEPT_BYTES = 1 << 21;

/** Items to read; the three lists have one entry each. */
export interface Items {
  readonly bucket: ArrayLike<number>;
  readonly offset: ArrayLike<number>;
  readonly length: ArrayLike<number>;
}

/**
 * Hands over each item with a length, in file order; the bytes are valid during the call only. With `useText`, items of
 * buckets that have nothing but ASCII are handed over as text.
 *
 * @throws TableError CORRUPT
 */
export function* readItems(
  file: BucketFile,
  items: Items,
  use: (index: number, bytes: Uint8Array) => void,
  useText?: (index: number, text: string) => void,
): Plan<void> {
  const { bucket, offset, length } = items;
  const order = fileOrder(items);
  checkItems(file, items, order);
  const reader = new Reader(file);
  let current: StringBucket | undefined, text: string | null = null, used = 0;
  for (let k = 0; k < order.length; k++) {
    const i = order[k]!, at = offset[i]!, end = at + length[i]!;
    if (current === undefined || current.number !== bucket[i]) {
      current = reader.kept(bucket[i]!) ?? (yield* reader.load(upcoming(bucket, order, k, file.bucketSize)));
      StringBucket.checked(current.number, current.bytes, file);
      used = current.used;
      text = useText === undefined ? null : asciiText(current.data(0, used));
    }
    if (text !== null && end <= used) {
      useText!(i, text.substring(at, end));
      continue;
    }
    // Most items stand in one bucket; those cost no generator.
    use(i, end <= used ? current.data(at, end) : yield* reader.item(current, at, length[i]!));
  }
}

/** The items with a length, in file order. */
function fileOrder({ bucket, offset, length }: Items): Uint32Array {
  const order = new Uint32Array(length.length);
  let count = 0, ascending = true;
  for (let i = 0; i < length.length; i++) {
    if (length[i] === 0) continue;
    if (count > 0) {
      const before = order[count - 1]!;
      ascending &&= bucket[before]! < bucket[i]! ||
        (bucket[before] === bucket[i] && offset[before]! < offset[i]!);
    }
    order[count++] = i;
  }
  const list = order.subarray(0, count);
  return ascending
    ? list
    : list.sort((a, b) => bucket[a]! - bucket[b]! || offset[a]! - offset[b]! || length[a]! - length[b]!);
}

/** The distinct buckets of the next items, as many as are read at once. */
function upcoming(
  bucket: ArrayLike<number>,
  order: Uint32Array,
  k: number,
  bucketSize: number,
): number[] {
  const most = Math.max(1, Math.floor(WINDOW_BYTES / bucketSize));
  const wanted = [bucket[order[k]!]!];
  for (let next = k + 1; next < order.length && wanted.length < most; next++) {
    const number = bucket[order[next]!]!;
    if (number !== wanted.at(-1)) wanted.push(number);
  }
  return wanted;
}

/**
 * Refuses items outside the file, and items that have more bytes together than there are: each byte belongs to one
 * item, so damaged references would make a small file give any amount of text.
 */
function checkItems(file: BucketFile, items: Items, order: Uint32Array): void {
  const capacity = file.bucketSize - STRING_HEADER_BYTES;
  const most = capacity * file.buckets;
  let total = 0;
  order.forEach((i, k) => {
    const bucket = items.bucket[i]!, offset = items.offset[i]!, length = items.length[i]!;
    if (
      bucket < 0 || bucket >= file.buckets || offset < 0 || offset >= capacity || length < 0 || length > most
    ) {
      throw new TableError(
        "CORRUPT",
        `a string of ${length} bytes is said to stand at byte ${offset} of bucket ${bucket}, there are ` +
          `${file.buckets} buckets of ${capacity} bytes for strings`,
        { file: file.path },
      );
    }
    const before = k === 0 ? -1 : order[k - 1]!;
    const same = before >= 0 && items.bucket[before] === bucket && items.offset[before] === offset &&
      items.length[before] === length;
    if (!same) total += length;
  });
  if (total > most) {
    throw new TableError("CORRUPT", `strings overlap: they have ${total} bytes, their buckets hold ${most}`, {
      file: file.path,
    });
  }
}

/** Buckets read so far. */
class Reader {
  readonly #file: BucketFile;
  readonly #kept = new Map<number, StringBucket>();

  constructor(file: BucketFile) {
    this.#file = file;
  }

  kept(number: number): StringBucket | undefined {
    return this.#kept.get(number);
  }

  /** Reads buckets, ascending numbers, in one step, and returns the first. */
  *load(numbers: readonly number[]): Plan<StringBucket> {
    const file = this.#file;
    const { bucketSize } = file;
    if (this.#kept.size * bucketSize > KEPT_BYTES) this.#kept.clear();
    const ranges: ByteRange[] = [];
    for (let i = 0; i < numbers.length;) {
      let n = 1;
      while (i + n < numbers.length && numbers[i + n] === numbers[i]! + n) n++;
      ranges.push({ file: file.file, offset: file.offsetOf(numbers[i]!), length: n * bucketSize });
      i += n;
    }
    let next = 0;
    for (const bytes of yield* readRanges(ranges)) {
      const copy = bytes.slice();
      for (let at = 0; at < copy.length; at += bucketSize) {
        const number = numbers[next++]!;
        this.#kept.set(number, new StringBucket(number, copy.subarray(at, at + bucketSize)));
      }
    }
    return this.#kept.get(numbers[0]!)!;
  }

  /** The bytes of an item that begins in `bucket` and goes on in others. */
  *item(bucket: StringBucket, offset: number, length: number): Plan<Uint8Array> {
    const file = this.#file;
    const bytes = new Uint8Array(length);
    const seen = new Set([bucket.number]);
    let done = 0;
    for (let from = offset;; from = 0) {
      const n = Math.min(length - done, bucket.used - from);
      if (n <= 0) {
        file.corrupt(`a string stands at byte ${from} of ${bucket.used} used ones`, bucket.number, 4);
      }
      bytes.set(bucket.data(from, from + n), done);
      done += n;
      if (done === length) return bytes;
      const next = bucket.next;
      if (next < 0) file.corrupt(`a string of ${length} bytes ends after ${done}`, bucket.number, 12);
      if (seen.has(next)) file.corrupt(`a string comes back to bucket ${next}`, bucket.number, 12);
      seen.add(next);
      bucket = this.#kept.get(next) ?? (yield* this.load(this.#following(next, length - done)));
      StringBucket.checked(next, bucket.bytes, file);
    }
  }

  /** Long strings mostly go on in consecutive buckets. */
  #following(next: number, rest: number): number[] {
    const { bucketSize, buckets } = this.#file;
    const wanted = Math.ceil(rest / (bucketSize - STRING_HEADER_BYTES));
    const most = Math.max(1, Math.floor(WINDOW_BYTES / bucketSize));
    return Array.from({ length: Math.min(wanted, most, buckets - next) }, (_, i) => next + i);
  }
}
