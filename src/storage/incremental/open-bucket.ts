/**
 * A bucket in memory, taken apart so that it can be changed: format reference part 3, sections A3 and A7.
 *
 * Values that are no longer needed stay where they are until room is needed or the bucket is written; then the others
 * close up, in the order in which they were added. So a bucket ends up with the bytes that casacore gives it, which
 * moves the rest of the data at once whenever it removes a value.
 */
import { bucketHead, DATA_START, Entries, findColumn } from "./bucket.ts";
import type { Stretch } from "./stretch.ts";

/** Bytes of a count, and of the offset of a value. */
const WORD_BYTES = 4;

/** Bytes that casacore reckons for an entry: a row of 8 bytes and an offset of 4, whatever the file has. */
export const ENTRY_BYTES = 12;

/** Rows beyond this take 8 bytes in the file, those of the whole bucket. */
const MAX_NARROW_ROW = 2 ** 31 - 1;

/** Bit of the first word that says so. */
const WIDE_BIT = 0x80000000;

/** Room for values that were added while others wait to be removed. */
const MAX_SLACK_BYTES = 1 << 20;

/** Values up to this long are copied by a plain loop. */
const FEW_BYTES = 32;

/** Some bytes that are a column's stored value. */
export interface StoredValue {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
}

/** What the manager knows of its columns. */
export interface BucketForm {
  readonly bucketBytes: number;
  readonly bigEndian: boolean;
  /** For each column the bytes of its values; 0: each starts with the number of its bytes. */
  readonly valueBytes: readonly number[];
  /** For each column what is to be told when an entry with a value appears (1) or goes (-1); null: nobody. */
  readonly watchers: readonly (((value: StoredValue, change: 1 | -1) => void) | null)[];
}

/** The entries of a column, in the order of their rows; the first is for row 0. */
export interface ColumnEntries {
  rows: number[];
  /** Where each value stands in the data. */
  offsets: number[];
}

/** A bucket that can be changed. */
export class OpenBucket {
  /** Its number in the file. */
  readonly number: number;
  readonly columns: ColumnEntries[];
  /** Something is not in the file yet. */
  dirty = false;
  #form: BucketForm;
  #data: Uint8Array;
  /** End of the data, with values that were removed, and bytes of those that count. */
  #end = 0;
  #live = 0;
  #entries = 0;

  constructor(number: number, form: BucketForm) {
    this.number = number;
    this.#form = form;
    this.columns = form.valueBytes.map(() => ({ rows: [], offsets: [] }));
    this.#data = new Uint8Array(form.bucketBytes + Math.min(form.bucketBytes, MAX_SLACK_BYTES));
  }

  /**
   * Takes a bucket's bytes apart. Entries for rows behind the `rows` that it has are left out: casacore sometimes leaves
   * some, and nobody reads them.
   *
   * @throws TableError CORRUPT
   */
  static read(number: number, form: BucketForm, stretch: Stretch, rows: number): OpenBucket {
    const bucket = new OpenBucket(number, form), { bucketBytes, valueBytes } = form;
    const head = bucketHead(stretch, 0, bucketBytes), dataBytes = head.indexAt - DATA_START;
    bucket.#data.set(stretch.bytes.subarray(DATA_START, head.indexAt));
    bucket.#end = dataBytes;
    const entries = new Entries();
    valueBytes.forEach((_, c) => {
      const place = findColumn(stretch, 0, head, bucketBytes, c);
      entries.decode(
        place.count,
        head.rowBytes,
        { stretch, at: place.rowsAt },
        { stretch, at: place.offsetsAt },
        true,
      );
      const column = bucket.columns[c]!;
      for (let e = 0; e < place.count; e++) {
        const row = entries.rows[e]!, offset = entries.offsets[e]!;
        if (e > 0 && row >= rows) break;
        const least = valueBytes[c] || WORD_BYTES;
        const length = offset + least > dataBytes ? Infinity : bucket.lengthAt(c, offset);
        if (length < least || offset + length > dataBytes) {
          stretch.fail(
            `a value at ${offset} leaves the bucket's data of ${dataBytes} bytes`,
            place.offsetsAt + e * WORD_BYTES,
          );
        }
        column.rows.push(row);
        column.offsets.push(offset);
        bucket.#entries++;
        bucket.#live += length;
      }
    });
    if (bucket.#live > dataBytes) {
      stretch.fail(`values take ${bucket.#live} bytes of the bucket's data of ${dataBytes} bytes`, 0);
    }
    return bucket;
  }

  /** Bytes that the bucket takes, as casacore reckons. */
  get size(): number {
    return WORD_BYTES * (1 + this.columns.length) + ENTRY_BYTES * this.#entries + this.#live;
  }

  /** Bytes of the value at an offset of the data. */
  lengthAt(column: number, offset: number): number {
    return this.#form.valueBytes[column] || this.#word(offset);
  }

  #word(at: number): number {
    const d = this.#data;
    return this.#form.bigEndian
      ? ((d[at]! << 24) | (d[at + 1]! << 16) | (d[at + 2]! << 8) | d[at + 3]!) >>> 0
      : ((d[at + 3]! << 24) | (d[at + 2]! << 16) | (d[at + 1]! << 8) | d[at]!) >>> 0;
  }

  /** The entry of a column that holds for a row: the last that starts at or before it. */
  find(column: number, row: number): number {
    const { rows } = this.columns[column]!;
    let low = 0, high = rows.length;
    // Rows are mostly put one after the other, behind all others.
    if (rows[high - 1]! <= row) return high - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! <= row) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The value of an entry; it moves with the next change. */
  value(column: number, entry: number): StoredValue {
    const at = this.columns[column]!.offsets[entry]!;
    return { bytes: this.#data, at, length: this.lengthAt(column, at) };
  }

  #equals(column: number, offset: number, value: StoredValue): boolean {
    if (this.lengthAt(column, offset) !== value.length) return false;
    const { bytes, at, length } = value, data = this.#data;
    for (let i = 0; i < length; i++) if (data[offset + i] !== bytes[at + i]) return false;
    return true;
  }

  /** Makes `value` the value of all rows of a column: how a bucket starts. */
  start(column: number, value: StoredValue): void {
    const entries = this.columns[column]!;
    entries.rows = [0];
    entries.offsets = [this.#append(column, value)];
    this.#entries++;
    this.dirty = true;
  }

  #append(column: number, { bytes, at, length }: StoredValue): number {
    this.#makeRoom(length);
    const offset = this.#end;
    if (length <= FEW_BYTES) { for (let i = 0; i < length; i++) this.#data[offset + i] = bytes[at + i]!; }
    else this.#data.set(bytes.subarray(at, at + length), offset);
    this.#end += length;
    this.#live += length;
    this.#tell(column, offset, 1);
    return offset;
  }

  /** Sees to it that so many bytes can be added. */
  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#data.length) return;
    this.#closeUp();
    if (this.#end + bytes <= this.#data.length) return;
    const data = new Uint8Array(2 * (this.#end + bytes));
    data.set(this.#data.subarray(0, this.#end));
    this.#data = data;
  }

  #tell(column: number, offset: number, change: 1 | -1): void {
    const watcher = this.#form.watchers[column];
    if (watcher) watcher({ bytes: this.#data, at: offset, length: this.lengthAt(column, offset) }, change);
  }

  #remove(column: number, offset: number): void {
    this.#tell(column, offset, -1);
    this.#live -= this.lengthAt(column, offset);
  }

  /**
   * Makes `value` the value of rows `from` to `end` of the `rows` that the bucket has; the others keep theirs. Nothing
   * is stored twice where it equals what comes before or after.
   *
   * @returns bytes that the bucket lacks: nothing was changed then; 0: done
   */
  set(column: number, from: number, end: number, rows: number, value: StoredValue): number {
    const entries = this.columns[column]!, { offsets } = entries;
    const first = this.find(column, from), last = end - from === 1 ? first : this.find(column, end - 1);
    const next = last + 1 < offsets.length ? entries.rows[last + 1]! : Math.max(rows, end);
    const starts = entries.rows[first] === from;
    if (first === last && this.#equals(column, offsets[first]!, value)) return 0;
    const before = starts ? first - 1 : first;
    const equalsBefore = before >= 0 && this.#equals(column, offsets[before]!, value);
    const rest = next > end;
    const equalsRest = rest && last !== before && this.#equals(column, offsets[last]!, value);
    const equalsNext = !rest && last + 1 < offsets.length && this.#equals(column, offsets[last + 1]!, value);

    // Entries `low` to `high` are replaced by at most two: one from `from` on, and one from `end` on.
    const low = starts ? first : first + 1, high = equalsNext ? last + 2 : last + 1;
    const newRows: number[] = [], newOffsets: number[] = [];
    // The entry whose value goes on in another.
    let keptFirst = -1, keptLast = -1, copied = false;
    if (!equalsBefore) {
      newRows.push(from);
      newOffsets.push(-1);
      if (equalsNext) keptFirst = last + 1;
      else if (equalsRest) keptFirst = last;
    }
    if (rest && !equalsRest) {
      newRows.push(end);
      newOffsets.push(-1);
      if (last >= low) keptLast = last;
      else copied = true;
    }
    let live = 0;
    for (let e = low; e < high; e++) {
      if (e !== keptFirst && e !== keptLast) live -= this.lengthAt(column, offsets[e]!);
    }
    const adds = !equalsBefore && keptFirst < 0;
    if (adds) live += value.length;
    if (copied) live += this.lengthAt(column, offsets[last]!);
    const grows = live + ENTRY_BYTES * (newRows.length - (high - low));
    const lacks = this.size + grows - this.#form.bucketBytes;
    if (grows > 0 && lacks > 0) return lacks;

    this.dirty = true;
    this.#makeRoom(value.length + (copied ? this.lengthAt(column, offsets[last]!) : 0));
    // Making room moves values: only now it is known where they stand.
    if (keptFirst >= 0) newOffsets[0] = offsets[keptFirst]!;
    if (keptLast >= 0) newOffsets[newOffsets.length - 1] = offsets[keptLast]!;
    if (copied) {
      newOffsets[newOffsets.length - 1] = this.#append(column, this.value(column, last));
    }
    let added = false;
    for (let e = low; e < high; e++) {
      if (e === keptFirst || e === keptLast) continue;
      const offset = offsets[e]!;
      if (adds && e === first && this.lengthAt(column, offset) === value.length) {
        newOffsets[0] = this.#overwrite(column, offset, value);
        added = true;
      } else this.#remove(column, offset);
    }
    if (adds && !added) newOffsets[0] = this.#append(column, value);
    this.#entries += newRows.length - (high - low);
    splice(entries.rows, low, high, newRows);
    splice(offsets, low, high, newOffsets);
    return 0;
  }

  #overwrite(column: number, offset: number, { bytes, at, length }: StoredValue): number {
    this.#tell(column, offset, -1);
    this.#data.set(bytes.subarray(at, at + length), offset);
    this.#tell(column, offset, 1);
    return offset;
  }

  /** Moves the values that count together, in their order. */
  #closeUp(): void {
    if (this.#end === this.#live) return;
    const places: { offset: number; column: number; entry: number }[] = [];
    this.columns.forEach(({ offsets }, column) => {
      offsets.forEach((offset, entry) => places.push({ offset, column, entry }));
    });
    places.sort((a, b) => a.offset - b.offset);
    const data = this.#data;
    let end = 0;
    for (const { offset, column, entry } of places) {
      const length = this.lengthAt(column, offset);
      data.copyWithin(end, offset, offset + length);
      this.columns[column]!.offsets[entry] = end;
      end += length;
    }
    this.#end = end;
  }

  /** Bytes of the values of all columns (but one) in that of the rows `from` to `end` where they are most. */
  mostBytes(except: number | null, from: number, end: number): number {
    const others = this.columns.flatMap((_, c) => c === except ? [] : [c]);
    const bytes = (row: number) =>
      others.reduce((sum, c) => sum + this.value(c, this.find(c, row)).length, 0);
    let most = bytes(from);
    const ofAnyLength = others.filter((c) => this.#form.valueBytes[c] === 0);
    for (const row of new Set(ofAnyLength.flatMap((c) => this.columns[c]!.rows))) {
      if (row > from && row < end) most = Math.max(most, bytes(row));
    }
    return most;
  }

  /** The bytes of the bucket, without what is behind the last that counts. */
  format(): Uint8Array {
    this.#closeUp();
    const { bigEndian } = this.#form, little = !bigEndian;
    const wide = this.columns.some(({ rows }) => rows.at(-1)! > MAX_NARROW_ROW);
    const rowBytes = wide ? 8 : WORD_BYTES, indexAt = DATA_START + this.#end;
    const bytes = new Uint8Array(
      indexAt + WORD_BYTES * this.columns.length + (rowBytes + WORD_BYTES) * this.#entries,
    );
    const view = new DataView(bytes.buffer);
    view.setUint32(0, wide ? indexAt + WIDE_BIT : indexAt, little);
    bytes.set(this.#data.subarray(0, this.#end), DATA_START);
    let at = indexAt;
    for (const { rows, offsets } of this.columns) {
      view.setUint32(at, rows.length, little);
      at += WORD_BYTES;
      for (const row of rows) {
        if (wide) view.setBigUint64(at, BigInt(row), little);
        else view.setUint32(at, row, little);
        at += rowBytes;
      }
      for (const offset of offsets) {
        view.setUint32(at, offset, little);
        at += WORD_BYTES;
      }
    }
    return bytes;
  }

  /**
   * Takes out rows; `gone` are stretches of them in ascending order. Values that hold for no row any more go. At least
   * one of the `rows` that the bucket has stays.
   */
  removeRows(gone: readonly { readonly from: number; readonly end: number }[], rows: number): void {
    this.dirty = true;
    this.columns.forEach((entries, column) => {
      const keptRows: number[] = [], keptOffsets: number[] = [];
      // Rows before `row` that are gone; asked for ascending rows.
      let passed = 0, before = 0;
      const goneBefore = (row: number): number => {
        while (passed < gone.length && gone[passed]!.end <= row) {
          before += gone[passed]!.end - gone[passed]!.from;
          passed++;
        }
        return before + (passed < gone.length ? Math.max(0, row - gone[passed]!.from) : 0);
      };
      let start = 0;
      entries.offsets.forEach((offset, e) => {
        const next = e + 1 < entries.rows.length ? entries.rows[e + 1]! : rows;
        const end = next - goneBefore(next);
        if (end > start) {
          keptRows.push(start);
          keptOffsets.push(offset);
        } else {
          this.#remove(column, offset);
          this.#entries--;
        }
        start = end;
      });
      entries.rows = keptRows;
      entries.offsets = keptOffsets;
    });
  }

  /** The same rows with other columns: for each the number of one of this bucket, or the value that all rows have. */
  recast(form: BucketForm, columns: readonly (number | StoredValue)[]): OpenBucket {
    const bucket = new OpenBucket(this.number, { ...form, watchers: form.watchers.map(() => null) });
    columns.forEach((source, c) => {
      if (typeof source !== "number") return;
      this.columns[source]!.rows.forEach((row, entry) => {
        const { rows, offsets } = bucket.columns[c]!;
        offsets.push(bucket.#append(c, this.value(source, entry)));
        rows.push(row);
        bucket.#entries++;
      });
    });
    bucket.#form = form;
    columns.forEach((source, c) => {
      if (typeof source !== "number") bucket.start(c, source);
    });
    bucket.dirty = true;
    return bucket;
  }

  /** Tells the watchers that all values go, with the bucket. */
  dissolve(): void {
    this.columns.forEach(({ offsets }, column) => {
      for (const offset of offsets) this.#tell(column, offset, -1);
    });
  }

  /**
   * Moves the rows from `row` on to a new bucket, which starts with the values that hold there.
   *
   * @param inPlace True: what stays is left as it is; else both parts are written anew, row by row.
   */
  split(row: number, number: number, inPlace: boolean): OpenBucket {
    const right = new OpenBucket(number, this.#form);
    const moved = this.columns.map(({ rows }, c) => {
      const entry = this.find(c, row);
      return { first: entry, isMoved: rows[entry] === row };
    });
    // Start values in the order of the columns.
    moved.forEach(({ first, isMoved }, c) => {
      right.#take(this, c, first, 0);
      if (isMoved) this.#tell(c, this.columns[c]!.offsets[first]!, -1);
    });
    for (const { column, entry, row: from } of this.#inRowOrder((c, r) => r > row && c >= 0)) {
      right.#take(this, column, entry, from - row);
      this.#tell(column, this.columns[column]!.offsets[entry]!, -1);
    }
    right.dirty = true;
    this.dirty = true;
    if (inPlace) {
      moved.forEach(({ first, isMoved }, c) => this.#cut(c, isMoved ? first : first + 1));
      return right;
    }
    const left = new OpenBucket(this.number, {
      ...this.#form,
      watchers: this.#form.watchers.map(() => null),
    });
    for (const { column, entry, row: from } of this.#inRowOrder((_, r) => r < row)) {
      left.#take(this, column, entry, from);
    }
    this.#data = left.#data;
    this.#end = left.#end;
    this.#live = left.#live;
    this.#entries = left.#entries;
    left.columns.forEach((entries, c) => this.columns[c] = entries);
    return right;
  }

  /** Adds a copy of another bucket's entry behind the column's others. */
  #take(other: OpenBucket, column: number, entry: number, row: number): void {
    const { rows, offsets } = this.columns[column]!;
    const offset = this.#append(column, other.value(column, entry));
    rows.push(row);
    offsets.push(offset);
    this.#entries++;
  }

  /** Forgets a column's entries from `entry` on; who watches was told. */
  #cut(column: number, entry: number): void {
    const { rows, offsets } = this.columns[column]!;
    for (let e = entry; e < offsets.length; e++) {
      this.#live -= this.lengthAt(column, offsets[e]!);
      this.#entries--;
    }
    rows.length = offsets.length = entry;
  }

  /** Entries of all columns, by row, those of a row by column. */
  #inRowOrder(
    wanted: (column: number, row: number) => boolean,
  ): { column: number; entry: number; row: number }[] {
    const found: { column: number; entry: number; row: number }[] = [];
    this.columns.forEach(({ rows }, column) => {
      rows.forEach((row, entry) => {
        if (wanted(column, row)) found.push({ column, entry, row });
      });
    });
    return found.sort((a, b) => a.row - b.row || a.column - b.column);
  }
}

/** Replaces entries `low` to `high` of a list. */
function splice(list: number[], low: number, high: number, by: readonly number[]): void {
  if (low === list.length) { for (const each of by) list.push(each); }
  else if (by.length === high - low) by.forEach((each, i) => list[low + i] = each);
  else list.splice(low, high - low, ...by);
}
