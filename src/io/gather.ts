/**
 * Carries out gathers and scatters on one file: boxes of elements to and from an array.
 */
import type { Kernels } from "../array/kernels.ts";
import type { MoveList } from "../array/moves.ts";
import type { FileMap } from "./backend.ts";
import type { BufferPool } from "./buffers.ts";
import { CHUNK_BYTES, EXTENT_BYTES, GAP_BYTES, type GatherJob, planGather } from "./gather-plan.ts";
import type { Extent, GatherStep, ScatterStep } from "./plan.ts";
import { fileBlock, linearBlock, refine, type Span, unionSpan, wantedBytes } from "./spans.ts";
import { BYPASS_BYTES, type TableFile } from "./table-file.ts";

/** What gathers and scatters work with. */
export interface Tools {
  readonly kernels: Kernels;
  readonly pool: BufferPool;
  /** Bound of the page cache in bytes. */
  readonly cacheBytes: number;
  /** Takes bytes for a file; what becomes of them, and when, is decided there. Copies what it keeps. */
  write(file: TableFile, offset: number, bytes: Uint8Array): void;
  /** Says that memory claimed at `offset` was filled. */
  claimed(file: TableFile, offset: number): void;
  /** Sends what became pending at `offset`, and all else, when it is too much to be kept; the event loop turns. */
  relieve(file: TableFile, offset: number): Promise<void>;
  /** True when bytes from `offset` on can be sent at once. */
  mayPass(file: TableFile, offset: number): boolean;
}

/** Share of the page cache that one gather may go through: it would push out everything else otherwise. */
const CACHE_SHARE = 1 / 8;
/** Gathers of less than this are copied from pages even where the file is mapped: a map costs more calls. */
const MAP_BYTES = 64 * 1024;

/** True when a gather is better served by the page cache: it is small, or wants little of what it must read. */
export function throughCache(step: GatherStep, tools: Tools): boolean {
  let total = 0;
  for (const { length, firstMove, moveCount } of step.extents) {
    total += length;
    if (!(firstMove >= 0 && moveCount >= 0 && firstMove + moveCount <= step.moves.count)) {
      throw new RangeError(`moves ${firstMove} to ${firstMove + moveCount} of a list of ${step.moves.count}`);
    }
  }
  if (total < BYPASS_BYTES) return true;
  if (total > tools.cacheBytes * CACHE_SHARE) return false;
  let wanted = 0;
  for (const { firstMove, moveCount } of step.extents) {
    for (let i = firstMove; i < firstMove + moveCount; i++) wanted += wantedBytes(step.moves, i);
  }
  return wanted < total / 2;
}

/** Moves boxes from a file into an array. @throws TableError CORRUPT past the end of the file, IO */
export function gather(file: TableFile, step: GatherStep, tools: Tools): void {
  const cached = throughCache(step, tools);
  const map = mapOf(file, step, cached);
  if (map !== null && file.fromMap(() => map.gather(step.extents, step.moves, step.target))) return;
  if (cached) return gatherCached(file, step, tools);
  for (const job of planGather(step.extents, step.moves)) {
    if (job.kind === "direct") {
      for (const target of directTargets(job, step)) {
        file.fill(target.bytes, target.offset, false);
        swapInPlace(target.bytes, step.moves, tools.kernels);
      }
    } else {
      const bytes = tools.pool.scratch(job.length);
      file.fill(bytes, job.offset, false);
      tools.kernels.gather(job.moves, job.first, job.count, bytes, job.offset, step.target);
    }
  }
}

/** The parts of the array that a direct job reads to, in pieces when their bytes are swapped while they are warm. */
function directTargets(
  job: GatherJob & { kind: "direct" },
  step: GatherStep,
): { bytes: Uint8Array; offset: number }[] {
  const most = step.moves.swapUnit > 1 ? CHUNK_BYTES : Infinity;
  const parts: { bytes: Uint8Array; offset: number }[] = [];
  for (let done = 0; done < job.length; done += most) {
    const length = Math.min(most, job.length - done);
    const at = job.at + done;
    if (at + length > step.target.length) throw new RangeError("a move leaves its array");
    parts.push({ bytes: step.target.subarray(at, at + length), offset: job.offset + done });
  }
  return parts;
}

function swapInPlace(bytes: Uint8Array, moves: MoveList, kernels: Kernels): void {
  if (moves.swapUnit > 1) kernels.swap(bytes, moves.swapUnit as 2 | 4 | 8);
}

// ---- mapped

export function mapOf(file: TableFile, step: GatherStep, cached: boolean): FileMap | null {
  const { extents } = step;
  if (extents.length === 0 || (cached && extents.reduce((sum, e) => sum + e.length, 0) < MAP_BYTES)) {
    return null;
  }
  let end = 0;
  for (const extent of extents) end = Math.max(end, extent.offset + extent.length);
  return file.mapped(extents[0]!.offset, end);
}

// ---- through the cache

export function gatherCached(file: TableFile, step: GatherStep, tools: Tools): void {
  const { moves, target } = step;
  const piece = (list: MoveList, first: number, count: number, { lo, hi }: Span): void => {
    let bytes = file.view(lo, hi);
    if (bytes === undefined) {
      bytes = tools.pool.scratch(hi - lo);
      file.fill(bytes, lo, true);
    }
    tools.kernels.gather(list, first, count, bytes, lo, target);
  };
  for (const extent of step.extents) {
    const { firstMove, moveCount } = extent;
    const span = unionSpan(moves, firstMove, moveCount);
    if (span.hi === span.lo) continue;
    if (span.hi - span.lo < BYPASS_BYTES) {
      const whole = wholeSpan(extent, span);
      if (whole !== span) file.prefetch(span.lo, span.hi, whole.lo, whole.hi);
      piece(moves, firstMove, moveCount, span);
    } else {
      const cut = refine(moves, firstMove, moveCount, BYPASS_BYTES / 2, GAP_BYTES);
      cut.spans.forEach((part, i) => piece(cut.moves, i, 1, part));
    }
  }
}

/** What is brought into the cache for an extent: all of a small one, since its other rows are likely to be next. */
export function wholeSpan(extent: Extent, span: Span): Span {
  const lo = extent.offset, hi = lo + extent.length;
  return extent.length < BYPASS_BYTES && lo <= span.lo && hi >= span.hi ? { lo, hi } : span;
}

// ---- writing

/** Lays boxes of an array over a stretch of a file. @throws TableError CORRUPT past the end of the file, IO */
export function scatter(file: TableFile, step: ScatterStep, tools: Tools): void {
  const { extent, moves, source } = step;
  const { firstMove, moveCount, offset, length } = extent;
  const { lo, hi } = unionSpan(moves, firstMove, moveCount);
  if (
    step.fresh &&
    !(lo === offset && hi === offset + length && isOneBlock(moves, firstMove, moveCount, length))
  ) {
    if (length <= EXTENT_BYTES) {
      const large = length >= CHUNK_BYTES;
      const bytes = large ? tools.pool.scratch(length) : file.claim(offset, length);
      if (!fills(moves, firstMove, moveCount, offset, length)) bytes.fill(0);
      tools.kernels.scatter(moves, firstMove, moveCount, source, bytes, offset);
      return large ? tools.write(file, offset, bytes) : tools.claimed(file, offset);
    }
    writeZeros(file, offset, length, tools);
  }
  if (hi - lo <= EXTENT_BYTES || isOneBlock(moves, firstMove, moveCount, hi - lo)) {
    return lay(file, moves, firstMove, moveCount, { lo, hi }, source, tools);
  }
  const cut = refine(moves, firstMove, moveCount, CHUNK_BYTES, GAP_BYTES);
  cut.spans.forEach((part, i) => lay(file, cut.moves, i, 1, part, source, tools));
}

/** True when moves are blocks that lie behind each other in the file and fill a stretch of it. */
function fills(moves: MoveList, first: number, count: number, offset: number, length: number): boolean {
  let at = offset;
  for (let i = first; i < first + count; i++) {
    const block = fileBlock(moves, i);
    if (block === 0 || moves.data[i * moves.stride] !== at) return false;
    at += block;
  }
  return at === offset + length;
}

/** True for one move whose elements fill `length` bytes of the file without a hole. */
export function isOneBlock(moves: MoveList, first: number, count: number, length: number): boolean {
  return count === 1 && fileBlock(moves, first) === length;
}

/** Lays boxes over the bytes of their span, which are read only if some of them stay. */
function lay(
  file: TableFile,
  moves: MoveList,
  first: number,
  count: number,
  { lo, hi }: Span,
  source: Uint8Array,
  tools: Tools,
): void {
  const length = hi - lo;
  if (length === 0) return;
  if (isOneBlock(moves, first, count, length)) {
    if (moves.swapUnit === 1 && linearBlock(moves, first) === length) {
      const at = moves.data[first * moves.stride + 1]! * moves.elementSize;
      if (at + length > source.length) throw new RangeError("a move leaves its array");
      return tools.write(file, lo, source.subarray(at, at + length));
    }
    if (length <= CHUNK_BYTES) {
      tools.kernels.scatter(moves, first, count, source, file.claim(lo, length), lo);
      return tools.claimed(file, lo);
    }
    if (length > EXTENT_BYTES) {
      const cut = refine(moves, first, count, CHUNK_BYTES, GAP_BYTES);
      return cut.spans.forEach((part, i) => lay(file, cut.moves, i, 1, part, source, tools));
    }
  } else {
    const pending = file.pendingView(lo, length);
    if (pending !== undefined) return tools.kernels.scatter(moves, first, count, source, pending, lo);
  }
  const bytes = tools.pool.scratch(length);
  if (!isOneBlock(moves, first, count, length)) file.fill(bytes, lo, length < BYPASS_BYTES);
  tools.kernels.scatter(moves, first, count, source, bytes, lo);
  tools.write(file, lo, bytes);
}

/** Makes a long stretch zero: by lengthening the file where it ends before. */
function writeZeros(file: TableFile, offset: number, length: number, tools: Tools): void {
  const end = offset + length, there = Math.min(Math.max(file.size(), offset), end);
  for (let at = offset; at < there; at += CHUNK_BYTES) {
    tools.write(file, at, tools.pool.scratch(Math.min(CHUNK_BYTES, there - at)).fill(0));
  }
  if (there < end) file.resize(end, false);
}
