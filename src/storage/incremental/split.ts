/**
 * Where a bucket is split that has no room for a value: format reference part 3, section A7. The same rows as casacore
 * takes, where it can split at all.
 */
import { DATA_START } from "./bucket.ts";
import type { OpenBucket } from "./open-bucket.ts";

/** Bytes that are reckoned for an entry when halves are weighed: a row and an offset of 4 bytes. */
const WEIGHED_ENTRY_BYTES = 2 * DATA_START;

/** A place to split a bucket at. */
export interface SplitPlace {
  /** First row of the right part, from 1. */
  readonly row: number;
  /** True: the left part stays as it is, but for values that go to the right. */
  readonly inPlace: boolean;
}

/** What has no room: bytes more for a value of a column from a row on. */
export interface Wanted {
  readonly column: number;
  readonly row: number;
  readonly bytes: number;
}

/** Where to split a bucket of at least two rows; `last`: it is the last of the table. */
export function splitPlace(bucket: OpenBucket, wanted: Wanted, last: boolean): SplitPlace {
  const { row } = wanted;
  const lastRow = Math.max(...bucket.columns.map(({ rows }) => rows.at(-1)!));
  // Rows are being added behind all others: the old ones stay together.
  if (last && row >= lastRow && row > 0) return { row, inPlace: true };
  const rows = [...new Set([row, ...bucket.columns.flatMap((column) => column.rows)])].sort((a, b) => a - b);
  // Everything is in the first row: it stays alone.
  if (rows.length === 1) return { row: rows[0]! > 0 ? rows[0]! : 1, inPlace: true };
  return { row: rows[evenSplit(weights(bucket, rows, wanted))]!, inPlace: false };
}

/** Bytes by row that has entries. */
interface Weights {
  /** Of all that starts up to the row. */
  readonly upTo: readonly number[];
  /** Of what holds in the row: what a bucket starts with whose first row it is. */
  readonly start: readonly number[];
}

function weights(bucket: OpenBucket, rows: readonly number[], wanted: Wanted): Weights {
  const cursors = bucket.columns.map(() => 0), held = bucket.columns.map(() => 0);
  const upTo: number[] = [], start: number[] = [];
  let total = 0;
  for (const row of rows) {
    bucket.columns.forEach((column, c) => {
      let bytes = 0;
      if (column.rows[cursors[c]!] === row) {
        bytes = WEIGHED_ENTRY_BYTES + bucket.lengthAt(c, column.offsets[cursors[c]!]!);
        cursors[c]!++;
      }
      if (c === wanted.column && row === wanted.row) {
        bytes += wanted.bytes + (bytes === 0 ? WEIGHED_ENTRY_BYTES : 0);
      }
      if (bytes === 0) return;
      held[c] = bytes;
      total += bytes;
    });
    upTo.push(total);
    start.push(held.reduce((sum, bytes) => sum + bytes, 0));
  }
  return { upTo, start };
}

/** Index of the row at which both parts are most alike in size. */
function evenSplit({ upTo, start }: Weights): number {
  const count = upTo.length, total = upTo.at(-1)!;
  const left = (i: number) => upTo[i - 1]!;
  const right = (i: number) => start[i]! + total - upTo[i]!;
  let at = 1;
  while (at < count - 1 && left(at) < right(at)) at++;
  // The row before may be the better one. casacore subtracts unsigned numbers: at the last row it always goes back.
  const over = left(at) - right(at);
  if (at > 1 && (over < 0 || over > right(at - 1) - left(at - 1))) at--;
  return at;
}
