/**
 * SSMIndex: which data bucket holds which rows. Format reference part 2, section 2.4: an AipsIO root object in the byte
 * order of the table.
 *
 * | field | type | |
 * | --- | --- | --- |
 * | nUsed | u32 | data buckets |
 * | rowsPerBucket | u32 | rows that fit in one |
 * | nrColumns | i32 | |
 * | freeSpace | SimpleOrderedMap of i32, i32 | unused bytes of each data bucket: offset → length |
 * | lastRow | Block of u32 (version 1) or u64 (2) | last row in each bucket, ascending |
 * | bucketNumber | Block of u32 | |
 */
import type { Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { AipsReader, AipsWriter } from "../../format/aipsio.ts";
import { type FreeSpace, givenBack, taken } from "./free-space.ts";

/** Largest row number of a version 1 index. */
const MAX_ROW_VERSION_1 = 2 ** 31 - 1;

/** Rows of one data bucket that are to leave it. */
export interface Cut {
  /** Which of the index's data buckets. */
  readonly entry: number;
  /** Their slots as stretches, ascending: start, end, start, end, … */
  readonly slots: readonly number[];
  /** Number of them. */
  readonly rows: number;
}

/** The data buckets of some columns, in row order. */
export class SsmIndex {
  readonly rowsPerBucket: number;
  #columns: number;
  #freeSpace: readonly FreeSpace[];
  #used: number;
  #lastRow: Float64Array;
  #bucket: Float64Array;

  constructor(
    rowsPerBucket: number,
    columns: number,
    freeSpace: readonly FreeSpace[],
    lastRow: Float64Array = new Float64Array(0),
    bucket: Float64Array = new Float64Array(0),
  ) {
    this.rowsPerBucket = rowsPerBucket;
    this.#columns = columns;
    this.#freeSpace = freeSpace;
    this.#lastRow = lastRow;
    this.#bucket = bucket;
    this.#used = lastRow.length;
  }

  /** An index without rows, whose columns take the first `usedBytes` of each bucket. */
  static fresh(rowsPerBucket: number, columns: number, usedBytes: number, bucketSize: number): SsmIndex {
    const rest = { offset: usedBytes, length: bucketSize - usedBytes };
    return new SsmIndex(rowsPerBucket, columns, rest.length > 0 ? [rest] : []);
  }

  /** Number of columns in its buckets. */
  get columns(): number {
    return this.#columns;
  }

  /** Unused bytes of each data bucket, in ascending order. */
  get freeSpace(): readonly FreeSpace[] {
    return this.#freeSpace;
  }

  /** Number of data buckets. */
  get used(): number {
    return this.#used;
  }

  /** Number of rows. */
  get rows(): number {
    return this.#used === 0 ? 0 : this.#lastRow[this.#used - 1]! + 1;
  }

  /** Bucket number of the `entry`-th data bucket. */
  bucket(entry: number): number {
    return this.#bucket[entry]!;
  }

  /** First row in the `entry`-th data bucket. */
  firstRow(entry: number): number {
    return entry === 0 ? 0 : this.#lastRow[entry - 1]! + 1;
  }

  /** The row behind the last one of the `entry`-th data bucket. */
  endRow(entry: number): number {
    return this.#lastRow[entry]! + 1;
  }

  /** The entry whose bucket holds `row`, which is less than `rows`. `hint`: an entry at or near it. */
  find(row: number, hint = 0): number {
    for (let entry = hint; entry < Math.min(hint + 2, this.#used); entry++) {
      if (this.#lastRow[entry]! >= row && this.firstRow(entry) <= row) return entry;
    }
    let low = 0, high = this.#used - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lastRow[middle]! >= row) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Raises the number of rows in the last bucket. */
  extendLast(rows: number): void {
    this.#lastRow[this.#used - 1]! += rows;
  }

  /** Adds data buckets that hold `rows` more rows, all full but the last. */
  append(buckets: Iterable<number>, rows: number): void {
    let last = this.rows - 1;
    const end = last + rows;
    for (const bucket of buckets) {
      if (this.#used === this.#bucket.length) this.#grow();
      last = Math.min(end, last + this.rowsPerBucket);
      this.#lastRow[this.#used] = last;
      this.#bucket[this.#used++] = bucket;
    }
  }

  /** Which slots of which buckets hold `rows`, which ascend, are distinct, and less than `this.rows`. */
  cuts(rows: Rows): Cut[] {
    const cuts: { entry: number; slots: number[]; rows: number }[] = [];
    let entry = 0;
    for (const run of rows.runs()) {
      const end = run.row + run.count;
      for (let row = run.row; row < end;) {
        entry = this.find(row, entry);
        const first = this.firstRow(entry), stop = Math.min(end, this.endRow(entry));
        let cut = cuts.at(-1);
        if (cut?.entry !== entry) cuts.push(cut = { entry, slots: [], rows: 0 });
        cut.slots.push(row - first, stop - first);
        cut.rows += stop - row;
        row = stop;
      }
    }
    return cuts;
  }

  /** True for a cut that leaves nothing in its bucket. */
  empties({ entry, rows }: Cut): boolean {
    return rows === this.endRow(entry) - this.firstRow(entry);
  }

  /** Takes rows out; buckets that are empty now are no longer its own. */
  removeRows(cuts: readonly Cut[]): void {
    if (cuts.length === 0) return;
    let kept = cuts[0]!.entry, next = 0, gone = 0;
    for (let entry = kept, first = this.firstRow(entry); entry < this.#used; entry++) {
      const last = this.#lastRow[entry]!, cut = cuts[next];
      const leaving = cut?.entry === entry ? cut.rows : 0;
      if (leaving > 0) next++;
      gone += leaving;
      if (leaving <= last - first) {
        this.#lastRow[kept] = last - gone;
        this.#bucket[kept++] = this.#bucket[entry]!;
      }
      first = last + 1;
    }
    this.#used = kept;
  }

  /** Gives the bytes from `offset` on, which are unused, to a column. */
  addColumn(offset: number, length: number): void {
    this.#columns++;
    this.#freeSpace = taken(this.#freeSpace, offset, length);
  }

  /** Takes a column's bytes back; `left` columns remain. */
  removeColumn(offset: number, length: number, left: number): void {
    this.#columns = left;
    this.#freeSpace = givenBack(this.#freeSpace, { offset, length });
  }

  #grow(): void {
    const capacity = Math.max(16, 2 * this.#used);
    for (const name of ["row", "bucket"] as const) {
      const grown = new Float64Array(capacity);
      grown.set(name === "row" ? this.#lastRow : this.#bucket);
      if (name === "row") this.#lastRow = grown;
      else this.#bucket = grown;
    }
  }

  /** Appends the object to an index stream. */
  write(writer: AipsWriter): void {
    const lastRow = this.#lastRow.subarray(0, this.#used);
    const wide = this.rows - 1 > MAX_ROW_VERSION_1;
    writer.root("SSMIndex", wide ? 2 : 1);
    writer.u32(this.#used);
    writer.u32(this.rowsPerBucket);
    writer.i32(this.#columns);
    writer.begin("SimpleOrderedMap", 1);
    writer.i32(0);
    writer.u32(this.#freeSpace.length);
    writer.u32(1);
    for (const { offset, length } of this.#freeSpace) {
      writer.i32(offset);
      writer.i32(length);
    }
    writer.end();
    if (wide) writer.blockU64(lastRow);
    else writer.blockU32(lastRow);
    writer.blockU32(this.#bucket.subarray(0, this.#used));
    writer.end();
  }

  /**
   * Reads the next object of an index stream.
   *
   * @throws TableError CORRUPT unless rows ascend by at most `rowsPerBucket` and bucket numbers are below `buckets`;
   * UNSUPPORTED for another version.
   */
  static read(reader: AipsReader, limits: { buckets: number; bucketSize: number }): SsmIndex {
    const { version } = reader.root("SSMIndex");
    if (version !== 1 && version !== 2) {
      throw new TableError("UNSUPPORTED", `SSMIndex has version ${version}, expected 1 or 2`, {
        file: reader.file,
      });
    }
    const used = reader.u32();
    const rowsPerBucket = reader.u32();
    const columns = reader.i32();
    const freeSpace = readFreeSpace(reader, limits.bucketSize);
    const lastRow = version === 1 ? Float64Array.from(reader.blockU32()) : reader.blockU64();
    const bucket = Float64Array.from(reader.blockU32());
    reader.end();
    if (lastRow.length !== used || bucket.length !== used) {
      reader.fail(
        `an index of ${used} buckets has ${lastRow.length} row numbers and ${bucket.length} bucket numbers`,
      );
    }
    for (let entry = 0, previous = -1; entry < used; entry++) {
      const last = lastRow[entry]!;
      if (!(last > previous && last - previous <= rowsPerBucket)) {
        reader.fail(
          `entry ${entry} of an index ends with row ${last}, expected ${previous + 1} to ${
            previous + rowsPerBucket
          }`,
        );
      }
      if (bucket[entry]! >= limits.buckets) {
        reader.fail(`entry ${entry} of an index is bucket ${bucket[entry]}, there are ${limits.buckets}`);
      }
      previous = last;
    }
    return new SsmIndex(rowsPerBucket, columns, freeSpace, lastRow, bucket);
  }
}

function readFreeSpace(reader: AipsReader, bucketSize: number): FreeSpace[] {
  reader.begin("SimpleOrderedMap");
  reader.i32();
  const at = reader.offset;
  const n = reader.u32();
  reader.u32();
  if (n * 8 > reader.remaining()) {
    reader.fail(`a map of ${n} pairs stands in ${reader.remaining()} bytes`, at);
  }
  const freeSpace: FreeSpace[] = [];
  for (let i = 0; i < n; i++) {
    const offset = reader.i32(), length = reader.i32();
    if (offset < 0 || length < 0 || offset + length > bucketSize) {
      reader.fail(
        `bytes ${offset} to ${offset + length} of each bucket are free, a bucket has ${bucketSize}`,
        at,
      );
    }
    freeSpace.push({ offset, length });
  }
  reader.end();
  return freeSpace;
}
