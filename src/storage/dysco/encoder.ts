/**
 * Values of a block to the bytes of a column's part of it. Which way a value that lies between two levels goes is a function
 * of its place: block, column and number in the block. So the same values always give the same file, unlike casacore's.
 */
import { kernels } from "../../array/choose.ts";
import { mixed, type Quantiser, quantiserOf } from "../../array/quantiser.ts";
import {
  BLOCK_SCALINGS,
  type BlockBaselines,
  NO_BASELINES,
  scratchLength,
  type VisibilityBlock,
} from "../../array/visibility-block.ts";
import { TableError } from "../../error.ts";
import type { DyscoFile } from "./dysco-file.ts";
import type { Part } from "./layout.ts";

/** Levels that are nearer to each other, all of them, than this are no levels. */
const MIN_RANGE = 1e-30;
/** What keeps the seeds of columns apart. */
const COLUMN_STEP = 0x632be5ab;

/** What encoding keeps from block to block. */
export class BlockEncoder {
  readonly #file: DyscoFile;
  #quantiser: Quantiser | null = null;
  #scratch = new Float64Array(0);
  #target = new Uint8Array(0);

  constructor(file: DyscoFile) {
    this.#file = file;
  }

  /**
   * Encodes the first `rows` rows of a block, those that the table has.
   *
   * @param column Number of the column in its manager.
   * @param values complex64 or float32 [correlations, channels, rows].
   * @returns bytes that are valid until the next call.
   */
  encode(
    part: Part,
    column: number,
    block: number,
    rows: number,
    values: Uint8Array,
    baselines: BlockBaselines = NO_BASELINES,
  ): Uint8Array {
    const { rowsPerBlock: blockRows, antennas } = this.#file.header, { channels, correlations } = part;
    if (this.#target.length < part.bytes) this.#target = new Uint8Array(part.bytes);
    const target = this.#target.subarray(0, part.bytes);
    if (part.scaling === "weights") {
      kernels().encodeWeights({ rows, blockRows, channels, correlations, bits: part.bits }, values, target);
      return target;
    }
    const sizes: VisibilityBlock = {
      scaling: part.scaling,
      rows,
      blockRows,
      channels,
      correlations,
      antennas: part.scaling === BLOCK_SCALINGS[0] ? antennas : 0,
      seed: mixed(mixed(block >>> 0) ^ Math.imul(column + 1, COLUMN_STEP)),
    };
    const needed = scratchLength(sizes);
    if (this.#scratch.length < needed) this.#scratch = new Float64Array(needed);
    kernels().encodeVisibilities(
      sizes,
      this.#quantiser ??= this.#makeQuantiser(part.bits),
      values,
      baselines,
      this.#scratch,
      target,
    );
    return target;
  }

  #makeQuantiser(bits: number): Quantiser {
    const levels = this.#file.levels(), last = levels.length - 2;
    let ascending = true;
    for (let i = 1; i <= last; i++) ascending &&= levels[i]! >= levels[i - 1]!;
    const range = levels[last]! - levels[0]!;
    if (!ascending || !(range > MIN_RANGE && range < Infinity)) {
      throw new TableError(
        "UNSUPPORTED",
        `values can't be scaled to levels from ${levels[0]} to ${levels[last]}`,
        { file: this.#file.path },
      );
    }
    return quantiserOf(bits, levels);
  }
}
