/**
 * `table.dat`, the file that makes a directory a table: format reference part 1, sections 3, 9 and 10. Big endian.
 *
 * | root object `Table` v1–v3 | type | |
 * | --- | --- | --- |
 * | nrow | uInt (v1, v2), uInt64 (v3) | `table.lock` may know better |
 * | endian | uInt | of the data files: 0 big, 1 little |
 * | kind | String | `PlainTable`, `RefTable` or `ConcatTable` |
 * | PlainTable | | object TableDesc, v1: TableRecord with keywords, then the ColumnSet |
 * | RefTable | | object RefTable, see ref-table.ts |
 * | ConcatTable | | object ConcatTable, see concat-table.ts |
 */
import { AipsReader, AipsWriter } from "./aipsio.ts";
import { type ColumnSet, MAX_SHORT_ROW_COUNT, readColumnSet, writeColumnSet } from "./column-set.ts";
import { type ConcatTableBody, readConcatTable, writeConcatTable } from "./concat-table.ts";
import { readRecord } from "./record-io.ts";
import { mergeRecords } from "./record.ts";
import { readRefTable, type RefTableBody, writeRefTable } from "./ref-table.ts";
import { readTableDesc, type TableDesc, writeTableDesc } from "./table-desc.ts";

/** A table with data of its own. */
export interface PlainTableDat {
  /** As on disk. */
  readonly kind: "PlainTable";
  /** Rows when the file was written; `table.lock` wins, see table-lock.ts. */
  readonly rowCount: number;
  /** Byte order of the data files. */
  readonly bigEndian: boolean;
  /** Columns and keywords. */
  readonly desc: TableDesc;
  /** Its columns stand in the order of `desc.columns`. */
  readonly columnSet: ColumnSet;
}

/** Rows and columns of another table. */
export interface RefTableDat extends RefTableBody {
  /** As on disk. */
  readonly kind: "RefTable";
  /** Equals `rows.length`. */
  readonly rowCount: number;
}

/** Several tables behind each other. */
export interface ConcatTableDat extends ConcatTableBody {
  /** As on disk. */
  readonly kind: "ConcatTable";
  /** The sum when the file was written; readers add up the constituents. */
  readonly rowCount: number;
}

/** What a `table.dat` says. */
export type TableDat = PlainTableDat | RefTableDat | ConcatTableDat;

/**
 * Reads a `table.dat`.
 *
 * Nothing of `bytes` is kept. Bytes behind the content of a plain table are tolerated, as casacore does.
 *
 * @param file The path that errors name.
 * @throws TableError CORRUPT, UNSUPPORTED, LIMIT
 */
export function readTableDat(bytes: Uint8Array, file: string): TableDat {
  const r = new AipsReader(bytes, { file });
  const { version } = r.root("Table");
  if (version < 1 || version > 3) r.unsupported(`Table has version ${version}, expected 1 to 3`, 0);
  const rowCount = version === 3 ? r.uint64() : r.u32();
  const endianAt = r.offset;
  const endian = r.u32();
  if (endian > 1) r.fail(`endian flag is ${endian}, expected 0 or 1`, endianAt);
  const kindAt = r.offset;
  const kind = r.string();
  switch (kind) {
    case "PlainTable":
      return readPlainTable(r, version, rowCount, endian === 0);
    case "RefTable": {
      const table = { kind, rowCount, ...readRefTable(r, rowCount) } as const;
      r.end();
      return table;
    }
    case "ConcatTable": {
      const table = { kind, rowCount, ...readConcatTable(r) } as const;
      r.end();
      return table;
    }
    default:
      return r.unsupported(
        `table of kind ${JSON.stringify(kind.slice(0, 80))}, expected PlainTable, RefTable or ConcatTable`,
        kindAt,
      );
  }
}

/** Bytes of a `table.dat` in the current version; the same as casacore's for the same content. */
export function writeTableDat(table: TableDat): Uint8Array<ArrayBuffer> {
  const w = new AipsWriter();
  const short = table.rowCount <= MAX_SHORT_ROW_COUNT;
  w.root("Table", short ? 2 : 3);
  if (short) w.u32(table.rowCount);
  else w.u64(table.rowCount);
  w.u32(table.kind === "PlainTable" && !table.bigEndian ? 1 : 0);
  w.string(table.kind);
  if (table.kind === "RefTable") writeRefTable(w, table);
  else if (table.kind === "ConcatTable") writeConcatTable(w, table);
  else {
    writeTableDesc(w, table.desc);
    writeColumnSet(w, table.columnSet, table.desc.columns);
  }
  w.end();
  return w.finish();
}

function readPlainTable(r: AipsReader, version: number, rowCount: number, bigEndian: boolean): PlainTableDat {
  let desc = readTableDesc(r);
  if (version === 1) desc = { ...desc, keywords: mergeRecords(desc.keywords, readRecord(r)) };
  const { columnSet, oldKeywords } = readColumnSet(r, desc.columns);
  if (oldKeywords.size > 0) {
    const columns = desc.columns.map((column, index) => {
      const old = oldKeywords.get(index);
      return old === undefined ? column : { ...column, keywords: mergeRecords(column.keywords, old) };
    });
    desc = { ...desc, columns };
  }
  // The Table object is not closed: casacore doesn't either, and bytes behind the last blob do no harm.
  return { kind: "PlainTable", rowCount, bigEndian, desc, columnSet };
}
