/**
 * Changes the buckets of an IncrementalStMan: format reference part 3, section A7.
 *
 * What is put in a row holds for that row alone, unless no row behind it was ever put: then it holds for all rows behind
 * it as well, those that will be added included. Buckets behind are told of such a value when somebody looks at them,
 * so that row after row can be put without going through all buckets each time.
 *
 * Changed buckets are kept in memory until they are too many, or are read, or the manager is flushed.
 */
import { TableError } from "../../error.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { type BucketForm, ENTRY_BYTES, OpenBucket, type StoredValue } from "./open-bucket.ts";
import { PartCache } from "./part-cache.ts";
import { splitPlace } from "./split.ts";

/** Memory for buckets that are taken apart. */
const OPEN_BYTES = 8 * 1024 * 1024;

/** A stretch of rows that get one value. */
export interface ValueRun {
  readonly row: number;
  readonly count: number;
  readonly value: StoredValue;
}

/** A value that holds for all rows from `row` on, and that buckets from there on don't know of yet. */
interface Tail {
  readonly row: number;
  readonly value: StoredValue;
}

/** The value of a row, and rows around it for which one entry holds. */
export interface Found {
  readonly value: StoredValue;
  readonly from: number;
  readonly end: number;
}

/** The buckets, open for changes. */
export class BucketEditor {
  readonly file: BucketFile;
  form: BucketForm;
  /** Something changed that the header, the index or a bucket in the file doesn't say. */
  dirty: boolean;
  /** For each column the row after the last that was put: from there on all rows have one value. */
  readonly #putEnd: number[];
  readonly #tails: (Tail | null)[];
  /** Buckets by their numbers; those used last are at the end. */
  readonly #open = new Map<number, OpenBucket>();
  readonly #most: number;
  /** For each column the longest value that there may be; infinite where that isn't known. */
  readonly #longest: number[];
  /** Bytes of the file up to which buckets are known to be there. */
  #reach: number;

  constructor(file: BucketFile, form: BucketForm, fresh: boolean) {
    this.file = file;
    this.form = form;
    this.dirty = fresh;
    this.#putEnd = form.valueBytes.map(() => fresh ? 0 : file.rowCount);
    this.#tails = form.valueBytes.map(() => null);
    this.#longest = form.valueBytes.map((bytes) => bytes || (fresh ? 0 : Infinity));
    this.#most = Math.max(2, Math.floor(OPEN_BYTES / (2 * form.bucketBytes)));
    this.#reach = fresh ? 0 : file.offsetOf(file.bucketCount);
  }

  // ---- buckets

  /** Plan: the bucket at a position of the index. */
  *bucket(position: number): Plan<OpenBucket> {
    const number = this.file.index.buckets[position]!;
    return this.#known(number) ?? (yield* this.#load(number, this.file.index.rows(position)));
  }

  #known(number: number): OpenBucket | undefined {
    const found = this.#open.get(number);
    if (found === undefined || this.#open.size < this.#most / 2) return found;
    this.#open.delete(number);
    this.#open.set(number, found);
    return found;
  }

  *#load(number: number, rows: number): Plan<OpenBucket> {
    const { file, form } = this, at = file.offsetOf(number);
    yield* this.#makeRoom();
    const stretch = file.stretch(yield* readBytes(file.name, at, form.bucketBytes), at);
    const bucket = OpenBucket.read(number, form, stretch, rows);
    this.#open.set(number, bucket);
    return bucket;
  }

  *#makeRoom(): Plan<void> {
    for (const bucket of this.#open.values()) {
      if (this.#open.size < this.#most) return;
      yield* this.#write(bucket);
      this.#open.delete(bucket.number);
    }
  }

  *#write(bucket: OpenBucket): Plan<void> {
    if (!bucket.dirty) return;
    const { file } = this, offset = file.offsetOf(bucket.number), end = offset + file.bucketBytes;
    yield { kind: "write", file: file.name, offset, bytes: bucket.format() };
    bucket.dirty = false;
    if (end <= this.#reach) return;
    yield { kind: "resize", file: file.name, length: end, shrink: false };
    this.#reach = end;
  }

  /** The one bucket of a table without rows, with these values. */
  startAnew(values: readonly StoredValue[]): OpenBucket {
    this.#open.clear();
    this.file.empty();
    this.#putEnd.fill(0);
    this.#tails.fill(null);
    const bucket = new OpenBucket(0, this.form);
    values.forEach((value, column) => {
      bucket.start(column, value);
      this.#longest[column] = value.length;
    });
    this.#open.set(0, bucket);
    this.dirty = true;
    return bucket;
  }

  /** Plan: splits a bucket that lacks room for a value of its rows `row` to `end`. */
  *#split(
    position: number,
    bucket: OpenBucket,
    column: number,
    row: number,
    end: number,
    value: StoredValue,
  ): Plan<void> {
    const { file } = this, { index } = file, rows = index.rows(position);
    if (rows < 2) this.refuse(value.length);
    // What the data grow by, as casacore reckons it.
    const entry = bucket.find(column, row), { rows: starts, offsets } = bucket.columns[column]!;
    const replaced = starts[entry] === row && (starts[entry + 1] ?? rows) <= end;
    const bytes = value.length - (replaced ? bucket.lengthAt(column, offsets[entry]!) : 0);
    const place = splitPlace(bucket, { column, row, bytes }, position === index.used - 1);
    const number = yield* file.take();
    yield* this.#makeRoom();
    const right = bucket.split(place.row, number, place.inPlace);
    // Making room may have sent the bucket away.
    this.#open.set(bucket.number, bucket);
    this.#open.set(number, right);
    index.insert(position, index.starts[position]! + place.row, number);
    this.dirty = true;
  }

  /** @throws TableError LIMIT */
  refuse(bytes: number): never {
    const { bucketBytes } = this.form;
    throw new TableError(
      "LIMIT",
      `a bucket of ${bucketBytes} bytes has no room for a row with a value of ${bytes} bytes`,
      { file: this.file.path },
    );
  }

  /**
   * Plan: makes sure that values of a column that has values of any length find room: a row with all its values has to
   * fit into a bucket.
   *
   * @throws TableError LIMIT; nothing was changed
   */
  *checkRoom(column: number, runs: readonly ValueRun[]): Plan<void> {
    const { form } = this, columns = form.valueBytes.length;
    const room = form.bucketBytes - 4 * (1 + columns) - ENTRY_BYTES * columns;
    let longest = 0;
    for (const { value } of runs) longest = Math.max(longest, value.length);
    const others = this.#longest.reduce((sum, bytes, c) => c === column ? sum : sum + bytes, 0);
    if (longest + others > room) yield* this.#checkRows(column, runs, room);
    this.#longest[column] = Math.max(this.#longest[column]!, longest);
  }

  *#checkRows(column: number, runs: readonly ValueRun[], room: number): Plan<void> {
    yield* this.applyTails();
    const { index } = this.file;
    let putEnd = this.#putEnd[column]!;
    for (const [i, { row, count, value }] of runs.entries()) {
      let end = row + count;
      if (end > putEnd) {
        putEnd = end;
        const next = runs[i + 1]?.row ?? 0;
        end = next >= end ? next : index.rowCount;
      }
      if (value.length > room) this.refuse(value.length);
      for (
        let position = index.find(row);
        position < index.used && index.starts[position]! < end;
        position++
      ) {
        const start = index.starts[position]!, bucket = yield* this.bucket(position);
        const others = bucket.mostBytes(column, Math.max(row - start, 0), end - start);
        if (value.length + others > room) this.refuse(value.length);
      }
    }
  }

  // ---- values

  /** Plan: the value of a column in a row. */
  *find(column: number, row: number): Plan<Found> {
    const { index } = this.file, position = index.find(row), first = index.starts[position]!;
    const tail = this.#tails[column]!;
    if (tail !== null && first >= tail.row) {
      // The row before has it as well, in another bucket.
      return { value: tail.value, from: tail.row - 1, end: index.rowCount };
    }
    const bucket = yield* this.bucket(position);
    const entry = bucket.find(column, row - first), { rows } = bucket.columns[column]!;
    return {
      value: bucket.value(column, entry),
      from: first + rows[entry]!,
      end: entry + 1 < rows.length ? first + rows[entry + 1]! : index.starts[position + 1]!,
    };
  }

  /** Row after the last that was put in a column. */
  putEnd(column: number): number {
    return this.#putEnd[column]!;
  }

  /** Plan: puts values, one run after the other. The values must stay as they are until the plan ends. */
  *put(column: number, runs: Iterable<ValueRun>): Plan<void> {
    const { index } = this.file;
    let position = 0, tail: StoredValue | null = null;
    try {
      for (const { row: first, count, value } of runs) {
        const end = first + count;
        for (let row = first; row < end;) {
          const putEnd = this.#putEnd[column]!, goesOn = row >= putEnd;
          if (goesOn && row > putEnd && (tail !== null || this.#tails[column] !== null)) {
            this.#keepTail(column, tail);
            tail = null;
            yield* this.#applyTail(column, row);
          }
          position = index.find(row, position);
          const start = index.starts[position]!, rows = index.starts[position + 1]! - start;
          const bucket = this.#known(index.buckets[position]!) ?? (yield* this.bucket(position));
          const stop = Math.min(end, start + rows, goesOn ? Infinity : putEnd);
          const until = goesOn ? rows : stop - start;
          const lacks = bucket.set(column, row - start, until, rows, value);
          if (lacks > 0) {
            yield* this.#split(position, bucket, column, row - start, until, value);
            continue;
          }
          this.dirty ||= bucket.dirty;
          row = stop;
          if (goesOn) {
            this.#putEnd[column] = stop;
            this.#tails[column] = null;
            tail = position < index.used - 1 ? value : null;
          }
        }
      }
    } finally {
      this.#keepTail(column, tail);
    }
  }

  /** Keeps a value for the buckets behind the last row that was put. */
  #keepTail(column: number, value: StoredValue | null): void {
    if (value === null) return;
    const { bytes, at, length } = value;
    const own = { bytes: bytes.slice(at, at + length), at: 0, length };
    this.#tails[column] = { row: this.#putEnd[column]!, value: own };
  }

  /** Plan: tells buckets of the value that holds from some row on, those that start at or before `upTo`. */
  *#applyTail(column: number, upTo = Infinity): Plan<void> {
    const tail = this.#tails[column];
    if (tail == null) return;
    const { index } = this.file;
    let position = index.firstFrom(tail.row);
    for (; position < index.used && index.starts[position]! <= upTo; position++) {
      for (;;) {
        const bucket = yield* this.bucket(position), rows = index.rows(position);
        const lacks = bucket.set(column, 0, rows, rows, tail.value);
        if (lacks === 0) break;
        yield* this.#split(position, bucket, column, 0, rows, tail.value);
      }
    }
    this.#tails[column] = position < index.used ? { ...tail, row: index.starts[position]! } : null;
  }

  /** Plan: tells all buckets of the values that hold from some row on. */
  *applyTails(): Plan<void> {
    for (let column = 0; column < this.#tails.length; column++) yield* this.#applyTail(column);
  }

  /** Plan: brings what changed into the file. */
  *settle(): Plan<void> {
    yield* this.applyTails();
    const changed = [...this.#open.values()].filter((bucket) => bucket.dirty);
    if (changed.length === 0) return;
    this.file.parts = new PartCache();
    changed.sort((a, b) => a.number - b.number);
    for (const bucket of changed) yield* this.#write(bucket);
  }

  // ---- rows

  /** Adds rows, which have the values of the last one. */
  addRows(count: number): void {
    this.file.index.extend(count);
    this.dirty = true;
  }

  /** Plan: removes rows, but not all of them; `gone` are stretches of them in ascending order. */
  *removeRows(gone: readonly { readonly row: number; readonly count: number }[]): Plan<void> {
    yield* this.applyTails();
    const { index } = this.file;
    const starts: number[] = [], buckets: number[] = [], empty: number[] = [];
    let next = 0, removed = 0;
    for (let position = 0; position < index.used; position++) {
      const start = index.starts[position]!, end = index.starts[position + 1]!;
      const parts: { from: number; end: number }[] = [];
      let rows = 0;
      while (next < gone.length && gone[next]!.row < end) {
        const { row, count } = gone[next]!, from = Math.max(row, start), to = Math.min(row + count, end);
        parts.push({ from: from - start, end: to - start });
        rows += to - from;
        if (row + count > end) break;
        next++;
      }
      if (rows < end - start) {
        starts.push(start - removed);
        buckets.push(index.buckets[position]!);
        if (rows > 0) (yield* this.bucket(position)).removeRows(parts, end - start);
      } else {
        if (this.form.watchers.some((watcher) => watcher !== null)) (yield* this.bucket(position)).dissolve();
        empty.push(index.buckets[position]!);
      }
      removed += rows;
    }
    this.#putEnd.forEach((putEnd, column) => {
      let before = 0;
      for (const { row, count } of gone) before += Math.max(0, Math.min(count, putEnd - row));
      this.#putEnd[column] = putEnd - before;
    });
    starts.push(index.rowCount - removed);
    index.replace(starts, buckets);
    this.dirty = true;
    for (const number of empty) {
      this.#open.delete(number);
      yield* this.file.release(number);
    }
    this.file.parts = new PartCache();
  }

  // ---- columns

  /**
   * Plan: gives all buckets other columns, each the number of an old one or a value for all rows. Nothing but settling is
   * to be asked for after that.
   *
   * @throws TableError LIMIT if a row doesn't fit any more; nothing was changed then
   */
  *recast(form: BucketForm, columns: readonly (number | StoredValue)[]): Plan<void> {
    yield* this.settle();
    const { index } = this.file, head = (ENTRY_BYTES + 4) * columns.length + 4;
    const added = columns.reduce<number>(
      (sum, from) => typeof from === "number" ? sum : sum + from.length,
      0,
    );
    for (let position = 0; added > 0 && position < index.used; position++) {
      const bucket = yield* this.bucket(position);
      const bytes = head + added + bucket.mostBytes(null, 0, Math.max(1, index.rows(position)));
      if (bytes > form.bucketBytes) this.refuse(added);
    }
    this.dirty = true;
    for (let position = 0; position < index.used; position++) {
      let bucket = (yield* this.bucket(position)).recast(form, columns);
      for (;;) {
        while (bucket.size > form.bucketBytes) {
          const { row } = splitPlace(bucket, { column: 0, row: 0, bytes: 0 }, false);
          const right = bucket.split(row, yield* this.file.take(), false);
          index.insert(position, index.starts[position]! + row, right.number);
          this.#open.set(right.number, right);
        }
        yield* this.#write(bucket);
        this.#open.delete(bucket.number);
        const next = this.#open.get(index.buckets[position + 1] ?? -1);
        if (next === undefined || next.columns.length !== columns.length || !next.dirty) break;
        bucket = next;
        position++;
      }
    }
    this.form = form;
    this.#open.clear();
    this.file.parts = new PartCache();
  }
}
