/**
 * The counters of files as OpenMetrics text (version 1.0 of its specification), for what scrapes it: Prometheus and its kin.
 *
 * | family | type | labels |
 * | --- | --- | --- |
 * | `tessera_io_calls` | counter | `kind`: of system call |
 * | `tessera_io_read_bytes`, `_written_bytes`, `_mapped_bytes`, `_direct_bytes`, `_copied_bytes` | counter | |
 * | `tessera_io_seeks` | counter | |
 * | `tessera_io_cache_pages` | counter | `result`: hit or miss |
 * | `tessera_io_column_cache_pages` | counter | `column`, `result` |
 * | `tessera_io_writes`, `tessera_io_block_bytes` | counter | `aligned`: true or false |
 * | `tessera_io_fallbacks` | gauge | |
 * | `tessera_io_call_duration_seconds` | histogram | `kind`: read, write or sync |
 *
 * A histogram has no sum, since none is kept, and therefore, as the specification wants it, no count; its bucket `+Inf` is
 * that. Bucket b of the counters is for calls of less than 2^(b+1) ns: `le` says that many, a call that takes exactly so
 * long is in the next one.
 */
import { CALL_KINDS, type IoSnapshot, LATENCY_BUCKETS, TIMED_KINDS } from "./counters.ts";
import { type MetricLabels, type MetricSample, MetricText } from "./open-metrics.ts";

export type { MetricLabels } from "./open-metrics.ts";

/** Labels that samples have of their own. */
const OWN_LABELS: readonly string[] = ["kind", "le", "result", "column", "aligned"];

/**
 * Counters as OpenMetrics text, which ends with `# EOF`. To be served as `application/openmetrics-text; version=1.0.0;
 * charset=utf-8`.
 *
 * @param snapshot The counters of a table, as `Table.ioStats` gives them
 * @param labels Labels that every sample gets, e.g. the table's name
 * @throws RangeError for a label whose name isn't one, or is used here
 * @example
 * ```ts
 * import { openMetrics, scalar, Table } from "@tessera/tables";
 * using table = Table.create("counted.tab", { columns: [scalar("TIME", "float64")], rows: 5, overwrite: true });
 * table.flush();
 * const text = openMetrics(table.ioStats, { table: "counted.tab" });
 * console.log(text.split("\n").find((line) => line.includes('kind="write"')));
 * ```
 */
export function openMetrics(snapshot: IoSnapshot, labels: MetricLabels = {}): string {
  const text = new MetricText("tessera_io_", labels, OWN_LABELS);
  const counter = (name: string, help: string, samples: readonly MetricSample[] | number) =>
    text.counter(name, help, samples);
  const { calls, byColumn, latency } = snapshot;

  counter("calls", "System calls on the files of tables.", CALL_KINDS.map((kind) => [{ kind }, calls[kind]]));
  counter("read_bytes", "Bytes that read calls brought.", snapshot.bytesRead);
  counter("written_bytes", "Bytes that write calls took.", snapshot.bytesWritten);
  counter("mapped_bytes", "Bytes copied out of mapped memory.", snapshot.bytesMapped);
  counter("direct_bytes", "Bytes that went past the page cache of the system.", snapshot.directBytes);
  counter("copied_bytes", "Bytes that were copied on their way past it.", snapshot.copiedBytes);
  counter(
    "seeks",
    "Reads and writes that did not start where the last one on that file ended.",
    snapshot.seeks,
  );
  counter("cache_pages", "Pages that were looked for in the page cache.", [
    [{ result: "hit" }, snapshot.cacheHits],
    [{ result: "miss" }, snapshot.cacheMisses],
  ]);
  counter(
    "column_cache_pages",
    "Pages that were looked for because of a column.",
    Object.entries(byColumn).flatMap(([column, { cacheHits, cacheMisses }]): MetricSample[] => [
      [{ column, result: "hit" }, cacheHits],
      [{ column, result: "miss" }, cacheMisses],
    ]),
  );
  counter("writes", "Write calls, by whether they began and ended on a block of 4096 bytes.", [
    [{ aligned: "true" }, snapshot.alignedWrites],
    [{ aligned: "false" }, snapshot.unalignedWrites],
  ]);
  counter("block_bytes", "Bytes of writes, by whether they filled a block of 4096 bytes.", [
    [{ aligned: "true" }, snapshot.alignedBytes],
    [{ aligned: "false" }, snapshot.unalignedBytes],
  ]);
  text.gauge(
    "fallbacks",
    "Reasons for which files are not reached as they were asked to be.",
    snapshot.fallbacks.length,
  );
  text.durations(
    "call_duration_seconds",
    "How long calls took.",
    TIMED_KINDS.map((kind) => [{ kind }, latency[kind]]),
  );
  return text.finish();
}

/** The counters of several tables together. */
export function sumSnapshots(snapshots: readonly IoSnapshot[]): IoSnapshot {
  const sum = (of: (one: IoSnapshot) => number) => snapshots.reduce((total, one) => total + of(one), 0);
  const byColumn: Record<string, { cacheHits: number; cacheMisses: number }> = {};
  for (const one of snapshots) {
    for (const [column, { cacheHits, cacheMisses }] of Object.entries(one.byColumn)) {
      const known = Object.hasOwn(byColumn, column) ? byColumn[column]! : { cacheHits: 0, cacheMisses: 0 };
      Object.defineProperty(byColumn, column, {
        value: { cacheHits: known.cacheHits + cacheHits, cacheMisses: known.cacheMisses + cacheMisses },
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  const entries = <K extends string, V>(kinds: readonly K[], of: (kind: K) => V) =>
    Object.fromEntries(kinds.map((kind) => [kind, of(kind)])) as Record<K, V>;
  return {
    calls: entries(CALL_KINDS, (kind) => sum(({ calls }) => calls[kind])),
    totalCalls: sum((one) => one.totalCalls),
    bytesRead: sum((one) => one.bytesRead),
    bytesWritten: sum((one) => one.bytesWritten),
    bytesMapped: sum((one) => one.bytesMapped),
    seeks: sum((one) => one.seeks),
    cacheHits: sum((one) => one.cacheHits),
    cacheMisses: sum((one) => one.cacheMisses),
    byColumn,
    alignedWrites: sum((one) => one.alignedWrites),
    unalignedWrites: sum((one) => one.unalignedWrites),
    alignedBytes: sum((one) => one.alignedBytes),
    unalignedBytes: sum((one) => one.unalignedBytes),
    directBytes: sum((one) => one.directBytes),
    copiedBytes: sum((one) => one.copiedBytes),
    fallbacks: snapshots.flatMap(({ fallbacks }) => fallbacks),
    latency: entries(
      TIMED_KINDS,
      (kind) =>
        Array.from({ length: LATENCY_BUCKETS }, (_, b) => sum(({ latency }) => latency[kind][b] ?? 0)),
    ),
  };
}
