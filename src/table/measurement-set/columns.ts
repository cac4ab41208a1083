/**
 * Kinds of columns that the tables of a MeasurementSet share: units in `QuantumUnits`, measures in `MEASINFO` (format
 * reference part 1, section 11).
 */
import { array, type ArrayOptions, type ColumnSpec, scalar } from "../specs.ts";

/** The columns of one table of a MeasurementSet. */
export interface TableColumns {
  /** Those that it has always. */
  readonly required: readonly ColumnSpec[];
  /** Those that it may have. */
  readonly optional: readonly ColumnSpec[];
}

/** Shape of a cell: a list of lengths, or the number of axes, or -1 for any. */
export type CellShape = readonly number[] | number;

type Measure = NonNullable<ArrayOptions["measure"]>;

/** How columns of an array stand in a description: short ones of a fixed shape in the row itself, as casacore has them. */
export function cells(
  name: string,
  dtype: "bool" | "int32" | "float32" | "float64" | "complex64" | "string",
  shape: CellShape,
  options: ArrayOptions = {},
): ColumnSpec {
  return array(name, dtype, {
    ...options,
    ...(typeof shape !== "number" ? { shape, direct: true } : shape < 0 ? {} : { ndim: shape }),
  });
}

export const int = (name: string, comment = ""): ColumnSpec => scalar(name, "int32", { comment });
export const bool = (name: string, comment = ""): ColumnSpec => scalar(name, "bool", { comment });
export const text = (name: string, comment = ""): ColumnSpec => scalar(name, "string", { comment });

/** A number with a unit. */
export const real = (name: string, unit: string, comment = ""): ColumnSpec =>
  scalar(name, "float64", { unit, comment });
/** The same in single precision. */
export const single = (name: string, unit: string, comment = ""): ColumnSpec =>
  scalar(name, "float32", { unit, comment });
/** Seconds that something lasts. */
export const duration = (name: string, comment = ""): ColumnSpec => real(name, "s", comment);

const EPOCH: Measure = { type: "epoch", Ref: "UTC" };
/** A moment: seconds since modified Julian date 0. */
export const epoch = (name: string, comment = ""): ColumnSpec =>
  scalar(name, "float64", { unit: "s", measure: EPOCH, comment });
/** Moments. */
export const epochs = (name: string, shape: CellShape, comment = ""): ColumnSpec =>
  cells(name, "float64", shape, { unit: "s", measure: EPOCH, comment });

/** A place or an offset on Earth, three coordinates. */
export const position = (name: string, comment = "", shape: CellShape = [3]): ColumnSpec =>
  cells(name, "float64", shape, {
    unit: ["m", "m", "m"],
    measure: { type: "position", Ref: "ITRF" },
    comment,
  });

/** A direction on the sky, two angles; with two axes the second one is that of a polynomial. */
export const direction = (name: string, shape: CellShape, comment = ""): ColumnSpec =>
  cells(name, "float64", shape, {
    unit: ["rad", "rad"],
    measure: { type: "direction", Ref: "J2000" },
    comment,
  });

/** Coordinates of a baseline. */
export const uvw = (name: string, shape: CellShape, comment = ""): ColumnSpec =>
  cells(name, "float64", shape, {
    unit: ["m", "m", "m"],
    measure: { type: "uvw", Ref: "ITRF" },
    comment,
  });
