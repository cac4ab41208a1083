/** The parts of a StandardStMan file: bucket sizes, header versions, index buckets, free lists, what a crash leaves. */
import assert from "node:assert/strict";
import { rowRange } from "../../src/array/rows.ts";
import { AipsWriter } from "../../src/format/aipsio.ts";
import { MemoryStore } from "../../src/io/memory-backend.ts";
import { bitsPerRow, chooseLayout } from "../../src/storage/standard/layout.ts";
import { formatBlob, parseBlob } from "../../src/storage/standard/blob.ts";
import { SsmIndex } from "../../src/storage/standard/ssm-index.ts";
import {
  type Bench,
  bound,
  bytesInMemory,
  contextOf,
  createInMemory,
  errorOf,
  openInMemory,
  putInMemory,
  reopened,
  storeOf,
} from "./storage_standard_support.ts";
import { headerOf } from "./storage_standard_structure.ts";

Deno.test("bucket sizes are casacore's: the annotated example, one row, rows that don't fit, a size", () => {
  assert.deepEqual(chooseLayout([32, 1, 96, 64], { bucketRows: 4 }), {
    bucketSize: 128,
    rowsPerBucket: 5,
    offsets: [0, 20, 21, 81],
    used: 121,
  });
  // 32 rows of an offset and a bit: what casacore makes of a COMPLEX array and a BOOL when nothing is said.
  assert.deepEqual(chooseLayout([64, 1], {}), {
    bucketSize: 260,
    rowsPerBucket: 32,
    offsets: [0, 256],
    used: 260,
  });
  // A row that is longer than the largest wished bucket gets a bucket of its own.
  assert.deepEqual(chooseLayout([8 * 40_000], {}), {
    bucketSize: 40_000,
    rowsPerBucket: 1,
    offsets: [0],
    used: 40_000,
  });
  // 1000 wished rows of 100 bytes fill three buckets of 327; they are spread evenly over four.
  const spread = chooseLayout([800], { bucketRows: 1000 });
  assert.deepEqual([spread.bucketSize, spread.rowsPerBucket], [25_000, 250]);
  assert.equal(chooseLayout([1], { bucketSize: 128 }).rowsPerBucket, 1024);
});

Deno.test("a column's bits in a bucket follow its kind", () => {
  const array = { kind: "array" } as const;
  assert.equal(bitsPerRow(bound("a", "bool")), 1);
  assert.equal(bitsPerRow(bound("a", "complex128")), 128);
  assert.equal(bitsPerRow(bound("a", "string", { maxLength: 5 })), 40);
  assert.equal(bitsPerRow(bound("a", "string")), 96);
  assert.equal(bitsPerRow(bound("a", "bool", { ...array, shape: [3, 3], direct: true })), 9);
  assert.equal(bitsPerRow(bound("a", "float32", { ...array, shape: [3, 3] })), 64);
  assert.equal(bitsPerRow(bound("a", "string", { ...array, shape: [3], direct: true })), 96);
  assert.equal(bitsPerRow(bound("a", "record")), 64);
});

Deno.test("options that can't be are refused by name", () => {
  for (const spec of [{ bucketSize: -1 }, { bucketRows: 1.5 }, { rowsPerBucket: 3 } as never]) {
    assert.equal(errorOf(() => createInMemory([bound("a", "int32")], 1, { spec }))?.code, "INVALID_ARGUMENT");
  }
});

Deno.test("the blob may name more columns than there are, not fewer", () => {
  const blob = formatBlob({ name: "SSM", columnOffsets: [0, 4, 99], indexOfColumn: [0, 1, 7] });
  const { name, columnOffsets, indexOfColumn } = parseBlob(blob, "table.dat", 2);
  assert.deepEqual([name, [...columnOffsets as Uint32Array], [...indexOfColumn as Uint32Array]], [
    "SSM",
    [0, 4, 99],
    [0, 1, 7],
  ]);
  assert.match(
    errorOf(() => parseBlob(blob, "t/table.dat", 4))!.message,
    /t\/table\.dat.*knows 3 columns.*gives it 4/,
  );
});

/** A table of one column, and a copy of its files. */
function numbers(rows: number, options: { bigEndian?: boolean; spec?: { bucketSize: number } } = {}): Bench {
  const bench = createInMemory([bound("n", "int32")], rows, options);
  bench.put(0, Array.from({ length: rows }, (_, i) => i));
  return bench;
}

function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore();
  for (const name of ["table.f0", "table.f0i"]) {
    if (store.files.has(`t/${name}`)) putInMemory(copy, name, bytesInMemory(store, name));
  }
  return copy;
}

Deno.test("header versions 1 and 2 read: they are big endian, and version 1 has no index offset", () => {
  const bench = numbers(100, { bigEndian: true });
  const blob = bench.flush();
  const file = bytesInMemory(storeOf(bench), "table.f0");
  const header = headerOf(file, true);
  const writer = new AipsWriter();
  writer.root("StandardStMan", 1);
  for (const value of [header.bucketSize, header.buckets, 2, 0]) writer.u32(value);
  writer.i32(-1);
  writer.u32(header.indexBuckets);
  writer.i32(header.firstIndex);
  writer.i32(header.lastString);
  writer.u32(header.indexLength);
  writer.u32(1);
  writer.end();
  file.fill(0, 0, 512);
  file.set(writer.finish());
  const store = new MemoryStore();
  putInMemory(store, "table.f0", file);
  const old = openInMemory({ ...bench.context, rowCount: 100 }, blob, store);
  assert.deepEqual(old.cells(0), Array.from({ length: 100 }, (_, i) => i));
  // It becomes version 2 when rows are added.
  old.addRows(1);
  const again = reopened(old);
  assert.equal(bytesInMemory(storeOf(again), "table.f0")[28], 2);
  assert.equal(again.cells(0).length, 101);
  // Read with the other byte order it is refused.
  assert.equal(
    errorOf(() => openInMemory(contextOf([bound("n", "int32")], 100), blob, store))?.code,
    "CORRUPT",
  );
});

Deno.test("an unknown header version is UNSUPPORTED", () => {
  const bench = numbers(3);
  const blob = bench.flush();
  const file = bytesInMemory(storeOf(bench), "table.f0");
  file[25] = 4;
  const store = new MemoryStore();
  putInMemory(store, "table.f0", file);
  assert.equal(errorOf(() => openInMemory(bench.context, blob, store))?.code, "UNSUPPORTED");
});

Deno.test("an index of more than 2^31 rows takes 64 bits a row, a shorter one 32", () => {
  for (const [rows, version] of [[2 ** 31, 1], [2 ** 31 + 1, 2], [5e9, 2]] as const) {
    const bench = createInMemory([bound("flag", "bool")], 1, { spec: { bucketRows: 16_000_000 } });
    const { rowsPerBucket } = { rowsPerBucket: (bench.manager.info.bucketRows as number[])[0]! };
    const index = new SsmIndex(rowsPerBucket, 1, []);
    const used = Math.ceil(rows / rowsPerBucket);
    index.append(Array.from({ length: used }, (_, i) => i), rows);
    assert.equal(index.rows, rows);
    assert.equal(index.endRow(index.find(rows - 1)), rows);
    assert.equal(index.find(rowsPerBucket), 1);
    const writer = new AipsWriter();
    index.write(writer);
    const bytes = writer.finish();
    assert.equal(bytes[23], version);
    // Section 2.4 gives the size of a version 1 object without free space.
    assert.equal(bytes.length, 118 + (version === 1 ? 8 : 12) * used);
  }
});

Deno.test("the index changes halves of its bucket with every flush", () => {
  let bench = numbers(10, { spec: { bucketSize: 1000 } });
  const offsets: number[] = [];
  for (let i = 0; i < 4; i++) {
    bench.addRows(1);
    bench = reopened(bench);
    const header = headerOf(bytesInMemory(storeOf(bench), "table.f0"), false);
    offsets.push(header.indexOffset);
    assert.equal(header.indexBuckets, 1);
    assert.equal(bench.cells(0).length, 11 + i);
  }
  assert.deepEqual(offsets, [8, 8 + 496, 8, 8 + 496]);
});

for (const bucketSize of [128, 1000]) {
  Deno.test(`a table whose flush was cut short before the header is the one before (buckets of ${bucketSize})`, () => {
    const bench = numbers(300, { spec: { bucketSize } });
    const blob = bench.flush();
    const before = copyOf(storeOf(bench));
    bench.addRows(150);
    bench.put(0, new Array(150).fill(7), { rows: rowRange(300, 150) });
    bench.flush();
    const after = storeOf(bench);
    // Everything was written but the header.
    const torn = bytesInMemory(after, "table.f0");
    torn.set(bytesInMemory(before, "table.f0").subarray(0, 512));
    putInMemory(before, "table.f0", torn);
    const old = openInMemory({ ...bench.context, rowCount: 300 }, blob, before);
    assert.equal(old.manager.rowCount, 300);
    assert.deepEqual(old.cells(0, rowRange(0, 300)), Array.from({ length: 300 }, (_, i) => i));
    // Writing goes on from there.
    old.addRows(40);
    const again = reopened(old);
    assert.deepEqual(again.cells(0, rowRange(298, 42)), [298, 299, ...new Array(40).fill(0)]);
  });
}

Deno.test("buckets that strings leave are taken again, in the order of the free list", () => {
  const bench = createInMemory([bound("s", "string")], 20, { spec: { bucketSize: 128 } });
  const long = "x".repeat(112);
  bench.put(0, new Array(20).fill(long));
  const first = reopened(bench);
  const buckets = first.manager.info.buckets as number;
  first.put(0, new Array(20).fill(""));
  const emptied = reopened(first);
  assert.equal(emptied.manager.info.stringBuckets, 0);
  assert.ok(emptied.manager.info.freeBuckets as number >= 20);
  emptied.put(0, new Array(20).fill(long));
  const filled = reopened(emptied);
  assert.deepEqual(filled.cells(0), new Array(20).fill(long));
  assert.ok((filled.manager.info.buckets as number) <= buckets + 3, "the file hardly grew");
});

Deno.test("bytes left behind the last bucket by a writer that died don't show up in new rows", () => {
  const bench = numbers(10);
  const blob = bench.flush();
  const file = bytesInMemory(storeOf(bench), "table.f0");
  const longer = new Uint8Array(file.length + 5000).fill(0xab);
  longer.set(file);
  const store = new MemoryStore();
  putInMemory(store, "table.f0", longer);
  const opened = openInMemory({ ...bench.context, rowCount: 10 }, blob, store);
  opened.addRows(500);
  const again = reopened(opened);
  assert.deepEqual(again.cells(0, rowRange(10, 500)), new Array(500).fill(0));
});

Deno.test("slots of rows that were removed are zero when rows are added", () => {
  const columns = [
    bound("n", "int32"),
    bound("b", "bool", { kind: "array", shape: [3], direct: true }),
    bound("s", "string"),
  ];
  const bench = createInMemory(columns, 20, { spec: { bucketSize: 2000 } });
  bench.put(0, new Array(20).fill(-1));
  bench.put(1, new Array(60).fill(1));
  bench.put(2, new Array(20).fill("inline"));
  const blob = bench.flush();
  // As casacore leaves it when it removes the last five rows: the index says 15, the slots keep their values.
  const file = bytesInMemory(storeOf(bench), "table.f0");
  const view = new DataView(file.buffer);
  for (let at = file.length - 4; at > 512; at--) {
    if (view.getUint32(at, true) === 19) {
      view.setUint32(at, 14, true);
      break;
    }
  }
  const store = new MemoryStore();
  putInMemory(store, "table.f0", file);
  const opened = openInMemory({ ...bench.context, rowCount: 15 }, blob, store);
  opened.addRows(3);
  opened.addRows(4);
  const again = reopened(opened);
  assert.deepEqual(again.cells(0), [...new Array(15).fill(-1), ...new Array(7).fill(0)]);
  assert.deepEqual(again.cells(1, rowRange(14, 2)), [
    { shape: [3], data: [true, true, true] },
    { shape: [3], data: [false, false, false] },
  ]);
  assert.deepEqual(again.cells(2, rowRange(14, 3)), ["inline", "", ""]);
});

Deno.test("a refused write leaves the table as it was", () => {
  const columns = [
    bound("fixed", "float32", { kind: "array", shape: [2] }),
    bound("direct", "float32", { kind: "array", shape: [2], direct: true }),
    bound("bounded", "string", { maxLength: 3 }),
    bound("names", "string", { kind: "array", shape: [2] }),
  ];
  const bench = createInMemory(columns, 2);
  bench.put(2, ["ab", "c"]);
  bench.flush();
  const before = bytesInMemory(storeOf(bench), "table.f0");
  const codes = [
    errorOf(() => bench.put(0, [1, 2, 3], { rows: rowRange(0, 1), shape: [3] })),
    errorOf(() => bench.put(1, [1, 2, 3], { rows: rowRange(0, 1), shape: [3] })),
    errorOf(() => bench.put(2, ["ok", "long"])),
    errorOf(() => bench.put(3, ["a"], { rows: rowRange(0, 1), shape: [1] })),
    errorOf(() => bench.setShape(0, null, rowRange(0, 1))),
    errorOf(() => bench.setShape(1, [3], rowRange(0, 1))),
    errorOf(() => bench.setShape(3, null, rowRange(0, 1))),
  ].map((error) => error?.code);
  assert.deepEqual(codes, [
    "SHAPE_MISMATCH",
    "SHAPE_MISMATCH",
    "OUT_OF_RANGE",
    "SHAPE_MISMATCH",
    "INVALID_ARGUMENT",
    "INVALID_ARGUMENT",
    "INVALID_ARGUMENT",
  ]);
  bench.flush();
  assert.deepEqual(bytesInMemory(storeOf(bench), "table.f0"), before);
  assert.deepEqual(bench.cells(2), ["ab", "c"]);
});

Deno.test("a free list that a dead writer left in pieces is not used; its buckets stay as they are", () => {
  const columns = [bound("n", "int32"), bound("s", "string")];
  const bench = createInMemory(columns, 8, { spec: { bucketSize: 128 } });
  bench.put(0, new Array(8).fill(-1));
  bench.put(1, new Array(8).fill("x".repeat(112)));
  const first = reopened(bench);
  first.put(1, new Array(8).fill(""));
  const blob = first.flush();
  const file = bytesInMemory(storeOf(first), "table.f0");
  const header = headerOf(file, false);
  assert.ok(header.freeBuckets >= 8);
  // The last free bucket but one was taken for something else, and its link now says bucket 0, which has data; what
  // stands there looks like the end of the list.
  const view = new DataView(file.buffer);
  let bucket = header.firstFree;
  for (let n = 2; n < header.freeBuckets; n++) bucket = view.getInt32(512 + 128 * bucket);
  view.setInt32(512 + 128 * bucket, 0);
  const store = new MemoryStore();
  putInMemory(store, "table.f0", file);
  const opened = openInMemory({ ...bench.context, rowCount: 8 }, blob, store);
  opened.addRows(30);
  opened.put(1, new Array(38).fill("y".repeat(200)), { rows: rowRange(0, 38) });
  const again = reopened(opened);
  assert.deepEqual(again.cells(0), [...new Array(8).fill(-1), ...new Array(30).fill(0)]);
  assert.deepEqual(again.cells(1), new Array(38).fill("y".repeat(200)));
});

Deno.test("bytes on disk count a column's areas, and what it alone keeps elsewhere", () => {
  const columns = [
    bound("n", "int32"),
    bound("s", "string"),
    bound("v", "float64", { kind: "array", ndim: 1 }),
  ];
  const bench = createInMemory(columns, 10, { spec: { bucketRows: 10 } });
  const row = bench.manager.info.bucketSize as number / 10;
  assert.equal(row, 4 + 12 + 8);
  bench.put(1, new Array(10).fill("a string that takes a bucket"));
  bench.put(2, new Array(30).fill(1), { shape: [3] });
  bench.flush();
  const { stringBuckets, bucketSize } = bench.manager.info as { stringBuckets: number; bucketSize: number };
  const sizes = columns.map((_, i) => bench.manager.column(i).bytesOnDisk!());
  // An array of three: 8 bytes of shape, 24 of values, nothing to fill up.
  assert.deepEqual(sizes, [40, 120 + stringBuckets * bucketSize, 80 + 10 * 32]);
  assert.ok(stringBuckets > 0);
});
