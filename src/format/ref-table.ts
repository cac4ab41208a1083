/**
 * Reference tables, rows and columns of another table: format reference part 1, section 9.
 *
 * | object `RefTable` v1–v3 | type | |
 * | --- | --- | --- |
 * | parent | String | stored name, see names.ts |
 * | name map | object `SimpleOrderedMap` v1 | String default, uInt n, uInt increment, n × (String here, String in the parent), ascending |
 * | names | object `Array` of String | names here in column order; not in version 1 |
 * | parent nrow | uInt (v1, v2), uInt64 (v3) | |
 * | row order | Bool | "rows ascending", not to be trusted |
 * | nrow | uInt, uInt64 | that of the Table object |
 * | rows | nrow × uInt, uInt64 | no count in front |
 */
import type { AipsReader, AipsWriter } from "./aipsio.ts";
import { readArray, readValues, writeArray, writeValues } from "./array-io.ts";
import { compareBytes } from "./order.ts";

/** From this number on, version 3 is needed: casacore keeps the largest uInt for itself. */
const FIRST_LONG_NUMBER = 4_294_967_295;

/** A column of a reference table. */
export interface RefColumn {
  readonly name: string;
  /** Its name in the parent. */
  readonly parentName: string;
}

/** What is special about a reference table. */
export interface RefTableBody {
  /** Stored name of the table with the data, see names.ts; never a reference table itself when casacore wrote it. */
  readonly parent: string;
  readonly columns: readonly RefColumn[];
  /** Rows of the parent when the file was written; fewer now is an error. */
  readonly parentRowCount: number;
  /** "Rows are in ascending order", often untrue. */
  readonly rowOrder: boolean;
  /** Row numbers in the parent, each less than `parentRowCount`. */
  readonly rows: Uint32Array | Float64Array;
}

/** Reads a RefTable object of a table with `rowCount` rows. @throws TableError CORRUPT, UNSUPPORTED */
export function readRefTable(r: AipsReader, rowCount: number): RefTableBody {
  const at = r.offset;
  const { version } = r.begin("RefTable");
  if (version < 1 || version > 3) r.unsupported(`RefTable has version ${version}, expected 1 to 3`, at);
  const parent = r.string();
  const map = readNameMap(r);
  const namesAt = r.offset;
  const names = version === 1 ? [...map.keys()] : readArray(r, "string").data as readonly string[];
  const columns = names.map((name): RefColumn => {
    const parentName = map.get(name);
    if (parentName === undefined) {
      r.fail(`column ${JSON.stringify(name.slice(0, 80))} has no name in the parent`, namesAt);
    }
    return { name, parentName };
  });
  if (new Set(names).size < names.length) r.fail("a column name occurs twice", namesAt);
  const wide = version === 3;
  const parentRowCount = wide ? r.uint64() : r.u32();
  const rowOrder = r.bool();
  const countAt = r.offset;
  const count = wide ? r.uint64() : r.u32();
  if (count !== rowCount) r.fail(`a reference table of ${rowCount} rows lists ${count}`, countAt);
  const rowsAt = r.offset;
  if (count * (wide ? 8 : 4) > r.remaining()) {
    r.fail(`${count} row numbers don't fit into ${r.remaining()} bytes`);
  }
  const rows = wide ? readLongRows(r, count) : readValues(r, "uint32", count);
  for (let i = 0; i < rows.length; i++) {
    if (rows[i]! < parentRowCount) continue;
    r.fail(`row ${i} is row ${rows[i]} of a parent with ${parentRowCount} rows`, rowsAt + i * (wide ? 8 : 4));
  }
  r.end();
  return { parent, columns, parentRowCount, rowOrder, rows };
}

/** Writes a RefTable object, version 3 exactly if a number needs it. */
export function writeRefTable(w: AipsWriter, table: RefTableBody): void {
  const wide = table.parentRowCount >= FIRST_LONG_NUMBER || table.rows.length >= FIRST_LONG_NUMBER ||
    table.rows.some((row) => row >= FIRST_LONG_NUMBER);
  const number = (value: number) => wide ? w.u64(value) : w.u32(value);
  w.begin("RefTable", wide ? 3 : 2);
  w.string(table.parent);
  w.begin("SimpleOrderedMap", 1);
  w.string("");
  w.u32(table.columns.length);
  w.u32(1);
  for (const { name, parentName } of [...table.columns].sort((a, b) => compareBytes(a.name, b.name))) {
    w.string(name);
    w.string(parentName);
  }
  w.end();
  const names = table.columns.map((column) => column.name);
  writeArray(w, "Array", { dtype: "string", shape: [names.length], data: names });
  number(table.parentRowCount);
  w.bool(table.rowOrder);
  number(table.rows.length);
  if (wide) { for (const row of table.rows) w.u64(row); }
  else {writeValues(
      w,
      "uint32",
      table.rows instanceof Uint32Array ? table.rows : Uint32Array.from(table.rows),
    );}
  w.end();
}

function readNameMap(r: AipsReader): Map<string, string> {
  const at = r.offset;
  const { version } = r.begin("SimpleOrderedMap");
  if (version !== 1) r.unsupported(`SimpleOrderedMap has version ${version}, expected 1`, at);
  r.string();
  const count = r.u32();
  r.u32();
  if (count * 8 > r.remaining()) r.fail(`${count} names don't fit into ${r.remaining()} bytes`, at);
  const map = new Map<string, string>();
  for (let i = 0; i < count; i++) map.set(r.string(), r.string());
  r.end();
  return map;
}

function readLongRows(r: AipsReader, count: number): Float64Array {
  const rows = new Float64Array(count);
  for (let i = 0; i < count; i++) rows[i] = r.uint64();
  return rows;
}
