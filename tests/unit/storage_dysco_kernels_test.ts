/**
 * The loops that encode visibilities and weights: the ones in C and their twins give the same bytes, and what they give
 * decodes to the values, as near as the levels lie.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { library } from "../../ffi/binding.ts";
import { quantiserOf } from "../../src/array/quantiser.ts";
import { twins } from "../../src/array/twins.ts";
import {
  BLOCK_SCALINGS,
  type BlockBaselines,
  blockBytes,
  blockFloats,
  NO_BASELINES,
  scratchLength,
  type VisibilityBlock,
} from "../../src/array/visibility-block.ts";
import type { WeightBlock } from "../../src/array/weight-block.ts";
import { DISTRIBUTIONS, levelTable } from "../../src/storage/dysco/levels.ts";

const native = library()?.kernels ?? twins;
const both = native === twins ? [twins] : [native, twins];

/** Numbers below 1 that look random. */
function noise(seed: number): () => number {
  let x = seed | 1;
  return () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) / 2 ** 32;
}

const ODD = [0, -0, NaN, Infinity, -Infinity, 1e-42, 3e38, 1e4];

/** Values of which some are nothing that can be scaled. */
function valuesOf(count: number, odd: number, next: () => number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: count },
    () => next() < odd ? ODD[Math.floor(next() * ODD.length)]! : (next() + next() + next() - 1.5) * 8,
  );
}

const blocks = fc.record({
  scaling: fc.constantFrom(...BLOCK_SCALINGS),
  rows: fc.nat(12),
  spareRows: fc.nat(3),
  channels: fc.nat(7),
  correlations: fc.nat(4),
  antennas: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(2 ** 32 - 1),
  bits: fc.constantFrom(2, 3, 4, 6, 8, 10, 12, 16),
  distribution: fc.constantFrom(...DISTRIBUTIONS),
  odd: fc.constantFrom(0, 0, 0.02, 0.5),
  shift: fc.nat(5),
});

Deno.test("blocks of visibilities are encoded the same in C and in TypeScript", () => {
  fc.assert(
    fc.property(blocks, ({ rows, spareRows, bits, distribution, odd, shift, ...rest }) => {
      const block: VisibilityBlock = { ...rest, rows, blockRows: rows + spareRows };
      const next = noise(block.seed);
      const quantiser = quantiserOf(bits, levelTable({ distribution, bits, studentNu: 2, truncation: 2.5 }));
      const floats = valuesOf(2 * rows * block.channels * block.correlations, odd, next);
      const values = new Uint8Array(floats.byteLength + shift);
      values.set(new Uint8Array(floats.buffer), shift);
      const antenna = () => Math.floor(next() * block.antennas);
      const baselines: BlockBaselines = {
        first: Int32Array.from({ length: rows }, antenna),
        second: Int32Array.from({ length: rows }, antenna),
      };
      const results = both.map((kernels) => {
        const target = new Uint8Array(blockBytes(block, bits) + shift + 1).fill(0xa5);
        const scratch = new Float64Array(scratchLength(block)).fill(NaN);
        kernels.encodeVisibilities(
          block,
          quantiser,
          values.subarray(shift),
          baselines,
          scratch,
          target.subarray(shift),
        );
        assert.equal(target.at(-1), 0xa5);
        return withoutNaNs(target.subarray(shift), blockFloats(block));
      });
      assert.deepEqual(results[0], results.at(-1));
    }),
    { numRuns: 400 },
  );
});

/** The sign of a NaN is nobody's. */
function withoutNaNs(bytes: Uint8Array, floats: number): Uint8Array {
  const result = bytes.slice(), view = new DataView(result.buffer);
  for (let i = 0; i < floats; i++) {
    if (Number.isNaN(view.getFloat32(4 * i, true))) view.setUint32(4 * i, 0x7fc00000, true);
  }
  return result;
}

Deno.test("blocks of weights are encoded the same in C and in TypeScript, and decode to the weights", () => {
  fc.assert(
    fc.property(blocks, ({ rows, spareRows, channels, correlations, bits, odd, shift, seed }) => {
      const block: WeightBlock = {
        rows,
        blockRows: rows + spareRows,
        channels,
        correlations: correlations + 1,
        bits,
      };
      const floats = valuesOf(rows * channels * block.correlations, odd, noise(seed));
      const values = new Uint8Array(floats.byteLength + shift);
      values.set(new Uint8Array(floats.buffer), shift);
      const size = 4 + Math.ceil(block.blockRows * channels * bits / 8);
      const [ours, twin] = [native, twins].map((kernels) => {
        const target = new Uint8Array(size + 1).fill(0xa5);
        kernels.encodeWeights(block, values.subarray(shift), target);
        assert.equal(target.at(-1), 0xa5);
        return target;
      }) as [Uint8Array, Uint8Array];
      assert.deepEqual(ours, twin);

      const largest = new DataView(ours.buffer).getFloat32(0, true), step = largest / (2 ** bits - 1);
      for (let i = 0; i < rows * channels; i++) {
        const all = floats.subarray(i * block.correlations, (i + 1) * block.correlations);
        let expected = all.reduce((least, weight) => weight < least ? weight : least);
        if (!(expected > 0)) expected = 0;
        if (expected === Infinity) expected = largest;
        let symbol = 0;
        for (let k = 0; k < bits; k++) {
          const bit = i * bits + k;
          symbol += (ours[4 + Math.floor(bit / 8)]! >> bit % 8 & 1) * 2 ** k;
        }
        assert.ok(
          Math.abs(symbol * step - expected) <= step * (0.5 + 2 ** (bits - 23)),
          `${symbol} × ${step} for ${expected}`,
        );
      }
    }),
    { numRuns: 300 },
  );
});

/** Symbols of one row of one channel: what the quantiser does to values that are scaled already, as M is among them. */
function symbolsOf(values: readonly number[], bits: number, levels: Float64Array<ArrayBuffer>): number[] {
  const floats = new Float32Array(values.length + values.length % 2).fill(levels[2 ** bits - 2]!);
  floats.set(values);
  const block: VisibilityBlock = {
    scaling: "Row",
    rows: 1,
    blockRows: 1,
    channels: floats.length / 2,
    correlations: 1,
    antennas: 0,
    seed: 7,
  };
  const target = new Uint8Array(blockBytes(block, bits));
  const quantiser = quantiserOf(bits, levels);
  const bytes = new Uint8Array(floats.buffer);
  native.encodeVisibilities(
    block,
    quantiser,
    bytes,
    NO_BASELINES,
    new Float64Array(scratchLength(block)),
    target,
  );
  const view = new DataView(target.buffer, 4);
  return values.map((_, k) => {
    let symbol = 0;
    for (let i = 0; i < bits; i++) {
      const bit = k * bits + i;
      symbol += (view.getUint8(Math.floor(bit / 8)) >> bit % 8 & 1) * 2 ** i;
    }
    return symbol;
  });
}

Deno.test("a value that is a level becomes its symbol, and one between two becomes either, the mean being kept", () => {
  for (const distribution of DISTRIBUTIONS) {
    for (const bits of [2, 3, 4, 8, 12]) {
      const levels = levelTable({ distribution, bits, studentNu: 2, truncation: 2.5 });
      const own = [...levels.subarray(0, -1)];
      assert.deepEqual(symbolsOf([...own, own.at(-1)!], bits, levels), [...own.keys(), own.length - 1]);
      assert.deepEqual(symbolsOf([NaN, Infinity, own.at(-1)!], bits, levels).slice(0, 2), [
        own.length,
        own.length,
      ]);
      const low = own[0]!, high = own[1]!, at = low + (high - low) / 4;
      const many = symbolsOf([...new Array(20000).fill(at), own.at(-1)!], bits, levels).slice(0, -1);
      assert.ok(many.every((symbol) => symbol === 0 || symbol === 1));
      const share = many.filter((symbol) => symbol === 1).length / many.length;
      assert.ok(Math.abs(share - 0.25) < 0.02, `${share}`);
    }
  }
});

Deno.test("encoding refuses sizes that leave their buffers, and nothing changes", () => {
  const quantiser = quantiserOf(
    4,
    levelTable({ distribution: "Uniform", bits: 4, studentNu: 0, truncation: 0 }),
  );
  const good: VisibilityBlock = {
    scaling: "AF",
    rows: 3,
    blockRows: 4,
    channels: 2,
    correlations: 2,
    antennas: 3,
    seed: 1,
  };
  const baselines = { first: Int32Array.of(0, 0, 1), second: Int32Array.of(1, 2, 2) };
  const size = 3 * 2 * 2 * 8, bytes = blockBytes(good, 4), doubles = scratchLength(good);
  const call = (
    block: VisibilityBlock,
    { of = size, by = baselines, scratch = doubles, to = bytes, table = quantiser } = {},
  ) => {
    for (const kernels of both) {
      const target = new Uint8Array(to).fill(7);
      const run = () =>
        kernels.encodeVisibilities(
          block,
          table,
          new Uint8Array(of),
          by,
          new Float64Array(scratch),
          target,
        );
      if (block === good && of === size && by === baselines && scratch === doubles && to === bytes) run();
      else {
        assert.throws(run, RangeError);
        assert.ok(target.every((byte) => byte === 7));
      }
    }
  };
  call(good);
  call(good, { of: size - 1 });
  call(good, { to: bytes - 1 });
  call(good, { scratch: doubles - 1 });
  call(good, { by: { ...baselines, second: Int32Array.of(1, 2, 3) } });
  call(good, { by: { ...baselines, first: Int32Array.of(0, -1, 1) } });
  call(good, { by: { ...baselines, first: Int32Array.of(0, 0) } });
  call({ ...good, rows: 5 });
  call({ ...good, antennas: 2049 });
  for (const seed of [-1, 2 ** 32, 0.5]) call({ ...good, seed });
  for (const rows of [-1, 0.5, NaN, 2 ** 53]) call({ ...good, rows });
  for (const kernels of both) {
    const weights: WeightBlock = { rows: 2, blockRows: 3, channels: 4, correlations: 2, bits: 6 };
    const run = (block: WeightBlock, of = 64, to = 13) =>
      kernels.encodeWeights(block, new Uint8Array(of), new Uint8Array(to));
    run(weights);
    assert.throws(() => run(weights, 63), RangeError);
    assert.throws(() => run(weights, 64, 12), RangeError);
    assert.throws(() => run({ ...weights, rows: 4 }), RangeError);
    assert.throws(() => run({ ...weights, bits: 17 }), RangeError);
    assert.throws(() => run({ ...weights, correlations: 0 }), RangeError);
  }
});
