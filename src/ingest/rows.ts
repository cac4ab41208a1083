/**
 * What `append` takes: columns of values, or an Arrow record batch, which is told from them by its parts, so that who
 * appends columns never loads Arrow.
 */
import type { RecordBatch } from "apache-arrow";
import type { NDArray } from "../array/ndarray.ts";
import { TableError } from "../error.ts";
import type { Cell } from "../table/read.ts";
import type { IngestRows, IngestValues } from "./log/columns.ts";

/** True for an Arrow record batch. */
export function isRecordBatch(rows: IngestRows | RecordBatch): rows is RecordBatch {
  return "numRows" in rows && "schema" in rows && typeof rows.numRows === "number";
}

/**
 * The columns of a record batch, of the types that docs/arrow.md lists.
 *
 * @throws TableError TYPE_MISMATCH for a null in a scalar column, UNSUPPORTED for types that no column can hold
 */
export async function rowsOfArrow(batch: RecordBatch): Promise<IngestRows> {
  const [{ importColumns }, { partOf }] = await Promise.all([
    import("../arrow/from-arrow.ts"),
    import("../arrow/from-data.ts"),
  ]);
  const columns = importColumns(batch.schema, undefined);
  return Object.fromEntries(columns.map((column): [string, IngestValues] => {
    const part = partOf(column, batch.data.children[column.index]!);
    if (part.kind === "records") {
      throw new TableError("UNSUPPORTED", `column ${column.name}: records can't be ingested`);
    }
    if (part.kind === "arrays") return [column.name, cellsOf(part.runs)];
    if (part.isNull !== null) {
      throw new TableError(
        "TYPE_MISMATCH",
        `column ${column.name} has nulls, which a scalar column can't hold`,
      );
    }
    return [column.name, part.array];
  }));
}

/** Runs of cells as one array where there is one, else cell by cell. */
export function cellsOf(
  runs: Iterable<{ readonly count: number; readonly array: NDArray | null }>,
): IngestValues {
  const all = [...runs];
  if (all.length === 1 && all[0]!.array !== null) return all[0]!.array;
  return all.flatMap(({ count, array }): Cell[] => {
    if (array === null) return Array.from({ length: count }, () => null);
    const shape = array.shape.slice(0, -1);
    const data = array.data as unknown as { length: number; slice(start: number, end: number): unknown };
    const each = data.length / count;
    return Array.from({ length: count }, (_, i) => {
      return { dtype: array.dtype, shape, data: data.slice(i * each, (i + 1) * each) } as NDArray;
    });
  });
}
