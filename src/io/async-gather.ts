/**
 * Gathers without blocking: as `gather.ts`, but what is long is read, and its boxes are moved, on other threads.
 *
 * | target | file | how |
 * | --- | --- | --- |
 * | any | little is wanted | pages are waited for, then boxes moved from them by our own thread |
 * | lent, or little is wanted at all | mapped and in memory | our own thread moves boxes out of the map, piece by piece |
 * | the request's own | mapped | C moves boxes out of the map |
 * | the request's own | C can read it, nothing pending | C reads some extents and moves their boxes, by one call |
 * | any | any | read into a buffer, boxes moved by our own thread |
 */
import type { MoveList } from "../array/moves.ts";
import { COPIED_BYTES, OWN_BYTES, startReads } from "./async-read.ts";
import type { AsyncRequest } from "./async-request.ts";
import { turn, turnIsDue } from "./async-turns.ts";
import type { FileMap } from "./backend.ts";
import { gatherCached, mapOf, throughCache, type Tools, wholeSpan } from "./gather.ts";
import { CHUNK_BYTES, type GatherJob, planGather } from "./gather-plan.ts";
import type { Extent, GatherStep } from "./plan.ts";
import { unionSpan } from "./spans.ts";
import type { TableFile } from "./table-file.ts";

/** Extents that are looked at before the event loop may turn. */
const EXTENTS_A_TURN = 128;
/** Bytes of the file that one call reads and moves the boxes of: a few milliseconds. */
const CALL_BYTES = 8 * 1024 * 1024;
/** Moves of one call on a map. */
const MAP_CALL_BYTES = 8 * 1024 * 1024;

type ChunkJob = GatherJob & { kind: "chunk" };

/** Moves boxes from a file into an array. @throws TableError CORRUPT past the end of the file, IO */
export async function gatherAsync(
  file: TableFile,
  step: GatherStep,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  const cached = throughCache(step, tools), lent = request.isLent(step.target);
  const map = mapOf(file, step, cached);
  if (map !== null && (lent || totalOf(step.extents) <= OWN_BYTES)) {
    const done = await moveAtHand(file, map, step, request);
    if (done === step.extents.length) return;
    step = { ...step, extents: step.extents.slice(done) };
  }
  if (map !== null && !lent && await moveFromMap(file, map, step, request)) return;
  if (cached) await throughPages(file, step, tools, request);
  else await startJobs(file, step, tools, request, lent);
  await request.lanes.drain();
}

async function throughPages(
  file: TableFile,
  step: GatherStep,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  for (let from = 0; from < step.extents.length; from += EXTENTS_A_TURN) {
    const extents = step.extents.slice(from, from + EXTENTS_A_TURN);
    for (const extent of extents) {
      const { lo, hi } = wholeSpan(extent, unionSpan(step.moves, extent.firstMove, extent.moveCount));
      await file.loadAsync(lo, hi - lo);
    }
    if (turnIsDue()) await turn();
    request.check();
    gatherCached(file, { ...step, extents }, tools);
  }
}

function totalOf(extents: readonly Extent[]): number {
  let total = 0;
  for (const { length } of extents) total += length;
  return total;
}

/** Moves boxes out of a map by this thread, as long as extents are in memory. @returns how many of them are done */
async function moveAtHand(
  file: TableFile,
  map: FileMap,
  { moves, target, extents }: GatherStep,
  request: AsyncRequest,
): Promise<number> {
  for (let from = 0, to = 0; from < extents.length; from = to) {
    for (let bytes = 0; to < extents.length && bytes < COPIED_BYTES; to++) bytes += extents[to]!.length;
    if (turnIsDue()) await turn();
    request.check();
    for (const i of [from, to - 1]) {
      const { offset, length } = extents[i]!;
      if (!map.isThere(offset, length)) return from;
    }
    const part = extents.slice(from, to);
    if (!file.fromMap(() => map.gather(part, moves, target))) return from;
  }
  return extents.length;
}

/** Moves boxes out of a map, by several calls; false when one couldn't. */
async function moveFromMap(
  file: TableFile,
  map: FileMap,
  step: GatherStep,
  request: AsyncRequest,
): Promise<boolean> {
  const { moves, target, extents } = step;
  let done = true;
  const call = async (from: number, to: number): Promise<void> => {
    request.check();
    if (turnIsDue()) await turn();
    const part = extents.slice(from, to);
    await request.lanes.start(async () => {
      if (!await file.fromMapAsync(() => map.gatherAsync(part, moves, target))) done = false;
    });
  };
  let from = 0, bytes = 0;
  for (let i = 0; i < extents.length && done; i++) {
    if (bytes >= MAP_CALL_BYTES) {
      await call(from, i);
      from = i;
      bytes = 0;
    }
    bytes += extents[i]!.length;
  }
  if (done) await call(from, extents.length);
  await request.lanes.drain();
  return done;
}

/** Starts calls that read, and move boxes of what they read. */
async function startJobs(
  file: TableFile,
  step: GatherStep,
  tools: Tools,
  request: AsyncRequest,
  lent: boolean,
): Promise<void> {
  const { moves, target } = step;
  const batch = lent ? null : new Batch(file, target, tools, request);
  for (let from = 0; from < step.extents.length; from += EXTENTS_A_TURN) {
    for (const job of planGather(step.extents.slice(from, from + EXTENTS_A_TURN), moves)) {
      request.check();
      if (turnIsDue()) await turn();
      if (job.kind === "chunk") {
        if (batch === null) await request.lanes.start(() => readAndMove(file, job, target, tools, request));
        else await batch.add(job);
        continue;
      }
      if (job.at + job.length > target.length) throw new RangeError("a move leaves its array");
      const bytes = target.subarray(job.at, job.at + job.length);
      if (moves.swapUnit === 1) await startReads(file, job.offset, bytes, request);
      else await startSwapped(file, job.offset, bytes, moves.swapUnit as 2 | 4 | 8, tools, request);
    }
  }
  await batch?.end();
}

/** Starts reads of a stretch that lies in the array as in the file, but for byte order. */
async function startSwapped(
  file: TableFile,
  offset: number,
  target: Uint8Array,
  unit: 2 | 4 | 8,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  const lent = request.isLent(target);
  for (let at = 0; at < target.length; at += CHUNK_BYTES) {
    request.check();
    const piece = target.subarray(at, at + CHUNK_BYTES), from = offset + at;
    await request.lanes.start(async () => {
      const buffer = lent ? request.buffer(piece.length) : null;
      try {
        await file.fillAsync(buffer ?? piece, from);
        if (turnIsDue()) await turn();
        request.check();
        tools.kernels.swap(buffer ?? piece, unit);
        if (buffer !== null) piece.set(buffer);
      } finally {
        if (buffer !== null) request.giveBack(buffer);
      }
    });
  }
}

/** Reads a chunk; our own thread moves its boxes. */
async function readAndMove(
  file: TableFile,
  { offset, length, moves, first, count }: ChunkJob,
  target: Uint8Array,
  tools: Tools,
  request: AsyncRequest,
): Promise<void> {
  const buffer = request.buffer(length);
  try {
    await file.fillAsync(buffer, offset);
    if (turnIsDue()) await turn();
    request.check();
    tools.kernels.gather(moves, first, count, buffer, offset, target);
  } finally {
    request.giveBack(buffer);
  }
}

/** Collects chunks for calls that read and move. */
class Batch {
  readonly #file: TableFile;
  readonly #target: Uint8Array;
  readonly #tools: Tools;
  readonly #request: AsyncRequest;
  #jobs: ChunkJob[] = [];
  #bytes = 0;

  constructor(file: TableFile, target: Uint8Array, tools: Tools, request: AsyncRequest) {
    this.#file = file;
    this.#target = target;
    this.#tools = tools;
    this.#request = request;
  }

  async add(job: ChunkJob): Promise<void> {
    const first = this.#jobs[0], last = this.#jobs[this.#jobs.length - 1];
    if (
      first !== undefined && last !== undefined &&
      (first.moves !== job.moves || job.offset < last.offset + last.length || this.#bytes >= CALL_BYTES)
    ) {
      await this.end();
    }
    this.#jobs.push(job);
    this.#bytes += job.length;
  }

  /** Starts a call for what was collected. */
  async end(): Promise<void> {
    const jobs = this.#jobs;
    if (jobs.length === 0) return;
    this.#jobs = [];
    this.#bytes = 0;
    await this.#request.lanes.start(() => this.#run(jobs));
  }

  async #run(jobs: readonly ChunkJob[]): Promise<void> {
    const file = this.#file, request = this.#request, last = jobs[jobs.length - 1]!;
    if (file.gathers(jobs[0]!.offset, last.offset + last.length)) {
      const extents: Extent[] = jobs.map(({ offset, length, first, count }) => ({
        offset,
        length,
        firstMove: first,
        moveCount: count,
      }));
      const moves: MoveList = jobs[0]!.moves;
      const scratch = request.buffer(jobs.reduce((most, { length }) => Math.max(most, length), 0));
      try {
        if (await file.gatherAsync(extents, moves, this.#target, scratch)) return;
      } finally {
        request.giveBack(scratch);
      }
    }
    for (const job of jobs) await readAndMove(file, job, this.#target, this.#tools, request);
  }
}
