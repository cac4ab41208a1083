/**
 * What CompressFloat and CompressComplex have in common: one scale and one offset of single precision, fixed or a pair
 * a row (format reference part 6, sections 4 and 5). Keywords, after the prefix `_CompressFloat_` or
 * `_CompressComplex_`:
 *
 * | keyword | type | meaning |
 * | --- | --- | --- |
 * | Scale, Offset | float | those of all rows, if Fixed |
 * | ScaleName, OffsetName | string | else the columns that have them |
 * | Fixed | bool | |
 * | AutoScale | bool | whether a put chooses scale and offset; nothing to a reader |
 */
import type { NumericData, NumericType } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext, ManagerInfo } from "../manager.ts";
import type { EngineColumn } from "./engine.ts";
import { MappedColumn } from "./mapped-column.ts";
import { type Factor, factorInfo, factorOf, factorsOf } from "./scaling.ts";

/**
 * Unpacks cells: `each` stored values of every cell in turn. Cell number c has `scales[c]` and `offsets[c]`.
 */
export type Unpack = (
  stored: NumericData,
  target: Float32Array,
  each: number,
  scales: Float32Array,
  offsets: Float32Array,
) => void;

/** A column of floats or pairs of them, unpacked from integers. */
export class CompressedColumn extends MappedColumn {
  readonly #scale: Factor;
  readonly #offset: Factor;
  readonly #autoScale: boolean;
  readonly #unpack: Unpack;

  /** @throws TableError CORRUPT for keywords that are missing or wrong */
  constructor(
    context: ManagerContext,
    bound: BoundColumn,
    prefix: string,
    types: readonly [virtual: NumericType, stored: NumericType],
    unpack: Unpack,
  ) {
    super(context, bound, ...types);
    this.#unpack = unpack;
    const fixed = this.parameters.flag(`${prefix}Fixed`);
    const factor = (value: string) =>
      factorOf(this.parameters, context, bound, "float32", {
        fixed,
        value: prefix + value,
        name: `${prefix}${value}Name`,
      });
    this.#scale = factor("Scale");
    this.#offset = factor("Offset");
    this.#autoScale = this.parameters.flag(`${prefix}AutoScale`);
  }

  /** The column and what `schema` prints of it. */
  described(): EngineColumn {
    const info: ManagerInfo = {
      stored: this.stored.name,
      scale: factorInfo(this.#scale),
      offset: factorInfo(this.#offset),
      autoScale: this.#autoScale,
    };
    return { column: this, info };
  }

  protected *compute(rows: Rows, values: NumericData, target: NumericData): Plan<void> {
    const scales = yield* factorsOf(this.#scale, rows);
    const offsets = yield* factorsOf(this.#offset, rows);
    // With one scale for all rows they are like one large cell.
    const each = scales.perCell ? values.length / rows.length : values.length;
    this.#unpack(
      values,
      target as Float32Array,
      each,
      scales.values as Float32Array,
      offsets.values as Float32Array,
    );
  }
}
