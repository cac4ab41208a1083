/** What a program in TypeScript does with the package, as far as its types are concerned; it is never run. */
import { array, type NDArray, Table, TableError } from "@tessera/tables";
import { fromArrow, toArrow } from "@tessera/tables/arrow";
import { writeParquet } from "@tessera/tables/parquet";
import { digestTable, type TableDigest } from "@tessera/tables/query";

export function program(table: Table): unknown[] {
  const data: Float32Array = table.getColumn("DATA", { dtype: "complex64" }).data;
  const cell: NDArray<"bool"> = table.getColumn("FLAG", { dtype: "bool" });
  // @ts-expect-error: a column of strings is no Float32Array
  const names: Float32Array = table.getColumn("NAME", { dtype: "string" }).data;
  // @ts-expect-error: there is no such type
  const column = array("DATA", "complex32");
  const digest: TableDigest = digestTable(table);
  // Methods that the import of ./arrow gives to tables.
  const rows: number = table.toArrow({ columns: ["TIME"] }).numRows + toArrow(table).numRows;
  const made: Promise<Table> = Table.fromArrow("made.tab", table.recordBatches());
  return [
    data,
    cell,
    names,
    column,
    digest,
    rows,
    made,
    fromArrow,
    writeParquet,
    new TableError("IO", "none"),
  ];
}
