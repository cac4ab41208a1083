/**
 * Values of one column in one batch, as the table gives them: one array where all cells have a shape, cells otherwise.
 */
import type { NDArray } from "../array/ndarray.ts";
import type { NumericData } from "../array/dtype.ts";
import { TableError } from "../error.ts";
import type { TableRecord } from "../format/table-record.ts";
import type { Column } from "../table/column.ts";
import type { Cell } from "../table/read.ts";
import type { RowSelection } from "../table/selection.ts";
import type { GetOptions } from "../table/options.ts";
import type { Table } from "../table/table.ts";

/** Values of some rows. */
export type Values =
  | { readonly kind: "uniform"; readonly array: NDArray }
  /** Cells of several shapes, or of which some are undefined, or records. */
  | { readonly kind: "cells"; readonly cells: readonly Cell[] };

/** What getColumn says when the cells make no single array: other shapes, undefined cells, scalars without a value. */
function needsCells(error: unknown): boolean {
  return error instanceof TableError && (error.code === "SHAPE_MISMATCH" || error.code === "OUT_OF_RANGE");
}

/** Reads values, into `into` where that is given and they all have the same shape. @throws TableError */
export function readValues(table: Table, column: Column, rows: RowSelection, into?: NumericData): Values {
  const { name, kind } = column;
  if (kind === "record") return { kind: "cells", cells: table.getCells(name, { rows }) };
  const options: GetOptions = into === undefined ? { rows } : { rows, into };
  try {
    return { kind: "uniform", array: table.getColumn(name, options) as NDArray };
  } catch (error) {
    if (!needsCells(error)) throw error;
    return { kind: "cells", cells: table.getCells(name, { rows }) };
  }
}

/** As {@linkcode readValues}, without blocking while files are read, where the table can. */
export async function readValuesAsync(table: Table, column: Column, rows: RowSelection): Promise<Values> {
  const { name, kind } = column;
  if (kind === "record") return { kind: "cells", cells: table.getCells(name, { rows }) };
  try {
    return { kind: "uniform", array: await table.getColumnAsync(name, { rows }) as NDArray };
  } catch (error) {
    if (!needsCells(error)) throw error;
    return { kind: "cells", cells: table.getCells(name, { rows }) };
  }
}

/** True for a cell that is an array. */
export function isArrayCell(cell: Cell): cell is NDArray {
  return typeof cell === "object" && cell !== null && "shape" in cell;
}

/** True for a cell that is a record. */
export function isRecordCell(cell: Cell): cell is TableRecord {
  return typeof cell === "object" && cell !== null && "toFields" in cell;
}
