/** The indirect array file by itself: both versions, both byte orders, strings, promised records, offsets beyond 4 GiB. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { NUMERIC_TYPES, numericInfo } from "../../src/array/dtype.ts";
import { elementsOf } from "../../src/array/rows.ts";
import { openBackend } from "../../src/io/backends.ts";
import { runSync } from "../../src/io/drivers.ts";
import { TableFiles } from "../../src/io/files.ts";
import { MemoryBackend, MemoryStore } from "../../src/io/memory-backend.ts";
import type { Plan } from "../../src/io/plan.ts";
import { ArrayFile } from "../../src/storage/arrayfile/array-file.ts";
import { arrayFileName, formatArrayHeader } from "../../src/storage/arrayfile/header.ts";
import type { StoredType } from "../../src/storage/arrayfile/record-layout.ts";
import { temporaryFolder } from "../fixture.ts";
import { bytesInMemory, errorOf, putInMemory } from "./storage_standard_support.ts";

const FILE = "table.f3i";

/** An array file in memory. */
class Arrays {
  readonly store: MemoryStore;
  readonly files: TableFiles;
  file: ArrayFile;

  constructor(version: 0 | 1, bigEndian: boolean, store = new MemoryStore()) {
    this.store = store;
    store.directories.add("t");
    this.files = new TableFiles("t", new MemoryBackend(store), { writable: true });
    this.file = this.run(ArrayFile.create(FILE, { path: `t/${FILE}`, bigEndian, version }));
  }

  run<T>(plan: Plan<T>): T {
    return runSync(plan, this.files);
  }

  reopen(): void {
    this.run(this.file.settle());
    this.run(this.file.flush());
    this.files.flush();
    this.file = this.run(ArrayFile.open(FILE, { path: `t/${FILE}`, bigEndian: this.file.bigEndian }));
  }

  strings(offsets: Float64Array, shape: readonly number[]): string[] {
    const values: unknown[] = new Array(offsets.length * elementsOf(shape));
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    this.run(this.file.read(offsets, shape, "string", null, { kind: "strings", values, decode }, 0));
    return values as string[];
  }

  bytes(offsets: Float64Array, shape: readonly number[], dtype: StoredType): Uint8Array {
    const size = numericInfo(dtype as "int32").size;
    const bytes = new Uint8Array(offsets.length * elementsOf(shape) * size);
    this.run(this.file.read(offsets, shape, dtype, null, { kind: "numeric", bytes }, 0));
    return bytes;
  }
}

function text(...values: string[]): { kind: "strings"; values: Uint8Array[] } {
  return { kind: "strings", values: values.map((value) => new TextEncoder().encode(value)) };
}

Deno.test("an empty array file has the 16 bytes of the format reference", () => {
  const little = new Arrays(0, false);
  little.reopen();
  assert.equal(bytesInMemory(little.store, FILE).toHex(), "00000000100000000000000000000000");
  const big = new Arrays(1, true);
  big.reopen();
  assert.equal(bytesInMemory(big.store, FILE).toHex(), "00000001000000000000001000000000");
});

Deno.test("names of array files: one a manager, in old tables one a column", () => {
  assert.equal(arrayFileName(2), "table.f2i");
  assert.equal(arrayFileName(0, 1), "table.f0i1");
});

for (const version of [0, 1] as const) {
  for (const bigEndian of [false, true]) {
    const kind = `version ${version}, ${bigEndian ? "big" : "little"} endian`;

    Deno.test(`records of every type are kept and found again (${kind})`, () => {
      const arrays = new Arrays(version, bigEndian);
      const kept: { dtype: StoredType; shape: number[]; offsets: Float64Array; bytes: Uint8Array }[] = [];
      for (const dtype of NUMERIC_TYPES) {
        for (const shape of [[3], [2, 5], [1, 1, 7], [0, 4]]) {
          const bytes = new Uint8Array(4 * elementsOf(shape) * numericInfo(dtype).size);
          bytes.forEach((_, i) => bytes[i] = dtype === "bool" ? i % 3 === 0 ? 1 : 0 : i * 37);
          const offsets = arrays.run(arrays.file.append(shape, dtype, 4, { kind: "numeric", bytes }, 0));
          kept.push({ dtype, shape, offsets, bytes });
        }
      }
      const names = text("", "a", "long ".repeat(50), "ü", "b", "");
      const strings = arrays.run(arrays.file.append([3], "string", 2, names, 0));
      arrays.reopen();
      for (const { dtype, shape, offsets, bytes } of kept) {
        for (const guess of [-1, shape.length, 1]) {
          const runs = arrays.run(arrays.file.shapes(offsets, dtype, guess));
          assert.deepEqual(runs, [{ count: 4, shape }]);
        }
        assert.deepEqual(arrays.bytes(offsets, shape, dtype), bytes);
        assert.ok(offsets.every((offset) => offset % 8 === 0));
      }
      assert.deepEqual(arrays.strings(strings, [3]), ["", "a", "long ".repeat(50), "ü", "b", ""]);
      assert.deepEqual(arrays.strings(strings.toReversed(), [3]), [
        "ü",
        "b",
        "",
        "",
        "a",
        "long ".repeat(50),
      ]);
      // Records in another order, some of them twice, and undefined ones between them.
      const [first] = kept;
      const mixed = Float64Array.of(first!.offsets[3]!, 0, first!.offsets[0]!, 0, 0, first!.offsets[0]!);
      assert.deepEqual(arrays.run(arrays.file.shapes(mixed, "bool", -1)), [
        { count: 1, shape: [3] },
        { count: 1, shape: null },
        { count: 1, shape: [3] },
        { count: 2, shape: null },
        { count: 1, shape: [3] },
      ]);
    });

    Deno.test(`strings are replaced by others at the end of the file (${kind})`, () => {
      const arrays = new Arrays(version, bigEndian);
      const offsets = arrays.run(arrays.file.append([2, 2], "string", 1, text("a", "bb", "ccc", "dddd"), 0));
      const box = { start: [1, 0], shape: [1, 2], step: [1, 1] };
      arrays.run(arrays.file.write(offsets, [2, 2], "string", box, text("BBBBB", "D"), 0));
      arrays.reopen();
      assert.deepEqual(arrays.strings(offsets, [2, 2]), ["a", "BBBBB", "ccc", "D"]);
    });
  }
}

Deno.test("the reference count of a record stays as it is when its values are written again", () => {
  const arrays = new Arrays(1, false);
  const value = { kind: "numeric", bytes: Uint8Array.of(1, 2, 3) } as const;
  const offsets = arrays.run(arrays.file.append([3], "uint8", 1, value, 0));
  arrays.reopen();
  const count = Uint8Array.of(5, 0, 0, 0);
  arrays.files.write(FILE, offsets[0]!, count);
  const other = { kind: "numeric", bytes: Uint8Array.of(7, 8, 9) } as const;
  arrays.run(arrays.file.write(offsets, [3], "uint8", null, other, 0));
  arrays.reopen();
  const record = bytesInMemory(arrays.store, FILE).subarray(offsets[0]!);
  assert.equal(record.toHex(), "05000000" + "01000000" + "03000000" + "070809");
});

Deno.test("promised records read as zeros, whichever of them are written, in any order", () => {
  const step = fc.record({
    first: fc.nat({ max: 19 }),
    count: fc.integer({ min: 1, max: 20 }),
    fill: fc.integer({ min: 1, max: 255 }),
    look: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 8 }),
      fc.constantFrom(0 as const, 1 as const),
      (steps, version) => {
        const arrays = new Arrays(version, false);
        // Two columns whose records lie between each other's.
        const mine: number[] = [], expected: number[] = [];
        for (let i = 0; i < 4; i++) {
          mine.push(...arrays.run(arrays.file.reserve([5], "uint8", 5)));
          arrays.run(arrays.file.reserve([3, 1], "float64", 2));
          expected.push(...[0, 0, 0, 0, 0]);
        }
        for (const { first, count, fill, look } of steps) {
          const offsets = Float64Array.from(mine.slice(first, first + count));
          const bytes = new Uint8Array(offsets.length * 5).fill(fill);
          arrays.run(arrays.file.write(offsets, [5], "uint8", null, { kind: "numeric", bytes }, 0));
          expected.fill(fill, first, first + offsets.length);
          if (look) assert.equal(arrays.bytes(offsets, [5], "uint8")[0], fill);
        }
        arrays.reopen();
        const found = arrays.bytes(Float64Array.from(mine), [5], "uint8");
        assert.deepEqual([...found], expected.flatMap((value) => new Array(5).fill(value)));
        assert.deepEqual(arrays.run(arrays.file.shapes(Float64Array.from(mine), "uint8", 1)), [{
          count: 20,
          shape: [5],
        }]);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("long arrays are written in pieces, with and without another byte order", () => {
  for (const bigEndian of [false, true]) {
    for (const dtype of ["float64", "bool", "complex128"] as const) {
      const arrays = new Arrays(0, bigEndian);
      const elements = dtype === "bool" ? 10_000_003 : 300_001;
      const bytes = new Uint8Array(2 * elements * numericInfo(dtype).size);
      bytes.forEach((_, i) => bytes[i] = dtype === "bool" ? i % 5 === 0 ? 1 : 0 : i);
      const offsets = arrays.run(arrays.file.append([elements], dtype, 2, { kind: "numeric", bytes }, 0));
      arrays.reopen();
      if (dtype === "bool") {
        const last = bytesInMemory(arrays.store, FILE)[16 + 8 + Math.ceil(elements / 8) - 1]!;
        assert.equal(last >> 3, 0, "bits without use are zero");
      }
      assert.ok(
        Uint8Array.from(arrays.bytes(offsets, [elements], dtype)).every((byte, i) => byte === bytes[i]),
      );
    }
  }
});

Deno.test("arrays without values read as zeros, whatever stood there before", () => {
  for (const elements of [5, 100_000, 2_000_000]) {
    const arrays = new Arrays(0, false);
    const ones = { kind: "numeric", bytes: new Uint8Array(elements).fill(1) } as const;
    const old = arrays.run(arrays.file.append([elements], "uint8", 1, ones, 0));
    arrays.reopen();
    arrays.run(arrays.file.write(old, [elements], "uint8", null, null, 0));
    // Left behind the used part by a writer that didn't get to its header.
    arrays.files.write(FILE, arrays.file.length, new Uint8Array(3 * elements).fill(0xab));
    arrays.reopen();
    const fresh = arrays.run(arrays.file.reserve([elements], "uint8", 2));
    arrays.reopen();
    for (const offsets of [old, fresh]) {
      assert.ok(arrays.bytes(offsets, [elements], "uint8").every((byte) => byte === 0));
    }
  }
});

Deno.test("arrays beyond 4 GiB are kept and found again", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/${FILE}`;
  const far = 5 * 2 ** 30 + 3;
  Deno.writeFileSync(path, formatArrayHeader({ version: 0, length: far }, false));
  Deno.truncateSync(path, far);
  const files = new TableFiles(folder.path, openBackend("node"), { writable: true });
  const options = { path, bigEndian: false };
  const file = runSync(ArrayFile.open(FILE, options), files);
  const value = { kind: "numeric", bytes: Uint8Array.of(1, 0, 2, 0) } as const;
  const offsets = runSync(file.append([2], "int16", 1, value, 0), files);
  assert.deepEqual([...offsets], [Math.ceil(far / 8) * 8]);
  runSync(file.flush(), files);
  files.flush();
  const again = runSync(ArrayFile.open(FILE, options), files);
  assert.deepEqual(runSync(again.shapes(offsets, "int16", 1), files), [{ count: 1, shape: [2] }]);
  const bytes = new Uint8Array(4);
  runSync(again.read(offsets, [2], "int16", null, { kind: "numeric", bytes }, 0), files);
  assert.deepEqual([...bytes], [1, 0, 2, 0]);
  const error = errorOf(() => runSync(again.append([1], "string", 1, text("x"), 0), files));
  assert.equal(error?.code, "LIMIT");
  files.close();
});

Deno.test("what can't be an array is refused with file and offset", () => {
  const arrays = new Arrays(0, false);
  const value = { kind: "numeric", bytes: new Uint8Array(24) } as const;
  const [offset] = arrays.run(arrays.file.append([3], "float64", 1, value, 0));
  arrays.reopen();
  const shapes = (at: number) =>
    errorOf(() => arrays.run(arrays.file.shapes(Float64Array.of(at), "float64", -1)));
  for (const wrong of [8, 17, offset! + 4, offset! + 800, 2 ** 52]) {
    assert.match(String(shapes(wrong)), /t\/table\.f3i, offset \d+: a cell says/);
  }
  const damage = (word: number, number: number) => {
    const bytes = bytesInMemory(arrays.store, FILE);
    new DataView(bytes.buffer).setUint32(offset! + word, number, true);
    const store = new MemoryStore();
    putInMemory(store, FILE, bytes);
    const files = new TableFiles("t", new MemoryBackend(store), { writable: false });
    const file = runSync(ArrayFile.open(FILE, { path: `t/${FILE}`, bigEndian: false }), files);
    return errorOf(() => runSync(file.shapes(Float64Array.of(offset!), "float64", -1), files));
  };
  assert.match(String(damage(0, 100)), /100 axes, expected at most 64/);
  assert.match(String(damage(0, 9)), /9 axes, expected at most 64 within the/);
  assert.match(String(damage(4, 4)), /shape \[4\], which takes 32 bytes, there are 24/);
  assert.match(String(damage(4, 0xffffffff)), /shape \[-1\]/);
});

Deno.test("a header that says more than the file has, or another version, is refused", () => {
  const open = (bytes: Uint8Array) => {
    const store = new MemoryStore();
    putInMemory(store, FILE, bytes);
    const files = new TableFiles("t", new MemoryBackend(store), { writable: false });
    return errorOf(() => runSync(ArrayFile.open(FILE, { path: FILE, bigEndian: false }), files));
  };
  const header = (length: number) => formatArrayHeader({ version: 0, length }, false);
  assert.equal(open(header(16)), null);
  assert.equal(open(header(17))?.code, "CORRUPT");
  assert.equal(open(header(15))?.code, "CORRUPT");
  assert.equal(open(new Uint8Array(7))?.code, "CORRUPT");
  const other = header(16);
  other[0] = 2;
  assert.equal(open(other)?.code, "UNSUPPORTED");
});

Deno.test("string offsets outside the file, and strings that overlap, are refused", () => {
  const arrays = new Arrays(0, false);
  const offsets = arrays.run(arrays.file.append([4], "string", 1, text("abcdefgh", "ijk", "l", "m"), 0));
  arrays.reopen();
  const bytes = bytesInMemory(arrays.store, FILE);
  const view = new DataView(bytes.buffer);
  const first = offsets[0]! + 8;
  const read = () => {
    putInMemory(arrays.store, FILE, bytes);
    arrays.files.forget();
    return errorOf(() => arrays.strings(offsets, [4]));
  };
  assert.equal(read(), null);
  const place = view.getUint32(first, true);
  view.setUint32(first, 9, true);
  assert.match(String(read()), /a string begins at offset 9/);
  view.setUint32(first, 0x7fffffff, true);
  assert.match(String(read()), /outside the \d+ bytes in use/);
  view.setUint32(first, place, true);
  view.setUint32(place, 1000, true);
  assert.match(String(read()), /a string of 1000 bytes begins/);
});
