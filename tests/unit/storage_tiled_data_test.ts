/** TiledDataStMan is written: rows go to the hypercube of their ids, which grows, and stay there. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOf, numericInfo, type NumericType } from "../../src/array/dtype.ts";
import { elementsOf, rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { ManagerContext, StorageManager } from "../../src/storage/manager.ts";
import { tiledDataStMan } from "../../src/storage/tiled/data.ts";
import type { WritableTiled } from "../../src/storage/tiled/writable.ts";
import {
  addRows,
  bound,
  contextOf,
  flush,
  hypercolumn,
  MemoryAccess,
  open,
  readCells,
  refused,
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

const TYPE = "TiledDataStMan";

function make(
  context: ManagerContext,
  access: MemoryAccess,
  options: Record<string, unknown> = {},
): StorageManager {
  return runSync(tiledDataStMan.create!(context, { type: TYPE, name: "HC", options }), access);
}

function putIds(manager: StorageManager, access: MemoryAccess, index: number, first: number, ids: number[]) {
  writeCells(manager, index, rowRange(first, ids.length), [], bytesOf(Int32Array.from(ids)), access);
}

function idsOf(manager: StorageManager, access: MemoryAccess, index: number, count: number): number[] {
  return [...new Int32Array(readCells(manager, index, "int32", rowRange(0, count), [], access).buffer)];
}

interface Model {
  /** Of each row that has its place. */
  ids: { number: number; text: string }[];
  /** Cells by data column. */
  cells: Uint8Array[][];
  times: number[];
  rows: number;
}

type Action =
  | { kind: "append"; id: number; groups: number; seed: number }
  | { kind: "write"; column: number; rows: number[]; seed: number }
  | { kind: "time"; row: number; value: number }
  | { kind: "add"; count: number }
  | { kind: "flush" }
  | { kind: "reopen" }
  | { kind: "discard" };

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("append" as const),
        id: fc.nat({ max: 3 }),
        groups: fc.integer({ min: 1, max: 5 }),
        seed: fc.nat(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("write" as const),
        column: fc.nat(),
        rows: fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        seed: fc.nat(),
      }),
    },
    fc.record({ kind: fc.constant("time" as const), row: fc.nat(), value: fc.nat({ max: 100 }) }),
    fc.record({ kind: fc.constant("add" as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.constant({ kind: "flush" as const }),
    fc.constant({ kind: "reopen" as const }),
    fc.constant({ kind: "discard" as const }),
  ),
  { minLength: 1, maxLength: 20 },
);

Deno.test("TiledDataStMan keeps what any sequence of appends and writes put into the hypercubes of several ids", () => {
  const scenario = fc.record({
    dtypes: fc.array(fc.constantFrom<NumericType[]>("float32", "bool", "int16", "complex128"), {
      minLength: 1,
      maxLength: 3,
    }),
    cell: fc.constantFrom<number[][]>([], [3], [2, 5]),
    rowShape: fc.constantFrom<number[][]>([], [], [3], [2, 2]),
    tile: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 5, maxLength: 5 }),
    bigEndian: fc.boolean(),
    renews: fc.boolean(),
    actions,
  });
  fc.assert(
    fc.property(scenario, ({ dtypes, cell, rowShape, tile, bigEndian, renews, actions }) => {
      const ndim = cell.length + rowShape.length + 1, group = elementsOf(rowShape);
      const data = dtypes.map((dtype, i) =>
        cell.length === 0
          ? bound(`C${i}`, dtype, { kind: "scalar", ndim: 0 })
          : bound(`C${i}`, dtype, { ndim: cell.length })
      );
      const columns = [
        bound("number", "int32", { kind: "scalar", ndim: 0 }),
        ...data,
        bound("text", "string", { kind: "scalar", ndim: 0 }),
        bound("t", "float64", { kind: "scalar", ndim: 0 }),
      ];
      const coordinates = [...Array(ndim - 1).fill(""), "t"];
      const names = data.map((column) => column.name);
      const privateKeywords = hypercolumn("HC", ndim, names, coordinates, ["number", "text"]);
      const text = columns.length - 2, t = columns.length - 1;
      const access = new MemoryAccess();
      const context = contextOf(TYPE, columns, 0, { bigEndian, privateKeywords, alone: () => renews });
      let manager = make(context, access, { tileShape: tile.slice(0, ndim), rowShape });
      let model: Model = { ids: [], cells: dtypes.map(() => []), times: [], rows: 0 };
      let saved = structuredClone(model);
      const reopen = () => {
        manager = open(tiledDataStMan, { ...context, rowCount: model.rows }, access);
        // Cubes go to new files when most of them is written, however small they are.
        (manager as WritableTiled).renewals.limits = { cubeBytes: 1, putBytes: 1 };
      };
      const commit = () => {
        flush(manager, access);
        access.commit();
        saved = structuredClone(model);
      };
      // A shape of cells belongs to an id.
      const sizes = (id: number) => cell.map((length, a) => a === 0 ? length + id : length);
      const check = () => {
        const { ids, cells, times } = model, count = ids.length;
        if (count === 0) return;
        assert.deepEqual(idsOf(manager, access, 0, count), ids.map(({ number }) => number));
        const texts: unknown[] = [];
        const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        runSync(
          manager.column(text).read(
            rowRange(0, count),
            [],
            null,
            { kind: "strings", values: texts, decode },
            0,
          ),
          access,
        );
        assert.deepEqual(texts, ids.map((id) => id.text));
        assert.deepEqual([
          ...new Float64Array(readCells(manager, t, "float64", rowRange(0, count), [], access).buffer),
        ], times);
        for (let id = 0; id < 4; id++) {
          const rows = ids.flatMap(({ number }, row) => number === id ? [row] : []).reverse();
          if (rows.length === 0) continue;
          dtypes.forEach((dtype, i) => {
            const found = readCells(manager, 1 + i, dtype, rowList(rows), sizes(id), access);
            assert.deepEqual(found, Uint8Array.from(rows.flatMap((row) => [...cells[i]![row]!])));
          });
        }
      };
      commit();
      // Row axes but the last are known from a cube that is there: that of id 0 always is.
      for (
        const action of [
          { kind: "append", id: 0, groups: 1, seed: 0 } as const,
          { kind: "flush" } as const,
          ...actions,
        ]
      ) {
        switch (action.kind) {
          case "append": {
            const count = action.groups * group, first = model.ids.length;
            const missing = first + count - model.rows;
            if (missing > 0) {
              addRows(manager, access, missing);
              model.rows += missing;
            }
            const { id } = action, label = `id ${id} é`;
            putIds(manager, access, 0, first, Array(count).fill(id));
            const values = Array(count).fill(new TextEncoder().encode(label));
            runSync(
              manager.column(text).write!(rowRange(first, count), [], null, { kind: "strings", values }, 0),
              access,
            );
            dtypes.forEach((dtype, i) => {
              const size = elementsOf(sizes(id)) * numericInfo(dtype).size;
              const bytes = someBytes(dtype, elementsOf(sizes(id)) * count, action.seed + i);
              writeCells(manager, 1 + i, rowRange(first, count), sizes(id), bytes, access);
              for (let k = 0; k < count; k++) model.cells[i]!.push(bytes.slice(k * size, (k + 1) * size));
            });
            for (let k = 0; k < count; k++) {
              model.ids.push({ number: id, text: label });
              model.times.push(0);
            }
            break;
          }
          case "write": {
            const i = action.column % dtypes.length, dtype = dtypes[i]!;
            const id = model.ids[action.rows[0]! % model.ids.length]!.number;
            const rows = action.rows.map((row) => row % model.ids.length).filter((row) =>
              model.ids[row]!.number === id
            );
            const size = elementsOf(sizes(id)) * numericInfo(dtype).size;
            const bytes = someBytes(dtype, elementsOf(sizes(id)) * rows.length, action.seed);
            writeCells(manager, 1 + i, rowList(rows), sizes(id), bytes, access);
            rows.forEach((row, k) => model.cells[i]![row] = bytes.slice(k * size, (k + 1) * size));
            break;
          }
          case "time": {
            const row = action.row % model.ids.length;
            writeCells(manager, t, rowRange(row, 1), [], bytesOf(Float64Array.of(action.value)), access);
            // Rows at the same position of the last axis share it.
            const id = model.ids[row]!.number;
            const own = model.ids.flatMap(({ number }, r) => number === id ? [r] : []);
            const position = Math.floor(own.indexOf(row) / group);
            own.forEach((r, k) => Math.floor(k / group) === position && (model.times[r] = action.value));
            break;
          }
          case "add":
            addRows(manager, access, action.count);
            model.rows += action.count;
            break;
          case "flush":
            commit();
            break;
          case "reopen":
            commit();
            reopen();
            break;
          case "discard":
            access.discard();
            model = structuredClone(saved);
            reopen();
            break;
        }
      }
      check();
      commit();
      reopen();
      check();
      assert.deepEqual(runSync(manager.check!(), access), []);
    }),
    { numRuns: 150 },
  );
});

Deno.test("rows get their places in order, with ids that are known, in cubes that fit", () => {
  const access = new MemoryAccess();
  const columns = [
    bound("id", "int32", { kind: "scalar", ndim: 0 }),
    bound("D", "float32", { ndim: 1 }),
    bound("t", "float64", { kind: "scalar", ndim: 0 }),
  ];
  const privateKeywords = hypercolumn("HC", 2, ["D"], ["", "t"], ["id"]);
  const context = contextOf(TYPE, columns, 6, { privateKeywords });
  const manager = make(context, access);
  const cells = (count: number, length = 3) =>
    ({ kind: "numeric", bytes: someBytes("float32", count * length, 1) }) as const;
  const put = (row: number, count: number, length = 3) => () =>
    manager.column(1).write!(rowRange(row, count), [length], null, cells(count, length), 0);
  refused(put(0, 1), access, "OUT_OF_RANGE", /id column id has no value in row 0: .* put them first/);
  putIds(manager, access, 0, 0, [7, 7, 8, 7, 7, 7]);
  assert.deepEqual(idsOf(manager, access, 0, 6), [7, 7, 8, 7, 7, 7]);
  refused(put(1, 2), access, "OUT_OF_RANGE", /in order, the cell of row 0 comes first/);
  runSync(put(0, 2)(), access);
  refused(put(3, 1), access, "OUT_OF_RANGE", /the cell of row 2 comes first/);
  runSync(put(2, 1, 4)(), access);
  refused(
    put(3, 1, 4),
    access,
    "SHAPE_MISMATCH",
    /the hypercube that row 3 goes to has cells of shape \[3\], \[4\] given/,
  );
  refused(put(0, 1, 4), access, "SHAPE_MISMATCH", /the cell of row 0 has shape \[3\]/);
  const eight = { kind: "numeric", bytes: bytesOf(Int32Array.of(8)) } as const;
  refused(
    () => manager.column(0).write!(rowRange(0, 1), [], null, eight, 0),
    access,
    "INVALID_ARGUMENT",
    /row 0 is in the hypercube of 7, .* that of 8/,
  );
  const time = { kind: "numeric", bytes: new Uint8Array(8) } as const;
  refused(() => manager.column(2).write!(rowRange(3, 1), [], null, time, 0), access, "OUT_OF_RANGE", /row 3/);
  runSync(put(3, 2)(), access);
  assert.equal(manager.info.hypercubes, 2);
  flush(manager, access);
  const again = open(tiledDataStMan, context, access);
  assert.deepEqual(idsOf(again, access, 0, 5), [7, 7, 8, 7, 7]);
  assert.deepEqual(runSync(again.column(0).shapes(rowRange(4, 2)), access), [{ count: 1, shape: [] }, {
    count: 1,
    shape: null,
  }]);
});

Deno.test("cubes of several row axes take whole positions of rows, all of one id", () => {
  const access = new MemoryAccess();
  const columns = [bound("id", "int32", { kind: "scalar", ndim: 0 }), bound("D", "int16", { ndim: 1 })];
  const privateKeywords = hypercolumn("HC", 3, ["D"], [], ["id"]);
  const context = contextOf(TYPE, columns, 5, { privateKeywords });
  const manager = make(context, access, { rowShape: [3] });
  const put = (row: number, count: number) => () =>
    manager.column(1).write!(rowRange(row, count), [2], null, {
      kind: "numeric",
      bytes: someBytes("int16", 2 * count, row),
    }, 0);
  putIds(manager, access, 0, 0, [1, 2]);
  refused(put(0, 1), access, "INVALID_ARGUMENT", /rows 0 to 2 are at one position .* ids 1 and 2/);
  putIds(manager, access, 0, 1, [1]);
  // The whole position gets its place, and the id.
  runSync(put(1, 1)(), access);
  assert.deepEqual(idsOf(manager, access, 0, 3), [1, 1, 1]);
  putIds(manager, access, 0, 3, [1]);
  refused(put(3, 1), access, "OUT_OF_RANGE", /take 3 rows at a time, from row 3 on the table has 2/);
  addRows(manager, access, 1);
  runSync(put(3, 3)(), access);
  assert.deepEqual(
    readCells(manager, 1, "int16", rowList([1, 5]), [2], access),
    Uint8Array.from([...someBytes("int16", 2, 1), ...someBytes("int16", 6, 3).slice(8)]),
  );
});

Deno.test("descriptions that TiledDataStMan can't serve are refused when it is made", () => {
  const id = bound("id", "int32", { kind: "scalar", ndim: 0 }), data = bound("D", "float32", { ndim: 1 });
  const check = (
    columns: ReturnType<typeof bound>[],
    keywords: ReturnType<typeof hypercolumn> | undefined,
    options: Record<string, unknown>,
    text: RegExp,
  ) => {
    const context = contextOf(TYPE, columns, 0, keywords === undefined ? {} : { privateKeywords: keywords });
    const access = new MemoryAccess();
    refused(
      () => tiledDataStMan.create!(context, { type: TYPE, name: "HC", options }),
      access,
      "INVALID_ARGUMENT",
      text,
    );
  };
  const keywords = hypercolumn("HC", 2, ["D"], [], ["id"]);
  check([data], undefined, {}, /a hypercolumn definition is needed/);
  check([id, data], keywords, { rowShape: [3] }, /rowShape \[3\] expected to have 0 axes/);
  check([id, data], keywords, { rowShape: 3 }, /rowShape is 3, expected a list/);
  check([id, data], keywords, { tile: [3] }, /there is no option tile/);
  check(
    [bound("id", "int16", { kind: "scalar", ndim: 0 }), data],
    keywords,
    {},
    /id column id expected to be a scalar/,
  );
  check([id, data], hypercolumn("HC", 1, ["D"], [], ["id"]), {}, /defined with 1 axes, cells have 1/);
  const t = bound("t", "int16", { kind: "scalar", ndim: 0 });
  check([id, data, t], hypercolumn("HC", 2, ["D"], ["", "t"], ["id"]), {}, /coordinate column t holds int16/);
  check(
    [id, data, t],
    hypercolumn("HC", 2, ["D"], ["t", ""], ["id"]),
    {},
    /coordinate column t of axis 0 has cells of 0 axes/,
  );
});
