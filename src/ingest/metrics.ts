/**
 * The counters of a store as OpenMetrics text (version 1.0 of its specification). Names of families begin with
 * `tessera_ingest_`; {@linkcode COUNTS} and {@linkcode GAUGES} list them with what they say. Besides:
 *
 * | family | type | labels |
 * | --- | --- | --- |
 * | `tessera_ingest_stage_duration_seconds` | histogram | `stage`: accept, append, visible, durable, seal, merge, publish |
 * | `tessera_ingest_append_rows` | histogram | |
 * | `tessera_ingest_sync_rows` | histogram | |
 */
import { type MetricLabels, MetricText } from "../io/open-metrics.ts";
import { INGEST_STAGES, type IngestCount, type IngestGauge, type IngestSnapshot } from "./counters.ts";

/** Names and meanings of what is counted up. */
export const COUNTS: Readonly<Record<IngestCount, readonly [name: string, help: string]>> = {
  appends: ["appends", "Appends whose rows were accepted."],
  rows: ["rows", "Rows that were accepted."],
  bytes: ["value_bytes", "Bytes of values that were accepted."],
  failedAppends: ["failed_appends", "Appends that were refused, or whose rows were withdrawn."],
  withdrawnRows: ["withdrawn_rows", "Rows that were withdrawn because a write or sync failed."],
  groups: ["log_groups", "Groups of batches that were written to logs."],
  groupBytes: ["log_written_bytes", "Bytes of these groups, with headers and padding."],
  syncs: ["log_syncs", "Syncs of logs."],
  syncedRows: ["log_synced_rows", "Rows that syncs of logs made durable."],
  logErrors: ["log_errors", "Writes, syncs and creations of logs that failed."],
  logs: ["logs", "Logs that were begun."],
  sealedLogs: ["finished_logs", "Logs that were found full, or ended."],
  waits: ["append_waits", "Times that an append waited for a buffer."],
  seals: ["seals", "Logs that became segments."],
  sealedRows: ["sealed_rows", "Rows of logs that became segments."],
  sealedBytes: ["sealed_bytes", "Bytes of the segments that logs became."],
  merges: ["merges", "Merges of segments."],
  mergeReadBytes: ["merge_read_bytes", "Bytes of segments that merges read."],
  mergeWrittenBytes: ["merge_written_bytes", "Bytes of segments that merges wrote."],
  droppedRows: ["merge_dropped_rows", "Rows that merges left out: deleted, too old, or written again later."],
  backgroundErrors: ["background_errors", "Failures of sealing, merging, publishing and removing."],
  readRows: ["read_rows", "Rows that scans and lookups gave."],
  readBytes: ["read_bytes", "Bytes of values that scans and lookups gave."],
  skippedSegments: ["skipped_segments", "Segments that scans and lookups needed not open."],
};

/** Names and meanings of what goes up and down. */
export const GAUGES: Readonly<Record<IngestGauge, readonly [name: string, help: string]>> = {
  waitingAppends: ["waiting_appends", "Appends that wait for a buffer."],
  pendingAppends: ["pending_appends", "Appends that wait until their rows are durable."],
  frozenBuffers: ["frozen_buffers", "Full buffers on their way to the disk."],
  frozenBytes: ["frozen_bytes", "Bytes in these buffers."],
  activeBytes: ["active_bytes", "Bytes in the buffer that is being filled."],
  growingLogs: ["growing_logs", "Logs that are no segment yet."],
  growingBytes: ["growing_bytes", "Bytes of these logs."],
  segments: ["segments", "Segments."],
  segmentRows: ["segment_rows", "Rows of the segments."],
  segmentBytes: ["segment_bytes", "Bytes of the segments."],
  retiredSegments: ["retired_segments", "Segments that were merged and wait for their last reader."],
  retiredBytes: ["retired_bytes", "Bytes of these segments."],
  compactionDebtBytes: ["compaction_debt_bytes", "Bytes that are due to be merged."],
};

/** Labels that samples have of their own. */
const OWN_LABELS: readonly string[] = ["stage", "le"];

/**
 * Counters of a store as OpenMetrics text, which ends with `# EOF`. To be served as `application/openmetrics-text;
 * version=1.0.0; charset=utf-8`.
 *
 * @param snapshot As the store's `counters` give it
 * @param labels Labels that every sample gets, e.g. the store's name
 * @throws RangeError for a label whose name isn't one, or is `stage` or `le`
 */
export function ingestMetrics(snapshot: IngestSnapshot, labels: MetricLabels = {}): string {
  const text = new MetricText("tessera_ingest_", labels, OWN_LABELS);
  for (const [count, [name, help]] of Object.entries(COUNTS)) {
    text.counter(name, help, snapshot[count as IngestCount]);
  }
  for (const [gauge, [name, help]] of Object.entries(GAUGES)) {
    text.gauge(name, help, snapshot[gauge as IngestGauge]);
  }
  text.durations(
    "stage_duration_seconds",
    "How long stages took: of appends from the call on.",
    INGEST_STAGES.map((stage) => [{ stage }, snapshot.latency[stage]]),
  );
  text.sizes("append_rows", "Rows of appends.", snapshot.batchRows);
  text.sizes("sync_rows", "Rows that a sync made durable.", snapshot.rowsPerSync);
  return text.finish();
}
