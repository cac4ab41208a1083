/** Bytes that are pending on their way to the disk. */
import { RUN_BYTES } from "./buffers.ts";
import type { DiskFile } from "./disk-file.ts";
import { type Pending, runBytes } from "./pending.ts";

/** Pieces of one vectored write. */
const MAX_PIECES = 256;
/** Longest hole between two pieces that is written as zeros, for less than the price of a call. */
const HOLE_BYTES = 4096;
const ZEROS = new Uint8Array(HOLE_BYTES);

/**
 * Sends the pending runs of a file, neighbours by one call; whoever goes through it may pause after each. `cut` is where the
 * disk's bytes are to be cut off, Infinity: nowhere; the file will have `floor` bytes at least.
 */
export function* sendRuns(
  pending: Pending,
  disk: DiskFile,
  cut: number,
  floor: number,
): Generator<void, void, void> {
  const { runs } = pending;
  const isPastDisk = (offset: number) => cut === Infinity && disk.knownSize >= 0 && offset >= disk.knownSize;
  let next = 0;
  while (next < runs.length) {
    const { start } = runs[next]!, group: Uint8Array[] = [];
    let end = start, hole: number;
    do {
      const run = runs[next++]!;
      group.push(runBytes(run));
      end = run.end;
      // What lies between two runs, or behind the last, is zero past the end of the disk's bytes.
      const to = runs[next]?.start ?? Math.max(end, floor);
      hole = to - end;
      if (hole === 0 || hole > HOLE_BYTES || !isPastDisk(end)) continue;
      group.push(ZEROS.subarray(0, hole));
      end = to;
      hole = 0;
    } while (
      hole === 0 && next < runs.length && group.length < MAX_PIECES &&
      runs[next]!.end - start <= RUN_BYTES
    );
    disk.write(group, start);
    yield;
  }
}
