/**
 * Writing the values of many array records of one shape.
 *
 * Records that follow each other are composed with their heads and written in large pieces, without reading what was
 * there. Everything else (boxes, scattered records, records with a reference count to keep) is laid over the old bytes.
 */
import { kernels } from "../../array/choose.ts";
import { numericInfo } from "../../array/dtype.ts";
import { MoveList } from "../../array/moves.ts";
import { type Box, elementsOf } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { ArrayFile } from "./array-file.ts";
import { unitOf } from "./cells.ts";
import { formatHead, packedType, type RecordLayout } from "./record-layout.ts";
import { recordMoves } from "./record-read.ts";
import { type RecordRun, recordRuns } from "./record-runs.ts";

/** Bytes that are composed before they are written. */
const CHUNK_BYTES = 1 << 20;

/** Records at least this long are given room with a longer file instead of zeros, when they are at its end. */
const SPARSE_BYTES = 1 << 16;

/** Writes a box of every record from `source` (null: zeros); offsets were checked. */
export function* writeRecords(
  file: ArrayFile,
  offsets: Float64Array,
  layout: RecordLayout,
  box: Box | null,
  source: Uint8Array | null,
  at: number,
): Plan<void> {
  if (box !== null) {
    if (elementsOf(box.shape) === 0 || source === null) return;
    yield* file.settle();
    return yield* scatterRecords(file, offsets, layout, box, source, at);
  }
  for (const run of contiguousRuns(offsets, layout)) {
    const fresh = file.reserved.release(run.offset, run.count, layout);
    if (!fresh) yield* file.settle();
    if (fresh || file.version === 0) yield* writeRun(file, run, layout, source, at);
    else yield* keepHeads(file, run, layout, source, at);
  }
}

/** Writes the values of records whose heads, with their reference counts, stay as they are. */
function* keepHeads(
  file: ArrayFile,
  run: RecordRun,
  layout: RecordLayout,
  source: Uint8Array | null,
  at: number,
): Plan<void> {
  const size = numericInfo(packedType(layout.dtype)).size;
  const values = source ?? new Uint8Array(layout.elements * size);
  for (let i = 0; i < run.count; i++) {
    const from = source === null ? 0 : at + (run.index + i) * layout.elements;
    yield* scatterRecords(file, Float64Array.of(run.offset + i * run.stride), layout, null, values, from);
  }
}

/** Runs without other bytes between the records than the gap to the next multiple of 8. */
function* contiguousRuns(offsets: Float64Array, layout: RecordLayout): Generator<RecordRun> {
  for (const run of recordRuns(offsets, layout.stride)) {
    if (run.count === 1 || run.stride === layout.stride) {
      yield run;
      continue;
    }
    for (let i = 0; i < run.count; i++) {
      yield { offset: run.offset + i * run.stride, count: 1, stride: 0, index: run.index + i };
    }
  }
}

/** Lays boxes over the records that are there. */
function* scatterRecords(
  file: ArrayFile,
  offsets: Float64Array,
  layout: RecordLayout,
  box: Box | null,
  source: Uint8Array,
  at: number,
): Plan<void> {
  if (layout.elements === 0) return;
  const { moves, extents } = recordMoves(file, offsets, layout.shape, packedType(layout.dtype), box, at);
  for (const extent of extents.finish()) {
    yield { kind: "scatter", file: file.file, extent, fresh: false, moves, source };
  }
}

/** Writes records that follow each other, heads and gaps included. */
export function* writeRun(
  file: ArrayFile,
  run: RecordRun,
  layout: RecordLayout,
  source: Uint8Array | null,
  at: number,
): Plan<void> {
  const { offset, count, index } = run;
  const head = formatHead(layout.shape, file.version, file.bigEndian);
  const end = offset + (count - 1) * layout.stride + layout.bytes;
  const sparse = source === null && layout.bytes >= SPARSE_BYTES && offset >= file.fileBytes;
  if (sparse || layout.bytes > CHUNK_BYTES) {
    for (let i = 0; i < count; i++) {
      const record = offset + i * layout.stride;
      yield { kind: "write", file: file.file, offset: record, bytes: head };
      if (!sparse) {
        yield* writeLong(file, record + head.length, layout, source, at + (index + i) * layout.elements);
      }
    }
    yield { kind: "resize", file: file.file, length: end, shrink: false };
  } else {
    const each = Math.max(1, Math.floor(CHUNK_BYTES / layout.stride));
    const chunk = new Uint8Array(Math.min(each, count) * layout.stride);
    for (let i = 0; i < count; i += each) {
      const n = Math.min(each, count - i);
      compose(chunk, n, head, layout, file.bigEndian, source, at + (index + i) * layout.elements);
      const bytes = chunk.subarray(0, (n - 1) * layout.stride + layout.bytes);
      yield { kind: "write", file: file.file, offset: offset + i * layout.stride, bytes };
    }
  }
  file.fileBytes = Math.max(file.fileBytes, end);
}

/** Writes the values of one long array in pieces, straight from the source where its bytes are those of the file. */
function* writeLong(
  file: ArrayFile,
  offset: number,
  layout: RecordLayout,
  source: Uint8Array | null,
  at: number,
): Plan<void> {
  const unit = unitOf(packedType(layout.dtype), file.bigEndian);
  const total = layout.elements * unit.parts;
  const first = at * unit.parts;
  if (source !== null && unit.kind === "bytes" && unit.swapUnit === 1) {
    const bytes = source.subarray(first * unit.size, (first + total) * unit.size);
    yield { kind: "write", file: file.file, offset, bytes };
    return;
  }
  const each = CHUNK_BYTES * 8 / unit.bits;
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let i = 0; i < total; i += each) {
    const n = Math.min(each, total - i);
    if (source !== null) {
      if (n < each) chunk.fill(0);
      const values = new MoveList(unit.kind, 1, unit.size, unit.swapUnit, 1);
      values.push(0, first + i, [n], [1], [1]);
      kernels().scatter(values, 0, 1, source, chunk, 0);
    }
    const bytes = chunk.subarray(0, Math.ceil(n * unit.bits / 8));
    yield { kind: "write", file: file.file, offset: offset + i * unit.bits / 8, bytes };
  }
}

/** Puts `n` records into `chunk`, whose gaps are zero. */
function compose(
  chunk: Uint8Array,
  n: number,
  head: Uint8Array,
  layout: RecordLayout,
  bigEndian: boolean,
  source: Uint8Array | null,
  at: number,
): void {
  const heads = new MoveList("bytes", 2, 1, 1, 1);
  heads.push(0, 0, [head.length, n], [1, layout.stride], [1, 0]);
  kernels().scatter(heads, 0, 1, head, chunk, 0);
  if (source === null || layout.elements === 0) return;
  const unit = unitOf(packedType(layout.dtype), bigEndian);
  const values = new MoveList(unit.kind, 2, unit.size, unit.swapUnit, 1);
  const each = layout.elements * unit.parts;
  values.push(
    unit.kind === "bits" ? layout.head * 8 : layout.head,
    at * unit.parts,
    [each, n],
    [1, layout.stride * 8 / unit.bits],
    [1, each],
  );
  kernels().scatter(values, 0, 1, source, chunk, 0);
}
