/**
 * Which segments a condition can't hold in, from what the manifest says of them: the least and the greatest value of some
 * columns, and whether a filter has ever seen a key.
 */
import type { Comparison, Condition, Literal } from "../../query/where.ts";

/** Least and greatest value of a column in a segment, both in it. */
export interface Range {
  readonly min: Literal;
  readonly max: Literal;
}

/** What is known of a segment's values. */
export interface Known {
  /** null: nothing is known of the column. */
  range(column: string): Range | null;
  /** The columns of the store's key, and whether a key may be in the segment. Left out: there is no filter. */
  readonly key?: {
    readonly columns: readonly string[];
    mayHold(values: readonly Literal[]): boolean;
  };
}

/** Smaller than, in the order that conditions compare by: numbers whole or not by value, texts by code units. */
function below(a: Literal, b: Literal): boolean {
  return a < b;
}

function comparable(literal: Literal, { min }: Range): boolean {
  const isNumber = (value: Literal) => typeof value === "number" || typeof value === "bigint";
  return typeof literal === typeof min || isNumber(literal) && isNumber(min);
}

function mayCompare({ column, operator, literal }: Comparison, known: Known): boolean {
  const range = known.range(column);
  // NaN is in no range, and differs from everything.
  if (range === null || operator === "!=" || literal !== literal || !comparable(literal, range)) return true;
  const { min, max } = range;
  switch (operator) {
    case "=":
      return !below(literal, min) && !below(max, literal);
    case "<":
      return below(min, literal);
    case "<=":
      return !below(literal, min);
    case ">":
      return below(literal, max);
    case ">=":
      return !below(max, literal);
  }
}

/** What a condition says each column must equal, as far as it says so: comparisons that all must hold. */
function equalities(
  condition: Condition,
  found: Map<string, Literal> = new Map(),
): ReadonlyMap<string, Literal> {
  if (condition.kind === "and") { for (const part of condition.parts) equalities(part, found); }
  else if (condition.kind === "comparison" && condition.operator === "=") {
    found.set(condition.column, condition.literal);
  }
  return found;
}

function mayHoldParts(condition: Condition, known: Known): boolean {
  switch (condition.kind) {
    case "comparison":
      return mayCompare(condition, known);
    case "and":
      return condition.parts.every((part) => mayHold(part, known));
    case "or":
      return condition.parts.some((part) => mayHold(part, known));
  }
}

/** False when the condition holds for no row of the segment; true when it may. */
export function mayHold(condition: Condition, known: Known): boolean {
  if (known.key !== undefined && condition.kind !== "or") {
    const equal = equalities(condition);
    const values = known.key.columns.map((column) => equal.get(column));
    if (values.every((value) => value !== undefined) && !known.key.mayHold(values as Literal[])) return false;
  }
  return mayHoldParts(condition, known);
}
