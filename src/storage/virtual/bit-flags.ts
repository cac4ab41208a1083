/**
 * BitFlagsEngine<T>: flags kept as bits of integers of type T (format reference part 6, section 6.3).
 * `flag = (stored & mask) != 0`. Keywords, after `_BitFlagsEngine_`:
 *
 * | keyword | type | meaning |
 * | --- | --- | --- |
 * | ReadMask | uint32 | the mask |
 * | ReadMaskKeys | strings | names of flags in record `FLAGSETS` among the stored column's keywords; if there are any, the mask is made of those |
 * | WriteMask, WriteMaskKeys | | the same for writing |
 */
import { type NumericData, numericInfo, type NumericType } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import { fieldOf } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";
import { type EngineColumn, engineKind } from "./engine.ts";
import { MappedColumn } from "./mapped-column.ts";
import { realOf } from "./parameters.ts";
import { dtypeOfName, templateArguments } from "./type-names.ts";

/** The kind that serves `BitFlagsEngine` on uint8, int16 and int32. */
export const bitFlags = engineKind({
  serves: (type) => storedTypeOf(type) !== undefined,
  column(context, bound): EngineColumn {
    const column = new FlagColumn(context, bound, storedTypeOf(context.type)!);
    return { column, info: column.info() };
  },
});

function storedTypeOf(type: string): NumericType | undefined {
  const names = templateArguments(type, "BitFlagsEngine");
  const dtype = names?.length === 1 ? dtypeOfName(names[0]!) : undefined;
  return dtype === "uint8" || dtype === "int16" || dtype === "int32" ? dtype : undefined;
}

class FlagColumn extends MappedColumn {
  readonly #readMask: number;
  readonly #keys: readonly string[];
  /** Bits that are left of the type's 32 when they are shifted out: a mask is cut to its type. */
  readonly #unused: number;
  readonly #signed: boolean;

  constructor(context: ManagerContext, bound: BoundColumn, storedType: NumericType) {
    super(context, bound, "bool", storedType);
    this.#readMask = this.parameters.number("_BitFlagsEngine_ReadMask");
    this.#keys = this.parameters.texts("_BitFlagsEngine_ReadMaskKeys");
    this.#unused = 32 - 8 * numericInfo(storedType).size;
    this.#signed = storedType !== "uint8";
  }

  info() {
    return { stored: this.stored.name, readMask: this.#readMask, readMaskKeys: this.#keys };
  }

  // deno-lint-ignore require-yield
  protected *compute(_rows: Rows, values: NumericData, target: NumericData): Plan<void> {
    const mask = this.#mask(), flags = target as Uint8Array, bits = values as Int32Array;
    for (let i = 0; i < flags.length; i++) flags[i] = (bits[i]! & mask) === 0 ? 0 : 1;
  }

  /** The mask as the stored column's flag sets are now. Unknown names count as no bits. */
  #mask(): number {
    let mask = this.#readMask | 0;
    const sets = this.#keys.length === 0 ? undefined : fieldOf(this.stored.find().bound.keywords, "FLAGSETS");
    if (sets?.kind === "record") {
      mask = 0;
      for (const key of this.#keys) {
        const value = fieldOf(sets.fields, key);
        if (value !== undefined) mask |= realOf(value) ?? 0;
      }
    }
    const high = mask << this.#unused;
    return this.#signed ? high >> this.#unused : high >>> this.#unused;
  }
}
