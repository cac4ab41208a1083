/**
 * Cells of a column of fixed shape: what may be put into them; and what an array file, which says the shape once more,
 * must say.
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

/** @throws TableError SHAPE_MISMATCH where all cells have one shape, and it isn't `shape` */
export function checkFixedShape(column: BoundColumn, shape: readonly number[]): void {
  const fixed = column.kind === "scalar" ? [] : column.shape;
  if (fixed === null || sameShape(fixed, shape)) return;
  throw new TableError(
    "SHAPE_MISMATCH",
    `column ${column.name} has cells of shape [${fixed.join(", ")}], values for cells of [${
      shape.join(", ")
    }] given`,
  );
}

/** @throws TableError INVALID_ARGUMENT unless cells can be given `shape` (null: made undefined) */
export function checkSettable(column: BoundColumn, shape: readonly number[] | null): void {
  const fixed = column.kind === "scalar" ? [] : column.shape;
  if (fixed === null || (shape !== null && sameShape(fixed, shape))) return;
  const wanted = shape === null ? "undefined" : `of shape [${shape.join(", ")}]`;
  throw new TableError(
    "INVALID_ARGUMENT",
    `column ${column.name} has cells of shape [${fixed.join(", ")}], they can't be made ${wanted}`,
  );
}
