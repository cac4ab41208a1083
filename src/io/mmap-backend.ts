/**
 * Backend `mmap`: large reads are copied out of mapped memory by the C library, without a call each, and columns can be
 * viewed without a copy. Short reads, and all writes, go through pread and pwrite: a full disk under a written map
 * would be a signal instead of an error.
 *
 * A page that is touched under a map and isn't in memory makes Linux read around it, as much as the disk reads ahead (128
 * KiB to several MiB): many times what is wanted by who goes here and there. So before a map is touched a few pages are
 * looked up. If one isn't there, a range is read instead; the stretches that boxes are gathered from are asked for, all at
 * once, which keeps a disk busier than reading them in turn.
 */
import type { MoveList } from "../array/moves.ts";
import { TableError } from "../error.ts";
import { packExtents } from "../../ffi/native-types.ts";
import { MappedFile } from "../../ffi/mapped.ts";
import type { Backend, FileMap, FileWatch, Handle, OpenMode } from "./backend.ts";
import { CachedHandle, NativeBackend } from "./pread-backend.ts";
import { type GatherJob, planGather } from "./gather-plan.ts";
import type { Extent } from "./plan.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The stretches that jobs read, as extents without moves. */
function packJobs(jobs: readonly GatherJob[]): Float64Array<ArrayBuffer> {
  return packExtents(jobs.map(({ offset, length }) => ({ offset, length, firstMove: 0, moveCount: 0 })));
}

class NativeMap implements FileMap {
  readonly length: number;
  readonly #map: MappedFile;
  #viewed = false;
  /** An extent, for {@linkcode isThere}. */
  readonly #range = new Float64Array(4);

  constructor(map: MappedFile) {
    this.#map = map;
    this.length = map.length;
  }

  isThere(offset: number, length: number): boolean {
    const range = this.#range;
    range[0] = offset;
    range[1] = length;
    return !this.#map.missing(range);
  }

  /** Extents as C has them; what isn't in memory is asked for. */
  #packed(extents: readonly Extent[], moves: MoveList): Float64Array<ArrayBuffer> {
    const packed = packExtents(extents);
    if (this.#map.missing(packed)) this.#map.want(packJobs(planGather(extents, moves)));
    return packed;
  }

  copy(offset: number, target: Uint8Array): void {
    this.#map.copy(offset, target as Bytes);
  }

  copyAsync(offset: number, target: Uint8Array): Promise<void> {
    return this.#map.copyAsync(offset, target as Bytes);
  }

  gather(extents: readonly Extent[], moves: MoveList, array: Uint8Array): void {
    this.#map.gatherExtents(this.#packed(extents, moves), moves, array as Bytes);
  }

  gatherAsync(extents: readonly Extent[], moves: MoveList, array: Uint8Array): Promise<void> {
    return this.#map.gatherExtentsAsync(this.#packed(extents, moves), moves, array as Bytes);
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
  readonly #watched: MappedFile[] = [];

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

  watch(): FileWatch | null {
    if (this.native.symbols.tessera_is_local(this.fd, this.stats.block) !== 1) return null;
    const size = this.size();
    let map: MappedFile;
    try {
      map = new MappedFile(this.native, this.fd, size, this.path, this.stats.block);
    } catch (error) {
      if (error instanceof TableError && error.code === "IO") return null;
      throw error;
    }
    this.#watched.push(map);
    // The same bytes are asked for each time, in the same memory.
    let asked: Uint8Array | null = null, bytes: Uint8Array = new Uint8Array(0);
    return {
      read(target, offset) {
        const length = Math.min(target.length, Math.max(0, size - offset));
        if (asked !== target || bytes.length !== length) bytes = (asked = target).subarray(0, length);
        return length === 0 || map.look(offset, bytes as Bytes) ? length : -1;
      },
    };
  }

  override close(): void {
    for (const map of this.#watched) map.close();
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
