/** Tile shapes: those that casacore chose for 600 cubes, and what must hold for any. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { elementsOf } from "../../src/array/rows.ts";
import { autoTile, chooseTileShape } from "../../src/storage/tiled/tile-shape.ts";
import { TileLayout } from "../../src/storage/tiled/tile-layout.ts";

/** Cell shape, tile shape asked for, tile shape that casacore chose (fixtures/tiled/make_tile_shapes.py). */
type Case = readonly [cell: readonly number[], wanted: readonly number[], tile: readonly number[]];

const CASES = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/tiled/tile_shapes.json", import.meta.url)),
) as Case[];

Deno.test("tile shapes are those that casacore chooses", () => {
  assert.ok(CASES.length >= 600);
  for (const [cell, wanted, tile] of CASES) {
    assert.deepEqual(chooseTileShape([...cell, 0], wanted), tile, `cell [${cell}], wanted [${wanted}]`);
  }
});

Deno.test("a tile shape that is asked for is cut to the cube, but for the axis that grows", () => {
  assert.deepEqual(chooseTileShape([4, 64, 0], [8, 32, 1000]), [4, 32, 1000]);
  assert.deepEqual(chooseTileShape([4, 64, 10], [8, 32, 1000]), [4, 32, 10]);
  assert.deepEqual(chooseTileShape([4, 64, 0], [8, 32, 7, 9]), [4, 32, 7]);
  assert.deepEqual(chooseTileShape([0], []), [32768]);
});

Deno.test("tiles have at least one pixel, and never more on an axis than the array", () => {
  const shape = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 40_000 }), (shape, size) => {
      const tile = autoTile(shape, size);
      tile.forEach((length, axis) =>
        assert.ok(length >= 1 && length <= shape[axis]!, `[${tile}] for [${shape}]`)
      );
      // Small arrays stay whole; other tiles are at most a few times too large.
      assert.ok(elementsOf(tile) <= 8 * size, `[${tile}] for [${shape}], ${size} pixels`);
    }),
    { numRuns: 300 },
  );
});

Deno.test("sections of a tile go from large to small pixels, of equal ones the last column first, Bool at the end", () => {
  // Format reference part 4, section 5.2: columns A float, B Bool, C Complex, D Int, E Bool, F float.
  const layout = new TileLayout(["float32", "bool", "complex64", "int32", "bool", "float32"]);
  assert.deepEqual(layout.order.map((i) => "ABCDEF"[i]).join(""), "CFDAEB");
  const pixels = 9;
  assert.deepEqual([2, 5, 3, 0, 4, 1].map((column) => layout.sectionOffset(column, pixels)), [
    0,
    72,
    108,
    144,
    180,
    182,
  ]);
  assert.deepEqual([2, 5, 4].map((column) => layout.sectionLength(column, pixels)), [72, 36, 2]);
  assert.equal(layout.bucketSize(pixels), 184);
});
