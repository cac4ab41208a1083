/**
 * What callers hand in as values, checked and brought into the form that storage managers take.
 */
import {
  arrayClass,
  bytesOf,
  type DType,
  holds,
  isNumeric,
  numericInfo,
  type NumericType,
} from "../array/dtype.ts";
import type { NDArray } from "../array/ndarray.ts";
import { elementsOf, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import { encodeText, type StringPolicy } from "../format/strings.ts";
import type { BoundColumn, CellSource } from "../storage/manager.ts";

/** What is to be known of a column in order to check values for it. */
export interface ValueColumn {
  readonly bound: Pick<BoundColumn, "name" | "dtype" | "maxLength">;
}

/** Values for several cells: a typed array, an NDArray with the rows as last axis, or a plain array for scalars. */
export type ColumnValues = ArrayBufferView | NDArray | readonly (string | boolean | number | bigint)[];

/** Values ready for a manager: where they come from, and the shape they say a cell has (null: they don't say). */
export interface PreparedValues {
  readonly source: CellSource;
  /** Elements that the source holds. */
  readonly elements: number;
  /** Shape given with the values, the rows as last axis; null for a bare array. */
  readonly shape: readonly number[] | null;
}

/** Whole-number types and the values that fit them. */
const INTEGER_RANGE: Partial<Record<NumericType, readonly [bigint, bigint]>> = {
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-2147483648n, 2147483647n],
  uint32: [0n, 4294967295n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") return value.constructor?.name ?? "object";
  return `${typeof value} ${String(value)}`;
}

/** Plain values as a typed array of the column's type. */
function typed(column: ValueColumn, dtype: NumericType, values: readonly unknown[]): ArrayBufferView {
  const { name } = column.bound;
  const wrong = (i: number, value: unknown): never => {
    throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}, value ${i} is ${describe(value)}`);
  };
  if (dtype === "complex64" || dtype === "complex128") {
    const out = new (arrayClass(dtype))(values.length * 2);
    values.forEach((value, i) => {
      if (typeof value === "number") out[2 * i] = value;
      else if (
        Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "number")
      ) {
        out.set(value as [number, number], 2 * i);
      } else wrong(i, value);
    });
    return out;
  }
  const range = INTEGER_RANGE[dtype];
  if (dtype === "int64") {
    return BigInt64Array.from(values, (value, i) => {
      const whole = typeof value === "bigint"
        ? value
        : Number.isSafeInteger(value)
        ? BigInt(value as number)
        : wrong(i, value);
      return whole >= range![0] && whole <= range![1] ? whole : wrong(i, value);
    });
  }
  const out = new (arrayClass(dtype))(values.length);
  values.forEach((value, i) => {
    if (dtype === "bool") {
      if (typeof value !== "boolean" && value !== 0 && value !== 1) wrong(i, value);
      out[i] = value ? 1 : 0;
    } else {
      if (typeof value !== "number") wrong(i, value);
      if (
        range !== undefined &&
        !(Number.isInteger(value) && value as number >= Number(range[0]) &&
          value as number <= Number(range[1]))
      ) {
        wrong(i, value);
      }
      out[i] = value as number;
    }
  });
  return out;
}

/** Strings as bytes, within the column's maximum length. */
function encoded(column: ValueColumn, values: readonly unknown[], policy: StringPolicy): Uint8Array[] {
  const { name, maxLength } = column.bound;
  return values.map((value, i) => {
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TableError("TYPE_MISMATCH", `column ${name} is string, value ${i} is ${describe(value)}`);
    }
    const bytes = typeof value === "string" ? encodeText(value, policy) : value;
    if (maxLength > 0 && bytes.length > maxLength) {
      throw new TableError(
        "OUT_OF_RANGE",
        `column ${name} holds strings of at most ${maxLength} bytes, value ${i} has ${bytes.length}`,
      );
    }
    return bytes;
  });
}

function isNDArray(values: object): values is NDArray {
  return "dtype" in values && "shape" in values && "data" in values;
}

/** Values in the form that a manager takes. @throws TableError TYPE_MISMATCH, SHAPE_MISMATCH, OUT_OF_RANGE */
export function prepareValues(
  column: ValueColumn,
  values: ColumnValues,
  policy: StringPolicy,
): PreparedValues {
  const { name, dtype } = column.bound;
  if (typeof values !== "object" || values === null) {
    throw new TableError(
      "TYPE_MISMATCH",
      `column ${name}: expected an array of values, found ${describe(values)}`,
    );
  }
  let shape: readonly number[] | null = null;
  let data: unknown = values;
  if (isNDArray(values)) {
    if (values.dtype !== dtype) {
      throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}, the values are ${values.dtype}`);
    }
    shape = values.shape;
    data = values.data;
  }
  const prepared = dtype === "record" ? unwritableRecord(name) : prepareData(column, dtype, data, policy);
  if (shape !== null && elementsOf(shape) !== prepared.elements) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name}: shape [${shape.join(", ")}] has ${
        elementsOf(shape)
      } elements, the data ${prepared.elements}`,
    );
  }
  return { ...prepared, shape };
}

function unwritableRecord(name: string): never {
  throw new TableError(
    "INVALID_ARGUMENT",
    `column ${name} holds records: put them cell by cell with putCell`,
  );
}

function prepareData(
  column: ValueColumn,
  dtype: Exclude<DType, "record">,
  data: unknown,
  policy: StringPolicy,
): { source: CellSource; elements: number } {
  const { name } = column.bound;
  if (!isNumeric(dtype)) {
    if (!Array.isArray(data)) {
      throw new TableError(
        "TYPE_MISMATCH",
        `column ${name} is string, expected string[], found ${describe(data)}`,
      );
    }
    return { source: { kind: "strings", values: encoded(column, data, policy) }, elements: data.length };
  }
  const array = Array.isArray(data) ? typed(column, dtype, data) : data;
  if (!holds(dtype, array)) {
    throw new TableError("TYPE_MISMATCH", `column ${name} is ${dtype}, the array given is ${describe(data)}`);
  }
  const bytes = bytesOf(array as ArrayBufferView);
  const elements = bytes.length / numericInfo(dtype).size;
  if (!Number.isInteger(elements)) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name} is ${dtype}: the array ends within a complex value`,
    );
  }
  return { source: { kind: "numeric", bytes }, elements };
}

/** @throws TableError SHAPE_MISMATCH unless values of `given` shape fill `rows` cells of `cell` shape. */
export function checkFill(name: string, given: PreparedValues, cell: readonly number[], rows: number): void {
  const wanted = [...cell, rows];
  if (given.shape !== null && !sameShape(given.shape, wanted)) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name}: values of shape [${given.shape.join(", ")}] given, [${wanted.join(", ")}] expected`,
    );
  }
  const need = elementsOf(wanted);
  if (given.elements !== need) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name}: ${given.elements} elements given, ${need} expected for ${rows} cells of shape [${
        cell.join(", ")
      }]`,
    );
  }
}
