/** Whole files of tiled managers, byte by byte: format reference part 4, sections 10 and 5.4. */
import { Buffer as NodeBuffer } from "node:buffer";
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { bytesOf } from "../../src/array/dtype.ts";
import { runSync } from "../../src/io/drivers.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import {
  addRows,
  bound,
  contextOf,
  create,
  flush,
  fromHex,
  hypercolumn,
  MemoryAccess,
  open,
  readCells,
  refused,
  writeCells,
} from "./storage_tiled_support.ts";

const EMPTY_RECORD =
  `00000030 00000006 "Record" 00000001 0000001a 0000000a "RecordDesc" 00000002 00000000 00000001`;
const NO_SHAPE = `00000019 00000009 "IPosition" 00000001 00000000`;
const iposition = (shape: string) => `00000025 00000009 "IPosition" 00000001 00000003 ${shape}`;
const block = (values: string) => `00000021 00000005 "Block" 00000001 00000003 ${values}`;

const HEADER = fromHex(`
  bebebebe 000001f4 0000000f "TiledShapeStMan" 00000001
  0000014d 0000000a "TiledStMan" 00000002 00 00000000 00000004 00000002 00000007 00000000
  00000002 "HC" 00000000 00000003 00000002 00 01 00000001 00000001 00000084 00000002
  00000001 ${EMPTY_RECORD} 00 00000000 ${NO_SHAPE} ${NO_SHAPE} ffffffff 00000000
  00000001 ${EMPTY_RECORD} 01 00000003 ${iposition("00000002 00000003 00000003")}
  ${iposition("00000002 00000002 00000002")} 00000001 00000000
  ${iposition("00000002 00000002 00000002")} 00000003
  ${block("00000000 00000001 00000003")} ${block("00000001 00000000 00000001")}
  ${block("00000000 00000000 00000002")}`);

/** Tile by tile: eight floats, and a byte of flags. */
const TILES: readonly (readonly [readonly number[], number])[] = [
  [[0, 1, 2, 3, 20, 21, 22, 23], 0x99],
  [[4, 5, 0, 0, 24, 25, 0, 0], 0x33],
  [[30, 31, 32, 33, 0, 0, 0, 0], 0x09],
  [[34, 35, 0, 0, 0, 0, 0, 0], 0x03],
];

function dataFile(): Uint8Array {
  const file = new Uint8Array(132);
  TILES.forEach(([floats, flags], i) => {
    file.set(bytesOf(Float32Array.from(floats)), i * 33);
    file[i * 33 + 32] = flags;
  });
  return file;
}

const COLUMNS = [bound("D", "float32", { ndim: 2 }), bound("F", "bool", { ndim: 2 })];
const SHAPE = [2, 3];

Deno.test("TiledShapeStMan reads the header and the tiles of the format reference", () => {
  const access = new MemoryAccess();
  assert.equal(HEADER.length, 504);
  access.files.set("table.f0", HEADER);
  access.files.set("table.f0_TSM1", dataFile());
  const manager = open(tiledShapeStMan, contextOf("TiledShapeStMan", COLUMNS, 4), access);
  assert.equal(manager.name, "HC");
  assert.equal(manager.rowCount, 4);
  assert.deepEqual(manager.files(), ["table.f0", "table.f0_TSM1"]);
  assert.deepEqual(manager.column(0).tileShape, [2, 2, 2]);
  assert.equal(manager.column(0).bytesOnDisk!(), 128);
  assert.equal(manager.column(1).bytesOnDisk!(), 4);
  assert.equal(manager.info.hypercubes, 1);
  assert.equal(manager.info.bucketSize, 33);
  assert.deepEqual(manager.info.defaultTileShape, [2, 2, 2]);
  assert.equal(manager.dirty, false);
  const shapes = runSync(manager.column(0).shapes(rowRange(0, 4)), access);
  assert.deepEqual(shapes, [{ count: 1, shape: SHAPE }, { count: 1, shape: null }, {
    count: 2,
    shape: SHAPE,
  }]);
  const values = new Float32Array(readCells(manager, 0, "float32", rowList([0, 2, 3]), SHAPE, access).buffer);
  assert.deepEqual([...values], [0, 1, 2, 3, 4, 5, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35]);
  const flags = readCells(manager, 1, "bool", rowList([3]), SHAPE, access);
  assert.deepEqual([...flags], [1, 0, 0, 1, 1, 1]);
});

Deno.test("TiledShapeStMan writes the header and the tiles of the format reference", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", COLUMNS, 0);
  const manager = create(tiledShapeStMan, context, access, { tileShape: [2, 2, 2] });
  assert.equal(manager.dirty, true);
  addRows(manager, access, 4);
  const floats = Float32Array.of(0, 1, 2, 3, 4, 5, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 35);
  writeCells(manager, 0, rowList([0, 2, 3]), SHAPE, bytesOf(floats), access);
  const flags = Uint8Array.of(1, 0, 0, 1, 1, 1);
  for (const row of [3, 0, 2]) writeCells(manager, 1, rowList([row]), SHAPE, flags, access);
  flush(manager, access);
  assert.equal(manager.dirty, false);
  assert.deepEqual(access.bytes("table.f0"), HEADER);
  assert.deepEqual(access.bytes("table.f0_TSM1"), dataFile());
  assert.deepEqual([...access.files.keys()].sort(), ["table.f0", "table.f0_TSM1"]);
  assert.deepEqual(access.log.slice(-2), ["barrier", "replace table.f0"]);
});

Deno.test("TiledShapeStMan in a big-endian table has version 1 of TiledStMan", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [bound("D", "int16", { shape: [2] })], 1, { bigEndian: true });
  const manager = create(tiledShapeStMan, context, access);
  writeCells(manager, 0, rowRange(0, 1), [2], bytesOf(Int16Array.of(0x0102, 0x0304)), access);
  flush(manager, access);
  const header = access.bytes("table.f0");
  // TiledStMan's version stands behind the root's header of 31 bytes, its own length and its name.
  assert.equal(new DataView(header.buffer).getUint32(31 + 4 + 4 + 10), 1);
  assert.deepEqual([...access.bytes("table.f0_TSM1").subarray(0, 4)], [1, 2, 3, 4]);
  const again = open(tiledShapeStMan, context, access);
  assert.deepEqual([...readCells(again, 0, "int16", rowRange(0, 1), [2], access)], [2, 1, 4, 3]);
});

Deno.test("TiledColumnStMan makes its data file at once, and version 3 beyond 2147483647 rows", () => {
  const access = new MemoryAccess();
  const columns = [bound("D", "uint8", { shape: [1] })];
  const context = contextOf("TiledColumnStMan", columns, 0);
  const manager = create(tiledColumnStMan, context, access, { tileShape: [1, 2 ** 31 - 1] });
  assert.deepEqual(access.log, ["create table.f0_TSM0"]);
  addRows(manager, access, 5e9);
  // Without its 6 GB of zeros; the header is what is looked at.
  access.resize = (file, length) => void access.log.push(`resize ${file} ${length}`);
  flush(manager, access);
  assert.deepEqual(access.log.slice(1), [
    `resize table.f0_TSM0 ${3 * (2 ** 31 - 1)}`,
    "barrier",
    "replace table.f0",
  ]);
  const again = open(tiledColumnStMan, { ...context, rowCount: 5e9 }, access);
  assert.equal(again.rowCount, 5e9);
  assert.deepEqual(again.info.tileShape, [1, 2 ** 31 - 1]);
  refused(
    () => tiledColumnStMan.open({ ...context, rowCount: 7 }, new Uint8Array(0)),
    access,
    "CORRUPT",
    /5000000000.*7/,
  );
});

Deno.test("a header of version 3 is read with 4 and with 8 bytes for the cache size", () => {
  const access = new MemoryAccess();
  const columns = [bound("D", "uint8", { shape: [1] })];
  const context = { ...contextOf("TiledColumnStMan", columns, 0), rowCount: 3e9 };
  const manager = create(tiledColumnStMan, context, access, { tileShape: [1, 1000], maxCacheSize: 2 });
  access.resize = () => {};
  flush(manager, access);
  const narrow = access.bytes("table.f0");
  const name = NodeBuffer.from(narrow).lastIndexOf("HC");
  const wide = new Uint8Array(narrow.length + 4);
  wide.set(narrow.subarray(0, name + 2));
  wide.set(narrow.subarray(name + 2), name + 6);
  const view = new DataView(wide.buffer);
  view.setUint32(4, view.getUint32(4) + 4);
  const nested = NodeBuffer.from(wide).indexOf("TiledStMan") - 8;
  view.setUint32(nested, view.getUint32(nested) + 4);
  access.files.set("table.f0", wide);
  assert.equal(open(tiledColumnStMan, context, access).info.maxCacheSize, 2);
  access.files.set("table.f0", narrow);
  assert.equal(open(tiledColumnStMan, context, access).info.maxCacheSize, 2);
});

Deno.test("what a header says of the table must agree with the table", () => {
  const access = new MemoryAccess();
  access.files.set("table.f0", HEADER);
  const good = contextOf("TiledShapeStMan", COLUMNS, 4);
  const cases: [Partial<typeof good>, RegExp][] = [
    [{ rowCount: 5 }, /table\.f0, offset 58: number of rows is 4, that of the table is 5/],
    [{ bigEndian: true }, /offset 53: byte order is little endian, that of the table is big endian/],
    [{ columns: COLUMNS.slice(0, 1) }, /number of columns is 2, that of the table is 1/],
    [{ columns: [COLUMNS[1]!, COLUMNS[0]!] }, /data type code of column F is 7, that of the table is 0/],
    [
      { columns: [bound("D", "float32", { ndim: 1 }), COLUMNS[1]!] },
      /cells of column F have 2 axes, those of other data columns 1/,
    ],
    [
      { columns: [bound("D", "float32", { shape: [2, 4] }), COLUMNS[1]!] },
      /column D has cells of shape \[2,4\], a hypercube is \[2,3,3\]/,
    ],
  ];
  for (const [change, text] of cases) {
    refused(() => tiledShapeStMan.open({ ...good, ...change }, new Uint8Array(0)), access, "CORRUPT", text);
  }
  access.files.set("table.f1", HEADER);
  refused(
    () => tiledShapeStMan.open({ ...good, sequence: 1 }, new Uint8Array(0)),
    access,
    "CORRUPT",
    /sequence number of the manager is 0, that of the table is 1/,
  );
  refused(
    () => tiledShapeStMan.open({ ...good, sequence: 2 }, new Uint8Array(0)),
    access,
    "CORRUPT",
    /doesn't exist/,
  );
  refused(
    () => tiledColumnStMan.open(good, new Uint8Array(0)),
    access,
    "CORRUPT",
    /expected an object of type TiledColumnStMan, found "TiledShapeStMan"/,
  );
});

Deno.test("cells that a data file is too short for are refused before memory is taken for them", () => {
  const access = new MemoryAccess();
  access.files.set("table.f0", HEADER);
  access.files.set("table.f0_TSM1", dataFile().subarray(0, 100));
  const manager = open(tiledShapeStMan, contextOf("TiledShapeStMan", COLUMNS, 4), access);
  assert.equal(runSync(manager.column(0).shapes(rowRange(0, 2)), access).length, 2);
  refused(
    () => manager.column(0).shapes(rowRange(2, 2)),
    access,
    "CORRUPT",
    /TSM1: .*reach to byte 132, the file has 100/,
  );
  access.files.delete("table.f0_TSM1");
  const again = open(tiledShapeStMan, contextOf("TiledShapeStMan", COLUMNS, 4), access);
  refused(() => again.column(0).shapes(rowRange(2, 2)), access, "CORRUPT", /the file doesn't exist/);
});

/** Written by casacore 3.5.0: one scalar Bool column b, 4.4e9 rows, tiles of 2^26, cache of 7 MiB. */
const MANY_ROWS = fromHex(`
  bebebebe 0000010e 00000010 "TiledColumnStMan" 00000001
  0000001d 00000009 "IPosition" 00000001 00000001 04000000
  000000d5 0000000a "TiledStMan" 00000003 00 00000000 00000001 0642ac00 00000001 00000000
  00000002 "HC" 00000007 00000001 00000000 00000001 01 00000001 00000000 21000000 00000000 00000001
  00000001 ${EMPTY_RECORD} 01 00000001 00000021 00000009 "IPosition" 00000002 00000001 00000001 0642ac00
  0000001d 00000009 "IPosition" 00000001 00000001 04000000 00000000 00000000`);

Deno.test("4.4e9 rows have the header that casacore gives them, and are read beyond row 2^32", () => {
  const access = new MemoryAccess();
  const columns = [bound("b", "bool", { kind: "scalar", ndim: 0 })];
  const context = contextOf("TiledColumnStMan", columns, 0, { privateKeywords: hypercolumn("HC", 1, ["b"]) });
  const manager = create(tiledColumnStMan, context, access, { tileShape: [2 ** 26], maxCacheSize: 7 });
  for (let i = 0; i < 4; i++) addRows(manager, access, 1.1e9);
  access.resize = () => {};
  flush(manager, access);
  assert.deepEqual(access.bytes("table.f0"), MANY_ROWS);
  const again = open(tiledColumnStMan, { ...context, rowCount: 4.4e9 }, access);
  const reads: number[] = [];
  access.gather = ({ extents }) => reads.push(...extents.map((extent) => extent.offset));
  readCells(again, 0, "bool", rowList([4399999999, 2 ** 32 + 3, 5]), [], access);
  assert.deepEqual(reads, [0, 2 ** 29, 549999999]);
});
