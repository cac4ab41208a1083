/**
 * A StandardStMan: `table.f<N>` with its header, index and buckets, and `table.f<N>i` if there are arrays outside the
 * buckets. In memory are the header, the index and the head of the free list.
 */
import { TableError } from "../../error.ts";
import type { Rows } from "../../array/rows.ts";
import { AipsWriter } from "../../format/aipsio.ts";
import type { Plan } from "../../io/plan.ts";
import { ArrayFile } from "../arrayfile/array-file.ts";
import { ARRAY_HEADER_BYTES, arrayFileName } from "../arrayfile/header.ts";
import type {
  BoundColumn,
  BucketGrid,
  ManagedColumn,
  ManagerContext,
  ManagerInfo,
  StorageManager,
} from "../manager.ts";
import type { Finding } from "../findings.ts";
import { Area } from "./area.ts";
import { formatBlob, type SsmBlob, withColumn, withoutColumn } from "./blob.ts";
import type { BucketFile } from "./bucket-file.ts";
import { checkStandard } from "./check.ts";
import { placeInRooms } from "./free-space.ts";
import { FixedStringColumn } from "./fixed-string-column.ts";
import { formatHeader } from "./header.ts";
import type { ColumnHost } from "./host.ts";
import { type IndexPlace, writeIndexStream, type WrittenIndex } from "./index-buckets.ts";
import { IndirectColumn } from "./indirect-column.ts";
import { areaBytes, bitsPerRow, chooseLayout, formOf } from "./layout.ts";
import { Pieces } from "./pieces.ts";
import { type Referring, removeRows } from "./row-removal.ts";
import { SsmIndex } from "./ssm-index.ts";
import { StringArrayColumn } from "./string-array-column.ts";
import { releaseAll, StringColumn } from "./string-column.ts";
import { INLINE_BYTES } from "./string-references.ts";
import { ValuesColumn } from "./values-column.ts";

/** What a manager is made of. */
export interface Parts {
  readonly context: ManagerContext;
  readonly blob: SsmBlob;
  readonly file: BucketFile;
  readonly indices: SsmIndex[];
  readonly place: IndexPlace;
  readonly lastStringBucket: number;
  /** The array file, what was wrong with it, or null if there is none. */
  readonly arrays: ArrayFile | TableError | null;
  /** True for a new one. */
  readonly fresh: boolean;
}

/** Name of the file of a StandardStMan. */
export function dataFileName(sequence: number): string {
  return `table.f${sequence}`;
}

/** A StandardStMan. */
export class StandardManager implements StorageManager, ColumnHost {
  readonly type = "StandardStMan";
  readonly name: string;
  readonly sequence: number;
  readonly file: BucketFile;
  readonly tail: { lastStringBucket: number };
  readonly #context: ManagerContext;
  #blob: SsmBlob;
  readonly #indices: SsmIndex[];
  #arrays: ArrayFile | TableError | null;
  readonly #bound: readonly BoundColumn[];
  readonly #areas: readonly Area[];
  readonly #columns: readonly ManagedColumn[];
  /** Indices whose last bucket has unused slots that may hold something. */
  readonly #stale: Set<SsmIndex>;
  #place: IndexPlace;
  /** The index as it was last written. */
  #index: WrittenIndex | null = null;
  #dirty: boolean;
  /** Changes of index and columns that header and rows don't show. */
  #changes = 0;
  #flushed: string;

  constructor(parts: Parts) {
    const { context, blob, file, indices } = parts;
    this.name = blob.name;
    this.sequence = context.sequence;
    this.file = file;
    this.tail = { lastStringBucket: parts.lastStringBucket };
    this.#context = context;
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

  grids(): BucketGrid[] {
    const { file, bucketSize, buckets } = this.file;
    return [{ file, offset: this.file.offsetOf(0), bucketBytes: bucketSize, count: buckets }];
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

  /** Rows of every index. @throws TableError CORRUPT when they disagree */
  #commonRows(): number {
    const rows = this.rowCount;
    for (const index of this.#indices) {
      if (index.rows !== rows) {
        throw new TableError("CORRUPT", `one index has ${index.rows} rows, another ${rows}`, {
          file: this.file.path,
        });
      }
    }
    return rows;
  }

  *addRows(count: number): Plan<void> {
    const before = this.#commonRows();
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

  *removeRows(rows: Rows): Plan<void> {
    const before = this.#commonRows();
    if (rows.length === 0) return;
    checkRemovable(rows, before);
    this.#changed();
    if (rows.length === before) yield* this.#startAnew();
    else {
      yield* removeRows(
        {
          file: this.file,
          tail: this.tail,
          indices: this.#indices,
          areas: this.#areas,
          referring: this.#areas.flatMap((_, i) => this.#referring(i)),
        },
        rows,
      );
      // Another bucket may be the last now, and casacore may have left old values in it.
      for (const index of this.#indices) this.#stale.add(index);
    }
    for (const column of this.#columns) if (column instanceof IndirectColumn) column.forget();
  }

  /** Makes the files those of a new table without rows, with buckets of the same size, as casacore does. */
  *#startAnew(): Plan<void> {
    const { bucketSize, rowsPerBucket, offsets, used } = chooseLayout(
      this.#bound.map(bitsPerRow),
      { bucketSize: this.file.bucketSize },
    );
    yield* this.file.restart(bucketSize);
    if (this.#arrays instanceof ArrayFile) yield* this.#arrays.clear();
    const index = SsmIndex.fresh(rowsPerBucket, this.#bound.length, used, bucketSize);
    this.#indices.splice(0, this.#indices.length, index);
    this.#areas.forEach((area, i) => area.move(index, offsets[i]!));
    this.#blob = { name: this.name, columnOffsets: offsets, indexOfColumn: offsets.map(() => 0) };
    this.#place = { indexBuckets: 0, firstIndex: -1, indexOffset: 0, indexLength: 0 };
    this.tail.lastStringBucket = -1;
    this.#stale.clear();
  }

  *addColumn(column: BoundColumn): Plan<void> {
    const rows = this.#commonRows();
    const bits = bitsPerRow(column);
    const rowsPerBucket = Math.floor(8 * this.file.bucketSize / bits);
    const rooms = this.#indices.map(({ freeSpace, rowsPerBucket }) => ({
      freeSpace,
      bytes: areaBytes(rowsPerBucket, bits),
    }));
    const place = placeInRooms(rooms, bits);
    if (place === null && rowsPerBucket < 1) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `a cell of column ${column.name} takes ${areaBytes(1, bits)} bytes in a bucket, buckets have ` +
          `${this.file.bucketSize}: it needs a manager of its own`,
        { file: this.file.path },
      );
    }
    if (place !== null) {
      this.#checkUnused(this.#indices[place.index]!, place.offset, rooms[place.index]!.bytes);
    }
    if (formOf(column) === "indirect") yield* this.#needArrays();
    this.#changed();
    const number = place?.index ?? this.#indices.length, offset = place?.offset ?? 0;
    if (place === null) {
      const index = SsmIndex.fresh(rowsPerBucket, 1, areaBytes(rowsPerBucket, bits), this.file.bucketSize);
      this.#indices.push(index);
      yield* this.#addRowsTo(index, rows);
    } else this.#indices[number]!.addColumn(offset, areaBytes(this.#indices[number]!.rowsPerBucket, bits));
    const area = new Area(this.file, this.#indices[number]!, offset, bits);
    if (place !== null) yield* area.wipe();
    this.#blob = withColumn(this.#blob, this.#bound.length, { offset, index: number });
    const made = makeColumn(this, area, column);
    if (made instanceof IndirectColumn) yield* made.addRows(0, rows);
  }

  /** @throws TableError CORRUPT where bytes that are said to be unused are a column's */
  #checkUnused(index: SsmIndex, offset: number, bytes: number): void {
    for (const [i, area] of this.#areas.entries()) {
      if (area.index !== index || area.offset >= offset + bytes || area.offset + area.bytes <= offset) {
        continue;
      }
      throw new TableError(
        "CORRUPT",
        `bytes ${offset} to ${offset + bytes} of each bucket are said to be unused, column ${
          this.#bound[i]!.name
        } begins at ${area.offset}`,
        { file: this.file.path },
      );
    }
  }

  /** Sees to it that there is a file of arrays. One that no column used is begun anew. */
  *#needArrays(): Plan<void> {
    if (this.#arrays instanceof TableError) throw this.#arrays;
    if (this.#arrays !== null) return;
    const { bigEndian, pathOf } = this.#context;
    const name = arrayFileName(this.sequence);
    this.#arrays = yield* ArrayFile.create(name, { path: pathOf(name), bigEndian, version: 0 });
  }

  *removeColumn(number: number): Plan<void> {
    this.#commonRows();
    const area = this.#areas[number]!, { index } = area;
    this.#changed();
    for (const { area, inline } of this.#referring(number)) {
      yield* releaseAll(area, inline, this.file, this.tail);
    }
    const left = this.#areas.filter((other) => other !== area && other.index === index).length;
    index.removeColumn(area.offset, area.bytes, left);
    const dropped = left === 0 ? this.#indices.indexOf(index) : null;
    if (dropped !== null) {
      for (let entry = 0; entry < index.used; entry++) yield* this.file.free(index.bucket(entry));
      this.#indices.splice(dropped, 1);
      this.#stale.delete(index);
    }
    this.#blob = withoutColumn(this.#blob, this.#bound.length, number, dropped);
    const indirect = this.#bound.filter((column, i) => i !== number && formOf(column) === "indirect");
    if (indirect.length === 0 && this.#arrays instanceof ArrayFile) yield* this.#arrays.clear();
  }

  /** A column as one that refers to string buckets, if it does. */
  #referring(i: number): Referring[] {
    const form = formOf(this.#bound[i]!), area = this.#areas[i]!;
    if (form === "string") return [{ area, inline: INLINE_BYTES }];
    return form === "stringArray" ? [{ area, inline: 0 }] : [];
  }

  #changed(): void {
    this.#dirty = true;
    this.#changes++;
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
      this.#index = yield* writeIndexStream(this.file, this.#place, writer.finish(), this.#index);
      this.#place = this.#index.place;
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
    const rows = this.#indices.map((index) => index.rows);
    return [this.#changes, buckets, freeBuckets, firstFree, this.tail.lastStringBucket, ...rows].join();
  }
}

/** @throws TableError INVALID_ARGUMENT unless rows ascend, are distinct, and less than `rowCount` */
function checkRemovable(rows: Rows, rowCount: number): void {
  let next = 0;
  for (const { row, count } of rows.runs()) {
    if (row < next || row + count > rowCount) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `row ${row} can't be removed: rows in ascending order from ${next} on below ${rowCount} expected`,
      );
    }
    next = row + count;
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
