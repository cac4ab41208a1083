/**
 * Reading many cells of a column: every bucket that holds some of them is read whole, once, and its entries are
 * spread over their rows. No row is searched for one by one.
 */
import { type ByteRange, type Plan, readRanges } from "../../io/plan.ts";
import type { BucketFile } from "./bucket-file.ts";
import { bucketHead, DATA_START, Entries, findColumn } from "./bucket.ts";
import type { Pieces } from "./pieces.ts";
import { COUNTED, type ValueSink } from "./sinks.ts";
import type { Stretch } from "./stretch.ts";

/** Buckets that are neighbours in the file are read together up to this many bytes. */
const RANGE_BYTES = 192 * 1024;

/** Bytes asked for in one step. */
const STEP_BYTES = 1024 * 1024;

/** Bytes of the count at the start of a string. */
const COUNT_BYTES = 4;

/** A bucket among the ranges of a step, and the pieces that lie in it. */
interface BucketPlace {
  readonly range: number;
  /** Where in the range it starts. */
  readonly at: number;
  readonly firstPiece: number;
  readonly endPiece: number;
}

/** Where the buckets of one step stand. */
interface Batch {
  readonly ranges: ByteRange[];
  /** In the order of the ranges. */
  readonly places: BucketPlace[];
  /** First piece that is not in the batch. */
  endPiece: number;
}

/** Plan: hands every value that the pieces touch to the sink. */
export function* sweep(file: BucketFile, column: number, pieces: Pieces, sink: ValueSink): Plan<void> {
  const entries = new Entries();
  for (let piece = 0; piece < pieces.count;) {
    const batch = nextBatch(file, pieces, piece);
    const bytes = yield* readRanges(batch.ranges);
    let range = -1, stretch: Stretch | undefined;
    for (const place of batch.places) {
      if (place.range !== range) {
        if (stretch !== undefined) sink.finish(stretch);
        range = place.range;
        stretch = file.stretch(bytes[range]!, batch.ranges[range]!.offset);
      }
      readBucket(file, column, stretch!, place, pieces, entries, sink);
    }
    if (stretch !== undefined) sink.finish(stretch);
    piece = batch.endPiece;
  }
}

/** Hands the values of one bucket to the sink. */
function readBucket(
  file: BucketFile,
  column: number,
  stretch: Stretch,
  { at, firstPiece, endPiece }: BucketPlace,
  pieces: Pieces,
  entries: Entries,
  sink: ValueSink,
): void {
  const head = bucketHead(stretch, at, file.bucketBytes);
  const place = findColumn(stretch, at, head, file.bucketBytes, column);
  entries.decode(
    place.count,
    head.rowBytes,
    { stretch, at: at + place.rowsAt },
    { stretch, at: at + place.offsetsAt },
    true,
  );
  const start = at + DATA_START, end = at + head.indexAt;
  for (let p = firstPiece, entry = 0; p < endPiece; p++) {
    const index = pieces.at(p) - pieces.first(p);
    entry = spreadEntries(entries, pieces.first(p), pieces.rows(p), entry, (e, from, rows) => {
      placeValue(stretch, start, end, entries.offsets[e]!, sink, index + from, rows);
    });
  }
}

/** The buckets that are read next, from piece `first` on. */
function nextBatch(file: BucketFile, pieces: Pieces, first: number): Batch {
  const batch: Batch = { ranges: [], places: [], endPiece: first };
  let total = 0, offset = -1, length = 0;
  const close = () => {
    if (length > 0) batch.ranges.push({ file: file.name, offset, length });
  };
  while (batch.endPiece < pieces.count && total < STEP_BYTES) {
    const firstPiece = batch.endPiece;
    const position = pieces.bucket(firstPiece);
    while (batch.endPiece < pieces.count && pieces.bucket(batch.endPiece) === position) batch.endPiece++;
    const at = file.bucketAt(position);
    if (length === 0 || at !== offset + length || length + file.bucketBytes > RANGE_BYTES) {
      close();
      offset = at;
      length = 0;
    }
    batch.places.push({ range: batch.ranges.length, at: length, firstPiece, endPiece: batch.endPiece });
    length += file.bucketBytes;
    total += file.bucketBytes;
  }
  close();
  return batch;
}

/**
 * Calls `each` for every entry that holds some of `count` rows from `first`: the entry, its first row there, how many.
 *
 * @param hint The entry to look at first.
 * @returns the last entry, a good hint for rows that follow
 */
export function spreadEntries(
  entries: Entries,
  first: number,
  count: number,
  hint: number,
  each: (entry: number, from: number, rows: number) => void,
): number {
  const end = first + count;
  let entry = entries.find(first, hint);
  for (let row = first;; entry++) {
    const stop = Math.min(end, entries.endOf(entry));
    each(entry, row, stop - row);
    if (stop === end) return entry;
    row = stop;
  }
}

/** Hands the value at `offset` of the data part, which goes from `start` to `end` of the stretch, to the sink. */
export function placeValue(
  stretch: Stretch,
  start: number,
  end: number,
  offset: number,
  sink: ValueSink,
  index: number,
  rows: number,
): void {
  const at = start + offset;
  let bytes = sink.valueBytes;
  if (bytes === COUNTED) {
    if (at + COUNT_BYTES > end) outside(stretch, start, end, offset, COUNT_BYTES);
    bytes = stretch.u32(at);
    if (bytes < COUNT_BYTES) stretch.fail(`a string is said to take ${bytes} bytes, expected at least 4`, at);
  }
  if (at + bytes > end) outside(stretch, start, end, offset, bytes);
  sink.place(stretch, at, bytes, index, rows);
}

function outside(stretch: Stretch, start: number, end: number, offset: number, bytes: number): never {
  stretch.fail(
    `a value of ${bytes} bytes at ${offset} leaves the bucket's data of ${end - start} bytes`,
    start,
  );
}
