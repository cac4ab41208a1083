/**
 * Removing rows: format reference part 2, section 7.3. Rows move up within their bucket, never to another; a bucket
 * without rows becomes free. Each bucket is read and written once, however many of its rows go.
 */
import { kernels } from "../../array/choose.ts";
import type { Rows } from "../../array/rows.ts";
import { type Plan, readRanges } from "../../io/plan.ts";
import type { Area } from "./area.ts";
import type { BucketFile } from "./bucket-file.ts";
import type { Cut, SsmIndex } from "./ssm-index.ts";
import { readReferences } from "./string-column.ts";
import { type StringTail, StringWriter } from "./string-writer.ts";

/** Rows whose strings are given back in one go. */
const BLOCK_ROWS = 1 << 15;
/** Bytes of buckets that are asked for in one step. */
const WINDOW_BYTES = 1 << 20;

/** A column whose cells refer to string buckets. */
export interface Referring {
  readonly area: Area;
  /** Strings of up to so many bytes stand in the reference itself. */
  readonly inline: number;
}

/** What rows are removed from. */
export interface RowHolder {
  readonly file: BucketFile;
  readonly tail: StringTail;
  readonly indices: readonly SsmIndex[];
  readonly areas: readonly Area[];
  readonly referring: readonly Referring[];
}

/** Plan: removes rows, which ascend, are distinct, and not all there are. */
export function* removeRows(holder: RowHolder, rows: Rows): Plan<void> {
  const { file, indices, areas } = holder;
  const cuts = indices.map((index) => index.cuts(rows));
  yield* giveBack(holder, rows, cuts);
  for (const [i, index] of indices.entries()) {
    const mine = areas.filter((area) => area.index === index);
    yield* closeUp(file, index, mine, cuts[i]!.filter((cut) => !index.empties(cut)));
  }
  indices.forEach((index, i) => index.removeRows(cuts[i]!));
}

/** Gives back the strings of rows, and the buckets that they leave empty: from the last row to the first, as casacore does. */
function* giveBack(
  { file, tail, indices, referring }: RowHolder,
  rows: Rows,
  cuts: readonly Cut[][],
): Plan<void> {
  // What is freed last comes first.
  const emptied = indices.flatMap((index, order) =>
    cuts[order]!.filter((cut) => index.empties(cut)).map(({ entry }) => ({
      row: index.firstRow(entry),
      order,
      bucket: index.bucket(entry),
    }))
  ).sort((a, b) => a.row - b.row || b.order - a.order);
  const freeDownTo = function* (row: number): Plan<void> {
    while ((emptied.at(-1)?.row ?? -1) >= row) yield* file.free(emptied.pop()!.bucket);
  };
  const writer = new StringWriter(file, tail);
  for (let end = rows.length; end > 0 && referring.length > 0; end -= BLOCK_ROWS) {
    const block = rows.sub(Math.max(0, end - BLOCK_ROWS), end);
    const columns = [];
    for (const { area, inline } of referring) {
      columns.push({ inline, references: yield* readReferences(area, area.pieces(block), block) });
    }
    for (let i = block.length - 1; i >= 0; i--) {
      for (const { inline, references } of columns) {
        if (references.length(i) > inline) yield* writer.remove(references.place(i)!);
      }
      yield* freeDownTo(block.at(i));
    }
  }
  yield* writer.finish();
  yield* freeDownTo(0);
}

/** Moves the rows that stay up, and clears the slots behind them: whoever adds rows may count on zeros. */
function* closeUp(
  file: BucketFile,
  index: SsmIndex,
  areas: readonly Area[],
  cuts: readonly Cut[],
): Plan<void> {
  const each = Math.max(1, Math.floor(WINDOW_BYTES / file.bucketSize));
  for (let start = 0; start < cuts.length; start += each) {
    const window = cuts.slice(start, start + each);
    const ranges = window.map(({ entry }) => ({
      file: file.file,
      offset: file.offsetOf(index.bucket(entry)),
      length: file.bucketSize,
    }));
    const buckets = (yield* readRanges(ranges)).map((bytes) => bytes.slice());
    for (const [i, cut] of window.entries()) {
      const used = index.endRow(cut.entry) - index.firstRow(cut.entry);
      const bytes = buckets[i]!;
      let begin = bytes.length, end = 0;
      for (const area of areas) {
        shiftArea(bytes, area, cut.slots, used);
        begin = Math.min(begin, area.offset + Math.floor(cut.slots[0]! * area.bitsPerRow / 8));
        end = Math.max(end, area.offset + Math.ceil(used * area.bitsPerRow / 8));
      }
      if (end <= begin) continue;
      yield {
        kind: "write",
        file: file.file,
        offset: ranges[i]!.offset + begin,
        bytes: bytes.subarray(begin, end),
      };
      file.touch(index.bucket(cut.entry));
    }
  }
}

/** Closes the gaps that slots leave in one column's area, of which `used` slots have rows. */
function shiftArea(bucket: Uint8Array, area: Area, slots: readonly number[], used: number): void {
  const { offset, bitsPerRow } = area;
  if (bitsPerRow % 8 === 0) {
    const size = bitsPerRow / 8;
    return shift(bucket.subarray(offset, offset + used * size), size, slots, 0, used);
  }
  const first = slots[0]!;
  const count = (used - first) * bitsPerRow, at = offset * 8 + first * bitsPerRow;
  const bits = new Uint8Array(count);
  kernels().unpackBits(bucket, at, bits, count);
  shift(bits, bitsPerRow, slots, first, used);
  kernels().packBits(bits, bucket, at, count);
}

/** The same for cells of `size` bytes, the first of which is that of slot `first`. */
function shift(cells: Uint8Array, size: number, slots: readonly number[], first: number, used: number): void {
  let to = slots[0]! - first;
  for (let k = 1; k < slots.length; k += 2) {
    const from = slots[k]! - first, until = (slots[k + 1] ?? used) - first;
    cells.copyWithin(to * size, from * size, until * size);
    to += until - from;
  }
  cells.fill(0, to * size, (used - first) * size);
}
