/** Memory for results: zeroed, aligned where the library is there, refused with LIMIT. */
import assert from "node:assert/strict";
import { disableLibrary, library } from "../../ffi/binding.ts";
import { allocate } from "../../src/array/alloc.ts";
import { bytesOf, holds, NUMERIC_TYPES, numericInfo } from "../../src/array/dtype.ts";

Deno.test("allocate() gives zeros of the asked type and length", () => {
  for (const dtype of NUMERIC_TYPES) {
    for (const elements of [0, 1, 7, 1000, 100_000]) {
      const data = allocate(dtype, elements);
      assert.ok(holds(dtype, data));
      assert.equal(data.length, elements * numericInfo(dtype).items);
      assert.ok(bytesOf(data).every((byte) => byte === 0));
    }
  }
});

Deno.test(
  { name: "allocate() begins results of 16 KiB and more at 64 bytes", ignore: library() === null },
  () => {
    for (const elements of [2048, 2049, 12_345, 1_000_000]) {
      const data = allocate("float64", elements) as Float64Array<ArrayBuffer>;
      assert.equal(library()!.address(new Uint8Array(data.buffer, data.byteOffset, 1)) % 64, 0);
    }
  },
);

Deno.test("allocate() does without the library", () => {
  using _off = disableLibrary();
  const data = allocate("complex128", 2000);
  assert.deepEqual([data.length, data.byteOffset, data.buffer.byteLength], [4000, 0, 32_000]);
});

Deno.test("allocate() refuses what there is no memory for with LIMIT, and nonsense with INVALID_ARGUMENT", () => {
  for (const elements of [2 ** 49, 2 ** 53 - 1]) {
    for (const dtype of ["uint8", "complex128"] as const) {
      assert.throws(() => allocate(dtype, elements), { name: "TableError", code: "LIMIT" });
    }
  }
  for (const elements of [-1, 0.5, NaN, 2 ** 60]) {
    assert.throws(() => allocate("uint8", elements), { name: "TableError", code: "INVALID_ARGUMENT" });
  }
});
