/** What checks of storage managers find, one thing at a time, and the parts that they are made of. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { array, scalar, standard, Table, TableError } from "../../mod.ts";
import { type Box, elementsOf } from "../../src/array/rows.ts";
import { readTableDat, writeTableDat } from "../../src/format/table-dat.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { MemoryBackend } from "../../src/io/memory-backend.ts";
import { ArrayFile } from "../../src/storage/arrayfile/array-file.ts";
import { checkArrays } from "../../src/storage/arrayfile/check.ts";
import { checkCells } from "../../src/storage/check-cells.ts";
import { Claims } from "../../src/storage/claims.ts";
import { Findings, MOST_FINDINGS } from "../../src/storage/findings.ts";
import type { BoundColumn, ManagedColumn } from "../../src/storage/manager.ts";
import { checkTable } from "../../src/table/check.ts";
import { fixturePath, temporaryFolder } from "../fixture.ts";
import { makeContainer, virtualFilesOf } from "./multifile_support.ts";
import { boundColumn } from "./storage_managed_support.ts";
import { headerOf } from "./storage_standard_structure.ts";
import { contextWith, type Files, filesOf, structureOf } from "./table_check_support.ts";

/** Everything that is wrong, as one text. */
function wrongs(files: Files): string {
  const { findings } = checkTable("/t", { io: "memory", context: contextWith(files), subtables: false });
  return findings.filter(({ note }) => !note).map(({ file, offset, message }) =>
    `${file}, ${offset}: ${message}`
  )
    .join("\n");
}

/** The files with one changed in place. */
function changed(files: Files, name: string, change: (view: DataView) => void): Map<string, Uint8Array> {
  const bytes = files.get(name)!.slice();
  change(new DataView(bytes.buffer));
  return new Map(files).set(name, bytes);
}

/** The files with `by` added to the first structural word of that meaning. */
function moved(files: Files, what: string, by: number): Map<string, Uint8Array> {
  const word = structureOf(files).find((one) => one.what === what);
  assert(word !== undefined, what);
  const { file, offset, bytes, bigEndian } = word;
  const at = bytes === 8 && bigEndian ? offset + 4 : offset;
  return changed(files, file, (view) => {
    view.setUint32(at, view.getUint32(at, !bigEndian) + by, !bigEndian);
  });
}

// ---- the parts

Deno.test("claims that overlap are found, whatever their order; the very same ones may be shared", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(60), fc.nat(8)), { maxLength: 20 }),
    fc.boolean(),
    (ranges, shared) => {
      const claims = new Claims();
      ranges.forEach(([start, length], i) => claims.add(start, length, i));
      const distinct = shared
        ? [...new Map(ranges.map((range) => [range.join(), range])).values()]
        : ranges.slice();
      let expected = false;
      distinct.forEach(([a, m], i) =>
        distinct.forEach(([b, n], k) => {
          if (i < k && m > 0 && n > 0 && a < b + n && b < a + m) expected = true;
        })
      );
      const found = [...claims.overlaps(shared)];
      assert.equal(found.length > 0, expected);
      for (const { first, second, offset } of found) {
        for (const owner of [first, second]) {
          const [start, length] = ranges[owner]!;
          assert(offset >= start && offset < start + length);
        }
      }
    },
  ));
});

Deno.test("claims can be taken back", () => {
  const claims = new Claims();
  claims.add(0, 10, 0);
  claims.add(5, 10, 1);
  claims.forget(1);
  assert.deepEqual([...claims.overlaps()], []);
});

Deno.test("findings end at a number, and say that there are more", () => {
  const findings = new Findings();
  for (let i = 0; i < MOST_FINDINGS + 7; i++) findings.wrong(`thing ${i}`, "t/x", i);
  const list = findings.finish();
  assert.equal(list.length, MOST_FINDINGS + 1);
  assert.equal(list.at(-1)!.message, "7 more findings are not listed");
  assert.throws(() => findings.caught(new RangeError("a fault"), "t/x"), RangeError);
});

/** A column of which some rows fail. */
function columnThat(
  bound: BoundColumn,
  shape: readonly number[],
  read: (row: number, box: Box | null) => void,
): ManagedColumn {
  return {
    // deno-lint-ignore require-yield
    *shapes(rows) {
      return [{ count: rows.length, shape: bound.kind === "scalar" ? [] : shape }];
    },
    // deno-lint-ignore require-yield
    *read(rows, _shape, box) {
      for (let i = 0; i < rows.length; i++) read(rows.at(i), box);
    },
  };
}

function noFiles(): TableFiles {
  return new TableFiles("t", new MemoryBackend(), { writable: false });
}

Deno.test("cells that can't be read are named, not many of them", () => {
  const bound = boundColumn("x", { dtype: "int32", kind: "scalar" });
  const check = (bad: (row: number) => boolean, rowCount: number) => {
    const findings = new Findings();
    const column = columnThat(bound, [], (row) => {
      if (bad(row)) throw new TableError("CORRUPT", `broken at ${row}`, { file: "t/f", offset: row });
    });
    runSync(checkCells({ bound, column, rowCount, path: "t/f" }, findings), noFiles());
    return findings.finish().map(({ message, offset }) => `${offset} ${message}`);
  };
  assert.deepEqual(check(() => false, 100_000), []);
  assert.deepEqual(check((row) => row === 70_001 || row === 3, 100_000), [
    "3 column x, row 3: broken at 3",
    "70001 column x, row 70001: broken at 70001",
  ]);
  assert.equal(check(() => true, 100_000).length, 5);
});

Deno.test("what isn't supported is a note, and is told once", () => {
  const bound = boundColumn("x", { dtype: "int32", kind: "scalar" });
  const findings = new Findings();
  const column = columnThat(bound, [], () => {
    throw new TableError("UNSUPPORTED", "no such thing");
  });
  runSync(checkCells({ bound, column, rowCount: 100_000, path: "t/f" }, findings), noFiles());
  assert.deepEqual(findings.finish().map(({ note, message }) => [note, message]), [
    [true, "column x is not checked: no such thing"],
  ]);
});

Deno.test("large cells are read a part at a time, and all of each", () => {
  for (const shape of [[3000, 1000, 2], [7, 2_000_000], [5_000_000], [2, 3, 5]]) {
    const bound = boundColumn("x", { dtype: "float64", kind: "array", ndim: shape.length });
    const seen = new Map<number, number>();
    const column = columnThat(bound, shape, (row, box) => {
      const elements = elementsOf(box?.shape ?? shape);
      assert(elements * 8 <= 4 * 2 ** 20, `${elements} elements`);
      box?.shape.forEach((length, axis) => assert(box.start[axis]! + length <= shape[axis]!));
      seen.set(row, (seen.get(row) ?? 0) + elements);
    });
    const findings = new Findings();
    runSync(checkCells({ bound, column, rowCount: 2, path: "t/f" }, findings), noFiles());
    assert.deepEqual([...seen], [[0, elementsOf(shape)], [1, elementsOf(shape)]], shape.join());
  }
});

// ---- array files

function arrayFile(version: 0 | 1): { files: TableFiles; file: ArrayFile; backend: MemoryBackend } {
  const backend = new MemoryBackend();
  backend.makeDirectory("t");
  const files = new TableFiles("t", backend, { writable: true });
  const options = { path: "t/table.f0i", bigEndian: false, version };
  return { files, backend, file: runSync(ArrayFile.create("table.f0i", options), files) };
}

function checked(
  files: TableFiles,
  file: ArrayFile,
  offsets: readonly number[],
  more: { dtype?: "int32" | "string"; shape?: readonly number[]; ndim?: number } = {},
): string[] {
  const findings = new Findings();
  const { dtype = "int32", shape = null, ndim = -1 } = more;
  const cells = {
    column: "x",
    dtype,
    shape,
    ndim,
    offsets: Float64Array.from(offsets),
    name: (i: number) => `row ${i}`,
  };
  runSync(checkArrays(file, [cells], findings, 0), files);
  return findings.finish().filter(({ note }) => !note).map(({ message }) => message);
}

const INTS = { kind: "numeric", bytes: new Uint8Array(24) } as const;

Deno.test("arrays that two cells have, and arrays of a shape that can't be, are found", () => {
  const { files, file } = arrayFile(0);
  const [a, b] = runSync(
    file.append([2, 3], "int32", 2, { kind: "numeric", bytes: new Uint8Array(48) }, 0),
    files,
  );
  assert.deepEqual(checked(files, file, [a!, 0, b!]), []);
  assert.deepEqual(checked(files, file, [a!, b!, a!]), [
    "bytes of the array of column x, row 0 are also those of column x, row 2",
  ]);
  assert.deepEqual(checked(files, file, [a!, b!], { shape: [2, 3] }), []);
  assert.deepEqual(checked(files, file, [a!, b!], { shape: [3, 2] }), [
    "column x, row 0: the array has shape [2, 3], expected [3, 2]",
  ]);
  assert.deepEqual(checked(files, file, [0, a!], { ndim: 1 }), [
    "column x, row 1: the array has shape [2, 3], expected one of 1 axes",
  ]);
  const [first] = checked(files, file, [a!, 12, b!, b! + 8]);
  assert.match(first!, /^column x, row 1: a cell says that an array stands at offset 12/);
});

Deno.test("records of version 1 may be shared, but not in part", () => {
  const { files, file } = arrayFile(1);
  const [a] = runSync(file.append([2, 3], "int32", 1, INTS, 0), files);
  const [b] = runSync(file.append([2, 3], "int32", 1, INTS, 0), files);
  assert.deepEqual(checked(files, file, [a!, a!, b!]), []);
});

Deno.test("strings of arrays that lie on one another are found", () => {
  const { files, file, backend } = arrayFile(0);
  const values = ["one", "two", "three", "four"].map((text) => new TextEncoder().encode(text));
  const offsets = runSync(file.append([2], "string", 2, { kind: "strings", values }, 0), files);
  runSync(file.flush(), files);
  files.flush();
  assert.deepEqual(checked(files, file, [...offsets], { dtype: "string" }), []);
  // The first string of the second array is that of the first.
  const handle = backend.open("t/table.f0i", "update"), word = new Uint8Array(4);
  handle.read(word, offsets[0]! + 8);
  handle.write(word, offsets[1]! + 8);
  files.forget();
  assert.deepEqual(checked(files, file, [...offsets], { dtype: "string" }), [
    "bytes of the array of column x, row 0 are also those of column x, row 1",
  ]);
});

// ---- StandardStMan

Deno.test("an index that counts its columns or its buckets wrongly says so", () => {
  const files = filesOf("ssm_scalars_le");
  assert.match(
    wrongs(moved(files, "columns of an index", 1)),
    /index 0 is said to be that of (\d+) columns, \d+ belong to it/,
  );
  assert.match(
    wrongs(moved(filesOf("ssm_chain_le"), "field 5 of the header", 1)),
    /the index is in \d+ buckets, the header says \d+/,
  );
});

Deno.test("links of index buckets that differ say so", () => {
  const files = filesOf("ssm_chain_le");
  const [link] = structureOf(files).filter(({ what }) => what === "link of an index bucket");
  const found = wrongs(changed(files, "table.f0", (view) => view.setInt32(link!.offset, 77)));
  assert.match(found, new RegExp(`table.f0, ${link!.offset}: index bucket \\d+ is followed by 77 or `));
});

Deno.test("a string that goes on in another bucket before its own is full is found", () => {
  const files = filesOf("ssm_strings_le"), bytes = files.get("table.f0")!, view = new DataView(bytes.buffer);
  const bucket = structureOf(files).filter(({ what }) => what === "word 0 of a string bucket")
    .find(({ offset }) => view.getInt32(offset + 12) >= 0);
  assert(bucket !== undefined, "the golden table has long strings");
  const { bucketSize } = headerOf(bytes, false);
  const used = view.getInt32(bucket.offset + 4);
  const found = wrongs(changed(files, "table.f0", (view) => {
    view.setInt32(bucket.offset + 4, used - 1);
    view.setInt32(bucket.offset + 8, view.getInt32(bucket.offset + 8) + 1);
  }));
  const number = (bucket.offset - 512) / bucketSize;
  assert.match(found, new RegExp(`a string of \\d+ bytes ends after \\d+, in bucket ${number}`));
});

/** The files of a table of three rows with a long string and an array each, in a StandardStMan. */
function written(): Files {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  using table = Table.create(path, {
    columns: [scalar("text", "string"), array("list", "int32", { ndim: 1 })],
    storage: [standard("SSM", undefined, { bucketRows: 4 })],
    rows: 3,
    byteOrder: "little",
    io: "node",
    lock: "none",
  });
  for (let row = 0; row < 3; row++) {
    table.putCell("text", row, `a string that is long enough, of row ${row}`);
    table.putCell("list", row, { dtype: "int32", shape: [2], data: Int32Array.of(row, row) });
  }
  table.close();
  return new Map([...Deno.readDirSync(path)].map(({ name }) => [name, Deno.readFileSync(`${path}/${name}`)]));
}

Deno.test("strings and arrays that two rows have are found", () => {
  const files = written();
  assert.equal(wrongs(files), "");
  // Both areas are in bucket 0; that of the references, of 12 bytes each, comes first.
  const rows = structureOf(files).find(({ what }) => what === "rows of a bucket")!;
  const bucketRows = new DataView(files.get("table.f0")!.buffer).getUint32(rows.offset, true);
  const first = 512, second = first + bucketRows * 12;
  const strings = wrongs(changed(files, "table.f0", (view) => {
    for (let i = 0; i < 12; i += 4) view.setUint32(first + 24 + i, view.getUint32(first + i));
  }));
  assert.match(strings, /byte 0 of string bucket \d+ belongs to two strings/);
  const arrays = wrongs(changed(files, "table.f0", (view) => {
    view.setBigInt64(second + 8, view.getBigInt64(second));
  }));
  assert.match(arrays, /bytes of the array of column list, row 0 are also those of column list, row 1/);
});

// ---- tiled managers

Deno.test("what a tiled header says of its files and rows is held against the hypercubes", () => {
  const files = filesOf("tsm_mixed_le");
  assert.match(
    wrongs(moved(files, "length of a file", 1)),
    /data file \d+ is said to be \d+ bytes long, tiles reach to byte \d+/,
  );
  const cube = structureOf(files).find(({ what }) => what === "hypercube of an interval")!;
  const undefinedRows = wrongs(changed(files, cube.file, (view) => view.setUint32(cube.offset, 0)));
  assert.match(undefinedRows, /hypercube \d+ of shape \[[\d,]+\] has \d+ positions, \d+ rows are in it/);
});

Deno.test("coordinates that don't fit their axis are found", () => {
  const files = filesOf("tsm_coordinates_le"), bytes = files.get("table.f0")!;
  // Hypercube 1 is [2, 2, 4]; its tiles are [2, 2, 3].
  const axes = [0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 4];
  const at = bytes.findIndex((_, i) => axes.every((byte, k) => bytes[i + k] === byte));
  const found = wrongs(changed(files, "table.f0", (view) => view.setUint32(at + 4, 3)));
  assert.match(found, /coordinates x are 2 values of type float64, expected 3/);
});

// ---- table.dat and containers

Deno.test("a manager whose number is yet to be given is found", () => {
  const files = filesOf("minimal_le"), dat = readTableDat(files.get("table.dat")!, "table.dat");
  assert(dat.kind === "PlainTable");
  const bytes = writeTableDat({ ...dat, columnSet: { ...dat.columnSet, sequenceCount: 0 } });
  assert.match(
    wrongs(new Map(files).set("table.dat", bytes)),
    /manager 0 is there, the next number to be given is 0/,
  );
});

Deno.test("a block of a container that nobody has is found", () => {
  const files = filesOf("multifile_le"), blockSize = 1000;
  const { container } = makeContainer(virtualFilesOf(fixturePath("multifile_le")), { version: 2, blockSize });
  const longer = new Uint8Array(container.length + blockSize);
  longer.set(container);
  const view = new DataView(longer.buffer);
  view.setBigInt64(48, view.getBigInt64(48) + 1n);
  files.delete("table.mf_hdrext");
  const blocks = container.length / blockSize;
  assert.match(
    wrongs(new Map(files).set("table.mf", longer)),
    new RegExp(`1 of ${blocks + 1} blocks are neither in a file nor free`),
  );
  assert.equal(wrongs(new Map(files).set("table.mf", container)), "");
});
