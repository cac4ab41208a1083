/**
 * One file of a table: what is on the disk, what was written but not sent, and one view of both.
 *
 * | part of the file | where it comes from |
 * | --- | --- |
 * | pending runs | memory |
 * | below `min(size on disk, cut)` | the disk |
 * | the rest, up to the length | zeros |
 *
 * `cut` is where a pending truncation cuts the disk's bytes off.
 */
import { TableError } from "../error.ts";
import { allocate } from "../array/alloc.ts";
import type { MoveList } from "../array/moves.ts";
import { turn, turnIsDue } from "./async-turns.ts";
import type { FileMap, Handle } from "./backend.ts";
import { DiskFile, type FileShared } from "./disk-file.ts";
import { PAGE_BYTES } from "./page-cache.ts";
import { type JournalRecord, SECTOR_BYTES } from "./journal-format.ts";
import { Pending } from "./pending.ts";
import type { Extent } from "./plan.ts";
import { type Range, RangeSet, zerosFor } from "./ranges.ts";
import { sendRuns } from "./send-runs.ts";

/** Reads and writes of this many bytes and more go past the page cache and the pending runs. */
export const BYPASS_BYTES = 256 * 1024;
const EMPTY = new Uint8Array(0);

/** A file by name. Nothing is opened before it is needed. */
export class TableFile {
  readonly path: string;
  readonly #disk: DiskFile;
  readonly #pending: Pending;
  /** The disk's bytes from here on are gone, though the disk doesn't know yet. */
  #cut = Infinity;
  /** The file is at least this long when everything is sent. */
  #floor = 0;
  /** To be made, or emptied, by opening it when it is next written to. */
  #create = false;
  #removed = false;
  /** Bytes that the last commit holds; -1: as long as nothing is sent, those that the disk has. */
  #committed = -1;
  #existed = false;
  /** Of what the last commit holds, the parts that belong to no value. */
  #spare = new RangeSet();

  constructor(path: string, shared: FileShared) {
    this.path = path;
    this.#disk = new DiskFile(path, shared);
    this.#pending = new Pending(shared.pool);
  }

  #exists(): boolean {
    return !this.#removed && (this.#create || this.#disk.exists());
  }

  #need(): void {
    if (!this.#exists()) throw new TableError("NOT_FOUND", "there is no such file", { file: this.path });
  }

  /** Bytes that still come from the disk. */
  #visible(): number {
    return this.#create || this.#cut === 0 ? 0 : Math.min(this.#disk.size(), this.#cut);
  }

  /** Length in bytes with all that is pending, or -1 if there is no such file. */
  size(): number {
    return this.#exists() ? Math.max(this.#visible(), this.#floor) : -1;
  }

  /** Leading bytes that the last commit holds. */
  committed(): number {
    if (this.#committed < 0) {
      this.#existed = this.#disk.exists();
      this.#committed = this.#existed ? this.#disk.size() : 0;
    }
    return this.#committed;
  }

  /** True when the last commit holds a file of that name. */
  existed(): boolean {
    this.committed();
    return this.#existed;
  }

  /** True when the file is to be removed. */
  get isRemoved(): boolean {
    return this.#removed;
  }

  /** What was sent counts as committed. */
  commit(): void {
    this.#committed = -1;
    if (this.#spare.ranges.length > 0) this.#spare = new RangeSet();
  }

  /** Notes that a range is part of no value that the last commit holds. */
  spare(start: number, end: number): void {
    this.#checkRange(start, end - start);
    this.#spare.add(start, Math.min(end, this.committed()));
  }

  /** True when there is something to send. */
  get dirty(): boolean {
    return this.#removed || this.#create || this.#cut !== Infinity || this.#floor > 0;
  }

  /** True when bytes that the disk has are to be cut off, or the file is to be made anew. */
  get cuts(): boolean {
    return this.#create || this.#cut !== Infinity;
  }

  /** Memory that pending bytes take. */
  get pendingCost(): number {
    return this.#pending.cost;
  }

  /** True when a range is as the disk has it. */
  isClean(start: number, end: number): boolean {
    if (this.#create || this.#removed || end > this.#cut || this.#pending.touches(start, end)) return false;
    // Up to the floor the file may be longer than the disk knows.
    return end > this.#floor || this.#disk.reaches(end);
  }

  // ---- reading

  /** Bytes of a range, in place where one page or one run holds them. Read-only, valid until the next step. */
  read(offset: number, length: number): Uint8Array {
    const end = this.#checkRange(offset, length);
    if (length === 0) return EMPTY;
    const view = this.view(offset, end);
    if (view !== undefined) return view;
    if (length > PAGE_BYTES) this.#checkLength(offset, end);
    const bytes = allocate("uint8", length);
    this.fill(bytes, offset, length < BYPASS_BYTES);
    return bytes;
  }

  /** Bytes of a range in place, if one page or one pending run holds them all. Read-only, valid until the next step. */
  view(lo: number, hi: number): Uint8Array | undefined {
    this.#checkRange(lo, hi - lo);
    return this.isClean(lo, hi) ? this.#disk.view(lo, hi) : this.pendingView(lo, hi - lo);
  }

  /** Brings `lo` to `hi` into the page cache by as few calls as may be, unless it has `from` to `to`, the part asked for. */
  prefetch(from: number, to: number, lo: number, hi: number): void {
    if (this.isClean(lo, hi)) this.#disk.prefetch(from, to, lo, hi);
  }

  /** Fills `target` from `offset`; `cached` says whether through the page cache. */
  fill(target: Uint8Array, offset: number, cached: boolean): void {
    const end = this.#checkRange(offset, target.length);
    if (this.isClean(offset, end)) return this.#disk.fill(target, offset, cached);
    this.#checkLength(offset, end);
    if (!this.#pending.covers(offset, end)) {
      const there = Math.max(0, Math.min(this.#visible() - offset, target.length));
      this.#disk.fill(target.subarray(0, there), offset, cached);
      target.fill(0, there);
    }
    this.#pending.overlay(target, offset);
  }

  /** As `fill` past the cache, without blocking while the disk is read. */
  async fillAsync(target: Uint8Array, offset: number): Promise<void> {
    const end = this.#checkRange(offset, target.length);
    if (this.isClean(offset, end)) return await this.#disk.fillAsync(target, offset);
    this.fill(target, offset, false);
  }

  /** Moves boxes from extents, in ascending order, by one call on another thread; false: it has to be done otherwise. */
  async gatherAsync(
    extents: readonly Extent[],
    moves: MoveList,
    target: Uint8Array,
    scratch: Uint8Array,
  ): Promise<boolean> {
    return await this.#disk.gatherAsync(extents, moves, target, scratch);
  }

  /** True when {@linkcode gatherAsync} may be asked for extents within a range. */
  gathers(lo: number, hi: number): boolean {
    this.#checkRange(lo, hi - lo);
    return this.isClean(lo, hi) && this.#disk.gathers;
  }

  /** Brings what `read` or a cached `fill` of a range needs into the page cache, without blocking. */
  async loadAsync(offset: number, length: number): Promise<void> {
    const end = this.#checkRange(offset, length);
    if (length === 0 || length >= BYPASS_BYTES || !this.isClean(offset, end)) return;
    await this.#disk.loadAsync(offset, end);
  }

  #checkRange(offset: number, length: number): number {
    const end = offset + length;
    if (!(offset >= 0 && length >= 0 && Number.isSafeInteger(offset) && Number.isSafeInteger(end))) {
      throw new TableError(
        "CORRUPT",
        `expected a range of bytes, found ${length} bytes at offset ${offset}`,
        {
          file: this.path,
        },
      );
    }
    return end;
  }

  /** Throws unless the file has the range: to be asked before memory is taken for it. */
  check(offset: number, length: number): void {
    this.#checkLength(offset, this.#checkRange(offset, length));
  }

  #checkLength(offset: number, end: number): void {
    this.#need();
    if (end <= this.#floor) return;
    if (this.#create || end > this.#cut) this.#disk.pastEnd(offset, end, this.size());
    this.#disk.checkLength(offset, end);
  }

  /** The file in mapped memory, where the backend maps and the range is as the disk has it; else null. */
  mapped(offset: number, end: number): FileMap | null {
    this.#checkRange(offset, end - offset);
    return this.isClean(offset, end) ? this.#disk.mapped(offset, end) : null;
  }

  /** True when a range is as the disk has it, in memory and mapped. */
  isAtHand(offset: number, length: number): boolean {
    const end = this.#checkRange(offset, length);
    return this.isClean(offset, end) && this.#disk.isAtHand(offset, end);
  }

  /** Runs `work` on a map; false when it couldn't, and the file is to be read instead. */
  fromMap(work: () => void): boolean {
    return this.#disk.fromMap(work);
  }

  /** As {@linkcode fromMap}, without blocking; the file can't be closed meanwhile. */
  fromMapAsync(work: () => Promise<void>): Promise<boolean> {
    return this.#disk.fromMapAsync(work);
  }

  /** A private copy-on-write view in mapped memory, where the backend maps and the range is as the disk has it; else null. */
  mappedView(offset: number, length: number): Uint8Array | null {
    const end = this.#checkRange(offset, length);
    return this.isClean(offset, end) ? this.#disk.mappedView(offset, end) : null;
  }

  /** Throws IO when the file became shorter under a view. */
  checkViews(): void {
    this.#disk.checkViews();
  }

  // ---- changing

  /** Memory for the bytes of a range, which become pending; the caller fills all of it. */
  claim(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const end = this.#checkRange(offset, length);
    this.#need();
    const bytes = this.#pending.claim(offset, length);
    if (end > this.#floor) this.#floor = end;
    return bytes;
  }

  /** The pending bytes of a range in place, if one run holds all of them. */
  pendingView(offset: number, length: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#pending.view(offset, offset + length);
  }

  /** Length of the run of pending bytes around `offset`. */
  pendingAround(offset: number): number {
    return this.#pending.lengthAround(offset);
  }

  /** Makes bytes pending. */
  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) this.#need();
    else this.claim(offset, bytes.length).set(bytes);
  }

  /** Sends bytes at once. */
  writeThrough(offset: number, bytes: Uint8Array): void {
    const end = this.#through(offset, bytes.length);
    this.#disk.write([bytes], offset);
    this.#pending.sent(offset, end);
  }

  /** As {@linkcode writeThrough}, without blocking. */
  async writeThroughAsync(offset: number, bytes: Uint8Array): Promise<void> {
    const end = this.#through(offset, bytes.length);
    await this.#disk.writeAsync(bytes, offset);
    this.#pending.sent(offset, end);
  }

  /** Lays boxes over zeros and sends that at once, by one call on another thread; false where the backend can't. */
  async scatterAsync(
    extent: Extent,
    moves: MoveList,
    source: Uint8Array,
    scratch: Uint8Array,
  ): Promise<boolean> {
    const end = this.#through(extent.offset, extent.length);
    if (!await this.#disk.scatterAsync(extent, moves, source, scratch)) return false;
    this.#pending.sent(extent.offset, end);
    return true;
  }

  /** Prepares the file for bytes that are sent at once, and gives their end. */
  #through(offset: number, length: number): number {
    const end = this.#checkRange(offset, length);
    this.#need();
    this.#prepare();
    // Bytes that a pending truncation cuts off must not come back behind what is written here.
    if (end > this.#cut) {
      this.#disk.resize(this.#cut);
      this.#cut = Infinity;
    }
    return end;
  }

  /** Makes the file empty, or makes a new one. With `truncate` nobody needs the old content in case of a crash. */
  empty(truncate: boolean): void {
    this.#removed = false;
    this.#pending.clear();
    this.#floor = 0;
    if (!this.#disk.isOpen && (truncate || this.#disk.knownAbsent || !this.#disk.exists())) {
      this.#create = true;
    } else this.#cut = 0;
  }

  /** Changes the length; bytes beyond the old one are zero. */
  resize(length: number, shrink: boolean): void {
    this.#checkRange(length, 0);
    this.#need();
    if (shrink) {
      this.#pending.drop(length, Infinity);
      this.#cut = Math.min(this.#cut, length);
      this.#floor = length;
    } else this.#floor = Math.max(this.#floor, length);
  }

  /** Removes the file when what is pending is sent. */
  remove(): void {
    this.discard();
    this.#removed = !this.#disk.knownAbsent;
  }

  /** Forgets what is pending. */
  discard(): void {
    this.#pending.clear();
    this.#create = this.#removed = false;
    this.#cut = Infinity;
    this.#floor = 0;
    this.#spare = new RangeSet();
  }

  // ---- sending

  #prepare(): void {
    this.#disk.prepare(this.#create);
    this.#create = false;
  }

  /**
   * Which of the bytes that the last commit holds sending changes, ascending and rounded to sectors; which it changes that
   * are part of no value; and the length of the file then.
   */
  overwrites(): { ranges: readonly Range[]; spare: readonly Range[]; newLength: number } {
    const committed = this.committed(), set = new RangeSet(), spare = new RangeSet();
    const add = (from: number, to: number) => {
      for (const { start, end, inside } of this.#spare.split(from, Math.min(committed, to))) {
        if (inside) spare.add(start, end);
        else {
          set.add(
            Math.floor(start / SECTOR_BYTES) * SECTOR_BYTES,
            Math.min(committed, Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES),
          );
        }
      }
    };
    const newLength = Math.max(0, this.size());
    if (committed > 0) {
      if (this.#create) add(0, committed);
      else if (this.#cut < committed) add(this.#cut, committed);
      for (const { start, end } of this.#pending.runs) if (start < committed) add(start, end);
    }
    return { ranges: set.ranges, spare: spare.ranges, newLength };
  }

  /** Shows the file as the last commit left it, as far as a record of a journal tells. */
  lay(record: JournalRecord): void {
    if (record.kind === "length") {
      if (record.length < 0) this.#removed = true;
      else this.#cut = this.#floor = record.length;
    } else if (record.kind === "old") {
      const { offset, old } = record;
      this.#pending.claim(offset, old.length).set(old);
    } else if (record.kind === "whole") {
      this.discard();
      if (record.old === null) this.#removed = true;
      else {
        this.#cut = 0;
        this.#floor = record.old.length;
        if (record.old.length > 0) this.#pending.claim(0, record.old.length).set(record.old);
      }
    }
  }

  /** The disk's bytes of a range, whatever is pending; valid until the next step. */
  diskBytes(start: number, end: number): Uint8Array {
    const view = this.#disk.view(start, end);
    if (view !== undefined) return view;
    const bytes = new Uint8Array(end - start);
    this.#disk.fill(bytes, start, bytes.length < BYPASS_BYTES);
    return bytes;
  }

  /** Puts back bytes that were there at the last commit; what is pending stays. */
  restore(offset: number, bytes: Uint8Array): void {
    this.#disk.prepare(false);
    this.#disk.write([bytes], offset);
  }

  /** Puts zeros in the place of bytes that are part of no value; what is pending stays. */
  restoreSpare(offset: number, length: number): void {
    this.#disk.prepare(false);
    const end = Math.min(offset + length, this.#disk.size());
    for (const [at, zeros] of zerosFor(offset, end)) this.#disk.write([zeros], at);
  }

  /** Sets the length on the disk back to that of the last commit; what is pending stays. */
  restoreLength(length: number): void {
    if (length < 0) {
      if (this.#disk.exists()) this.#disk.unlink();
      if (this.#floor > 0 || this.#pending.cost > 0) this.#create = true;
    } else if (this.#disk.exists() && this.#disk.size() > length) this.#disk.resize(length);
  }

  /**
   * Sends everything pending: bytes in ascending order, neighbours by one call, then the length. It stays pending, so
   * that it can be sent again, until {@linkcode settle} is called.
   */
  send(): void {
    for (const _ of this.#sending());
  }

  /** As {@linkcode send}, with turns of the event loop. Nothing else may change the file meanwhile. */
  async sendAsync(): Promise<void> {
    for (const _ of this.#sending()) if (turnIsDue()) await turn();
  }

  /** Sends everything pending; whoever goes through it may pause after each call. */
  *#sending(): Generator<void, void, void> {
    if (this.#removed || !this.dirty) return;
    const disk = this.#disk;
    this.#prepare();
    let cut = this.#cut;
    if (cut !== Infinity && !this.#pending.covers(cut, Math.min(disk.size(), this.#floor))) {
      disk.resize(Math.min(cut, disk.size()));
      cut = Infinity;
    }
    yield* sendRuns(this.#pending, disk, cut, this.#floor);
    // What follows is rare: a length that the bytes alone don't give.
    if (cut !== Infinity && disk.size() > this.#floor) disk.resize(this.#floor);
    if (this.#floor > 0 && !disk.reaches(this.#floor)) disk.resize(this.#floor);
  }

  /** What was sent is no longer pending. */
  settle(): void {
    if (this.#removed) return;
    const last = this.#pending.runs.at(-1);
    if (last !== undefined) this.#pending.sent(0, last.end);
    this.#cut = Infinity;
    this.#floor = 0;
  }

  /** Removes the file, if that is pending. */
  unlink(): void {
    if (!this.#removed) return;
    this.#disk.unlink();
    this.#removed = false;
  }

  /** Sends everything pending; after an error it is still pending. */
  flush(): void {
    this.unlink();
    this.send();
    this.settle();
  }

  /** The open file, when the disk may not yet have what was sent. */
  get unsyncedHandle(): Handle | null {
    return this.#disk.unsyncedHandle;
  }

  /** True once after the file's name came or went. */
  takeRenamed(): boolean {
    return this.#disk.takeRenamed();
  }

  /** Says that the disk has what was sent. */
  synced(): void {
    this.#disk.synced();
  }

  /** Returns when the disk has what was sent. */
  sync(): void {
    this.unsyncedHandle?.sync();
    this.synced();
  }

  // ---- letting go

  /** Forgets what is known of the file on the disk, which somebody else changed; pending bytes stay. */
  forget(): void {
    this.#disk.forget();
    this.commit();
  }

  /** Closes the file. What is pending is lost. */
  close(): void {
    this.discard();
    this.#disk.close();
  }
}
