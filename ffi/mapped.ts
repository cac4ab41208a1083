/**
 * Mapped files, so that neither a file that shrinks nor JavaScript that keeps or writes what it was lent ends the
 * process. Two kinds of maps of the same file:
 *
 * | map | pages | touched by | when the file has become shorter |
 * | --- | --- | --- | --- |
 * | {@linkcode MappedFile} | shared, read-only | guarded copies in C | the copy ends with code IO |
 * | {@linkcode MappedView} | private, copy-on-write | JavaScript | zeros, and {@linkcode MappedView.faults} counts |
 */
import { TableError } from "../src/error.ts";
import type { MoveList } from "../src/array/moves.ts";
import { checkBatch } from "../src/array/refuse.ts";
import { gathered, listOf } from "./native-kernels.ts";
import type { NativeLibrary } from "./native-library.ts";
import { type Advice, type NativeStats, shortExtent } from "./native-types.ts";

const ADVICE: Readonly<Record<Advice, number>> = {
  normal: 0,
  sequential: 1,
  random: 2,
  willNeed: 3,
  dontNeed: 4,
};
const KIND_READ = 0, KIND_VIEW = 1;

/**
 * A stretch of a file as memory that JavaScript may read and write at will: what it writes changes its own copy of the
 * page, never the file. There is one ArrayBuffer; closing detaches it, so that whoever still holds it sees length 0.
 */
export class MappedView {
  /** The bytes asked for. Empty once the view is closed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #native: NativeLibrary;
  readonly #stats: NativeStats | null;
  readonly #address: number;
  readonly #length: number;
  #faults = 0;
  #closed = false;

  /** Maps `length` bytes from `offset`, which may be any byte. @throws TableError IO */
  constructor(
    native: NativeLibrary,
    fd: number,
    offset: number,
    length: number,
    path: string,
    stats: NativeStats | null = null,
  ) {
    this.#native = native;
    this.#stats = stats;
    const start = offset - offset % native.pageSize;
    this.#length = length === 0 ? 0 : offset - start + length;
    if (length === 0) {
      this.#address = 0;
      this.bytes = new Uint8Array(0);
      return;
    }
    this.#address = native.symbols.tessera_map(fd, start, this.#length, KIND_VIEW, stats);
    if (this.#address < 0) throw native.systemError("mmap", path, this.#address, start);
    const pointer = Deno.UnsafePointer.create(BigInt(this.#address))!;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, this.#length) as ArrayBuffer;
    this.bytes = new Uint8Array(buffer, offset - start, length);
  }

  /** Pages that were lost because the file became shorter; they read as zeros. Stays after closing. */
  get faults(): number {
    if (!this.#closed && this.#length > 0) {
      this.#faults = this.#native.symbols.tessera_view_faults(this.#address);
    }
    return this.#faults;
  }

  /** Detaches the ArrayBuffer and unmaps. Once is enough. */
  close(): void {
    if (this.#closed) return;
    this.#faults = this.faults;
    this.#closed = true;
    if (this.#length === 0) return;
    const { buffer } = this.bytes;
    if (buffer.detached) {
      // Somebody moved it: another ArrayBuffer, perhaps of another isolate, still points here. Its pages must stay.
      this.#native.symbols.tessera_map_zero(this.#address, this.#length, this.#stats);
    } else {
      buffer.transfer(); // to nobody
      this.#native.symbols.tessera_unmap(this.#address, this.#length, this.#stats);
    }
  }

  /** {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A whole file, mapped for guarded copies. Ranges past `length` are RangeErrors: whoever asks knows the file's size. */
export class MappedFile {
  /** Bytes mapped: the file's size when it was mapped. */
  readonly length: number;
  /** The file, for messages. */
  readonly path: string;
  readonly #native: NativeLibrary;
  readonly #fd: number;
  readonly #stats: NativeStats | null;
  readonly #address: number;
  readonly #views = new Set<MappedView>();
  #running = 0;
  #closed = false;
  #lostPages = 0;

  /**
   * Maps the first `length` bytes of an open file. The descriptor must stay open as long as views are asked for.
   *
   * @throws TableError IO
   */
  constructor(
    native: NativeLibrary,
    fd: number,
    length: number,
    path: string,
    stats: NativeStats | null = null,
  ) {
    this.length = length;
    this.path = path;
    this.#native = native;
    this.#fd = fd;
    this.#stats = stats;
    this.#address = length === 0 ? 0 : native.symbols.tessera_map(fd, 0, length, KIND_READ, stats);
    if (this.#address < 0) throw native.systemError("mmap", path, this.#address);
  }

  /** Copies `target.length` bytes from `offset`. @throws TableError IO when the file has become shorter */
  copy(offset: number, target: Uint8Array<ArrayBuffer>): void {
    this.#check(offset, target.byteLength);
    if (target.byteLength === 0) return;
    const { symbols } = this.#native;
    const result = symbols.tessera_map_copy(this.#address + offset, target.byteLength, target, this.#stats);
    if (result < 0) throw this.#shrunk(result);
  }

  /**
   * Fills `target` from `offset` as {@linkcode copy} does, without counting it: for a few bytes by which others say that they
   * changed something. False when the file has become shorter.
   */
  look(offset: number, target: Uint8Array<ArrayBuffer>): boolean {
    this.#check(offset, target.byteLength);
    return this.#native.symbols.tessera_map_look(this.#address + offset, target.byteLength, target) >= 0;
  }

  /** {@linkcode copy} on another thread; `target` is borrowed until the promise settles. */
  async copyAsync(offset: number, target: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#check(offset, target.byteLength);
    if (target.byteLength === 0) return;
    const result = await this.#run(() =>
      this.#native.symbols.map_copy_async(
        this.#address + offset,
        target.byteLength,
        target,
        this.#stats,
      )
    );
    if (result < 0) throw this.#shrunk(result);
  }

  /**
   * Moves boxes `first` to `first + count` of a list into `array`, with byte 0 of the file at 0.
   *
   * @throws RangeError for a bad move, with `array` untouched; TableError IO when the file has become shorter
   */
  gather(moves: MoveList, first: number, count: number, array: Uint8Array<ArrayBuffer>): void {
    checkBatch(moves, first, count, 0);
    const extents = Float64Array.of(0, this.length, first, count);
    this.#gathered(moves, this.#native.symbols.tessera_gather_map(...this.#request(extents, moves, array)));
  }

  /** As {@linkcode gather}, for extents as `packExtents` makes them; each must lie within the map. */
  gatherExtents(
    extents: Float64Array<ArrayBuffer>,
    moves: MoveList,
    array: Uint8Array<ArrayBuffer>,
  ): void {
    this.#gathered(moves, this.#native.symbols.tessera_gather_map(...this.#request(extents, moves, array)));
  }

  /** {@linkcode gatherExtents} on another thread; everything passed is borrowed until the promise settles. */
  async gatherExtentsAsync(
    extents: Float64Array<ArrayBuffer>,
    moves: MoveList,
    array: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const request = this.#request(extents, moves, array);
    this.#gathered(moves, await this.#run(() => this.#native.symbols.gather_map_async(...request), request));
  }

  /**
   * True when some of a few pages of extents, as `packExtents` makes them, are not in memory. Linux tells only who owns the
   * file or may write it; others hear false.
   */
  missing(extents: Float64Array<ArrayBuffer>): boolean {
    if (this.#closed || this.length === 0) return false;
    const { symbols } = this.#native;
    return symbols.tessera_map_missing(this.#address, this.length, extents, extents.length / 4) > 0;
  }

  /** Asks the system to bring extents into memory, and nothing beside them. Returns at once. */
  want(extents: Float64Array<ArrayBuffer>): void {
    if (this.#closed || this.length === 0) return;
    const { symbols } = this.#native;
    symbols.tessera_map_want(this.#address, this.length, extents, extents.length / 4, this.#stats);
  }

  /** A private view of a range. It is closed with this map at the latest. @throws TableError IO */
  view(offset: number, length: number): MappedView {
    this.#check(offset, length);
    const view = new MappedView(this.#native, this.#fd, offset, length, this.path, this.#stats);
    this.#views.add(view);
    return view;
  }

  /** Tells the system how the map is going to be used; advice that it doesn't take is no error. */
  advise(advice: Advice): void {
    if (this.#closed || this.length === 0) return;
    this.#native.symbols.tessera_madvise(this.#address, this.length, ADVICE[advice], this.#stats);
  }

  /** Pages of views that were lost because the file became shorter, those of closed views included. */
  get faults(): number {
    let faults = this.#lostPages;
    for (const view of this.#views) faults += view.faults;
    return faults;
  }

  /** Closes a view before its time. */
  closeView(view: MappedView): void {
    if (!this.#views.delete(view)) return;
    view.close();
    this.#lostPages += view.faults;
  }

  /** Closes all views and unmaps. @throws TableError BUSY while a request runs on another thread */
  close(): void {
    if (this.#closed) return;
    if (this.#running > 0) {
      throw new TableError("BUSY", `${this.#running} requests still run on its map`, { file: this.path });
    }
    this.#closed = true;
    for (const view of this.#views) this.closeView(view);
    if (this.length > 0) this.#native.symbols.tessera_unmap(this.#address, this.length, this.#stats);
  }

  /** {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): void {
    if (this.#closed) throw new TableError("CLOSED", "its map is closed", { file: this.path });
  }

  #check(offset: number, length: number): void {
    this.#open();
    if (
      !Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 ||
      offset + length > this.length
    ) {
      throw new RangeError(`bytes ${offset} to ${offset + length} of a map of ${this.length}`);
    }
  }

  #request(extents: Float64Array<ArrayBuffer>, moves: MoveList, array: Uint8Array<ArrayBuffer>) {
    this.#open();
    return [
      this.#address,
      this.length,
      extents,
      extents.length / 4,
      ...listOf(moves),
      array,
      array.byteLength,
      this.#stats,
    ] as const;
  }

  #gathered(moves: MoveList, result: number): void {
    if (result === 0) return;
    const short = shortExtent(result);
    if (short >= 0) throw new RangeError(`extent ${short} leaves a map of ${this.length} bytes`);
    if (result < 0) throw this.#shrunk(result);
    gathered(moves, result);
  }

  #shrunk(result: number): TableError {
    if (this.#native.errnoName(result) !== "EIO") {
      return this.#native.systemError("copy from map", this.path, result);
    }
    return new TableError("IO", `the file became shorter than the ${this.length} bytes that were mapped`, {
      file: this.path,
      errno: -result,
    });
  }

  /** Keeps the map from being closed, and `_used` from being collected, while `call` runs. */
  async #run(call: () => Promise<number>, ..._used: unknown[]): Promise<number> {
    this.#running++;
    try {
      return await call();
    } finally {
      this.#running--;
    }
  }
}
