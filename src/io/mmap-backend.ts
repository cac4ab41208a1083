/**
 * Backend `mmap`: large reads are copied out of mapped memory by the C library, without a call each, and columns can be
 * viewed without a copy. Short reads, and all writes, go through pread and pwrite: a full disk under a written map
 * would be a signal instead of an error.
 */
import type { MoveList } from "../array/moves.ts";
import { MappedFile } from "../../ffi/mapped.ts";
import type { Backend, FileMap, Handle, OpenMode } from "./backend.ts";
import { CachedHandle, NativeBackend } from "./pread-backend.ts";

type Bytes = Uint8Array<ArrayBuffer>;

class NativeMap implements FileMap {
  readonly length: number;
  readonly #map: MappedFile;
  #viewed = false;

  constructor(map: MappedFile) {
    this.#map = map;
    this.length = map.length;
  }

  copy(offset: number, target: Uint8Array): void {
    this.#map.copy(offset, target as Bytes);
  }

  copyAsync(offset: number, target: Uint8Array): Promise<void> {
    return this.#map.copyAsync(offset, target as Bytes);
  }

  gather(moves: MoveList, first: number, count: number, array: Uint8Array): void {
    this.#map.gather(moves, first, count, array as Bytes);
  }

  gatherAsync(moves: MoveList, first: number, count: number, array: Uint8Array): Promise<void> {
    const extents = Float64Array.of(0, this.length, first, count);
    return this.#map.gatherExtentsAsync(extents, moves, array as Bytes);
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

  map(): FileMap {
    // A file that grows is mapped anew again and again.
    this.#maps = this.#maps.filter((old) => !old.closeUnused());
    const map = new MappedFile(this.native, this.fd, this.size(), this.path, this.stats.block);
    this.#maps.push(new NativeMap(map));
    return this.#maps[this.#maps.length - 1]!;
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
