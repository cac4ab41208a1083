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
 * Every operation is rounded to single precision.
 */
import type { NumericData } from "../../array/dtype.ts";
import { CompressedColumn, type Unpack } from "./compressed-column.ts";
import { engineKind } from "./engine.ts";

const NO_VALUE = -2147483648;

/** The kind that serves `CompressComplex` and `CompressComplexSD`. */
export const compressComplex = engineKind({
  serves: (type) => unpackOf(type) !== undefined,
  column: (context, bound) => {
    const types = ["complex64", "int32"] as const;
    return new CompressedColumn(context, bound, "_CompressComplex_", types, unpackOf(context.type)!)
      .described();
  },
});

function unpackOf(type: string): Unpack | undefined {
  return type === "CompressComplex" ? unpack : type === "CompressComplexSD" ? unpackSingleDish : undefined;
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
