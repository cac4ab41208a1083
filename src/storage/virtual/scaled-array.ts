/**
 * ScaledArrayEngine<S,T>: real values of type S kept as values of type T (format reference part 6, section 2).
 * `value = stored × scale + offset`, in the type that C++ gives the operation, and `stored = (value - offset) / scale`,
 * its fraction cut off if T is an integer. Keywords, after `_ScaledArrayEngine_`:
 *
 * | keyword | type | meaning |
 * | --- | --- | --- |
 * | Scale, Offset | S | those of all rows |
 * | ScaleName, OffsetName | string | or the columns of type S that have them |
 * | FixedScale, FixedOffset | bool | which of the two, independent of each other |
 */
import { allocate } from "../../array/alloc.ts";
import { type NumericData, numericInfo, type NumericType } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import { TableError } from "../../error.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext, SettledSpec } from "../manager.ts";
import { convert, firstUnfit } from "./convert.ts";
import { type EngineColumn, engineKind } from "./engine.ts";
import { type CommonType, commonType, type Factors, partType, scaleCells, unscaleCells } from "./linear.ts";
import { type Cells, MappedColumn } from "./mapped-column.ts";
import { type Factor, factorInfo, factorOf, factorsOf } from "./scaling.ts";
import { classOf, flagKeyword, keyword, MappedSpec, settledFactor, textKeyword } from "./settle.ts";
import { numericArguments } from "./type-names.ts";

const NAME = "ScaledArrayEngine";

/** The kind that serves `ScaledArrayEngine<S,T>` of real types, the only ones for which casacore's compiles. */
export const scaledArray = engineKind({
  serves: (type) => realArguments(type) !== undefined,
  column: (context, bound) =>
    new ScaledColumn(context, bound, NAME, realArguments(context.type)!).described(),
  specType: NAME,
  settle: (spec, context) => settleScaled(NAME, 1, new MappedSpec(spec, context)),
});

/** What the spec of a scaled column comes to, whose virtual type has so many parts and whose stored type is real. */
export function settleScaled(
  engine: string,
  items: number,
  spec: MappedSpec,
  leading: readonly number[] = [],
): SettledSpec {
  const types = spec.types();
  if (types.includes("bool") || numericInfo(types[0]).items !== items || numericInfo(types[1]).items !== 1) {
    spec.fail(`${types[0]} can't be stored as ${types[1]}`);
  }
  const scale = settledFactor(spec, "scale", types[0], 1),
    offset = settledFactor(spec, "offset", types[0], 0);
  return spec.settled(classOf(engine, types), [
    keyword(`_${engine}_Scale`, scale.value),
    keyword(`_${engine}_Offset`, offset.value),
    textKeyword(`_${engine}_ScaleName`, scale.column),
    textKeyword(`_${engine}_OffsetName`, offset.column),
    flagKeyword(`_${engine}_FixedScale`, scale.column === ""),
    flagKeyword(`_${engine}_FixedOffset`, offset.column === ""),
  ], leading);
}

function realArguments(type: string): [S: NumericType, T: NumericType] | undefined {
  const types = numericArguments(type, NAME);
  return types?.every((dtype) => dtype !== "bool" && numericInfo(dtype).items === 1) ? types : undefined;
}

/** A column of scaled values; its own parts are scaled if S is complex (see `scaled-complex.ts`). */
export class ScaledColumn extends MappedColumn {
  readonly #scale: Factor;
  readonly #offset: Factor;
  /** Types of a part: of the virtual value, of the stored one, and of the computation. */
  readonly #part: NumericType;
  readonly #storedType: NumericType;
  readonly #common: CommonType;
  readonly #pairs: boolean;

  /** @throws TableError CORRUPT for keywords that are missing or wrong */
  constructor(
    context: ManagerContext,
    bound: BoundColumn,
    engine: string,
    [virtualType, storedType]: readonly [NumericType, NumericType],
  ) {
    super(context, bound, virtualType, storedType);
    this.#part = partType(virtualType);
    this.#storedType = storedType;
    this.#common = commonType(this.#part, storedType);
    this.#pairs = numericInfo(virtualType).items === 2;
    const factor = (value: string) =>
      factorOf(this.parameters, context, bound, virtualType, {
        fixed: this.parameters.flag(`_${engine}_Fixed${value}`),
        value: `_${engine}_${value}`,
        name: `_${engine}_${value}Name`,
      });
    this.#scale = factor("Scale");
    this.#offset = factor("Offset");
  }

  /** The column and what `schema` prints of it. */
  described(): EngineColumn {
    return {
      column: this,
      info: {
        stored: this.stored.name,
        scale: factorInfo(this.#scale),
        offset: factorInfo(this.#offset),
      },
    };
  }

  protected *compute(rows: Rows, values: NumericData, target: NumericData): Plan<void> {
    const scales = this.#cast(yield* factorsOf(this.#scale, rows));
    const offsets = this.#cast(yield* factorsOf(this.#offset, rows));
    const common = this.#common;
    // Computed where the values are, or where they go, if that is of the type of the computation.
    const work = common === this.#storedType
      ? values
      : common === this.#part
      ? target
      : allocate(common, values.length);
    if (work !== values) convert(this.#storedType, values, common, work);
    scaleCells(common, work, values.length / rows.length, scales, offsets, this.#pairs);
    if (work !== target) convert(common, work, this.#part, target);
  }

  protected *pack(cells: Cells, values: NumericData): Plan<NumericData> {
    const { rows } = cells;
    const scales = yield* factorsOf(this.#scale, rows), offsets = yield* factorsOf(this.#offset, rows);
    const common = commonType(this.#part, this.#part);
    if (!common.startsWith("float")) this.#checkScales(rows, scales);
    const packed = this.forStored(cells);
    const work = common === this.#storedType ? packed : allocate(common, values.length);
    convert(this.#part, values, common, work);
    unscaleCells(common, work, values.length / rows.length, scales, offsets, this.#pairs);
    const unfit = firstUnfit(work, this.#storedType);
    if (unfit >= 0) this.refuse(cells, values, unfit);
    if (work !== packed) convert(common, work, this.#storedType, packed);
    return packed;
  }

  /** Integers can't be divided by 0. */
  #checkScales(rows: Rows, { values, perCell }: Factors): void {
    const zero = Array.prototype.findIndex.call(values, (value) => value == 0);
    if (zero < 0) return;
    const row = perCell ? ` of row ${rows.at(zero)}` : "";
    throw new TableError(
      "OUT_OF_RANGE",
      `column ${this.bound.name}: the scale${row} is 0, values can't be divided by it`,
    );
  }

  /** Scales or offsets in the type of the computation. */
  #cast({ values, perCell }: Factors): Factors {
    if (this.#common === this.#part) return { values, perCell };
    const cast = allocate(this.#common, values.length);
    convert(this.#part, values, this.#common, cast);
    return { values: cast, perCell };
  }
}
