/**
 * IncrementalStMan: a value is stored only where it differs from that of the row before, and holds until the next.
 * Format reference part 3, sections A1 to A7.
 */
import { TableError } from "../../error.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import type { ManagerContext, ManagerKind, StorageManager, StorageSpec } from "../manager.ts";
import { BucketFile } from "./bucket-file.ts";
import {
  BLOB_VERSION,
  hasFilePerColumn,
  HEADER_BYTES,
  OBJECT_START_BYTES,
  readBlob,
  readHeader,
  readIndex,
  rootObjectBytes,
} from "./header.ts";
import { chooseBucketBytes, isIndirect } from "./layout.ts";
import { IncrementalManager } from "./manager.ts";

/** Buckets that casacore is told to keep in memory. */
const CACHE_BUCKETS = 1;

/** The kind that serves `IncrementalStMan`. Options of a new one: `{ bucketSize?: number }`. */
export const incrementalStMan: ManagerKind = {
  serves: (type) => type === "IncrementalStMan",
  open: openManager,
  create: createManager,
};

/** Opens the manager of an existing table. @throws TableError NOT_FOUND, CORRUPT, UNSUPPORTED */
function* openManager(context: ManagerContext, blobBytes: Uint8Array): Plan<StorageManager> {
  const { columns, bigEndian, sequence } = context;
  const blob = readBlob(blobBytes, context.pathOf("table.dat"));
  const name = `table.f${sequence}`, path = context.pathOf(name);
  const fileBytes = yield* fileSize(name);
  if (fileBytes < 0) {
    throw new TableError("NOT_FOUND", "the file of an IncrementalStMan is missing", { file: path });
  }
  const header = readHeader(
    yield* readBytes(name, 0, Math.min(HEADER_BYTES, fileBytes)),
    path,
    bigEndian,
  );
  const at = HEADER_BYTES + header.bucketCount * header.bucketBytes;
  if (at + OBJECT_START_BYTES > fileBytes) {
    throw new TableError(
      "CORRUPT",
      `${header.bucketCount} buckets of ${header.bucketBytes} bytes and the index end behind offset ${at}, ` +
        `the file has ${fileBytes} bytes`,
      { file: path, offset: at },
    );
  }
  const start = yield* readBytes(name, at, OBJECT_START_BYTES);
  const indexBytes = rootObjectBytes(start, path, at, bigEndian, fileBytes - at);
  const index = readIndex(yield* readBytes(name, at, indexBytes), path, at, bigEndian, header.bucketCount);
  const file = new BucketFile(name, path, bigEndian, header, index, columns.length);
  const filePerColumn = hasFilePerColumn(blob.version, header.version);
  const names = arrayNames(context, filePerColumn);
  const sizes = (yield { kind: "size", files: names }) as number[];
  return new IncrementalManager({
    context,
    blob,
    file,
    filePerColumn,
    arrayNames: names.filter((_, i) => sizes[i]! >= 0),
    fresh: false,
  });
}

function arrayNames({ columns, sequence }: ManagerContext, filePerColumn: boolean): string[] {
  const indirect = columns.filter(isIndirect);
  if (filePerColumn) return indirect.map((_, i) => arrayFileName(sequence, i));
  return indirect.length > 0 ? [arrayFileName(sequence)] : [];
}

/** Makes the manager of a new table. @throws TableError INVALID_ARGUMENT */
function* createManager(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const { columns, bigEndian, sequence } = context;
  const bucketBytes = chooseBucketBytes(columns, spec.options);
  const name = `table.f${sequence}`;
  yield { kind: "create", file: name };
  const header = {
    version: 0,
    bucketBytes,
    bucketCount: 1,
    cacheBuckets: CACHE_BUCKETS,
    uniqueNumber: columns.filter(isIndirect).length,
    freeBuckets: 0,
    firstFree: -1,
  };
  const index = { used: 1, starts: [0, 0], buckets: [0] };
  const file = new BucketFile(name, context.pathOf(name), bigEndian, header, index, columns.length);
  const blob = { version: BLOB_VERSION, name: spec.name };
  const manager = new IncrementalManager({
    context,
    blob,
    file,
    filePerColumn: false,
    arrayNames: [],
    fresh: true,
  });
  yield* manager.startAnew();
  yield* manager.addRows(context.rowCount);
  return manager;
}
