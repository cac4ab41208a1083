/**
 * Random columns, tiles, rows and boxes against a model that keeps every cell as an array.
 *
 * Reading is tested apart from writing, on files made by the simple encoder of the support file; writing is read back
 * through a manager that was opened anew, and its files are compared with that encoder's.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { numericInfo } from "../../src/array/dtype.ts";
import { elementsOf } from "../../src/array/rows.ts";
import { AipsReader } from "../../src/format/aipsio.ts";
import { runSync } from "../../src/io/drivers.ts";
import { tiledCellStMan } from "../../src/storage/tiled/cell.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { readTiledHeader } from "../../src/storage/tiled/header.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import {
  bound,
  contextOf,
  create,
  encodeCube,
  flush,
  MemoryAccess,
  open,
  readCells,
  someBytes,
} from "./storage_tiled_support.ts";
import {
  type Action,
  actions,
  boxIn,
  type Cells,
  cellShape,
  checkAll,
  checkFiles,
  dtypes,
  expectedCells,
  rowsBelow,
  runActions,
  type Tested,
  zeros,
} from "./storage_tiled_actions.ts";

const RUNS = { numRuns: 150 };

Deno.test("boxes of any rows of TiledColumnStMan are what a simple encoder put there", () => {
  const scenario = fc.record({
    dtypes,
    shape: cellShape,
    rows: fc.integer({ min: 1, max: 30 }),
    tile: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 4 }),
    bigEndian: fc.boolean(),
  }).chain((base) =>
    fc.record({ base: fc.constant(base), rows: rowsBelow(base.rows), box: boxIn(base.shape) })
  );
  fc.assert(
    fc.property(scenario, ({ base, rows, box }) => {
      const { dtypes, shape, bigEndian } = base;
      const access = new MemoryAccess();
      const columns = dtypes.map((dtype, i) => bound(`C${i}`, dtype, { shape }));
      const context = contextOf("TiledColumnStMan", columns, base.rows, { bigEndian });
      const tileShape = base.tile.slice(0, shape.length + 1);
      const made = create(tiledColumnStMan, context, access, { tileShape });
      flush(made, access);
      const cube = [...shape, base.rows];
      const data = dtypes.map((dtype, i) => ({ dtype, bytes: someBytes(dtype, elementsOf(cube), i) }));
      access.files.set("table.f0_TSM0", encodeCube(cube, made.info.tileShape as number[], data, bigEndian));
      const manager = open(tiledColumnStMan, context, access);
      data.forEach(({ dtype, bytes }, i) => {
        const size = elementsOf(shape) * numericInfo(dtype).size;
        const cells: Cells = Array.from(
          { length: base.rows },
          (_, r) => ({ shape, bytes: bytes.subarray(r * size, (r + 1) * size) }),
        );
        const found = readCells(manager, i, dtype, rows, shape, access, box as never);
        assert.deepEqual(found, expectedCells(cells, rows, box, dtype));
      });
    }),
    RUNS,
  );
});

Deno.test("TiledShapeStMan keeps what any sequence of writes put into cells of several shapes", () => {
  const scenario = fc.record({
    dtypes,
    ndim: fc.integer({ min: 1, max: 3 }),
    lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 9, maxLength: 9 }),
    tile: fc.array(fc.nat({ max: 7 }), { minLength: 0, maxLength: 4 }),
    bigEndian: fc.boolean(),
    actions,
  });
  fc.assert(
    fc.property(scenario, ({ dtypes, ndim, lengths, tile, bigEndian, actions }) => {
      const shapes = [0, 1, 2].map((
        k,
      ) => [10 * k + lengths[3 * k]!, ...lengths.slice(3 * k + 1, 3 * k + ndim)]);
      const bounds = dtypes.map((dtype, i) => bound(`C${i}`, dtype, { ndim }));
      const access = new MemoryAccess();
      // An axis left to Tessera makes large tiles of the row axis; that one is always given.
      const tileShape = [...Array.from({ length: ndim }, (_, a) => tile[a] ?? 0), 1 + (tile[3] ?? 4)];
      const context = contextOf("TiledShapeStMan", bounds, 0, { bigEndian });
      const columns: Tested[] = dtypes.map((dtype) => ({ dtype, cells: [] }));
      let manager = create(tiledShapeStMan, context, access, { tileShape });
      const reopen = (rowCount: number) => open(tiledShapeStMan, { ...context, rowCount }, access);
      manager = runActions(manager, columns, shapes, [{ kind: "add", count: 9 }, ...actions], access, reopen);
      checkAll(manager, columns, access);
      flush(manager, access);
      checkAll(manager, columns, access);
      const rowCount = columns[0]!.cells.length;
      checkAll(reopen(rowCount), columns, access);
      checkFiles(access, columns, bigEndian, { ...context, rowCount });
    }),
    RUNS,
  );
});

for (
  const [type, kind] of [["TiledColumnStMan", tiledColumnStMan], [
    "TiledShapeStMan",
    tiledShapeStMan,
  ]] as const
) {
  Deno.test(`${type} keeps what any sequence of writes put into cells of a fixed shape`, () => {
    const scenario = fc.record({
      dtypes,
      shape: cellShape,
      tile: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 4, maxLength: 4 }),
      bigEndian: fc.boolean(),
      rows: fc.nat({ max: 10 }),
      actions,
    });
    fc.assert(
      fc.property(scenario, ({ dtypes, shape, tile, bigEndian, rows, actions }) => {
        const bounds = dtypes.map((dtype, i) => bound(`C${i}`, dtype, { shape }));
        const access = new MemoryAccess();
        const context = contextOf(type, bounds, rows, { bigEndian });
        const columns: Tested[] = dtypes.map((dtype) => ({
          dtype,
          cells: Array.from({ length: rows }, () => ({ shape, bytes: zeros(shape, dtype) })),
        }));
        let manager = create(kind, context, access, { tileShape: tile.slice(0, shape.length + 1) });
        const reopen = (rowCount: number) => open(kind, { ...context, rowCount }, access);
        manager = runActions(manager, columns, [shape], actions, access, reopen);
        checkAll(manager, columns, access);
        flush(manager, access);
        const rowCount = columns[0]!.cells.length;
        checkAll(reopen(rowCount), columns, access);
        if (rowCount > 0) checkFiles(access, columns, bigEndian, { ...context, rowCount });
      }),
      RUNS,
    );
  });
}

Deno.test("TiledCellStMan keeps what any sequence of writes put into cells that get other shapes", () => {
  const scenario = fc.record({
    dtypes,
    ndim: fc.integer({ min: 1, max: 3 }),
    lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 9, maxLength: 9 }),
    tile: fc.array(fc.nat({ max: 7 }), { minLength: 0, maxLength: 3 }),
    fixed: fc.boolean(),
    bigEndian: fc.boolean(),
    actions,
  });
  fc.assert(
    fc.property(scenario, ({ dtypes, ndim, lengths, tile, fixed, bigEndian, actions }) => {
      const shapes = [0, 1, 2].slice(0, fixed ? 1 : 3).map((
        k,
      ) => [10 * k + lengths[3 * k]!, ...lengths.slice(3 * k + 1, 3 * k + ndim)]);
      const bounds = dtypes.map((dtype, i) =>
        bound(`C${i}`, dtype, fixed ? { shape: shapes[0]! } : { ndim })
      );
      const access = new MemoryAccess();
      const context = contextOf("TiledCellStMan", bounds, 0, { bigEndian });
      const columns: Tested[] = dtypes.map((dtype) => ({ dtype, cells: [] }));
      let manager = create(tiledCellStMan, context, access, { tileShape: tile });
      const reopen = (rowCount: number) => open(tiledCellStMan, { ...context, rowCount }, access);
      const all: Action[] = [{ kind: "add", count: 9 }, ...actions];
      manager = runActions(manager, columns, shapes, all, access, reopen, { changes: true });
      checkAll(manager, columns, access);
      flush(manager, access);
      const rowCount = columns[0]!.cells.length;
      manager = reopen(rowCount);
      checkAll(manager, columns, access);
      assert.deepEqual(runSync(manager.check!(), access), []);
      // The bytes of each cell are those of a simple encoder.
      const r = new AipsReader(access.bytes("table.f0"), { file: "table.f0" });
      r.root();
      r.iposition();
      const { cubes } = readTiledHeader(r, { ...context, rowCount });
      const file = access.bytes("table.f0_TSM0");
      cubes.forEach((cube, row) => {
        const data = columns.flatMap(({ dtype, cells }) => {
          const cell = cells[row]!;
          return cell === null ? [] : [{ dtype, bytes: cell.bytes }];
        });
        assert.equal(cube.hasShape, data.length > 0);
        if (!cube.hasShape) return;
        const bytes = encodeCube(cube.shape, cube.tileShape, data, bigEndian);
        assert.deepEqual(file.subarray(cube.offset, cube.offset + bytes.length), bytes);
      });
    }),
    RUNS,
  );
});
