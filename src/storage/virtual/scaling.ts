/**
 * Where an engine's scale and offset are: the same for all rows, in keywords, or in two columns, a value a row
 * (format reference part 6, sections 2 to 5).
 */
import { arrayClass, type NumericData, type NumericType } from "../../array/dtype.ts";
import type { Rows } from "../../array/rows.ts";
import type { Plan } from "../../io/plan.ts";
import type { BoundColumn, ManagerContext, ManagerInfo } from "../manager.ts";
import type { Factors } from "./linear.ts";
import type { Parameters } from "./parameters.ts";
import { OtherColumn } from "./stored.ts";

/** A scale or an offset: one value, or a column of them. */
export type Factor =
  | { readonly kind: "fixed"; readonly values: NumericData }
  | { readonly kind: "column"; readonly column: OtherColumn };

/** The value in keyword `value` when `fixed`, else the scalar column that keyword `name` names. @throws TableError CORRUPT */
export function factorOf(
  parameters: Parameters,
  context: ManagerContext,
  bound: BoundColumn,
  dtype: NumericType,
  keywords: { readonly fixed: boolean; readonly value: string; readonly name: string },
): Factor {
  if (!keywords.fixed) {
    const name = parameters.text(keywords.name);
    return { kind: "column", column: new OtherColumn(context, bound, name, "scalar", dtype) };
  }
  const pair = parameters.element(keywords.value, dtype);
  const items = dtype === "complex64" || dtype === "complex128" ? pair : pair.slice(0, 1);
  const make = arrayClass(dtype) as unknown as { from(items: Iterable<unknown>): NumericData };
  return { kind: "fixed", values: make.from(items) };
}

/** Plan: the values for some rows. */
export function* factorsOf(factor: Factor, rows: Rows): Plan<Factors> {
  if (factor.kind === "fixed") return { values: factor.values, perCell: false };
  return { values: yield* factor.column.values(rows), perCell: true };
}

/** What `schema` prints of it: the value, or the name of the column. */
export function factorInfo(factor: Factor): ManagerInfo[string] {
  if (factor.kind === "column") return factor.column.name;
  const values = Array.from(factor.values as ArrayLike<number | bigint>, Number);
  return values.length === 1 ? values[0]! : values;
}
