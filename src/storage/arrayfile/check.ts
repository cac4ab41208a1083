/**
 * Checks an array file beyond what reading cells needs: every record and string that cells refer to lies in the used
 * part, has a shape that its column can have, and shares no byte with another. Format reference part 2, section 5.
 */
import type { Plan } from "../../io/plan.ts";
import { TableError } from "../../error.ts";
import { elementsOf } from "../../array/rows.ts";
import { Claims } from "../claims.ts";
import type { Findings } from "../findings.ts";
import type { ShapeRun } from "../manager.ts";
import type { ArrayFile } from "./array-file.ts";
import type { StoredType } from "./record-layout.ts";
import { readRecords } from "./record-read.ts";
import { readStrings } from "./record-strings.ts";

/** Cells that are looked at in one go. */
const BLOCK_CELLS = 1 << 16;
/** Strings of cells that are looked at in one go. */
const BLOCK_STRINGS = 1 << 18;

/** The cells of a column that may have an array. */
export interface ArrayCells {
  /** Name of the column. */
  readonly column: string;
  readonly dtype: StoredType;
  /** The shape that all have, null if each has its own. */
  readonly shape: readonly number[] | null;
  /** Number of axes, -1 if any. */
  readonly ndim: number;
  /** Where each array stands, 0: nowhere. */
  readonly offsets: Float64Array;
  /** Tells which cell the i-th is: `row 7`. */
  name(i: number): string;
}

/** Plan: checks the arrays of all columns that share a file. `writes`: the version that casacore gives such files. */
export function* checkArrays(
  file: ArrayFile,
  columns: readonly ArrayCells[],
  findings: Findings,
  writes: 0 | 1,
): Plan<void> {
  if (file.version !== writes) {
    findings.note(`array file has version ${file.version}, casacore writes ${writes} here`, file.path, 0);
  }
  if (file.fileBytes > file.length) {
    findings.note(
      `${file.fileBytes - file.length} bytes behind the ${file.length} that are in use`,
      file.path,
      file.length,
    );
  }
  // Owners are numbered through all columns, so that one list of claims serves for all.
  const first: number[] = [];
  let total = 0;
  const claims = new Claims();
  for (const cells of columns) {
    first.push(total);
    for (let start = 0; start < cells.offsets.length && !findings.full; start += BLOCK_CELLS) {
      const end = Math.min(cells.offsets.length, start + BLOCK_CELLS);
      yield* checkCells(file, cells, start, end, findings, claims, total);
    }
    total += cells.offsets.length;
  }
  const nameOf = (owner: number): string => {
    let c = columns.length - 1;
    while (first[c]! > owner) c--;
    return `column ${columns[c]!.column}, ${columns[c]!.name(owner - first[c]!)}`;
  };
  // Records of version 1 count how many cells share them.
  for (const { first, second, offset } of claims.overlaps(file.version === 1)) {
    if (findings.full) return;
    findings.wrong(
      `bytes of the array of ${nameOf(first)} are also those of ${nameOf(second)}`,
      file.path,
      offset,
    );
  }
}

/** Plan: checks cells `start` to `end`. Where something is wrong they are halved, until it is known which one it is. */
function* checkCells(
  file: ArrayFile,
  cells: ArrayCells,
  start: number,
  end: number,
  findings: Findings,
  claims: Claims,
  owner: number,
): Plan<void> {
  if (findings.full) return;
  const before = claims.count;
  try {
    const offsets = cells.offsets.subarray(start, end);
    const runs = yield* file.shapes(offsets, cells.dtype, cells.shape?.length ?? cells.ndim);
    yield* claimRecords(file, cells, runs, start, findings, claims, owner);
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    claims.forget(before);
    if (end - start === 1) {
      findings.add({
        code: error.code,
        file: error.file ?? file.path,
        offset: error.offset,
        message: `column ${cells.column}, ${cells.name(start)}: ${error.reason}`,
        note: false,
      });
      return;
    }
    const middle = (start + end) >>> 1;
    yield* checkCells(file, cells, start, middle, findings, claims, owner);
    yield* checkCells(file, cells, middle, end, findings, claims, owner);
  }
}

function* claimRecords(
  file: ArrayFile,
  cells: ArrayCells,
  runs: readonly ShapeRun[],
  start: number,
  findings: Findings,
  claims: Claims,
  owner: number,
): Plan<void> {
  let i = start;
  for (const { count, shape } of runs) {
    if (shape !== null) {
      checkShape(cells, shape, i, findings, file);
      const { bytes } = file.layout(cells.dtype, shape);
      for (let k = i; k < i + count; k++) claims.add(cells.offsets[k]!, bytes, owner + k);
      if (cells.dtype === "string") yield* claimStrings(file, cells, shape, i, count, claims, owner);
    }
    i += count;
  }
}

function checkShape(
  { column, shape: fixed, ndim, name }: ArrayCells,
  shape: readonly number[],
  i: number,
  findings: Findings,
  file: ArrayFile,
): void {
  const fits = fixed !== null
    ? shape.length === fixed.length && shape.every((length, axis) => length === fixed[axis])
    : ndim < 0 || shape.length === ndim || (shape.length === 1 && shape[0] === 0);
  if (fits) return;
  const expected = fixed !== null ? `[${fixed.join(", ")}]` : `one of ${ndim} axes`;
  findings.wrong(
    `column ${column}, ${name(i)}: the array has shape [${shape.join(", ")}], expected ${expected}`,
    file.path,
  );
}

/** Plan: claims the bytes of the strings of `count` cells of one shape. */
function* claimStrings(
  file: ArrayFile,
  { offsets }: ArrayCells,
  shape: readonly number[],
  start: number,
  count: number,
  claims: Claims,
  owner: number,
): Plan<void> {
  const elements = elementsOf(shape);
  if (elements === 0) return;
  const each = Math.max(1, Math.floor(BLOCK_STRINGS / elements));
  for (let done = 0; done < count; done += each) {
    const n = Math.min(each, count - done), from = start + done;
    const places = new Uint32Array(n * elements);
    const records = offsets.subarray(from, from + n);
    yield* readRecords(file, records, shape, "uint32", null, new Uint8Array(places.buffer), 0);
    yield* readStrings(file, places, (i, bytes) => {
      if (places[i] !== 0) claims.add(places[i]!, 4 + bytes.length, owner + from + Math.floor(i / elements));
    });
  }
}
