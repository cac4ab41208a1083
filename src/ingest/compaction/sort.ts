/**
 * Sorting rows by columns, without holding up others: a merge sort that stops after some work, and that takes stretches
 * which are in order already as they are, as those of sorted segments.
 */

/** Compares two rows by their numbers: negative when the first comes first. */
export type CompareRows = (a: number, b: number) => number;

/** Comparisons between two stops: a few milliseconds. */
const WORK = 1 << 17;

/** Values of a column, for all rows. NaN comes behind all numbers. */
export type SortColumn = ArrayLike<number> | ArrayLike<bigint> | ArrayLike<string>;

/** Compares rows by the first column, then by the second, and so on. */
export function compareBy(columns: readonly SortColumn[]): CompareRows {
  const compareIn = (column: SortColumn, a: number, b: number): number => {
    const x = column[a]!, y = column[b]!;
    if (x < y) return -1;
    if (x > y) return 1;
    if (x === y) return 0;
    // One of them is NaN at least.
    return Number(x !== x) - Number(y !== y);
  };
  const [only] = columns;
  if (columns.length === 1) return (a, b) => compareIn(only!, a, b);
  return (a, b) => {
    for (const column of columns) {
      const order = compareIn(column, a, b);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/**
 * Sorts row numbers in place; rows that compare equal stay in their order. Yields now and then, so that others get a turn.
 */
export function* sortRows(rows: Uint32Array, compare: CompareRows): Generator<void, Uint32Array> {
  let work = 0;
  let starts = [0];
  for (let i = 1; i < rows.length; i++) {
    if (compare(rows[i - 1]!, rows[i]!) > 0) starts.push(i);
    if (++work % WORK === 0) yield;
  }
  let from = rows, to: Uint32Array = starts.length > 1 ? new Uint32Array(rows.length) : rows;
  while (starts.length > 1) {
    const next: number[] = [];
    for (let k = 0; k < starts.length; k += 2) {
      const start = starts[k]!, middle = starts[k + 1] ?? rows.length, end = starts[k + 2] ?? rows.length;
      next.push(start);
      let left = start, right = middle;
      for (let at = start; at < end; at++) {
        const takeLeft = left < middle && (right >= end || compare(from[left]!, from[right]!) <= 0);
        to[at] = takeLeft ? from[left++]! : from[right++]!;
        if (++work % WORK === 0) yield;
      }
    }
    starts = next;
    [from, to] = [to, from];
  }
  return from;
}
