/**
 * What virtual engines see of the table: its other columns, its keywords, and the tables that keywords name.
 */
import { TableError } from "../error.ts";
import type { ColumnSource } from "../storage/manager.ts";
import { lazyColumn, type PlainBody } from "./plain.ts";

/** The view of a table that its own storage managers have. */
export function columnSource(body: PlainBody): ColumnSource {
  return {
    column: (name) => lazyColumn(body, name),
    foreignColumn: (storedName, column) => {
      throw new TableError("UNSUPPORTED", `column ${column} is forwarded from table ${storedName}`, {
        file: body.path,
      });
    },
    tableKeywords: () => body.keywords.toFields(),
  };
}
