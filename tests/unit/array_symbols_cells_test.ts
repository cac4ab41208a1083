/** Packed symbols of whole cells, for which the loop in C has a way of its own: against the definition, to the last byte. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { library } from "../../ffi/binding.ts";
import { twins } from "../../src/array/twins.ts";

const native = library()?.kernels ?? twins;
const both = native === twins ? [twins] : [native, twins];

const cells = fc.record({
  bits: fc.oneof(fc.constantFrom(2, 3, 4, 6, 8, 10, 12, 16), fc.integer({ min: 1, max: 16 })),
  first: fc.nat(20),
  rows: fc.integer({ min: 1, max: 6 }),
  channels: fc.integer({ min: 1, max: 9 }),
  correlations: fc.constantFrom(4, 4, 1, 2, 3, 5),
  between: fc.constantFrom(0, 0, 0, 1, 6),
  shift: fc.nat(7),
  spare: fc.nat(12),
  seed: fc.nat(0xffff),
});

Deno.test("symbols of whole cells become floats, in whatever way that is done", () => {
  fc.assert(
    fc.property(cells, (cell) => {
      const { bits, first, rows, channels, correlations, between, shift, spare } = cell;
      let state = cell.seed;
      const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
      const places = channels * correlations, rowStep = 2 * places + between;
      const symbols = first + (rows - 1) * rowStep + 2 * places;
      const stream = Uint8Array.from({ length: Math.ceil(symbols * bits / 8) + spare + shift }, next)
        .subarray(shift);
      const numbers = (n: number) =>
        Float64Array.from({ length: n }, () => Math.fround((next() - 30000) / 77));
      const levels = numbers(2 ** bits), channel = numbers(places), row = numbers(rows * correlations);
      levels[levels.length - 1] = NaN;
      levels[0] = -0;
      const symbolAt = (k: number) => {
        let symbol = 0;
        for (let i = 0; i < bits; i++) {
          const bit = k * bits + i;
          symbol += ((stream[Math.floor(bit / 8)]! >> (bit % 8)) & 1) * 2 ** i;
        }
        return symbol;
      };
      const expected: number[] = [];
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < 2 * places; i++) {
          const place = i >> 1, factor = channel[place]! * row[r * correlations + place % correlations]!;
          expected.push(Math.fround(levels[symbolAt(first + r * rowStep + i)]! * factor));
        }
      }
      const box = {
        bits,
        items: 2,
        copies: 1,
        first,
        shape: [rows, channels, correlations],
        steps: [rowStep, 2 * correlations, 2],
      } as const;
      for (const kernels of both) {
        const target = new Uint8Array(expected.length * 4 + 8).fill(0xa5);
        kernels.decodeSymbols(box, stream, { levels, channel, row }, target);
        const values = new Float32Array(target.buffer, 0, expected.length);
        values.forEach((value, i) => assert(Object.is(value, expected[i]), `${kernels.name}, value ${i}`));
        assert(target.subarray(expected.length * 4).every((byte) => byte === 0xa5));
      }
    }),
    { numRuns: 400 },
  );
});
