/**
 * The header of `table.f<N>`: format reference part 2, section 2.1. An AipsIO root object in the byte order of the
 * table, in the first 512 bytes of the file.
 *
 * | field | type | since version | |
 * | --- | --- | --- | --- |
 * | bigEndian | bool | 3 | older files are big endian |
 * | bucketSize | u32 | 1 | bytes |
 * | nBuckets | u32 | 1 | all of them |
 * | persCacheSize | u32 | 1 | a hint |
 * | nFreeBuckets | u32 | 1 | |
 * | firstFreeBucket | i32 | 1 | -1: none |
 * | nIndexBuckets | u32 | 1 | |
 * | firstIndexBucket | i32 | 1 | |
 * | indexBucketOffset | u32 | 2 | 0: the index starts at byte 8 of a chain of buckets; else it stands there, in one bucket |
 * | lastStringBucket | i32 | 1 | where new strings go, -1: nowhere yet |
 * | indexLength | u32 | 1 | bytes of the index stream |
 * | nIndices | u32 | 1 | SSMIndex objects in it |
 */
import { TableError } from "../../error.ts";
import { AipsReader, AipsWriter } from "../../format/aipsio.ts";

/** Bytes before bucket 0. */
export const HEADER_BYTES = 512;
/** Bytes of the two link words of an index bucket. */
export const INDEX_LINK_BYTES = 8;
/** Bytes of the header of a string bucket. */
export const STRING_HEADER_BYTES = 16;
/** The cache hint that casacore writes. */
const CACHE_BUCKETS = 2;
/** Smallest SSMIndex object. */
const MIN_INDEX_BYTES = 60;

/** The header's content. */
export interface SsmHeader {
  bucketSize: number;
  buckets: number;
  freeBuckets: number;
  firstFree: number;
  indexBuckets: number;
  firstIndex: number;
  indexOffset: number;
  lastStringBucket: number;
  indexLength: number;
  indices: number;
}

/** Reads the header from the file's first bytes. @throws TableError CORRUPT, UNSUPPORTED */
export function parseHeader(
  bytes: Uint8Array,
  options: { path: string; bigEndian: boolean; fileBytes: number },
): SsmHeader {
  const { path, bigEndian, fileBytes } = options;
  const reader = new AipsReader(bytes, { file: path, bigEndian });
  const { version } = reader.root("StandardStMan");
  if (version < 1 || version > 3) {
    throw new TableError("UNSUPPORTED", `StandardStMan file has version ${version}, expected 1 to 3`, {
      file: path,
    });
  }
  if ((version >= 3 ? reader.bool() : true) !== bigEndian) {
    reader.fail(
      `the file says that it is ${bigEndian ? "little" : "big"} endian, table.dat says the opposite`,
    );
  }
  const bucketSize = reader.u32();
  const buckets = reader.u32();
  reader.u32();
  const freeBuckets = reader.u32();
  const firstFree = reader.i32();
  const indexBuckets = reader.u32();
  const firstIndex = reader.i32();
  const indexOffset = version >= 2 ? reader.u32() : 0;
  const lastStringBucket = reader.i32();
  const indexLength = reader.u32();
  const indices = reader.u32();
  reader.end();
  const expect = (holds: boolean, message: string) => {
    if (!holds) reader.fail(message, 0);
  };
  expect(
    bucketSize > STRING_HEADER_BYTES,
    `buckets have ${bucketSize} bytes, expected more than ${STRING_HEADER_BYTES}`,
  );
  expect(
    HEADER_BYTES + buckets * bucketSize <= fileBytes,
    `there are ${buckets} buckets of ${bucketSize} bytes behind ${HEADER_BYTES} bytes, the file has ${fileBytes}`,
  );
  expect(freeBuckets <= buckets, `${freeBuckets} of ${buckets} buckets are free`);
  expect(inFile(firstFree, buckets), `the first free bucket is ${firstFree}, there are ${buckets}`);
  expect(
    inFile(lastStringBucket, buckets),
    `the last string bucket is ${lastStringBucket}, there are ${buckets}`,
  );
  expect(inFile(firstIndex, buckets), `the first index bucket is ${firstIndex}, there are ${buckets}`);
  expect(indexBuckets <= buckets, `the index takes ${indexBuckets} of ${buckets} buckets`);
  const room = indexOffset > 0 ? bucketSize - indexOffset : indexBuckets * (bucketSize - INDEX_LINK_BYTES);
  expect(
    indexLength <= room && (indexOffset === 0 || indexBuckets === 1),
    `the index has ${indexLength} bytes from offset ${indexOffset} on in ${indexBuckets} buckets of ${bucketSize} bytes`,
  );
  expect(indexLength === 0 || firstIndex >= 0, `the index has ${indexLength} bytes, but no bucket`);
  expect(indices * MIN_INDEX_BYTES <= indexLength, `${indices} indices stand in ${indexLength} bytes`);
  return {
    bucketSize,
    buckets,
    freeBuckets,
    firstFree,
    indexBuckets,
    firstIndex,
    indexOffset,
    lastStringBucket,
    indexLength,
    indices,
  };
}

function inFile(bucket: number, buckets: number): boolean {
  return bucket >= -1 && bucket < buckets;
}

/** The header's bytes, padded to where bucket 0 begins. */
export function formatHeader(header: SsmHeader, bigEndian: boolean): Uint8Array {
  const writer = new AipsWriter({ bigEndian });
  writer.root("StandardStMan", bigEndian ? 2 : 3);
  if (!bigEndian) writer.bool(false);
  writer.u32(header.bucketSize);
  writer.u32(header.buckets);
  writer.u32(CACHE_BUCKETS);
  writer.u32(header.freeBuckets);
  writer.i32(header.firstFree);
  writer.u32(header.indexBuckets);
  writer.i32(header.firstIndex);
  writer.u32(header.indexOffset);
  writer.i32(header.lastStringBucket);
  writer.u32(header.indexLength);
  writer.u32(header.indices);
  writer.end();
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(writer.finish());
  return bytes;
}
