/**
 * The page cache: clean copies of 64 KiB pages of files, bounded in bytes, shared by all tables of a context.
 *
 * | list | what is in it | what must go |
 * | --- | --- | --- |
 * | probation | pages in the order they came in | the oldest, first of all |
 * | protected | pages that were used again; at most 3/4 of the bound | its least recently used goes back to probation |
 * | ghosts | which pages went lately, without their bytes | the oldest |
 *
 * A page is *used again* when that happens after 1/8 of the cache's pages came in since its first use, or when it had to
 * be read again while its ghost was there. Reading a column row by row, even many columns in turn, uses each page often
 * but within a short while: such pages stay in probation. So a scan, however long, pushes out only pages that were not
 * used again: nothing leaves the protected list but for another page that was.
 *
 * Memory: pages are slots of 64 KiB that are used over and over, since memory dropped is there until the engine collects
 * it. A slot takes another page only when a step began since its bytes were last handed out (see `steps.ts`). Pages of
 * less than half of that, the ends of files, have memory of their own.
 */
import { allocate } from "../array/alloc.ts";
import { steps } from "./steps.ts";

/** Bytes of a page: large enough that most files of small tables are one page, small enough to read one for a cell. */
export const PAGE_BYTES = 65536;

/** Share of the bound that reused pages may take. */
const PROTECTED_SHARE = 0.75;
/** Share of the cache's pages that come in before a page's next use counts as another one. */
const CORRELATED_SHARE = 1 / 8;
/** Ghosts for each page that the bound has room for. */
const GHOST_SHARE = 1 / 2;
/** What a page costs beside its bytes, so that many tiny pages are bounded too. */
const ENTRY_BYTES = 256;
/** Slots without a page that are kept beyond the bound, or when there are no pages any more. */
const SPARE_SLOTS = 16;
/** Longest read of several pages. */
export const STAGING_BYTES = 16 * PAGE_BYTES;
/** `born` of a page that nobody used yet: it was read ahead. */
const UNUSED = -1;

interface Entry {
  readonly owner: PageOwner;
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Memory to be used again, of which `bytes` is the start; null for memory of its own. */
  readonly slot: Uint8Array | null;
  /** Pages that had come in at its first use. */
  born: number;
  /** It had to be read again soon after it went. */
  readonly returned: boolean;
  /** The step in which its bytes were last handed out. */
  step: number;
  list: Chain;
  newer: Entry | null;
  older: Entry | null;
}

/** A page that went; in a ring of the latest. */
interface Ghost {
  readonly owner: PageOwner;
  readonly index: number;
}

/** The pages of one file. A file has one owner as long as it is open. */
export class PageOwner {
  /** @internal */
  readonly pages: Map<number, Entry> = new Map();
  /** @internal */
  readonly ghosts: Map<number, Ghost> = new Map();
  /** @internal Index of the page that ends before {@linkcode PAGE_BYTES}, as the file's last one does; -1 for none. */
  short = -1;
}

class Chain {
  head: Entry | null = null;
  tail: Entry | null = null;
  bytes = 0;

  push(entry: Entry): void {
    entry.list = this;
    entry.newer = null;
    entry.older = this.head;
    if (this.head === null) this.tail = entry;
    else this.head.newer = entry;
    this.head = entry;
    this.bytes += cost(entry);
  }

  take(entry: Entry): void {
    if (entry.newer === null) this.head = entry.older;
    else entry.newer.older = entry.older;
    if (entry.older === null) this.tail = entry.newer;
    else entry.older.newer = entry.newer;
    this.bytes -= cost(entry);
  }
}

function cost(entry: Entry): number {
  return (entry.slot ?? entry.bytes).length + ENTRY_BYTES;
}

/** Pages of files in memory, least valuable dropped first. */
export class PageCache {
  /** Bound in bytes. */
  readonly bound: number;
  /** Full pages that the bound has room for. */
  readonly capacity: number;
  readonly #probation = new Chain();
  readonly #protected = new Chain();
  /** Pages that came in since the cache was made. */
  #clock = 0;
  readonly #window: number;
  /** Most memory, with that of pages to come. */
  readonly #most: number;
  readonly #ring: (Ghost | undefined)[] = [];
  #ringAt = 0;
  /** Slots without a page that nobody looks at. */
  readonly #free: Uint8Array[] = [];
  /** Slots without a page that somebody may look at in step `#looseStep`. */
  #loose: Uint8Array[] = [];
  #looseStep = -1;
  #staging: Uint8Array | null = null;

  constructor(bound: number) {
    this.bound = bound;
    this.#most = bound + SPARE_SLOTS * PAGE_BYTES;
    this.capacity = Math.floor(bound / (PAGE_BYTES + ENTRY_BYTES));
    this.#window = Math.max(1, Math.floor(this.capacity * CORRELATED_SHARE));
  }

  /** Bytes held now, never more than the bound. */
  get bytes(): number {
    return this.#probation.bytes + this.#protected.bytes;
  }

  /** Bytes of memory for pages, with those that wait for one: at most the bound and 1 MiB. */
  get memory(): number {
    return this.bytes + (this.#free.length + this.#loose.length) * PAGE_BYTES;
  }

  /**
   * The bytes of a page (fewer than {@linkcode PAGE_BYTES} only at the end of the file), or undefined. They are valid
   * until the next step of a plan.
   */
  get(owner: PageOwner, index: number): Uint8Array | undefined {
    const entry = owner.pages.get(index);
    if (entry === undefined) return undefined;
    entry.step = steps.begun;
    if (entry.list === this.#protected) {
      if (this.#protected.head !== entry) {
        this.#protected.take(entry);
        this.#protected.push(entry);
      }
    } else if (entry.born === UNUSED ? entry.returned : this.#clock - entry.born >= this.#window) {
      this.#protect(entry);
    } else if (entry.born === UNUSED) entry.born = this.#clock;
    return entry.bytes;
  }

  #protect(entry: Entry): void {
    this.#probation.take(entry);
    this.#protected.push(entry);
    while (this.#protected.bytes > this.bound * PROTECTED_SHARE) {
      const oldest = this.#protected.tail!;
      this.#protected.take(oldest);
      oldest.born = this.#clock;
      this.#probation.push(oldest);
    }
  }

  /** True when a page is here; not a use of it. */
  has(owner: PageOwner, index: number): boolean {
    return owner.pages.has(index);
  }

  /** Memory for a page, with any content, to be filled and handed to {@linkcode put}; drops pages as the bound asks. */
  room(): Uint8Array {
    this.#shrink(PAGE_BYTES + ENTRY_BYTES);
    return this.#slot();
  }

  /** Memory of {@linkcode PAGE_BYTES} with any content, valid until the next step; undefined when this step had too much of it. */
  lend(): Uint8Array | undefined {
    if (this.#looseStep === steps.begun && this.#loose.length >= SPARE_SLOTS) return undefined;
    const slot = this.#slot();
    this.#release(slot, steps.begun);
    return slot;
  }

  #slot(): Uint8Array {
    if (this.#looseStep !== steps.begun) this.#settle();
    return this.#free.pop() ?? allocate("uint8", PAGE_BYTES);
  }

  /** A step began since: nobody looks at the loose slots any more. */
  #settle(): void {
    for (const slot of this.#loose) this.#free.push(slot);
    this.#loose.length = 0;
  }

  /** Takes memory back that was handed out in `step`. */
  #release(slot: Uint8Array, step: number): void {
    if (this.memory + PAGE_BYTES > this.#most) return;
    if (step !== steps.begun) {
      this.#free.push(slot);
      return;
    }
    if (this.#looseStep !== step) this.#settle();
    this.#looseStep = step;
    this.#loose.push(slot);
  }

  /** Drops pages until there is room for `bytes` more, or none are left. */
  #shrink(bytes: number): void {
    while (this.bytes > 0 && this.bytes + bytes > this.bound) {
      const victim = this.#probation.tail ?? this.#protected.tail!;
      this.#remember(victim);
      this.#remove(victim);
    }
  }

  /** Leaves a ghost behind. */
  #remember(entry: Entry): void {
    const size = Math.floor(this.capacity * GHOST_SHARE);
    if (entry.born === UNUSED || size === 0) return;
    const { owner, index } = entry, ghost = { owner, index };
    const old = this.#ring[this.#ringAt];
    if (old !== undefined && old.owner.ghosts.get(old.index) === old) old.owner.ghosts.delete(old.index);
    this.#ring[this.#ringAt] = ghost;
    this.#ringAt = (this.#ringAt + 1) % size;
    owner.ghosts.set(index, ghost);
  }

  /**
   * Takes a page in, dropping others as the bound asks, and gives its bytes, which are valid until the next step.
   * `memory` is the cache's from now on; a whole page of it will be used again for other pages.
   */
  put(owner: PageOwner, index: number, memory: Uint8Array, length: number = memory.length): Uint8Array {
    this.dropPage(owner, index);
    let slot = memory.length === PAGE_BYTES ? memory : null;
    let bytes = length === memory.length ? memory : memory.subarray(0, length);
    if (slot !== null && length < PAGE_BYTES / 2) {
      bytes = bytes.slice();
      this.#release(slot, -1);
      slot = null;
    }
    const entry: Entry = {
      owner,
      index,
      bytes,
      slot,
      born: UNUSED,
      returned: owner.ghosts.delete(index),
      step: steps.begun,
      list: this.#probation,
      newer: null,
      older: null,
    };
    this.#clock++;
    if (cost(entry) > this.bound || length === 0) {
      if (slot !== null) this.#release(slot, steps.begun);
      return bytes;
    }
    this.#shrink(cost(entry));
    owner.pages.set(index, entry);
    if (length < PAGE_BYTES) owner.short = index;
    this.#probation.push(entry);
    while (this.memory > this.#most) if ((this.#free.pop() ?? this.#loose.pop()) === undefined) break;
    return bytes;
  }

  /** Memory for `bytes` bytes of several pages, at most 1 MiB, until {@linkcode endStaging}. */
  staging(bytes: number): Uint8Array {
    const memory = this.#staging ?? allocate("uint8", STAGING_BYTES);
    this.#staging = null;
    return memory.subarray(0, bytes);
  }

  /** Ends the use of memory of {@linkcode staging}. */
  endStaging(memory: Uint8Array): void {
    this.#staging ??= new Uint8Array(memory.buffer, memory.byteOffset, STAGING_BYTES);
  }

  /** Lays bytes that were written to the file over the pages that are here. */
  patch(owner: PageOwner, offset: number, bytes: Uint8Array): void {
    if (owner.pages.size === 0 || bytes.length === 0) return;
    const end = offset + bytes.length;
    const first = Math.floor(offset / PAGE_BYTES), last = Math.floor((end - 1) / PAGE_BYTES);
    // A file that grows leaves a page behind that ends where the file did.
    if (owner.short >= 0 && owner.short < first) this.dropPage(owner, owner.short);
    const lay = (entry: Entry): void => {
      const start = entry.index * PAGE_BYTES;
      const from = Math.max(start, offset), to = Math.min(start + PAGE_BYTES, end);
      if (to - start > entry.bytes.length) this.#remove(entry);
      else entry.bytes.set(bytes.subarray(from - offset, to - offset), from - start);
    };
    if (last - first < owner.pages.size) {
      for (let index = first; index <= last; index++) {
        const entry = owner.pages.get(index);
        if (entry !== undefined) lay(entry);
      }
    } else {for (const entry of [...owner.pages.values()]) {
        if (entry.index >= first && entry.index <= last) lay(entry);
      }}
  }

  /** Forgets a page. */
  dropPage(owner: PageOwner, index: number): void {
    const entry = owner.pages.get(index);
    if (entry !== undefined) this.#remove(entry);
  }

  /** Forgets the pages of a range, and a short last one before it: the file may be longer now. */
  dropRange(owner: PageOwner, start: number, end: number): void {
    if (owner.pages.size === 0) return;
    for (const entry of [...owner.pages.values()]) {
      const from = entry.index * PAGE_BYTES;
      if ((from < end && from + PAGE_BYTES > start) || entry.index === owner.short) this.#remove(entry);
    }
  }

  /** Forgets what the file's change of length at byte `offset` makes untrue: pages that reach past it, and a short last one. */
  dropFrom(owner: PageOwner, offset: number): void {
    for (const entry of [...owner.pages.values()]) {
      if (entry.index * PAGE_BYTES + entry.bytes.length > offset || entry.index === owner.short) {
        this.#remove(entry);
      }
    }
    if (offset === 0) owner.ghosts.clear();
    // With the last file its memory goes, too.
    if (this.bytes === 0 && this.#free.length > SPARE_SLOTS) this.#free.length = SPARE_SLOTS;
  }

  #remove(entry: Entry): void {
    entry.list.take(entry);
    entry.owner.pages.delete(entry.index);
    if (entry.owner.short === entry.index) entry.owner.short = -1;
    if (entry.slot !== null) this.#release(entry.slot, entry.step);
  }
}
