/**
 * Arrow tables and record batches as a new table.
 */
import type { RecordBatch, Schema, Table as ArrowTable } from "apache-arrow";
import { TableError } from "../error.ts";
import type { TableInfo } from "../format/table-info.ts";
import type { Table } from "../table/table.ts";
import { partOf } from "./from-data.ts";
import { type ImportColumn, importColumn } from "./from-types.ts";
import { INFO_KEY, KEYWORDS_KEY } from "./metadata.ts";
import { type ImportOptions, NewTable, type NewTableNote } from "./new-table.ts";
import { recordOfText } from "./typed-json.ts";

/** Record batches of one schema: an Arrow table, a reader, or anything that gives them one after the other. */
export type BatchInput = ArrowTable | AsyncIterable<RecordBatch> | Iterable<RecordBatch>;

/** Options of {@linkcode fromArrow}. */
export interface FromArrowOptions extends ImportOptions {
  /** Columns to take, in this order; all of them unless told otherwise. */
  readonly columns?: readonly string[];
}

/** The columns of a schema. @throws TableError UNSUPPORTED, NO_SUCH_COLUMN, INVALID_ARGUMENT */
export function importColumns(
  schema: Schema,
  names: readonly string[] | undefined,
): (ImportColumn & { index: number })[] {
  const found = names ?? schema.names as string[];
  const columns = found.map((name) => {
    const index = schema.fields.findIndex((field) => field.name === name);
    if (index < 0) {
      throw new TableError(
        "NO_SUCH_COLUMN",
        `no column ${name}; there are ${schema.names.join(", ") || "none"}`,
      );
    }
    return { ...importColumn(schema.fields[index]!), index };
  });
  const twice = schema.names.find((name, i) =>
    schema.names.indexOf(name) !== i && found.includes(name as string)
  );
  if (twice !== undefined) throw new TableError("INVALID_ARGUMENT", `there are two columns ${String(twice)}`);
  return columns;
}

/** Keywords and info that Tessera left in a schema's metadata. */
export function noteOf(metadata: ReadonlyMap<string, string>): NewTableNote {
  const keywords = metadata.get(KEYWORDS_KEY), info = metadata.get(INFO_KEY);
  let known: Partial<TableInfo> | null = null;
  if (info !== undefined) {
    try {
      const { type, subType, readme } = JSON.parse(info) as Record<string, unknown>;
      if ([type, subType, readme].every((text) => typeof text === "string")) {
        known = { type, subType, readme } as TableInfo;
      }
    } catch {
      // Somebody else's: the table does without.
    }
  }
  return {
    keywords: keywords === undefined ? null : recordOfText(keywords, "keywords of the table").toFields(),
    info: known,
  };
}

/**
 * Makes a table of Arrow record batches, and opens it. Types become those that `docs/arrow.md` lists; what {@linkcode toArrow}
 * and {@linkcode recordBatches} made becomes what it was, with keywords, and tiles where `storage` is left out. The table has
 * its name only when it is complete; after an error there is nothing of it.
 *
 * @throws TableError UNSUPPORTED for Arrow types that no column can hold; TYPE_MISMATCH for nulls (see `nulls`); SHAPE_MISMATCH
 * for lists that are no array; OUT_OF_RANGE; INVALID_ARGUMENT for no batches of which the schema isn't known; those of
 * `Table.create`
 * @example
 * ```ts
 * import { tableFromArrays } from "apache-arrow";
 * import { fromArrow } from "@tessera/tables/arrow";
 * const arrow = tableFromArrays({ TIME: Float64Array.of(1, 2, 3), N: Int32Array.of(4, 5, 6) });
 * using table = await fromArrow("new.tab", arrow);
 * console.log(table.rowCount, table.getCell("N", 2)); // 3 6
 * ```
 */
export async function fromArrow(
  path: string,
  batches: BatchInput,
  options: FromArrowOptions = {},
): Promise<Table> {
  const { columns: names, ...rest } = options;
  let columns: (ImportColumn & { index: number })[] = [];
  let table: NewTable | null = null;
  const begin = (schema: Schema): NewTable => {
    columns = importColumns(schema, names);
    return new NewTable(path, columns, noteOf(schema.metadata), rest);
  };
  try {
    if ("schema" in batches && isSchema(batches.schema)) table = begin(batches.schema);
    for await (const batch of "batches" in batches ? batches.batches : batches) {
      table ??= begin(batch.schema);
      if (batch.numRows === 0) continue;
      await table.append(
        batch.numRows,
        columns.map((column) => partOf(column, batch.data.children[column.index]!)),
      );
    }
    // A reader knows its schema when it has begun to read.
    if (table === null && "schema" in batches && isSchema(batches.schema)) table = begin(batches.schema);
  } catch (error) {
    table?.abort();
    throw error;
  }
  if (table === null) {
    throw new TableError(
      "INVALID_ARGUMENT",
      "there are no record batches, so there is no schema; give an Arrow table",
    );
  }
  return table.finish();
}

function isSchema(schema: unknown): schema is Schema {
  return typeof schema === "object" && schema !== null && "fields" in schema;
}
