/** IncrementalStMan byte by byte: the annotated example of the format reference, versions, junk, what is refused. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import { fails } from "./io_help.ts";
import {
  blobOf,
  Bytes,
  headerOf,
  indexOf,
  memoryFiles,
  openIncremental,
  putFile,
  scalars,
  writeIncremental,
} from "./storage_incremental_support.ts";
import { boundColumn, readCells } from "./storage_managed_support.ts";

function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Format reference part 3, section A9: real casacore output. */
const EXAMPLE_BLOB = hex("bebebebe 00000018 00000003 49534d 00000003 00000005 4d7949534d");
const EXAMPLE_HEADER = hex(`
  bebe bebe 3500 0000 1000 0000 496e 6372  656d 656e 7461 6c53 744d 616e 0500 0000
  0080 0000 0001 0000 0001 0000 0000 0000  0000 0000 0000 ffff ffff`);
const EXAMPLE_BUCKET = hex(`
  1f00 0000 0700 0000 0009 0000 0007 0000  0006 0000 0061 6207 0000 0061 6263 0103
  0000 0000 0000 0003 0000 0005 0000 0000  0000 0005 0000 0009 0000 0002 0000 0000
  0000 0002 0000 000d 0000 0013 0000 0002  0000 0000 0000 0001 0000 0004 0000 001a`);
const EXAMPLE_INDEX = hex(`
  bebe bebe 4e00 0000 0800 0000 4953 4d49  6e64 6578 0100 0000 0100 0000 1d00 0000
  0500 0000 426c 6f63 6b01 0000 0002 0000  0000 0000 0006 0000 0019 0000 0005 0000
  0042 6c6f 636b 0100 0000 0100 0000 0000  0000`);

const EXAMPLE_COLUMNS = [
  boundColumn("a", { dtype: "int32" }),
  boundColumn("s", { dtype: "string" }),
  boundColumn("b", { dtype: "bool" }),
];

function example(): Uint8Array {
  const file = new Uint8Array(512 + 128 + EXAMPLE_INDEX.length);
  file.set(EXAMPLE_HEADER, 0);
  file.set(EXAMPLE_BUCKET, 512);
  file.set(EXAMPLE_INDEX, 640);
  return file;
}

Deno.test("IncrementalStMan reads the annotated example of the format reference", () => {
  const files = memoryFiles();
  putFile(files, "table.f0", example());
  const manager = openIncremental(files, EXAMPLE_COLUMNS, 6, false, EXAMPLE_BLOB);
  assert.equal(manager.name, "MyISM");
  assert.equal(manager.rowCount, 6);
  assert.deepEqual(manager.files(), ["table.f0"]);
  assert.deepEqual(manager.info, { bucketSize: 128, buckets: 1, freeBuckets: 0 });
  const expected = [
    [7, 7, 7, 9, 9, 7],
    ["ab", "ab", "abc", "abc", "abc", "abc"],
    [false, true, true, true, true, true],
  ];
  EXAMPLE_COLUMNS.forEach((bound, c) => {
    const all = runSync(readCells(bound, manager.column(c), rowRange(0, 6)), files);
    assert.deepEqual(all, expected[c]);
    // A few rows take another way through the bucket.
    for (let row = 0; row < 6; row++) {
      assert.deepEqual(runSync(readCells(bound, manager.column(c), rowRange(row, 1)), files), [
        expected[c]![row],
      ]);
    }
    const backwards = runSync(readCells(bound, manager.column(c), rowRange(5, 6, -1)), files);
    assert.deepEqual(backwards, expected[c]!.toReversed());
  });
});

const THREE = [3, 3, 5, 5, 5, -1];

for (const bigEndian of [false, true]) {
  const order = bigEndian ? "big" : "little";
  for (const header of bigEndian ? [1, 2, 3, 4, 5] : [5]) {
    for (const blob of [1, 2, 3]) {
      Deno.test(`IncrementalStMan reads header version ${header}, blob version ${blob}, ${order} endian`, () => {
        const files = memoryFiles();
        const array = (name: string, shift: number) => ({
          bound: boundColumn(name, { dtype: "int16", kind: "array" }),
          cells: THREE.map((n) => ({
            dtype: "int16" as const,
            shape: [2],
            data: Int16Array.of(n, n + shift),
          })),
        });
        const columns = [scalars("n", "int32", THREE), array("v", 1), array("w", 2)];
        const blobBytes = writeIncremental(files, columns, {
          bigEndian,
          starts: [0, 2, 6],
          versions: { header, blob },
        });
        const manager = openIncremental(files, columns.map(({ bound }) => bound), 6, bigEndian, blobBytes);
        const own = blob < 3 && !(blob === 1 && header === 3);
        assert.deepEqual(manager.files(), [
          "table.f0",
          ...(own ? ["table.f0i0", "table.f0i1"] : ["table.f0i"]),
        ]);
        const read = (c: number) =>
          runSync(readCells(columns[c]!.bound, manager.column(c), rowRange(0, 6)), files);
        assert.deepEqual(read(0), THREE);
        assert.deepEqual(read(1), THREE.map((n) => ({ shape: [2], data: [n, n + 1] })));
        assert.deepEqual(read(2), THREE.map((n) => ({ shape: [2], data: [n, n + 2] })));
      });
    }
  }
}

Deno.test("IncrementalStMan reads an index of version 2 and rows of 8 bytes beyond 2^32", () => {
  const files = memoryFiles();
  const far = 2 ** 33 + 5, last = 2 ** 40;
  // Bucket 0 holds rows 0 to 2^33 + 5, of which only the last has another value; bucket 1 the rest.
  const data = new Bytes(true).u32(11).u32(22).done();
  const wide = new Bytes(true).u32(0x80000000 + 4 + 8).put(data).u32(2).u64(0).u64(far).u32(0).u32(4).done();
  const plain = new Bytes(true).u32(4 + 4).u32(33).u32(1).u32(0).u32(0).done();
  const bucketBytes = 64;
  const file = new Bytes(true).put(headerOf({ version: 4, bigEndian: true, bucketBytes, bucketCount: 2 }));
  for (const bucket of [wide, plain]) {
    file.put(bucket).put(new Uint8Array(bucketBytes - bucket.length).fill(255));
  }
  file.put(indexOf({ version: 2, bigEndian: true, starts: [0, far + 1, last], numbers: [0, 1] }));
  putFile(files, "table.f0", file.done());
  const bound = boundColumn("n", { dtype: "int32" });
  const manager = openIncremental(files, [bound], last, true, blobOf(3, "Far"));
  assert.equal(manager.rowCount, last);
  const read = (rows: number[]) => runSync(readCells(bound, manager.column(0), rowList(rows)), files);
  assert.deepEqual(read([0, far - 1, far, far + 1, last - 1]), [11, 11, 22, 33, 33]);
  assert.deepEqual(read([last - 1, 2 ** 32, 1, far]), [33, 11, 11, 22]);
});

Deno.test("IncrementalStMan reads a table without rows", () => {
  const files = memoryFiles();
  const columns = [scalars("n", "float64", [0])];
  const blob = writeIncremental(files, columns, { bigEndian: false, starts: [0, 0] });
  const manager = openIncremental(files, [columns[0]!.bound], 0, false, blob);
  assert.equal(manager.rowCount, 0);
  assert.deepEqual(runSync(readCells(columns[0]!.bound, manager.column(0), rowRange(0, 0)), files), []);
});

Deno.test("IncrementalStMan refuses rows that its index doesn't have", () => {
  const files = memoryFiles();
  const columns = [scalars("n", "int32", [1, 2])];
  const blob = writeIncremental(files, columns, { bigEndian: false, starts: [0, 2] });
  const manager = openIncremental(files, [columns[0]!.bound], 5, false, blob);
  assert.equal(manager.rowCount, 2);
  for (const rows of [rowRange(0, 5), rowRange(2, 1), rowList([0, 4, 1, 1, 0, 1])]) {
    const error = fails(
      () => runSync(readCells(columns[0]!.bound, manager.column(0), rows), files),
      "CORRUPT",
    );
    assert.equal(error.file, "t/table.f0");
    assert.match(error.message, /row [24] is not in the index, which has 2 rows/);
  }
});

/** Bytes of the example with some replaced. */
function damaged(changes: Readonly<Record<number, string>>): Uint8Array {
  const file = example();
  for (const [at, bytes] of Object.entries(changes)) file.set(hex(bytes), Number(at));
  return file;
}

const INDEX_AT = 640, USED_AT = INDEX_AT + 24, ROWS_AT = INDEX_AT + 0x31, NUMBERS_AT = INDEX_AT + 0x4e;

const REFUSED: readonly [what: string, file: Uint8Array, offset: number | undefined, message: RegExp][] = [
  ["another magic", damaged({ 0: "00" }), 0, /magic/],
  [
    "the other byte order",
    damaged({ 0x20: "01" }),
    0x21,
    /header says big endian, table.dat says little endian/,
  ],
  ["a bucket size of 3 bytes", damaged({ 0x21: "03000000" }), 0x21, /bucket size is 3/],
  ["more buckets than the file has", damaged({ 0x25: "ffffff00" }), 512 + 128 * 0xffffff, /16777215 buckets/],
  ["a file that ends before the index", example().slice(0, 640 + 7), 640, /index/],
  ["an index that is cut off", example().slice(0, 700), 644, /82 bytes, there are 60/],
  ["another magic of the index", damaged({ [INDEX_AT]: "00" }), INDEX_AT, /magic/],
  ["no buckets in use", damaged({ [USED_AT]: "00000000" }), USED_AT, /0 buckets are in use, expected 1 to 1/],
  ["more buckets in use than there are", damaged({ [USED_AT]: "02000000" }), USED_AT, /2 buckets are in use/],
  ["a first row that isn't 0", damaged({ [ROWS_AT]: "01000000" }), INDEX_AT + 28, /starts at row 1/],
  ["a bucket number past the end", damaged({ [NUMBERS_AT]: "01000000" }), INDEX_AT + 57, /bucket number 1/],
];

for (const [what, file, offset, message] of REFUSED) {
  Deno.test(`IncrementalStMan refuses to open with ${what}`, () => {
    const files = memoryFiles();
    putFile(files, "table.f0", file);
    const error = fails(() => openIncremental(files, EXAMPLE_COLUMNS, 6, false, EXAMPLE_BLOB), "CORRUPT");
    assert.match(error.message, message);
    assert.equal(error.file, "t/table.f0");
    assert.equal(error.offset, offset);
  });
}

const A = 0x21f, S = 0x23b;
const BAD_BUCKETS: readonly [
  what: string,
  column: number,
  file: Uint8Array,
  offset: number,
  message: RegExp,
][] = [
  [
    "an index part past its end",
    0,
    damaged({ 0x200: "81000000" }),
    0x200,
    /index part is at 129, expected 4 to 128/,
  ],
  ["an index part in its first word", 0, damaged({ 0x200: "03000000" }), 0x200, /index part is at 3/],
  ["an index part at its end", 0, damaged({ 0x200: "80000000" }), 0x280, /ends before the index of column 0/],
  ["no entries of a column", 0, damaged({ [A]: "00000000" }), A, /0 entries/],
  [
    "too many entries",
    0,
    damaged({ [A]: "ffffff7f" }),
    A,
    /2147483647 entries in the bucket, expected 1 to 11/,
  ],
  ["too many entries of an earlier column", 2, damaged({ [A]: "ffffffff" }), A, /4294967295 entries/],
  ["a first entry not at row 0", 0, damaged({ [A + 4]: "01" }), A + 4, /starts at its row 1, expected 0/],
  [
    "rows that don't ascend",
    0,
    damaged({ [A + 12]: "03" }),
    A + 12,
    /starts at its row 3, expected more than 3/,
  ],
  [
    "a value past the data",
    0,
    damaged({ [A + 16]: "18" }),
    0x204,
    /4 bytes at 24 leaves the bucket's data of 27/,
  ],
  ["a string past the data", 1, damaged({ [S + 12]: "1b" }), 0x204, /at 27 leaves the bucket's data of 27/],
  [
    "a string that is too long",
    1,
    damaged({ 0x211: "ff" }),
    0x204,
    /255 bytes at 13 leaves the bucket's data/,
  ],
  [
    "a string that is too short",
    1,
    damaged({ 0x211: "03" }),
    0x211,
    /said to take 3 bytes, expected at least 4/,
  ],
];

for (const [what, column, file, offset, message] of BAD_BUCKETS) {
  Deno.test(`IncrementalStMan refuses a bucket with ${what}, many rows read or one`, () => {
    const files = memoryFiles();
    putFile(files, "table.f0", file);
    const manager = openIncremental(files, EXAMPLE_COLUMNS, 6, false, EXAMPLE_BLOB);
    for (const rows of [rowRange(0, 6), rowRange(0, 1)]) {
      const read = readCells(EXAMPLE_COLUMNS[column]!, manager.column(column), rows);
      const error = fails(() => runSync(read, files), "CORRUPT");
      assert.match(error.message, message);
      assert.equal(error.file, "t/table.f0");
      assert.equal(error.offset, offset);
    }
  });
}

Deno.test("IncrementalStMan refuses versions from the future", () => {
  const files = memoryFiles();
  putFile(files, "table.f0", damaged({ 0x1c: "06" }));
  const header = fails(() => openIncremental(files, EXAMPLE_COLUMNS, 6, false, EXAMPLE_BLOB), "UNSUPPORTED");
  assert.match(header.message, /version 6, expected 1 to 5/);
  putFile(files, "table.f0", damaged({ [INDEX_AT + 20]: "03" }));
  const index = fails(() => openIncremental(files, EXAMPLE_COLUMNS, 6, false, EXAMPLE_BLOB), "UNSUPPORTED");
  assert.match(index.message, /version 3, expected 1 or 2/);
  const blob = fails(
    () => openIncremental(files, EXAMPLE_COLUMNS, 6, false, blobOf(4, "New")),
    "UNSUPPORTED",
  );
  assert.match(blob.message, /version 4, expected 1 to 3/);
});

Deno.test("IncrementalStMan says which file is missing", () => {
  const files = memoryFiles();
  const error = fails(() => openIncremental(files, EXAMPLE_COLUMNS, 6, false, EXAMPLE_BLOB), "NOT_FOUND");
  assert.equal(error.file, "t/table.f0");
  const columns = [scalars("n", "int32", [1, 2]), {
    bound: boundColumn("v", { dtype: "int16", kind: "array" }),
    cells: [null, null],
  }];
  const blob = writeIncremental(files, columns, { bigEndian: false, starts: [0, 2] });
  files.remove("table.f0i");
  const manager = openIncremental(files, columns.map(({ bound }) => bound), 2, false, blob);
  assert.deepEqual(manager.files(), ["table.f0"]);
  // The other columns read.
  assert.deepEqual(runSync(readCells(columns[0]!.bound, manager.column(0), rowRange(0, 2)), files), [1, 2]);
  const missing = fails(() => runSync(manager.column(1).shapes(rowRange(0, 2)), files), "NOT_FOUND");
  assert.equal(missing.file, "t/table.f0i");
});

Deno.test("IncrementalStMan refuses a direct array that no bucket can hold, before it takes memory", () => {
  const files = memoryFiles();
  putFile(files, "table.f0", example());
  const bound = boundColumn("a", { dtype: "string", kind: "array", direct: true, shape: [2 ** 40, 2 ** 12] });
  const manager = openIncremental(files, [bound, ...EXAMPLE_COLUMNS.slice(1)], 6, false, EXAMPLE_BLOB);
  const box = { start: [0, 0], shape: [1, 1], step: [1, 1] };
  const values: unknown[] = [""], target = { kind: "strings", values, decode: String } as const;
  const read = manager.column(0).read(rowRange(0, 1), bound.shape!, box, target, 0);
  assert.match(fails(() => runSync(read, files), "CORRUPT").message, /a bucket has 128/);
});
