/**
 * What keeping segments in order costs, as multiples of what was sealed.
 */
import type { IngestSnapshot } from "../counters.ts";

/** Multiples of the bytes of rows; 0 before anything was sealed. */
export interface Amplification {
  /** Bytes written into segments, by seals and merges, for each byte that was sealed. */
  readonly write: number;
  /** Bytes that merges read for each byte that was sealed. */
  readonly read: number;
  /** Bytes on the disk for each byte of a segment: those that wait for their last reader count, too. */
  readonly space: number;
}

/** Write, read and space amplification since the counters began, as far as they tell. */
export function amplification(
  counts: Pick<
    IngestSnapshot,
    "sealedBytes" | "mergeReadBytes" | "mergeWrittenBytes" | "segmentBytes" | "retiredBytes"
  >,
): Amplification {
  const { sealedBytes, mergeReadBytes, mergeWrittenBytes, segmentBytes, retiredBytes } = counts;
  const over = (part: number, whole: number) => whole === 0 ? 0 : part / whole;
  return {
    write: over(sealedBytes + mergeWrittenBytes, sealedBytes),
    read: over(mergeReadBytes, sealedBytes),
    space: over(segmentBytes + retiredBytes, segmentBytes),
  };
}
