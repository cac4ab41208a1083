/**
 * The files in a container (MultiFile: format reference part 5, section 2), served to plans as if each were a file of
 * its own. A name is looked up in the container first, then in the directory.
 *
 * | byte of a virtual file | byte of the container |
 * | --- | --- |
 * | i | `blocks[i div B] · B + i mod B` |
 *
 * Blocks that follow one another are one *stretch*. What lies within a stretch is passed on with its offset moved, so
 * that the cache, maps and gathers work as for any file; what runs over several is put together in memory. Nothing can
 * be written.
 */
import { TableError } from "../error.ts";
import { allocate } from "../array/alloc.ts";
import { kernels } from "../array/choose.ts";
import type { Kernels } from "../array/kernels.ts";
import { MoveList } from "../array/moves.ts";
import type { FileAccess } from "./access.ts";
import { AsyncRequest } from "./async-request.ts";
import { BufferPool, RUN_BYTES } from "./buffers.ts";
import { CHUNK_BYTES, type GatherJob, planGather } from "./gather-plan.ts";
import type { Extent, GatherStep } from "./plan.ts";

/** What is known of a container, from its header. */
export interface Container {
  /** Its file name. */
  readonly file: string;
  /** B, in bytes. */
  readonly blockSize: number;
  readonly files: readonly ContainedFile[];
}

/** A virtual file. All its blocks are checked: they lie in the container, and are no other file's. */
export interface ContainedFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** Pairs of a first block and how many follow one another from it, in order; at least as many as `size` takes. */
  readonly runs: readonly number[];
}

/** Bytes of a virtual file that are one stretch of the container, by their offset there. */
interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** Where a virtual file's bytes are. */
class Stretches {
  readonly size: number;
  /** Offset in the virtual file at which each stretch begins, and the one behind the last. */
  readonly #starts: Float64Array;
  /** What must be added for the offset in the container. */
  readonly #shifts: Float64Array;
  /** The stretch found last: the next question is mostly about the same one, or the next. */
  #last = 0;

  constructor({ size, runs }: ContainedFile, blockSize: number) {
    const count = runs.length / 2;
    this.size = size;
    this.#starts = new Float64Array(count + 1);
    this.#shifts = new Float64Array(count);
    let start = 0;
    for (let i = 0; i < count; i++) {
      this.#starts[i] = start;
      this.#shifts[i] = runs[2 * i]! * blockSize - start;
      start += runs[2 * i + 1]! * blockSize;
    }
    this.#starts[count] = start;
  }

  #find(offset: number): number {
    const starts = this.#starts;
    for (const guess of [this.#last, this.#last + 1]) {
      if (offset >= starts[guess]! && offset < starts[guess + 1]!) return this.#last = guess;
    }
    let low = 0, high = this.#shifts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#last = low;
  }

  /** What to add to offsets of a range to get those in the container; undefined if the range is several stretches. */
  shift(offset: number, end: number): number | undefined {
    const index = this.#find(offset);
    return end <= this.#starts[index + 1]! ? this.#shifts[index]! : undefined;
  }

  /** The stretches of a range of the file. */
  pieces(offset: number, end: number): Piece[] {
    const pieces: Piece[] = [];
    for (let index = this.#find(offset); offset < end; index++) {
      const stop = Math.min(end, this.#starts[index + 1]!);
      pieces.push({ offset: offset + this.#shifts[index]!, length: stop - offset });
      offset = stop;
    }
    return pieces;
  }
}

/** A gather, taken apart: what lies within stretches, as a gather of the container, and the extents that don't. */
interface Parts {
  readonly inside: GatherStep | null;
  readonly across: readonly Extent[];
}

/** The files of a table with a container. Nothing is closed here: the files that it stands on are their owner's. */
export class ContainerFiles implements FileAccess {
  readonly #outer: FileAccess;
  readonly #container: string;
  readonly #blockSize: number;
  readonly #files: ReadonlyMap<string, ContainedFile>;
  readonly #stretches = new Map<string, Stretches>();
  readonly #kernels: Kernels;
  readonly #pool = new BufferPool();

  /** `outer` has the container and the files beside it. */
  constructor(outer: FileAccess, container: Container, options: { kernels?: Kernels } = {}) {
    this.#outer = outer;
    this.#container = container.file;
    this.#blockSize = container.blockSize;
    this.#files = new Map(container.files.map((file) => [file.name, file]));
    this.#kernels = options.kernels ?? kernels();
  }

  /** A virtual file is shown behind its container: `my.ms/table.mf:table.f3`. */
  pathOf(file: string): string {
    return this.#files.has(file)
      ? `${this.#outer.pathOf(this.#container)}:${file}`
      : this.#outer.pathOf(file);
  }

  /** Names of the virtual files. */
  get names(): string[] {
    return [...this.#files.keys()];
  }

  #open(name: string): Stretches | undefined {
    let stretches = this.#stretches.get(name);
    if (stretches === undefined) {
      const file = this.#files.get(name);
      if (file === undefined) return undefined;
      stretches = new Stretches(file, this.#blockSize);
      this.#stretches.set(name, stretches);
    }
    return stretches;
  }

  /** The end of a range. @throws TableError CORRUPT unless the file has it */
  #check(name: string, { size }: Stretches, offset: number, length: number): number {
    const end = offset + length;
    if (
      !(offset >= 0 && length >= 0 && end <= size && Number.isInteger(offset) && Number.isInteger(length))
    ) {
      throw new TableError("CORRUPT", `expected ${length} bytes up to ${end}, the file has ${size} bytes`, {
        file: this.pathOf(name),
        offset,
      });
    }
    return end;
  }

  committed(file: string): number {
    return Math.max(0, this.size(file));
  }

  size(file: string): number {
    return this.#files.get(file)?.size ?? this.#outer.size(file);
  }

  read(file: string, offset: number, length: number): Uint8Array {
    const stretches = this.#open(file);
    if (stretches === undefined) return this.#outer.read(file, offset, length);
    const end = this.#check(file, stretches, offset, length);
    const shift = stretches.shift(offset, end);
    if (shift !== undefined) return this.#outer.read(this.#container, offset + shift, length);
    const bytes = allocate("uint8", length);
    this.#fill(stretches, bytes, offset);
    return bytes;
  }

  readInto(file: string, offset: number, target: Uint8Array): void {
    const stretches = this.#open(file);
    if (stretches === undefined) return this.#outer.readInto(file, offset, target);
    this.#check(file, stretches, offset, target.length);
    this.#fill(stretches, target, offset);
  }

  /** Fills `target` from a range that the file has. */
  #fill(stretches: Stretches, target: Uint8Array, from: number): void {
    let at = 0;
    for (const { offset, length } of stretches.pieces(from, from + target.length)) {
      this.#outer.readInto(this.#container, offset, target.subarray(at, at + length));
      at += length;
    }
  }

  async readAsync(file: string, offset: number, length: number): Promise<Uint8Array> {
    const stretches = this.#open(file);
    if (stretches === undefined) return await this.#outer.readAsync(file, offset, length);
    const end = this.#check(file, stretches, offset, length);
    const shift = stretches.shift(offset, end);
    if (shift !== undefined) return await this.#outer.readAsync(this.#container, offset + shift, length);
    const bytes = allocate("uint8", length);
    await this.#fillAsync(stretches, bytes, offset);
    return bytes;
  }

  async readIntoAsync(
    file: string,
    offset: number,
    target: Uint8Array,
    request = new AsyncRequest(),
  ): Promise<void> {
    const stretches = this.#open(file);
    if (stretches === undefined) return await this.#outer.readIntoAsync(file, offset, target, request);
    this.#check(file, stretches, offset, target.length);
    await this.#fillAsync(stretches, target, offset, request);
  }

  async #fillAsync(
    stretches: Stretches,
    target: Uint8Array,
    from: number,
    request?: AsyncRequest,
  ): Promise<void> {
    let at = 0;
    for (const { offset, length } of stretches.pieces(from, from + target.length)) {
      request?.check();
      await this.#outer.readIntoAsync(this.#container, offset, target.subarray(at, at + length), request);
      at += length;
    }
  }

  gather(step: GatherStep): void {
    const stretches = this.#open(step.file);
    if (stretches === undefined) return this.#outer.gather(step);
    const { inside, across } = this.#takeApart(step, stretches);
    if (inside !== null) this.#outer.gather(inside);
    for (const job of planGather(across, step.moves)) {
      const end = this.#check(step.file, stretches, job.offset, job.length);
      if (job.kind === "direct") {
        for (const { bytes, offset } of directPieces(job, step)) {
          this.#fill(stretches, bytes, offset);
          this.#swap(bytes, step);
        }
      } else {
        const bytes = this.#pool.scratch(end - job.offset);
        this.#fill(stretches, bytes, job.offset);
        this.#kernels.gather(job.moves, job.first, job.count, bytes, job.offset, step.target);
      }
    }
  }

  async gatherAsync(step: GatherStep, request = new AsyncRequest()): Promise<void> {
    const stretches = this.#open(step.file);
    if (stretches === undefined) return await this.#outer.gatherAsync(step, request);
    const { inside, across } = this.#takeApart(step, stretches);
    if (inside !== null) await this.#outer.gatherAsync(inside, request);
    for (const job of planGather(across, step.moves)) {
      const end = this.#check(step.file, stretches, job.offset, job.length);
      if (job.kind === "direct") {
        for (const { bytes, offset } of directPieces(job, step)) {
          await this.#fillAsync(stretches, bytes, offset, request);
          request.check();
          this.#swap(bytes, step);
        }
      } else {
        // Not the scratch memory: another request may use it while this one waits.
        const length = end - job.offset;
        const buffer = length <= RUN_BYTES ? this.#pool.take() : allocate("uint8", length);
        try {
          const bytes = buffer.subarray(0, length);
          await this.#fillAsync(stretches, bytes, job.offset);
          request.check();
          this.#kernels.gather(job.moves, job.first, job.count, bytes, job.offset, step.target);
        } finally {
          this.#pool.give(buffer as Uint8Array<ArrayBuffer>);
        }
      }
    }
  }

  #takeApart(step: GatherStep, stretches: Stretches): Parts {
    const within: Extent[] = [], shifts: number[] = [], across: Extent[] = [];
    let ascending = true;
    for (const extent of step.extents) {
      const { offset, length, firstMove, moveCount } = extent;
      const end = this.#check(step.file, stretches, offset, length);
      if (!(firstMove >= 0 && moveCount >= 0 && firstMove + moveCount <= step.moves.count)) {
        throw new RangeError(
          `moves ${firstMove} to ${firstMove + moveCount} of a list of ${step.moves.count}`,
        );
      }
      const shift = stretches.shift(offset, end);
      if (shift === undefined) {
        across.push(extent);
        continue;
      }
      ascending &&= within.length === 0 || within.at(-1)!.offset <= offset + shift;
      within.push({ ...extent, offset: offset + shift });
      shifts.push(shift);
    }
    if (within.length === 0) return { inside: null, across };
    const moves = shifted(step.moves, within, shifts);
    if (!ascending) within.sort((a, b) => a.offset - b.offset);
    return { inside: { ...step, file: this.#container, extents: within, moves }, across };
  }

  #swap(bytes: Uint8Array, { moves }: GatherStep): void {
    if (moves.swapUnit > 1) this.#kernels.swap(bytes, moves.swapUnit as 2 | 4 | 8);
  }

  // ---- nothing is written

  #refuse(file: string): never {
    throw new TableError("UNSUPPORTED", "a table with a MultiFile container can be read, not written", {
      file: this.pathOf(file),
    });
  }

  scatter(step: { readonly file: string }): void {
    this.#refuse(step.file);
  }
  write(file: string): void {
    this.#refuse(file);
  }
  replace(file: string): void {
    this.#refuse(file);
  }
  resize(file: string): void {
    this.#refuse(file);
  }
  create(file: string): void {
    this.#refuse(file);
  }
  remove(file: string): void {
    this.#refuse(file);
  }
  /** Nothing is pending, so everything is before it. */
  barrier(): void {}
}

/** A copy of a list in which the moves of each extent lie where the container has them. */
function shifted(moves: MoveList, extents: readonly Extent[], shifts: readonly number[]): MoveList {
  const { kind, ndim, elementSize, swapUnit, stride, count } = moves;
  const list = new MoveList(kind, ndim, elementSize, swapUnit, Math.max(1, count));
  list.data.set(moves.data.subarray(0, count * stride));
  list.count = count;
  const unit = kind === "bits" ? 8 : 1;
  extents.forEach(({ firstMove, moveCount }, i) => {
    for (let move = firstMove; move < firstMove + moveCount; move++) {
      list.data[move * stride]! += shifts[i]! * unit;
    }
  });
  return list;
}

/** Parts of the array that a direct job reads to, small enough to have their bytes swapped while they are warm. */
function directPieces(
  job: GatherJob & { kind: "direct" },
  { moves, target }: GatherStep,
): { bytes: Uint8Array; offset: number }[] {
  const most = moves.swapUnit > 1 ? CHUNK_BYTES : job.length;
  const pieces: { bytes: Uint8Array; offset: number }[] = [];
  for (let done = 0; done < job.length; done += most) {
    const at = job.at + done, length = Math.min(most, job.length - done);
    if (at + length > target.length) throw new RangeError("a move leaves its array");
    pieces.push({ bytes: target.subarray(at, at + length), offset: job.offset + done });
  }
  return pieces;
}
