/**
 * Backend `mmap`: large reads are copied out of mapped memory by the C library, without a call each, and columns can be
 * viewed without a copy. Short reads, and all writes, go through pread and pwrite: a full disk under a written map
 * would be a signal instead of an error.
 *
 * A page that is touched under a map and isn't in memory makes Linux read around it, as much as the disk reads ahead (128
 * KiB to several MiB). Who goes through a file wants that; who goes here and there would read many times what is wanted.
 * So ranges that don't follow an earlier one are asked for before they are touched, and no more than them.
 */
import type { MoveList } from "../array/moves.ts";
import { TableError } from "../error.ts";
import { packExtents } from "../../ffi/binding.ts";
import { MappedFile } from "../../ffi/mapped.ts";
import type { Backend, FileMap, Handle, OpenMode } from "./backend.ts";
import { CachedHandle, NativeBackend } from "./pread-backend.ts";
import type { Extent } from "./plan.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Readers of one file that are told apart, as columns whose tiles lie side by side. */
const READERS = 4;
/** Bytes that a reader may leave out and still be said to read on. */
const GAP_BYTES = 64 * 1024;

class NativeMap implements FileMap {
  readonly length: number;
  readonly #map: MappedFile;
  #viewed = false;
  /** Where the latest reads ended. */
  readonly #ends: number[] = new Array(READERS).fill(-1);
  #oldest = 0;

  constructor(map: MappedFile) {
    this.#map = map;
    this.length = map.length;
  }

  /** True when a range goes on where an earlier one ended. */
  #readsOn(offset: number, end: number): boolean {
    const ends = this.#ends;
    for (let i = 0; i < ends.length; i++) {
      const ahead = offset - ends[i]!;
      if (ahead >= 0 && ahead <= GAP_BYTES && ends[i]! >= 0) {
        ends[i] = end;
        return true;
      }
    }
    ends[this.#oldest] = end;
    this.#oldest = (this.#oldest + 1) % ends.length;
    return false;
  }

  #wantCopy(offset: number, target: Uint8Array): void {
    if (!this.#readsOn(offset, offset + target.length)) {
      this.#map.want(Float64Array.of(offset, target.length, 0, 0));
    }
  }

  /** Extents as C has them, asked for. */
  #wantExtents(extents: readonly Extent[]): Float64Array<ArrayBuffer> {
    const packed = packExtents(extents);
    const first = extents[0], last = extents[extents.length - 1];
    if (first !== undefined && last !== undefined) {
      const readsOn = this.#readsOn(first.offset, last.offset + last.length);
      if (!readsOn || extents.length > 1) this.#map.want(packed);
    }
    return packed;
  }

  copy(offset: number, target: Uint8Array): void {
    this.#wantCopy(offset, target);
    this.#map.copy(offset, target as Bytes);
  }

  copyAsync(offset: number, target: Uint8Array): Promise<void> {
    this.#wantCopy(offset, target);
    return this.#map.copyAsync(offset, target as Bytes);
  }

  gather(extents: readonly Extent[], moves: MoveList, array: Uint8Array): void {
    this.#map.gatherExtents(this.#wantExtents(extents), moves, array as Bytes);
  }

  gatherAsync(extents: readonly Extent[], moves: MoveList, array: Uint8Array): Promise<void> {
    return this.#map.gatherExtentsAsync(this.#wantExtents(extents), moves, array as Bytes);
  }

  view(offset: number, length: number): Uint8Array {
    this.#viewed = true;
    return this.#map.view(offset, length).bytes;
  }

  close(): void {
    this.#map.close();
  }

  /** Unmaps, unless views or requests need the map; true when it is unmapped. */
  closeUnused(): boolean {
    if (this.#viewed) return false;
    try {
      this.#map.close();
      return true;
    } catch {
      return false; // a request runs on it
    }
  }

  get damaged(): boolean {
    return this.#map.faults > 0;
  }
}

class MmapHandle extends CachedHandle {
  /** The newest map, and older ones that views or requests still use. */
  #maps: NativeMap[] = [];

  map(): FileMap | null {
    // A file that grows is mapped anew again and again.
    this.#maps = this.#maps.filter((old) => !old.closeUnused());
    const size = this.size();
    let map: NativeMap;
    try {
      map = new NativeMap(new MappedFile(this.native, this.fd, size, this.path, this.stats.block));
    } catch (error) {
      // No address space left, or a file system that doesn't map: files are read then.
      if (error instanceof TableError && error.code === "IO") return null;
      throw error;
    }
    this.#maps.push(map);
    return map;
  }

  override close(): void {
    for (const map of this.#maps) map.close();
    super.close();
  }
}

/** Backend `mmap`. */
export class MmapBackend extends NativeBackend implements Backend {
  readonly name = "mmap";

  constructor() {
    super("mmap");
  }

  open(path: string, mode: OpenMode): Handle {
    return new MmapHandle(path, this.descriptor(path, mode), this.native, this.stats);
  }
}
