/**
 * Checks a StManAipsIO beyond what reading cells needs: the values of every column fill its object exactly, and the
 * arrays that they refer to are whole. Format reference part 3, sections B1 and B2.
 */
import { isNumeric } from "../../array/dtype.ts";
import { elementsOf } from "../../array/rows.ts";
import { fileSize, type Plan } from "../../io/plan.ts";
import { type ArrayCells, checkArrays } from "../arrayfile/check.ts";
import { packedBytes } from "../arrayfile/cells.ts";
import { arrayFileName } from "../arrayfile/header.ts";
import { LazyArrayFile } from "../arrayfile/lazy.ts";
import { type Finding, Findings } from "../findings.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";
import type { AipsFile } from "./aips-file.ts";
import { checkRowCount, type Chunk, type ChunkForm, eachChunk, skipRows, valuesForm } from "./chunks.ts";
import { isIndirect } from "./column-object.ts";
import type { Scan } from "./scan.ts";
import { LARGE_OFFSET } from "./indirect-column.ts";

/** Bytes of a word, and of an offset behind its marker. */
const WORD_BYTES = 4, LARGE_BYTES = 8;

/** Plan: everything that is inconsistent. */
export function* checkAips(file: AipsFile, context: ManagerContext): Plan<Finding[]> {
  const findings = new Findings();
  const size = yield* fileSize(file.name);
  if (size > file.end) {
    findings.note(`${size - file.end} bytes behind the object that is the file`, file.path, file.end);
  }
  const common: ArrayCells[] = [];
  const own = new Map<number, ArrayCells>();
  for (const [i, bound] of context.columns.entries()) {
    if (findings.full) break;
    if (!isIndirect(bound)) {
      yield* findings.attempt(walkValues(file, i, bound), file.path);
      continue;
    }
    const found = yield* findings.attempt(walkOffsets(file, i), file.path);
    if (found === undefined) continue;
    const cells = cellsOf(bound, found.offsets);
    if (found.number === null) common.push(cells);
    else own.set(found.number, cells);
  }
  if (common.length > 0) yield* checkFile(arrayFileName(context.sequence), common, context, findings);
  for (const [number, cells] of own) {
    yield* checkFile(arrayFileName(context.sequence, number), [cells], context, findings);
  }
  return findings.finish();
}

/** Plan: checks an array file, which is version 0 and big endian with this manager. */
function* checkFile(
  name: string,
  cells: readonly ArrayCells[],
  context: ManagerContext,
  findings: Findings,
): Plan<void> {
  const path = context.pathOf(name);
  const arrays = yield* findings.attempt(new LazyArrayFile(name, path, true).open(), path);
  if (arrays !== undefined) yield* checkArrays(arrays, cells, findings, 0);
}

/** Plan: walks over the values of scalars or direct arrays to the end of their object. */
function* walkValues(file: AipsFile, number: number, bound: BoundColumn): Plan<void> {
  const body = yield* file.body(number), array = bound.kind === "array";
  const elements = array ? elementsOf(bound.shape ?? []) : 1;
  const form = valuesForm(body.version, array, elements);
  const { dtype } = bound;
  yield* eachChunk(file, body, file.rowCount, form.chunkCounts ? form : null, function* (chunk, scan) {
    if (!isNumeric(dtype)) yield* skipStrings(scan, chunk, form);
    else if (dtype === "bool" && !array) {
      const bytes = Math.ceil(chunk.rows / 8);
      scan.checkRoom(bytes);
      scan.position += bytes;
    } else yield* skipRows(scan, chunk.rows, packedBytes(dtype, elements), form);
  });
}

function* skipStrings(scan: Scan, { rows }: Chunk, form: ChunkForm): Plan<void> {
  // Cells without strings take no room, however many they are.
  if (form.elements === 0 && !form.rowCounts) return;
  for (let row = 0; row < rows; row++) {
    if (form.rowCounts) yield* checkRowCount(scan, form.elements);
    for (let k = 0; k < form.elements; k++) {
      if (!scan.has(WORD_BYTES)) yield* scan.need(WORD_BYTES);
      const length = scan.u32();
      scan.checkRoom(length, scan.position - WORD_BYTES);
      scan.position += length;
    }
  }
}

/** Plan: where the arrays of a column stand, and the number of the file if the column has one of its own. */
function* walkOffsets(
  file: AipsFile,
  number: number,
): Plan<{ offsets: Float64Array; number: number | null }> {
  const body = yield* file.body(number);
  const offsets: number[] = [];
  yield* eachChunk(file, body, file.rowCount, null, function* ({ rows }, scan) {
    for (let row = 0; row < rows; row++) {
      if (!scan.has(WORD_BYTES)) yield* scan.need(WORD_BYTES);
      const offset = scan.u32();
      if (offset === LARGE_OFFSET) yield* scan.need(LARGE_BYTES);
      offsets.push(offset === LARGE_OFFSET ? scan.offset() : offset);
    }
  });
  return {
    offsets: Float64Array.from(offsets),
    number: body.arrays!.perColumn ? body.arrays!.number : null,
  };
}

function cellsOf(column: BoundColumn, offsets: Float64Array): ArrayCells {
  const record = column.kind === "record";
  return {
    column: column.name,
    dtype: record || column.dtype === "record" ? "uint8" : column.dtype,
    shape: record ? null : column.shape,
    ndim: record ? 1 : column.ndim,
    offsets,
    name: (row) => `row ${row}`,
  };
}
