/** StManAipsIO byte by byte: the annotated example of the format reference, and what is refused. */
import assert from "node:assert/strict";
import { rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { fails } from "./io_help.ts";
import { openAips, writeAips } from "./storage_aipsio_support.ts";
import { memoryFiles, putFile, scalars } from "./storage_incremental_support.ts";
import { boundColumn, contextOf, readCells } from "./storage_managed_support.ts";

/** Words in hexadecimal, and texts in quotes. */
function bytesOf(text: string): Uint8Array {
  const parts = text.match(/"[^"]*"|[0-9a-f]+/g)!;
  return Uint8Array.from(parts.flatMap((part) => {
    if (part.startsWith('"')) return Array.from(part.slice(1, -1), (letter) => letter.charCodeAt(0));
    return Array.from({ length: part.length / 2 }, (_, i) => parseInt(part.slice(2 * i, 2 * i + 2), 16));
  }));
}

/** Format reference part 3, section B3. */
const EXAMPLE = bytesOf(`
  bebebebe 0000010a 0000000b "StManAipsIO" 00000002   00000002 "SA"
  00000000 00000001 00000002 00000003
  00000000 00000000 00000005
  0000002a 00000011 "StManColumnAipsIO" 00000002 00000002  00000002 00000002 02
  0000004d 00000016 "StManColumnArrayAipsIO" 00000002
    0000002b 00000011 "StManColumnAipsIO" 00000002 00000002  00000002 00000006 05 02
  0000005a 00000019 "StManColumnIndArrayAipsIO" 00000002 00000005 00000000
    0000002d 00000011 "StManColumnAipsIO" 00000002 00000002  00000002 00000000 00000010`);
const EXAMPLE_ARRAYS = bytesOf("00000000 0000000000000020 00000000 00000001 00000002 00000005 00000006");

const COLUMNS: readonly BoundColumn[] = [
  boundColumn("b", { dtype: "bool" }),
  boundColumn("db", { dtype: "bool", kind: "array", direct: true, shape: [3] }),
  boundColumn("v", { dtype: "int32", kind: "array" }),
];

function exampleFiles(file = EXAMPLE) {
  const files = memoryFiles();
  putFile(files, "table.f0", file);
  putFile(files, "table.f0i", EXAMPLE_ARRAYS);
  return files;
}

for (const bigEndian of [false, true]) {
  Deno.test(`StManAipsIO reads the annotated example in a ${bigEndian ? "big" : "little"} endian table`, () => {
    using files = exampleFiles();
    const manager = openAips(files, COLUMNS, 2, bigEndian);
    assert.equal(manager.name, "SA");
    assert.equal(manager.rowCount, 2);
    assert.deepEqual(manager.files(), ["table.f0", "table.f0i"]);
    const expected = [
      [false, true],
      [{ shape: [3], data: [true, false, true] }, { shape: [3], data: [false, true, false] }],
      [null, { shape: [2], data: [5, 6] }],
    ];
    COLUMNS.forEach((bound, c) => {
      assert.deepEqual(runSync(readCells(bound, manager.column(c), rowRange(0, 2)), files), expected[c]);
    });
  });
}

/** The example with some bytes replaced. */
function damaged(changes: Readonly<Record<number, string>>): Uint8Array {
  const file = EXAMPLE.slice();
  for (const [at, bytes] of Object.entries(changes)) file.set(bytesOf(bytes), Number(at));
  return file;
}

const REFUSED: readonly [what: string, file: Uint8Array, offset: number, message: RegExp][] = [
  ["another magic", damaged({ 0: "00" }), 0, /magic/],
  ["another type", damaged({ 12: "73" }), 8, /expected an object of type StManAipsIO, found "stManAipsIO"/],
  ["an object longer than the file", damaged({ 4: "0000010b" }), 4, /object of 267 bytes, it has 270/],
  ["an object that ends in its header", damaged({ 4: "00000030" }), 4, /end at 52, its header takes 61/],
  ["a name that is too long", damaged({ 0x1b: "00ffffff" }), 0, /the file has 270/],
  ["another sequence number", damaged({ 0x21: "00000001" }), 0x21, /sequence number is 1, the table's is 0/],
  ["more rows than the table", damaged({ 0x29: "00000003" }), 0x29, /number of rows is 3, the table's is 2/],
  ["fewer columns than the table", damaged({ 0x2d: "00000002" }), 0x2d, /columns is 2, the table's is 3/],
  ["another data type", damaged({ 0x39: "00000004" }), 0x39, /column v is 4, the table's is 5/],
  ["nothing in it", new Uint8Array(0), 0, /header of 31 bytes, the file has 0/],
];

for (const [what, file, offset, message] of REFUSED) {
  Deno.test(`StManAipsIO refuses to open with ${what}`, () => {
    using files = exampleFiles(file);
    const error = fails(() => openAips(files, COLUMNS, 2), "CORRUPT");
    assert.match(error.message, message);
    assert.equal(error.file, "t/table.f0");
    assert.equal(error.offset, offset);
  });
}

const B = 0x3d, DB = 0x67, V = 0xb4;
const BAD_COLUMNS: readonly [
  what: string,
  column: number,
  file: Uint8Array,
  offset: number,
  message: RegExp,
][] = [
  [
    "an object that ends behind the file's",
    0,
    damaged({ [V]: "0000005b" }),
    V,
    /91 bytes long, expected 37 to 90/,
  ],
  ["an object that ends before its header", 0, damaged({ [B]: "00000010" }), B, /16 bytes long, expected 29/],
  ["an object that is too short", 0, damaged({ [V]: "00000059" }), 0x10d, /the file's object at 270/],
  [
    "an object of another kind",
    0,
    damaged({ [B + 8]: "73" }),
    B,
    /expected an object of type StManColumnAipsIO/,
  ],
  ["another number of rows", 0, damaged({ [B + 29]: "00000003" }), B + 29, /a column has 3 rows, the file 2/],
  [
    "a chunk with too many rows",
    0,
    damaged({ [B + 33]: "00000003" }),
    B + 33,
    /a chunk has 3 rows, there are 2/,
  ],
  [
    "a chunk with too few rows",
    0,
    damaged({ [B + 33]: "00000001 00000001" }),
    DB,
    /expected 8 more bytes, found 0/,
  ],
  [
    "another number of values",
    0,
    damaged({ [B + 37]: "00000001" }),
    B + 37,
    /1 values, expected 2 for 2 rows/,
  ],
  [
    "another number of elements",
    1,
    damaged({ [DB + 0x4a]: "05" }),
    DB + 0x47,
    /5 values, expected 6 for 2 rows/,
  ],
  ["an inner object of another length", 1, damaged({ [DB + 37]: "2a" }), 0xb3, /one around it at 180/],
  ["an inner object of another kind", 1, damaged({ [DB + 42]: "73" }), DB + 34, /found "stManColumnAipsIO"/],
  [
    "a marker with nothing behind it",
    2,
    damaged({ 0x10a: "80000001" }),
    0x10e,
    /expected 8 more bytes, found 0/,
  ],
  ["an offset outside the array file", 2, damaged({ 0x10a: "00000018" }), 24, /used|use/],
];

for (const [what, column, file, offset, message] of BAD_COLUMNS) {
  Deno.test(`StManAipsIO refuses a column with ${what}`, () => {
    using files = exampleFiles(file);
    const manager = openAips(files, COLUMNS, 2);
    const read = () => runSync(readCells(COLUMNS[column]!, manager.column(column), rowRange(0, 2)), files);
    const error = fails(read, "CORRUPT");
    assert.match(error.message, message);
    assert.equal(error.offset, offset);
    assert.equal(error.file, what.includes("array file") ? "t/table.f0i" : "t/table.f0");
  });
}

Deno.test("StManAipsIO refuses versions from the future", () => {
  const root = fails(() => openAips(exampleFiles(damaged({ 0x17: "00000003" })), COLUMNS, 2), "UNSUPPORTED");
  assert.match(root.message, /version 3, expected 1 or 2/);
  using files = exampleFiles(damaged({ [B + 25]: "00000003" }));
  const manager = openAips(files, COLUMNS, 2);
  const read = () => runSync(readCells(COLUMNS[0]!, manager.column(0), rowRange(0, 2)), files);
  assert.match(fails(read, "UNSUPPORTED").message, /StManColumnAipsIO has version 3/);
});

Deno.test("StManAipsIO opens a file without rows of a table that has some, and refuses to read them", () => {
  using files = memoryFiles();
  writeAips(files, [scalars("n", "int32", []), scalars("s", "string", [])], 0);
  const columns = [boundColumn("n", { dtype: "int32" }), boundColumn("s", { dtype: "string" })];
  const manager = openAips(files, columns, 3);
  assert.equal(manager.rowCount, 0);
  columns.forEach((bound, c) => {
    const read = () => runSync(readCells(bound, manager.column(c), rowRange(0, 3)), files);
    assert.match(fails(read, "CORRUPT").message, /row 0 is not in the file, which has 0 rows/);
  });
});

Deno.test("StManAipsIO says which file is missing, and reads the columns that don't need it", () => {
  using files = memoryFiles();
  const open = () => openAips(files, COLUMNS, 2);
  assert.equal(fails(open, "NOT_FOUND").file, "t/table.f0");
  putFile(files, "table.f0", EXAMPLE);
  const manager = open();
  assert.deepEqual(manager.files(), ["table.f0"]);
  assert.deepEqual(runSync(readCells(COLUMNS[0]!, manager.column(0), rowRange(0, 2)), files), [false, true]);
  assert.equal(
    fails(() => runSync(manager.column(2).shapes(rowRange(0, 2)), files), "NOT_FOUND").file,
    "t/table.f0i",
  );
});

Deno.test("StManAipsIO of version 1 keeps each column's arrays in a file of its own", () => {
  using files = memoryFiles();
  const cells = [{ dtype: "int16" as const, shape: [1], data: Int16Array.of(4) }];
  const columns = ["v", "w"].map((name) => ({
    bound: boundColumn(name, { dtype: "int16", kind: "array" }),
    cells,
  }));
  writeAips(files, columns, 1, { version: 1 });
  const manager = openAips(files, columns.map(({ bound }) => bound), 1);
  assert.deepEqual(manager.files(), ["table.f0", "table.f0i0", "table.f0i1"]);
});

Deno.test("StManAipsIO refuses a direct array of version 1 whose shape is another than the table's", () => {
  using files = memoryFiles();
  const cell = { dtype: "int16" as const, shape: [6], data: new Int16Array(6) };
  const column = (shape: number[]) =>
    boundColumn("d", { dtype: "int16", kind: "array", direct: true, shape });
  writeAips(files, [{ bound: column([2, 3]), cells: [cell] }], 1, { version: 1 });
  const manager = openAips(files, [column([3, 2])], 1);
  const read = () => runSync(readCells(column([3, 2]), manager.column(0), rowRange(0, 1)), files);
  assert.match(fails(read, "CORRUPT").message, /shape \[2, 3\] and 6 elements, the table's have \[3, 2\]/);
});

Deno.test("StManAipsIO refuses a row of version 1 that says another number of values", () => {
  for (const dtype of ["int16", "string"] as const) {
    using files = memoryFiles();
    const bound = boundColumn("d", { dtype, kind: "array", direct: true, shape: [3] });
    const cells = [0, 1].map(() => {
      return dtype === "string"
        ? { dtype, shape: [3], data: ["", "", ""] }
        : { dtype, shape: [3], data: new Int16Array(3) };
    });
    writeAips(files, [{ bound, cells }], 2, { version: 1 });
    const rowBytes = 4 + (dtype === "string" ? 12 : 6),
      file = files.read("table.f0", 0, files.size("table.f0")).slice();
    const at = file.length - rowBytes;
    file[at + 3] = 2;
    putFile(files, "table.f0", file);
    const manager = openAips(files, [bound], 2);
    const error = fails(() => runSync(readCells(bound, manager.column(0), rowRange(0, 1)), files), "CORRUPT");
    assert.equal(error.offset, at);
    assert.match(error.message, /a row has 2 values, expected 3/);
  }
});

Deno.test("StManAipsIO refuses rows and cells for which there is no room, before it takes memory", () => {
  const many = 2 ** 32 - 1;
  const word = many.toString(16);
  for (const column of [2, 0]) {
    using files = exampleFiles(
      damaged({ 0x29: word, [B + 29]: word, [B + 33]: word, [B + 37]: word, 0xfe: word }),
    );
    const manager = openAips(files, COLUMNS, many);
    const read = () => runSync(manager.column(column).shapes(rowRange(0, 1)), files);
    const target = { kind: "numeric", bytes: new Uint8Array(1) } as const;
    const cells = () => runSync(manager.column(column).read(rowRange(0, 1), [], null, target, 0), files);
    assert.match(fails(column === 2 ? read : cells, "CORRUPT").message, /no room|more bytes/);
  }
});

Deno.test("StManAipsIO has no blob and serves its own class name only", () => {
  assert.ok(stManAipsIO.serves("StManAipsIO"));
  assert.ok(!stManAipsIO.serves("StandardStMan"));
  using files = exampleFiles();
  const context = contextOf({ type: "StManAipsIO", columns: COLUMNS, rowCount: 2, bigEndian: true });
  assert.equal(runSync(stManAipsIO.open(context, Uint8Array.of(1, 2, 3)), files).rowCount, 2);
});
