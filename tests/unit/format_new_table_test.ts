import assert from "node:assert/strict";
import { type ColumnDesc, OPTION_DIRECT, OPTION_FIXED_SHAPE } from "../../src/format/column-desc.ts";
import {
  type NewColumn,
  newColumnDesc,
  newPlainTable,
  newTableDesc,
  withBlobs,
  withRowCount,
} from "../../src/format/new-table.ts";
import { type PlainTableDat, readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { TableRecord } from "../../src/format/table-record.ts";
import { assertSameBytes, failsWith } from "./format_help.ts";

const TABLES = new URL("../fixtures/tables/", import.meta.url).pathname;

/** What casacore wrote, as bytes and read, and the blobs in it by sequence number. */
function golden(name: string): { bytes: Uint8Array; table: PlainTableDat; blobs: Map<number, Uint8Array> } {
  const bytes = Deno.readFileSync(`${TABLES}${name}/table.dat`);
  const table = readTableDat(bytes, name) as PlainTableDat;
  return { bytes, table, blobs: new Map(table.columnSet.managers.map((m) => [m.sequence, m.blob])) };
}

Deno.test("a new table's table.dat is casacore's, byte for byte, but for the managers' blobs", () => {
  for (const [name, bigEndian] of [["minimal_le", false], ["minimal_be", true]] as const) {
    const { bytes, blobs } = golden(name);
    const keywords = new TableRecord();
    keywords.set("VERSION", 2, "float32");
    keywords.set("SUB", "x");
    const desc = newTableDesc({
      columns: [{ name: "ID", kind: "scalar", dtype: "int32" }],
      keywords: keywords.toFields(),
    });
    const table = newPlainTable(desc, { rowCount: 2, bigEndian });
    assertSameBytes(writeTableDat(withBlobs(table, blobs)), bytes, name);
  }
});

const SCALAR: NewColumn = { name: "S", kind: "scalar", dtype: "int32" };
const ARRAY: NewColumn = { name: "A", kind: "array", dtype: "complex64", shape: [4, 64] };

Deno.test("options and axes of a column follow from its shape", () => {
  const facts = (column: ColumnDesc) => [column.options, column.ndim, column.shape, column.className];
  assert.deepEqual(facts(newColumnDesc(SCALAR)), [0, 0, [], "ScalarColumnDesc<Int     "]);
  assert.deepEqual(facts(newColumnDesc(ARRAY)), [OPTION_FIXED_SHAPE, 2, [4, 64], "ArrayColumnDesc<Complex "]);
  assert.deepEqual(facts(newColumnDesc({ ...ARRAY, direct: true }))[0], OPTION_FIXED_SHAPE + OPTION_DIRECT);
  assert.deepEqual(facts(newColumnDesc({ ...ARRAY, shape: null })).slice(0, 3), [0, -1, []]);
  assert.deepEqual(facts(newColumnDesc({ ...ARRAY, shape: null, ndim: 3 })).slice(0, 3), [0, 3, []]);
  const record = newColumnDesc({ name: "R", kind: "record", dtype: "record" });
  assert.deepEqual(facts(record), [0, 0, [], "ScalarRecordColumnDesc"]);
  assert.equal(record.defaultValue, undefined);
  assert.deepEqual(newColumnDesc({ ...SCALAR, dtype: "complex128" }).defaultValue, [0, 0]);
  assert.equal(newColumnDesc({ ...SCALAR, defaultValue: 5 }).defaultValue, 5);
});

Deno.test("columns that the format has no place for are refused", () => {
  const bad: Partial<NewColumn>[] = [
    { name: "" },
    { name: "\ud800" },
    { dtype: "record" },
    { shape: [2] },
    { direct: true },
    { maxLength: 5 },
    { kind: "array", shape: [-1] },
    { kind: "array", shape: [1.5] },
    { kind: "array", direct: true },
    { kind: "array", ndim: 0 },
    { kind: "array", ndim: -2 },
  ];
  for (const change of bad) {
    failsWith("INVALID_ARGUMENT", () => newColumnDesc({ ...SCALAR, ...change }), /^column "/);
  }
  failsWith("INVALID_ARGUMENT", () => newTableDesc({ columns: [SCALAR, SCALAR] }), /described twice/);
});

Deno.test("a hypercolumn becomes a private keyword, and its columns wish for a tiled manager", () => {
  const free: NewColumn = { name: "F", kind: "array", dtype: "float32", ndim: 2 };
  const axis: NewColumn = { name: "X", kind: "array", dtype: "float64", ndim: 1 };
  const columns = [SCALAR, ARRAY, free, axis];
  const desc = newTableDesc({
    columns,
    hypercolumns: [
      { name: "H", ndim: 3, data: ["A"], coord: ["X", "", ""], id: ["S"] },
      { name: "G", ndim: 3, data: ["F"] },
    ],
  });
  assert.deepEqual(new TableRecord(desc.privateKeywords).toJSON(), {
    Hypercolumn_H: {
      ndim: 3,
      data: { shape: [1], data: ["A"] },
      coord: { shape: [3], data: ["X", "", ""] },
      id: { shape: [1], data: ["S"] },
    },
    Hypercolumn_G: {
      ndim: 3,
      data: { shape: [1], data: ["F"] },
      coord: { shape: [0], data: [] },
      id: { shape: [0], data: [] },
    },
  });
  assert.deepEqual(desc.columns.map((c) => [c.name, c.managerType, c.managerGroup]), [
    ["S", "TiledColumnStMan", "H"],
    ["A", "TiledColumnStMan", "H"],
    ["F", "TiledShapeStMan", "G"],
    ["X", "TiledColumnStMan", "H"],
  ]);
  const define = (more: object) => () =>
    newTableDesc({ columns, hypercolumns: [{ name: "H", ndim: 3, data: ["A"], ...more }] });
  failsWith("NO_SUCH_COLUMN", define({ data: ["Q"] }), /hypercolumn H: there is no column Q/);
  failsWith("INVALID_ARGUMENT", define({ data: [] }));
  failsWith("INVALID_ARGUMENT", define({ coord: ["X"] }), /1 coordinate columns, expected 0 or 3/);
});

Deno.test("managers are numbered in the order given, then as the remaining columns wish", () => {
  const desc = newTableDesc({
    columns: [
      { ...SCALAR, name: "a" },
      { ...SCALAR, name: "b", managerType: "IncrementalStMan" },
      { ...SCALAR, name: "c" },
      { ...SCALAR, name: "d", managerType: "IncrementalStMan", managerGroup: "other" },
      { ...SCALAR, name: "e", managerType: "IncrementalStMan" },
    ],
  });
  const { columnSet } = newPlainTable(desc, {
    rowCount: 0,
    bigEndian: false,
    managers: [{ type: "StManAipsIO", columns: [] }, { type: "StandardStMan", columns: ["c"] }],
  });
  assert.deepEqual(columnSet.columns.map((c) => c.sequence), [2, 3, 1, 4, 3]);
  assert.deepEqual(columnSet.managers.map((m) => [m.type, m.sequence]), [
    ["StandardStMan", 1],
    ["StandardStMan", 2],
    ["IncrementalStMan", 3],
    ["IncrementalStMan", 4],
  ]);
  assert.equal(columnSet.sequenceCount, 5);
  const bind = (...managers: { type: string; columns: string[] }[]) => () =>
    newPlainTable(desc, { rowCount: 0, bigEndian: false, managers });
  failsWith("NO_SUCH_COLUMN", bind({ type: "X", columns: ["z"] }));
  failsWith("INVALID_ARGUMENT", bind({ type: "X", columns: ["a"] }, { type: "Y", columns: ["a"] }));
});

Deno.test("withRowCount() changes both row counts", () => {
  const table = newPlainTable(newTableDesc({ columns: [] }), { rowCount: 3, bigEndian: true });
  const more = readTableDat(writeTableDat(withRowCount(table, 2 ** 31)), "t") as PlainTableDat;
  assert.deepEqual([more.rowCount, more.columnSet.rowCount], [2 ** 31, 2 ** 31]);
});
