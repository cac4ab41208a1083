/**
 * Checks a StandardStMan beyond what reading cells needs: every bucket is one thing and only one, lists end where they
 * should, columns don't share bytes, and references lead to live strings that share none either. Format reference part
 * 2, sections 2 to 4.
 *
 * | bucket | known from |
 * | --- | --- |
 * | data | the indices |
 * | index | the header, and the link in the one before |
 * | free | the header, and the link in the one before |
 * | string | the references in data buckets, and the link in the one before |
 */
import { TableError } from "../../error.ts";
import { rowRange } from "../../array/rows.ts";
import { fileSize, type Plan, readBytes } from "../../io/plan.ts";
import type { ArrayFile } from "../arrayfile/array-file.ts";
import { type ArrayCells, checkArrays } from "../arrayfile/check.ts";
import { checkCells } from "../check-cells.ts";
import { Claims } from "../claims.ts";
import { type Finding, Findings } from "../findings.ts";
import type { BoundColumn, ManagedColumn } from "../manager.ts";
import type { Area } from "./area.ts";
import type { BucketFile } from "./bucket-file.ts";
import { BucketUse, DATA, FREE, INDEX, STRING, UNKNOWN, USE_NAMES } from "./bucket-use.ts";
import { checkStrings, isStringBucket } from "./check-strings.ts";
import { INDEX_LINK_BYTES, STRING_HEADER_BYTES } from "./header.ts";
import { type IndexPlace, readIndexStream } from "./index-buckets.ts";
import { IndirectColumn } from "./indirect-column.ts";
import { formOf } from "./layout.ts";
import type { SsmIndex } from "./ssm-index.ts";

/** What there is to check. */
export interface CheckedManager {
  readonly bound: readonly BoundColumn[];
  readonly columns: readonly ManagedColumn[];
  readonly areas: readonly Area[];
  readonly file: BucketFile;
  readonly indices: readonly SsmIndex[];
  readonly place: IndexPlace;
  readonly lastStringBucket: number;
  readonly arrays: ArrayFile | TableError | null;
}

/** Plan: everything that is inconsistent. */
export function* checkStandard(manager: CheckedManager): Plan<Finding[]> {
  const { file } = manager;
  const findings = new Findings();
  const use = new BucketUse(file, findings);
  yield* checkLength(file, findings);
  checkIndices(manager, use, findings);
  checkAreas(manager, findings);
  yield* findings.attempt(checkIndexChain(manager, use, findings), file.path);
  yield* findings.attempt(checkFreeList(file, use, findings), file.path);
  const wrongs = findings.wrongs;
  yield* checkStrings(manager, use, findings);
  // What arrays of strings hold is looked at when all references lead somewhere.
  if (findings.wrongs === wrongs) yield* checkStringArrays(manager, findings);
  yield* checkLeftovers(manager, use, findings);
  yield* checkIndirect(manager, findings);
  return findings.finish();
}

function* checkLength(file: BucketFile, findings: Findings): Plan<void> {
  const end = file.offsetOf(file.buckets), size = yield* fileSize(file.file);
  if (size > end) findings.note(`${size - end} bytes behind the last bucket`, file.path, end);
}

function checkIndices(
  { bound, areas, indices, file }: CheckedManager,
  use: BucketUse,
  findings: Findings,
): void {
  indices.forEach((index, number) => {
    for (let entry = 0; entry < index.used && !findings.full; entry++) use.take(index.bucket(entry), DATA);
    const columns = bound.filter((_, i) => areas[i]!.index === index).length;
    if (columns !== index.columns) {
      findings.wrong(
        `index ${number} is said to be that of ${index.columns} columns, ${columns} belong to it`,
        file.path,
      );
    }
    if (index.rows !== indices[0]!.rows) {
      findings.wrong(`index ${number} has ${index.rows} rows, index 0 has ${indices[0]!.rows}`, file.path);
    }
  });
}

/** The areas of an index's columns, and what it says is unused of each bucket. */
function checkAreas({ bound, areas, indices, file }: CheckedManager, findings: Findings): void {
  indices.forEach((index, number) => {
    const claims = new Claims(), names: string[] = [];
    let previous = -1;
    for (const { offset, length } of index.freeSpace) {
      claims.add(offset, length, names.push("the unused bytes") - 1);
      if (offset <= previous) {
        findings.wrong(`unused bytes of index ${number} don't ascend: ${previous}, ${offset}`, file.path);
      }
      previous = offset;
    }
    areas.forEach((area, i) => {
      if (area.index !== index) return;
      claims.add(area.offset, area.bytes, names.push(`column ${bound[i]!.name}`) - 1);
    });
    for (const { first, second, offset } of claims.overlaps()) {
      findings.wrong(
        `byte ${offset} of the buckets of index ${number} is ${names[first]}'s and ${names[second]}'s`,
        file.path,
      );
    }
  });
}

function* checkIndexChain(
  { file, place }: CheckedManager,
  use: BucketUse,
  findings: Findings,
): Plan<void> {
  const { buckets } = yield* readIndexStream(file, place);
  for (const bucket of buckets) use.take(bucket, INDEX);
  if (buckets.length !== place.indexBuckets) {
    findings.wrong(
      `the index is in ${buckets.length} buckets, the header says ${place.indexBuckets}`,
      file.path,
    );
  }
  for (const [i, bucket] of buckets.entries()) {
    const bytes = yield* readBytes(file.file, file.offsetOf(bucket), INDEX_LINK_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, INDEX_LINK_BYTES);
    const links = [view.getInt32(0), view.getInt32(4)], next = buckets[i + 1] ?? -1;
    if (links.some((link) => link !== next)) {
      findings.wrong(
        `index bucket ${bucket} is followed by ${links.join(" or ")}, expected ${next}`,
        file.path,
        file.offsetOf(bucket),
      );
    }
  }
}

function* checkFreeList(file: BucketFile, use: BucketUse, findings: Findings): Plan<void> {
  let bucket = file.firstFree;
  const { freeBuckets } = file;
  for (let count = 0;; count++) {
    if (bucket === -1 && count === freeBuckets) return;
    if (count === freeBuckets || bucket < 0 || bucket >= file.buckets) {
      return findings.wrong(
        `the list of free buckets has ${freeBuckets} as the header says, entry ${count} is bucket ${bucket}`,
        file.path,
      );
    }
    if (!use.take(bucket, FREE)) return;
    const bytes = yield* readBytes(file.file, file.offsetOf(bucket), 4);
    bucket = new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0);
  }
}

function* checkStringArrays({ bound, columns, areas, file }: CheckedManager, findings: Findings): Plan<void> {
  for (const [i, column] of bound.entries()) {
    if (formOf(column) !== "stringArray") continue;
    const checked = { bound: column, column: columns[i]!, rowCount: areas[i]!.index.rows, path: file.path };
    yield* checkCells(checked, findings);
  }
}

/** Buckets that nobody refers to: strings that belong to no cell, or lost. */
function* checkLeftovers(
  { file, lastStringBucket }: CheckedManager,
  { uses }: BucketUse,
  findings: Findings,
): Plan<void> {
  const { path } = file;
  if (lastStringBucket >= 0 && uses[lastStringBucket]! !== STRING && uses[lastStringBucket]! !== UNKNOWN) {
    findings.wrong(
      `strings are to be added to bucket ${lastStringBucket}, which is ${USE_NAMES[uses[lastStringBucket]!]}`,
      path,
      file.offsetOf(lastStringBucket),
    );
  }
  let strings = 0, firstStrings = -1;
  for (let bucket = uses.indexOf(UNKNOWN); bucket >= 0; bucket = uses.indexOf(UNKNOWN, bucket + 1)) {
    const header = yield* readBytes(file.file, file.offsetOf(bucket), STRING_HEADER_BYTES);
    if (isStringBucket(header, file)) {
      if (strings++ === 0) firstStrings = bucket;
    } else {
      findings.wrong(
        `bucket ${bucket} is in no list, nor does anything refer to it`,
        path,
        file.offsetOf(bucket),
      );
      if (findings.full) return;
    }
  }
  if (strings > 0) {
    findings.note(
      `${strings} string buckets, of which ${firstStrings} is the first, hold nothing that belongs to a cell`,
      path,
      file.offsetOf(firstStrings),
    );
  }
}

/** Arrays outside the buckets. */
function* checkIndirect(
  { bound, columns, indices, arrays, file }: CheckedManager,
  findings: Findings,
): Plan<void> {
  if (arrays === null) return;
  if (arrays instanceof TableError) return findings.caught(arrays, file.path);
  const cells: ArrayCells[] = [];
  for (const [i, column] of bound.entries()) {
    const managed = columns[i]!;
    if (formOf(column) !== "indirect" || !(managed instanceof IndirectColumn)) continue;
    const rows = Math.min(...indices.map((index) => index.rows));
    const offsets = yield* findings.attempt(managed.offsets(rowRange(0, rows)), file.path);
    if (offsets === undefined) continue;
    cells.push({
      column: column.name,
      dtype: column.dtype === "record" ? "uint8" : column.dtype,
      shape: column.kind === "record" ? null : column.shape,
      ndim: column.kind === "record" ? 1 : column.ndim,
      offsets,
      name: (row) => `row ${row}`,
    });
  }
  yield* checkArrays(arrays, cells, findings, 0);
}
