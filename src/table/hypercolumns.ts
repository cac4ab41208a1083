/**
 * Which hypercolumns a description must define for the tiled managers that take its columns: format reference part 1,
 * section 5.3, and part 4, section 1.1.
 *
 * Where all columns are arrays with values in the tiles, casacore needs no definition, and none is made.
 */
import { TableError } from "../error.ts";
import type { NewHypercolumn } from "../format/new-table.ts";
import type { StorageSpec } from "../storage/manager.ts";
import type { ColumnSpec } from "./specs.ts";

/** The manager that always needs a definition. */
const TILED_DATA = "TiledDataStMan";

/**
 * The hypercolumn that a manager's columns need, or none.
 *
 * @throws TableError INVALID_ARGUMENT for data columns that are not described or of no known number of axes, or a wrong
 * number of coordinates.
 */
export function hypercolumnOf(spec: StorageSpec, columns: readonly ColumnSpec[]): NewHypercolumn | null {
  const { hypercolumn, name, type } = spec;
  if (hypercolumn === undefined) return null;
  const { data, coordinates, ids, rowAxes } = hypercolumn;
  const own = data.map((column) => columns.find((each) => each.name === column));
  const isNeeded = type === TILED_DATA || coordinates.length > 0 || ids.length > 0 ||
    own.some((column) => column?.kind === "scalar");
  if (!isNeeded) return null;
  const wrong = (reason: string): never => {
    throw new TableError("INVALID_ARGUMENT", `${type} ${name}: ${reason}`);
  };
  const axes = own.map((column) =>
    column === undefined
      ? -1
      : column.kind === "scalar"
      ? 0
      : column.options.shape?.length ?? column.options.ndim ?? -1
  );
  const cellAxes = axes.find((count) => count >= 0) ??
    wrong("the number of axes of its columns must be known");
  const ndim = cellAxes + rowAxes;
  if (coordinates.length > 0 && coordinates.length !== ndim) {
    wrong(`${coordinates.length} coordinates given, hypercubes have ${ndim} axes`);
  }
  return { name, ndim, data, coord: coordinates, id: ids };
}
