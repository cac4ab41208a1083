/**
 * Concatenated tables: format reference part 1, section 10.
 *
 * | object `ConcatTable` v0 | type | |
 * | --- | --- | --- |
 * | ntable | uInt | at least 1 |
 * | names | String × ntable | stored names, see names.ts |
 * | subtables | Block of String | keyword subtables that are concatenated too |
 */
import type { AipsReader, AipsWriter } from "./aipsio.ts";
import { readStrings } from "./array-io.ts";

/** What is special about a concatenated table. */
export interface ConcatTableBody {
  /** Stored names of the constituents, see names.ts. */
  readonly tables: readonly string[];
  /** Names of the table keywords whose subtables are concatenated too; the others are those of the first constituent. */
  readonly subtables: readonly string[];
}

/** Reads a ConcatTable object. @throws TableError CORRUPT, UNSUPPORTED */
export function readConcatTable(r: AipsReader): ConcatTableBody {
  const at = r.offset;
  const { version } = r.begin("ConcatTable");
  if (version !== 0) r.unsupported(`ConcatTable has version ${version}, expected 0`, at);
  const tables = readStrings(r, r.count(4));
  if (tables.length === 0) r.fail("a concatenated table of no tables", at);
  const subtables = r.blockString();
  r.end();
  return { tables, subtables };
}

/** Writes a ConcatTable object. */
export function writeConcatTable(w: AipsWriter, table: ConcatTableBody): void {
  w.begin("ConcatTable", 0);
  w.u32(table.tables.length);
  for (const name of table.tables) w.string(name);
  w.blockString(table.subtables);
  w.end();
}
