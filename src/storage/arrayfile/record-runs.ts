/**
 * Runs of records: arrays written one after the other stand at equal distances, so that one move serves many.
 */

/** Records at `offset`, `offset + stride`, … whose values stand behind each other from position `index` of the selection. */
export interface RecordRun {
  readonly offset: number;
  readonly count: number;
  /** Distance in bytes; 0 when there is one record. */
  readonly stride: number;
  readonly index: number;
}

/**
 * The runs of some record offsets, in ascending order of their first offset; of equal offsets the one that comes
 * later in the selection comes later. Records of a run are at least `minStride` bytes apart.
 */
export function recordRuns(offsets: Float64Array, minStride: number): RecordRun[] {
  const order = ascendingOrder(offsets);
  const runs: RecordRun[] = [];
  const at = (i: number) => order === null ? i : order[i]!;
  for (let i = 0; i < offsets.length;) {
    const index = at(i);
    const offset = offsets[index]!;
    let n = 1;
    let stride = 0;
    while (i + n < offsets.length && at(i + n) === index + n) {
      const step = offsets[index + n]! - offsets[index + n - 1]!;
      if (n === 1) {
        if (step < minStride) break;
        stride = step;
      } else if (step !== stride) break;
      n++;
    }
    runs.push({ offset, count: n, stride, index });
    i += n;
  }
  return runs;
}

/** Positions in ascending order of offset, or null when they are so already. */
function ascendingOrder(offsets: Float64Array): Uint32Array | null {
  let ascending = true;
  for (let i = 1; i < offsets.length && ascending; i++) ascending = offsets[i]! >= offsets[i - 1]!;
  if (ascending) return null;
  const order = Uint32Array.from(offsets, (_, i) => i);
  return order.sort((a, b) => offsets[a]! - offsets[b]! || a - b);
}
