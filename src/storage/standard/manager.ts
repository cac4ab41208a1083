/**
 * A StandardStMan: `table.f<N>` with its header, index and buckets, and `table.f<N>i` if there are arrays outside the
 * buckets. In memory are the header, the index and the head of the free list.
 */
import { TableError } from "../../error.ts";
import { AipsReader, AipsWriter } from "../../format/aipsio.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import { ArrayFile } from "../arrayfile/array-file.ts";
import { ARRAY_HEADER_BYTES, arrayFileName } from "../arrayfile/header.ts";
import type {
  BoundColumn,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  StorageManager,
  StorageSpec,
} from "../manager.ts";
import { Area } from "./area.ts";
import { formatBlob, parseBlob, type SsmBlob } from "./blob.ts";
import type { Finding } from "../findings.ts";
import { BucketFile } from "./bucket-file.ts";
import { checkStandard } from "./check.ts";
import { FixedStringColumn } from "./fixed-string-column.ts";
import { formatHeader, HEADER_BYTES, parseHeader } from "./header.ts";
import type { ColumnHost } from "./host.ts";
import { type IndexPlace, readIndexStream, writeIndexStream } from "./index-buckets.ts";
import { IndirectColumn } from "./indirect-column.ts";
import { areaBytes, bitsPerRow, bucketOptions, chooseLayout, formOf } from "./layout.ts";
import { Pieces } from "./pieces.ts";
import { SsmIndex } from "./ssm-index.ts";
import { StringArrayColumn } from "./string-array-column.ts";
import { StringColumn } from "./string-column.ts";
import { ValuesColumn } from "./values-column.ts";

/** What a manager is made of. */
interface Parts {
  readonly context: ManagerContext;
  readonly blob: SsmBlob;
  readonly file: BucketFile;
  readonly indices: readonly SsmIndex[];
  readonly place: IndexPlace;
  readonly lastStringBucket: number;
  /** The array file, what was wrong with it, or null if there is none. */
  readonly arrays: ArrayFile | TableError | null;
  /** True for a new one. */
  readonly fresh: boolean;
}

function dataFileName(sequence: number): string {
  return `table.f${sequence}`;
}

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
    if (error instanceof TableError) return error;
    throw error;
  }
}

/** Makes the manager of a new table. @throws TableError INVALID_ARGUMENT, LIMIT */
export function* createManager(context: ManagerContext, spec: StorageSpec): Plan<StorageManager> {
  const { columns, bigEndian, sequence } = context;
  const layout = chooseLayout(columns.map(bitsPerRow), bucketOptions(spec.options));
  const { bucketSize, rowsPerBucket, used } = layout;
  const freeSpace = used < bucketSize ? [{ offset: used, length: bucketSize - used }] : [];
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
    indices: [new SsmIndex(rowsPerBucket, columns.length, freeSpace)],
    place: { indexBuckets: 0, firstIndex: -1, indexOffset: 0, indexLength: 0 },
    lastStringBucket: -1,
    arrays,
    fresh: true,
  });
  yield* manager.addRows(context.rowCount);
  return manager;
}

class StandardManager implements StorageManager, ColumnHost {
  readonly type = "StandardStMan";
  readonly name: string;
  readonly sequence: number;
  readonly file: BucketFile;
  readonly tail: { lastStringBucket: number };
  readonly #blob: SsmBlob;
  readonly #indices: readonly SsmIndex[];
  readonly #arrays: ArrayFile | TableError | null;
  readonly #bound: readonly BoundColumn[];
  readonly #areas: readonly Area[];
  readonly #columns: readonly ManagedColumn[];
  /** Indices whose last bucket has unused slots that may hold something. */
  readonly #stale: Set<SsmIndex>;
  #place: IndexPlace;
  #dirty: boolean;
  #flushed: string;

  constructor(parts: Parts) {
    const { context, blob, file, indices } = parts;
    this.name = blob.name;
    this.sequence = context.sequence;
    this.file = file;
    this.tail = { lastStringBucket: parts.lastStringBucket };
    this.#blob = blob;
    this.#indices = indices;
    this.#arrays = parts.arrays;
    this.#place = parts.place;
    this.#dirty = parts.fresh;
    this.#stale = new Set(parts.fresh ? [] : indices);
    this.#bound = context.columns;
    this.#areas = context.columns.map((column, i) => this.#areaOf(column, i, context));
    this.#columns = context.columns.map((column, i) => makeColumn(this, this.#areas[i]!, column));
    this.#flushed = parts.fresh ? "" : this.#structure();
  }

  /** A column's place, checked against the buckets. */
  #areaOf(column: BoundColumn, i: number, context: ManagerContext): Area {
    const offset = this.#blob.columnOffsets[i]!, number = this.#blob.indexOfColumn[i]!;
    const index = this.#indices[number];
    const path = context.pathOf("table.dat");
    if (index === undefined) {
      throw new TableError(
        "CORRUPT",
        `column ${column.name} belongs to index ${number} of ${this.file.path}, which has ${this.#indices.length}`,
        { file: path },
      );
    }
    const bits = bitsPerRow(column);
    const end = offset + areaBytes(index.rowsPerBucket, bits);
    if (!(end <= this.file.bucketSize)) {
      throw new TableError(
        "CORRUPT",
        `column ${column.name} takes bytes ${offset} to ${end} of each bucket of ${this.file.path}, which has ` +
          `${this.file.bucketSize}`,
        { file: path },
      );
    }
    return new Area(this.file, index, offset, bits);
  }

  get dirty(): boolean {
    return this.#dirty;
  }

  get rowCount(): number {
    return this.#indices.length === 0 ? 0 : Math.min(...this.#indices.map((index) => index.rows));
  }

  files(): string[] {
    const names = [dataFileName(this.sequence)];
    if (this.#arrays instanceof ArrayFile) names.push(this.#arrays.file);
    return names;
  }

  column(index: number): ManagedColumn {
    return this.#columns[index]!;
  }

  arrays(): ArrayFile {
    if (this.#arrays instanceof ArrayFile) return this.#arrays;
    throw this.#arrays ??
      new TableError("CORRUPT", "there is no file of array values", { file: this.file.path });
  }

  touched(): void {
    this.#dirty = true;
  }

  outsideBytes(where: "strings" | "arrays"): number {
    const users = this.#columns.filter((column) =>
      where === "arrays"
        ? column instanceof IndirectColumn
        : column instanceof StringColumn || column instanceof StringArrayColumn
    );
    if (users.length !== 1) return 0;
    if (where === "strings") return this.#stringBuckets() * this.file.bucketSize;
    return this.#arrays instanceof ArrayFile ? this.#arrays.length - ARRAY_HEADER_BYTES : 0;
  }

  /** Buckets that are nothing else. */
  #stringBuckets(): number {
    const data = this.#indices.reduce((sum, index) => sum + index.used, 0);
    return Math.max(0, this.file.buckets - data - this.file.freeBuckets - this.#place.indexBuckets);
  }

  get info(): ManagerInfo {
    const dataBuckets = this.#indices.reduce((sum, index) => sum + index.used, 0);
    const { buckets, freeBuckets, bucketSize } = this.file;
    const info = {
      bucketSize,
      bucketRows: this.#indices.map((index) => index.rowsPerBucket),
      buckets,
      dataBuckets,
      stringBuckets: this.#stringBuckets(),
      indexBuckets: this.#place.indexBuckets,
      freeBuckets,
      indices: this.#indices.length,
    };
    return this.#arrays instanceof ArrayFile ? { ...info, arrayFileBytes: this.#arrays.length } : info;
  }

  check(): Plan<Finding[]> {
    return checkStandard({
      bound: this.#bound,
      columns: this.#columns,
      areas: this.#areas,
      file: this.file,
      indices: this.#indices,
      place: this.#place,
      lastStringBucket: this.tail.lastStringBucket,
      arrays: this.#arrays,
    });
  }

  *addRows(count: number): Plan<void> {
    const before = this.rowCount;
    for (const index of this.#indices) {
      if (index.rows !== before) {
        throw new TableError("CORRUPT", `one index has ${index.rows} rows, another ${before}`, {
          file: this.file.path,
        });
      }
    }
    if (!Number.isSafeInteger(before + count)) {
      throw new TableError("LIMIT", `a table can't have ${before + count} rows`, { file: this.file.path });
    }
    if (count === 0) return;
    this.#dirty = true;
    for (const index of this.#indices) yield* this.#addRowsTo(index, count);
    for (const column of this.#columns) {
      if (column instanceof IndirectColumn) yield* column.addRows(before, count);
    }
  }

  /** Fills up the last bucket of an index, whose unused slots are made zero, then takes new ones. */
  *#addRowsTo(index: SsmIndex, count: number): Plan<void> {
    const last = index.used - 1;
    const used = last < 0 ? index.rowsPerBucket : index.endRow(last) - index.firstRow(last);
    const room = Math.min(count, index.rowsPerBucket - used);
    const buckets = yield* this.file.takeZeroed(Math.ceil((count - room) / index.rowsPerBucket));
    if (room > 0) {
      if (this.#stale.has(index)) yield* this.#clearUnused(index, index.bucket(last), used);
      index.extendLast(room);
    }
    this.#stale.delete(index);
    index.append(buckets, count - room);
  }

  /** casacore leaves old values in slots of removed rows at the end of a table (format reference part 2, section 7.2). */
  *#clearUnused(index: SsmIndex, bucket: number, used: number): Plan<void> {
    const rows = index.rowsPerBucket - used;
    for (const area of this.#areas) {
      if (area.index === index) yield* area.clear(Pieces.slots(bucket, used, rows), rows);
    }
  }

  *flush(): Plan<Uint8Array> {
    const arrays = this.#arrays instanceof ArrayFile ? this.#arrays : null;
    if (arrays?.dirty) yield* arrays.settle();
    const restructured = this.#structure() !== this.#flushed;
    if (arrays?.dirty || restructured) yield { kind: "barrier" };
    if (arrays !== null) yield* arrays.flush();
    if (restructured) {
      const writer = new AipsWriter({ bigEndian: this.file.bigEndian });
      for (const index of this.#indices) index.write(writer);
      this.#place = yield* writeIndexStream(this.file, this.#place, writer.finish());
      yield { kind: "barrier" };
      yield { kind: "write", file: this.file.file, offset: 0, bytes: this.#header() };
      this.#flushed = this.#structure();
    }
    this.#dirty = false;
    return formatBlob(this.#blob);
  }

  #header(): Uint8Array {
    const { bucketSize, buckets, freeBuckets, firstFree, bigEndian } = this.file;
    const { lastStringBucket } = this.tail;
    const indices = this.#indices.length;
    return formatHeader(
      { bucketSize, buckets, freeBuckets, firstFree, lastStringBucket, indices, ...pick(this.#place) },
      bigEndian,
    );
  }

  /** Everything that header and index say, so far as it changes. */
  #structure(): string {
    const { buckets, freeBuckets, firstFree } = this.file;
    return [buckets, freeBuckets, firstFree, this.tail.lastStringBucket, ...this.#indices.map((i) => i.rows)]
      .join();
  }
}

function pick({ indexBuckets, firstIndex, indexOffset, indexLength }: IndexPlace): IndexPlace {
  return { indexBuckets, firstIndex, indexOffset, indexLength };
}

function makeColumn(host: ColumnHost, area: Area, column: BoundColumn): ManagedColumn {
  switch (formOf(column)) {
    case "values":
      return new ValuesColumn(host, area, column);
    case "fixedString":
      return new FixedStringColumn(host, area, column);
    case "string":
      return new StringColumn(host, area, column);
    case "stringArray":
      return new StringArrayColumn(host, area, column);
    case "indirect":
      return new IndirectColumn(host, area, column);
  }
}
