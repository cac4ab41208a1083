/** Cells whose array gets another shape: it goes to the end of the file, the old record is lost. */
import { sameShape } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { ShapeRun } from "../manager.ts";
import type { ArrayFile } from "./array-file.ts";
import type { StoredType } from "./record-layout.ts";

/**
 * Plan: gives the cells that have no array of `shape` new ones, without values: their offsets are replaced.
 *
 * @param runs Shapes of the arrays at `offsets`.
 * @returns true if there were any.
 */
export function* renewArrays(
  file: ArrayFile,
  offsets: Float64Array,
  runs: readonly ShapeRun[],
  shape: readonly number[],
  dtype: StoredType,
): Plan<boolean> {
  const other: number[] = [];
  let index = 0;
  for (const run of runs) {
    const same = run.shape !== null && sameShape(run.shape, shape);
    for (let i = 0; i < run.count; i++, index++) if (!same) other.push(index);
  }
  if (other.length === 0) return false;
  const fresh = yield* file.reserve(shape, dtype, other.length);
  other.forEach((to, i) => offsets[to] = fresh[i]!);
  return true;
}
