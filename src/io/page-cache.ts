/**
 * The page cache: clean copies of 64 KiB pages of files, bounded in bytes, shared by all tables of a context.
 *
 * Two lists, newest first. A page comes in at the head of *probation*; used again after other pages came in, it moves
 * to *protected*, which takes at most 3/4 of the bound and hands its oldest back to probation. What must go goes from
 * the tail of probation. So a long scan, whose pages are used within a short while and then never again, pushes out
 * only other pages of that kind.
 */

/** Bytes of a page: large enough that most files of small tables are one page, small enough to read one for a cell. */
export const PAGE_BYTES = 65536;

/** Share of the bound that reused pages may take. */
const PROTECTED_SHARE = 0.75;
/** Uses of a page before this many others came in count as one: reading it row by row is not reuse. */
const CORRELATED_PAGES = 8;
/** What a page costs beside its bytes, so that many tiny pages are bounded too. */
const ENTRY_BYTES = 256;

interface Entry {
  readonly owner: PageOwner;
  readonly index: number;
  bytes: Uint8Array;
  born: number;
  list: Chain;
  newer: Entry | null;
  older: Entry | null;
}

/** The pages of one file. A file has one owner as long as it is open. */
export class PageOwner {
  /** @internal */
  readonly pages: Map<number, Entry> = new Map();
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
  return entry.bytes.length + ENTRY_BYTES;
}

/** Pages of files in memory, least valuable dropped first. */
export class PageCache {
  /** Bound in bytes. */
  readonly bound: number;
  readonly #probation = new Chain();
  readonly #protected = new Chain();
  #clock = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** Bytes held now, never more than the bound. */
  get bytes(): number {
    return this.#probation.bytes + this.#protected.bytes;
  }

  /** The bytes of a page (fewer than {@linkcode PAGE_BYTES} only at the end of the file), or undefined. */
  get(owner: PageOwner, index: number): Uint8Array | undefined {
    const entry = owner.pages.get(index);
    if (entry === undefined) return undefined;
    if (entry.list === this.#protected) {
      if (this.#protected.head !== entry) {
        this.#protected.take(entry);
        this.#protected.push(entry);
      }
    } else if (this.#clock - entry.born >= CORRELATED_PAGES) {
      this.#probation.take(entry);
      this.#protected.push(entry);
      while (this.#protected.bytes > this.bound * PROTECTED_SHARE) {
        const oldest = this.#protected.tail!;
        this.#protected.take(oldest);
        oldest.born = this.#clock;
        this.#probation.push(oldest);
      }
    }
    return entry.bytes;
  }

  /** True when a page is here; not a use of it. */
  has(owner: PageOwner, index: number): boolean {
    return owner.pages.has(index);
  }

  /** Takes a page in, dropping others as the bound asks. */
  put(owner: PageOwner, index: number, bytes: Uint8Array): void {
    this.dropPage(owner, index);
    const entry: Entry = {
      owner,
      index,
      bytes,
      born: ++this.#clock,
      list: this.#probation,
      newer: null,
      older: null,
    };
    if (cost(entry) > this.bound) return;
    owner.pages.set(index, entry);
    if (bytes.length < PAGE_BYTES) owner.short = index;
    this.#probation.push(entry);
    while (this.bytes > this.bound) {
      const victim = this.#probation.tail ?? this.#protected.tail!;
      this.#remove(victim);
    }
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

  /** Forgets what the file's change of length at byte `offset` makes untrue: pages that reach past it, and a short last one. */
  dropFrom(owner: PageOwner, offset: number): void {
    for (const entry of [...owner.pages.values()]) {
      if (entry.index * PAGE_BYTES + entry.bytes.length > offset || entry.index === owner.short) {
        this.#remove(entry);
      }
    }
  }

  #remove(entry: Entry): void {
    entry.list.take(entry);
    entry.owner.pages.delete(entry.index);
    if (entry.owner.short === entry.index) entry.owner.short = -1;
  }
}
