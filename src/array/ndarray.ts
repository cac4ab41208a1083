/**
 * Arrays: a data type, a shape (first axis fastest) and the values.
 */
import type { DType, NumericData, NumericType } from "./dtype.ts";

/** What holds the values of a data type; records are opaque at this floor. */
export type DataOf<D extends DType, R = unknown> = D extends NumericType ? NumericData<D>
  : D extends "string" ? string[]
  : R[];

/** An array of any number of axes. `data` holds the elements with the first axis fastest; complex values as pairs. */
export interface NDArray<D extends DType = DType, R = unknown> {
  /** Element type. */
  readonly dtype: D;
  /** Length of each axis, in elements. */
  readonly shape: readonly number[];
  /** The elements. */
  readonly data: DataOf<D, R>;
}
