/**
 * MappedArrayEngine<S,T>: values of type S kept as values of type T, each cast as C++ does it (format reference part
 * 6, section 6.1). The stored column's name is its only keyword.
 */
import type { NumericData, NumericType } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext } from "../manager.ts";
import { convert, convertible, firstUnfit } from "./convert.ts";
import { type EngineColumn, engineKind } from "./engine.ts";
import { type Cells, MappedColumn } from "./mapped-column.ts";
import { classOf, MappedSpec } from "./settle.ts";
import { numericArguments } from "./type-names.ts";

/** The kind that serves `MappedArrayEngine<S,T>`, both types real or both complex. */
export const mappedArray = engineKind({
  serves: (type) => castArguments(type) !== undefined,
  column(context, bound): EngineColumn {
    const column = new CastColumn(context, bound, castArguments(context.type)!);
    return { column, info: { stored: column.storedName } };
  },
  specType: "MappedArrayEngine",
  settle(spec, context) {
    const mapped = new MappedSpec(spec, context), types = mapped.types();
    if (!convertible(...types)) mapped.fail(`${types[0]} can't be stored as ${types[1]}`);
    return mapped.settled(classOf("MappedArrayEngine", types), []);
  },
});

function castArguments(type: string): [S: NumericType, T: NumericType] | undefined {
  const types = numericArguments(type, "MappedArrayEngine");
  return types !== undefined && convertible(types[1], types[0]) ? types : undefined;
}

class CastColumn extends MappedColumn {
  readonly #types: readonly [S: NumericType, T: NumericType];

  constructor(context: ManagerContext, bound: BoundColumn, types: readonly [NumericType, NumericType]) {
    super(context, bound, ...types);
    this.#types = types;
  }

  get storedName(): string {
    return this.stored.name;
  }

  // deno-lint-ignore require-yield
  protected *compute(_rows: Rows, values: NumericData, target: NumericData): Plan<void> {
    const [virtualType, storedType] = this.#types;
    convert(storedType, values, virtualType, target);
  }

  // deno-lint-ignore require-yield
  protected *pack(cells: Cells, values: NumericData): Plan<NumericData> {
    const [virtualType, storedType] = this.#types;
    const unfit = firstUnfit(values, storedType);
    if (unfit >= 0) this.refuse(cells, values, unfit);
    const packed = this.forStored(cells);
    convert(virtualType, values, storedType, packed);
    return packed;
  }
}
