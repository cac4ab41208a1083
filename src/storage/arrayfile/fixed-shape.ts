/**
 * Cells of a column of fixed shape whose arrays stand in an array file: the file says the shape once more.
 */
import { type Rows, sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { BoundColumn, ShapeRun } from "../manager.ts";

/**
 * Refuses arrays that haven't the shape that their column says all have.
 *
 * @param runs Shapes of the cells of `rows`.
 * @param path The array file, for errors.
 * @throws TableError CORRUPT
 */
export function checkFixedShapes(
  runs: readonly ShapeRun[],
  bound: BoundColumn,
  rows: Rows,
  path: string,
): void {
  const fixed = bound.shape;
  if (fixed === null) return;
  let index = 0;
  for (const { shape, count } of runs) {
    if (shape !== null && !sameShape(shape, fixed)) {
      throw new TableError(
        "CORRUPT",
        `column ${bound.name}, row ${rows.at(index)}: the array has shape [${shape.join(", ")}], expected ` +
          `[${fixed.join(", ")}]`,
        { file: path },
      );
    }
    index += count;
  }
}
