/**
 * A bucket of IncrementalStMan: format reference part 3, section A3.
 *
 * | part | content |
 * | --- | --- |
 * | uInt | offset of the index part: 4 + bytes of data; bit 31: its rows take 8 bytes each, else 4 |
 * | data | values, in any order, unaligned |
 * | index | a column after the other: uInt n; n rows; n uInt, offsets of the values in the data |
 * | rest | anything |
 *
 * Rows count from the first row of the bucket; the first is 0, they ascend. A value holds up to the next entry's row.
 */
import type { Stretch } from "./stretch.ts";

/** Bytes before the data part. */
export const DATA_START = 4;

/** Bytes of the offset of the index part. */
const OFFSET_MASK = 0x0fffffff;

/** Bytes of a count, and of the offset of a value. */
const WORD_BYTES = 4;

/** What the first word of a bucket says. */
export interface BucketHead {
  /** Bytes from the bucket's start to its index part: the end of the data. */
  readonly indexAt: number;
  /** Bytes of a row number: 4, or 8. */
  readonly rowBytes: number;
}

/** Where a column's entries stand, in bytes from the bucket's start. */
export interface ColumnPlace {
  readonly count: number;
  readonly rowsAt: number;
  readonly offsetsAt: number;
  /** Where the next column's part starts. */
  readonly end: number;
}

/** The first word of the bucket at `at`. @throws TableError CORRUPT */
export function bucketHead(stretch: Stretch, at: number, bucketBytes: number): BucketHead {
  const word = stretch.u32(at);
  const indexAt = word & OFFSET_MASK;
  if (indexAt < DATA_START || indexAt > bucketBytes) {
    stretch.fail(`the bucket's index part is at ${indexAt}, expected ${DATA_START} to ${bucketBytes}`, at);
  }
  return { indexAt, rowBytes: word > OFFSET_MASK ? 8 : 4 };
}

/**
 * Where the entries of a column stand whose part starts at `place` in the bucket, given their number.
 *
 * @param at Position of that number in the stretch, for errors.
 * @throws TableError CORRUPT if the bucket has no room for them
 */
export function columnPlace(
  stretch: Stretch,
  at: number,
  place: number,
  rowBytes: number,
  bucketBytes: number,
): ColumnPlace {
  const count = stretch.u32(at);
  const rowsAt = place + WORD_BYTES;
  const offsetsAt = rowsAt + count * rowBytes;
  const end = offsetsAt + count * WORD_BYTES;
  if (count < 1 || end > bucketBytes) {
    const room = Math.max(0, Math.floor((bucketBytes - rowsAt) / (rowBytes + WORD_BYTES)));
    stretch.fail(`a column has ${count} entries in the bucket, expected 1 to ${room}`, at);
  }
  return { count, rowsAt, offsetsAt, end };
}

/** Where the entries of column `column` stand in the bucket at `at`, all of whose bytes are in hand. */
export function findColumn(
  stretch: Stretch,
  at: number,
  head: BucketHead,
  bucketBytes: number,
  column: number,
): ColumnPlace {
  let place = head.indexAt;
  for (let c = 0;; c++) {
    if (place + WORD_BYTES > bucketBytes) {
      stretch.fail(`the bucket ends before the index of column ${c}`, at + place);
    }
    const found = columnPlace(stretch, at + place, place, head.rowBytes, bucketBytes);
    if (c === column) return found;
    place = found.end;
  }
}

/** The entries of one column in a bucket, decoded. Reused from bucket to bucket. */
export class Entries {
  /** Number of entries. */
  count = 0;
  /** First row of each, relative to the bucket's first. */
  rows: Float64Array = new Float64Array(0);
  /** Offset of each value in the data part. */
  offsets: Uint32Array = new Uint32Array(0);

  /**
   * Takes `count` entries whose rows and offsets stand at these positions of two stretches (mostly the same).
   *
   * @param first True if they start with the column's first entry, whose row must be 0.
   * @throws TableError CORRUPT unless the rows ascend
   */
  decode(
    count: number,
    rowBytes: number,
    rows: { stretch: Stretch; at: number },
    offsets: { stretch: Stretch; at: number },
    first: boolean,
  ): void {
    if (count > this.rows.length) {
      this.rows = new Float64Array(count);
      this.offsets = new Uint32Array(count);
    }
    let previous = -1;
    for (let e = 0; e < count; e++) {
      const at = rows.at + e * rowBytes;
      const row = rows.stretch.row(at, rowBytes);
      if (row <= previous || (e === 0 && first && row !== 0)) {
        rows.stretch.fail(
          `entry ${e} of a column in the bucket starts at its row ${row}, expected ${
            e === 0 ? "0" : `more than ${previous}`
          }`,
          at,
        );
      }
      this.rows[e] = previous = row;
      this.offsets[e] = offsets.stretch.u32(offsets.at + e * WORD_BYTES);
    }
    this.count = count;
  }

  /** The entry that holds a row: the last that starts at or before it. `hint`: where to look first. */
  find(row: number, hint = 0): number {
    for (let e = hint; e < Math.min(hint + 2, this.count); e++) {
      if (this.rows[e]! <= row && row < this.endOf(e)) return e;
    }
    let low = 0, high = this.count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.rows[middle]! <= row) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Row after the last that entry `e` holds, if the bucket goes on that far. */
  endOf(e: number): number {
    return e + 1 < this.count ? this.rows[e + 1]! : Infinity;
  }
}
