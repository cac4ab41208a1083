/**
 * Numbers to symbols: the loop in which values become indices of a table of levels, with dithering, and the stream of bits
 * that symbols are packed into (see `symbols.ts` for how they lie in it).
 *
 * A value between two levels l < u becomes one of the two, u with a probability of (x − l) / (u − l), so that the mean of
 * many is kept. Chance is a function of the symbol's number and a seed: the same values give the same symbols.
 */

/** A table of levels, made ready for looking values up. */
export interface Quantiser {
  /** Bits of a symbol, 2 to 16. */
  readonly bits: number;
  /** 2^bits ascending floats, of which the last, for what isn't finite, is NaN. */
  readonly levels: Float64Array<ArrayBuffer>;
  /**
   * For each of `guide.length − 1` equal stretches between the first level and the last the number of levels before it;
   * the last entry is that of all levels.
   */
  readonly guide: Uint32Array<ArrayBuffer>;
  /** Stretches per unit. */
  readonly scale: number;
}

/** Stretches a level, so that most hold one level or none. */
const STRETCHES = 2;

/** Makes a table of levels ready. `levels` has 2^bits entries: floats that ascend, then NaN. */
export function quantiserOf(bits: number, levels: Float64Array<ArrayBuffer>): Quantiser {
  const count = 2 ** bits - 1, stretches = STRETCHES * count;
  const lowest = levels[0]!, highest = levels[count - 1]!;
  const scale = stretches / (highest - lowest);
  const guide = new Uint32Array(stretches + 1);
  for (let i = 0; i < count; i++) guide[stretchOf(levels[i]!, lowest, scale, stretches) + 1]!++;
  for (let k = 0; k < stretches; k++) guide[k + 1]! += guide[k]!;
  return { bits, levels, guide, scale };
}

/** The stretch that a value from the first to the last level lies in: whoever is greater has no smaller one. */
function stretchOf(x: number, lowest: number, scale: number, stretches: number): number {
  return Math.min(Math.trunc((x - lowest) * scale), stretches - 1);
}

/** 32 bits that look random, from 32 (the finaliser of MurmurHash3). */
export function mixed(n: number): number {
  n = Math.imul(n ^ n >>> 16, 0x85ebca6b);
  n = Math.imul(n ^ n >>> 13, 0xc2b2ae35);
  return (n ^ n >>> 16) >>> 0;
}

/** What the numbers of symbols are multiplied by before they are mixed with the seed. */
const STEP = 0x9e3779b9;
/** 2^31: dithering compares with a random whole number below it. */
const RANGE = 2147483648;

/** Symbols, one after the other, into a stream of bits. */
export class SymbolWriter {
  readonly #target: Uint8Array;
  readonly #bits: number;
  #at: number;
  #word = 0;
  #filled = 0;

  /** Begins with the first bit of byte `at`. */
  constructor(target: Uint8Array, at: number, bits: number) {
    this.#target = target;
    this.#at = at;
    this.#bits = bits;
  }

  push(symbol: number): void {
    this.#word |= symbol << this.#filled;
    this.#filled += this.#bits;
    while (this.#filled >= 8) {
      this.#target[this.#at++] = this.#word;
      this.#word >>>= 8;
      this.#filled -= 8;
    }
  }

  /** Fills the last byte with zeros. */
  end(): void {
    if (this.#filled > 0) this.#target[this.#at++] = this.#word;
    this.#word = this.#filled = 0;
  }
}

/** Dithered symbols of a block, in the order in which they are asked for. */
export class Dither {
  readonly #levels: Float64Array<ArrayBuffer>;
  readonly #guide: Uint32Array<ArrayBuffer>;
  readonly #scale: number;
  readonly #count: number;
  #state: number;

  constructor({ bits, levels, guide, scale }: Quantiser, seed: number) {
    this.#levels = levels;
    this.#guide = guide;
    this.#scale = scale;
    this.#count = 2 ** bits - 1;
    this.#state = seed;
  }

  /** The symbol of the next value. */
  next(value: number): number {
    const levels = this.#levels, count = this.#count, random = mixed(this.#state);
    this.#state = this.#state + STEP | 0;
    const x = Math.fround(value);
    if (!Number.isFinite(x)) return count;
    if (!(x > levels[0]!)) return 0;
    if (x > levels[count - 1]!) return count - 1;
    // The first level that is not below x.
    const stretch = stretchOf(x, levels[0]!, this.#scale, this.#guide.length - 1);
    let low = this.#guide[stretch]!, high = this.#guide[stretch + 1]!;
    while (low < high) {
      const middle = low + high >>> 1;
      if (levels[middle]! < x) low = middle + 1;
      else high = middle;
    }
    const lower = levels[low - 1]!, upper = levels[low]!;
    const share = Math.fround(
      Math.fround(RANGE * Math.fround(x - lower)) / Math.fround(upper - lower),
    );
    return share > Math.fround(random >>> 1) ? low : low - 1;
  }
}
