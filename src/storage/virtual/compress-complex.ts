/**
 * CompressComplex and CompressComplexSD: complex64 values kept as one int32 each (format reference part 6, section 5).
 *
 * `w = re × 65536 + im`, both signed: im is the low half, and re may be 32768.
 *
 * | engine | word | real part | imaginary part |
 * | --- | --- | --- | --- |
 * | CompressComplex | -2147483648 | NaN | NaN |
 * | | any other | re × scale + offset | im × scale + offset |
 * | CompressComplexSD | even | (w >> 1) × (scale / 32768) + offset | 0 |
 * | | odd | re × scale + offset | (im >> 1) × (2 × scale) + offset |
 *
 * Every operation is rounded to single precision. Stored is the nearest whole number, halves away from 0, within
 * -32767 and 32767, or the bits that there are; -2147483648 where a part is not finite. CompressComplexSD keeps values
 * without an imaginary part in even words.
 */
import type { NumericData } from "../../array/dtype.ts";
import { type Extent, NO_EXTENT } from "./auto-scale.ts";
import { scaled } from "./compress-float.ts";
import { CompressedColumn, type Compression, settleCompressed } from "./compressed-column.ts";
import { engineKind } from "./engine.ts";
import { MappedSpec, textKeyword } from "./settle.ts";

const NO_VALUE = -2147483648;
const MOST = 32767;
/** What fits the 31 bits of an even word. */
const LEAST_FINE = -(2 ** 30), MOST_FINE = 2 ** 30 - 1;
/** What fits the 15 bits of the imaginary part of an odd word. */
const LEAST_COARSE = -16384, MOST_COARSE = 16383;

const TYPES = ["complex64", "int32"] as const;

/** The kind that serves `CompressComplex` and `CompressComplexSD`. */
export const compressComplex = engineKind({
  serves: (type) => compressionOf(type) !== undefined,
  column: (context, bound) =>
    new CompressedColumn(context, bound, "_CompressComplex_", compressionOf(context.type)!).described(),
  // Specs name both by their class names.
  settle: (spec, context) =>
    settleCompressed(
      new MappedSpec(spec, context),
      spec.type,
      "_CompressComplex_",
      compressionOf(spec.type)!,
      [textKeyword("_CompressComplex_Type", spec.type)],
    ),
});

function compressionOf(type: string): Compression | undefined {
  if (type === "CompressComplex") return { types: TYPES, unpack, pack, extent: (values) => extent(values) };
  if (type !== "CompressComplexSD") return undefined;
  return {
    types: TYPES,
    unpack: unpackSingleDish,
    pack: packSingleDish,
    extent: (values) => extent(values, true),
  };
}

function unpack(
  stored: NumericData,
  target: Float32Array,
  each: number,
  scales: Float32Array,
  offsets: Float32Array,
): void {
  const words = stored as Int32Array;
  for (let start = 0, cell = 0; start < words.length; start += each, cell++) {
    const scale = scales[cell]!, offset = offsets[cell]!, end = start + each;
    for (let i = start; i < end; i++) {
      const word = words[i]!;
      if (word === NO_VALUE) {
        target[2 * i] = NaN;
        target[2 * i + 1] = NaN;
      } else {
        const im = (word << 16) >> 16, re = (word - im) / 65536;
        target[2 * i] = Math.fround(re * scale) + offset;
        target[2 * i + 1] = Math.fround(im * scale) + offset;
      }
    }
  }
}

function unpackSingleDish(
  stored: NumericData,
  target: Float32Array,
  each: number,
  scales: Float32Array,
  offsets: Float32Array,
): void {
  const words = stored as Int32Array;
  for (let start = 0, cell = 0; start < words.length; start += each, cell++) {
    const scale = scales[cell]!, offset = offsets[cell]!, end = start + each;
    const fine = Math.fround(scale / 32768), coarse = Math.fround(2 * scale);
    for (let i = start; i < end; i++) {
      const word = words[i]!;
      if (word & 1) {
        const im = (word << 16) >> 16, re = (word - im) / 65536;
        target[2 * i] = Math.fround(re * scale) + offset;
        target[2 * i + 1] = Math.fround((im >> 1) * coarse) + offset;
      } else {
        // 31 bits don't fit a float: they are rounded first.
        target[2 * i] = Math.fround(Math.fround(word >> 1) * fine) + offset;
        target[2 * i + 1] = 0;
      }
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
  for (let start = 0, cell = 0; start < stored.length; start += each, cell++) {
    const scale = scales[cell]!, offset = offsets[cell]!, end = start + each;
    for (let i = start; i < end; i++) {
      const re = values[2 * i]!, im = values[2 * i + 1]!;
      stored[i] = Number.isFinite(re) && Number.isFinite(im)
        ? scaled(re, scale, offset, -MOST, MOST) * 65536 + scaled(im, scale, offset, -MOST, MOST)
        : NO_VALUE;
    }
  }
}

function packSingleDish(
  values: Float32Array,
  stored: NumericData,
  each: number,
  scales: Float32Array,
  offsets: Float32Array,
): void {
  for (let start = 0, cell = 0; start < stored.length; start += each, cell++) {
    const scale = scales[cell]!, offset = offsets[cell]!, end = start + each;
    const fine = Math.fround(scale / 32768), coarse = Math.fround(2 * scale);
    for (let i = start; i < end; i++) {
      const re = values[2 * i]!, im = values[2 * i + 1]!;
      if (!Number.isFinite(re) || !Number.isFinite(im)) stored[i] = NO_VALUE;
      else if (im === 0) stored[i] = 2 * scaled(re, fine, offset, LEAST_FINE, MOST_FINE);
      else {
        stored[i] = scaled(re, scale, offset, -MOST, MOST) * 65536 +
          2 * scaled(im, coarse, offset, LEAST_COARSE, MOST_COARSE) + 1;
      }
    }
  }
}

/** Of both parts of those values that are finite; imaginary parts of 0 may be left out. */
function extent(values: Float32Array, withoutZero = false): Extent {
  let least = NaN, greatest = NaN;
  for (let i = 0; i < values.length; i += 2) {
    const re = values[i]!, im = values[i + 1]!;
    if (!Number.isFinite(re) || !Number.isFinite(im)) continue;
    // Negated: NaN is neither less nor greater.
    if (!(re >= least)) least = re;
    if (!(re <= greatest)) greatest = re;
    if (withoutZero && im === 0) continue;
    if (im < least) least = im;
    if (im > greatest) greatest = im;
  }
  return Number.isNaN(least) ? NO_EXTENT : [least, greatest];
}
