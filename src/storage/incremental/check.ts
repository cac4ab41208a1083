/**
 * Checks an IncrementalStMan beyond what reading cells needs: every bucket is in use or free, values lie in the data part
 * of their bucket and share no byte, and arrays are whole. Format reference part 3, sections A2 to A5.
 */
import { isNumeric } from "../../array/dtype.ts";
import { elementsOf } from "../../array/rows.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { type ArrayCells, checkArrays } from "../arrayfile/check.ts";
import { packedBytes } from "../arrayfile/cells.ts";
import type { LazyArrayFile } from "../arrayfile/lazy.ts";
import { Claims } from "../claims.ts";
import { type Finding, Findings } from "../findings.ts";
import type { BoundColumn } from "../manager.ts";
import type { BucketFile } from "./bucket-file.ts";
import { bucketHead, type ColumnPlace, columnPlace, DATA_START, Entries } from "./bucket.ts";
import { HEADER_BYTES } from "./header.ts";
import { readCounts } from "./references.ts";
import type { Stretch } from "./stretch.ts";

/** Bytes of a count. */
const WORD_BYTES = 4;
/** Bytes of the offset of an array. */
const OFFSET_BYTES = 8;

/** What there is to check. */
export interface CheckedManager {
  readonly bound: readonly BoundColumn[];
  readonly file: BucketFile;
  /** The array file of each column whose values are in one. */
  readonly arrays: readonly (LazyArrayFile | null)[];
}

/** Offsets of the arrays of a column, one an entry, and the first row of each. */
interface Offsets {
  readonly offsets: number[];
  readonly rows: number[];
}

/** Plan: everything that is inconsistent. */
export function* checkIncremental(manager: CheckedManager): Plan<Finding[]> {
  const { file, bound, arrays } = manager;
  const findings = new Findings();
  yield* file.settle();
  const used = new Uint8Array(bucketCountOf(file, yield* fileSize(file.name)));
  checkUse(file, used, findings);
  yield* findings.attempt(checkFreeList(file, used, findings), file.path);
  const offsets = arrays.map((array): Offsets | null => array === null ? null : { offsets: [], rows: [] });
  for (let position = 0; position < file.index.used && !findings.full; position++) {
    yield* findings.attempt(checkBucket(manager, position, offsets, findings), file.path);
  }
  const done = new Set<LazyArrayFile>();
  for (const array of arrays) {
    if (array === null || done.has(array) || findings.full) continue;
    done.add(array);
    const cells = bound.flatMap((column, i) => arrays[i] === array ? [cellsOf(column, offsets[i]!)] : []);
    const opened = yield* findings.attempt(array.open(), file.path);
    if (opened === undefined) continue;
    yield* checkArrays(opened, cells, findings, 1);
    const all = offsets.flatMap((list, i) => arrays[i] === array ? list!.offsets : []);
    yield* findings.attempt(checkCounts(opened, all, findings), file.path);
  }
  return findings.finish();
}

/** Buckets in the file: they are counted in the header, and the index, which is at the end, has been found. */
function bucketCountOf(file: BucketFile, fileBytes: number): number {
  return Math.floor((fileBytes - HEADER_BYTES) / file.bucketBytes);
}

function checkUse(file: BucketFile, used: Uint8Array, findings: Findings): void {
  const { index } = file;
  if (file.excess !== null) findings.note(file.excess, file.path);
  for (let position = 0; position < index.used && !findings.full; position++) {
    const bucket = index.buckets[position]!;
    if (used[bucket] !== 0) {
      findings.wrong(`bucket ${bucket} is in the index twice`, file.path, file.bucketAt(position));
    }
    used[bucket] = 1;
  }
}

/** Plan: follows the list of free buckets; what is neither free nor in use is lost. */
function* checkFreeList(file: BucketFile, used: Uint8Array, findings: Findings): Plan<void> {
  const { bucketCount: count, freeBuckets: free } = file;
  let bucket = file.firstFree;
  for (let i = 0; i < free || bucket !== -1; i++) {
    if (i === free || bucket < 0 || bucket >= count || used[bucket] !== 0) {
      const what = bucket >= 0 && bucket < count && used[bucket] !== 0
        ? ", which is in use or was in it before"
        : "";
      findings.wrong(`the list of ${free} free buckets goes on with bucket ${bucket}${what}`, file.path);
      return;
    }
    used[bucket] = 1;
    const link = yield* readBytes(file.name, HEADER_BYTES + bucket * file.bucketBytes, WORD_BYTES);
    bucket = new DataView(link.buffer, link.byteOffset, WORD_BYTES).getInt32(0);
  }
  for (
    let lost = used.indexOf(0);
    lost >= 0 && lost < count && !findings.full;
    lost = used.indexOf(0, lost + 1)
  ) {
    findings.wrong(
      `bucket ${lost} is neither in the index nor free`,
      file.path,
      HEADER_BYTES + lost * file.bucketBytes,
    );
  }
}

/** Plan: checks one bucket, and collects the offsets of arrays in it. */
function* checkBucket(
  { bound, file, arrays }: CheckedManager,
  position: number,
  offsets: readonly (Offsets | null)[],
  findings: Findings,
): Plan<void> {
  const at = file.bucketAt(position), firstRow = file.index.starts[position]!;
  const rows = file.index.starts[position + 1]! - firstRow;
  const stretch = file.stretch(yield* readBytes(file.name, at, file.bucketBytes), at);
  const head = bucketHead(stretch, 0, file.bucketBytes);
  const claims = new Claims(), entries = new Entries();
  let place = head.indexAt;
  for (const [c, column] of bound.entries()) {
    if (place + WORD_BYTES > file.bucketBytes) {
      stretch.fail(`the bucket ends before the index of column ${column.name}`, place);
    }
    const found: ColumnPlace = columnPlace(stretch, place, place, head.rowBytes, file.bucketBytes);
    place = found.end;
    entries.decode(
      found.count,
      head.rowBytes,
      { stretch, at: found.rowsAt },
      { stretch, at: found.offsetsAt },
      true,
    );
    const last = entries.rows[entries.count - 1]!;
    if (last >= Math.max(1, rows)) {
      // casacore leaves some when it splits a bucket; nobody reads them.
      findings.note(
        `column ${column.name} has a value for row ${last} of a bucket of ${rows} rows`,
        file.path,
        at + found.rowsAt,
      );
    }
    for (let e = 0; e < entries.count && !findings.full; e++) {
      const start = DATA_START + entries.offsets[e]!, row = firstRow + entries.rows[e]!;
      const bytes = valueBytes(stretch, start, head.indexAt, column, arrays[c] !== null);
      if (typeof bytes === "string") {
        findings.wrong(`column ${column.name}, row ${row}: ${bytes}`, file.path, at + start);
        continue;
      }
      claims.add(start, bytes, row);
      const list = offsets[c];
      if (list == null) continue;
      list.offsets.push(stretch.offset(start));
      list.rows.push(row);
    }
  }
  for (const { first, second, offset } of claims.overlaps()) {
    if (findings.full) return;
    findings.wrong(
      `bytes of a value of row ${first} are also those of a value of row ${second}`,
      file.path,
      at + offset,
    );
  }
}

/** Bytes of a stored value, or what is wrong with it. */
function valueBytes(
  stretch: Stretch,
  start: number,
  end: number,
  column: BoundColumn,
  indirect: boolean,
): number | string {
  const elements = column.kind === "scalar" ? 1 : elementsOf(column.shape ?? []);
  const counted = !indirect && !isNumeric(column.dtype);
  let bytes = indirect
    ? OFFSET_BYTES
    : isNumeric(column.dtype)
    ? packedBytes(column.dtype, elements)
    : WORD_BYTES;
  const outside = () =>
    `a value of ${bytes} bytes at ${start - DATA_START} leaves the bucket's data of ${
      end - DATA_START
    } bytes`;
  if (start + bytes > end) return outside();
  if (!counted) return bytes;
  bytes = stretch.u32(start);
  if (bytes < WORD_BYTES) return `a string is said to take ${bytes} bytes, expected at least ${WORD_BYTES}`;
  if (start + bytes > end) return outside();
  if (elements === 1) return bytes;
  let at = start + WORD_BYTES;
  for (let k = 0; k < elements; k++) {
    const room = start + bytes - at - WORD_BYTES;
    const length = room < 0 ? 0 : stretch.u32(at);
    if (room < 0 || length > room) {
      return `string ${k} of an array is said to have ${length} bytes, there are ${Math.max(0, room)}`;
    }
    at += WORD_BYTES + length;
  }
  return at === start + bytes
    ? bytes
    : `strings of an array take ${at - start} bytes, the array is said to take ${bytes}`;
}

/** Plan: notes arrays that more entries refer to than their records say. casacore overwrites such an array for all of them. */
function* checkCounts(file: ArrayFile, offsets: readonly number[], findings: Findings): Plan<void> {
  if (file.version === 0) return;
  const users = new Map<number, number>();
  for (const offset of offsets) if (offset !== 0) users.set(offset, (users.get(offset) ?? 0) + 1);
  const shared = [...users.keys()].filter((offset) => users.get(offset)! > 1).sort((a, b) => a - b);
  for (const offset of shared) file.checkOffset(offset);
  const counts = yield* readCounts(file, shared);
  for (const [i, offset] of shared.entries()) {
    if (findings.full) return;
    if (counts[i]! >= users.get(offset)!) continue;
    findings.note(
      `the array says that ${counts[i]} values refer to it, ${users.get(offset)} do`,
      file.path,
      offset,
    );
  }
}

function cellsOf(column: BoundColumn, { offsets, rows }: Offsets): ArrayCells {
  const record = column.kind === "record";
  return {
    column: column.name,
    dtype: record || column.dtype === "record" ? "uint8" : column.dtype,
    shape: record ? null : column.shape,
    ndim: record ? 1 : column.ndim,
    offsets: Float64Array.from(offsets),
    name: (i) => `row ${rows[i]}`,
  };
}
