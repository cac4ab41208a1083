/**
 * CompressFloat: float32 values kept as int16 (format reference part 6, section 4).
 *
 * | stored | value |
 * | --- | --- |
 * | -32768 | NaN |
 * | s | s × scale + offset, each operation rounded to single precision |
 *
 * Stored is `(value - offset) / scale`, rounded to the nearest and halves away from 0. What is beyond -32767 and 32767
 * is stored as those: casacore keeps the low bits, and may make any number of it.
 */
import type { NumericData } from "../../array/dtype.ts";
import { type Extent, NO_EXTENT } from "./auto-scale.ts";
import { CompressedColumn, type Compression, settleCompressed } from "./compressed-column.ts";
import { engineKind } from "./engine.ts";
import { MappedSpec } from "./settle.ts";

const NO_VALUE = -32768;
const MOST = 32767;

/** The kind that serves `CompressFloat`. */
export const compressFloat = engineKind({
  serves: (type) => type === "CompressFloat",
  column: (context, bound) =>
    new CompressedColumn(context, bound, "_CompressFloat_", compression).described(),
  specType: "CompressFloat",
  settle: (spec, context) =>
    settleCompressed(new MappedSpec(spec, context), "CompressFloat", "_CompressFloat_", compression),
});

const compression: Compression = { types: ["float32", "int16"], unpack, pack, extent };

function unpack(
  stored: NumericData,
  target: Float32Array,
  each: number,
  scales: Float32Array,
  offsets: Float32Array,
): void {
  const values = stored as Int16Array;
  for (let start = 0, cell = 0; start < values.length; start += each, cell++) {
    const scale = scales[cell]!, offset = offsets[cell]!, end = start + each;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      // The array rounds the sum.
      target[i] = value === NO_VALUE ? NaN : Math.fround(value * scale) + offset;
    }
  }
}

function pack(
  values: Float32Array,
  stored: NumericData,
  each: number,
  scales: Float32Array,
  offsets: Float32Array,
): void {
  for (let start = 0, cell = 0; start < values.length; start += each, cell++) {
    const scale = scales[cell]!, offset = offsets[cell]!, end = start + each;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      stored[i] = Number.isFinite(value) ? scaled(value, scale, offset, -MOST, MOST) : NO_VALUE;
    }
  }
}

/** The nearest whole number of steps, within bounds; 0 for 0 / 0. */
export function scaled(value: number, scale: number, offset: number, least: number, most: number): number {
  const steps = Math.fround(Math.fround(value - offset) / scale);
  const nearest = steps < 0 ? Math.ceil(steps - 0.5) : Math.floor(steps + 0.5);
  return nearest < least ? least : nearest > most ? most : Number.isNaN(nearest) ? 0 : nearest;
}

function extent(values: Float32Array): Extent {
  let least = NaN, greatest = NaN;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    // Negated: NaN is neither less nor greater.
    if (!(value >= least)) least = value;
    if (!(value <= greatest)) greatest = value;
  }
  return Number.isNaN(least) ? NO_EXTENT : [least, greatest];
}
