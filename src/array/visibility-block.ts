/**
 * Visibilities to symbols: a block of rows is scaled so that its values fill a table of levels, and each part of a value
 * becomes a symbol. The factors that undo the scaling come before the symbols, as floats:
 *
 * | scaling | floats of channels | floats of rows | value |
 * | --- | --- | --- | --- |
 * | AF | channels × correlations | correlations × antennas | level · ch[c][p] · (ant[p][a1] · ant[p][a2]) |
 * | RF | channels × correlations | rows × correlations | level · ch[c][p] · row[r][p] |
 * | Row | none | rows | level · row[r] |
 *
 * How the factors are found, and that they are the very ones that casacore finds: format reference part 7, section 9.
 * All arithmetic is in doubles, one rounded operation after the other, and so the same in C (`ffi/dysco_encode.c`).
 */
import { fitAntennas } from "./antenna-fit.ts";
import { Dither, type Quantiser, SymbolWriter } from "./quantiser.ts";

/** Scalings in the order of their numbers. */
export const BLOCK_SCALINGS = ["AF", "RF", "Row"] as const;

/** Sizes of a block of visibilities, and what its factors belong to. */
export interface VisibilityBlock {
  readonly scaling: (typeof BLOCK_SCALINGS)[number];
  /** Rows of which there are values. */
  readonly rows: number;
  /** Rows of the block: those without values get symbols that stand for 0. */
  readonly blockRows: number;
  readonly channels: number;
  readonly correlations: number;
  /** For AF: antenna numbers are below. */
  readonly antennas: number;
  /** What the dithering of this block is a function of, 32 bits. */
  readonly seed: number;
}

/** Antennas of each row, for AF. */
export interface BlockBaselines {
  readonly first: Int32Array<ArrayBuffer>;
  readonly second: Int32Array<ArrayBuffer>;
}

/** No antennas, where they don't matter. */
export const NO_BASELINES: BlockBaselines = { first: new Int32Array(0), second: new Int32Array(0) };

/** Most antennas: the fit keeps two numbers for each pair. */
export const MAX_ANTENNAS = 2048;

/** True where floats in memory are as files have them. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Floats before the symbols. */
export function blockFloats(block: VisibilityBlock): number {
  const { scaling, blockRows, channels, correlations, antennas } = block;
  if (scaling === "Row") return blockRows;
  return correlations * (channels + (scaling === "AF" ? antennas : blockRows));
}

/** Bytes of floats and symbols. */
export function blockBytes(block: VisibilityBlock, bits: number): number {
  const { blockRows, channels, correlations } = block;
  return 4 * blockFloats(block) + Math.ceil(blockRows * channels * correlations * 2 * bits / 8);
}

/** Doubles that encoding needs to work with. */
export function scratchLength(block: VisibilityBlock): number {
  const { scaling, rows, channels, correlations, antennas } = block;
  if (scaling === "Row") return rows;
  if (scaling === "RF") return correlations * (rows + channels);
  return 2 * rows * channels * correlations + 2 * antennas * antennas + 3 * (antennas + channels);
}

/** Refuses sizes that don't fit their buffers, with a RangeError. */
export function checkVisibilities(
  block: VisibilityBlock,
  { bits, levels, guide, scale }: Quantiser,
  values: Uint8Array,
  { first, second }: BlockBaselines,
  scratch: Float64Array,
  target: Uint8Array,
): void {
  const { scaling, rows, blockRows, channels, correlations, antennas, seed } = block;
  const counts = [rows, blockRows, channels, correlations, antennas];
  if (
    !counts.every((n) => Number.isSafeInteger(n) && n >= 0) || rows > blockRows || seed >>> 0 !== seed ||
    !BLOCK_SCALINGS.includes(scaling) || antennas > MAX_ANTENNAS
  ) {
    throw new RangeError(
      `a block of [${counts}] rows, rows in all, channels, correlations, antennas, seed ${seed}, ${scaling}`,
    );
  }
  if (
    !Number.isInteger(bits) || bits < 2 || bits > 16 || levels.length !== 2 ** bits || guide.length < 2 ||
    guide.at(-1) !== levels.length - 1 || !(scale > 0) || !Number.isNaN(levels.at(-1))
  ) {
    throw new RangeError(`${levels.length} levels and a guide of ${guide.length} for ${bits} bits`);
  }
  const size = rows * channels * correlations * 8, bytes = blockBytes(block, bits);
  if (
    !(size <= values.byteLength) || !(bytes <= target.byteLength) || !(scratchLength(block) <= scratch.length)
  ) {
    throw new RangeError(
      `${size} bytes of values, ${bytes} of a block, ${scratchLength(block)} doubles don't fit: there are ` +
        `${values.byteLength}, ${target.byteLength}, ${scratch.length}`,
    );
  }
  if (scaling !== "AF") return;
  for (const numbers of [first, second]) {
    for (let r = 0; r < rows; r++) {
      if (!(numbers[r]! >= 0 && numbers[r]! < antennas)) {
        throw new RangeError(`row ${r} is of antenna ${numbers[r]}, there are ${antennas}`);
      }
    }
  }
}

/** The larger of the parts of a complex number; infinite or NaN when it doesn't count. */
export function largerPart(re: number, im: number): number {
  const a = Math.abs(re), b = Math.abs(im);
  // In this order: a NaN that is real is not less, an imaginary one isn't looked at.
  return a < b ? b : a;
}

/** Floats of a block, as the file has them. */
export type PutFloat = (index: number, value: number) => void;

/** Encodes `values`, complex64 [correlations, channels, rows]. It doesn't check: the callers have. */
export function encodeVisibilities(
  block: VisibilityBlock,
  quantiser: Quantiser,
  values: Uint8Array,
  baselines: BlockBaselines,
  scratch: Float64Array,
  target: Uint8Array,
): void {
  const { scaling, rows, blockRows, channels, correlations, seed } = block;
  const { bits, levels } = quantiser;
  const count = 2 * rows * channels * correlations;
  const floats = values.byteOffset % 4 === 0
    ? new Float32Array(values.buffer, values.byteOffset, count)
    : new Float32Array(values.slice(0, 4 * count).buffer);
  const symbolsAt = 4 * blockFloats(block);
  target.fill(0, 0, symbolsAt);
  const view = new DataView(target.buffer, target.byteOffset, symbolsAt);
  const put: PutFloat = LITTLE_ENDIAN && target.byteOffset % 4 === 0
    ? fastPut(new Float32Array(target.buffer, target.byteOffset, symbolsAt / 4))
    : (index, value) => view.setFloat32(4 * index, value, true);
  const dither = new Dither(quantiser, seed);
  const writer = new SymbolWriter(target, symbolsAt, bits);
  const highest = levels[2 ** bits - 2]!;
  if (scaling === "AF") {
    fitAntennas(block, highest, floats, baselines, scratch, put);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < channels; c++) {
        for (let p = 0; p < correlations; p++) {
          const at = 2 * ((p * rows + r) * channels + c);
          writer.push(dither.next(scratch[at]!));
          writer.push(dither.next(scratch[at + 1]!));
        }
      }
    }
  } else if (scaling === "RF") {
    fitRowsAndChannels(block, highest, floats, scratch, put);
    const ofChannels = rows * correlations;
    let at = 0;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < channels; c++) {
        for (let p = 0; p < correlations; p++) {
          const row = scratch[r * correlations + p]!, channel = scratch[ofChannels + c * correlations + p]!;
          writer.push(dither.next(floats[at++]! * row * channel));
          writer.push(dither.next(floats[at++]! * row * channel));
        }
      }
    }
  } else {
    const perRow = 2 * channels * correlations;
    for (let r = 0, at = 0; r < rows; r++) {
      let largest = 0;
      for (let i = 0; i < perRow; i += 2) {
        const part = largerPart(floats[at + i]!, floats[at + i + 1]!);
        if (part > largest && part < Infinity) largest = part;
      }
      const factor = largest === 0 ? 1 : highest / largest;
      put(r, largest / highest);
      for (const end = at + perRow; at < end; at++) writer.push(dither.next(floats[at]! * factor));
    }
  }
  const zero = (2 ** bits - 2) / 2, rest = (blockRows - rows) * channels * correlations * 2;
  for (let i = 0; i < rest; i++) writer.push(zero);
  writer.end();
}

function fastPut(floats: Float32Array): PutFloat {
  return (index, value) => {
    floats[index] = value;
  };
}

/** Factors of rows × correlations and, behind them, of channels × correlations. */
function fitRowsAndChannels(
  { rows, channels, correlations }: VisibilityBlock,
  highest: number,
  floats: Float32Array,
  factors: Float64Array,
  put: PutFloat,
): void {
  const factorsOfChannels = factors.subarray(rows * correlations), perChannel = channels * correlations;
  factorsOfChannels.fill(0, 0, perChannel);
  for (let r = 0; r < rows; r++) {
    for (let p = 0; p < correlations; p++) {
      let largest = 0;
      for (let c = 0; c < channels; c++) {
        const at = 2 * (r * perChannel + c * correlations + p);
        const part = largerPart(floats[at]!, floats[at + 1]!);
        if (part > largest && part < Infinity) largest = part;
      }
      const factor = factors[r * correlations + p] = largest === 0 ? 1 : highest / largest;
      put(perChannel + r * correlations + p, largest / highest);
      for (let c = 0; c < channels; c++) {
        const i = c * correlations + p, at = 2 * (r * perChannel + i);
        const part = largerPart(floats[at]! * factor, floats[at + 1]! * factor);
        if (part > factorsOfChannels[i]! && part < Infinity) factorsOfChannels[i] = part;
      }
    }
  }
  for (let i = 0; i < perChannel; i++) {
    const largest = factorsOfChannels[i]!;
    const factor = factorsOfChannels[i] = largest === 0 ? 1 : highest / largest;
    put(i, 1 / factor);
  }
}
