/**
 * Points on a grid of characters: braille, whose characters have two by four dots, or a letter for each series in ASCII.
 */

/** One character of a line, and the series whose colour it has; -1 for none. */
export interface Glyph {
  readonly text: string;
  readonly series: number;
}

/** Bits of a braille character by column and row (Unicode chapter 21: dots 1-3 and 7, 4-6 and 8). */
const BRAILLE_BITS = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]] as const;
const BRAILLE = 0x2800;
const ACROSS = 2, DOWN = 4;
/** Marks of series in ASCII. */
export const ASCII_MARKS = "*+xo#@%&=~^v";

/** Dots that points set. */
export class Dots {
  /** Dots across and down. */
  readonly across: number;
  readonly down: number;
  readonly #width: number;
  readonly #braille: boolean;
  readonly #bits: Uint8Array;
  /** Points of each series in each character: the colour is that of the most. */
  readonly #counts: Float64Array;
  readonly #series: number;

  /** An empty grid of characters. */
  constructor(width: number, height: number, series: number, braille: boolean) {
    this.#width = width;
    this.#braille = braille;
    this.#series = Math.max(1, series);
    this.across = braille ? width * ACROSS : width;
    this.down = braille ? height * DOWN : height;
    this.#bits = new Uint8Array(width * height);
    this.#counts = new Float64Array(width * height * this.#series);
  }

  /** Sets the dot at fractions of the width, from the left, and of the height, from the top, for some points of a series. */
  set(right: number, below: number, series: number, points: number): void {
    const x = Math.min(this.across - 1, Math.max(0, Math.floor(right * this.across)));
    const y = Math.min(this.down - 1, Math.max(0, Math.floor(below * this.down)));
    this.#dot(x, y, series, points);
  }

  #dot(x: number, y: number, series: number, points: number): void {
    const at = this.#braille
      ? Math.floor(y / DOWN) * this.#width + Math.floor(x / ACROSS)
      : y * this.#width + x;
    this.#bits[at]! |= this.#braille ? BRAILLE_BITS[x % ACROSS]![y % DOWN]! : 1;
    this.#counts[at * this.#series + series]! += points;
  }

  /** Sets the dots of a column between two heights. */
  upright(right: number, above: number, below: number, series: number, points: number): void {
    const x = Math.min(this.across - 1, Math.max(0, Math.floor(right * this.across)));
    const first = Math.max(0, Math.floor(above * this.down));
    const last = Math.min(this.down - 1, Math.max(first, Math.ceil(below * this.down) - 1));
    for (let y = Math.min(first, this.down - 1); y <= last; y++) this.#dot(x, y, series, points);
  }

  /** The characters, line by line. */
  lines(): Glyph[][] {
    const height = this.#bits.length / this.#width;
    return Array.from({ length: height }, (_, y) =>
      Array.from({ length: this.#width }, (_, x): Glyph => {
        const at = y * this.#width + x, bits = this.#bits[at]!;
        if (bits === 0) return { text: " ", series: -1 };
        let most = 0;
        for (let s = 1; s < this.#series; s++) {
          if (this.#counts[at * this.#series + s]! > this.#counts[at * this.#series + most]!) most = s;
        }
        const text = this.#braille
          ? String.fromCharCode(BRAILLE + bits)
          : ASCII_MARKS[most % ASCII_MARKS.length]!;
        return { text, series: most };
      }));
  }
}
