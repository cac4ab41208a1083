/**
 * What a backend counts: system calls by kind, bytes, seeks, cache hits, alignment and how long calls took.
 *
 * The counts are of calls on the files of a table, and they agree with what `strace` sees there (a test holds them
 * against each other). Calls that the runtime makes on its own, for other files, are no business of ours.
 */

/** Kinds of system calls on a table's files; `read` is any of read, pread, preadv; `stat` any of stat, fstat, fstatfs, statx, access. */
export const CALL_KINDS: readonly CallKind[] = [
  "open",
  "close",
  "read",
  "write",
  "lseek",
  "stat",
  "truncate",
  "sync",
  "mmap",
  "munmap",
  "madvise",
  "rename",
  "mkdir",
  "unlink",
  "rmdir",
  "list",
  "dup",
  "lock",
];

/** One kind of system call. */
export type CallKind =
  | "open"
  | "close"
  | "read"
  | "write"
  | "lseek"
  | "stat"
  | "truncate"
  | "sync"
  | "mmap"
  | "munmap"
  | "madvise"
  | "rename"
  | "mkdir"
  | "unlink"
  | "rmdir"
  | "list"
  | "dup"
  | "lock";

/** Calls whose duration is kept in a histogram. */
export const TIMED_KINDS: readonly TimedKind[] = ["read", "write", "sync"];
/** A kind of call with a histogram. */
export type TimedKind = "read" | "write" | "sync";

/** Buckets of a latency histogram; bucket b counts calls of 2^b to 2^(b+1) nanoseconds, the last one all longer ones. */
export const LATENCY_BUCKETS = 40;

/** Block size that a write must begin and end on to count as aligned: what O_DIRECT asks of common disks. */
export const ALIGNMENT = 4096;

/** Pages of the cache that reading a column found, and those that had to be read for it. */
export interface CacheCounts {
  /** Pages found. */
  readonly cacheHits: number;
  /** Pages that had to be read. */
  readonly cacheMisses: number;
}

/** A frozen copy of the counts. */
export interface IoSnapshot {
  /** Calls by kind; kinds that were never called are 0. */
  readonly calls: Readonly<Record<CallKind, number>>;
  /** Sum of `calls`. */
  readonly totalCalls: number;
  /** Bytes that read calls brought. */
  readonly bytesRead: number;
  /** Bytes that write calls took. */
  readonly bytesWritten: number;
  /** Bytes copied out of mapped memory, without a call. */
  readonly bytesMapped: number;
  /** Reads and writes that did not start where the last one on that file ended. */
  readonly seeks: number;
  /** Cache pages found, and cache pages that had to be read. */
  readonly cacheHits: number;
  /** Cache pages that had to be read. */
  readonly cacheMisses: number;
  /**
   * The same by the column whose cells were read or written; a column that never was isn't there. Requests that wait at
   * the same time share what they found: it counts for the one that began last.
   */
  readonly byColumn: Readonly<Record<string, CacheCounts>>;
  /** Writes whose start and length are multiples of 4096 bytes, and the others. */
  readonly alignedWrites: number;
  /** The other writes. */
  readonly unalignedWrites: number;
  /** Bytes of whole blocks of 4096 bytes that writes brought to a file. */
  readonly alignedBytes: number;
  /** Bytes of writes that began or ended within such a block, as far as they lay in it. */
  readonly unalignedBytes: number;
  /** Bytes that went straight between the disk and an array, past the page cache (backend `direct`). */
  readonly directBytes: number;
  /** Bytes of long accesses of backend `direct` that were copied on the way: the array or the range wasn't aligned. */
  readonly copiedBytes: number;
  /** Files that go through the page cache although backend `direct` was asked for, and why. A reset doesn't forget them. */
  readonly fallbacks: readonly string[];
  /** Calls by duration: entry b counts those of 2^b to 2^(b+1) nanoseconds. */
  readonly latency: Readonly<Record<TimedKind, readonly number[]>>;
}

function zeroCalls(): Record<CallKind, number> {
  return Object.fromEntries(CALL_KINDS.map((kind) => [kind, 0])) as Record<CallKind, number>;
}

/** Running counts of one backend instance. */
export class IoStats {
  readonly calls: Record<CallKind, number> = zeroCalls();
  bytesRead = 0;
  bytesWritten = 0;
  bytesMapped = 0;
  seeks = 0;
  cacheHits = 0;
  cacheMisses = 0;
  alignedWrites = 0;
  unalignedWrites = 0;
  alignedBytes = 0;
  unalignedBytes = 0;
  directBytes = 0;
  copiedBytes = 0;
  /** Reasons, with the first file and the number of others. */
  readonly #fallbacks = new Map<string, { file: string; others: number }>();
  readonly #latency: Record<TimedKind, Float64Array> = {
    read: new Float64Array(LATENCY_BUCKETS),
    write: new Float64Array(LATENCY_BUCKETS),
    sync: new Float64Array(LATENCY_BUCKETS),
  };

  readonly #columns = new Map<string, { cacheHits: number; cacheMisses: number }>();
  /** The column for which pages are looked for, "" for none, and the counts when that began. */
  #column = "";
  #hitsBefore = 0;
  #missesBefore = 0;

  /** From now on pages are looked for because of a column; "" for another reason. */
  attribute(column: string): void {
    if (column === this.#column) return;
    this.#settleColumn();
    this.#column = column;
  }

  /** Adds what was counted since the last time to its column: nothing is done for each page, or each cell of a column. */
  #settleColumn(): void {
    const hits = this.cacheHits - this.#hitsBefore, misses = this.cacheMisses - this.#missesBefore;
    this.#hitsBefore = this.cacheHits;
    this.#missesBefore = this.cacheMisses;
    if (this.#column === "" || hits + misses === 0) return;
    const counts = this.#columns.get(this.#column);
    if (counts === undefined) this.#columns.set(this.#column, { cacheHits: hits, cacheMisses: misses });
    else {
      counts.cacheHits += hits;
      counts.cacheMisses += misses;
    }
  }

  /** Counts one call, whether it succeeds or not. */
  count(kind: CallKind): void {
    this.calls[kind]++;
  }

  /** The instant from which {@linkcode took} measures, in milliseconds. */
  now(): number {
    return performance.now();
  }

  /** Notes how long a call took that began at `start`. */
  took(kind: TimedKind, start: number): void {
    const nanoseconds = (performance.now() - start) * 1e6;
    const bucket = nanoseconds < 1 ? 0 : Math.min(LATENCY_BUCKETS - 1, Math.floor(Math.log2(nanoseconds)));
    this.#latency[kind][bucket]!++;
  }

  /** Counts a write's bytes and alignment. */
  wrote(offset: number, bytes: number): void {
    this.bytesWritten += bytes;
    this.alignment(offset, bytes);
  }

  /** Counts a write as aligned or not. */
  alignment(offset: number, bytes: number): void {
    if (offset % ALIGNMENT === 0 && bytes % ALIGNMENT === 0) this.alignedWrites++;
    else this.unalignedWrites++;
    const first = Math.ceil(offset / ALIGNMENT), last = Math.floor((offset + bytes) / ALIGNMENT);
    const whole = Math.max(0, last - first) * ALIGNMENT;
    this.alignedBytes += whole;
    this.unalignedBytes += bytes - whole;
  }

  /** Notes a file that goes through the page cache although it should not. */
  fallBack(file: string, reason: string): void {
    const known = this.#fallbacks.get(reason);
    if (known === undefined) this.#fallbacks.set(reason, { file, others: 0 });
    else if (known.file !== file) known.others++;
  }

  /** Brings in what is counted elsewhere, before anybody looks: a backend that counts in C overrides it. */
  protected settle(): void {}

  /** Adds calls that were timed elsewhere. */
  protected addLatency(kind: TimedKind, histogram: ArrayLike<number>): void {
    const own = this.#latency[kind];
    for (let b = 0; b < LATENCY_BUCKETS; b++) own[b]! += histogram[b] ?? 0;
  }

  /** A frozen copy that later calls don't change. */
  snapshot(): IoSnapshot {
    this.settle();
    this.#settleColumn();
    const byColumn = [...this.#columns].map(([name, counts]) =>
      [name, Object.freeze({ ...counts })] as const
    );
    return Object.freeze({
      calls: Object.freeze({ ...this.calls }),
      totalCalls: CALL_KINDS.reduce((sum, kind) => sum + this.calls[kind], 0),
      bytesRead: this.bytesRead,
      bytesWritten: this.bytesWritten,
      bytesMapped: this.bytesMapped,
      seeks: this.seeks,
      cacheHits: this.cacheHits,
      cacheMisses: this.cacheMisses,
      byColumn: Object.freeze(Object.fromEntries(byColumn)),
      alignedWrites: this.alignedWrites,
      unalignedWrites: this.unalignedWrites,
      alignedBytes: this.alignedBytes,
      unalignedBytes: this.unalignedBytes,
      directBytes: this.directBytes,
      copiedBytes: this.copiedBytes,
      fallbacks: Object.freeze(
        [...this.#fallbacks].map(([reason, { file, others }]) =>
          `${file}${others === 0 ? "" : ` and ${others} more`}: ${reason}`
        ),
      ),
      latency: Object.freeze({
        read: Object.freeze([...this.#latency.read]),
        write: Object.freeze([...this.#latency.write]),
        sync: Object.freeze([...this.#latency.sync]),
      }),
    });
  }

  /** Sets every count to 0. */
  reset(): void {
    this.settle();
    for (const kind of CALL_KINDS) this.calls[kind] = 0;
    this.bytesRead =
      this.bytesWritten =
      this.bytesMapped =
      this.seeks =
        0;
    this.cacheHits =
      this.cacheMisses =
      this.alignedWrites =
      this.unalignedWrites =
      this.alignedBytes =
      this.unalignedBytes =
      this.directBytes =
      this.copiedBytes =
        0;
    this.#hitsBefore = this.#missesBefore = 0;
    this.#columns.clear();
    for (const kind of TIMED_KINDS) this.#latency[kind].fill(0);
  }
}

/** Follows one file's position, to tell accesses that continue from those that jump. */
export class SeekTracker {
  readonly #stats: IoStats;
  #next = 0;

  constructor(stats: IoStats) {
    this.#stats = stats;
  }

  /** Notes an access of `bytes` bytes at `offset`; a file just opened stands at 0. */
  access(offset: number, bytes: number): void {
    if (offset !== this.#next) this.#stats.seeks++;
    this.#next = offset + bytes;
  }
}
