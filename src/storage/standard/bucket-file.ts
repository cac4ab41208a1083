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
  readonly bucketSize: number;
  /** Buckets in the file, free ones included. */
  buckets: number;
  freeBuckets: number;
  firstFree: number;
  /** Buckets from here on have held nothing but zeros since they were made. */
  untouchedFrom: number;
  #fileBytes: number;
  /** Buckets taken from the free list: a list that gives one twice is damaged. */
  readonly #taken = new Set<number>();

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
    this.bucketSize = options.bucketSize;
    this.buckets = options.buckets;
    this.freeBuckets = options.freeBuckets;
    this.firstFree = options.firstFree;
    this.untouchedFrom = options.buckets;
    this.#fileBytes = options.fileBytes;
  }

  /** Where a bucket begins in the file. */
  offsetOf(bucket: number): number {
    return HEADER_BYTES + bucket * this.bucketSize;
  }

  /** Throws CORRUPT for something found in a bucket. */
  corrupt(message: string, bucket: number, offset = 0): never {
    throw new TableError("CORRUPT", message, { file: this.path, offset: this.offsetOf(bucket) + offset });
  }

  /** Takes one bucket, whose content the caller writes: the first free one, else a new one at the end. */
  *take(): Plan<number> {
    if (this.freeBuckets > 0) return yield* this.#takeFree();
    this.#checkRoom(1);
    const bucket = this.buckets++;
    this.touch(bucket);
    return bucket;
  }

  /** Tells that something was written to a bucket. */
  touch(bucket: number): void {
    if (bucket >= this.untouchedFrom) this.untouchedFrom = bucket + 1;
  }

  /** Takes `count` buckets of zeros: free ones first, then new ones at the end of the file. */
  *takeZeroed(count: number): Plan<number[]> {
    this.#checkRoom(Math.max(0, count - this.freeBuckets));
    const taken: number[] = [];
    const zeros = this.freeBuckets > 0 ? new Uint8Array(this.bucketSize) : null;
    while (taken.length < count && this.freeBuckets > 0) {
      const bucket = yield* this.#takeFree();
      yield { kind: "write", file: this.file, offset: this.offsetOf(bucket), bytes: zeros! };
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

  /** Puts a bucket at the front of the free list. Only its first 4 bytes change. */
  *free(bucket: number): Plan<void> {
    const link = new Uint8Array(4);
    new DataView(link.buffer).setInt32(0, this.firstFree);
    yield { kind: "write", file: this.file, offset: this.offsetOf(bucket), bytes: link };
    this.firstFree = bucket;
    this.freeBuckets++;
    this.#taken.delete(bucket);
  }

  *#takeFree(): Plan<number> {
    const bucket = this.firstFree;
    if (bucket < 0 || bucket >= this.buckets || this.#taken.has(bucket)) {
      throw new TableError(
        "CORRUPT",
        `the list of ${this.freeBuckets} free buckets goes on with ${bucket}, there are ${this.buckets} buckets`,
        { file: this.path },
      );
    }
    const link = yield* readBytes(this.file, this.offsetOf(bucket), 4);
    const next = new DataView(link.buffer, link.byteOffset, 4).getInt32(0);
    if (next < -1 || next >= this.buckets) {
      this.corrupt(`the free bucket behind this one is ${next}, there are ${this.buckets} buckets`, bucket);
    }
    this.firstFree = next;
    this.freeBuckets--;
    this.#taken.add(bucket);
    this.touch(bucket);
    return bucket;
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
