/**
 * `table.f<N>` as a file of equal buckets: format reference part 2, sections 2 and 2.2.
 *
 * ```
 * 0        512        512 + bucketSize
 * | header | bucket 0 | bucket 1 | …
 * ```
 *
 * A free bucket holds, in its first 4 bytes (big endian), the number of the next free bucket; -1 ends the list.
 */
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import { HEADER_BYTES } from "./header.ts";

/** Bucket numbers are written as i32. */
const MAX_BUCKETS = 2 ** 31 - 1;

/** The buckets and their free list. Its plans change the file; the header is written by whoever keeps it. */
export class BucketFile {
  readonly file: string;
  /** Path that messages show. */
  readonly path: string;
  readonly bigEndian: boolean;
  #bucketSize: number;
  /** Buckets in the file, free ones included. */
  buckets: number;
  /** Numbers of buckets that can't be free, whatever the free list says. */
  usedBuckets: () => Iterable<number> = () => [];
  /** Buckets from here on have held nothing but zeros since they were made. */
  untouchedFrom: number;
  #fileBytes: number;
  /** What the header says of the free list, which is read when it is needed. */
  readonly #freeBuckets: number;
  readonly #firstFree: number;
  /** Free buckets, the first one last. */
  #free: number[] | null = null;
  readonly #isFree = new Set<number>();

  constructor(
    file: string,
    options: {
      path: string;
      bigEndian: boolean;
      bucketSize: number;
      buckets: number;
      freeBuckets: number;
      firstFree: number;
      fileBytes: number;
    },
  ) {
    this.file = file;
    this.path = options.path;
    this.bigEndian = options.bigEndian;
    this.#bucketSize = options.bucketSize;
    this.buckets = options.buckets;
    this.#freeBuckets = options.freeBuckets;
    this.#firstFree = options.firstFree;
    this.untouchedFrom = options.buckets;
    this.#fileBytes = options.fileBytes;
  }

  /** Bytes of a bucket. */
  get bucketSize(): number {
    return this.#bucketSize;
  }

  /** Where a bucket begins in the file. */
  offsetOf(bucket: number): number {
    return HEADER_BYTES + bucket * this.bucketSize;
  }

  /** Throws CORRUPT for something found in a bucket. */
  corrupt(message: string, bucket: number, offset = 0): never {
    throw new TableError("CORRUPT", message, { file: this.path, offset: this.offsetOf(bucket) + offset });
  }

  /** Length of the free list. */
  get freeBuckets(): number {
    return this.#free?.length ?? this.#freeBuckets;
  }

  /** The free bucket that is taken next, -1 if there is none. */
  get firstFree(): number {
    return this.#free === null ? this.#firstFree : this.#free.at(-1) ?? -1;
  }

  /** Takes one bucket, whose content the caller writes: the first free one, else a new one at the end. */
  *take(): Plan<number> {
    const free = (this.#free ?? (yield* this.#freeList())).pop();
    if (free === undefined) this.#checkRoom(1);
    else this.#isFree.delete(free);
    const bucket = free ?? this.buckets++;
    this.touch(bucket);
    return bucket;
  }

  /** Makes the file one without buckets; those to come have `bucketSize` bytes. */
  *restart(bucketSize: number): Plan<void> {
    yield { kind: "replace", file: this.file, bytes: new Uint8Array(HEADER_BYTES) };
    this.#bucketSize = bucketSize;
    this.#fileBytes = HEADER_BYTES;
    this.buckets = 0;
    this.untouchedFrom = 0;
    this.#free = [];
    this.#isFree.clear();
  }

  /** Tells that something was written to a bucket. */
  touch(bucket: number): void {
    if (bucket >= this.untouchedFrom) this.untouchedFrom = bucket + 1;
  }

  /** Takes `count` buckets of zeros: free ones first, then new ones at the end of the file. */
  *takeZeroed(count: number): Plan<number[]> {
    const free = this.#free ?? (yield* this.#freeList());
    this.#checkRoom(Math.max(0, count - free.length));
    const taken: number[] = [];
    const zeros = new Uint8Array(count > 0 && free.length > 0 ? this.bucketSize : 0);
    while (taken.length < count && free.length > 0) {
      const bucket = free.pop()!;
      this.#isFree.delete(bucket);
      this.touch(bucket);
      yield { kind: "write", file: this.file, offset: this.offsetOf(bucket), bytes: zeros };
      taken.push(bucket);
    }
    if (taken.length === count) return taken;
    const end = this.offsetOf(this.buckets);
    // Bytes behind the last bucket are left over from a writer that didn't get to its header.
    if (this.#fileBytes > end) yield { kind: "resize", file: this.file, length: end, shrink: true };
    while (taken.length < count) taken.push(this.buckets++);
    this.#fileBytes = this.offsetOf(this.buckets);
    yield { kind: "resize", file: this.file, length: this.#fileBytes, shrink: false };
    return taken;
  }

  /** Puts a bucket at the front of the free list. Only its first 4 bytes change. @throws TableError CORRUPT if it is there */
  *free(bucket: number): Plan<void> {
    const link = new Uint8Array(4);
    new DataView(link.buffer).setInt32(0, yield* this.release(bucket));
    yield { kind: "write", file: this.file, offset: this.offsetOf(bucket), bytes: link };
  }

  /** As {@linkcode free}, but gives the first 4 bytes, a number, to the caller, who writes them. */
  *release(bucket: number): Plan<number> {
    const free = this.#free ?? (yield* this.#freeList());
    if (this.#isFree.has(bucket)) this.corrupt(`bucket ${bucket} is freed twice`, bucket);
    this.#isFree.add(bucket);
    this.touch(bucket);
    const next = free.at(-1) ?? -1;
    free.push(bucket);
    return next;
  }

  /**
   * The free list, read when it is first needed. A writer that died before its header may have put other things into
   * free buckets: then the list doesn't hold together, and its buckets stay unused rather than being used twice.
   */
  *#freeList(): Plan<number[]> {
    if (this.#free !== null) return this.#free;
    const list: number[] = [];
    const used = new Set(this.usedBuckets());
    let bucket = this.#firstFree;
    while (list.length < this.#freeBuckets) {
      if (bucket < 0 || bucket >= this.buckets || used.has(bucket)) return this.#free = [];
      used.add(bucket);
      list.push(bucket);
      const link = yield* readBytes(this.file, this.offsetOf(bucket), 4);
      bucket = new DataView(link.buffer, link.byteOffset, 4).getInt32(0);
    }
    if (bucket !== -1) return this.#free = [];
    for (const each of list) this.#isFree.add(each);
    return this.#free = list.reverse();
  }

  #checkRoom(count: number): void {
    if (
      this.buckets + count > MAX_BUCKETS || !Number.isSafeInteger(this.offsetOf(this.buckets + count) * 8)
    ) {
      throw new TableError("LIMIT", `the file can't grow by ${count} buckets, it has ${this.buckets}`, {
        file: this.path,
      });
    }
  }
}
