import assert from "node:assert/strict";
import fc from "fast-check";
import { disableLibrary, library } from "../../ffi/binding.ts";
import { crc32c } from "../../src/array/crc32c.ts";
import { crc32cTwin } from "../../src/array/crc32c-twin.ts";

/** Bit by bit, from the definition. */
function slowly(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? register >>> 1 ^ 0x82f63b78 : register >>> 1;
  }
  return ~register >>> 0;
}

const text = (value: string) => new TextEncoder().encode(value);

for (const native of [true, false]) {
  const where = native ? "in C" : "in TypeScript";
  const ignore = native && library() === null;
  const run = (body: () => void) => () => {
    using _without = native ? { [Symbol.dispose]() {} } : disableLibrary();
    body();
  };

  Deno.test({
    name: `CRC-32C of what others publish as examples, ${where}`,
    ignore,
    fn: run(() => {
      assert.equal(crc32c(text("123456789")), 0xe3069283);
      // RFC 3720, appendix B.4.
      assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
      assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
      assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
      assert.equal(crc32c(new Uint8Array(0)), 0);
    }),
  });

  Deno.test({
    name: `CRC-32C of any bytes, at any address, in one piece or two, ${where}`,
    ignore,
    fn: run(() => {
      fc.assert(fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.nat(7),
        fc.nat(3000),
        (bytes, shift, cut) => {
          const moved = new Uint8Array(bytes.length + shift).subarray(shift);
          moved.set(bytes);
          const expected = slowly(bytes);
          assert.equal(crc32c(moved), expected);
          const first = crc32c(moved.subarray(0, cut));
          assert.equal(crc32c(moved.subarray(cut), first), expected);
        },
      ));
    }),
  });
}

Deno.test({
  name: "CRC-32C of long inputs is the same in C as in TypeScript",
  ignore: library() === null,
  fn() {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
    for (
      const length of [255, 256, 767, 768, 769, 24_575, 24_576, 24_577, 49_152, 73_729, 199_999, 200_000]
    ) {
      for (const seed of [0, 1, 0x80000000, 0xffffffff]) {
        const part = bytes.subarray(bytes.length - length);
        assert.equal(crc32c(part, seed), crc32cTwin(part, seed), `${length} bytes behind ${seed}`);
      }
    }
  },
});
