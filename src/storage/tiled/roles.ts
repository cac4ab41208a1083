/**
 * Which bound column is a data, a coordinate or an id column: format reference part 4, section 1.1, and part 1,
 * section 5.3.
 *
 * The private keyword `Hypercolumn_<NAME>` tells, where there is one:
 *
 * | field | type | |
 * | --- | --- | --- |
 * | ndim | uInt | axes of the hypercubes |
 * | data | String vector | data columns; their order decides the order of sections in a tile |
 * | coord | String vector | none, or for each axis a coordinate column or an empty string |
 * | id | String vector | id columns, of TiledDataStMan only |
 *
 * Without it every bound column is a data column.
 */
import { TableError, type TableErrorCode } from "../../error.ts";
import { isNumeric, type NumericType } from "../../array/dtype.ts";
import { fieldOf, type RecordFields } from "../../format/record.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";

/** The part that each bound column plays. Columns are indexes into `context.columns`. */
export interface Roles {
  /** True when a hypercolumn is defined. */
  readonly defined: boolean;
  /** Axes of the hypercubes as the definition says, or -1 without one. */
  readonly ndim: number;
  /** Data columns in their own order. */
  readonly data: readonly number[];
  /** For each axis its coordinate column, or -1. Empty if there are none. */
  readonly coordinates: readonly number[];
  readonly ids: readonly number[];
  /** Axes of the cells of data columns; -1 if the description doesn't say. */
  readonly cellAxes: number;
}

/** Axes of a column's cells: 0 for scalars, -1 if free. */
export function axesOf(column: BoundColumn): number {
  return column.kind === "scalar" ? 0 : column.shape?.length ?? column.ndim;
}

/**
 * Finds the columns' roles.
 *
 * @param name The hypercolumn's name, which is the manager's.
 * @param code What a definition that makes no sense is: CORRUPT in a file, INVALID_ARGUMENT from a caller.
 */
export function rolesOf(context: ManagerContext, name: string, code: TableErrorCode): Roles {
  const fail = (reason: string): never => {
    throw new TableError(code, `hypercolumn ${name}: ${reason}`, { file: context.pathOf("table.dat") });
  };
  const definition = fieldOf(context.privateKeywords, `Hypercolumn_${name}`);
  const columns = context.columns;
  let roles: Omit<Roles, "cellAxes">;
  if (definition === undefined) {
    roles = { defined: false, ndim: -1, data: columns.map((_, i) => i), coordinates: [], ids: [] };
  } else {
    if (definition.kind !== "record") return fail("the private keyword is no record");
    const ndim = fieldOf(definition.fields, "ndim");
    if (ndim?.kind !== "scalar" || typeof ndim.value !== "number") return fail("field ndim is no number");
    const data = namesOf(definition.fields, "data", fail);
    const coordinates = namesOf(definition.fields, "coord", fail);
    const ids = namesOf(definition.fields, "id", fail);
    if (coordinates.length !== 0 && coordinates.length !== ndim.value) {
      fail(`${coordinates.length} coordinates are named for ${ndim.value} axes`);
    }
    const find = (column: string) => columns.findIndex((bound) => bound.name === column);
    const bound = (column: string) => {
      const index = find(column);
      return index >= 0 ? index : fail(`column ${column} is not bound to this manager`);
    };
    // A coordinate column may be bound to another manager: then it is a column like any other.
    roles = {
      defined: true,
      ndim: ndim.value,
      data: data.map(bound),
      coordinates: coordinates.map((column) => column === "" ? -1 : find(column)),
      ids: ids.map(bound),
    };
    const named = [...roles.data, ...roles.coordinates.filter((index) => index >= 0), ...roles.ids];
    columns.forEach((column, index) => {
      const times = named.filter((other) => other === index).length;
      if (times !== 1) fail(`column ${column.name} is named ${times} times, expected once`);
    });
  }
  if (roles.data.length === 0) return fail("there is no data column");
  return { ...roles, cellAxes: cellAxesOf(context, roles.data, fail) };
}

function namesOf(record: RecordFields, field: string, fail: (reason: string) => never): readonly string[] {
  const value = fieldOf(record, field);
  if (value?.kind !== "array" || value.dtype !== "string") {
    return fail(`field ${field} is no vector of names`);
  }
  return value.data;
}

/** Axes of the cells of all data columns; those of free dimensionality go along with the others. */
function cellAxesOf(
  context: ManagerContext,
  data: readonly number[],
  fail: (reason: string) => never,
): number {
  let axes = -1;
  for (const index of data) {
    const column = context.columns[index]!;
    if (!isNumeric(column.dtype)) {
      fail(`column ${column.name} holds ${column.dtype} values, tiles hold numbers and booleans only`);
    }
    const own = axesOf(column);
    if (own < 0) continue;
    if (axes >= 0 && own !== axes) {
      fail(`cells of column ${column.name} have ${own} axes, those of other data columns ${axes}`);
    }
    axes = own;
  }
  return axes;
}

/** Data types of the data columns in their own order. */
export function dataTypes(context: ManagerContext, roles: Roles): NumericType[] {
  return roles.data.map((index) => context.columns[index]!.dtype as NumericType);
}
