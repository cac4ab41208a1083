/**
 * Reading a few cells of a column, or cells in buckets too large to be read whole: only the counts, rows, offsets and
 * values that are needed are read, and what was decoded last is kept for the cell that is asked next.
 */
import { type ByteRange, type Plan, readBytes, readRanges } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { bucketHead, columnPlace, DATA_START, Entries } from "./bucket.ts";
import type { ColumnPlace } from "./bucket.ts";
import type { BucketPlan } from "./part-cache.ts";
import type { Pieces } from "./pieces.ts";
import { COUNTED, type ValueSink } from "./sinks.ts";
import { placeValue, spreadEntries } from "./sweep.ts";

/** Bytes of a count or an offset. */
const WORD_BYTES = 4;

/** Entries that are decoded at once. */
const CHUNK_ENTRIES = 4096;

/** Values, and bytes of values, that are asked for in one step. */
const STEP_VALUES = 256, STEP_BYTES = 1024 * 1024;

/** A value that is wanted: where its bytes are to be found and which rows of the selection it goes to. */
interface Wanted {
  /** Offset in the file of the bucket's data part, and its length. */
  readonly data: number;
  readonly dataBytes: number;
  /** Offset of the value in the data part. */
  readonly offset: number;
  readonly index: number;
  readonly rows: number;
}

/** Plan: hands every value that the pieces touch to the sink. */
export function* lookUp(file: BucketFile, column: number, pieces: Pieces, sink: ValueSink): Plan<void> {
  let wanted: Wanted[] = [];
  for (let p = 0; p < pieces.count; p++) {
    const position = pieces.bucket(p), first = pieces.first(p), end = first + pieces.rows(p);
    const plan = yield* planOf(file, position);
    const data = file.bucketAt(position) + DATA_START, dataBytes = plan.dataEnd - DATA_START;
    for (let row = first; row < end;) {
      const part = yield* partOf(file, position, plan, column, row);
      const stop = Math.min(end, part.end);
      spreadEntries(part.entries, row, stop - row, 0, (e, from, rows) => {
        wanted.push({
          data,
          dataBytes,
          offset: part.entries.offsets[e]!,
          index: pieces.at(p) + from - first,
          rows,
        });
      });
      row = stop;
      if (wanted.length >= STEP_VALUES) {
        yield* readValues(file, wanted, sink);
        wanted = [];
      }
    }
  }
  yield* readValues(file, wanted, sink);
}

/** Plan: where the columns of a bucket have their entries. */
function* planOf(file: BucketFile, position: number): Plan<BucketPlan> {
  const known = file.parts.plans.get(position);
  if (known !== undefined) return known;
  const base = file.bucketAt(position);
  const word = yield* readBytes(file.name, base, WORD_BYTES);
  const head = bucketHead(file.stretch(word, base), 0, file.bucketBytes);
  const columns: ColumnPlace[] = [];
  let place = head.indexAt;
  for (let c = 0; c < file.columnCount; c++) {
    if (place + WORD_BYTES > file.bucketBytes) {
      file.stretch(new Uint8Array(0), base).fail(`the bucket ends before the index of column ${c}`, place);
    }
    const count = file.stretch(yield* readBytes(file.name, base + place, WORD_BYTES), base + place);
    const found = columnPlace(count, 0, place, head.rowBytes, file.bucketBytes);
    columns.push(found);
    place = found.end;
  }
  const plan = { dataEnd: head.indexAt, rowBytes: head.rowBytes, columns };
  file.parts.plans.set(position, plan, columns.length * 4);
  return plan;
}

/** Entries of a column around a row, and the row where the entry after them starts. */
interface Part {
  readonly entries: Entries;
  readonly end: number;
}

/** Plan: the entries of a column in a bucket that hold `row` and rows after it. */
function* partOf(
  file: BucketFile,
  position: number,
  plan: BucketPlan,
  column: number,
  row: number,
): Plan<Part> {
  const { count, rowsAt, offsetsAt } = plan.columns[column]!;
  const key = position * file.columnCount + column;
  const known = file.parts.entries.get(key);
  if (known !== undefined) return { entries: known, end: Infinity };
  const base = file.bucketAt(position), rowBytes = plan.rowBytes;
  const rowAt = function* (entry: number): Plan<number> {
    const at = base + rowsAt + entry * rowBytes;
    return file.stretch(yield* readBytes(file.name, at, rowBytes), at).row(0, rowBytes);
  };
  let low = 0, high = Math.ceil(count / CHUNK_ENTRIES), end = Infinity;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    const start = yield* rowAt(middle * CHUNK_ENTRIES);
    if (start <= row) low = middle;
    else {
      high = middle;
      end = start;
    }
  }
  const first = low * CHUNK_ENTRIES, n = Math.min(CHUNK_ENTRIES, count - first);
  const rows = base + rowsAt + first * rowBytes, offsets = base + offsetsAt + first * WORD_BYTES;
  const [rowPart, offsetPart] = yield* readRanges([
    { file: file.name, offset: rows, length: n * rowBytes },
    { file: file.name, offset: offsets, length: n * WORD_BYTES },
  ]);
  const entries = new Entries();
  entries.decode(
    n,
    rowBytes,
    { stretch: file.stretch(rowPart!, rows), at: 0 },
    { stretch: file.stretch(offsetPart!, offsets), at: 0 },
    first === 0,
  );
  if (count <= CHUNK_ENTRIES) file.parts.entries.set(key, entries, n * 2);
  return { entries, end };
}

/** Plan: reads values and hands them to the sink. */
function* readValues(file: BucketFile, wanted: readonly Wanted[], sink: ValueSink): Plan<void> {
  const lengths = sink.valueBytes === COUNTED
    ? yield* countsOf(file, wanted)
    : wanted.map(() => sink.valueBytes);
  for (let i = 0; i < wanted.length;) {
    const first = i, ranges: ByteRange[] = [];
    for (let total = 0; i < wanted.length && total < STEP_BYTES; i++) {
      const { data, dataBytes, offset } = wanted[i]!, length = lengths[i]!;
      if (offset + length > dataBytes) {
        file.stretch(new Uint8Array(0), data).fail(
          `a value of ${length} bytes at ${offset} leaves the bucket's data of ${dataBytes} bytes`,
          0,
        );
      }
      ranges.push({ file: file.name, offset: data + offset, length });
      total += length;
    }
    const parts = yield* readRanges(ranges);
    parts.forEach((bytes, k) => {
      const stretch = file.stretch(bytes, ranges[k]!.offset), { index, rows } = wanted[first + k]!;
      placeValue(stretch, 0, bytes.length, 0, sink, index, rows);
      sink.finish(stretch);
    });
  }
}

/** Plan: how many bytes each of the values takes that say so themselves. */
function* countsOf(file: BucketFile, wanted: readonly Wanted[]): Plan<number[]> {
  const ranges = wanted.map(({ data, dataBytes, offset }): ByteRange => {
    if (offset + WORD_BYTES > dataBytes) {
      file.stretch(new Uint8Array(0), data).fail(
        `a string at ${offset} leaves the bucket's data of ${dataBytes} bytes`,
        0,
      );
    }
    return { file: file.name, offset: data + offset, length: WORD_BYTES };
  });
  const counts = yield* readRanges(ranges);
  return counts.map((bytes, i) => {
    const stretch = file.stretch(bytes, ranges[i]!.offset), count = stretch.u32(0);
    if (count < WORD_BYTES) stretch.fail(`a string is said to take ${count} bytes, expected at least 4`, 0);
    return count;
  });
}
