/**
 * CompressFloat: float32 values kept as int16 (format reference part 6, section 4).
 *
 * | stored | value |
 * | --- | --- |
 * | -32768 | NaN |
 * | s | s × scale + offset, each operation rounded to single precision |
 */
import type { NumericData } from "../../array/dtype.ts";
import { CompressedColumn } from "./compressed-column.ts";
import { engineKind } from "./engine.ts";

const NO_VALUE = -32768;

/** The kind that serves `CompressFloat`. */
export const compressFloat = engineKind({
  serves: (type) => type === "CompressFloat",
  column: (context, bound) =>
    new CompressedColumn(context, bound, "_CompressFloat_", ["float32", "int16"], unpack).described(),
});

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
