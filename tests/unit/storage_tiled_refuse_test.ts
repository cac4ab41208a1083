/** What TiledShapeStMan and TiledColumnStMan refuse, and that a refused call leaves everything as it was. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { BoundColumn, ManagerContext } from "../../src/storage/manager.ts";
import { tiledCellStMan } from "../../src/storage/tiled/cell.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { tiledDataStMan } from "../../src/storage/tiled/data.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
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

const bytesFor = (length: number) => ({ kind: "numeric", bytes: new Uint8Array(length) }) as const;

Deno.test("each kind serves its own class name", () => {
  const kinds = [tiledShapeStMan, tiledColumnStMan, tiledCellStMan, tiledDataStMan];
  const names = ["TiledShapeStMan", "TiledColumnStMan", "TiledCellStMan", "TiledDataStMan"];
  kinds.forEach((kind, i) =>
    assert.deepEqual(names.map((name) => kind.serves(name)), names.map((_, k) => k === i))
  );
});

Deno.test("a defined cell keeps its shape in TiledShapeStMan, and nothing is written when one of the cells is another", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [
    bound("D", "float32", { ndim: 2 }),
    bound("F", "bool", { ndim: 2 }),
  ], 4);
  const manager = create(tiledShapeStMan, context, access, { tileShape: [2, 2, 2] });
  writeCells(manager, 0, rowRange(1, 1), [2, 3], someBytes("float32", 6, 1), access);
  flush(manager, access);
  const before = access.bytes("table.f0_TSM1").slice(), steps = access.log.length;
  const column = manager.column(1);
  refused(
    () => column.write!(rowRange(0, 3), [2, 4], null, bytesFor(24), 0),
    access,
    "SHAPE_MISMATCH",
    /column F: the cell of row 1 has shape \[2,3\], which TiledShapeStMan can't change to \[2,4\]/,
  );
  refused(
    () => column.setShape!(rowRange(1, 1), null),
    access,
    "INVALID_ARGUMENT",
    /row 1 has shape \[2,3\].*undefined/,
  );
  refused(
    () => column.write!(rowRange(0, 1), [2], null, bytesFor(2), 0),
    access,
    "SHAPE_MISMATCH",
    /cells have 2 axes, shape \[2\] given/,
  );
  refused(
    () => column.write!(rowRange(0, 1), [2, 0], null, bytesFor(0), 0),
    access,
    "INVALID_ARGUMENT",
    /an axis has length 0/,
  );
  refused(() => column.setShape!(rowRange(0, 1), [0, 3]), access, "INVALID_ARGUMENT", /an axis has length 0/);
  assert.equal(manager.dirty, false);
  assert.equal(access.log.length, steps);
  assert.deepEqual(access.bytes("table.f0_TSM1"), before);
  // What is undefined can be made undefined.
  runSync(column.setShape!(rowList([0, 2]), null), access);
  assert.equal(manager.dirty, false);
});

Deno.test("a cell whose shape is set reads as zeros, before and after a flush", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [bound("D", "float32", { ndim: 1 })], 2);
  const manager = create(tiledShapeStMan, context, access, { tileShape: [2, 2] });
  runSync(manager.column(0).setShape!(rowRange(0, 2), [5]), access);
  assert.deepEqual([...readCells(manager, 0, "float32", rowRange(0, 2), [5], access)], new Array(40).fill(0));
  flush(manager, access);
  const again = open(tiledShapeStMan, context, access);
  assert.deepEqual([...readCells(again, 0, "float32", rowRange(0, 2), [5], access)], new Array(40).fill(0));
});

Deno.test("TiledColumnStMan has one shape", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledColumnStMan", [bound("D", "float32", { shape: [2, 3] })], 4);
  const manager = create(tiledColumnStMan, context, access);
  const column = manager.column(0);
  refused(
    () => column.write!(rowRange(0, 1), [2, 4], null, bytesFor(32), 0),
    access,
    "SHAPE_MISMATCH",
    /all cells .* have shape \[2,3\], \[2,4\] given/,
  );
  refused(
    () => column.setShape!(rowRange(0, 1), null),
    access,
    "INVALID_ARGUMENT",
    /can't make it undefined/,
  );
  runSync(column.setShape!(rowRange(0, 1), [2, 3]), access);
});

Deno.test("more than 999 shapes of cells are refused: casacore can't name their files", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [bound("D", "uint8", { ndim: 1 })], 1001);
  const manager = create(tiledShapeStMan, context, access, { tileShape: [1, 1] });
  for (let k = 1; k <= 999; k++) writeCells(manager, 0, rowRange(k, 1), [k], new Uint8Array(k), access);
  refused(
    () => manager.column(0).setShape!(rowRange(1000, 1), [1000]),
    access,
    "LIMIT",
    /would need 1000 data files, at most 999/,
  );
  runSync(manager.column(0).setShape!(rowRange(1000, 1), [500]), access);
  flush(manager, access);
  const again = open(tiledShapeStMan, context, access);
  assert.equal(again.info.hypercubes, 999);
  assert.equal(again.files().at(-1), "table.f0_TSM999");
});

Deno.test("rows and tiles beyond casacore's 32 bits are refused before anything is changed", () => {
  const access = new MemoryAccess();
  const fixed = contextOf("TiledShapeStMan", [bound("D", "uint8", { shape: [1] })], 0);
  const shape = create(tiledShapeStMan, fixed, access, { tileShape: [1, 1000] });
  refused(() => shape.addRows!(2 ** 32 + 1), access, "LIMIT", /row 4294967296 can't have a cell/);
  assert.equal(shape.rowCount, 0);
  const column = create(tiledColumnStMan, { ...fixed, type: "TiledColumnStMan" }, access, {
    tileShape: [1, 1],
  });
  refused(() => column.addRows!(2 ** 32), access, "LIMIT", /4294967296 tiles/);
  assert.equal(column.rowCount, 0);
  refused(
    () =>
      tiledColumnStMan.create!({ ...fixed, type: "TiledColumnStMan" }, {
        type: "TiledColumnStMan",
        name: "HC",
        options: { tileShape: [1, 2 ** 31 - 1], x: 1 },
      }),
    access,
    "INVALID_ARGUMENT",
    /there is no option x/,
  );
  const large = [bound("D", "float64", { shape: [2 ** 16] })];
  refused(
    () =>
      tiledColumnStMan.create!(contextOf("TiledColumnStMan", large, 0), {
        type: "TiledColumnStMan",
        name: "HC",
        options: { tileShape: [2 ** 16, 2 ** 16] },
      }),
    access,
    "LIMIT",
    /a tile of \[65536,65536\] takes 34359738368 bytes/,
  );
});

Deno.test("descriptions that tiles can't serve are refused when the manager is made", () => {
  const access = new MemoryAccess();
  const array = (options: Partial<BoundColumn>) => bound("D", "float32", options);
  const cases: [string, readonly BoundColumn[], Partial<ManagerContext>, Record<string, unknown>, RegExp][] =
    [
      ["Shape", [array({})], {}, {}, /number of axes of columns D must be known/],
      ["Shape", [bound("D", "float32", { kind: "scalar" })], {}, {}, /columns D expected to be arrays/],
      ["Shape", [bound("D", "string", { ndim: 1 })], {}, {}, /column D holds string values/],
      [
        "Shape",
        [array({ ndim: 1 }), bound("E", "bool", { ndim: 2 })],
        {},
        {},
        /cells of column E have 2 axes, those of other data columns 1/,
      ],
      [
        "Shape",
        [array({ shape: [2] }), bound("E", "bool", { shape: [3] })],
        {},
        {},
        /they can't share tiles/,
      ],
      ["Shape", [array({ shape: [2, 0] })], {}, {}, /lengths from 1 expected/],
      ["Column", [array({ ndim: 1 })], {}, {}, /column D has no fixed shape/],
      ["Shape", [array({ ndim: 1 })], {}, { tileShape: [1.5] }, /tileShape is \[1\.5\]/],
      ["Shape", [array({ ndim: 1 })], {}, { tileShape: [-1] }, /tileShape is \[-1\]/],
      ["Shape", [array({ ndim: 1 })], {}, { tileShape: 4 }, /tileShape is 4/],
      ["Shape", [array({ ndim: 1 })], {}, { maxCacheSize: -1 }, /maxCacheSize is -1/],
      [
        "Shape",
        [array({ ndim: 1 })],
        { privateKeywords: hypercolumn("HC", 3, ["D"]) },
        {},
        /defined with 3 axes, cells have 1/,
      ],
      [
        "Shape",
        [array({ ndim: 1 })],
        { privateKeywords: hypercolumn("HC", 2, ["E"]) },
        {},
        /column E is not bound/,
      ],
      [
        "Shape",
        [array({ ndim: 1 }), bound("E", "bool", { ndim: 1 })],
        { privateKeywords: hypercolumn("HC", 2, ["D"]) },
        {},
        /column E is named 0 times/,
      ],
      [
        "Shape",
        [array({ ndim: 1 }), bound("E", "int32", { kind: "scalar" })],
        { privateKeywords: hypercolumn("HC", 2, ["D"], [], ["E"]) },
        {},
        /id columns are kept by TiledDataStMan only/,
      ],
      [
        "Shape",
        [array({ ndim: 1 })],
        { privateKeywords: hypercolumn("HC", 2, ["D"], ["x"]) },
        {},
        /1 coordinates are named for 2 axes/,
      ],
      [
        "Shape",
        [bound("D", "int32", { kind: "scalar" })],
        { privateKeywords: hypercolumn("HC", 1, ["D"]) },
        {},
        /it keeps no scalars/,
      ],
    ];
  for (const [name, columns, change, options, text] of cases) {
    const type = `Tiled${name}StMan`;
    const kind = name === "Shape" ? tiledShapeStMan : tiledColumnStMan;
    const context = { ...contextOf(type, columns, 0), ...change };
    refused(() => kind.create!(context, { type, name: "HC", options }), access, "INVALID_ARGUMENT", text);
  }
  assert.deepEqual(access.log, []);
});

Deno.test("rows added one by one continue the last entry of the row map", () => {
  const access = new MemoryAccess();
  const context = contextOf("TiledShapeStMan", [bound("D", "uint8", { shape: [2] })], 3);
  const manager = create(tiledShapeStMan, context, access, { tileShape: [2, 4] });
  for (let i = 0; i < 100; i++) addRows(manager, access, 1);
  flush(manager, access);
  // One entry: count, and three blocks of one.
  const header = access.bytes("table.f0");
  const view = new DataView(header.buffer);
  assert.equal(view.getUint32(header.length - 3 * 25 - 4), 1);
  assert.deepEqual([1, 2, 3].map((k) => view.getUint32(header.length - 25 * (4 - k) + 21)), [102, 1, 102]);
});
