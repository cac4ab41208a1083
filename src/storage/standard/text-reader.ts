/**
 * Reading many strings that stand in string buckets in the order of their rows, as they do unless they were put again:
 * format reference part 2, sections 3.2 and 4. The data of neighbouring buckets becomes one text, which is cut: many times
 * faster than string by string.
 */
import { kernels } from "../../array/choose.ts";
import { type ByteRange, type Plan, readRanges } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { STRING_HEADER_BYTES } from "./header.ts";
import { StringBucket } from "./string-bucket.ts";
import { INLINE_BYTES, REFERENCE_BYTES, type References } from "./string-references.ts";

/** Bytes of buckets that are asked for in one step. */
const WINDOW_BYTES = 1 << 18;
/** Bytes of buckets whose data becomes one text: a long string keeps all of it in memory. */
const TEXT_BYTES = 8192;
/** i32 of a reference. */
const WORDS = REFERENCE_BYTES / 4;
/** Of these the first is the bucket, then the offset in it, then the length. */
const OFFSET = 1, LENGTH = 2;

const NATIVE_BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What takes the strings. */
export interface TextSink {
  text(index: number, text: string): void;
  bytes(index: number, bytes: Uint8Array): void;
}

/** The references as numbers of this machine. */
export function wordsOf(references: References, bigEndian: boolean): Int32Array {
  const { buffer } = references.bytes;
  if (bigEndian === NATIVE_BIG_ENDIAN) return new Int32Array(buffer);
  const swapped = references.bytes.slice();
  kernels().swap(swapped, 4);
  return new Int32Array(swapped.buffer);
}

/** True when all references are good, their strings ascend in the file and don't overlap but for equal ones. */
export function areInOrder(words: Int32Array, file: BucketFile): boolean {
  const capacity = file.bucketSize - STRING_HEADER_BYTES, { buckets } = file;
  let bucket = -1, offset = 0, length = 0;
  for (let at = 0; at < words.length; at += WORDS) {
    const n = words[at + LENGTH]!;
    if (n >= 0 && n <= INLINE_BYTES) continue;
    const b = words[at]!, o = words[at + OFFSET]!;
    // Those that go on in another bucket are for others.
    if (n < 0 || b < 0 || b >= buckets || o < 0 || o + n > capacity) return false;
    if (b < bucket || (b === bucket && o < offset + length && (o !== offset || n !== length))) return false;
    bucket = b;
    offset = o;
    length = n;
  }
  return true;
}

/**
 * Plan: hands over the strings of references that are {@linkcode areInOrder in order}. False when a bucket uses less than they
 * say, and they have to be read otherwise.
 *
 * @throws TableError CORRUPT
 */
export function* readTexts(
  file: BucketFile,
  references: References,
  words: Int32Array,
  sink: TextSink,
): Plan<boolean> {
  const count = references.count, { bucketSize } = file;
  const window = Math.max(1, Math.floor(WINDOW_BYTES / bucketSize));
  const together = Math.max(1, Math.floor(TEXT_BYTES / bucketSize));
  const joined = new Uint8Array(together * bucketSize);
  const starts = new Int32Array(together), ends = new Int32Array(together);
  let i = 0;
  while (i < count) {
    if (words[i * WORDS + LENGTH]! <= INLINE_BYTES) {
      sink.bytes(i, references.inline(i));
      i++;
      continue;
    }
    const numbers = bucketsFrom(words, i, window);
    const buckets = bucketsIn(yield* readRanges(rangesOf(file, numbers)), bucketSize);
    for (let first = 0; first < numbers.length; first += together) {
      const last = Math.min(first + together, numbers.length);
      let length = 0;
      for (let k = first; k < last; k++) {
        const { used } = StringBucket.checked(numbers[k]!, buckets[k]!, file);
        joined.set(
          buckets[k]!.subarray(STRING_HEADER_BYTES, STRING_HEADER_BYTES + used),
          starts[k - first] = length,
        );
        ends[k - first] = length += used;
      }
      const text = asciiText(joined.subarray(0, length));
      for (let k = first; i < count; i++) {
        const at = i * WORDS, n = words[at + LENGTH]!;
        if (n <= INLINE_BYTES) {
          sink.bytes(i, references.inline(i));
          continue;
        }
        while (k < last && numbers[k] !== words[at]) k++;
        if (k === last) break;
        const start = starts[k - first]! + words[at + OFFSET]!, end = start + n;
        if (end > ends[k - first]!) return false;
        if (text !== null) sink.text(i, text.substring(start, end));
        else sink.bytes(i, joined.subarray(start, end));
      }
    }
  }
  return true;
}

/** The distinct buckets of strings from `i` on, at most so many. */
function bucketsFrom(words: Int32Array, i: number, most: number): number[] {
  const numbers: number[] = [];
  let last = -1;
  for (let at = i * WORDS; at < words.length; at += WORDS) {
    if (words[at + LENGTH]! <= INLINE_BYTES || words[at] === last) continue;
    if (numbers.length === most) break;
    numbers.push(last = words[at]!);
  }
  return numbers;
}

/** Stretches of the file with these buckets, which ascend. */
function rangesOf(file: BucketFile, numbers: readonly number[]): ByteRange[] {
  const ranges: ByteRange[] = [], { bucketSize } = file;
  for (let i = 0; i < numbers.length;) {
    let n = 1;
    while (i + n < numbers.length && numbers[i + n] === numbers[i]! + n) n++;
    ranges.push({ file: file.file, offset: file.offsetOf(numbers[i]!), length: n * bucketSize });
    i += n;
  }
  return ranges;
}

function bucketsIn(parts: readonly Uint8Array[], bucketSize: number): Uint8Array[] {
  const buckets: Uint8Array[] = [];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += bucketSize) buckets.push(part.subarray(at, at + bucketSize));
  }
  return buckets;
}

/** The bytes as text; null unless all of them are below 0x80, so that each is a character. */
export function asciiText(bytes: Uint8Array): string | null {
  try {
    const text = strict.decode(bytes as Uint8Array<ArrayBuffer>);
    return text.length === bytes.length ? text : null;
  } catch {
    return null;
  }
}
