/**
 * Writing columns: values checked first, then put by a plan, so that a refused call leaves the table as it was.
 */
import type { NDArray } from "../array/ndarray.ts";
import { type AxisSlice, boxOf, elementsOf, type Rows, sameShape } from "../array/rows.ts";
import { TableError } from "../error.ts";
import type { StringPolicy } from "../format/strings.ts";
import { TableRecord } from "../format/table-record.ts";
import type { Plan } from "../io/plan.ts";
import type { ManagedColumn } from "../storage/manager.ts";
import type { BodyColumn } from "./body.ts";
import { type Cell, cellShapes } from "./read.ts";
import { encodeRecordCell } from "./record-cell.ts";
import { checkFill, type ColumnValues, type PreparedValues, prepareValues } from "./values.ts";

type WritableColumn = ManagedColumn & Required<Pick<ManagedColumn, "write">>;

/** Plan: the column's storage, as something that can be written. @throws TableError UNSUPPORTED */
function* writable(column: BodyColumn): Plan<WritableColumn> {
  const managed = yield* column.open();
  if (managed.write === undefined) {
    throw new TableError(
      "UNSUPPORTED",
      `column ${column.bound.name}: ${column.manager.type} can't be written`,
    );
  }
  return managed as WritableColumn;
}

/** @throws TableError SHAPE_MISMATCH when the description rules `shape` out. */
function checkAgainstDescription(column: BodyColumn, shape: readonly number[]): void {
  const { name, ndim, shape: fixed } = column.bound;
  if (fixed !== null && !sameShape(fixed, shape)) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name} has cells of shape [${fixed.join(", ")}], values for cells of [${
        shape.join(", ")
      }] given`,
    );
  }
  if (ndim >= 0 && shape.length !== ndim) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name} has cells of ${ndim} axes, values for cells of shape [${shape.join(", ")}] given`,
    );
  }
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 0) {
      throw new TableError("SHAPE_MISMATCH", `column ${name}: [${shape.join(", ")}] is no shape`);
    }
  }
}

/** The one shape that cells have now, or null when they differ or some are undefined. */
function* presentShape(managed: ManagedColumn, rows: Rows): Plan<readonly number[] | null> {
  const runs = yield* cellShapes(managed, rows);
  return runs.length === 1 ? runs[0]!.shape : null;
}

/** The shape of the cells that values are for: as given with them, as described, or as the cells have it. */
function* shapeForValues(
  column: BodyColumn,
  managed: ManagedColumn,
  rows: Rows,
  values: PreparedValues,
): Plan<readonly number[]> {
  const { name, kind, shape: fixed } = column.bound;
  if (kind !== "array") return [];
  if (values.shape !== null) {
    const cell = values.shape.slice(0, -1);
    checkAgainstDescription(column, cell);
    return cell;
  }
  if (fixed !== null) return fixed;
  const present = yield* presentShape(managed, rows);
  if (present === null) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name} has no fixed shape: give the values as { dtype, shape, data } with the rows as last axis`,
    );
  }
  return present;
}

/** Plan: puts values into the cells of `rows`, or into a box of each. */
export function* writeColumn(
  column: BodyColumn,
  rows: Rows,
  values: ColumnValues,
  slice: readonly AxisSlice[] | undefined,
  strings: StringPolicy,
): Plan<void> {
  const managed = yield* writable(column);
  const prepared = prepareValues(column, values, strings);
  const { name } = column.bound;
  if (slice === undefined) {
    const cell = yield* shapeForValues(column, managed, rows, prepared);
    checkFill(name, prepared, cell, rows.length);
    if (rows.length > 0) yield* managed.write(rows, cell, null, prepared.source, 0);
    return;
  }
  const cell = yield* presentShape(managed, rows);
  if (rows.length === 0) return;
  if (cell === null) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name}: a slice needs cells that are defined and of one shape`,
    );
  }
  const box = boxOf(slice, cell);
  const part = box === null ? cell : box.shape;
  checkFill(name, prepared, part, rows.length);
  if (elementsOf(part) > 0) yield* managed.write(rows, cell, box, prepared.source, 0);
}

/** Plan: gives cells a shape without values, or makes them undefined. */
export function* writeShape(column: BodyColumn, rows: Rows, shape: readonly number[] | null): Plan<void> {
  const { name, kind } = column.bound;
  const managed = yield* writable(column);
  if (kind !== "array") {
    throw new TableError("TYPE_MISMATCH", `column ${name} has no arrays: its cells have no shape`);
  }
  if (shape !== null) checkAgainstDescription(column, shape);
  if (managed.setShape === undefined) {
    throw new TableError(
      "INVALID_ARGUMENT",
      `column ${name}: ${column.manager.type} can't give a cell a shape without values`,
    );
  }
  if (rows.length > 0) yield* managed.setShape(rows, shape);
}

/** Plan: puts one cell. null makes an array cell undefined, where the storage manager can. */
export function* writeCell(
  column: BodyColumn,
  rows: Rows,
  value: Cell | ArrayBufferView | readonly string[],
  strings: StringPolicy,
): Plan<void> {
  const { name, kind } = column.bound;
  const managed = yield* writable(column);
  if (kind === "record") return yield* writeRecordCell(column, managed, rows, value);
  if (kind === "scalar") {
    const list = [value] as unknown as ColumnValues;
    return yield* writeColumn(column, rows, list, undefined, strings);
  }
  if (value === null) {
    if (managed.setShape === undefined) {
      throw new TableError(
        "INVALID_ARGUMENT",
        `column ${name}: ${column.manager.type} can't make a cell undefined`,
      );
    }
    return yield* managed.setShape(rows, null);
  }
  if (typeof value === "object" && "dtype" in value && "shape" in value && "data" in value) {
    const { dtype, shape, data } = value as NDArray;
    return yield* writeColumn(column, rows, { dtype, shape: [...shape, 1], data }, undefined, strings);
  }
  yield* writeColumn(column, rows, value as ColumnValues, undefined, strings);
}

/** Plan: puts one record. */
function* writeRecordCell(
  column: BodyColumn,
  managed: WritableColumn,
  rows: Rows,
  value: unknown,
): Plan<void> {
  if (!(value instanceof TableRecord)) {
    throw new TableError(
      "TYPE_MISMATCH",
      `column ${column.bound.name} holds records, expected a TableRecord`,
    );
  }
  const bytes = encodeRecordCell(value.toFields());
  yield* managed.write(rows, [bytes.length], null, { kind: "numeric", bytes }, 0);
}

/** Checked values for rows that don't exist yet. */
export interface AppendPlan {
  /** Rows that the values fill. */
  readonly rows: number;
  /** Plan: puts them once the rows are there. */
  write(rows: Rows): Plan<void>;
}

/** Plan: checks values for new rows and counts the rows. @throws TableError TYPE_MISMATCH, SHAPE_MISMATCH, UNSUPPORTED */
export function* planAppend(
  column: BodyColumn,
  values: ColumnValues,
  strings: StringPolicy,
): Plan<AppendPlan> {
  const managed = yield* writable(column);
  const prepared = prepareValues(column, values, strings);
  const { name, kind, shape: fixed } = column.bound;
  let cell: readonly number[] = [];
  if (kind === "array") {
    if (prepared.shape !== null) cell = prepared.shape.slice(0, -1);
    else if (fixed !== null) cell = fixed;
    else {
      throw new TableError(
        "SHAPE_MISMATCH",
        `column ${name} has no fixed shape: give the values as { dtype, shape, data } with the rows as last axis`,
      );
    }
    checkAgainstDescription(column, cell);
  }
  const size = elementsOf(cell);
  const rows = prepared.shape?.at(-1) ?? prepared.elements / size;
  if (!Number.isInteger(rows)) {
    throw new TableError(
      "SHAPE_MISMATCH",
      `column ${name}: ${prepared.elements} elements given, cells of shape [${
        cell.join(", ")
      }] take ${size} each`,
    );
  }
  checkFill(name, prepared, cell, rows);
  return { rows, write: (selection) => managed.write(selection, cell, null, prepared.source, 0) };
}
