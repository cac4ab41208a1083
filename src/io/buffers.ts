/**
 * Memory for bytes on their way to a file or an array, kept for the next request: touching fresh memory for the first
 * time costs more than the read or write itself.
 */
import { allocate } from "../array/alloc.ts";
import { ALIGNMENT } from "./counters.ts";

/** Longest run of pending bytes: what one write call sends should still be in the processor's cache. */
export const RUN_BYTES = 2 * 1024 * 1024;
/** Longest scratch memory that is kept: that of one extent. */
const SCRATCH_BYTES = 4 * 1024 * 1024;
/** Blocks from which short memory is cut, and the longest that is. */
const BLOCK_BYTES = 64 * 1024, PART_BYTES = 4 * 1024;
/** Buffers kept for the next taker; a table writes few files at a time. */
const KEPT = 4;

/** Buffers of {@linkcode RUN_BYTES} bytes, handed out and taken back, and one scratch buffer. */
export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #block: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;

  /** A buffer of RUN_BYTES bytes with any content, which disks can take it from as it lies. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? allocate("uint8", RUN_BYTES, ALIGNMENT) as Uint8Array<ArrayBuffer>;
  }

  /** Hands a buffer back that nobody looks at any more; others than those of `take` are ignored. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer.length === RUN_BYTES && this.#free.length < KEPT) this.#free.push(buffer);
  }

  /**
   * Memory of a few bytes with any content, for good: cut from a block that is let go of when all its parts are. An
   * array of its own takes the engine ten times as long.
   */
  part(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > PART_BYTES) return new Uint8Array(bytes);
    if (this.#block.length - this.#used < bytes) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    return this.#block.subarray(this.#used, this.#used += bytes);
  }

  /** Memory with any content that is the caller's until the next call. Longer than SCRATCH_BYTES is not kept. */
  scratch(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > SCRATCH_BYTES) return allocate("uint8", bytes) as Uint8Array<ArrayBuffer>;
    if (this.#scratch.length < bytes) {
      const length = [SCRATCH_BYTES / 16, SCRATCH_BYTES / 4].find((n) => n >= bytes) ?? SCRATCH_BYTES;
      this.#scratch = allocate("uint8", length) as Uint8Array<ArrayBuffer>;
    }
    return this.#scratch.subarray(0, bytes);
  }

  /** Lets go of all memory. */
  clear(): void {
    this.#free.length = 0;
    this.#scratch = this.#block = new Uint8Array(0);
    this.#used = 0;
  }
}
