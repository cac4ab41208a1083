/** Opening a StandardStMan and making a new one. Format reference part 2, sections 2 and 7.1. */
import { TableError } from "../../error.ts";
import { AipsReader } from "../../format/aipsio.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import { ArrayFile } from "../arrayfile/array-file.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import type { BoundColumn, ManagerContext, StorageManager, StorageSpec } from "../manager.ts";
import { parseBlob } from "./blob.ts";
import { BucketFile } from "./bucket-file.ts";
import { HEADER_BYTES, parseHeader } from "./header.ts";
import { readIndexStream } from "./index-buckets.ts";
import { bitsPerRow, bucketOptions, chooseLayout, formOf } from "./layout.ts";
import { dataFileName, StandardManager } from "./manager.ts";
import { SsmIndex } from "./ssm-index.ts";

function hasArrayFile(columns: readonly BoundColumn[]): boolean {
  return columns.some((column) => formOf(column) === "indirect");
}

/** Opens the manager of an existing table. @throws TableError CORRUPT, UNSUPPORTED, NOT_FOUND */
export function* openManager(context: ManagerContext, blobBytes: Uint8Array): Plan<StorageManager> {
  const { columns, bigEndian, sequence } = context;
  const blob = parseBlob(blobBytes, context.pathOf("table.dat"), columns.length);
  const name = dataFileName(sequence);
  const path = context.pathOf(name);
  const fileBytes = yield* fileSize(name);
  if (fileBytes < 0) {
    throw new TableError("NOT_FOUND", "the file of a StandardStMan is missing", { file: path });
  }
  const header = parseHeader(yield* readBytes(name, 0, Math.min(HEADER_BYTES, fileBytes)), {
    path,
    bigEndian,
    fileBytes,
  });
  const { bucketSize, buckets, freeBuckets, firstFree } = header;
  const file = new BucketFile(name, {
    path,
    bigEndian,
    bucketSize,
    buckets,
    freeBuckets,
    firstFree,
    fileBytes,
  });
  const index = yield* readIndexStream(file, header);
  const indices = parseIndices(index.stream, file, header.indices);
  file.usedBuckets = function* () {
    yield* index.buckets;
    for (const each of indices) for (let entry = 0; entry < each.used; entry++) yield each.bucket(entry);
  };
  const arrays = hasArrayFile(columns) ? yield* openArrays(context) : null;
  return new StandardManager({
    context,
    blob,
    file,
    indices,
    place: header,
    lastStringBucket: header.lastStringBucket,
    arrays,
    fresh: false,
  });
}

function parseIndices(stream: Uint8Array, file: BucketFile, count: number): SsmIndex[] {
  const reader = new AipsReader(stream, { file: `${file.path} (index)`, bigEndian: file.bigEndian });
  const indices: SsmIndex[] = [];
  for (let i = 0; i < count; i++) indices.push(SsmIndex.read(reader, file));
  if (reader.remaining() > 0) reader.fail(`${reader.remaining()} bytes are left behind ${count} indices`);
  return indices;
}

/** The array file. What is wrong with it is kept for those who need it: the other columns can be read. */
function* openArrays(context: ManagerContext): Plan<ArrayFile | TableError> {
  const name = arrayFileName(context.sequence);
  try {
    return yield* ArrayFile.open(name, { path: context.pathOf(name), bigEndian: context.bigEndian });
  } catch (error) {
    // A disk that fails may not fail the next time.
    if (error instanceof TableError && error.code !== "IO") return error;
    throw error;
  }
}

/** Makes the manager of a new table. @throws TableError INVALID_ARGUMENT, LIMIT */
export function* createManager(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const { columns, bigEndian, sequence } = context;
  const layout = chooseLayout(columns.map(bitsPerRow), bucketOptions(spec.options));
  const { bucketSize, rowsPerBucket, used } = layout;
  const name = dataFileName(sequence);
  const path = context.pathOf(name);
  yield { kind: "create", file: name };
  const empty = { buckets: 0, freeBuckets: 0, firstFree: -1, fileBytes: 0 };
  const file = new BucketFile(name, { path, bigEndian, bucketSize, ...empty });
  const arrayName = arrayFileName(sequence);
  const arrays = hasArrayFile(columns)
    ? yield* ArrayFile.create(arrayName, { path: context.pathOf(arrayName), bigEndian, version: 0 })
    : null;
  const manager = new StandardManager({
    context,
    blob: { name: spec.name, columnOffsets: layout.offsets, indexOfColumn: columns.map(() => 0) },
    file,
    indices: [SsmIndex.fresh(rowsPerBucket, columns.length, used, bucketSize)],
    place: { indexBuckets: 0, firstIndex: -1, indexOffset: 0, indexLength: 0 },
    lastStringBucket: -1,
    arrays,
    fresh: true,
  });
  yield* manager.addRows(context.rowCount);
  return manager;
}
