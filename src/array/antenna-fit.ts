/**
 * The fit of factors that belong to channels and antennas, so that the visibilities of a block fill a table of levels:
 * format reference part 7, section 9.3. Values that are not finite don't count; correlations of an antenna with itself
 * are scaled along and don't count either, except for the first estimate of the channels. In a block that has no others
 * casacore loses all values; here antennas then have the factor 1, and channels are scaled by these.
 *
 * The scratch memory holds the scaled values, complex [correlation][row][channel], then the sums and counts of the pairs
 * of antennas, then three numbers for each antenna and each channel.
 */
import type { BlockBaselines, PutFloat, VisibilityBlock } from "./visibility-block.ts";
import { largerPart } from "./visibility-block.ts";

/** The gains of antennas are found by iteration: most rounds, what suffices, how much of a step is taken, what counts as none. */
const ROUNDS = 100, PRECISION = 1e-6, STEP = 0.8, REST = 0.2, NOTHING = 1e-5;
/** Fitting goes on while a factor of an antenna or a channel grows by more than this. */
const ANTENNA_PROGRESS = 1.01, CHANNEL_PROGRESS = 1.001;
/** Each antenna and channel is scaled about once; rounding can't make it more than so many times. */
const MOST_STEPS = 8;

/** Fits, leaves the scaled values at the start of `scratch`, and gives the factors to `put`. */
export function fitAntennas(
  block: VisibilityBlock,
  highest: number,
  floats: Float32Array,
  baselines: BlockBaselines,
  scratch: Float64Array,
  put: PutFloat,
): void {
  const { rows, channels, correlations } = block;
  const size = 2 * rows * channels, { first, second } = baselines;
  let hasPairs = false;
  for (let r = 0; r < rows; r++) hasPairs ||= first[r] !== second[r];
  const spare = scratch.subarray(size * correlations);
  for (let p = 0; p < correlations; p++) {
    const fit = new Fit(block, baselines, scratch.subarray(p * size, (p + 1) * size), spare);
    for (let i = 0, from = 2 * p; i < size; i += 2, from += 2 * correlations) {
      fit.values[i] = floats[from]!;
      fit.values[i + 1] = floats[from + 1]!;
    }
    fit.divideByChannels();
    if (hasPairs) {
      fit.divideByAntennas();
      fit.fillRange(highest);
    } else fit.fillWithout(highest);
    for (let c = 0; c < channels; c++) put(c * correlations + p, fit.channel[c]!);
    const antennasAt = channels * correlations + p * block.antennas;
    for (let a = 0; a < block.antennas; a++) put(antennasAt + a, fit.antenna[a]!);
  }
}

/** One correlation. */
class Fit {
  /** Complex [row][channel]. */
  readonly values: Float64Array;
  readonly channel: Float32Array;
  readonly antenna: Float32Array;
  readonly #rows: number;
  readonly #channels: number;
  readonly #antennas: number;
  readonly #first: Int32Array;
  readonly #second: Int32Array;
  readonly #spare: Float64Array;

  constructor(
    { rows, channels, antennas }: VisibilityBlock,
    { first, second }: BlockBaselines,
    values: Float64Array,
    spare: Float64Array,
  ) {
    this.values = values;
    this.channel = new Float32Array(channels);
    this.antenna = new Float32Array(antennas);
    this.#rows = rows;
    this.#channels = channels;
    this.#antennas = antennas;
    this.#first = first;
    this.#second = second;
    this.#spare = spare;
  }

  /** Divides each channel by its root mean square. */
  divideByChannels(): void {
    const { values } = this, rows = this.#rows, channels = this.#channels;
    for (let c = 0; c < channels; c++) {
      let sum = 0, count = 0;
      for (let r = 0; r < rows; r++) {
        const at = 2 * (r * channels + c), re = values[at]!, im = values[at + 1]!;
        const square = re * re + im * im;
        if (square < Infinity) {
          sum += square;
          count++;
        }
      }
      const mean = Math.sqrt(sum / (2 * count));
      this.channel[c] = mean;
      if (mean === 0) continue;
      for (let r = 0; r < rows; r++) {
        const at = 2 * (r * channels + c);
        values[at]! /= mean;
        values[at + 1]! /= mean;
      }
    }
  }

  /** Divides each row by the gains of its antennas. */
  divideByAntennas(): void {
    const { values } = this, rows = this.#rows, channels = this.#channels;
    const gains = this.#gains();
    for (let a = 0; a < this.#antennas; a++) this.antenna[a] = gains[a]!;
    for (let r = 0, at = 0; r < rows; r++) {
      const product = gains[this.#first[r]!]! * gains[this.#second[r]!]!;
      const factor = product === 0 ? 0 : 1 / product;
      for (const end = at + 2 * channels; at < end; at++) values[at]! *= factor;
    }
  }

  /** Gains of which the products are the root mean squares of the pairs, as nearly as may be. */
  #gains(): Float64Array {
    const antennas = this.#antennas, squares = antennas * antennas;
    const pairs = this.#pairs();
    const gains = this.#spare.subarray(2 * squares, 2 * squares + antennas).fill(1);
    const found = this.#spare.subarray(2 * squares + antennas, 2 * squares + 2 * antennas);
    let precision = 1;
    for (let round = 0; round < ROUNDS && precision > PRECISION; round++) {
      for (let i = 0; i < antennas; i++) {
        let above = 0, below = 0;
        for (let j = 0; j < antennas; j++) {
          const pair = pairs[i * antennas + j]!;
          if (j !== i && gains[j] !== 0 && Number.isFinite(pair)) {
            above += pair;
            below += gains[j]!;
          }
        }
        found[i] = below === 0 ? 0 : above / below;
      }
      let largest = 0;
      for (let i = 0; i < antennas; i++) {
        const gain = gains[i] = found[i]! * STEP + gains[i]! * REST;
        if (gain > largest) largest = gain;
      }
      precision = 0;
      for (let i = 0; i < antennas; i++) {
        if (gains[i]! < largest * NOTHING) gains[i] = 0;
        const off = Math.abs(gains[i]! - found[i]!) / largest;
        if (off > precision) precision = off;
      }
    }
    return gains;
  }

  /** Root mean squares of the pairs of different antennas, NaN for those without data. */
  #pairs(): Float64Array {
    const { values } = this, rows = this.#rows, channels = this.#channels, antennas = this.#antennas;
    const squares = antennas * antennas;
    const sums = this.#spare.subarray(0, squares).fill(0);
    const counts = this.#spare.subarray(squares, 2 * squares).fill(0);
    for (let r = 0, at = 0; r < rows; r++) {
      const a = this.#first[r]!, b = this.#second[r]!, end = at + 2 * channels;
      if (a !== b) {
        const pair = Math.min(a, b) * antennas + Math.max(a, b);
        let sum = sums[pair]!, count = counts[pair]!;
        for (let i = at; i < end; i += 2) {
          const re = values[i]!, im = values[i + 1]!, square = re * re + im * im;
          if (square < Infinity) {
            sum += square;
            count++;
          }
        }
        sums[pair] = sum;
        counts[pair] = count;
      }
      at = end;
    }
    for (let a = 0; a < antennas; a++) {
      for (let b = a; b < antennas; b++) {
        const pair = a * antennas + b;
        sums[pair] = sums[b * antennas + a] = Math.sqrt(sums[pair]! / (2 * counts[pair]!));
      }
    }
    return sums;
  }

  /** Scales channels alone. */
  fillWithout(highest: number): void {
    const { values } = this, channels = this.#channels;
    this.antenna.fill(1);
    for (let c = 0; c < channels; c++) {
      let largest = 0;
      for (let at = 2 * c; at < values.length; at += 2 * channels) {
        const part = largerPart(values[at]!, values[at + 1]!);
        if (part > largest && part < Infinity) largest = part;
      }
      this.#scaleChannel(c, largest === 0 ? 1 : highest / largest);
    }
  }

  /** Scales channels and antennas up until no value could become larger without one leaving the range of the levels. */
  fillRange(highest: number): void {
    const channels = this.#channels, antennas = this.#antennas;
    const ofChannels = this.#spare.subarray(0, 2 * channels);
    const ofAntennas = this.#spare.subarray(2 * channels, 2 * (channels + antennas));
    this.#maxima(ofChannels, ofAntennas);
    for (let c = 0; c < channels; c++) {
      this.#scaleChannel(c, ofChannels[c] === 0 ? 1 : highest / ofChannels[c]!);
    }
    for (let steps = MOST_STEPS * (channels + antennas); steps > 0; steps--) {
      this.#maxima(ofChannels, ofAntennas);
      for (const maxima of [ofChannels.subarray(0, channels), ofAntennas.subarray(0, antennas)]) {
        for (let i = 0; i < maxima.length; i++) maxima[i] = maxima[i] === 0 ? 0 : highest / maxima[i]! - 1;
      }
      this.#gainsOfScaling(ofChannels, ofAntennas);
      const channel = indexOfLargest(ofChannels.subarray(channels));
      const antenna = indexOfLargest(ofAntennas.subarray(antennas));
      const channelGain = channel < 0 ? 0 : ofChannels[channels + channel]!;
      const antennaGain = antenna < 0 ? 0 : ofAntennas[antennas + antenna]!;
      if (antennaGain > channelGain) {
        const factor = this.#antennaFactor(antenna, highest);
        if (factor < 1) break;
        this.#scaleAntenna(antenna, factor);
        if (!(factor > ANTENNA_PROGRESS)) break;
      } else {
        const factor = channel < 0 ? 1 : ofChannels[channel]! + 1;
        if (factor < 1) break;
        if (channel >= 0) this.#scaleChannel(channel, factor);
        if (!(factor > CHANNEL_PROGRESS)) break;
      }
    }
  }

  /** The largest part of a value in each channel and of each antenna, in the first half of the two arrays. */
  #maxima(ofChannels: Float64Array, ofAntennas: Float64Array): void {
    const { values } = this, channels = this.#channels;
    ofChannels.fill(0);
    ofAntennas.fill(0);
    for (let r = 0, at = 0; r < this.#rows; r++) {
      const a = this.#first[r]!, b = this.#second[r]!, end = at + 2 * channels;
      if (a !== b) {
        let largest = 0;
        for (let i = at, c = 0; i < end; i += 2, c++) {
          const part = largerPart(values[i]!, values[i + 1]!);
          if (!(part < Infinity)) continue;
          if (part > ofChannels[c]!) ofChannels[c] = part;
          if (part > largest) largest = part;
        }
        if (largest > ofAntennas[a]!) ofAntennas[a] = largest;
        if (largest > ofAntennas[b]!) ofAntennas[b] = largest;
      }
      at = end;
    }
  }

  /** By how much the sum of all parts grows with what the first half of each array has, less one, into the second half. */
  #gainsOfScaling(ofChannels: Float64Array, ofAntennas: Float64Array): void {
    const { values } = this, channels = this.#channels, antennas = this.#antennas;
    for (let r = 0, at = 0; r < this.#rows; r++) {
      const a = this.#first[r]!, b = this.#second[r]!, end = at + 2 * channels;
      if (a !== b) {
        const atFirst = ofAntennas[a]!, atSecond = ofAntennas[b]!;
        let first = ofAntennas[antennas + a]!, second = ofAntennas[antennas + b]!;
        for (let i = at, c = 0; i < end; i += 2, c++) {
          const re = values[i]!, im = values[i + 1]!;
          const inChannel = gain(re, im, ofChannels[c]!);
          if (inChannel < Infinity) ofChannels[channels + c]! += inChannel;
          const ofFirst = gain(re, im, atFirst);
          if (ofFirst < Infinity) first += ofFirst;
          const ofSecond = gain(re, im, atSecond);
          if (ofSecond < Infinity) second += ofSecond;
        }
        ofAntennas[antennas + a] = first;
        ofAntennas[antennas + b] = second;
      }
      at = end;
    }
  }

  #antennaFactor(antenna: number, highest: number): number {
    const { values } = this, channels = this.#channels;
    let largest = 0;
    for (let r = 0; r < this.#rows; r++) {
      const a = this.#first[r]!, b = this.#second[r]!;
      if (a === b || (a !== antenna && b !== antenna)) continue;
      for (let i = 2 * r * channels, end = i + 2 * channels; i < end; i += 2) {
        const part = largerPart(values[i]!, values[i + 1]!);
        if (part > largest && part < Infinity) largest = part;
      }
    }
    return largest === 0 ? 1 : highest / largest;
  }

  #scaleChannel(channel: number, factor: number): void {
    const { values } = this, channels = this.#channels;
    this.channel[channel] = this.channel[channel]! / factor;
    for (let r = 0; r < this.#rows; r++) {
      const at = 2 * (r * channels + channel);
      values[at]! *= factor;
      values[at + 1]! *= factor;
    }
  }

  #scaleAntenna(antenna: number, factor: number): void {
    const { values } = this, channels = this.#channels;
    this.antenna[antenna] = this.antenna[antenna]! / factor;
    for (let r = 0; r < this.#rows; r++) {
      // Twice where an antenna is correlated with itself.
      for (const other of [this.#first[r]!, this.#second[r]!]) {
        if (other !== antenna) continue;
        for (let i = 2 * r * channels, end = i + 2 * channels; i < end; i++) values[i]! *= factor;
      }
    }
  }
}

/** What a value adds to the sum of parts when it is scaled by 1 + `factor`. */
function gain(re: number, im: number, factor: number): number {
  return Math.abs(re * factor) + Math.abs(im * factor);
}

/** The first of the largest numbers above 0; -1 when there is none. */
function indexOfLargest(numbers: Float64Array): number {
  let best = -1, most = 0;
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i]! > most) {
      most = numbers[i]!;
      best = i;
    }
  }
  return best;
}
