/**
 * The table description: format reference part 1, section 5.
 *
 * | object `TableDesc` v2 | type | |
 * | --- | --- | --- |
 * | name, version, comment | String | mostly empty |
 * | keywords | TableRecord | the table's keywords |
 * | private keywords | TableRecord | hypercolumns; not in version 1 |
 * | ncolumn | uInt | |
 * | columns | ncolumn × column description | see column-desc.ts |
 */
import type { AipsReader, AipsWriter } from "./aipsio.ts";
import { type ColumnDesc, readColumnDesc, writeColumnDesc } from "./column-desc.ts";
import { readRecord, writeRecord } from "./record-io.ts";
import { EMPTY_RECORD, type RecordFields } from "./record.ts";

/** Smallest column description: 3 versions, 5 strings, 3 Ints, a length and an empty record of 53 bytes. */
const MIN_COLUMN_BYTES = 101;

/** Columns and keywords of a table. */
export interface TableDesc {
  /** Name of the description, mostly empty. */
  readonly name: string;
  /** Free text, mostly empty. */
  readonly version: string;
  readonly comment: string;
  /** The table's keywords. */
  readonly keywords: RecordFields;
  /** Hypercolumns and whatever else data managers keep there. */
  readonly privateKeywords: RecordFields;
  /** In order of addition; managers number their columns in this order. */
  readonly columns: readonly ColumnDesc[];
}

/** Reads a TableDesc object. @throws TableError CORRUPT, UNSUPPORTED, LIMIT */
export function readTableDesc(r: AipsReader): TableDesc {
  const at = r.offset;
  const { version: layout } = r.begin("TableDesc");
  if (layout !== 1 && layout !== 2) r.unsupported(`TableDesc has version ${layout}, expected 1 or 2`, at);
  const name = r.string(), version = r.string(), comment = r.string();
  const keywords = readRecord(r);
  const privateKeywords = layout === 1 ? EMPTY_RECORD : readRecord(r);
  const columns: ColumnDesc[] = [];
  const names = new Set<string>();
  const count = r.count(MIN_COLUMN_BYTES);
  for (let i = 0; i < count; i++) {
    const columnAt = r.offset;
    const column = readColumnDesc(r);
    if (names.has(column.name)) {
      r.fail(`column ${JSON.stringify(column.name.slice(0, 80))} occurs twice`, columnAt);
    }
    names.add(column.name);
    columns.push(column);
  }
  r.end();
  return { name, version, comment, keywords, privateKeywords, columns };
}

/** Writes a TableDesc object of version 2. */
export function writeTableDesc(w: AipsWriter, desc: TableDesc): void {
  w.begin("TableDesc", 2);
  w.string(desc.name);
  w.string(desc.version);
  w.string(desc.comment);
  writeRecord(w, desc.keywords);
  writeRecord(w, desc.privateKeywords);
  w.u32(desc.columns.length);
  for (const column of desc.columns) writeColumnDesc(w, column);
  w.end();
}
