/**
 * What goes along when tiles of a hypercube are written anew into another file: tiles that are not written, other sections
 * of those that are, other pixels of sections that are written in part. Layout: format reference part 4, section 5.
 */
import { allocate } from "../../array/alloc.ts";
import type { Plan, Step } from "../../io/plan.ts";
import type { Cube } from "./cube.ts";

/** Bytes copied at once. */
const LONG_BYTES = 1024 * 1024;
/**
 * Bytes of tiles that are copied at once where boxes of an array are laid over them next: few enough to be held back in
 * memory until that has happened, so that they are sent once.
 */
const SHORT_BYTES = 128 * 1024;

/** The other sections of larger tiles are copied by themselves, those of smaller ones with the tile. */
const LARGE_BUCKET_BYTES = 64 * 1024;

/** What copies need of the file that they go to. */
export interface CarryTarget {
  /** Plan: a step after which the file has at least `end` bytes. */
  other(step: Step, end: number): Plan<void>;
}

/** Tiles of one cube on their way from one file to another, in file order. */
export class Carry {
  readonly #from: string;
  readonly #fromOffset: number;
  readonly #to: string;
  readonly #toOffset: number;
  readonly #bucketSize: number;
  #buffer: Uint8Array | null = null;
  /** Bytes of the cube that need no more copying. */
  #done: number;

  /** @param start Byte of the cube from which on the tiles are copied. */
  constructor(
    from: { file: string; cube: Cube },
    to: { file: string; cube: Cube },
    bucketSize: number,
    start: number,
  ) {
    this.#from = from.file;
    this.#fromOffset = from.cube.offset;
    this.#to = to.file;
    this.#toOffset = to.cube.offset;
    this.#bucketSize = bucketSize;
    this.#done = start;
  }

  /**
   * Plan: copies what of the tiles up to and including `tile` nobody is about to write.
   *
   * @param isWhole Every pixel of one section of the tile is about to be written.
   * @param tiles Tiles of the cube that are to be in the new file in the end.
   */
  *tile(
    target: CarryTarget,
    tile: number,
    isWhole: boolean,
    section: { offset: number; length: number },
    tiles: number,
  ): Plan<void> {
    const size = this.#bucketSize, start = tile * size, end = start + size;
    if (end <= this.#done) return;
    if (isWhole && section.length === size) {
      yield* this.upTo(target, start);
      this.#done = end;
    } else if (isWhole && size > LARGE_BUCKET_BYTES) {
      yield* this.upTo(target, start);
      this.#done = end;
      yield* this.#copy(target, start, start + section.offset);
      yield* this.#copy(target, start + section.offset + section.length, end);
    } else {
      // The tiles behind a small one of several sections are copied along; theirs are written over what was copied.
      const ahead = section.length === size ? 1 : Math.max(1, Math.floor(SHORT_BYTES / size));
      yield* this.upTo(target, Math.min(start + ahead * size, tiles * size));
    }
  }

  /** Plan: copies what isn't copied yet up to byte `end` of the cube. */
  *upTo(target: CarryTarget, end: number): Plan<void> {
    const start = this.#done;
    if (end <= start) return;
    this.#done = end;
    yield* this.#copy(target, start, end);
  }

  /** Up to byte `end` of the cube nothing needs to be copied. */
  skip(end: number): void {
    this.#done = Math.max(this.#done, end);
  }

  *#copy(target: CarryTarget, start: number, end: number): Plan<void> {
    const piece = end - start > 4 * SHORT_BYTES ? LONG_BYTES : SHORT_BYTES;
    for (let at = start; at < end; at += piece) {
      const length = Math.min(piece, end - at);
      if (this.#buffer === null || this.#buffer.length < length) this.#buffer = allocate("uint8", piece);
      const bytes = this.#buffer.subarray(0, length);
      yield { kind: "readInto", file: this.#from, offset: this.#fromOffset + at, target: bytes };
      const offset = this.#toOffset + at;
      yield* target.other({ kind: "write", file: this.#to, offset, bytes }, offset + length);
    }
  }
}
