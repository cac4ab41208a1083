/**
 * What `--stats` prints: the I/O counters in figures that a script can read too.
 */
import type { IoSnapshot } from "../../mod.ts";

/** Sums of the counters of several tables. */
interface Sums {
  calls: Map<string, number>;
  totalCalls: number;
  bytesRead: number;
  bytesWritten: number;
  bytesMapped: number;
  seeks: number;
  cacheHits: number;
  cacheMisses: number;
}

function sum(snapshots: readonly IoSnapshot[]): Sums {
  const sums: Sums = {
    calls: new Map(),
    totalCalls: 0,
    bytesRead: 0,
    bytesWritten: 0,
    bytesMapped: 0,
    seeks: 0,
    cacheHits: 0,
    cacheMisses: 0,
  };
  for (const snapshot of snapshots) {
    for (const [kind, count] of Object.entries(snapshot.calls)) {
      if (count > 0) sums.calls.set(kind, (sums.calls.get(kind) ?? 0) + count);
    }
    sums.totalCalls += snapshot.totalCalls;
    sums.bytesRead += snapshot.bytesRead;
    sums.bytesWritten += snapshot.bytesWritten;
    sums.bytesMapped += snapshot.bytesMapped;
    sums.seeks += snapshot.seeks;
    sums.cacheHits += snapshot.cacheHits;
    sums.cacheMisses += snapshot.cacheMisses;
  }
  return sums;
}

/** One line a subject: calls by kind, bytes, seeks, cache. */
export function statsLines(snapshots: readonly IoSnapshot[]): string[] {
  const sums = sum(snapshots);
  const kinds = [...sums.calls].map(([kind, count]) => `${kind} ${count}`).join(", ");
  return [
    `calls  ${sums.totalCalls}${kinds === "" ? "" : ` (${kinds})`}`,
    `bytes  ${sums.bytesRead} read, ${sums.bytesWritten} written, ${sums.bytesMapped} mapped`,
    `seeks  ${sums.seeks}`,
    `cache  ${sums.cacheHits} hits, ${sums.cacheMisses} misses`,
  ];
}
