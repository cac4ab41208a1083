/**
 * Backend `direct`: long reads and writes past the system's page cache (O_DIRECT), so that sustained writing goes on at the
 * pace of the disk, without the pauses in which a cache full of changes is written back. `ffi/direct.c` says how the
 * bytes of an access are divided; the alignment is asked of the file system.
 *
 * | access | how |
 * | --- | --- |
 * | shorter than DIRECT_BYTES | page cache, by a descriptor of its own |
 * | longer, array aligned in memory as in the file | whole blocks from and to where they lie |
 * | longer, any array | whole blocks through a scratch buffer |
 * | a file whose file system refuses | page cache, and the counters say why |
 *
 * All ways to one file see the same bytes, in this process and in others: Linux writes back and drops what its cache has
 * of a range before and after it is accessed past it. (Not over NFS, and not under a map through which somebody writes
 * at the same time. Tessera never writes through a map.)
 *
 * What was written is on its way to the disk when a write returns, not safe: a disk has a cache too, and the file's
 * length and the places of its blocks may still be in memory. `sync` is needed as with other backends, and finds little
 * to do.
 */
import { library } from "../../ffi/binding.ts";
import type { NativeLibrary } from "../../ffi/native-library.ts";
import type { DirectFile } from "../../ffi/native-types.ts";
import { allocate } from "../array/alloc.ts";
import type { Backend, Handle, OpenMode } from "./backend.ts";
import { ALIGNMENT } from "./counters.ts";
import type { NativeIoStats } from "./native-stats.ts";
import { NativeBackend, NativeHandle } from "./pread-backend.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Shorter accesses go through the page cache: one past it waits for the disk, which takes 25 times as long as a copy for
 * a block and still twice as long for this many bytes, and the second descriptor costs three calls a file.
 */
export const DIRECT_BYTES = 128 * 1024;
/** What is copied on its way goes in pieces of this size: disks are near their full speed from here on. */
const SCRATCH_BYTES = 1024 * 1024;
/** Buffers that are kept for the next access, and the longest of them: a piece of a request without blocking. */
const KEPT = 3, KEPT_BYTES = 5 * SCRATCH_BYTES;

/** Aligned memory for what can't go straight, shared by the files of a backend. */
class Scratches {
  readonly #free: Bytes[] = [];

  /** Memory of at least so many bytes for as long as `work` takes; what it returns may be a promise. */
  use<T>(bytes: number, work: (scratch: Bytes) => T): T {
    const size = Math.max(1, Math.ceil(bytes / SCRATCH_BYTES)) * SCRATCH_BYTES;
    const index = this.#free.findIndex(({ length }) => length >= size);
    const scratch = index < 0 ? pages(size) : this.#free.splice(index, 1)[0]!;
    const done = () => {
      if (size <= KEPT_BYTES && this.#free.length < KEPT) this.#free.push(scratch);
    };
    let result: T;
    try {
      result = work(scratch);
    } catch (error) {
      done();
      throw error;
    }
    if (result instanceof Promise) return result.finally(done) as T;
    done();
    return result;
  }
}

function pages(bytes: number): Bytes {
  return allocate("uint8", bytes, ALIGNMENT) as Bytes;
}

/** What the files of a backend have in common. */
interface Shared {
  readonly native: NativeLibrary;
  readonly stats: NativeIoStats;
  readonly scratches: Scratches;
}

class DirectHandle extends NativeHandle {
  readonly #writing: boolean;
  readonly #scratches: Scratches;
  readonly #from: number;
  /** The descriptor past the cache; null: there can't be one; undefined: nobody asked yet. */
  #direct: DirectFile | null | undefined;
  /** Writes under way on other threads. */
  #writes = 0;
  /** One that turned out to be of no use. Requests may still run on it. */
  #useless: DirectFile | null = null;

  constructor(path: string, fd: number, writing: boolean, from: number, shared: Shared) {
    super(path, fd, shared.native, shared.stats);
    this.#writing = writing;
    this.#scratches = shared.scratches;
    this.#from = from;
  }

  /** The descriptor past the cache, if an access is long enough for it and the file system lets us. */
  #past(bytes: number): DirectFile | null {
    if (bytes < this.#from) return null;
    if (this.#direct === undefined) {
      const found = this.native.directOpen(this.fd, this.#writing, this.stats.block);
      this.#direct = typeof found === "string" ? null : found;
      if (typeof found === "string") this.stats.fallBack(this.path, found);
      else if (found.memory > ALIGNMENT || found.block > ALIGNMENT) {
        this.#refused(`its disk has blocks of ${Math.max(found.memory, found.block)} bytes`);
      }
    }
    return this.#direct ?? null;
  }

  #refused(reason: string): void {
    this.#useless ??= this.#direct ?? null;
    this.#direct = null;
    this.stats.fallBack(this.path, reason);
  }

  /** Counts what was moved past the cache. EINVAL from a descriptor that could be opened: the file system refuses late. */
  #settle(result: number, moved: Float64Array): boolean {
    if (result < 0 && this.native.errnoName(result) === "EINVAL") {
      this.#refused("its file system takes O_DIRECT and then refuses to read or write with it (EINVAL)");
      return false;
    }
    this.stats.directBytes += moved[0]!;
    this.stats.copiedBytes += moved[1]!;
    return true;
  }

  override read(target: Uint8Array, offset: number): number {
    const direct = this.#past(target.length);
    if (direct === null) return super.read(target, offset);
    const moved = new Float64Array(2);
    const got = this.#scratches.use(
      0,
      (scratch) =>
        this.native.directRead(this.fd, direct, target as Bytes, offset, scratch, moved, this.stats.block),
    );
    if (!this.#settle(got, moved)) return super.read(target, offset);
    this.check(got, "pread", offset);
    this.seek.access(offset, got);
    return got;
  }

  override async readAsync(target: Uint8Array, offset: number): Promise<number> {
    const direct = this.#past(target.length);
    if (direct === null) return await super.readAsync(target, offset);
    const moved = new Float64Array(2);
    const got = await this.#scratches.use(
      0,
      (scratch) =>
        this.native.directReadAsync(
          this.fd,
          direct,
          target as Bytes,
          offset,
          scratch,
          moved,
          this.stats.block,
        ),
    );
    if (!this.#settle(got, moved)) return super.read(target, offset);
    this.check(got, "pread", offset);
    this.seek.access(offset, got);
    return got;
  }

  override write(bytes: Uint8Array, offset: number): void {
    const direct = this.#past(bytes.length);
    if (direct === null || !this.#writePast(direct, bytes as Bytes, offset)) super.write(bytes, offset);
  }

  /** As `write`. Where the bytes aren't aligned our own thread copies them: no other one looks at what is lent. */
  async writeAsync(bytes: Uint8Array, offset: number): Promise<void> {
    if (bytes.length < this.#from) return this.write(bytes, offset);
    const direct = this.#past(bytes.length), { length } = bytes;
    this.#writes++;
    try {
      if (direct !== null && await this.#sendPast(direct, bytes as Bytes, offset)) return;
      const put = await this.native.pwriteAsync(this.fd, bytes as Bytes, offset, this.stats.block);
      this.check(put, "pwrite", offset);
      this.#written(length, offset);
    } finally {
      this.#writes--;
    }
  }

  async #sendPast(direct: DirectFile, bytes: Bytes, offset: number): Promise<boolean> {
    const block = Math.ceil(offset / direct.block) * direct.block;
    const straight = (this.native.address(bytes) + block - offset) % direct.memory === 0;
    const moved = new Float64Array(2), { length } = bytes, beside = offset % direct.block;
    const send = (source: Bytes, scratch: Bytes) =>
      this.native.directWriteAsync(this.fd, direct, source, offset, scratch, moved, this.stats.block);
    const put =
      await (straight
        ? this.#scratches.use(0, (scratch) => send(bytes, scratch))
        : this.#scratches.use(beside + length, (scratch) => {
          const copy = scratch.subarray(beside, beside + length);
          copy.set(bytes);
          // Nothing is left to be copied: any other aligned memory does as scratch.
          return send(copy, scratch);
        }));
    if (!straight) moved.set([0, moved[0]! + moved[1]!]);
    if (!this.#settle(put, moved)) return false;
    this.check(put, "pwrite", offset);
    this.#written(length, offset);
    return true;
  }

  #written(bytes: number, offset: number): void {
    this.seek.access(offset, bytes);
    this.stats.alignment(offset, bytes);
  }

  override writev(pieces: readonly Uint8Array[], offset: number): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const direct = pieces.length === 1 ? null : this.#past(length);
    if (pieces.length === 1) this.write(pieces[0]!, offset);
    else if (direct === null) super.writev(pieces, offset);
    else {
      // Pieces that don't begin and end with blocks can't be sent by one call as they lie.
      this.#scratches.use(length, (scratch) => {
        const at = offset % ALIGNMENT, joined = scratch.subarray(at, at + length);
        let end = 0;
        for (const piece of pieces) {
          joined.set(piece, end);
          end += piece.length;
        }
        if (!this.#writePast(direct, joined, offset, true)) super.write(joined, offset);
      });
    }
  }

  /** Writes past the page cache; false when the file system refuses. `copied`: the bytes were, on their way here. */
  #writePast(direct: DirectFile, bytes: Bytes, offset: number, copied = false): boolean {
    const moved = new Float64Array(2);
    const put = this.#scratches.use(
      0,
      (scratch) =>
        this.native.directWrite(this.fd, direct, bytes, offset, scratch, moved, this.stats.block, {
          // What writes on other threads have added behind may not be cut off.
          alone: this.#writes === 0,
        }),
    );
    if (copied) moved.set([0, moved[0]! + moved[1]!]);
    if (!this.#settle(put, moved)) return false;
    this.check(put, "pwrite", offset);
    this.#written(bytes.length, offset);
    return true;
  }

  override close(): void {
    const extra = [this.#direct, this.#useless];
    this.#direct = this.#useless = null;
    try {
      for (const file of extra) if (file) this.check(this.native.close(file.fd, this.stats.block), "close");
    } finally {
      super.close();
    }
  }
}

/** Backend `direct`. */
export class DirectBackend extends NativeBackend implements Backend {
  readonly name = "direct";
  readonly #from: number;
  readonly #scratches = new Scratches();

  /** @param from Accesses of at least this many bytes go past the page cache. */
  constructor(from = DIRECT_BYTES) {
    super("direct");
    this.#from = from;
  }

  open(path: string, mode: OpenMode): Handle {
    return new DirectHandle(path, this.descriptor(path, mode), mode !== "read", this.#from, {
      native: this.native,
      stats: this.stats,
      scratches: this.#scratches,
    });
  }
}

/** Why files in a directory would be written through the page cache after all; "" when they wouldn't. */
export function directRefused(directory: string): string {
  return library()?.directTry(directory) ?? "the C library is not loaded";
}
