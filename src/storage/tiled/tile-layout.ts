/**
 * What a tile looks like inside: format reference part 4, section 5.2.
 *
 * All data columns of a tiled manager share its tiles. A tile of P pixels is one section a column, without padding:
 *
 * | section | bytes |
 * | --- | --- |
 * | the columns of the largest pixels | size × P each |
 * | … in descending order of pixel size; of equal sizes the *last* data column first | |
 * | the Bool columns, the last one first | ceil(P / 8) each |
 *
 * A Bool pixel i is bit i mod 8, least significant first, of byte i div 8 of its section.
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";

/** Where the sections of data columns lie in a tile, whatever the tile's size. */
export class TileLayout {
  /** Data types of the data columns, in data-column order. */
  readonly dtypes: readonly NumericType[];
  /** Data columns in the order of their sections. */
  readonly order: readonly number[];
  /** For each data column: bytes a pixel that whole-byte sections before its own take. */
  readonly #sizeBefore: readonly number[];
  /** For each data column: Bool sections before its own. */
  readonly #boolsBefore: readonly number[];
  readonly #totalSize: number;
  readonly #totalBools: number;

  constructor(dtypes: readonly NumericType[]) {
    this.dtypes = dtypes;
    const size = dtypes.map(pixelSize);
    this.order = dtypes.map((_, i) => i).sort((a, b) => size[b]! - size[a]! || b - a);
    const sizeBefore: number[] = new Array(dtypes.length), boolsBefore: number[] = new Array(dtypes.length);
    let bytes = 0, bools = 0;
    for (const column of this.order) {
      sizeBefore[column] = bytes;
      boolsBefore[column] = bools;
      bytes += size[column]!;
      if (size[column] === 0) bools++;
    }
    this.#sizeBefore = sizeBefore;
    this.#boolsBefore = boolsBefore;
    this.#totalSize = bytes;
    this.#totalBools = bools;
  }

  /** Bytes of a tile of `pixels` pixels. */
  bucketSize(pixels: number): number {
    return this.#totalSize * pixels + this.#totalBools * bitBytes(pixels);
  }

  /** Byte in the tile at which a data column's section starts. */
  sectionOffset(column: number, pixels: number): number {
    return this.#sizeBefore[column]! * pixels + this.#boolsBefore[column]! * bitBytes(pixels);
  }

  /** Bytes of a data column's section. */
  sectionLength(column: number, pixels: number): number {
    const dtype = this.dtypes[column]!;
    return dtype === "bool" ? bitBytes(pixels) : numericInfo(dtype).size * pixels;
  }
}

/** Bytes of a pixel as the order of sections counts them: 0 for Bool. */
function pixelSize(dtype: NumericType): number {
  return dtype === "bool" ? 0 : numericInfo(dtype).size;
}

/** Bytes that hold `pixels` bits. */
export function bitBytes(pixels: number): number {
  return Math.ceil(pixels / 8);
}
