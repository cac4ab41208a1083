/**
 * What `--stats` prints: the I/O counters in figures that a script can read too, or as OpenMetrics text.
 */
import { type IoSnapshot, openMetrics, type TimedKind } from "../../mod.ts";
import { sumSnapshots } from "../io/metrics.ts";

/** How counters are printed. */
export type StatsFormat = "text" | "openmetrics";
/** Names that `--stats-format` takes. */
export const STATS_FORMATS: readonly StatsFormat[] = ["text", "openmetrics"];

/** One line a subject: calls by kind, bytes, seeks, cache, and how long the calls took. */
export function statsLines(snapshots: readonly IoSnapshot[]): string[] {
  const sums = sumSnapshots(snapshots);
  const kinds = Object.entries(sums.calls).filter(([, count]) => count > 0)
    .map(([kind, count]) => `${kind} ${count}`).join(", ");
  return [
    `calls  ${sums.totalCalls}${kinds === "" ? "" : ` (${kinds})`}`,
    `bytes  ${sums.bytesRead} read, ${sums.bytesWritten} written, ${sums.bytesMapped} mapped`,
    `seeks  ${sums.seeks}`,
    `cache  ${sums.cacheHits} hits, ${sums.cacheMisses} misses`,
    ...Object.entries(sums.latency).flatMap(([kind, histogram]) => latencyLine(kind as TimedKind, histogram)),
  ];
}

/** `took   read <1µs 3, <2µs 120, <4µs 14`: how many calls took less than that, and no less than the one before. */
function latencyLine(kind: TimedKind, histogram: readonly number[]): string[] {
  const parts = histogram.flatMap((calls, b) =>
    calls === 0 ? [] : [`<${durationText(2 ** (b + 1))} ${calls}`]
  );
  return parts.length === 0 ? [] : [`took   ${kind} ${parts.join(", ")}`];
}

/** Nanoseconds that are a power of two, roughly: `512ns`, `1µs`, `33ms`, `1s`. */
function durationText(nanoseconds: number): string {
  for (const [unit, length] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]] as const) {
    if (nanoseconds >= length) return `${Math.round(nanoseconds / length)}${unit}`;
  }
  return `${nanoseconds}ns`;
}

/** The counters of several tables together, as the lines of an OpenMetrics text. */
export function metricsLines(snapshots: readonly IoSnapshot[]): string[] {
  return openMetrics(sumSnapshots(snapshots)).trimEnd().split("\n");
}
