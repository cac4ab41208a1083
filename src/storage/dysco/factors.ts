/**
 * The floats of a block, turned into one factor for each channel and correlation and one for each row and correlation;
 * a value is a level times their product. Format reference part 7, sections 3.1, 5 and 6.
 *
 * | scaling | channel c, correlation p | row r of antennas a1, a2, correlation p |
 * | --- | --- | --- |
 * | AF | ch[c][p] | ant[p][a1] · ant[p][a2] |
 * | RF | ch[c][p] | row[r][p] |
 * | Row | 1 | row[r] |
 * | weights, for all correlations | scale / (2^b − 1) | 1 |
 *
 * casacore multiplies in this order, in doubles; the product of two floats is exact in a double, and so is one with 1.
 */
import type { Part } from "./layout.ts";

/** True where floats in memory are as the files have them. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Which channels and correlations of a cell are wanted. */
export interface CellBox {
  readonly firstCorrelation: number;
  readonly correlationStep: number;
  readonly correlations: number;
  readonly firstChannel: number;
  readonly channelStep: number;
  readonly channels: number;
}

/** Factors of the wanted channels × correlations, from the floats that scale channels. */
export function channelFactors(part: Part, box: CellBox, floats: Uint8Array): Float64Array<ArrayBuffer> {
  const { correlations, channels } = box;
  const view = new DataView(floats.buffer, floats.byteOffset, floats.byteLength);
  if (part.scaling === "weights") {
    return new Float64Array(channels).fill(view.getFloat32(0, true) / (2 ** part.bits - 1));
  }
  const factors = new Float64Array(channels * correlations);
  if (part.scaling === "Row") return factors.fill(1);
  if (correlations === part.correlations && channels === part.channels && LITTLE_ENDIAN) {
    factors.set(new Float32Array(floats.slice().buffer));
    return factors;
  }
  let to = 0;
  for (let c = 0; c < channels; c++) {
    let from = (box.firstChannel + c * box.channelStep) * part.correlations + box.firstCorrelation;
    for (let p = 0; p < correlations; p++, from += box.correlationStep) {
      factors[to++] = view.getFloat32(4 * from, true);
    }
  }
  return factors;
}

/** Antennas of some rows. */
export interface Baselines {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Position of the first row. */
  readonly at: number;
}

/**
 * Factors of `rows` rows × the wanted correlations.
 *
 * @param floats Those of the rows; those of all antennas for AF.
 * @param antennas For AF how many there are; the numbers of `baselines` are below.
 */
export function rowFactors(
  part: Part,
  box: CellBox,
  rows: number,
  floats: Uint8Array,
  antennas: number,
  baselines: Baselines | null,
): Float64Array<ArrayBuffer> {
  const { correlations, firstCorrelation, correlationStep } = box;
  if (part.scaling === "weights") return new Float64Array(rows).fill(1);
  const factors = new Float64Array(rows * correlations);
  const view = new DataView(floats.buffer, floats.byteOffset, floats.byteLength);
  let to = 0;
  for (let r = 0; r < rows; r++) {
    if (part.scaling === "AF") {
      const { first, second, at } = baselines!;
      const a1 = first[at + r]!, a2 = second[at + r]!;
      let from = firstCorrelation * antennas;
      for (let p = 0; p < correlations; p++, from += correlationStep * antennas) {
        factors[to++] = view.getFloat32(4 * (from + a1), true) * view.getFloat32(4 * (from + a2), true);
      }
    } else if (part.scaling === "RF") {
      let from = r * part.correlations + firstCorrelation;
      for (let p = 0; p < correlations; p++, from += correlationStep) {
        factors[to++] = view.getFloat32(4 * from, true);
      }
    } else {
      const factor = view.getFloat32(4 * r, true);
      for (let p = 0; p < correlations; p++) factors[to++] = factor;
    }
  }
  return factors;
}
