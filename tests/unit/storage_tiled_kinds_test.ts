/** TiledCellStMan and TiledDataStMan, coordinates and ids: files made here, read by the managers. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, type NumericType } from "../../src/array/dtype.ts";
import { elementsOf, rowList, rowRange } from "../../src/array/rows.ts";
import type { FieldValue, RecordField } from "../../src/format/record.ts";
import { runSync } from "../../src/io/drivers.ts";
import { tiledCellStMan } from "../../src/storage/tiled/cell.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { Cube } from "../../src/storage/tiled/cube.ts";
import { CubeValues } from "../../src/storage/tiled/cube-values.ts";
import { tiledDataStMan } from "../../src/storage/tiled/data.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import { type MadeCube, putCubes, putHeader, tiledData } from "./storage_tiled_made.ts";
import {
  addRows,
  bound,
  contextOf,
  create,
  flush,
  hypercolumn,
  MemoryAccess,
  open,
  readCells,
  refused,
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

const columnTypes = fc.array(
  fc.constantFrom<NumericType[]>("float32", "bool", "int16", "complex128", "uint8"),
  {
    minLength: 1,
    maxLength: 3,
  },
);

Deno.test("TiledCellStMan: a cube a row, undefined cells, rows in any order", () => {
  const scenario = fc.record({
    dtypes: columnTypes,
    bigEndian: fc.boolean(),
    cells: fc.array(
      fc.record({
        shape: fc.constantFrom([3, 4], [5, 1], [0, 0], [2, 7]),
        tile: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    order: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(scenario, ({ dtypes, bigEndian, cells, order }) => {
      const access = new MemoryAccess();
      const made = cells.map(({ shape, tile }, row): MadeCube => {
        if (shape[0] === 0) return { shape: [], tileShape: [], file: 0, data: [] };
        const data = dtypes.map((dtype, i) => ({
          dtype,
          bytes: someBytes(dtype, elementsOf(shape), row * 10 + i),
        }));
        return { shape, tileShape: tile.map((length, a) => Math.min(length, shape[a]!)), file: 0, data };
      });
      const columns = dtypes.map((dtype, i) => bound(`C${i}`, dtype, { ndim: 2 }));
      const context = contextOf("TiledCellStMan", columns, cells.length, { bigEndian });
      putHeader(access, context, 2, putCubes(access, made, bigEndian), {
        root: 1,
        before: (w) => w.iposition([2]),
      });
      const manager = open(tiledCellStMan, context, access);
      const shapes = runSync(manager.column(0).shapes(rowRange(0, cells.length)), access)
        .flatMap(({ count, shape }) => Array.from({ length: count }, () => shape));
      assert.deepEqual(shapes, made.map(({ shape }) => shape.length === 0 ? null : shape));
      for (const shape of [[3, 4], [5, 1], [2, 7]]) {
        const rows = order.map((row) => row % cells.length).filter((row) =>
          made[row]!.shape.join() === shape.join()
        );
        if (rows.length === 0) continue;
        dtypes.forEach((dtype, i) => {
          const expected = rows.map((row) => made[row]!.data[i]!.bytes);
          const found = readCells(manager, i, dtype, rowList(rows), shape, access);
          assert.deepEqual(found, Uint8Array.from(expected.flatMap((bytes) => [...bytes])));
        });
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("TiledCellStMan: a cube with an axis of length 0 is an empty array", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledCellStMan", [bound("D", "float32", { ndim: 2 })], 1);
  const parts = putCubes(access, [], false);
  parts.files.push({ number: 0, length: 0, physical: undefined, grown: false });
  parts.cubes.push(
    new Cube([2, 0], [2, 3], { file: 0, offset: 0, extensible: false, values: new CubeValues() }),
  );
  access.files.set("table.f0_TSM0", new Uint8Array(0));
  putHeader(access, context, 2, parts, { root: 1, before: (w) => w.iposition([]) });
  const manager = open(tiledCellStMan, context, access);
  assert.deepEqual(runSync(manager.column(0).shapes(rowRange(0, 1)), access), [{ count: 1, shape: [2, 0] }]);
  assert.equal(readCells(manager, 0, "float32", rowRange(0, 1), [2, 0], access).length, 0);
});

Deno.test("TiledDataStMan: cubes that grow in turn, one to three row axes, every version of the row map", () => {
  const scenario = fc.record({
    dtypes: columnTypes,
    cell: fc.constantFrom<number[][]>([], [3], [2, 5]),
    axes: fc.integer({ min: 0, max: 2 }),
    lengths: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 6, maxLength: 6 }),
    chunks: fc.array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 5,
    }),
    tile: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 5, maxLength: 5 }),
    bigEndian: fc.boolean(),
    version: fc.constantFrom({ root: 1 }, { root: 1, wide: true }, { root: 2 }),
    spare: fc.nat({ max: 2 }),
    order: fc.array(fc.nat(), { minLength: 1, maxLength: 30 }),
    range: fc.tuple(fc.nat(), fc.nat()),
  });
  fc.assert(
    fc.property(scenario, (s) => {
      const access = new MemoryAccess();
      const rowAxes = [0, 1, 2].map((k) => s.lengths.slice(2 * k, 2 * k + s.axes));
      const { context, cells, assigned } = tiledData(access, { ...s, ...s.version, rowAxes });
      const manager = open(tiledDataStMan, context, access);
      const shapes = runSync(manager.column(0).shapes(rowRange(0, context.rowCount)), access);
      assert.equal(shapes.reduce((sum, { count }) => sum + count, 0), context.rowCount);
      assert.deepEqual(shapes.at(-1)!.shape, s.spare > 0 ? null : s.cell);
      const [a, b] = s.range.map((n) => n % assigned) as [number, number];
      const selections = [
        rowRange(0, assigned),
        rowRange(Math.min(a, b), Math.abs(a - b) + 1),
        rowList(s.order.map((row) => row % assigned)),
        rowRange(0, Math.ceil(assigned / 3), 3),
      ];
      s.dtypes.forEach((dtype, i) => {
        for (const rows of selections) {
          const found = readCells(manager, i, dtype, rows, s.cell, access);
          const expected = Array.from({ length: rows.length }, (_, k) => [...cells[i]![rows.at(k)]!]).flat();
          assert.deepEqual(found, Uint8Array.from(expected));
        }
      });
      if (s.spare > 0) {
        const bytes = new Uint8Array(1000);
        refused(
          () => manager.column(0).read(rowRange(assigned, 1), s.cell, null, { kind: "numeric", bytes }, 0),
          access,
          "OUT_OF_RANGE",
          /column C0: the cell of row \d+ is undefined/,
        );
      }
    }),
    { numRuns: 150 },
  );
});

function field(name: string, value: FieldValue): RecordField {
  return { name, comment: "", value };
}

Deno.test("TiledDataStMan: ids and coordinates come from the cube of a row", () => {
  const access = new MemoryAccess();
  const cube = (number: number, id: number, text: string): MadeCube => ({
    shape: [2, 3, 2],
    tileShape: [2, 2, 2],
    file: number,
    data: [{ dtype: "int16", bytes: someBytes("int16", 12, number) }],
    values: {
      recordType: 1,
      fields: [
        field("id", { kind: "scalar", dtype: "int32", value: id }),
        field("text", { kind: "scalar", dtype: "string", value: text }),
        field("z", { kind: "scalar", dtype: "complex64", value: [id, -id] }),
        field("x", { kind: "array", dtype: "float64", shape: [2], data: Float64Array.of(id, id + 0.5) }),
        field("u", { kind: "array", dtype: "uint32", shape: [3], data: Uint32Array.of(id, id + 1, id + 2) }),
        field("v", { kind: "array", dtype: "float32", shape: [2], data: Float32Array.of(-id, -id - 1) }),
      ],
    },
  });
  const columns = [
    bound("id", "int32", { kind: "scalar", ndim: 0 }),
    bound("D", "int16", { ndim: 1 }),
    bound("text", "string", { kind: "scalar", ndim: 0 }),
    bound("u", "uint32", { kind: "scalar", ndim: 0 }),
    bound("x", "float64", { ndim: 1 }),
    bound("v", "float32", { kind: "scalar", ndim: 0 }),
    bound("z", "complex64", { kind: "scalar", ndim: 0 }),
  ];
  const privateKeywords = hypercolumn("HC", 3, ["D"], ["x", "u", "v"], ["id", "text", "z"]);
  const context = contextOf("TiledDataStMan", columns, 12, { privateKeywords });
  const parts = putCubes(access, [cube(1, 10, "é"), cube(2, 20, "")], false);
  putHeader(access, context, 3, parts, {
    root: 2,
    after(w) {
      w.u64(9);
      w.blockU64([0, 3, 6]);
      w.blockU32([0, 1, 0]);
      w.blockU32([0, 0, 1]);
    },
  });
  const manager = open(tiledDataStMan, context, access);
  const all = rowRange(0, 9);
  const numbers = (index: number, dtype: NumericType, shape: number[] = []) =>
    readCells(manager, index, dtype, all, shape, access).buffer;
  assert.deepEqual([...new Int32Array(numbers(0, "int32"))], [10, 10, 10, 20, 20, 20, 10, 10, 10]);
  assert.deepEqual([...new Uint32Array(numbers(3, "uint32"))], [10, 11, 12, 20, 21, 22, 10, 11, 12]);
  assert.deepEqual([...new Float32Array(numbers(5, "float32"))], [
    -10,
    -10,
    -10,
    -20,
    -20,
    -20,
    -11,
    -11,
    -11,
  ]);
  assert.deepEqual([...new Float32Array(numbers(6, "complex64"))].slice(4, 8), [10, -10, 20, -20]);
  assert.deepEqual([...new Float64Array(numbers(4, "float64", [2]))].slice(4, 8), [10, 10.5, 20, 20.5]);
  const box = { start: [1], shape: [1], step: [1] };
  const second = readCells(manager, 4, "float64", rowList([3, 0]), [2], access, box);
  assert.deepEqual([...new Float64Array(second.buffer)], [20.5, 10.5]);
  const values: unknown[] = [];
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  runSync(manager.column(2).read(all, [], null, { kind: "strings", values, decode }, 0), access);
  assert.deepEqual(values, ["é", "é", "é", "", "", "", "é", "é", "é"]);
  for (const index of [0, 3, 5]) {
    const bytes = new Uint8Array(4);
    refused(
      () => manager.column(index).read(rowRange(9, 1), [], null, { kind: "numeric", bytes }, 0),
      access,
      "OUT_OF_RANGE",
      /has no value in row 9/,
    );
  }
  assert.deepEqual(runSync(manager.column(4).shapes(rowRange(8, 2)), access), [
    { count: 1, shape: [2] },
    { count: 1, shape: null },
  ]);
  assert.equal(manager.info.hypercubes, 2);
});

for (
  const [type, kind] of [["TiledColumnStMan", tiledColumnStMan], [
    "TiledShapeStMan",
    tiledShapeStMan,
  ]] as const
) {
  Deno.test(`coordinates of ${type} grow with the rows and are kept`, () => {
    const access = new MemoryAccess();
    const columns = [
      bound("D", "float32", { shape: [3] }),
      bound("x", "float32", { ndim: 1 }),
      bound("t", "float64", { kind: "scalar", ndim: 0 }),
    ];
    const privateKeywords = hypercolumn("HC", 2, ["D"], ["x", "t"]);
    const context = contextOf(type, columns, 0, { privateKeywords });
    let manager = create(kind, context, access);
    for (let row = 0; row < 5; row++) {
      addRows(manager, access, 1);
      writeCells(manager, 2, rowRange(row, 1), [], bytesOf(Float64Array.of(row / 4)), access);
    }
    addRows(manager, access, 2);
    writeCells(manager, 1, rowRange(2, 1), [3], bytesOf(Float32Array.of(7, 8, 9)), access);
    flush(manager, access);
    manager = open(kind, { ...context, rowCount: 7 }, access);
    const times = () => [
      ...new Float64Array(
        readCells(manager, 2, "float64", rowRange(0, manager.rowCount), [], access).buffer,
      ),
    ];
    assert.deepEqual(times(), [0, 0.25, 0.5, 0.75, 1, 0, 0]);
    const x = (
      row: number,
    ) => [...new Float32Array(readCells(manager, 1, "float32", rowRange(row, 1), [3], access).buffer)];
    assert.deepEqual(x(6), [7, 8, 9]);
    addRows(manager, access, 1);
    writeCells(manager, 2, rowList([7, 0]), [], bytesOf(Float64Array.of(5, 6)), access);
    const box = { start: [1], shape: [1], step: [1] };
    writeCells(manager, 1, rowRange(0, 1), [3], bytesOf(Float32Array.of(-8)), access, box);
    assert.equal(manager.dirty, true);
    flush(manager, access);
    manager = open(kind, { ...context, rowCount: 8 }, access);
    assert.deepEqual(times(), [6, 0.25, 0.5, 0.75, 1, 0, 0, 5]);
    assert.deepEqual(x(3), [7, -8, 9]);
    const four = { kind: "numeric", bytes: new Uint8Array(16) } as const;
    refused(
      () => manager.column(1).write!(rowRange(0, 1), [4], null, four, 0),
      access,
      "SHAPE_MISMATCH",
      /the axis in row 0 is 3 long/,
    );
  });
}

Deno.test("coordinates given before a row has a shape go into its new cube", () => {
  const access = new MemoryAccess();
  const columns = [
    bound("D", "float32", { ndim: 1 }),
    bound("x", "int32", { ndim: 1 }),
    bound("t", "int32", { kind: "scalar", ndim: 0 }),
  ];
  const context = contextOf("TiledShapeStMan", columns, 3, {
    privateKeywords: hypercolumn("HC", 2, ["D"], ["x", "t"]),
  });
  const manager = create(tiledShapeStMan, context, access);
  writeCells(manager, 1, rowRange(0, 1), [3], bytesOf(Int32Array.of(7, 8, 9)), access);
  const one = { kind: "numeric", bytes: new Uint8Array(4) } as const;
  refused(
    () => manager.column(2).write!(rowRange(0, 1), [], null, one, 0),
    access,
    "OUT_OF_RANGE",
    /row 0: the row is in no hypercube/,
  );
  const four = { kind: "numeric", bytes: new Uint8Array(16) } as const;
  refused(
    () => manager.column(0).write!(rowRange(0, 1), [4], null, four, 0),
    access,
    "SHAPE_MISMATCH",
    /3 coordinates were given for axis 0/,
  );
  writeCells(manager, 0, rowRange(1, 1), [3], someBytes("float32", 3, 1), access);
  assert.deepEqual([...new Int32Array(readCells(manager, 1, "int32", rowRange(1, 1), [3], access).buffer)], [
    7,
    8,
    9,
  ]);
  const shapes = runSync(manager.column(1).shapes(rowRange(0, 3)), access);
  assert.deepEqual(shapes.map(({ shape }) => shape), [null, [3], null]);
});

Deno.test("what a writer that died left behind the tiles of a data file doesn't show in new rows", () => {
  const kinds = [["TiledCellStMan", tiledCellStMan], ["TiledColumnStMan", tiledColumnStMan], [
    "TiledShapeStMan",
    tiledShapeStMan,
  ]] as const;
  for (const [type, kind] of kinds) {
    const access = new MemoryAccess();
    const context = contextOf(type, [bound("D", "float32", { shape: [3] })], 4);
    const made = create(kind, context, access, { tileShape: [3, 2] });
    const bytes = someBytes("float32", 12, 5);
    writeCells(made, 0, rowRange(0, 4), [3], bytes, access);
    flush(made, access);
    const name = made.files().at(-1)!, file = access.bytes(name);
    const longer = new Uint8Array(file.length + 100).fill(0xee);
    longer.set(file);
    access.files.set(name, longer);
    const manager = open(kind, context, access);
    addRows(manager, access, 3);
    writeCells(manager, 0, rowRange(5, 1), [3], bytes.subarray(0, 12), access);
    flush(manager, access);
    const found = readCells(open(kind, { ...context, rowCount: 7 }, access), 0, "float32", rowRange(0, 7), [
      3,
    ], access);
    const expected = new Uint8Array(84);
    expected.set(bytes);
    expected.set(bytes.subarray(0, 12), 60);
    assert.deepEqual(found, expected, type);
  }
});
