import assert from "node:assert/strict";
import fc from "fast-check";
import { type Field, layout } from "../../src/cli/layout.ts";
import { widthOf } from "../../src/cli/text.ts";

const FIELDS: readonly Field[] = [
  { title: "column", cells: ["UVW", "CORRECTED_DATA"], cut: "middle", least: 8 },
  { title: "type", cells: ["float64", "complex64"] },
  { title: "unit", cells: ["m", "Jy"], optional: 1 },
  { title: "on disk", cells: ["29.5 KiB", "1.97 MiB"], align: "right" },
];

Deno.test("columns are aligned, numbers on the right, without blanks at the ends of lines", () => {
  assert.deepEqual(layout(FIELDS, { width: 80 }), [
    "column          type       unit   on disk",
    "UVW             float64    m     29.5 KiB",
    "CORRECTED_DATA  complex64  Jy    1.97 MiB",
  ]);
});

Deno.test("optional columns go first where there is no room", () => {
  assert.deepEqual(layout(FIELDS, { width: 40 }), [
    "column          type        on disk",
    "UVW             float64    29.5 KiB",
    "CORRECTED_DATA  complex64  1.97 MiB",
  ]);
});

Deno.test("shorter entries and optional columns save room in the order of their ranks", () => {
  const fields = (rank: number): Field[] => [
    FIELDS[0]!,
    { title: "manager", cells: ["TiledColumn", "Standard"], shorter: { rank, cells: ["TCol", "Std"] } },
    { title: "unit", cells: ["m", "Jy"], optional: 2 },
  ];
  const widest = ["column          manager      unit", "UVW             TiledColumn  m"];
  assert.deepEqual(layout(fields(1), { width: 33 }).slice(0, 2), widest);
  assert.deepEqual(layout(fields(1), { width: 30 })[1], "UVW             TiledColumn");
  assert.deepEqual(layout(fields(3), { width: 30 })[1], "UVW             TCol     m");
  assert.deepEqual(layout(fields(3), { width: 24 })[1], "UVW             TCol");
});

Deno.test("then the widest entries are cut, but not below their least width", () => {
  assert.deepEqual(layout(FIELDS, { width: 30 }), [
    "column     type        on disk",
    "UVW        float64    29.5 KiB",
    "CORR…DATA  complex64  1.97 MiB",
  ]);
});

Deno.test("a column without entries isn't there at all", () => {
  const fields = [FIELDS[0]!, { title: "unit", cells: ["", ""] }];
  assert.deepEqual(layout(fields, { width: 80 }), ["column", "UVW", "CORRECTED_DATA"]);
});

Deno.test("a listing without entries is its titles, or nothing", () => {
  assert.deepEqual(layout([{ title: "a", cells: [] }], { width: 80 }), ["a"]);
  assert.deepEqual(layout([{ title: "a", cells: [] }], { width: 80, untitled: true }), []);
});

Deno.test("colours are only there where they are asked for, and change no width", () => {
  const fields: Field[] = [...FIELDS, { title: "comment", cells: ["x", "y"], faint: true }];
  const plain = layout(fields, { width: 80 });
  const colored = layout(fields, { width: 80, color: true });
  assert.ok(!plain.join("").includes("\x1b"));
  assert.ok(colored[0]!.includes("\x1b[1m"));
  // deno-lint-ignore no-control-regex
  assert.deepEqual(colored.map((line) => line.replace(/\x1b\[\d+m/g, "").trimEnd()), plain);
});

Deno.test("no line is ever wider than the terminal", () => {
  const field = fc.record({
    title: fc.string({ maxLength: 12 }),
    cells: fc.array(fc.string({ maxLength: 60, unit: fc.constantFrom("a", "b", "望", "é") }), {
      minLength: 3,
      maxLength: 3,
    }),
    cut: fc.constantFrom<"end" | "middle">("end", "middle"),
    least: fc.integer({ min: 1, max: 20 }),
    align: fc.constantFrom<"left" | "right">("left", "right"),
  });
  fc.assert(
    fc.property(
      fc.array(field, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 10, max: 120 }),
      fc.nat(4),
      (fields, width, indent) => {
        for (const line of layout(fields, { width, indent })) assert.ok(widthOf(line) <= width, line);
      },
    ),
  );
});
