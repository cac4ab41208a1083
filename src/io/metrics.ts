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

/** First and last bucket of the counters with a line of its own, 256 ns and 17 s: shorter calls are in the first, longer in `+Inf`. */
const FIRST_BUCKET = 7, LAST_BUCKET = 33;

/** Labels by name. */
export type MetricLabels = Readonly<Record<string, string>>;

type Sample = readonly [labels: MetricLabels, value: number];

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const OWN_LABELS: readonly string[] = ["kind", "le", "result", "column", "aligned"];

function labelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (c) => c === "\n" ? "\\n" : `\\${c}`).toWellFormed();
}

/** A bound as `%g` writes it: the specification wants numbers of `le` to look alike everywhere. */
function boundText(seconds: number): string {
  if (seconds >= 1e-4) return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds);
  return seconds.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** 2^(b+1) nanoseconds in seconds: the number nearest to that. */
function boundOf(bucket: number): number {
  return Number(`${2 ** (bucket + 1)}e-9`);
}

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
  for (const name of Object.keys(labels)) {
    if (!LABEL_NAME.test(name) || name.startsWith("__") || OWN_LABELS.includes(name)) {
      throw new RangeError(`expected the name of a label that isn't ${OWN_LABELS.join(", ")}, found ${name}`);
    }
  }
  const lines: string[] = [];
  const family = (
    name: string,
    type: "counter" | "gauge" | "histogram",
    help: string,
    samples: readonly Sample[],
  ) => {
    if (samples.length === 0) return;
    const unit = /_(bytes|seconds)$/.exec(name)?.[1];
    lines.push(`# TYPE ${name} ${type}`);
    if (unit !== undefined) lines.push(`# UNIT ${name} ${unit}`);
    lines.push(`# HELP ${name} ${help}`);
    const suffix = { counter: "_total", gauge: "", histogram: "_bucket" }[type];
    for (const [own, value] of samples) {
      lines.push(`${name}${suffix}${labelText({ ...labels, ...own })} ${value}`);
    }
  };
  const counter = (name: string, help: string, samples: readonly Sample[] | number) =>
    family(`tessera_io_${name}`, "counter", help, typeof samples === "number" ? [[{}, samples]] : samples);
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
    Object.entries(byColumn).flatMap(([column, { cacheHits, cacheMisses }]): Sample[] => [
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
  family(
    "tessera_io_fallbacks",
    "gauge",
    "Reasons for which files are not reached as they were asked to be.",
    [
      [{}, snapshot.fallbacks.length],
    ],
  );
  family(
    "tessera_io_call_duration_seconds",
    "histogram",
    "How long calls took.",
    TIMED_KINDS.flatMap((kind) => buckets(latency[kind]).map(([le, value]): Sample => [{ kind, le }, value])),
  );
  return `${lines.join("\n")}\n# EOF\n`;
}

/** Numbers of calls up to each bound. */
function buckets(histogram: readonly number[]): [le: string, calls: number][] {
  const found: [string, number][] = [];
  let calls = 0;
  for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
    calls += histogram[bucket] ?? 0;
    if (bucket >= FIRST_BUCKET && bucket <= LAST_BUCKET) found.push([boundText(boundOf(bucket)), calls]);
  }
  found.push(["+Inf", calls]);
  return found;
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
