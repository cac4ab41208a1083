/**
 * `table.dat`, `table.lock` and `table.info` that casacore wrote, on this machine or on request: what is read is what
 * casacore says of them, and what is written again is the same bytes.
 */
import assert from "node:assert/strict";
import { type DType, NUMERIC_TYPES } from "../../src/array/dtype.ts";
import {
  type NewColumn,
  type NewHypercolumn,
  newPlainTable,
  newTableDesc,
  withBlobs,
} from "../../src/format/new-table.ts";
import { type PlainTableDat, readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { resolveStoredName, storedName } from "../../src/format/names.ts";
import { type TableKeyword, TableRecord } from "../../src/format/table-record.ts";
import { readTableInfo, writeTableInfo } from "../../src/format/table-info.ts";
import { readTableLock, rowCountOf, writeTableLock } from "../../src/format/table-lock.ts";
import { assertSameBytes, failsWith } from "../unit/format_help.ts";
import type { JobColumn } from "./oracle/values.ts";
import {
  type Job,
  type JobManager,
  oracleRows,
  oracleSchema,
  oracleWrite,
  peerTest,
  temporaryFolder,
} from "./peer.ts";

/** Tables of the Debian packages python3-casa-formats-io and casacore-data. */
const REAL_TABLES = [
  "/usr/lib/python3/dist-packages/casa_formats_io/casa_low_level_io/tests/data",
  "/usr/share/casacore/data",
];

function tablesIn(folder: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.name === "table.dat") found.push(folder);
    else if (Deno.statSync(path).isDirectory) found.push(...tablesIn(path));
  }
  return found.sort();
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Reads and writes again a table's three files; they must not change. */
function assertRoundTrip(table: string): void {
  const file = `${table}/table.dat`;
  const bytes = Deno.readFileSync(file);
  assertSameBytes(writeTableDat(readTableDat(bytes, file)), bytes, file);
  const lock = `${table}/table.lock`;
  if (exists(lock)) {
    const content = Deno.readFileSync(lock);
    const length = content.length > 264 ? 264 + new DataView(content.buffer).getUint32(260) : content.length;
    assertSameBytes(writeTableLock(readTableLock(content, lock)), content.subarray(0, length), lock);
  }
  const info = `${table}/table.info`;
  if (exists(info)) {
    const content = Deno.readFileSync(info);
    assertSameBytes(writeTableInfo(readTableInfo(content)), content, info);
  }
}

for (const folder of REAL_TABLES) {
  const ignore = !exists(folder);
  Deno.test({
    name: `real tables in ${folder} are written again byte for byte${ignore ? " (not installed)" : ""}`,
    ignore,
    fn: () => {
      const tables = tablesIn(folder);
      assert.ok(tables.length > 0);
      for (const table of tables) assertRoundTrip(table);
    },
  });
}

const DTYPES: readonly DType[] = [...NUMERIC_TYPES.filter((d) => d !== "uint16"), "string"];

/** Columns of every type and kind of shape, with comments, keywords and longest strings. */
function everyColumn(): JobColumn[] {
  return DTYPES.flatMap((dtype): JobColumn[] => [
    { name: `s_${dtype}`, dtype, comment: `a ${dtype}` },
    { name: `v_${dtype}`, dtype, kind: "array" },
    { name: `n_${dtype}`, dtype, kind: "array", ndim: 3 },
    { name: `f_${dtype}`, dtype, kind: "array", shape: [2, 3], comment: "fixed" },
    { name: `d_${dtype}`, dtype, kind: "array", shape: [5], direct: true },
  ]).concat([
    { name: "rec", dtype: "record", kind: "record" },
    { name: "max", dtype: "string", maxLength: 12 },
    { name: "maxes", dtype: "string", kind: "array", shape: [3], direct: true, maxLength: 7 },
    { name: "Ωé", dtype: "float64", comment: "a name that isn't ASCII" },
  ]);
}

/** Keywords of every type as operations on a table, or on a column of it. */
function everyKeyword(column?: string): NonNullable<Job["operations"]> {
  const of = column === undefined ? {} : { column };
  const values: Record<string, unknown> = {
    bool: true,
    uint8: 200,
    int16: -7,
    int32: -70000,
    uint32: 4000000000,
    int64: "-9007199254740993",
    float32: 1.5,
    float64: 0.1,
    complex64: [1, -2],
    complex128: [0.1, 0.2],
    string: "text é",
  };
  const flat = (dtype: string) => dtype.startsWith("complex") ? [1, 2, 3, 4] : [values[dtype], values[dtype]];
  return [
    ...DTYPES.map((dtype) => ({
      op: "setkeyword" as const,
      key: `k_${dtype}`,
      value: values[dtype],
      dtype,
      ...of,
    })),
    ...DTYPES.map((dtype) => ({
      op: "setkeyword" as const,
      key: `a_${dtype}`,
      value: { shape: [2], data: flat(dtype) },
      dtype: `${dtype}[]`,
      ...of,
    })),
    { op: "setkeyword", key: "sub", value: { n: 1, deeper: { text: "x", empty: {} } }, ...of },
  ];
}

/** The description that Tessera makes of a job's columns. */
function newColumns(columns: readonly JobColumn[]): NewColumn[] {
  return columns.map((column) => ({
    name: column.name,
    kind: column.kind ?? "scalar",
    dtype: column.dtype,
    ...(column.shape === undefined ? {} : { shape: column.shape }),
    ...(column.ndim === undefined ? {} : { ndim: column.ndim }),
    ...(column.direct === undefined ? {} : { direct: column.direct }),
    ...(column.maxLength === undefined ? {} : { maxLength: column.maxLength }),
    ...(column.comment === undefined ? {} : { comment: column.comment }),
  }));
}

/** Has casacore make a table, makes the same description here, and compares the bytes of both. */
async function assertSameAsCasacore(job: Omit<Job, "table">): Promise<void> {
  using folder = temporaryFolder();
  const table = `${folder.path}/t`;
  await oracleWrite({ table, fill: false, ...job });
  assertRoundTrip(table);
  const file = `${table}/table.dat`;
  const bytes = Deno.readFileSync(file);
  const read = readTableDat(bytes, file) as PlainTableDat;
  const desc = newTableDesc({
    columns: newColumns(job.columns ?? []),
    hypercolumns: Object.entries(job.hypercolumns ?? {}).map(([name, given]): NewHypercolumn => ({
      name,
      ...given,
    })),
  });
  const made = newPlainTable(desc, {
    rowCount: job.rows ?? 0,
    bigEndian: job.byteOrder === "big",
    managers: (job.managers ?? []).map(({ type, columns }) => ({ type, columns })),
    ...(job.storage === undefined ? {} : { storage: job.storage, blockSize: job.blockSize! }),
  });
  const blobs = new Map(read.columnSet.managers.map((manager) => [manager.sequence, manager.blob]));
  assertSameBytes(writeTableDat(withBlobs(made, blobs)), bytes, file);
}

const SCALARS = everyColumn().filter((c) => c.kind === undefined);
const FIXED = everyColumn().filter((c) => c.shape !== undefined);
const NUMBERS: JobColumn[] = [
  { name: "DATA", dtype: "complex64", kind: "array", shape: [4, 8] },
  { name: "FLAG", dtype: "bool", kind: "array", shape: [4, 8] },
  { name: "WEIGHT", dtype: "float32", kind: "array", ndim: 1 },
  { name: "TIME", dtype: "float64" },
  { name: "FREQ", dtype: "float64", kind: "array", shape: [8] },
  { name: "ID", dtype: "int32" },
];
const SAME: Record<string, Omit<Job, "table">> = {
  "scalars of every type": { columns: SCALARS, rows: 3 },
  "big-endian data": { columns: SCALARS, rows: 3, byteOrder: "big" },
  "fixed and direct arrays": { columns: FIXED, rows: 1 },
  "columns of every kind": { columns: everyColumn(), rows: 2 },
  "no rows": { columns: everyColumn(), rows: 0 },
  "several managers": {
    columns: NUMBERS,
    rows: 4,
    managers: [
      { type: "TiledShapeStMan", name: "T", columns: ["DATA"], spec: { DEFAULTTILESHAPE: [4, 8, 2] } },
      { type: "IncrementalStMan", name: "I", columns: ["TIME"] },
      { type: "StManAipsIO", name: "O", columns: ["ID", "WEIGHT"] },
      { type: "StandardStMan", name: "S", columns: ["FREQ"], spec: { BUCKETROWS: 7 } },
    ],
  },
  "a manager for the columns that remain": {
    columns: NUMBERS,
    rows: 4,
    managers: [{
      type: "TiledColumnStMan",
      name: "T",
      columns: ["DATA"],
      spec: { DEFAULTTILESHAPE: [4, 8, 2] },
    }],
  },
  "hypercolumns": {
    columns: NUMBERS,
    rows: 2,
    hypercolumns: { H: { ndim: 3, data: ["DATA", "FLAG"] }, G: { ndim: 2, data: ["WEIGHT"] } },
    managers: [
      {
        type: "TiledColumnStMan",
        name: "H",
        columns: ["DATA", "FLAG"],
        spec: { DEFAULTTILESHAPE: [4, 8, 2] },
      },
      { type: "TiledShapeStMan", name: "G", columns: ["WEIGHT"], spec: { DEFAULTTILESHAPE: [8, 2] } },
    ],
  },
  "a hypercolumn with coordinates": {
    columns: NUMBERS,
    rows: 2,
    hypercolumns: { H: { ndim: 3, data: ["DATA"], coord: ["", "FREQ", "TIME"] } },
    managers: [
      {
        type: "TiledColumnStMan",
        name: "H",
        columns: ["DATA", "FREQ", "TIME"],
        spec: { DEFAULTTILESHAPE: [4, 8, 2] },
      },
    ],
  },
  "a MultiFile": { columns: NUMBERS, rows: 2, storage: "multifile", blockSize: 4096 },
};
for (const [name, job] of Object.entries(SAME)) {
  peerTest(`a new table's table.dat is casacore's, byte for byte: ${name}`, () => assertSameAsCasacore(job));
}

peerTest(
  "keywords of every type, of a table and of a column, are read and written as casacore does",
  async () => {
    using folder = temporaryFolder();
    const table = `${folder.path}/t`, other = `${folder.path}/t/SUB`;
    await oracleWrite({
      table,
      rows: 1,
      fill: false,
      columns: [{ name: "C", dtype: "int32" }],
      operations: [...everyKeyword(), ...everyKeyword("C")],
    });
    await oracleWrite({ table: other, columns: [{ name: "X", dtype: "bool" }], fill: false });
    await oracleWrite({ table, open: true, operations: [{ op: "subtable", key: "SUB", table: other }] });
    assertRoundTrip(table);
    const schema = await oracleSchema(table);
    const read = readTableDat(Deno.readFileSync(`${table}/table.dat`), table) as PlainTableDat;
    const keywords = new TableRecord(read.desc.keywords);
    assert.deepEqual(JSON.parse(JSON.stringify(keywords)), { ...schema.keywords, SUB: { table: "././SUB" } });
    const column = new TableRecord(read.desc.columns[0]!.keywords);
    assert.deepEqual(JSON.parse(JSON.stringify(column)), schema.columns[0]!.keywords);
    for (const record of [keywords, column]) {
      for (const dtype of DTYPES) {
        assert.equal(record.dtype(`k_${dtype}`), dtype);
        assert.equal(record.dtype(`a_${dtype}`), dtype);
        assert.equal(record.kind(`a_${dtype}`), "array");
      }
    }
  },
);

peerTest("casacore reads keywords that Tessera wrote into its table.dat", async () => {
  using folder = temporaryFolder();
  const table = `${folder.path}/t`;
  await oracleWrite({ table, rows: 1, fill: false, columns: [{ name: "C", dtype: "int32" }] });
  const file = `${table}/table.dat`;
  const read = readTableDat(Deno.readFileSync(file), file) as PlainTableDat;
  const keywords = new TableRecord();
  keywords.set("flags", [true, false, true]);
  keywords.set("matrix", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
  keywords.set("z", [1, -1], "complex128");
  keywords.set("zs", Float32Array.of(1, 2, 3, 4), "complex64");
  keywords.set("long", -(2n ** 60n));
  keywords.set("small", 7, "uint8");
  keywords.set("names", ["a", "", "é"]);
  keywords.set("none", [], "string");
  keywords.set("sub", { n: 1, sub: { x: 0.5, list: [1, 2] }, empty: {} });
  keywords.setComment("sub", "a comment");
  const desc = { ...read.desc, keywords: keywords.toFields() };
  Deno.writeFileSync(file, writeTableDat({ ...read, desc }));
  const schema = await oracleSchema(table);
  assert.deepEqual(schema.keywords, JSON.parse(JSON.stringify(keywords)));
  // casacore writes them again as Tessera did.
  await oracleWrite({
    table,
    open: true,
    operations: [{ op: "setkeyword", key: "x", value: true }, { op: "removekeyword", key: "x" }],
  });
  const again = readTableDat(Deno.readFileSync(file), file) as PlainTableDat;
  assert.deepEqual(again.desc.keywords, keywords.toFields());
});

peerTest("stored names of subtables are those that casacore gives, and lead back", async () => {
  using folder = temporaryFolder();
  using elsewhere = temporaryFolder();
  const at = (path: string) => `${folder.path}/${path}`;
  const home = at("up/home");
  const columns: JobColumn[] = [{ name: "C", dtype: "int32" }];
  const paths: Record<string, string> = {
    parent: at("up"),
    home,
    below: `${home}/SUB`,
    deeper: `${home}/SUB/SUB2`,
    beside: at("up/home2"),
    belowBeside: at("up/home2/X"),
    above: at("other"),
    far: `${elsewhere.path}/far`,
  };
  for (const table of Object.values(paths)) await oracleWrite({ table, columns, fill: false });
  // Not the table itself: casacore would wait for its own lock.
  delete paths.home;
  const operations = Object.entries(paths).map(([key, table]) => ({ op: "subtable" as const, key, table }));
  await oracleWrite({ table: home, open: true, operations });
  const read = readTableDat(Deno.readFileSync(`${home}/table.dat`), home) as PlainTableDat;
  const keywords = new TableRecord(read.desc.keywords);
  assert.deepEqual(keywords.keys(), Object.keys(paths));
  for (const [key, path] of Object.entries(paths)) {
    const { table } = keywords.get(key) as TableKeyword;
    assert.equal(storedName(home, path), table, key);
    assert.equal(resolveStoredName(home, table), path, key);
  }
});

/** Rows of a table by the rule of the format, without asking managers. */
function rowsOf(table: string): number {
  const dat = readTableDat(Deno.readFileSync(`${table}/table.dat`), table);
  return rowCountOf(dat.rowCount, readTableLock(Deno.readFileSync(`${table}/table.lock`), table).sync)
    .rowCount;
}

peerTest("descriptions survive what casacore does to columns and rows", async () => {
  using folder = temporaryFolder();
  const table = `${folder.path}/t`;
  const managers: JobManager[] = [{ type: "StandardStMan", name: "S", columns: ["A", "B"] }];
  await oracleWrite({
    table,
    rows: 3,
    byteOrder: "big",
    columns: [{ name: "A", dtype: "int32" }, { name: "B", dtype: "string" }],
    managers,
    operations: [
      {
        op: "addcolumns",
        columns: [{ name: "C", dtype: "float64", kind: "array", ndim: 2 }],
        managers: [
          { type: "IncrementalStMan", name: "I", columns: ["C"] },
        ],
      },
      { op: "renamecolumn", from: "B", to: "BB" },
      { op: "removecolumns", columns: ["A"] },
      { op: "addrows", count: 4 },
    ],
  });
  assertRoundTrip(table);
  const read = readTableDat(Deno.readFileSync(`${table}/table.dat`), table) as PlainTableDat;
  assert.deepEqual(read.desc.columns.map((c) => c.name), ["BB", "C"]);
  assert.deepEqual(read.columnSet.columns.map((c) => c.originalName), ["B", "C"]);
  assert.equal(rowsOf(table), 7);
  await oracleWrite({ table, open: true, operations: [{ op: "addrows", count: 5 }] });
  assertRoundTrip(table);
  assert.equal(rowsOf(table), 12);
});

peerTest("casacore's reference tables are read and written byte for byte", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const columns: JobColumn[] = [{ name: "N", dtype: "int32" }, { name: "X", dtype: "float64" }];
  await oracleWrite({ table: at("a"), rows: 6, columns });
  const taql = (command: string) => ({ op: "taql" as const, command });
  await oracleWrite({
    table: at("a"),
    open: true,
    operations: [
      taql(`select from '${at("a")}' where rownumber() in [5,1,1,3] giving '${at("rows")}'`),
      taql(`select X as Z, N as n from '${at("a")}' orderby X giving '${at("named")}'`),
      taql(`select from '${at("a")}' where rownumber() < 0 giving '${at("none")}'`),
      taql(`select from '${at("a")}' where rownumber() > 2 giving '${at("a/inside")}'`),
    ],
  });
  const read = (name: string) => readTableDat(Deno.readFileSync(`${at(name)}/table.dat`), name);
  for (const name of ["rows", "named", "none", "a/inside"]) {
    assertRoundTrip(at(name));
    const table = read(name);
    assert.equal(table.kind, "RefTable", name);
    if (table.kind !== "RefTable") continue;
    assert.equal(table.parent, name === "a/inside" ? "inside/." : "./a");
    assert.equal((await oracleRows(at(name))).length, table.rows.length);
  }
  const named = read("named");
  assert.deepEqual(named.kind === "RefTable" && named.columns, [
    { name: "Z", parentName: "X" },
    { name: "n", parentName: "N" },
  ]);
});

peerTest("what casacore refuses in a table.dat, Tessera refuses too", async () => {
  using folder = temporaryFolder();
  const table = `${folder.path}/t`;
  await oracleWrite({ table, rows: 1, columns: [{ name: "A", dtype: "int32" }], fill: false });
  const file = `${table}/table.dat`;
  const bytes = Deno.readFileSync(file);
  const text = new TextDecoder("latin1").decode(bytes);
  // The type code of the column doesn't fit its class; the Table object has another name.
  const code = text.indexOf("StandardStMan", text.indexOf("StandardStMan") + 1) + 13 + 3;
  assert.equal(bytes[code], 5);
  for (const [at, value] of [[code, 7], [text.indexOf("Table"), 0x54 + 1]] as const) {
    const wrong = bytes.slice();
    wrong[at] = value;
    Deno.writeFileSync(file, wrong);
    failsWith("CORRUPT", () => readTableDat(wrong, file));
    await assert.rejects(oracleRows(table), /casacore/);
  }
});
