/** Points in bounded memory: whatever comes, in whatever order, no point is lost from the grid. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Cloud } from "../../src/plot/cloud.ts";

const GRID = { from: 0, to: 100, columns: 10, rows: 16, most: 1024 };

function cloudOf(points: Iterable<readonly [number, number]>, options = GRID) {
  const cloud = new Cloud(options);
  for (const [x, y] of points) cloud.add(x, y);
  return cloud.marks();
}

/** The column that a point belongs to, by the definition. */
const columnOf = (x: number) =>
  Math.min(GRID.columns - 1, Math.floor((x - GRID.from) / (GRID.to - GRID.from) * GRID.columns));

Deno.test("few points are kept as they are, in the order in which they came", () => {
  const points = Array.from({ length: GRID.most }, (_, i) => [i % 101, Math.sin(i)] as const);
  const marks = cloudOf(points);
  assert.equal(marks.kind, "points");
  if (marks.kind !== "points") return;
  assert.deepEqual([...marks.x], points.map(([x]) => x));
  assert.deepEqual([...marks.y], points.map(([, y]) => y));
  assert.equal(cloudOf([...points, [3, 4]]).kind, "cells");
});

Deno.test("a grid of too many points counts every one, and has the least and largest of each column", () => {
  const y = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e12, max: 1e12 }),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1, max: 1 }),
    fc.constantFrom(0, -0, 5e9, 1e-300),
    // Quotients of yet smaller numbers are 0, whatever their sign.
  ).map((y) => Math.abs(y) < 1e-200 ? 0 : y);
  const point = fc.tuple(fc.double({ noNaN: true, min: 0, max: 100 }), y);
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 60 }), (few) => {
      // The last ones are so much larger that the grid has to be made coarser.
      const points = Array.from({ length: 1100 }, (_, i) => {
        const [x, y] = few[i % few.length]!;
        return [x, i < 1040 ? y * 2 ** -20 : y] as const;
      });
      const marks = cloudOf(points);
      assert.equal(marks.kind, "cells");
      if (marks.kind !== "cells") return;
      const expected = new Uint32Array(GRID.columns * GRID.rows);
      for (const [x, y] of points) {
        const row = Math.floor(y / marks.height) - marks.base;
        assert.ok(row >= 0 && row < GRID.rows, `row ${row}`);
        expected[columnOf(x) * GRID.rows + row]!++;
      }
      assert.deepEqual([...marks.counts], [...expected]);
      for (let column = 0; column < GRID.columns; column++) {
        const own = points.filter(([x]) => columnOf(x) === column).map(([, y]) => y);
        assert.ok(marks.low[column] === Math.min(...own));
        assert.ok(marks.high[column] === Math.max(...own));
      }
      const [low, high] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
      assert.ok(marks.yRange[0] === low && marks.yRange[1] === high);
    }),
    { numRuns: 300 },
  );
});

Deno.test("whatever came first, at least a quarter of the grid's rows is in use", () => {
  for (
    const values of [
      (i: number) => i,
      (i: number) => -i,
      (i: number) => Math.exp(i / 200),
      (i: number) => i < 1050 ? i * 1e-9 : i,
    ]
  ) {
    const marks = cloudOf(Array.from({ length: 3000 }, (_, i) => [i % 100, values(i)] as const));
    assert.equal(marks.kind, "cells");
    if (marks.kind !== "cells") return;
    const [low, high] = marks.yRange;
    assert.ok((high - low) / marks.height >= GRID.rows / 4, `${(high - low) / marks.height} rows`);
  }
});
