/**
 * Ranges of a file that are wanted together: those that are near each other are read by one call, and long ones into
 * memory that is used again for the next batch.
 */
import { allocate } from "../../array/alloc.ts";
import { type ByteRange, type Plan, readRanges } from "../../io/plan.ts";

/** Bytes between two ranges that are read along with them; more where the ranges are long: a share of their bytes. */
const GAP_BYTES = 4096, GAP_SHARE = 0.25;
/** Ranges are joined up to this length. */
const JOINED_BYTES = 1024 * 1024;
/** From this length on a range is read past the cache, into memory of our own. */
const LONG_BYTES = 64 * 1024;

/** So many short ranges are not worth joining: those of a cell. */
const FEW = 3;

/** A set of ranges, read once. */
export class Wanted {
  readonly #file: string;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** For each range the bytes of it and its neighbours, and where in the file they begin. */
  #bytes: Uint8Array[] = [];
  #from: number[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Wants bytes `start` to `end` (exclusive); gives the number to ask for them with. */
  add(start: number, end: number): number {
    this.#ends.push(end);
    return this.#starts.push(start) - 1;
  }

  /** Plan: reads everything. What `bytes` gives is valid until the next step, or the next use of the scratch memory. */
  *read(scratch: Scratch): Plan<void> {
    const starts = this.#starts, ends = this.#ends;
    if (starts.length <= FEW && starts.every((start, i) => ends[i]! - start < LONG_BYTES)) {
      this.#from = starts;
      const file = this.#file;
      this.#bytes = yield* readRanges(
        starts.map((offset, i) => ({ file, offset, length: ends[i]! - offset })),
      );
      return;
    }
    const order = Uint32Array.from(starts, (_, i) => i).sort((a, b) => starts[a]! - starts[b]!);
    const joined: { offset: number; end: number; wanted: number }[] = [];
    const owner = new Uint32Array(order.length);
    for (const i of order) {
      const start = starts[i]!, end = ends[i]!, last = joined.at(-1);
      if (last !== undefined && (start <= last.end || isNear(last, start, end))) {
        last.wanted += Math.max(0, end - Math.max(start, last.end));
        last.end = Math.max(last.end, end);
      } else joined.push({ offset: start, end, wanted: end - start });
      owner[i] = joined.length - 1;
    }
    const bytes: Uint8Array[] = new Array(joined.length);
    const short: ByteRange[] = [], shortOwners: number[] = [];
    let long = 0;
    for (const { offset, end } of joined) if (end - offset >= LONG_BYTES) long += end - offset;
    const memory = scratch.take(long);
    long = 0;
    for (let i = 0; i < joined.length; i++) {
      const { offset, end } = joined[i]!, length = end - offset;
      if (length < LONG_BYTES) {
        short.push({ file: this.#file, offset, length });
        shortOwners.push(i);
        continue;
      }
      const target = bytes[i] = memory.subarray(long, long + length);
      yield { kind: "readInto", file: this.#file, offset, target };
      long += length;
    }
    // Last: these are valid until the next step.
    if (short.length > 0) {
      const parts = yield* readRanges(short);
      shortOwners.forEach((i, k) => bytes[i] = parts[k]!);
    }
    this.#bytes = Array.from(owner, (i) => bytes[i]!);
    this.#from = Array.from(owner, (i) => joined[i]!.offset);
  }

  /** The bytes of a range, once they are read. */
  bytes(range: number): Uint8Array {
    const from = this.#from[range]!;
    if (this.#from === this.#starts) return this.#bytes[range]!;
    return this.#bytes[range]!.subarray(this.#starts[range]! - from, this.#ends[range]! - from);
  }
}

function isNear(last: { offset: number; end: number; wanted: number }, start: number, end: number): boolean {
  const gap = start - last.end, total = end - last.offset;
  return total <= JOINED_BYTES && (gap <= GAP_BYTES || gap <= GAP_SHARE * (last.wanted + end - start));
}

const NOTHING = new Uint8Array(0);

/** Memory that the batches of one request share. */
export class Scratch {
  #bytes: Uint8Array = NOTHING;

  /** `length` bytes with any content; what was taken before is gone. */
  take(length: number): Uint8Array {
    if (this.#bytes.length < length) this.#bytes = allocate("uint8", length);
    return this.#bytes.subarray(0, length);
  }
}
