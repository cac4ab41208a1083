/**
 * IncrementalStMan: a value is stored only where it differs from that of the row before, and holds until the next.
 * Format reference part 3, sections A1 to A6.
 */
import { TableError } from "../../error.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import { LazyArrayFile } from "../arrayfile/lazy.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  ManagerKind,
  StorageManager,
} from "../manager.ts";
import type { Finding } from "../findings.ts";
import { BucketFile } from "./bucket-file.ts";
import { checkIncremental } from "./check.ts";
import {
  hasFilePerColumn,
  HEADER_BYTES,
  type IncrementalHeader,
  OBJECT_START_BYTES,
  readBlob,
  readHeader,
  readIndex,
  rootObjectBytes,
} from "./header.ts";
import { IndirectColumn } from "./indirect-column.ts";
import { ValuesColumn } from "./values-column.ts";

/** The kind that serves `IncrementalStMan`. */
export const incrementalStMan: ManagerKind = {
  serves: (type) => type === "IncrementalStMan",
  open: openManager,
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
  const arrays = arrayFiles(context, hasFilePerColumn(blob.version, header.version));
  const names = [...new Set(arrays.map((each) => each?.name))].filter((each) => each !== undefined);
  const sizes = (yield { kind: "size", files: names }) as number[];
  return new IncrementalManager(
    context,
    blob.name,
    header,
    file,
    arrays,
    names.filter((_, i) => sizes[i]! >= 0),
  );
}

/** For each column its array file: one for all, or one each, or null for columns whose values are in the buckets. */
function arrayFiles(context: ManagerContext, perColumn: boolean): (LazyArrayFile | null)[] {
  const { sequence, bigEndian } = context;
  const open = (name: string) => new LazyArrayFile(name, context.pathOf(name), bigEndian);
  const common = open(arrayFileName(sequence));
  let next = 0;
  return context.columns.map((column) => {
    if (!isIndirect(column)) return null;
    return perColumn ? open(arrayFileName(sequence, next++)) : common;
  });
}

function isIndirect(column: BoundColumn): boolean {
  return column.kind === "record" || (column.kind === "array" && !column.direct);
}

class IncrementalManager implements StorageManager {
  readonly type = "IncrementalStMan";
  readonly name: string;
  readonly sequence: number;
  readonly rowCount: number;
  readonly dirty = false;
  readonly info: ManagerInfo;
  readonly check: () => Plan<Finding[]>;
  readonly #files: readonly string[];
  readonly #columns: readonly ManagedColumn[];

  constructor(
    context: ManagerContext,
    name: string,
    header: IncrementalHeader,
    file: BucketFile,
    arrays: readonly (LazyArrayFile | null)[],
    arrayNames: readonly string[],
  ) {
    this.name = name;
    this.sequence = context.sequence;
    this.rowCount = file.rowCount;
    this.info = {
      bucketSize: header.bucketBytes,
      buckets: header.bucketCount,
      freeBuckets: header.freeBuckets,
    };
    this.check = () => checkIncremental({ bound: context.columns, file, arrays });
    this.#files = [file.name, ...arrayNames];
    this.#columns = context.columns.map((bound, i) => {
      const array = arrays[i]!;
      if (array !== null) return new IndirectColumn(file, i, bound, array);
      if (bound.kind === "array" && bound.shape === null) {
        throw new TableError("CORRUPT", `column ${bound.name} is direct, but has no shape`, {
          file: context.pathOf("table.dat"),
        });
      }
      return new ValuesColumn(file, i, bound);
    });
  }

  files(): string[] {
    return [...this.#files];
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }
}
