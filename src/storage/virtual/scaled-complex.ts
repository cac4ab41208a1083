/**
 * ScaledComplexData<S,T>: complex values of type S kept as pairs of T, the pair being one more axis of the stored
 * cells, in front (format reference part 6, section 3). Real and imaginary part are scaled separately, each with its
 * part of scale and offset. Keywords as in `scaled-array.ts`, after `_ScaledComplexData_`.
 */
import { numericInfo, type NumericType } from "../../array/dtype.ts";
import type { Box } from "../../array/rows.ts";
import { engineKind } from "./engine.ts";
import { ScaledColumn, settleScaled } from "./scaled-array.ts";
import { MappedSpec } from "./settle.ts";
import { numericArguments } from "./type-names.ts";

const NAME = "ScaledComplexData";
/** The stored axis of real and imaginary part. */
const PARTS = 2;

/** The kind that serves `ScaledComplexData<S,T>`, S being complex and T real. */
export const scaledComplex = engineKind({
  serves: (type) => complexArguments(type) !== undefined,
  column: (context, bound) =>
    new ScaledPairs(context, bound, NAME, complexArguments(context.type)!).described(),
  specType: NAME,
  settle: (spec, context) => settleScaled(NAME, 2, new MappedSpec(spec, context), [PARTS]),
});

function complexArguments(type: string): [S: NumericType, T: NumericType] | undefined {
  const types = numericArguments(type, NAME);
  if (types === undefined || types[1] === "bool") return undefined;
  return numericInfo(types[0]).items === 2 && numericInfo(types[1]).items === 1 ? types : undefined;
}

class ScaledPairs extends ScaledColumn {
  protected override virtualShape(shape: readonly number[]): readonly number[] {
    if (shape[0] === PARTS) return shape.slice(1);
    return this.parameters.fail(
      `cells of stored column ${this.stored.name} have shape [${
        shape.join(", ")
      }], expected ${PARTS} as first length`,
    );
  }

  protected override storedShape(shape: readonly number[]): readonly number[] {
    return [PARTS, ...shape];
  }

  protected override storedBox({ start, shape, step }: Box): Box {
    return { start: [0, ...start], shape: [PARTS, ...shape], step: [1, ...step] };
  }
}
