/**
 * Weights to symbols: the smallest weight of all correlations of a channel, as a share of the block's largest.
 *
 * float 0: the largest weight W (1 when all are 0); then symbols [row][channel] = round(w (2^b − 1) / W).
 *
 * Format reference part 7, section 10. What can't be a weight is put right first: NaN and negative numbers become 0, an
 * infinite weight the largest finite one of the block.
 */
import { SymbolWriter } from "./quantiser.ts";

/** Sizes of a block of weights. */
export interface WeightBlock {
  /** Rows of which there are weights. */
  readonly rows: number;
  /** Rows of the block: those without weights get symbol 0. */
  readonly blockRows: number;
  readonly channels: number;
  readonly correlations: number;
  /** Bits of a symbol, 2 to 16. */
  readonly bits: number;
}

/** Refuses sizes that don't fit their buffers, with a RangeError. */
export function checkWeights(block: WeightBlock, values: Uint8Array, target: Uint8Array): void {
  const { rows, blockRows, channels, correlations, bits } = block;
  const counts = [rows, blockRows, channels, correlations, bits];
  const size = 4 * rows * channels * correlations, bytes = 4 + Math.ceil(blockRows * channels * bits / 8);
  if (
    !counts.every((n) => Number.isSafeInteger(n) && n >= 0) || rows > blockRows || bits < 2 || bits > 16 ||
    correlations < 1 || !(size <= values.byteLength) || !(bytes <= target.byteLength)
  ) {
    throw new RangeError(
      `a block of [${counts}] rows, rows in all, channels, correlations, bits; ${values.byteLength} bytes of ` +
        `values, ${target.byteLength} of a block`,
    );
  }
}

/** Encodes `values`, float32 [correlations, channels, rows]. It doesn't check: the callers have. */
export function encodeWeights(block: WeightBlock, values: Uint8Array, target: Uint8Array): void {
  const { rows, blockRows, channels, correlations, bits } = block;
  const count = rows * channels;
  const floats = values.byteOffset % 4 === 0
    ? new Float32Array(values.buffer, values.byteOffset, count * correlations)
    : new Float32Array(values.slice(0, 4 * count * correlations).buffer);
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const weight = smallest(floats, i * correlations, correlations);
    if (weight > largest && weight < Infinity) largest = weight;
  }
  if (largest === 0) largest = 1;
  new DataView(target.buffer, target.byteOffset).setFloat32(0, largest, true);
  const symbols = 2 ** bits - 1, scale = symbols / largest;
  const writer = new SymbolWriter(target, 4, bits);
  for (let i = 0; i < count; i++) {
    const weight = smallest(floats, i * correlations, correlations);
    const share = weight > 0 ? Math.fround(Math.min(weight, largest) * scale) : 0;
    writer.push(Math.min(symbols, Math.floor(share + 0.5)));
  }
  for (let i = count; i < blockRows * channels; i++) writer.push(0);
  writer.end();
}

function smallest(floats: Float32Array, at: number, count: number): number {
  let weight = floats[at]!;
  for (let p = 1; p < count; p++) if (floats[at + p]! < weight) weight = floats[at + p]!;
  return weight;
}
