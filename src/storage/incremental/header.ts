/**
 * What an IncrementalStMan says of itself: format reference part 3, sections A1, A2.1 and A2.2.
 *
 * | blob in `table.dat`, object `ISM`, big endian | type | |
 * | --- | --- | --- |
 * | name | String | of the manager; a version below 3: an array file for each indirect column |
 *
 * | header at 0 of `table.f<N>`, object `IncrementalStMan`, order of the table | type | since version |
 * | --- | --- | --- |
 * | bigEndian | Bool | 5; before: true |
 * | bucket size, buckets | uInt each | 1 |
 * | cache size | uInt | 1, a hint |
 * | uniqNr | uInt | 1, indirect columns made so far |
 * | free buckets, first of them | uInt, Int (-1: none) | 2 |
 *
 * | index at 512 + buckets × bucket size, object `ISMIndex` | type | |
 * | --- | --- | --- |
 * | used | uInt | buckets in use, at least 1 |
 * | rows | Block of uInt (version 1) or uInt64 (2) | first row of each bucket, and last the number of rows |
 * | bucketNr | Block of uInt | which bucket |
 */
import { AIPS_MAGIC, AipsReader, AipsWriter } from "../../format/aipsio.ts";

/** Bytes before bucket 0. */
export const HEADER_BYTES = 512;

/** Newest versions that are known. */
export const BLOB_VERSION = 3;
const HEADER_VERSION = 5, INDEX_VERSION = 2;

/** What casacore writes for tables in big-endian order: a header without the flag. */
const BIG_ENDIAN_HEADER_VERSION = 4;

/** Numbers of rows beyond this need an index of version 2. */
const MAX_NARROW_ROWS = 2 ** 31 - 1;

/** Bytes of a root object's magic, which its length does not count. */
const MAGIC_BYTES = 4;

/** Bytes to read before {@linkcode rootObjectBytes} can be asked: magic and length. */
export const OBJECT_START_BYTES = 8;

/** What the blob says. */
export interface IncrementalBlob {
  readonly version: number;
  readonly name: string;
}

/** What the header says. */
export interface IncrementalHeader {
  readonly version: number;
  /** Bytes of a bucket. */
  readonly bucketBytes: number;
  /** Buckets in the file, free ones included. */
  readonly bucketCount: number;
  /** Buckets that casacore is told to keep in memory. */
  readonly cacheBuckets: number;
  /** Indirect columns made so far. */
  readonly uniqueNumber: number;
  /** Length of the list of free buckets, and the first of them, -1 if there is none. */
  readonly freeBuckets: number;
  readonly firstFree: number;
}

/** Which bucket holds which rows. */
export interface BucketIndex {
  /** Buckets in use. */
  readonly used: number;
  /** First row of each; entry `used` is the number of rows. */
  readonly starts: readonly number[];
  /** Number of each in the file. */
  readonly buckets: readonly number[];
}

/** Reads the blob. `file` is the path that errors name. */
export function readBlob(blob: Uint8Array, file: string): IncrementalBlob {
  const reader = new AipsReader(blob, { file });
  const { version } = reader.root("ISM");
  if (version > BLOB_VERSION) {
    reader.unsupported(`blob ISM has version ${version}, expected 1 to ${BLOB_VERSION}`, 0);
  }
  const name = reader.string();
  reader.end();
  return { version, name };
}

/** Reads the header from the first bytes of the file. */
export function readHeader(bytes: Uint8Array, file: string, bigEndian: boolean): IncrementalHeader {
  const reader = new AipsReader(bytes, { file, bigEndian });
  const { version } = reader.root("IncrementalStMan");
  if (version < 1 || version > HEADER_VERSION) {
    reader.unsupported(`IncrementalStMan has version ${version}, expected 1 to ${HEADER_VERSION}`, 0);
  }
  const flag = version >= 5 ? reader.bool() : true;
  if (flag !== bigEndian) {
    reader.fail(`header says ${order(flag)} endian, table.dat says ${order(bigEndian)} endian`);
  }
  const sizeAt = reader.offset;
  const bucketBytes = reader.u32();
  if (bucketBytes < 4) reader.fail(`bucket size is ${bucketBytes} bytes, expected at least 4`, sizeAt);
  const bucketCount = reader.u32();
  const cacheBuckets = reader.u32();
  const uniqueNumber = reader.u32();
  let freeBuckets = 0, firstFree = -1;
  if (version >= 2) {
    freeBuckets = reader.u32();
    firstFree = reader.i32();
  }
  reader.end();
  return { version, bucketBytes, bucketCount, cacheBuckets, uniqueNumber, freeBuckets, firstFree };
}

/** The bytes before bucket 0, in the version that casacore writes, whichever was read. */
export function formatHeader(header: Omit<IncrementalHeader, "version">, bigEndian: boolean): Uint8Array {
  const writer = new AipsWriter({ bigEndian });
  writer.root("IncrementalStMan", bigEndian ? BIG_ENDIAN_HEADER_VERSION : HEADER_VERSION);
  if (!bigEndian) writer.bool(false);
  writer.u32(header.bucketBytes);
  writer.u32(header.bucketCount);
  writer.u32(header.cacheBuckets);
  writer.u32(header.uniqueNumber);
  writer.u32(header.freeBuckets);
  writer.i32(header.firstFree);
  writer.end();
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(writer.finish());
  return bytes;
}

/** The index's bytes. */
export function formatIndex({ used, starts, buckets }: BucketIndex, bigEndian: boolean): Uint8Array {
  const writer = new AipsWriter({ bigEndian });
  const narrow = starts[used]! <= MAX_NARROW_ROWS;
  writer.root("ISMIndex", narrow ? 1 : INDEX_VERSION);
  writer.u32(used);
  if (narrow) writer.blockU32(starts);
  else writer.blockU64(starts);
  writer.blockU32(buckets);
  writer.end();
  return writer.finish();
}

/** The blob for `table.dat`. */
export function formatBlob({ version, name }: IncrementalBlob): Uint8Array {
  const writer = new AipsWriter();
  writer.root("ISM", version);
  writer.string(name);
  writer.end();
  return writer.finish();
}

/**
 * True when each indirect column has an array file of its own. Header version 3 comes from a faulty release that
 * wrote 1 into the blob and meant 3.
 */
export function hasFilePerColumn(blobVersion: number, headerVersion: number): boolean {
  const meant = blobVersion === 1 && headerVersion === 3 ? 3 : blobVersion;
  return meant < 3;
}

/** Bytes of a root object that starts with these 8 bytes; all that are left where its writer could not tell. */
export function rootObjectBytes(
  start: Uint8Array,
  file: string,
  at: number,
  bigEndian: boolean,
  left: number,
): number {
  const reader = new AipsReader(start, { file, bigEndian, base: at });
  const magic = reader.u32();
  if (magic !== AIPS_MAGIC) {
    reader.fail(`expected magic 0xbebebebe of the index, found 0x${magic.toString(16).padStart(8, "0")}`, 0);
  }
  const length = reader.u32();
  if (length === AIPS_MAGIC) return left;
  const bytes = length + MAGIC_BYTES;
  if (bytes > left) reader.fail(`the index is said to take ${bytes} bytes, there are ${left}`, 4);
  return bytes;
}

/** Reads the index from its bytes, which start at `at` in the file. */
export function readIndex(
  bytes: Uint8Array,
  file: string,
  at: number,
  bigEndian: boolean,
  bucketCount: number,
): BucketIndex {
  const reader = new AipsReader(bytes, { file, bigEndian, base: at });
  const { version } = reader.root("ISMIndex");
  if (version < 1 || version > INDEX_VERSION) {
    reader.unsupported(`ISMIndex has version ${version}, expected 1 or ${INDEX_VERSION}`, 0);
  }
  const usedAt = reader.offset;
  const used = reader.u32();
  const rowsAt = reader.offset;
  const starts = version === 1 ? reader.blockU32() : reader.blockU64();
  const bucketsAt = reader.offset;
  const buckets = reader.blockU32();
  reader.end();
  if (used < 1 || used > bucketCount) {
    reader.fail(`${used} buckets are in use, expected 1 to ${bucketCount}`, usedAt);
  }
  if (starts.length < used + 1 || buckets.length < used) {
    reader.fail(
      `the index has ${starts.length} rows and ${buckets.length} bucket numbers, expected ${
        used + 1
      } and ${used}`,
      rowsAt,
    );
  }
  if (starts[0] !== 0) reader.fail(`the first bucket starts at row ${starts[0]}, expected 0`, rowsAt);
  for (let j = 1; j <= used; j++) {
    // The one bucket of a table without rows ends where it starts.
    const ascends = starts[j]! > starts[j - 1]! || (used === 1 && starts[1] === 0);
    if (!ascends) {
      reader.fail(`rows of the buckets don't ascend: ${starts[j - 1]} is followed by ${starts[j]}`, rowsAt);
    }
  }
  for (let j = 0; j < used; j++) {
    if (buckets[j]! >= bucketCount) {
      reader.fail(`bucket number ${buckets[j]} in the index, the file has ${bucketCount} buckets`, bucketsAt);
    }
  }
  return { used, starts: Array.from(starts), buckets: Array.from(buckets) };
}

function order(bigEndian: boolean): string {
  return bigEndian ? "big" : "little";
}
