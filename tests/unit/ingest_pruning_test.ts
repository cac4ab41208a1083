import assert from "node:assert/strict";
import fc from "fast-check";
import { type Comparison, type Condition, parseWhere } from "../../src/query/where.ts";
import { type Known, mayHold } from "../../src/ingest/view/pruning.ts";

const known: Known = { range: (column) => column === "A" ? { min: 10, max: 20 } : null };

Deno.test("a segment is left out when its least and greatest value say that no row can match", () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ["A = 9", false],
    ["A = 10", true],
    ["A = 20", true],
    ["A = 20.5", false],
    ["A < 10", false],
    ["A <= 10", true],
    ["A > 20", false],
    ["A >= 20", true],
    ["A != 15", true],
    ["B = 5", true],
    ["A = 9 and B = 5", false],
    ["A = 9 or B = 5", true],
    ["A = 9 or A = 21", false],
    ["A = nan", true],
  ];
  for (const [text, expected] of cases) assert.equal(mayHold(parseWhere(text), known), expected, text);
});

Deno.test("a filter that has never seen a key leaves a segment out when the condition names the whole key", () => {
  const asked: unknown[] = [];
  const filtered: Known = {
    range: () => null,
    key: { columns: ["A", "B"], mayHold: (values) => (asked.push([...values]), false) },
  };
  assert.equal(mayHold(parseWhere("A = 1"), filtered), true);
  assert.equal(mayHold(parseWhere("A = 1 or B = 2"), filtered), true);
  assert.deepEqual(asked, []);
  assert.equal(mayHold(parseWhere("B = 2 and C > 1 and A = 1"), filtered), false);
  assert.deepEqual(asked, [[1, 2]]);
});

Deno.test("no segment with a row that matches is ever left out", () => {
  const holds = (condition: Condition, row: Record<string, number>): boolean => {
    if (condition.kind !== "comparison") {
      const { kind, parts } = condition;
      return kind === "and"
        ? parts.every((part) => holds(part, row))
        : parts.some((part) => holds(part, row));
    }
    const { column, operator } = condition, value = row[column]!, literal = condition.literal as number;
    switch (operator) {
      case "=":
        return value === literal;
      case "!=":
        return value !== literal;
      case "<":
        return value < literal;
      case "<=":
        return value <= literal;
      case ">":
        return value > literal;
      case ">=":
        return value >= literal;
    }
  };
  const value = fc.integer({ min: 0, max: 6 });
  const comparison = fc.record({
    kind: fc.constant("comparison" as const),
    column: fc.constantFrom("A", "B"),
    operator: fc.constantFrom(
      "=" as const,
      "!=" as const,
      "<" as const,
      "<=" as const,
      ">" as const,
      ">=" as const,
    ),
    literal: value,
  }) as fc.Arbitrary<Comparison>;
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      comparison,
      fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        parts: fc.array(tie("condition"), { minLength: 1, maxLength: 3 }),
      }),
    ),
  }));
  const rows = fc.array(fc.record({ A: value, B: value }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(condition, rows, (asked, held) => {
    const range = (column: string) => {
      const values = held.map((row) => row[column as "A"]);
      return { min: Math.min(...values), max: Math.max(...values) };
    };
    const key = {
      columns: ["A", "B"],
      mayHold: ([a, b]: readonly unknown[]) => held.some((row) => row.A === a && row.B === b),
    };
    if (held.some((row) => holds(asked, row))) assert.ok(mayHold(asked, { range, key }));
  }));
});
