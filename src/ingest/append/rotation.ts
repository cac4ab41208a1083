/**
 * The write buffers: one that is being filled, those that are full and on their way to the disk, and those whose groups
 * are on disk, which keep their bytes for readers until the memory is needed again.
 *
 * Whoever rotates adds the full buffer to the frozen list before another becomes active, so that no row is ever in
 * neither; and whoever wants room looks again before rotating, so that it happens once however many want it.
 */
import { allocate } from "../../array/alloc.ts";
import { roundUp } from "../log/format.ts";
import type { Group } from "./buffer.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What {@linkcode WriteBuffers} is told. */
export interface BufferOptions {
  /** Bytes of a buffer: a multiple of `blockBytes`. */
  readonly bufferBytes: number;
  /** Most groups that may be on their way. */
  readonly frozenBuffers: number;
  readonly blockBytes: number;
  /** Begins a group in a buffer. */
  readonly begin: (memory: Bytes) => Group;
  /** Told of each group that takes no more batches. */
  readonly onFrozen: (group: Group) => void;
}

/** The write buffers of an appender. */
export class WriteBuffers {
  /** Groups on their way to the disk, in order. */
  readonly frozen: Group[] = [];
  #active: Group | null = null;
  readonly #options: BufferOptions;
  #free: Bytes[] = [];
  /** Groups that are on disk and still have their bytes, the oldest first. */
  #kept: Group[] = [];
  #buffers = 0;

  constructor(options: BufferOptions) {
    this.#options = options;
  }

  /** The group that is being filled; null between two. */
  get active(): Group | null {
    return this.#active;
  }

  /** All groups that aren't on disk, in order. */
  groups(): Group[] {
    const active = this.#active;
    return active === null || this.frozen.includes(active) ? [...this.frozen] : [...this.frozen, active];
  }

  /** A group with room for a batch of so many bytes, a new one if need be; null when there is none before one is on disk. */
  room(bytes: number): Group | null {
    if (this.#active?.fits(bytes)) return this.#active;
    const full = this.#active !== null && this.#active.rows > 0;
    if (this.frozen.length + (full ? 1 : 0) > this.#options.frozenBuffers) return null;
    if (full) this.freeze();
    else if (this.#active !== null) this.#drop();
    this.#active = this.#options.begin(this.#take(bytes));
    return this.#active;
  }

  /** Ends the group that is being filled, if it has rows. */
  freeze(): Group | null {
    const active = this.#active;
    if (active === null || active.rows === 0) return null;
    active.freeze();
    this.frozen.push(active);
    this.#active = null;
    this.#options.onFrozen(active);
    return active;
  }

  /** Lets go of the group that is being filled, which has no rows. */
  #drop(): void {
    const memory = this.#active!.giveUp();
    this.#active = null;
    this.#giveBack(memory);
  }

  /** Takes the first of the frozen groups, which is on disk now; its bytes stay as long as nobody needs the memory. */
  shift(): Group {
    const group = this.frozen.shift()!;
    group.state = "durable";
    if (group.memory!.length === this.#options.bufferBytes) this.#kept.push(group);
    else group.giveUp();
    return group;
  }

  /** Takes away the frozen groups from `first` on, and the one that is being filled. */
  withdraw(first: Group): Group[] {
    const groups = this.frozen.splice(this.frozen.indexOf(first));
    if (this.#active !== null) {
      groups.push(this.#active);
      this.#active = null;
    }
    for (const group of groups) this.#giveBack(group.giveUp());
    return groups;
  }

  /** Ends the group without rows that is being filled: the next one goes elsewhere. */
  dropEmpty(): void {
    if (this.#active !== null && this.#active.rows === 0) this.#drop();
  }

  #giveBack(memory: Bytes): void {
    if (memory.length === this.#options.bufferBytes) this.#free.push(memory);
  }

  #take(bytes: number): Bytes {
    const { bufferBytes, blockBytes, frozenBuffers } = this.#options;
    // A batch that no buffer holds gets one of its own.
    if (bytes > bufferBytes) return this.#allocate(roundUp(bytes, blockBytes));
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#buffers <= frozenBuffers + 1) {
      this.#buffers++;
      return this.#allocate(bufferBytes);
    }
    return this.#kept.shift()!.giveUp();
  }

  #allocate(bytes: number): Bytes {
    return allocate("uint8", bytes, this.#options.blockBytes) as Bytes;
  }

  /** Lets go of all memory. */
  close(): void {
    for (const group of this.#kept) group.giveUp();
    this.#kept = [];
    this.#free = [];
  }
}
