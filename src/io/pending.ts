/**
 * Bytes of one file that were written but not yet sent: runs, in ascending order, none overlapping another.
 *
 * A run keeps what was written in one piece, so that boxes can be laid into it in place, and grows as writes continue
 * where it ends. Nothing needs to be read in order to hold a few bytes back.
 */
import { type BufferPool, RUN_BYTES } from "./buffers.ts";

/** Bytes `start` to `end` (exclusive) of a file; the first `end - start` of `buffer`. */
export interface Run {
  start: number;
  end: number;
  buffer: Uint8Array<ArrayBuffer>;
  /** False when `buffer` is a part of another run's buffer, which must not be handed back. */
  whole: boolean;
}

/** A run that outgrows this gets all the memory that a run may have. */
const SMALL_RUN_BYTES = 64 * 1024;
/** What a run costs beside its buffer. */
const RUN_COST = 128;

/** The content of a run. */
export function runBytes(run: Run): Uint8Array<ArrayBuffer> {
  return run.buffer.subarray(0, run.end - run.start);
}

/** The runs of one file. */
export class Pending {
  readonly #pool: BufferPool;
  #runs: Run[] = [];
  #cost = 0;
  #sentTo = -1;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** The runs, ascending. */
  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** Memory that the runs take, in bytes. */
  get cost(): number {
    return this.#cost;
  }

  /** Index of the first run that ends after `offset`. */
  #find(offset: number): number {
    let lo = 0, hi = this.#runs.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if (this.#runs[middle]!.end > offset) hi = middle;
      else lo = middle + 1;
    }
    return lo;
  }

  /** True when some pending byte lies in `start` to `end`. */
  touches(start: number, end: number): boolean {
    const run = this.#runs[this.#find(start)];
    return run !== undefined && run.start < end;
  }

  /** True when every byte of `start` to `end` is pending. */
  covers(start: number, end: number): boolean {
    for (let i = this.#find(start), at = start; at < end; i++) {
      const run = this.#runs[i];
      if (run === undefined || run.start > at) return false;
      at = run.end;
    }
    return true;
  }

  /** Length of the run that has byte `offset`; 0 if none has. */
  lengthAround(offset: number): number {
    const run = this.#runs[this.#find(offset)];
    return run === undefined || run.start > offset ? 0 : run.end - run.start;
  }

  /** The pending bytes of a range in place, if one run holds them all. */
  view(start: number, end: number): Uint8Array<ArrayBuffer> | undefined {
    const run = this.#runs[this.#find(start)];
    if (run === undefined || run.start > start || run.end < end) return undefined;
    return run.buffer.subarray(start - run.start, end - run.start);
  }

  /** Lays the pending bytes over `target`, which holds the file from `offset`. */
  overlay(target: Uint8Array, offset: number): void {
    const end = offset + target.length;
    for (let i = this.#find(offset); i < this.#runs.length; i++) {
      const run = this.#runs[i]!;
      if (run.start >= end) return;
      const from = Math.max(run.start, offset), to = Math.min(run.end, end);
      target.set(run.buffer.subarray(from - run.start, to - run.start), from - offset);
    }
  }

  /**
   * Makes a range pending and returns its memory, for the caller to fill. What was pending there before is lost or
   * kept, as it happens: fill all of it.
   */
  claim(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const end = offset + length;
    const inside = this.view(offset, end);
    if (inside !== undefined) return inside;
    // A run that ends where this one starts, or overlaps its start, grows: the usual case of writing on and on.
    const touching = this.#find(offset - 1);
    const left = this.#runs[touching], next = this.#runs[touching + 1];
    if (
      left !== undefined && left.whole && left.start <= offset && end - left.start <= RUN_BYTES &&
      (next === undefined || next.start >= end)
    ) {
      this.#grow(left, end - left.start);
      left.end = end;
      return left.buffer.subarray(offset - left.start, end - left.start);
    }
    this.drop(offset, end);
    const goesOn = offset === this.#sentTo && length > SMALL_RUN_BYTES && length <= RUN_BYTES;
    const buffer = goesOn ? this.#pool.take() : this.#pool.part(length);
    const run: Run = { start: offset, end, buffer, whole: true };
    this.#runs.splice(this.#find(offset), 0, run);
    this.#cost += buffer.length + RUN_COST;
    return runBytes(run);
  }

  #grow(run: Run, length: number): void {
    if (length <= run.buffer.length) return;
    const buffer = length > SMALL_RUN_BYTES
      ? this.#pool.take()
      : this.#pool.part(Math.min(SMALL_RUN_BYTES, Math.max(length, run.buffer.length * 2)));
    buffer.set(runBytes(run));
    this.#cost += buffer.length - run.buffer.length;
    this.#pool.give(run.buffer);
    run.buffer = buffer;
  }

  /** Forgets the pending bytes of a range. */
  drop(start: number, end: number): void {
    const first = this.#find(start), kept: Run[] = [];
    let i = first;
    for (; i < this.#runs.length && this.#runs[i]!.start < end; i++) {
      const run = this.#runs[i]!;
      this.#cost -= run.buffer.length + RUN_COST;
      const { start: from, end: to, buffer } = run;
      if (from < start) {
        // The left part keeps the buffer, unless the right part needs it too.
        if (to <= end) kept.push({ start: from, end: start, buffer, whole: run.whole });
        else kept.push({ start: from, end: start, buffer: buffer.subarray(0, start - from), whole: false });
      }
      if (to > end) {
        kept.push({ start: end, end: to, buffer: buffer.subarray(end - from, to - from), whole: false });
      }
      if (from >= start && to <= end && run.whole) this.#pool.give(buffer);
    }
    if (i === first) return;
    for (const run of kept) this.#cost += run.buffer.length + RUN_COST;
    this.#runs.splice(first, i - first, ...kept);
  }

  /** Forgets a range because the file has it now; what follows it is likely to be written next. */
  sent(start: number, end: number): void {
    this.drop(start, end);
    this.#sentTo = end;
  }

  /** Forgets everything. */
  clear(): void {
    for (const run of this.#runs) if (run.whole) this.#pool.give(run.buffer);
    this.#runs = [];
    this.#cost = 0;
    this.#sentTo = -1;
  }
}
