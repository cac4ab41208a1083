/**
 * The file `table.f<N>` of an IncrementalStMan, as its columns share it.
 *
 * | 0 | 512 | 512 + bucket size | … | 512 + buckets × bucket size |
 * | --- | --- | --- | --- | --- |
 * | header | bucket 0 | bucket 1 | … | index, and perhaps what is left of an older one |
 *
 * A free bucket holds, in its first 4 bytes (big endian), the number of the next free one; -1 ends the list.
 * Format reference part 3, section A2.
 */
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import { RowIndex } from "./bucket-index.ts";
import { type BucketIndex, HEADER_BYTES, type IncrementalHeader } from "./header.ts";
import { PartCache } from "./part-cache.ts";
import { Stretch } from "./stretch.ts";

/** Bytes of the link in a free bucket. */
const LINK_BYTES = 4;

/** The list of free buckets holds numbers as Int. */
const MAX_BUCKETS = 2 ** 31 - 1;

/** What is known of the file once it is open. */
export class BucketFile {
  /** Its name in the table's directory. */
  readonly name: string;
  /** The path that errors name. */
  readonly path: string;
  readonly bigEndian: boolean;
  readonly bucketBytes: number;
  readonly index: RowIndex;
  /** Columns that every bucket has entries for. */
  readonly columnCount: number;
  /** Buckets in the file, free ones included. */
  bucketCount: number;
  /** Indirect columns made so far. */
  uniqueNumber: number;
  /** Parts of buckets that single cells were looked up in. */
  parts: PartCache = new PartCache();
  /** Plan: brings what was changed in memory into the file, where reading finds it. */
  settle: () => Plan<void> = function* () {};
  /** True if the index in the file holds longer lists than it uses. */
  readonly excess: string | null;
  readonly #header: IncrementalHeader;
  /** Free buckets, the first one last; null: not read yet. */
  #free: number[] | null = null;

  constructor(
    name: string,
    path: string,
    bigEndian: boolean,
    header: IncrementalHeader,
    index: BucketIndex,
    columnCount: number,
  ) {
    this.name = name;
    this.path = path;
    this.bigEndian = bigEndian;
    this.bucketBytes = header.bucketBytes;
    this.bucketCount = header.bucketCount;
    this.uniqueNumber = header.uniqueNumber;
    this.index = new RowIndex(index);
    this.columnCount = columnCount;
    this.#header = header;
    const { used, starts, buckets } = index;
    this.excess = starts.length !== used + 1 || buckets.length !== used
      ? `the index has ${starts.length} rows and ${buckets.length} bucket numbers for ${used} buckets`
      : null;
  }

  /** Rows in the index. */
  get rowCount(): number {
    return this.index.rowCount;
  }

  /** Offset in the file of the bucket with that number. */
  offsetOf(bucket: number): number {
    return HEADER_BYTES + bucket * this.bucketBytes;
  }

  /** Offset in the file of the bucket at a position of the index. */
  bucketAt(position: number): number {
    return this.offsetOf(this.index.buckets[position]!);
  }

  /** Bytes of the file that start at `base`. */
  stretch(bytes: Uint8Array, base: number): Stretch {
    return new Stretch(bytes, this.path, base, this.bigEndian);
  }

  /** The error for a row that the table has and the index hasn't. */
  noSuchRow(row: number): never {
    throw new TableError("CORRUPT", `row ${row} is not in the index, which has ${this.rowCount} rows`, {
      file: this.path,
    });
  }

  /** Length of the list of free buckets. */
  get freeBuckets(): number {
    return this.#free?.length ?? this.#header.freeBuckets;
  }

  /** The free bucket that is taken next, -1 if there is none. */
  get firstFree(): number {
    return this.#free === null ? this.#header.firstFree : this.#free.at(-1) ?? -1;
  }

  /** What the header has to say now. */
  header(): Omit<IncrementalHeader, "version"> {
    const { bucketBytes, bucketCount, uniqueNumber, freeBuckets, firstFree } = this;
    const { cacheBuckets } = this.#header;
    return { bucketBytes, bucketCount, cacheBuckets, uniqueNumber, freeBuckets, firstFree };
  }

  /** Plan: the number of a bucket to be used: the first free one, else a new one at the end. */
  *take(): Plan<number> {
    const free = (yield* this.#freeList()).pop();
    if (free !== undefined) return free;
    if (this.bucketCount >= MAX_BUCKETS || !Number.isSafeInteger(this.offsetOf(this.bucketCount + 1) * 8)) {
      throw new TableError("LIMIT", `the file can't have more than ${this.bucketCount} buckets`, {
        file: this.path,
      });
    }
    return this.bucketCount++;
  }

  /** Plan: puts a bucket at the front of the list of free ones. */
  *release(bucket: number): Plan<void> {
    const free = yield* this.#freeList();
    const link = new Uint8Array(LINK_BYTES);
    new DataView(link.buffer).setInt32(0, free.at(-1) ?? -1);
    free.push(bucket);
    yield { kind: "write", file: this.name, offset: this.offsetOf(bucket), bytes: link };
  }

  /** Makes it the file of a table without rows: one bucket, none free. */
  empty(): void {
    this.index.replace([0, 0], [0]);
    this.bucketCount = 1;
    this.#free = [];
  }

  /**
   * The list of free buckets, read when it is first needed. Where it doesn't hold together its buckets stay unused
   * rather than being used twice.
   */
  *#freeList(): Plan<number[]> {
    if (this.#free !== null) return this.#free;
    const list: number[] = [], taken = new Set(this.index.buckets);
    let bucket = this.#header.firstFree;
    while (list.length < this.#header.freeBuckets) {
      if (bucket < 0 || bucket >= this.bucketCount || taken.has(bucket)) return this.#free = [];
      taken.add(bucket);
      list.push(bucket);
      const link = yield* readBytes(this.name, this.offsetOf(bucket), LINK_BYTES);
      bucket = new DataView(link.buffer, link.byteOffset, LINK_BYTES).getInt32(0);
    }
    return this.#free = bucket === -1 ? list.reverse() : [];
  }
}
