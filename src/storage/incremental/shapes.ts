/** What the columns of an IncrementalStMan share, and what they refuse. */
import { sameShape } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { BoundColumn } from "../manager.ts";

/** @throws TableError SHAPE_MISMATCH unless cells can have `shape` */
export function checkShape(column: BoundColumn, shape: readonly number[]): void {
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
