/**
 * Packed symbols to floats: the loop in C and its twin against the definition and against each other, and what both
 * refuse.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { library } from "../../ffi/binding.ts";
import type { SymbolBox, SymbolScale } from "../../src/array/symbols.ts";
import { twins } from "../../src/array/twins.ts";

const native = library()?.kernels ?? twins;
/** Without the library the twin is held against the definition alone. */
const where = native === twins ? "in TypeScript (the C library is missing)" : "in C and in TypeScript";
const both = native === twins ? [twins] : [native, twins];

/** Small whole numbers that look random. */
function noise(seed: number): () => number {
  let x = seed | 1;
  return () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) >>> 16;
}

/** Symbol `k` by the definition: bit j of the stream is bit j mod 8 of byte ⌊j / 8⌋, the least significant first. */
function symbolAt(stream: Uint8Array, bits: number, k: number): number {
  let symbol = 0;
  for (let i = 0; i < bits; i++) {
    const bit = k * bits + i;
    symbol += ((stream[Math.floor(bit / 8)]! >> (bit % 8)) & 1) * 2 ** i;
  }
  return symbol;
}

/** Numbers of which a product may be nothing, not a number, or too large for a float. */
const ODD = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-300, 1e30, -1e300, 1e-42, 1.1];

function numbers(length: number, next: () => number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length }, () => {
    const n = next();
    return n % 7 === 0 ? ODD[n % ODD.length]! : Math.fround((n - 30000) / 777);
  });
}

const boxes: fc.Arbitrary<SymbolBox> = fc.record({
  bits: fc.integer({ min: 1, max: 16 }),
  items: fc.constantFrom(1 as const, 2 as const),
  copies: fc.constantFrom(1, 1, 2, 3, 4),
  first: fc.nat(70),
  shape: fc.tuple(fc.nat(4), fc.nat(5), fc.nat(4)),
  steps: fc.tuple(fc.nat(50), fc.nat(9), fc.nat(4)),
});

/** Number of the symbol behind the last one of a box. */
function endOf({ first, items, shape, steps }: SymbolBox): number {
  return first + shape.reduce((sum, n, axis) => sum + Math.max(0, n - 1) * steps[axis]!, 0) + items;
}

Deno.test(`symbols become floats, the same ${where}`, () => {
  fc.assert(
    fc.property(
      boxes,
      fc.boolean(),
      fc.nat(7),
      fc.nat(9),
      fc.nat(0xffff),
      (box, plain, shift, spare, seed) => {
        const next = noise(seed);
        const { bits, items, copies, first, shape: [rows, channels, correlations], steps } = box;
        const bytes = Math.ceil(endOf(box) * bits / 8) + spare;
        const stream = Uint8Array.from({ length: bytes + shift }, next).subarray(shift);
        const scale: SymbolScale = {
          levels: plain ? null : numbers(2 ** bits, next),
          channel: numbers(channels * correlations, next),
          row: numbers(rows * correlations, next),
        };
        const expected: number[] = [];
        for (let r = 0; r < rows; r++) {
          for (let c = 0; c < channels; c++) {
            for (let p = 0; p < correlations; p++) {
              const factor = scale.channel[c * correlations + p]! * scale.row[r * correlations + p]!;
              for (let k = 0; k < copies * items; k++) {
                const i = k % items;
                const symbol = symbolAt(stream, bits, first + r * steps[0] + c * steps[1] + p * steps[2] + i);
                expected.push(Math.fround((scale.levels?.[symbol] ?? symbol) * factor));
              }
            }
          }
        }
        for (const kernels of both) {
          const target = new Uint8Array(expected.length * 4 + shift + spare).fill(0xa5).subarray(shift);
          kernels.decodeSymbols(box, stream, scale, target);
          const values = new Float32Array(target.slice(0, expected.length * 4).buffer);
          values.forEach((value, i) =>
            assert.ok(
              Object.is(value, expected[i]),
              `${kernels.name}, value ${i}: ${value} is not ${expected[i]}`,
            )
          );
          assert.ok(target.subarray(expected.length * 4).every((byte) => byte === 0xa5));
        }
      },
    ),
  );
});

Deno.test(`the last symbol of a stream is read although no byte follows, the same ${where}`, () => {
  for (let bits = 1; bits <= 16; bits++) {
    for (let count = 1; count <= 20; count++) {
      const stream = new Uint8Array(Math.ceil(count * bits / 8)).fill(0xff);
      const box = { bits, items: 1, copies: 1, first: 0, shape: [1, 1, count], steps: [0, 0, 1] } as const;
      const scale = {
        levels: null,
        channel: new Float64Array(count).fill(1),
        row: new Float64Array(count).fill(1),
      };
      for (const kernels of both) {
        const target = new Float32Array(count);
        kernels.decodeSymbols(box, stream, scale, new Uint8Array(target.buffer));
        assert.deepEqual(target, new Float32Array(count).fill(2 ** bits - 1));
      }
    }
  }
});

Deno.test(`boxes that leave their buffers are refused and nothing changes, the same ${where}`, () => {
  const good = { bits: 5, items: 2, copies: 1, first: 3, shape: [2, 3, 4], steps: [24, 8, 2] } as const;
  const scale = { levels: new Float64Array(32), channel: new Float64Array(12), row: new Float64Array(8) };
  const stream = new Uint8Array(Math.ceil(endOf(good) * 5 / 8)), size = 2 * 3 * 4 * 2 * 4;
  const refused = (box: SymbolBox, bytes = stream, of: SymbolScale = scale, targetBytes = size) => {
    for (const kernels of both) {
      const target = new Uint8Array(targetBytes).fill(7);
      assert.throws(() => kernels.decodeSymbols(box, bytes, of, target), RangeError);
      assert.ok(target.every((byte) => byte === 7));
    }
  };
  for (const kernels of both) kernels.decodeSymbols(good, stream, scale, new Uint8Array(size));
  for (const bits of [0, 17, 2.5, NaN]) refused({ ...good, bits });
  for (const items of [0, 3]) refused({ ...good, items: items as 1 });
  for (const copies of [0, 0.5, 2]) refused({ ...good, copies });
  for (const first of [-1, 0.5, NaN, Infinity, 2 ** 53]) refused({ ...good, first });
  refused({ ...good, first: 5 });
  refused({ ...good, shape: [3, 3, 4] });
  refused({ ...good, shape: [-1, 3, 4] });
  refused({ ...good, steps: [2 ** 53 - 1, 8, 2] });
  refused({ ...good, steps: [24, -8, 2] });
  refused(good, stream.subarray(1));
  refused(good, stream, { ...scale, levels: new Float64Array(31) });
  refused(good, stream, { ...scale, channel: new Float64Array(11) });
  refused(good, stream, { ...scale, row: new Float64Array(7) });
  refused(good, stream, scale, size - 1);
});

Deno.test("the library itself refuses what its caller didn't check", { ignore: library() === null }, () => {
  const { symbols } = library()!;
  const call = (box: number[], streamBytes = 8, levels = 4, channel = 1, row = 1, targetBytes = 4) =>
    symbols.tessera_decode_symbols(
      Float64Array.from(box),
      new Uint8Array(8),
      streamBytes,
      new Float64Array(4),
      levels,
      new Float64Array(1),
      channel,
      new Float64Array(1),
      row,
      new Uint8Array(4),
      targetBytes,
    );
  const good = [2, 1, 1, 31, 1, 1, 1, 0, 0, 0];
  assert.equal(call(good), 0);
  good.forEach((_, i) => {
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53 - 1]) {
      // The steps of an axis with one place don't matter.
      if (i >= 7 && bad > 1 && Number.isFinite(bad)) continue;
      assert.ok(call(good.with(i, bad)) < 0, `${good.with(i, bad)}`);
    }
  });
  assert.ok(call(good, 7) < 0);
  assert.ok(call(good, 8, 3) < 0);
  assert.ok(call(good, 8, 4, 0) < 0);
  assert.ok(call(good, 8, 4, 1, 0) < 0);
  assert.ok(call(good, 8, 4, 1, 1, 3) < 0);
});
