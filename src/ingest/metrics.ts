/** skeleton by V */
import type { IngestSnapshot } from "./counters.ts";
/** skeleton */
export function ingestMetrics(_snapshot: IngestSnapshot, _labels: Readonly<Record<string, string>> = {}): string {
  throw new Error("to come");
}
