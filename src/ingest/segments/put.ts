/**
 * How values are put into a segment: in which order its columns, and cells of free shape.
 */
import { allocate } from "../../array/alloc.ts";
import { bytesOf, isNumeric, type NumericType } from "../../array/dtype.ts";
import { elementsOf, sameShape } from "../../array/rows.ts";
import type { NDArray } from "../../array/ndarray.ts";
import type { StorageSpec } from "../../storage/manager.ts";
import type { Cell } from "../../table/read.ts";
import type { Table } from "../../table/table.ts";
import type { ColumnValues } from "../../table/values.ts";

/** Most bytes of cells of one shape that are put at once. */
const RUN_BYTES = 8 * 1024 * 1024;

/**
 * Columns in the order in which managers want them: scalars, which may say where a row's arrays belong, then arrays that are
 * kept as they are, then those that are computed or compressed, last coordinates of hypercubes.
 */
export function writeOrder<C extends { readonly name: string; readonly kind: "scalar" | "array" }>(
  columns: readonly C[],
  storage: readonly StorageSpec[] | undefined,
): C[] {
  const rank = ({ name, kind }: C): number => {
    const spec = storage?.find((one) => one.columns?.includes(name));
    if (spec?.hypercolumn?.coordinates.includes(name)) return 3;
    if (kind === "scalar") return 0;
    return spec === undefined || (spec.type.endsWith("StMan") && spec.type !== "DyscoStMan") ? 1 : 2;
  };
  return [...columns].sort((a, b) => rank(a) - rank(b));
}

function isArray(cell: Cell): cell is NDArray {
  return typeof cell === "object" && cell !== null && "data" in cell;
}

/** Puts array cells of any shapes; those that follow each other with the same one go together. Undefined ones stay so. */
export function putCells(
  table: Table,
  { name }: { readonly name: string },
  cells: readonly Cell[],
  start: number,
): void {
  // There, new cells are what those before them are.
  const inherits = table.column(name).manager.type === "IncrementalStMan";
  for (let i = 0; i < cells.length;) {
    const first = cells[i]!;
    let end = i + 1;
    if (first === null) {
      while (end < cells.length && cells[end] === null) end++;
      if (inherits) table.setShape(name, null, { rows: { start: start + i, end: start + end } });
    } else if (!isArray(first) || !isNumeric(first.dtype)) {
      table.putCell(name, start + i, first);
    } else {
      const { dtype, shape } = first,
        most = i + Math.max(1, Math.floor(RUN_BYTES / (elementsOf(shape) * 16 || 1)));
      while (
        end < Math.min(most, cells.length) && isArray(cells[end]!) &&
        sameShape((cells[end] as NDArray).shape, shape)
      ) {
        end++;
      }
      const data = joined(dtype, cells.slice(i, end) as NDArray[]);
      const values = { dtype, shape: [...shape, end - i], data } as unknown as ColumnValues;
      table.putColumn(name, values, { rows: { start: start + i, end: start + end } });
    }
    i = end;
  }
}

/** The values of cells of one shape behind each other. */
function joined(dtype: NumericType, cells: readonly NDArray[]): ArrayBufferView {
  if (cells.length === 1) return cells[0]!.data as ArrayBufferView;
  const each = elementsOf(cells[0]!.shape);
  const all = allocate(dtype, each * cells.length), bytes = bytesOf(all), size = bytes.length / cells.length;
  cells.forEach((cell, i) => bytes.set(bytesOf(cell.data as ArrayBufferView), i * size));
  return all;
}
