/**
 * One file as the disk has it: opened when it is first needed, read through the page cache for short ranges, its size
 * learnt from short reads where that saves a call.
 *
 * A short read is taken for the end of the file as long as nobody asks for more; before an error is thrown the size is
 * asked for anew.
 */
import { TableError } from "../error.ts";
import type { MoveList } from "../array/moves.ts";
import { turn, turnIsDue } from "./async-turns.ts";
import type { Backend, FileMap, Handle } from "./backend.ts";
import type { BufferPool } from "./buffers.ts";
import { PAGE_BYTES, type PageCache, PageOwner, STAGING_BYTES } from "./page-cache.ts";
import type { Extent } from "./plan.ts";
import { ReadAhead } from "./read-ahead.ts";

/** What the files of a table have in common. */
export interface FileShared {
  readonly backend: Backend;
  readonly cache: PageCache;
  readonly pool: BufferPool;
  readonly writable: boolean;
  /** The directory is known to be empty: no file needs to be looked for. */
  readonly fresh: boolean;
}

/** Most pages read by one call; how far reading ahead goes, too. */
const LOAD_PAGES = STAGING_BYTES / PAGE_BYTES;
/** Shorter ranges are read even where files are mapped. */
const MAP_BYTES = 256 * 1024;
const EMPTY = new Uint8Array(0);
/** EPERM, EACCES, EROFS: the file may still be readable. */
const DENIED: readonly (number | undefined)[] = [1, 13, 30];

/** A file on the disk, by path. */
export class DiskFile {
  readonly path: string;
  readonly #shared: FileShared;
  readonly #owner = new PageOwner();
  #handle: Handle | null = null;
  /** Why the file could only be opened for reading. */
  #denied: TableError | null = null;
  /** True: there is no such file; undefined: not looked yet. */
  #absent: boolean | undefined;
  /** Size when last heard of; -1: not heard of yet. */
  #size = -1;
  /** The file has at least this many bytes, even where its size was never asked. */
  #atLeast = 0;
  #unsynced = false;
  #renamed = false;
  /** Counts what makes bytes untrue that are being read meanwhile. */
  #changes = 0;
  /** Reads under way without blocking. */
  #reading = 0;
  #map: FileMap | null = null;
  /** The file can't be mapped, or what was mapped couldn't be copied: it is read instead. */
  #unmapped = false;
  /** Maps that views were taken of. */
  readonly #viewed = new Set<FileMap>();
  readonly #ahead = new ReadAhead();

  constructor(path: string, shared: FileShared) {
    this.path = path;
    this.#shared = shared;
    if (shared.fresh) this.#absent = true;
  }

  /** True when there is no such file and that is known without looking. */
  get knownAbsent(): boolean {
    return this.#absent === true;
  }

  /** True when the file is open. */
  get isOpen(): boolean {
    return this.#handle !== null;
  }

  /** Size when last heard of; -1 if it wasn't. */
  get knownSize(): number {
    return this.#size;
  }

  /** Opens the file if that wasn't done; false when there is none. */
  exists(): boolean {
    if (this.#handle !== null || this.#absent === true) return this.#handle !== null;
    const { backend, writable } = this.#shared;
    try {
      this.#handle = backend.open(this.path, writable ? "update" : "read");
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      if (error.code === "NOT_FOUND") {
        this.#absent = true;
        return false;
      }
      if (!writable || !DENIED.includes(error.errno)) throw error;
      this.#handle = backend.open(this.path, "read");
      this.#denied = error;
    }
    this.#absent = false;
    return true;
  }

  /** Opens the file for writing, which was forbidden before. */
  #openAgain(): void {
    const handle = this.#shared.backend.open(this.path, "update");
    if (this.#reading > 0 || this.#map !== null) {
      // The file stays open as it is under those who read it.
      handle.close();
      throw this.#denied!;
    }
    const before = this.#handle;
    this.#handle = handle;
    this.#denied = null;
    before?.close();
  }

  #need(): Handle {
    if (!this.exists()) throw new TableError("NOT_FOUND", "there is no such file", { file: this.path });
    return this.#handle!;
  }

  /** Size in bytes. */
  size(): number {
    if (this.#size < 0) {
      // Most files of a table fit in a page, and its first page is wanted soon: one read tells the size and brings it.
      if (!this.#shared.cache.has(this.#owner, 0)) this.#load(0, 0);
      if (this.#size < 0) this.#size = this.#need().size();
    }
    return this.#size;
  }

  /** True when the file is known to have `end` bytes, asking only if need be. */
  reaches(end: number): boolean {
    return end <= this.#atLeast || end <= this.size();
  }

  // ---- reading

  /**
   * Bytes of a range in place, or of one that crosses pages joined for the moment; undefined when it is too long for
   * that. Valid until the next step.
   */
  view(offset: number, end: number): Uint8Array | undefined {
    const index = Math.floor(offset / PAGE_BYTES), start = index * PAGE_BYTES;
    if (end <= start + PAGE_BYTES) {
      return this.#reaching(index, index, end).subarray(offset - start, end - start);
    }
    if (end - offset > PAGE_BYTES) return undefined;
    const joined = this.#shared.cache.lend()?.subarray(0, end - offset);
    if (joined !== undefined) this.fill(joined, offset, true);
    return joined;
  }

  /** Brings `lo` to `hi` into the page cache, as far as the file has it, unless the pages of `from` to `to` are there. */
  prefetch(from: number, to: number, lo: number, hi: number): void {
    const { cache } = this.#shared;
    const last = Math.floor((to - 1) / PAGE_BYTES);
    let index = Math.floor(from / PAGE_BYTES);
    while (index <= last && cache.has(this.#owner, index)) index++;
    if (index > last) return;
    const end = Math.floor((hi - 1) / PAGE_BYTES);
    for (index = Math.floor(lo / PAGE_BYTES); index <= end; index++) {
      if (!cache.has(this.#owner, index)) this.#load(index, end);
    }
  }

  /** Fills `target` from `offset`; `cached` says whether through the page cache. */
  fill(target: Uint8Array, offset: number, cached: boolean): void {
    if (target.length === 0) return;
    if (!cached) {
      const map = this.#mapFor(target, offset);
      if (map !== null && this.fromMap(() => map.copy(offset, target))) return;
      const got = this.#need().read(target, offset);
      if (got < target.length) this.#goOn(target, offset, got, offset + target.length);
      return;
    }
    const end = offset + target.length;
    const first = Math.floor(offset / PAGE_BYTES), last = Math.floor((end - 1) / PAGE_BYTES);
    for (let index = first; index <= last; index++) {
      const start = index * PAGE_BYTES,
        from = Math.max(start, offset),
        to = Math.min(start + PAGE_BYTES, end);
      target.set(this.#reaching(index, last, end).subarray(from - start, to - start), from - offset);
    }
  }

  /** The map that a long range is copied from, by stores that go past the processor's cache; null where there is none. */
  #mapFor(target: Uint8Array, offset: number): FileMap | null {
    if (target.length < MAP_BYTES || this.#need().map === undefined) return null;
    const end = offset + target.length;
    const map = this.reaches(end) ? this.mapped(offset, end) : null;
    return map !== null && map.isThere(offset, target.length) ? map : null;
  }

  /** As `fill` past the cache, without blocking. */
  async fillAsync(target: Uint8Array, offset: number): Promise<void> {
    const map = this.#mapFor(target, offset);
    if (map !== null && await this.fromMapAsync(() => map.copyAsync(offset, target))) return;
    const got = await this.#readAsync(target, offset);
    if (got < target.length) this.#goOn(target, offset, got, offset + target.length);
  }

  /**
   * Moves boxes from extents into `target` by one call on another thread. False where the backend can't, or the file
   * seems to end before.
   */
  async gatherAsync(
    extents: readonly Extent[],
    moves: MoveList,
    target: Uint8Array,
    scratch: Uint8Array,
  ): Promise<boolean> {
    const handle = this.#need();
    if (handle.gatherAsync === undefined) return false;
    this.#reading++;
    try {
      return await handle.gatherAsync(extents, moves, target, scratch);
    } finally {
      this.#reading--;
    }
  }

  /** True when {@linkcode gatherAsync} can be asked. */
  get gathers(): boolean {
    return this.#need().gatherAsync !== undefined;
  }

  async #readAsync(target: Uint8Array, offset: number): Promise<number> {
    const handle = this.#need();
    this.#reading++;
    try {
      return await handle.readAsync(target, offset);
    } finally {
      this.#reading--;
    }
  }

  /** Brings the pages of a range into the cache, without blocking. */
  async loadAsync(offset: number, end: number): Promise<void> {
    const { cache } = this.#shared, changes = this.#changes;
    const last = Math.floor((end - 1) / PAGE_BYTES);
    for (let index = Math.floor(offset / PAGE_BYTES); index <= last; index++) {
      if (cache.has(this.#owner, index)) continue;
      const to = this.#loadTo(index, last), want = this.#pagesLength(index, to);
      if (want <= 0) return;
      const memory = this.#memoryFor(index, to);
      try {
        const bytes = memory.subarray(0, want), at = index * PAGE_BYTES;
        const got = await this.#readAsync(bytes, at);
        if (changes === this.#changes) this.#keep(index, to, memory, this.#pagesRead(bytes, at, got), false);
      } finally {
        this.#doneWith(index, to, memory);
      }
      if (changes !== this.#changes) return;
      if (turnIsDue()) await turn();
      index = to;
    }
  }

  /** Throws unless the file reaches `end`; asks for its size anew before it does. */
  checkLength(offset: number, end: number): void {
    if (this.reaches(end)) return;
    this.#lookAgain(end);
    if (end > this.#size) this.pastEnd(offset, end, this.#size);
  }

  /** Throws CORRUPT for a range that the file doesn't have. */
  pastEnd(offset: number, end: number, size: number): never {
    throw new TableError(
      "CORRUPT",
      `expected ${end - offset} bytes up to ${end}, the file has ${size} bytes`,
      {
        file: this.path,
        offset,
      },
    );
  }

  /** Asks for the size anew, since the file seems shorter than needed. Throws IO if it became shorter meanwhile. */
  #lookAgain(end: number): void {
    const before = this.#size, now = this.#need().size();
    this.#size = now;
    if (now >= before && now >= this.#atLeast) return;
    this.#atLeast = now;
    this.#shared.cache.dropFrom(this.#owner, now);
    if (now < end) {
      throw new TableError("IO", `the file had ${before} bytes and has ${now} now: somebody shortened it`, {
        file: this.path,
        offset: now,
      });
    }
  }

  /**
   * Goes on after a read that brought only `got` bytes, until all of `target` that lies before `expected` is there.
   * Throws CORRUPT or IO when the file has no more.
   */
  #goOn(target: Uint8Array, offset: number, got: number, expected: number): number {
    while (offset + got < expected) {
      this.#lookAgain(expected);
      if (this.#size < expected) this.pastEnd(offset, offset + target.length, this.#size);
      const more = this.#need().read(target.subarray(got), offset + got);
      if (more === 0) {
        throw new TableError(
          "IO",
          `read returned nothing at ${offset + got} of a file of ${this.#size} bytes`,
          {
            file: this.path,
            offset: offset + got,
          },
        );
      }
      got += more;
    }
    return got;
  }

  /** What a read of whole pages brought: all there is, or a short read that goes on up to the known size. */
  #pagesRead(target: Uint8Array, offset: number, got: number): number {
    if (got === target.length) return got;
    if (this.#size < 0) {
      if (got > 0 || offset === 0) this.#size = offset + got;
      return got;
    }
    return this.#goOn(target, offset, got, Math.min(offset + target.length, this.#size));
  }

  /** Page `index` as far as byte `end`, if that is in it, or all of it; of a range that goes on to page `last`. */
  #reaching(index: number, last: number, end: number): Uint8Array {
    const needed = Math.min(PAGE_BYTES, end - index * PAGE_BYTES);
    const page = this.#page(index, last);
    if (page.length >= needed) return page;
    // The file seems to end before. It may have grown since the page was read.
    this.#lookAgain(end);
    if (this.#size < end) this.pastEnd(index * PAGE_BYTES, end, this.#size);
    this.#shared.cache.dropPage(this.#owner, index);
    return this.#page(index, last);
  }

  /** Bytes that pages `first` to `last` have on the disk, as far as that is known. */
  #pagesLength(first: number, last: number): number {
    const full = (last - first + 1) * PAGE_BYTES;
    return this.#size < 0 ? full : Math.min(full, this.#size - first * PAGE_BYTES);
  }

  /** A page, which is read if it is missing: with those up to `last` that are, too, and some ahead. Valid until the next step. */
  #page(index: number, last: number): Uint8Array {
    const { cache, backend } = this.#shared;
    const page = cache.get(this.#owner, index);
    if (page === undefined) return this.#load(index, last);
    backend.stats.cacheHits++;
    return page;
  }

  /** The last page to be read by one call that begins with page `index`, which is missing, on the way to page `last`. */
  #loadTo(index: number, last: number): number {
    const { cache } = this.#shared;
    // Most of the cache is left to other pages, and all that is read finds room.
    const most = Math.max(1, Math.min(LOAD_PAGES, cache.capacity >> 1));
    const stream = this.#ahead.from(index, Math.min(LOAD_PAGES, cache.capacity >> 2));
    const wish = Math.min(Math.max(last, index + stream.pages - 1), index + most - 1);
    let to = index;
    while (to < wish && !cache.has(this.#owner, to + 1)) to++;
    stream.next = to + 1;
    return to;
  }

  /** Memory to read pages into: that of the page, or, for several, some that they are copied from. */
  #memoryFor(first: number, last: number): Uint8Array {
    const { cache } = this.#shared;
    return first === last ? cache.room() : cache.staging((last - first + 1) * PAGE_BYTES);
  }

  #doneWith(first: number, last: number, memory: Uint8Array): void {
    if (first !== last) this.#shared.cache.endStaging(memory);
  }

  /** Reads page `index`, which is missing, and pages behind it that are, too. Gives the first, valid until the next step. */
  #load(index: number, last: number): Uint8Array {
    const to = this.#loadTo(index, last), want = Math.max(0, this.#pagesLength(index, to));
    if (want === 0) return EMPTY;
    const memory = this.#memoryFor(index, to);
    try {
      const bytes = memory.subarray(0, want), offset = index * PAGE_BYTES;
      const got = this.#pagesRead(bytes, offset, this.#need().read(bytes, offset));
      return this.#keep(index, to, memory, got, true);
    } finally {
      this.#doneWith(index, to, memory);
    }
  }

  /**
   * Puts the `length` bytes that were read into the cache, page by page; those of a single page are there already.
   * With `replace`, pages that are there are replaced. Gives the first.
   */
  #keep(first: number, last: number, memory: Uint8Array, length: number, replace: boolean): Uint8Array {
    const { cache, backend } = this.#shared;
    const end = Math.min(last + 1, first + Math.ceil(length / PAGE_BYTES));
    let wanted: Uint8Array = EMPTY;
    backend.stats.cacheMisses += end - first;
    for (let index = first; index < end; index++) {
      const from = (index - first) * PAGE_BYTES, pageLength = Math.min(PAGE_BYTES, length - from);
      if (!replace && cache.has(this.#owner, index)) continue;
      let page = memory;
      if (first !== last) {
        page = pageLength < PAGE_BYTES / 2 ? new Uint8Array(pageLength) : cache.room();
        page.set(memory.subarray(from, from + pageLength));
      }
      const kept = cache.put(this.#owner, index, page, pageLength);
      // Used at once, so that it isn't taken for one that was read ahead; in this step its bytes stay what they are.
      if (index === first && replace) wanted = cache.get(this.#owner, index) ?? kept;
    }
    return wanted;
  }

  /**
   * Runs `work` on the map. False when it couldn't, since the file became shorter, or its disk or file system has no bytes
   * for a page: reading says what is wrong, and may do better.
   */
  fromMap(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      return this.#readInstead(error);
    }
  }

  /** As {@linkcode fromMap}, without blocking; the file can't be closed meanwhile. */
  async fromMapAsync(work: () => Promise<void>): Promise<boolean> {
    this.#reading++;
    try {
      await work();
      return true;
    } catch (error) {
      return this.#readInstead(error);
    } finally {
      this.#reading--;
    }
  }

  #readInstead(error: unknown): false {
    if (!(error instanceof TableError && error.code === "IO")) throw error;
    this.#unmapped = true;
    return false;
  }

  /** The file in mapped memory at least up to `end`, where the backend maps; null where it doesn't. */
  mapped(offset: number, end: number): FileMap | null {
    const handle = this.#need();
    if (handle.map === undefined || this.#unmapped) return null;
    if (this.#map === null || this.#map.length < end) {
      if (this.#map !== null) this.checkLength(offset, end);
      const map = handle.map();
      this.#unmapped = map === null;
      if (map === null) return null;
      this.#map = map;
      this.#size = map.length;
      this.checkLength(offset, end);
    }
    return this.#map;
  }

  /** True when a range is in memory and mapped: copying it takes this thread no longer than the copy. */
  isAtHand(offset: number, end: number): boolean {
    return this.reaches(end) && (this.mapped(offset, end)?.isThere(offset, end - offset) ?? false);
  }

  /** Throws IO when a page of a view was lost because the file became shorter. */
  checkViews(): void {
    for (const map of this.#viewed) {
      if (!map.damaged) continue;
      throw new TableError("IO", "the file became shorter under a view: a part of it reads as zeros", {
        file: this.path,
      });
    }
  }

  /** A private view of a range in mapped memory; null where the backend doesn't map. */
  mappedView(offset: number, end: number): Uint8Array | null {
    const map = this.mapped(offset, end);
    if (map === null) return null;
    this.#viewed.add(map);
    return map.view(offset, end - offset);
  }

  // ---- changing

  /** Opens the file in order to write: makes an empty one, or takes the one that is there. */
  prepare(create: boolean): void {
    if (create) {
      this.#handle = this.#shared.backend.open(this.path, "create");
      this.#changes++;
      this.#denied = null;
      this.#absent = false;
      this.#size = this.#atLeast = 0;
      this.#unsynced = this.#renamed = true;
      this.#shared.cache.dropFrom(this.#owner, 0);
    }
    this.#need();
    // What forbade it may be gone.
    if (this.#denied !== null) this.#openAgain();
  }

  /** Writes pieces behind each other from `offset`, by one call. */
  write(pieces: readonly Uint8Array[], offset: number): void {
    const handle = this.#need(), { cache } = this.#shared;
    this.#changes++;
    this.#unsynced = true;
    try {
      if (pieces.length === 1) handle.write(pieces[0]!, offset);
      else if (handle.writev !== undefined) handle.writev(pieces, offset);
      else handle.write(this.#joined(pieces), offset);
    } catch (error) {
      // Any part of it may have been written.
      this.#size = -1;
      cache.dropFrom(this.#owner, offset);
      throw error;
    }
    let at = offset;
    for (const piece of pieces) {
      cache.patch(this.#owner, at, piece);
      at += piece.length;
    }
    if (this.#size >= 0 && at > this.#size) this.#size = at;
    if (at > this.#atLeast) this.#atLeast = at;
  }

  /** As `write` of one piece, without blocking where the backend can. */
  async writeAsync(bytes: Uint8Array, offset: number): Promise<void> {
    const handle = this.#need();
    if (handle.writeAsync === undefined) {
      this.write([bytes], offset);
      return await turn();
    }
    await this.#sending(offset, bytes.length, () => handle.writeAsync!(bytes, offset));
  }

  /** Lays boxes over zeros and writes that, by one call on another thread; false where the backend can't. */
  async scatterAsync(
    extent: Extent,
    moves: MoveList,
    source: Uint8Array,
    scratch: Uint8Array,
  ): Promise<boolean> {
    const handle = this.#need();
    if (handle.scatterAsync === undefined) return false;
    const { offset, length } = extent;
    await this.#sending(offset, length, () => handle.scatterAsync!(extent, moves, source, scratch));
    return true;
  }

  /** Runs what writes `length` bytes at `offset` without blocking, and takes it into account. */
  async #sending(offset: number, length: number, send: () => Promise<void>): Promise<void> {
    const { cache } = this.#shared, end = offset + length;
    const forget = () => {
      this.#changes++;
      cache.dropRange(this.#owner, offset, end);
    };
    forget();
    this.#unsynced = true;
    this.#reading++;
    try {
      await send();
    } catch (error) {
      this.#size = -1;
      cache.dropFrom(this.#owner, offset);
      throw error;
    } finally {
      this.#reading--;
      // What was read meanwhile may be half of it.
      forget();
    }
    if (this.#size >= 0 && end > this.#size) this.#size = end;
    if (end > this.#atLeast) this.#atLeast = end;
  }

  /** Pieces copied behind each other, for a backend that takes one at a time. */
  #joined(pieces: readonly Uint8Array[]): Uint8Array {
    const bytes = this.#shared.pool.scratch(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** Cuts the file, or lengthens it with zeros. */
  resize(length: number): void {
    this.#changes++;
    this.#unsynced = true;
    this.#need().resize(length);
    this.#shared.cache.dropFrom(this.#owner, this.#size < 0 ? 0 : Math.min(length, this.#size));
    this.#size = this.#atLeast = length;
  }

  /** Removes the file, if it is there. */
  unlink(): void {
    this.close();
    if (this.#absent === true) return;
    try {
      this.#shared.backend.remove(this.path);
    } catch (error) {
      if (!(error instanceof TableError && error.code === "NOT_FOUND")) throw error;
    }
    this.#absent = true;
    this.#renamed = true;
  }

  /** True once after the file's name came or went. */
  takeRenamed(): boolean {
    const renamed = this.#renamed;
    this.#renamed = false;
    return renamed;
  }

  /** The open file, when the disk may not have what was sent. */
  get unsyncedHandle(): Handle | null {
    return this.#unsynced ? this.#handle : null;
  }

  /** Says that the disk has what was sent. */
  synced(): void {
    this.#unsynced = false;
  }

  /**
   * Closes the file and forgets its pages; it is opened again when it is needed.
   *
   * @throws TableError BUSY while it is read without blocking: the descriptor may be another file's after closing
   */
  close(): void {
    if (this.#reading > 0) {
      throw new TableError("BUSY", `${this.#reading} reads are under way`, { file: this.path });
    }
    const handle = this.#handle;
    this.#changes++;
    this.#handle = this.#map = this.#denied = null;
    this.#unmapped = false;
    this.#viewed.clear();
    this.#size = -1;
    this.#atLeast = 0;
    if (this.#absent === false) this.#absent = undefined;
    this.#shared.cache.dropFrom(this.#owner, 0);
    handle?.close();
  }

  /** As `close`; also forgets that there was no such file. */
  forget(): void {
    this.close();
    this.#absent = undefined;
  }
}
