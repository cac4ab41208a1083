/**
 * Checks the strings of a StandardStMan: each reference leads to bytes in use, through buckets that are full where a
 * string goes on, and no byte is two strings'. Format reference part 2, sections 3.2 and 4.
 */
import { rowRange } from "../../array/rows.ts";
import { type Plan, readBytes } from "../../io/plan.ts";
import { Claims } from "../claims.ts";
import type { Findings } from "../findings.ts";
import type { Area } from "./area.ts";
import type { BucketFile } from "./bucket-file.ts";
import { type BucketUse, STRING, UNKNOWN } from "./bucket-use.ts";
import type { CheckedManager } from "./check.ts";
import { STRING_HEADER_BYTES } from "./header.ts";
import { formOf } from "./layout.ts";
import { REFERENCE_CELLS } from "./string-column.ts";
import { trueDeleted } from "./string-bucket.ts";
import { INLINE_BYTES, REFERENCE_BYTES, References } from "./string-references.ts";

/** Rows whose references are looked at in one go. */
const BLOCK_ROWS = 1 << 15;

/** The header of a string bucket. */
interface StringHeader {
  readonly link: number;
  readonly used: number;
  readonly deleted: number;
  readonly next: number;
}

function parse(bytes: Uint8Array): StringHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, STRING_HEADER_BYTES);
  return {
    link: view.getInt32(0),
    used: view.getInt32(4),
    deleted: view.getInt32(8),
    next: view.getInt32(12),
  };
}

/** What is wrong with a header, "" if it can be one. */
function faultOf({ link, used, deleted, next }: StringHeader, { bucketSize, buckets }: BucketFile): string {
  const capacity = bucketSize - STRING_HEADER_BYTES;
  if (link !== 0) return `its first word is ${link}, expected 0`;
  if (used < 0 || used > capacity) return `${used} of its ${capacity} bytes are used`;
  if (trueDeleted(used, deleted, capacity) === null) {
    return `${deleted} of its ${capacity} bytes are said to hold nothing, ${used} are used`;
  }
  if (next < -1 || next >= buckets) return `a string goes on in bucket ${next}, there are ${buckets}`;
  return "";
}

/** True for the header of a string bucket that is in order. */
export function isStringBucket(bytes: Uint8Array, file: BucketFile): boolean {
  return faultOf(parse(bytes), file) === "";
}

/** A string bucket that a reference led to. */
interface Known extends StringHeader {
  /** Bytes in it that belong to cells. */
  live: number;
}

/** Plan: checks the references of all columns of strings. */
export function* checkStrings(
  { bound, areas, file }: CheckedManager,
  use: BucketUse,
  findings: Findings,
): Plan<void> {
  const walk = new StringWalk(file, use, findings);
  for (const [i, column] of bound.entries()) {
    const form = formOf(column);
    if (form !== "string" && form !== "stringArray") continue;
    yield* walk.column(column.name, areas[i]!, form === "string" ? INLINE_BYTES : 0);
    if (findings.full) return;
  }
  walk.finish();
}

class StringWalk {
  readonly #file: BucketFile;
  readonly #use: BucketUse;
  readonly #findings: Findings;
  readonly #known = new Map<number, Known | null>();
  readonly #claims = new Claims();
  /** Bytes of all strings: together they can't have more than the buckets. */
  #total = 0;

  constructor(file: BucketFile, use: BucketUse, findings: Findings) {
    this.#file = file;
    this.#use = use;
    this.#findings = findings;
  }

  /** Plan: follows the references of a column; those of up to `inline` bytes hold the string themselves. */
  *column(name: string, area: Area, inline: number): Plan<void> {
    const file = this.#file, findings = this.#findings;
    const rows = area.index.rows;
    for (let start = 0; start < rows && !findings.full; start += BLOCK_ROWS) {
      const selection = rowRange(start, Math.min(BLOCK_ROWS, rows - start));
      const references = new References(selection.length, file.bigEndian);
      const pieces = area.pieces(selection);
      yield* area.read(pieces, REFERENCE_CELLS, null, references.bytes, 0);
      for (let p = 0; p < pieces.count; p++) {
        const at = file.offsetOf(pieces.bucket(p)) + area.offset + pieces.slot(p) * REFERENCE_BYTES;
        for (let k = 0; k < pieces.rows(p) && !findings.full; k++) {
          const i = pieces.index(p) + k;
          if (references.length(i) >= 0 && references.length(i) <= inline) continue;
          const fault = yield* this.#follow(references, i);
          if (fault !== "") {
            findings.wrong(`column ${name}, row ${start + i}: ${fault}`, file.path, at + k * REFERENCE_BYTES);
          }
        }
      }
    }
  }

  /** Plan: follows a reference to the end of its string. Returns what is wrong, "" if nothing is. */
  *#follow(references: References, i: number): Plan<string> {
    const file = this.#file, capacity = file.bucketSize - STRING_HEADER_BYTES;
    const length = references.length(i);
    if (length === 0) return "";
    let bucket = references.bucket(i), offset = references.offset(i), left = length;
    this.#total += length;
    if (length < 0 || this.#total > capacity * file.buckets) {
      return length < 0
        ? `a string of ${length} bytes`
        : `strings have ${this.#total} bytes so far, more than all buckets`;
    }
    for (;;) {
      if (bucket < 0 || bucket >= file.buckets || offset < 0) {
        return `a string of ${length} bytes stands at byte ${offset} of bucket ${bucket}, there are ${file.buckets}`;
      }
      const known = yield* this.#bucket(bucket);
      if (known === null) {
        return `a string of ${length} bytes is in bucket ${bucket}, which can't hold strings`;
      }
      const here = Math.min(left, known.used - offset);
      if (here <= 0) {
        return `a string of ${length} bytes stands at byte ${offset} of bucket ${bucket}, which uses ${known.used}`;
      }
      this.#claims.add(bucket * file.bucketSize + offset, here, bucket);
      known.live += here;
      left -= here;
      if (left === 0) return "";
      if (known.next < 0 || known.used !== capacity) {
        return `a string of ${length} bytes ends after ${length - left}, in bucket ${bucket}`;
      }
      bucket = known.next;
      offset = 0;
    }
  }

  /** Plan: the header of a bucket that a string is in, null where it can be no string bucket. */
  *#bucket(bucket: number): Plan<Known | null> {
    const before = this.#known.get(bucket);
    if (before !== undefined) return before;
    const file = this.#file, at = file.offsetOf(bucket);
    const header = parse(yield* readBytes(file.file, at, STRING_HEADER_BYTES));
    let known: Known | null = { ...header, live: 0 };
    const fault = faultOf(header, file);
    if (this.#use.uses[bucket] !== UNKNOWN) {
      this.#use.take(bucket, STRING);
      known = null;
    } else {
      this.#use.take(bucket, STRING);
      if (fault !== "") {
        this.#findings.wrong(`string bucket ${bucket}: ${fault}`, file.path, at);
        known = null;
      }
    }
    this.#known.set(bucket, known);
    return known;
  }

  /** What shows only when all strings are known. */
  finish(): void {
    const file = this.#file, findings = this.#findings, capacity = file.bucketSize - STRING_HEADER_BYTES;
    for (const { first, offset } of this.#claims.overlaps()) {
      if (findings.full) return;
      const byte = offset % file.bucketSize;
      findings.wrong(
        `byte ${byte} of string bucket ${first} belongs to two strings`,
        file.path,
        file.offsetOf(first) + STRING_HEADER_BYTES + byte,
      );
    }
    let lost = 0, where = -1, slips = 0, firstSlip = -1;
    for (const [bucket, known] of this.#known) {
      if (known === null || findings.full) continue;
      const deleted = trueDeleted(known.used, known.deleted, capacity)!;
      if (deleted !== known.deleted && slips++ === 0) firstSlip = bucket;
      const said = capacity - deleted;
      if (known.live > said) {
        findings.wrong(
          `string bucket ${bucket} says that ${said} of its bytes belong to strings, cells have ${known.live}`,
          file.path,
          file.offsetOf(bucket) + 8,
        );
      } else if (known.live < said) {
        lost += said - known.live;
        if (where < 0) where = bucket;
      }
    }
    if (slips > 0) {
      findings.note(
        `${slips} string buckets, of which ${firstSlip} is the first, count their bytes without use from 0, not from ` +
          `${capacity}: a slip of casacore's`,
        file.path,
        file.offsetOf(firstSlip) + 8,
      );
    }
    if (lost > 0) {
      findings.note(
        `${lost} bytes of strings, the first in bucket ${where}, belong to no cell`,
        file.path,
        file.offsetOf(where),
      );
    }
  }
}
