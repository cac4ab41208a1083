/**
 * Counts that the C library keeps where the calls are made, brought together with those made elsewhere.
 */
import { type NativeStats, newStats, type StatKind, statsOf } from "../../ffi/native-types.ts";
import { type CallKind, IoStats, type TimedKind } from "./counters.ts";

/** The library's kinds, and ours. */
const KINDS: readonly (readonly [StatKind, CallKind])[] = [
  ["open", "open"],
  ["close", "close"],
  ["read", "read"],
  ["readv", "read"],
  ["write", "write"],
  ["writev", "write"],
  ["stat", "stat"],
  ["truncate", "truncate"],
  ["sync", "sync"],
  ["map", "mmap"],
  ["unmap", "munmap"],
  ["advise", "madvise"],
  ["msync", "sync"],
  ["lock", "lock"],
];

const TIMED: readonly string[] = ["read", "write", "sync"] satisfies TimedKind[];

/** Counts of a backend that makes its calls through the C library. */
export class NativeIoStats extends IoStats {
  /** The block that the library adds to. */
  readonly block: NativeStats = newStats();

  protected override settle(): void {
    for (const [native, kind] of KINDS) {
      const { calls, bytes, histogram } = statsOf(this.block, native);
      this.calls[kind] += calls;
      if (kind === "read") this.bytesRead += bytes;
      if (kind === "write") this.bytesWritten += bytes;
      if (TIMED.includes(kind)) this.addLatency(kind as TimedKind, histogram);
    }
    this.bytesMapped += statsOf(this.block, "copy").bytes;
    this.block.fill(0n);
  }
}
