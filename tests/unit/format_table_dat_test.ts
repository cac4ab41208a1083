import assert from "node:assert/strict";
import { AIPS_MAGIC, AipsWriter } from "../../src/format/aipsio.ts";
import { axesOf } from "../../src/format/column-set.ts";
import { writeRecord } from "../../src/format/record-io.ts";
import { TableRecord } from "../../src/format/table-record.ts";
import {
  type PlainTableDat,
  readTableDat,
  type RefTableDat,
  type TableDat,
  writeTableDat,
} from "../../src/format/table-dat.ts";
import { readTableDesc, writeTableDesc } from "../../src/format/table-desc.ts";
import { AipsReader } from "../../src/format/aipsio.ts";
import { newPlainTable, newTableDesc } from "../../src/format/new-table.ts";
import { assertSameBytes, failsWith } from "./format_help.ts";

const FILE = "t/table.dat";

/** Text as AipsIO has it, in hexadecimal. */
function s(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length.toString(16).padStart(8, "0") + bytes.toHex();
}

/** A uInt in hexadecimal. */
function u(...words: number[]): string {
  return words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

const EMPTY = u(53) + s("TableRecord") + u(1, 26) + s("RecordDesc") + u(2, 0, 1);
/** The first bytes of a StandardStMan's blob: it isn't looked into here. */
const BLOB = u(AIPS_MAGIC, 82) + s("SSM") + "00".repeat(71);

/** The worked example of the format reference, part 1, section 14. */
const EXAMPLE = u(AIPS_MAGIC, 528) + s("Table") + u(2, 2, 1) + s("PlainTable") +
  u(344) + s("TableDesc") + u(2) + s("") + s("") + s("") +
  u(96) + s("TableRecord") + u(1, 60) + s("RecordDesc") + u(2, 2) +
  s("VERSION") + u(7) + s("") + s("SUB") + u(11) + s("") +
  u(1) + u(0x40000000) + s("x") +
  EMPTY + u(1) +
  u(1) + s("ScalarColumnDesc<Int     ") + u(1) + s("ID") + s("") + s("StandardStMan") + s("StandardStMan") +
  u(5, 0, 0, 0) + EMPTY + u(1, 0) +
  u(-2, 2, 1, 1) + s("StandardStMan") + u(0) +
  u(2) + s("ID") + u(1, 0) +
  u(86) + BLOB;

function plain(table: TableDat): PlainTableDat {
  assert.equal(table.kind, "PlainTable");
  return table as PlainTableDat;
}

function hexTable(hex: string): TableDat {
  return readTableDat(Uint8Array.fromHex(hex), FILE);
}

Deno.test("the worked example of the reference is read and written byte for byte", () => {
  const bytes = Uint8Array.fromHex(EXAMPLE);
  assert.equal(bytes.length, 532);
  const table = plain(readTableDat(bytes, FILE));
  assert.equal(table.rowCount, 2);
  assert.equal(table.bigEndian, false);
  assert.deepEqual(new TableRecord(table.desc.keywords).toJSON(), { VERSION: 2, SUB: "x" });
  assert.equal(new TableRecord(table.desc.keywords).dtype("VERSION"), "float32");
  const column = table.desc.columns[0]!;
  assert.deepEqual([column.name, column.kind, column.dtype, column.ndim, column.defaultValue], [
    "ID",
    "scalar",
    "int32",
    0,
    0,
  ]);
  assert.deepEqual(table.columnSet.columns, [{ originalName: "ID", sequence: 0, shape: null }]);
  assert.equal(table.columnSet.managers[0]!.blob.toHex(), BLOB);
  assertSameBytes(writeTableDat(table), bytes, "worked example");
});

Deno.test("what readTableDat gives doesn't change when its bytes do", () => {
  const bytes = Uint8Array.fromHex(EXAMPLE);
  const table = plain(readTableDat(bytes, FILE));
  bytes.fill(0xff);
  assertSameBytes(writeTableDat(table), Uint8Array.fromHex(EXAMPLE), "table of changed bytes");
});

Deno.test("bytes behind a plain table's content are tolerated, inside the Table object and after it", () => {
  const outside = hexTable(EXAMPLE + "0102");
  const inside = hexTable(EXAMPLE.replace(u(AIPS_MAGIC, 528), u(AIPS_MAGIC, 530)) + "0102");
  for (const table of [outside, inside]) assert.equal(writeTableDat(table).toHex(), EXAMPLE);
});

Deno.test("every truncation of the worked example is refused as CORRUPT", () => {
  const bytes = Uint8Array.fromHex(EXAMPLE);
  for (let n = 0; n < bytes.length; n++) {
    const error = failsWith("CORRUPT", () => readTableDat(bytes.subarray(0, n), FILE));
    assert.equal(error.file, FILE);
    assert.ok(error.offset !== undefined && error.offset <= n);
  }
});

/** A table without columns and managers, of any version. */
function bare(version: number, header: string, desc: string, set: string): string {
  const body = s("Table") + u(version) + header + s("PlainTable") + desc + set;
  return u(AIPS_MAGIC, 4 + body.length / 2) + body;
}

function descOf(version: number, body: string): string {
  const all = s("TableDesc") + u(version) + body;
  return u(4 + all.length / 2) + all;
}

function recordOf(values: Record<string, unknown>): string {
  const w = new AipsWriter();
  writeRecord(w, TableRecord.from(values).toFields());
  return w.finish().toHex();
}

const NO_COLUMNS = descOf(2, s("") + s("") + s("") + EMPTY + EMPTY + u(0));
const NO_SET = u(-2, 0, 0, 0);

Deno.test("tables of version 1 have their keywords behind the description, which they overwrite", () => {
  const desc = descOf(2, s("") + s("") + s("") + recordOf({ a: 1, b: 2 }) + EMPTY + u(0));
  const table = plain(hexTable(bare(1, u(7, 0), desc + recordOf({ c: 5, b: 4 }), NO_SET)));
  assert.deepEqual(new TableRecord(table.desc.keywords).toJSON(), { a: 1, b: 4, c: 5 });
  assert.deepEqual([...new TableRecord(table.desc.keywords).keys()], ["a", "b", "c"]);
  assert.equal(table.rowCount, 7);
});

Deno.test("a row count past 2^31 - 1 takes version 3", () => {
  const table = plain(hexTable(bare(3, u(1, 5, 0), NO_COLUMNS, u(-3, 1, 5, 2, 4194304, 0, 0))));
  assert.equal(table.rowCount, 2 ** 32 + 5);
  assert.equal(table.columnSet.rowCount, 2 ** 32 + 5);
  assert.equal(writeTableDat(table).toHex(), bare(3, u(1, 5, 0), NO_COLUMNS, u(-3, 1, 5, 2, 4194304, 0, 0)));
  const short = writeTableDat({
    ...table,
    rowCount: 2 ** 31 - 1,
    columnSet: { ...table.columnSet, rowCount: 2 ** 31 - 1 },
  });
  assert.equal(short.toHex(), bare(2, u(2 ** 31 - 1, 0), NO_COLUMNS, u(-2, 2 ** 31 - 1, 0, 0)));
});

Deno.test("a MultiFile table has a ColumnSet of version 3", () => {
  const hex = bare(2, u(1, 1), NO_COLUMNS, u(-3, 0, 1, 0, 65536, 0, 0));
  const table = plain(hexTable(hex));
  assert.deepEqual([table.columnSet.storage, table.columnSet.blockSize], ["multifile", 65536]);
  assert.equal(writeTableDat(table).toHex(), hex);
  failsWith(
    "CORRUPT",
    () => hexTable(bare(2, u(1, 1), NO_COLUMNS, u(-3, 0, 1, 3, 65536, 0, 0))),
    /storage option/,
  );
});

Deno.test("unknown versions and kinds give UNSUPPORTED", () => {
  failsWith(
    "UNSUPPORTED",
    () => hexTable(bare(4, u(0, 0), NO_COLUMNS, NO_SET)),
    /Table has version 4, expected 1 to 3/,
  );
  failsWith(
    "UNSUPPORTED",
    () => hexTable(bare(2, u(0, 0), NO_COLUMNS, u(-4, 0, 0, 0))),
    /ColumnSet has version 4/,
  );
  failsWith(
    "UNSUPPORTED",
    () => hexTable(bare(2, u(0, 0), NO_COLUMNS, NO_SET).replace(s("PlainTable"), s("PaintTable"))),
  );
  failsWith(
    "UNSUPPORTED",
    () => hexTable(bare(2, u(0, 0), descOf(3, "00"), NO_SET)),
    /TableDesc has version 3/,
  );
  failsWith("CORRUPT", () => hexTable(bare(2, u(0, 2), NO_COLUMNS, NO_SET)), /endian flag is 2/);
});

/** Two Int columns, B before A, in the oldest layout. */
function oldTable(): string {
  const column = (name: string) =>
    u(1) + s("ScalarColumnDesc<Int     ") + u(1) + s(name) + s("") + s("StManAipsIO") + s("StManAipsIO") +
    u(5, 0, 0, 0) + recordOf({ own: name }) + u(1, 9);
  const bound = (name: string, sequence: number) =>
    u(1) + recordOf({ old: name, own: "new" }) + s(name) + u(1, sequence);
  return bare(
    1,
    u(3, 0),
    descOf(1, s("") + s("") + s("") + EMPTY + u(2) + column("B") + column("A")) + EMPTY,
    // ColumnSet version 1: no version, columns in the order of their names.
    u(3, 2, 2) + s("StManAipsIO") + u(0) + s("StManAipsIO") + u(1) + bound("A", 0) + bound("B", 1) + u(0, 0),
  );
}

Deno.test("the oldest layout has columns by name and their keywords in the ColumnSet", () => {
  const table = plain(hexTable(oldTable()));
  assert.deepEqual(table.desc.columns.map((c) => c.name), ["B", "A"]);
  assert.deepEqual(table.columnSet.columns.map((c) => [c.originalName, c.sequence]), [["B", 1], ["A", 0]]);
  assert.deepEqual(new TableRecord(table.desc.columns[0]!.keywords).toJSON(), { own: "new", old: "B" });
  assert.equal(table.columnSet.rowCount, 3);
  const again = plain(readTableDat(writeTableDat(table), FILE));
  assert.deepEqual(again, table, "what is written in the current version says the same");
});

Deno.test("a column of a class of some program's own doesn't keep the rest from being read", () => {
  const other = (name: string, className: string, more: string) =>
    u(1) + s(className) + u(1) + s(name) + s("") + s("X") + s("X") + u(26, 0, className[0] === "A" ? -1 : 0) +
    more;
  const table = hexTable(bare(
    2,
    u(0, 0),
    descOf(
      2,
      s("") + s("") + s("") + EMPTY + EMPTY + u(2) +
        other("a", "ScalarColumnDesc<MyClass", u(0) + EMPTY + u(1)) +
        other("b", "ArrayColumnDesc<MyClass", u(25) + s("IPosition") + u(1, 0) + u(0) + EMPTY + u(1) + "00"),
    ),
    u(-2, 0, 1, 1) + s("X") + u(0) + u(2) + s("a") + u(1, 0) + u(2) + s("b") + u(1, 0) + "00" + u(0),
  ));
  assert.deepEqual(plain(table).desc.columns.map((c) => [c.name, c.kind, c.dtype, c.className]), [
    ["a", "scalar", null, "ScalarColumnDesc<MyClass"],
    ["b", "array", null, "ArrayColumnDesc<MyClass"],
  ]);
  assert.deepEqual(readTableDat(writeTableDat(table), FILE), table);
});

Deno.test("a subtable's description nests, and too deep a nesting is refused", () => {
  const inner = newTableDesc({ columns: [{ name: "X", kind: "scalar", dtype: "float32" }] });
  const wrap = (desc: typeof inner): typeof inner => ({
    ...inner,
    columns: [{
      ...inner.columns[0]!,
      name: "SUB",
      kind: "subtable",
      dtype: null,
      className: "SubTableDesc",
      code: 12,
      ndim: 1,
      subtable: { descName: "d", desc },
    }],
  });
  const roundTrip = (desc: typeof inner) => {
    const w = new AipsWriter();
    writeTableDesc(w, desc);
    return readTableDesc(new AipsReader(w.finish(), { file: FILE }));
  };
  const { defaultValue: _, ...column } = wrap(inner).columns[0]!;
  assert.deepEqual(roundTrip(wrap(inner)), { ...inner, columns: [column] });
  let deep = inner;
  for (let i = 0; i < 600; i++) deep = wrap(deep);
  failsWith("LIMIT", () => roundTrip(deep));
});

Deno.test("a shape in the ColumnSet wins over the description's number of axes", () => {
  const desc = newTableDesc({ columns: [{ name: "A", kind: "array", dtype: "float32", ndim: -1 }] });
  assert.equal(axesOf(desc.columns[0]!, { originalName: "A", sequence: 0, shape: [2, 3] }), 2);
  assert.equal(axesOf(desc.columns[0]!, { originalName: "A", sequence: 0, shape: null }), -1);
});

Deno.test("columns in unknown managers, and managers or columns that occur twice, are refused", () => {
  const desc = newTableDesc({
    columns: [{ name: "A", kind: "scalar", dtype: "bool" }, { name: "B", kind: "scalar", dtype: "bool" }],
  });
  const table = newPlainTable(desc, { rowCount: 0, bigEndian: false });
  const read = (change: Partial<PlainTableDat>) => () =>
    readTableDat(writeTableDat({ ...table, ...change }), FILE);
  const { columnSet } = table;
  read({})();
  const columns = columnSet.columns.map((column) => ({ ...column, sequence: 3 }));
  failsWith(
    "CORRUPT",
    read({ columnSet: { ...columnSet, columns } }),
    /column "A" lies in data manager 3, there is none/,
  );
  const managers = [...columnSet.managers, ...columnSet.managers];
  failsWith(
    "CORRUPT",
    read({ columnSet: { ...columnSet, managers } }),
    /two data managers have sequence number 0/,
  );
  failsWith(
    "CORRUPT",
    read({ desc: { ...desc, columns: [desc.columns[0]!, desc.columns[0]!] } }),
    /"A" occurs twice/,
  );
});

const REF: RefTableDat = {
  kind: "RefTable",
  rowCount: 3,
  parent: "././MAIN",
  columns: [{ name: "z", parentName: "Z" }, { name: "a", parentName: "Q" }],
  parentRowCount: 10,
  rowOrder: false,
  rows: Uint32Array.of(9, 0, 9),
};

Deno.test("reference tables are laid out as the reference says, columns mapped in byte order", () => {
  const map = s("SimpleOrderedMap") + u(1) + s("") + u(2, 1) + s("a") + s("Q") + s("z") + s("Z");
  const names = s("Array") + u(3, 1, 2, 2) + s("z") + s("a");
  const framed = (body: string) => u(4 + body.length / 2) + body;
  const hex = u(AIPS_MAGIC) +
    framed(
      s("Table") + u(2, 3, 0) + s("RefTable") +
        framed(
          s("RefTable") + u(2) + s("././MAIN") + framed(map) + framed(names) + u(10) + "00" + u(3, 9, 0, 9),
        ),
    );
  assertSameBytes(writeTableDat(REF), Uint8Array.fromHex(hex), "RefTable");
  assert.deepEqual(hexTable(hex), REF);
  // Version 1 has no names: the columns are in the order of the map.
  const first = hex.replace(framed(names), "").replace(s("RefTable") + u(2), s("RefTable") + u(1));
  const short = names.length / 2 + 4;
  const fixed = first.replace(
    u(AIPS_MAGIC) + first.slice(8, 16),
    u(AIPS_MAGIC, parseInt(first.slice(8, 16), 16) - short),
  );
  const at = fixed.indexOf(s("RefTable") + u(1)) - 8;
  const old = fixed.slice(0, at) + u(parseInt(fixed.slice(at, at + 8), 16) - short) + fixed.slice(at + 8);
  assert.deepEqual(hexTable(old), { ...REF, columns: [...REF.columns].reverse() });
});

Deno.test("reference tables take version 3 from row 2^32 - 1 on", () => {
  const count = 2 ** 32 - 2;
  const table = { ...REF, parentRowCount: count, rows: Uint32Array.of(count - 1, 0, 1) };
  assert.deepEqual(readTableDat(writeTableDat(table), FILE), table);
  const wide = { ...table, parentRowCount: count + 1 };
  const read = readTableDat(writeTableDat(wide), FILE) as RefTableDat;
  assert.deepEqual(read, { ...wide, rows: Float64Array.of(count - 1, 0, 1) });
  const far = { ...wide, parentRowCount: 2 ** 40, rows: Float64Array.of(2 ** 40 - 1, 5, 6) };
  assert.deepEqual(readTableDat(writeTableDat(far), FILE), far);
});

Deno.test("reference tables are refused when their rows or columns can't be", () => {
  const read = (change: Partial<RefTableDat>) => () =>
    readTableDat(writeTableDat({ ...REF, ...change }), FILE);
  failsWith("CORRUPT", read({ rows: Uint32Array.of(9, 10, 0) }), /row 1 is row 10 of a parent with 10 rows/);
  failsWith("CORRUPT", read({ rowCount: 4 }), /4 rows lists 3/);
  const bytes = writeTableDat({ ...REF, rows: new Uint32Array(0), rowCount: 0 });
  // The count in both places, without the rows.
  new DataView(bytes.buffer).setUint32(bytes.length - 4, 0xffffffff);
  new DataView(bytes.buffer).setUint32(21, 0xffffffff);
  failsWith("CORRUPT", () => readTableDat(bytes, FILE), /4294967295 row numbers don't fit into 0 bytes/);
});

Deno.test("concatenated tables are read and written", () => {
  const table: TableDat = {
    kind: "ConcatTable",
    rowCount: 5,
    tables: ["./a", "././SUB/b"],
    subtables: ["ANTENNA"],
  };
  const framed = (body: string) => u(4 + body.length / 2) + body;
  const hex = u(AIPS_MAGIC) +
    framed(
      s("Table") + u(2, 5, 0) + s("ConcatTable") +
        framed(
          s("ConcatTable") + u(0, 2) + s("./a") + s("././SUB/b") +
            framed(s("Block") + u(1, 1) + s("ANTENNA")),
        ),
    );
  assertSameBytes(writeTableDat(table), Uint8Array.fromHex(hex), "ConcatTable");
  assert.deepEqual(hexTable(hex), table);
  failsWith("CORRUPT", () => readTableDat(writeTableDat({ ...table, tables: [] }), FILE), /no tables/);
  failsWith("CORRUPT", () => hexTable(hex.slice(0, -2)));
});

Deno.test("text that isn't UTF-8 keeps its bytes in names, comments and keywords", () => {
  const latin = EXAMPLE.replaceAll(s("ID"), u(2) + "e9ff").replace(s("x"), u(1) + "b5");
  assert.equal(writeTableDat(hexTable(latin)).toHex(), latin);
});

Deno.test("columns whose class, type, axes or shape can't be are refused", () => {
  const scalar = s("StandardStMan") + u(5, 0, 0, 0);
  assert.equal(EXAMPLE.split(scalar).length, 2);
  const wrong = (words: number[]) => () =>
    hexTable(EXAMPLE.replace(scalar, s("StandardStMan") + u(...words)));
  wrong([5, 0, -1, 0])();
  failsWith("CORRUPT", wrong([5, 0, -2, 0]), /column "ID" has -2 axes/);
  failsWith(
    "CORRUPT",
    wrong([7, 0, 0, 0]),
    /column "ID" of class "ScalarColumnDesc<Int {5}" has type code 7/,
  );
  failsWith("CORRUPT", wrong([25, 0, 0, 0]), /type code 25/);
  const named = (name: string) => () => hexTable(EXAMPLE.replace(s("ScalarColumnDesc<Int     "), s(name)));
  failsWith("CORRUPT", named("ArrayColumnDesc<Int      "), /type code 5/);
  failsWith("UNSUPPORTED", named("ScalarColumnDecs<Int     "), /unknown column class/);
  const array = newTableDesc({ columns: [{ name: "A", kind: "array", dtype: "float32", shape: [7, 9] }] });
  const bytes = writeTableDat(newPlainTable(array, { rowCount: 0, bigEndian: false }));
  const hex = bytes.toHex();
  const shape = s("IPosition") + u(1, 2, 7, 9);
  assert.equal(hex.split(shape).length, 3);
  failsWith(
    "CORRUPT",
    () => hexTable(hex.replace(shape, s("IPosition") + u(1, 2, -1, 9))),
    /a fixed shape is \[-1, 9\]/,
  );
  const last = hex.lastIndexOf(shape);
  const inSet = hex.slice(0, last) + s("IPosition") + u(1, 2, 7, -1) + hex.slice(last + shape.length);
  failsWith("CORRUPT", () => hexTable(inSet), /a fixed shape is \[7, -1\]/);
});
