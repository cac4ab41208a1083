/** `table.info` of an open table. */
import { EMPTY_INFO, readTableInfo, type TableInfo } from "../format/table-info.ts";
import type { TableFiles } from "../io/files.ts";
import { readWholeFile } from "../io/whole-file.ts";

/** Longest text that is read; casacore's own are a few lines. */
const MAX_INFO_BYTES = 16 * 2 ** 20;

/** What `table.info` says; a table without one has an empty type. @throws TableError IO, LIMIT */
export function infoOf(files: TableFiles): TableInfo {
  const bytes = readWholeFile(files.backend, files.pathOf("table.info"), MAX_INFO_BYTES);
  return bytes === null ? EMPTY_INFO : readTableInfo(bytes);
}
