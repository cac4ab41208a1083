/**
 * BitFlagsEngine<T>: flags kept as bits of integers of type T (format reference part 6, section 6.3).
 * `flag = (stored & mask) != 0`. Keywords, after `_BitFlagsEngine_`:
 *
 * | keyword | type | meaning |
 * | --- | --- | --- |
 * | ReadMask | uint32 | the mask |
 * | ReadMaskKeys | strings | names of flags in record `FLAGSETS` among the stored column's keywords; if there are any, the mask is made of those |
 * | WriteMask, WriteMaskKeys | | the same for writing |
 *
 * A flag that is written sets or clears the bits of the write mask and leaves the others. That is what casacore
 * says it does; what it does is to replace all bits by 1 or 0, which loses the flags of others.
 */
import { bytesOf, type NumericData, numericInfo, type NumericType, paddedName } from "../../array/dtype.ts";
import { elementsOf, type Rows, sameShape } from "../../array/rows.ts";
import { fieldOf, type RecordField } from "../../format/record.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";
import { type EngineColumn, engineKind } from "./engine.ts";
import { type Cells, MappedColumn } from "./mapped-column.ts";
import { realOf } from "./parameters.ts";
import { keyword, MappedSpec } from "./settle.ts";
import { dtypeOfName, templateArguments } from "./type-names.ts";

const DEFAULT_WRITE_MASK = 1;
const STORED_TYPES: readonly NumericType[] = ["uint8", "int16", "int32"];

/** The kind that serves `BitFlagsEngine` on uint8, int16 and int32. */
export const bitFlags = engineKind({
  serves: (type) => storedTypeOf(type) !== undefined,
  column(context, bound): EngineColumn {
    const column = new FlagColumn(context, bound, storedTypeOf(context.type)!);
    return { column, info: column.info() };
  },
  specType: "BitFlagsEngine",
  settle(spec, context) {
    const mapped = new MappedSpec(spec, context), { stored } = mapped;
    mapped.expectTypes("bool", STORED_TYPES);
    const all = stored.dtype === "uint8" ? 0xff : 0xffffffff;
    return mapped.settled(`BitFlagsEngine<${paddedName(stored.dtype)}`, [
      ...maskKeywords(mapped, "Read", all),
      ...maskKeywords(mapped, "Write", DEFAULT_WRITE_MASK),
    ]);
  },
});

function storedTypeOf(type: string): NumericType | undefined {
  const names = templateArguments(type, "BitFlagsEngine");
  const dtype = names?.length === 1 ? dtypeOfName(names[0]!) : undefined;
  return STORED_TYPES.find((one) => one === dtype);
}

/** Option `readMask` or `writeMask`: bits, or names of flag sets, whose bits are kept as well. */
function maskKeywords(spec: MappedSpec, name: "Read" | "Write", initial: number): RecordField[] {
  const option = `${name.toLowerCase()}Mask`, given = spec.option(option) ?? initial;
  const keys: string[] = [];
  let bits = initial;
  if (typeof given === "number" && Number.isInteger(given) && given >= -(2 ** 31) && given < 2 ** 32) {
    bits = given >>> 0;
  } else if (Array.isArray(given) && given.length > 0 && given.every((key) => typeof key === "string")) {
    keys.push(...given);
    bits = bitsOf(spec.stored, keys) ?? initial;
  } else {spec.fail(
      `${option} is bits, or names of flag sets of column ${spec.stored.name}, found ${String(given)}`,
    );}
  return [
    keyword(`_BitFlagsEngine_${name}Mask`, { kind: "scalar", dtype: "uint32", value: bits >>> 0 }),
    keyword(`_BitFlagsEngine_${name}MaskKeys`, {
      kind: "array",
      dtype: "string",
      // Without names the array has no axes, as casacore's that was never given a size.
      shape: keys.length === 0 ? [] : [keys.length],
      data: keys,
    }),
  ];
}

/** The bits of flag sets that a column's keywords have; unknown names count as no bits. undefined: there are no sets. */
function bitsOf({ keywords }: BoundColumn, keys: readonly string[]): number | undefined {
  const sets = fieldOf(keywords, "FLAGSETS");
  if (sets?.kind !== "record") return undefined;
  let bits = 0;
  for (const key of keys) {
    const value = fieldOf(sets.fields, key);
    if (value !== undefined) bits |= realOf(value) ?? 0;
  }
  return bits;
}

/** A mask, and names of flag sets that it is made of if there are any. */
interface Mask {
  readonly bits: number;
  readonly keys: readonly string[];
}

class FlagColumn extends MappedColumn {
  readonly #readMask: Mask;
  /** Bits that are left of the type's 32 when they are shifted out: a mask is cut to its type. */
  readonly #unused: number;
  readonly #signed: boolean;

  constructor(context: ManagerContext, bound: BoundColumn, storedType: NumericType) {
    super(context, bound, "bool", storedType);
    this.#readMask = {
      bits: this.parameters.number("_BitFlagsEngine_ReadMask"),
      keys: this.parameters.texts("_BitFlagsEngine_ReadMaskKeys"),
    };
    this.#unused = 32 - 8 * numericInfo(storedType).size;
    this.#signed = storedType !== "uint8";
  }

  info() {
    const { bits, keys } = this.#readMask;
    return { stored: this.stored.name, readMask: bits, readMaskKeys: keys };
  }

  // deno-lint-ignore require-yield
  protected *compute(_rows: Rows, values: NumericData, target: NumericData): Plan<void> {
    const mask = this.#maskNow(this.#readMask), flags = target as Uint8Array, bits = values as Int32Array;
    for (let i = 0; i < flags.length; i++) flags[i] = (bits[i]! & mask) === 0 ? 0 : 1;
  }

  protected *pack(cells: Cells, values: NumericData): Plan<NumericData> {
    const mask = this.#maskNow(this.#writeMask()), packed = this.forStored(cells);
    yield* this.#readOld(cells, packed);
    for (let i = 0; i < packed.length; i++) {
      const old = packed[i] as number;
      packed[i] = values[i] === 0 ? old & ~mask : old | mask;
    }
    return packed;
  }

  /** Readers don't need it: it is looked for when it is used. As in casacore it may be missing. */
  #writeMask(): Mask {
    const has = (keyword: string) => fieldOf(this.bound.keywords, keyword) !== undefined;
    const bits = "_BitFlagsEngine_WriteMask", keys = "_BitFlagsEngine_WriteMaskKeys";
    return {
      bits: has(bits) ? this.parameters.number(bits) : DEFAULT_WRITE_MASK,
      keys: has(keys) ? this.parameters.texts(keys) : [],
    };
  }

  /** Plan: bits that are there, where cells keep their shape; 0 elsewhere. */
  *#readOld({ rows, cellShape, box }: Cells, packed: NumericData): Plan<void> {
    const { column } = this.stored.find();
    const target = { kind: "numeric", bytes: bytesOf(packed) } as const;
    if (packed.length === 0) return;
    if (box !== null) return yield* column.read(rows, cellShape, box, target, 0);
    const each = elementsOf(cellShape);
    let start = 0;
    for (const { count, shape } of yield* column.shapes(rows)) {
      if (shape !== null && sameShape(shape, cellShape)) {
        yield* column.read(rows.sub(start, start + count), cellShape, null, target, start * each);
      }
      start += count;
    }
  }

  /** The mask as the stored column's flag sets are now. Unknown names count as no bits. */
  #maskNow({ bits, keys }: Mask): number {
    const mask = (keys.length === 0 ? undefined : bitsOf(this.stored.find().bound, keys)) ?? bits;
    const high = mask << this.#unused;
    return this.#signed ? high >> this.#unused : high >>> this.#unused;
  }
}
