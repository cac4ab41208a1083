/**
 * What a store counts: rows and bytes that came, what making them durable took, how long appends waited, and what sealing
 * and merging cost.
 *
 * | histogram | entry b counts |
 * | --- | --- |
 * | durations | those of 2^b to 2^(b+1) nanoseconds, as the I/O counters do |
 * | sizes | those of 2^b to 2^(b+1): rows of an append, rows that one sync made durable; entry 0 also those of 0 |
 */
import { LATENCY_BUCKETS } from "../io/counters.ts";

/** What is timed. */
export type IngestStage =
  /** From the call of append to the instant at which the rows have their place in the buffer. */
  | "accept"
  /** From the call of append to the settling of its promise. */
  | "append"
  /** From the call of append to the instant from which readers see the rows. */
  | "visible"
  /** From the call of append to the end of the sync that covers the rows. */
  | "durable"
  /** Making a segment of a log, publishing it included. */
  | "seal"
  /** A merge of segments. */
  | "merge"
  /** Replacing the manifest and the concatenation. */
  | "publish";

/** Every {@linkcode IngestStage}. */
export const INGEST_STAGES: readonly IngestStage[] = [
  "accept",
  "append",
  "visible",
  "durable",
  "seal",
  "merge",
  "publish",
];

/** Things that are counted up. */
export type IngestCount =
  /** Appends whose rows were accepted. */
  | "appends"
  /** Rows that were accepted. */
  | "rows"
  /** Bytes of values that were accepted. */
  | "bytes"
  /** Appends that were refused or withdrawn. */
  | "failedAppends"
  /** Rows that were withdrawn because a write or sync failed. */
  | "withdrawnRows"
  /** Writes of groups to logs, and their bytes with headers and padding. */
  | "groups"
  | "groupBytes"
  /** Syncs of logs, and rows that they made durable. */
  | "syncs"
  | "syncedRows"
  /** Writes, syncs and creations of logs that failed. */
  | "logErrors"
  /** Logs that were begun, and those that were found full or were closed. */
  | "logs"
  | "sealedLogs"
  /** Times that an append waited for a buffer. */
  | "waits"
  /** Logs that became segments, their rows, and the bytes of the segments. */
  | "seals"
  | "sealedRows"
  | "sealedBytes"
  /** Merges, bytes that they read and wrote, rows that they left out. */
  | "merges"
  | "mergeReadBytes"
  | "mergeWrittenBytes"
  | "droppedRows"
  /** Failures in the background: sealing, merging, publishing, removing. */
  | "backgroundErrors"
  /** Rows and bytes that scans, lookups and snapshots were given; segments that a scan skipped. */
  | "readRows"
  | "readBytes"
  | "skippedSegments";

/** Every {@linkcode IngestCount}. */
export const INGEST_COUNTS: readonly IngestCount[] = [
  "appends",
  "rows",
  "bytes",
  "failedAppends",
  "withdrawnRows",
  "groups",
  "groupBytes",
  "syncs",
  "syncedRows",
  "logErrors",
  "logs",
  "sealedLogs",
  "waits",
  "seals",
  "sealedRows",
  "sealedBytes",
  "merges",
  "mergeReadBytes",
  "mergeWrittenBytes",
  "droppedRows",
  "backgroundErrors",
  "readRows",
  "readBytes",
  "skippedSegments",
];

/** Things that go up and down. */
export type IngestGauge =
  /** Appends that wait for a buffer. */
  | "waitingAppends"
  /** Appends whose promise hasn't settled. */
  | "pendingAppends"
  /** Full buffers that are being written, and their bytes. */
  | "frozenBuffers"
  | "frozenBytes"
  /** Bytes in the buffer that is being filled. */
  | "activeBytes"
  /** Logs that are no segment yet, and their bytes. */
  | "growingLogs"
  | "growingBytes"
  /** Segments, their rows and bytes. */
  | "segments"
  | "segmentRows"
  | "segmentBytes"
  /** Segments that were merged and still have a reader or their time of grace, and their bytes. */
  | "retiredSegments"
  | "retiredBytes"
  /** Bytes that the policy would merge now. */
  | "compactionDebtBytes";

/** Every {@linkcode IngestGauge}. */
export const INGEST_GAUGES: readonly IngestGauge[] = [
  "waitingAppends",
  "pendingAppends",
  "frozenBuffers",
  "frozenBytes",
  "activeBytes",
  "growingLogs",
  "growingBytes",
  "segments",
  "segmentRows",
  "segmentBytes",
  "retiredSegments",
  "retiredBytes",
  "compactionDebtBytes",
];

/** Buckets of the histograms of sizes. */
export const SIZE_BUCKETS = 33;

/** A frozen copy of the counts. */
export interface IngestSnapshot extends Readonly<Record<IngestCount | IngestGauge, number>> {
  /** Durations by stage. */
  readonly latency: Readonly<Record<IngestStage, readonly number[]>>;
  /** Rows of appends. */
  readonly batchRows: readonly number[];
  /** Rows that a sync made durable. */
  readonly rowsPerSync: readonly number[];
}

/** Entry of a histogram of sizes in which `size` is counted. */
export function sizeBucket(size: number): number {
  return size < 1 ? 0 : Math.min(SIZE_BUCKETS - 1, Math.floor(Math.log2(size)));
}

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}

/** Running counts of one store. */
export class IngestCounters {
  readonly #counts = zeros(INGEST_COUNTS);
  readonly #gauges = zeros(INGEST_GAUGES);
  readonly #latency = Object.fromEntries(
    INGEST_STAGES.map((stage) => [stage, new Float64Array(LATENCY_BUCKETS)]),
  ) as Record<IngestStage, Float64Array>;
  readonly #batchRows = new Float64Array(SIZE_BUCKETS);
  readonly #rowsPerSync = new Float64Array(SIZE_BUCKETS);

  /** Counts up. */
  add(count: IngestCount, by = 1): void {
    this.#counts[count] += by;
  }

  /** Says how much there is now. */
  set(gauge: IngestGauge, value: number): void {
    this.#gauges[gauge] = value;
  }

  /** Changes how much there is. */
  change(gauge: IngestGauge, by: number): void {
    this.#gauges[gauge] += by;
  }

  /** What a count or gauge says now. */
  get(name: IngestCount | IngestGauge): number {
    return { ...this.#counts, ...this.#gauges }[name];
  }

  /** The instant from which {@linkcode took} measures, in milliseconds. */
  now(): number {
    return performance.now();
  }

  /** Notes how long a stage took that began at `start` and ended at `end`, in milliseconds of {@linkcode now}. */
  took(stage: IngestStage, start: number, end: number = performance.now()): void {
    const nanoseconds = (end - start) * 1e6;
    const bucket = nanoseconds < 1 ? 0 : Math.min(LATENCY_BUCKETS - 1, Math.floor(Math.log2(nanoseconds)));
    this.#latency[stage][bucket]!++;
  }

  /** Counts an append that was accepted. */
  accepted(rows: number, bytes: number): void {
    this.#counts.appends++;
    this.#counts.rows += rows;
    this.#counts.bytes += bytes;
    this.#batchRows[sizeBucket(rows)]!++;
  }

  /** Counts a sync that made rows durable. */
  synced(rows: number): void {
    this.#counts.syncs++;
    this.#counts.syncedRows += rows;
    this.#rowsPerSync[sizeBucket(rows)]!++;
  }

  /** A frozen copy that later events don't change. */
  snapshot(): IngestSnapshot {
    return Object.freeze({
      ...this.#counts,
      ...this.#gauges,
      latency: Object.freeze(
        Object.fromEntries(INGEST_STAGES.map((stage) => [stage, Object.freeze([...this.#latency[stage]])])),
      ) as Readonly<Record<IngestStage, readonly number[]>>,
      batchRows: Object.freeze([...this.#batchRows]),
      rowsPerSync: Object.freeze([...this.#rowsPerSync]),
    });
  }

  /** Sets what is counted up, and the histograms, to 0; what there is now stays. */
  reset(): void {
    for (const name of INGEST_COUNTS) this.#counts[name] = 0;
    for (const stage of INGEST_STAGES) this.#latency[stage].fill(0);
    this.#batchRows.fill(0);
    this.#rowsPerSync.fill(0);
  }
}
