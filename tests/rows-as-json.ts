/**
 * A table's rows in the form of `table cat`, through the public face: what tests compare with the oracle.
 */
import { type Cell, type NDArray, type Table, TableRecord } from "../mod.ts";

function numberAsJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function itemAsJson(value: boolean | number | bigint | string): boolean | number | string {
  if (typeof value === "number") return numberAsJson(value);
  if (typeof value !== "bigint") return value;
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : String(value);
}

function arrayAsJson({ dtype, shape, data }: NDArray): { shape: readonly number[]; data: unknown[] } {
  const items = [...data as Iterable<number | bigint | string>];
  return { shape, data: items.map((item) => dtype === "bool" ? item !== 0 : itemAsJson(item)) };
}

function cellAsJson(cell: Cell): unknown {
  if (cell === null) return null;
  if (cell instanceof TableRecord) return cell.toJSON();
  if (typeof cell !== "object") return itemAsJson(cell);
  if ("dtype" in cell) return arrayAsJson(cell);
  return cell.map(numberAsJson);
}

/** Rows `start` to `end` with every readable column. */
export function rowsAsJson(table: Table, start = 0, end = table.rowCount): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = Array.from({ length: end - start }, () => ({}));
  for (const name of table.columnNames) {
    if (!table.column(name).readable) continue;
    table.getCells(name, { rows: { start, end } }).forEach((cell, i) => rows[i]![name] = cellAsJson(cell));
  }
  return rows;
}
