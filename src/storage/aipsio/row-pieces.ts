/**
 * A selection of rows in the order in which they stand in the file.
 */
import type { RowRun, Rows } from "../../array/rows.ts";

/**
 * The stretches of a selection, sorted by row.
 *
 * @param outside Called with a row that isn't below `rowCount`.
 */
export function sortedRuns(rows: Rows, rowCount: number, outside: (row: number) => never): RowRun[] {
  const runs: RowRun[] = [];
  let sorted = true, previous = -1;
  for (const run of rows.runs()) {
    if (run.row + run.count > rowCount) outside(Math.max(run.row, rowCount));
    if (run.row < previous) sorted = false;
    previous = run.row;
    runs.push(run);
  }
  return sorted ? runs : runs.sort((a, b) => a.row - b.row || a.index - b.index);
}
