/**
 * Overwriting most of a hypercube: the new tiles go to another data file, and what the last commit holds stays as it was
 * until the next.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { NumericType } from "../../src/array/dtype.ts";
import { rowRange } from "../../src/array/rows.ts";
import { TableError } from "../../src/error.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { ManagerKind, StorageManager } from "../../src/storage/manager.ts";
import { tiledColumnStMan } from "../../src/storage/tiled/column.ts";
import { tiledDataStMan } from "../../src/storage/tiled/data.ts";
import { tiledShapeStMan } from "../../src/storage/tiled/shape.ts";
import type { WritableTiled } from "../../src/storage/tiled/writable.ts";
import {
  type Action,
  actions,
  checkAll,
  checkFiles,
  dtypes,
  runActions,
  sweep,
  type Tested,
} from "./storage_tiled_actions.ts";
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
  someBytes,
  writeCells,
} from "./storage_tiled_support.ts";

const KINDS: readonly (readonly [string, ManagerKind])[] = [
  ["TiledColumnStMan", tiledColumnStMan],
  ["TiledShapeStMan", tiledShapeStMan],
];

/** Every cube goes to a new file, however small. */
function eager(manager: StorageManager): StorageManager {
  (manager as WritableTiled).renewals.limits = { cubeBytes: 1, putBytes: 1 };
  return manager;
}

const alone = () => true;

/** How often cubes went to new files, over all runs of a property. */
const moved = { finished: 0, wentBack: 0 };

/** Files in memory that hold what was committed against every write: nothing may be changed before the next commit but in place. */
class GuardedAccess extends MemoryAccess {
  override remove(file: string): void {
    if (this.held.has(file)) moved.finished++;
    else moved.wentBack++;
    super.remove(file);
  }
}

for (const [type, kind] of KINDS) {
  for (const fixed of type === "TiledShapeStMan" ? [true, false] : [true]) {
    Deno.test(`cells of ${fixed ? "one shape" : "several shapes"} in ${type} are what was written last, whichever file they are in`, () => {
      const scenario = fc.record({
        dtypes,
        ndim: fc.integer({ min: 1, max: 3 }),
        lengths: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 9, maxLength: 9 }),
        tile: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 4, maxLength: 4 }),
        whole: fc.boolean(),
        bigEndian: fc.boolean(),
        rows: fc.integer({ min: 4, max: 40 }),
        actions: fc.tuple(actions, fc.array(sweep, { minLength: 1, maxLength: 4 })).map(([some, sweeps]) =>
          // Between puts of whole columns there is all that may come between.
          sweeps.flatMap((one, i) => [one, ...some.slice(i * 3, i * 3 + 3)])
        ),
      });
      moved.finished = moved.wentBack = 0;
      fc.assert(
        fc.property(scenario, ({ dtypes, ndim, lengths, tile, whole, bigEndian, rows, actions }) => {
          const shapes = [0, 1, 2].slice(0, fixed ? 1 : 3).map((
            k,
          ) => [10 * k + lengths[3 * k]!, ...lengths.slice(3 * k + 1, 3 * k + ndim)]);
          const bounds = dtypes.map((dtype, i) =>
            bound(`C${i}`, dtype, fixed ? { shape: shapes[0]! } : { ndim })
          );
          const access = new GuardedAccess();
          // Tiles as large as a cell have runs of bytes over many rows.
          const tileShape = [...whole ? Array(ndim).fill(100) : tile.slice(0, ndim), tile[3]!];
          const context = contextOf(type, bounds, 0, { bigEndian, alone });
          const columns: Tested[] = dtypes.map((dtype) => ({ dtype, cells: [] }));
          let manager = eager(create(kind, context, access, { tileShape }));
          const reopen = (rowCount: number) => eager(open(kind, { ...context, rowCount }, access));
          const all: Action[] = [{ kind: "add", count: rows }, ...actions];
          if (!fixed) {
            all.splice(
              1,
              0,
              ...shapes.map((_, k): Action => ({
                kind: "shape",
                rows: Array.from({ length: Math.ceil((rows - k) / 3) }, (_, i) => k + 3 * i),
                shape: k,
              })),
            );
          }
          all.splice(fixed ? 1 : 4, 0, { kind: "flush" });
          manager = runActions(manager, columns, shapes, all, access, reopen);
          checkAll(manager, columns, access);
          flush(manager, access);
          checkAll(manager, columns, access);
          const rowCount = columns[0]!.cells.length;
          manager = reopen(rowCount);
          checkAll(manager, columns, access);
          assert.deepEqual(runSync(manager.check!(), access), []);
          checkFiles(access, columns, bigEndian, { ...context, rowCount });
        }),
        { numRuns: 200 },
      );
      assert.ok(moved.finished > 50 && moved.wentBack > 5, JSON.stringify(moved));
    });
  }
}

/** A table whose column of `rows` rows was committed: 2 KiB a cell, and a tile a cell and 4 rows. */
function committed(
  options: {
    tileRows?: number;
    type?: string;
    kind?: ManagerKind;
    rows?: number;
    dtypes?: NumericType[];
    alone?: () => boolean;
  } = {},
) {
  const { type = "TiledShapeStMan", kind = tiledShapeStMan, rows = 1000, dtypes = ["complex64"] } = options;
  const access = new MemoryAccess();
  const bounds = dtypes.map((dtype, i) => bound(`C${i}`, dtype, { shape: [16, 16] }));
  const context = contextOf(type, bounds, rows, { alone: options.alone ?? alone });
  const manager = create(kind, context, access, { tileShape: [16, 16, options.tileRows ?? 4] });
  const bytes = dtypes.map((dtype, i) => someBytes(dtype, rows * 256, i));
  dtypes.forEach((_, i) => writeCells(manager, i, rowRange(0, rows), [16, 16], bytes[i]!, access));
  flush(manager, access);
  access.commit();
  const reopen = () => open(kind, context, access);
  const opened = reopen();
  access.log.length = 0;
  return { access, context, bytes, manager: opened, reopen };
}

/** Files that were changed by the steps of a log. */
function changed(log: readonly string[]): Set<string> {
  return new Set(
    log.flatMap((line) => /^(?:write|scatter|resize|create|replace|remove) (\S+)/.exec(line)?.[1] ?? []),
  );
}

const SHAPE = [16, 16];

Deno.test("a column that is put whole goes to a new file, in one step, and the old file is removed behind the header", () => {
  const { access, context, manager, reopen } = committed();
  const old = access.bytes("table.f0_TSM1").slice();
  const bytes = someBytes("complex64", 256_000, 9);
  writeCells(manager, 0, rowRange(0, 1000), SHAPE, bytes, access);
  assert.deepEqual(access.log, ["create table.f0_TSM2", `write table.f0_TSM2 0 ${bytes.length}`]);
  assert.deepEqual(readCells(manager, 0, "complex64", rowRange(0, 1000), SHAPE, access), bytes);
  // Until it is committed it is put into the new file.
  access.log.length = 0;
  const again = someBytes("complex64", 256_000, 10);
  writeCells(manager, 0, rowRange(0, 1000), SHAPE, again, access);
  assert.deepEqual(changed(access.log), new Set(["table.f0_TSM2"]));
  assert.deepEqual(access.bytes("table.f0_TSM1"), old);
  access.log.length = 0;
  flush(manager, access);
  assert.deepEqual(access.log, ["barrier", "replace table.f0", "remove table.f0_TSM1"]);
  access.commit();
  assert.deepEqual(manager.files(), ["table.f0", "table.f0_TSM2"]);
  assert.deepEqual(runSync(manager.check!(), access), []);
  assert.deepEqual(readCells(reopen(), 0, "complex64", rowRange(0, 1000), SHAPE, access), again);
  // The number that became free is used next; nothing grows without end.
  writeCells(manager, 0, rowRange(0, 1000), SHAPE, bytes, access);
  flush(manager, access);
  assert.deepEqual(manager.files(), ["table.f0", "table.f0_TSM1"]);
  addRows(manager, access, 3);
  flush(manager, access);
  const longer = open(tiledShapeStMan, { ...context, rowCount: 1003 }, access);
  assert.deepEqual(readCells(longer, 0, "complex64", rowRange(0, 1000), SHAPE, access), bytes);
  assert.deepEqual(
    readCells(longer, 0, "complex64", rowRange(1000, 3), SHAPE, access),
    new Uint8Array(3 * 2048),
  );
});

Deno.test("a column that is put in stretches goes to a new file without a byte being copied or read", () => {
  const { access, manager, reopen } = committed();
  const bytes = someBytes("complex64", 256_000, 9);
  // Tiles are of 4 rows: the stretches end within them.
  for (let row = 0; row < 1000; row += 209) {
    const count = Math.min(209, 1000 - row);
    const part = bytes.subarray(row * 2048, (row + count) * 2048);
    access.log.push("put");
    writeCells(manager, 0, rowRange(row, count), SHAPE, part, access);
    assert.deepEqual(
      access.log.splice(access.log.indexOf("put")).filter((line) => line.startsWith("read")),
      [],
    );
    // What is behind is still as it was.
    const all = readCells(manager, 0, "complex64", rowRange(0, 1000), SHAPE, access);
    assert.deepEqual(all.subarray(0, (row + count) * 2048), bytes.subarray(0, (row + count) * 2048));
    const third = readCells(manager, 0, "complex64", rowRange(1, 333, 3), SHAPE, access);
    for (let k = 0; k < 333; k++) {
      const at = (1 + 3 * k) * 2048;
      assert.deepEqual(third.subarray(k * 2048, (k + 1) * 2048), all.subarray(at, at + 2048));
    }
  }
  flush(manager, access);
  assert.equal(access.files.has("table.f0_TSM1"), false);
  assert.deepEqual(readCells(reopen(), 0, "complex64", rowRange(0, 1000), SHAPE, access), bytes);
});

Deno.test("half of a column that is put in stretches takes the rest along, less goes back to its file", () => {
  for (const share of [400, 600]) {
    const { access, manager, reopen, bytes } = committed();
    const put = someBytes("complex64", 256 * share, 9);
    for (let row = 0; row < share; row += 200) {
      writeCells(manager, 0, rowRange(row, 200), SHAPE, put.subarray(row * 2048, (row + 200) * 2048), access);
    }
    assert.deepEqual(changed(access.log), new Set(["table.f0_TSM2"]));
    flush(manager, access);
    assert.deepEqual(manager.files(), ["table.f0", share === 600 ? "table.f0_TSM2" : "table.f0_TSM1"]);
    assert.equal(access.files.size, 2);
    const expected = bytes[0]!.slice();
    expected.set(put);
    access.commit();
    assert.deepEqual(readCells(reopen(), 0, "complex64", rowRange(0, 1000), SHAPE, access), expected);
    // A cube that went back isn't begun again for a stretch.
    access.log.length = 0;
    writeCells(manager, 0, rowRange(0, 200), SHAPE, put.subarray(0, 200 * 2048), access);
    assert.deepEqual(changed(access.log), new Set(["table.f0_TSM1"]));
    writeCells(manager, 0, rowRange(0, 1000), SHAPE, expected, access);
    assert.equal(changed(access.log).has(share === 600 ? "table.f0_TSM1" : "table.f0_TSM2"), true);
  }
});

Deno.test("other columns of the same tiles, and rows that are left out, are copied along", () => {
  const { access, manager, reopen, bytes } = committed({ dtypes: ["complex64", "bool", "float32"] });
  const rows = rowRange(0, 500, 2);
  const put = someBytes("complex64", 256 * 500, 9);
  writeCells(manager, 0, rows, SHAPE, put, access);
  assert.deepEqual(changed(access.log), new Set(["table.f0_TSM2"]));
  flush(manager, access);
  const expected = bytes[0]!.slice();
  for (let k = 0; k < 500; k++) expected.set(put.subarray(k * 2048, (k + 1) * 2048), 2 * k * 2048);
  const again = reopen();
  assert.deepEqual(readCells(again, 0, "complex64", rowRange(0, 1000), SHAPE, access), expected);
  assert.deepEqual(readCells(again, 1, "bool", rowRange(0, 1000), SHAPE, access), bytes[1]);
  assert.deepEqual(readCells(again, 2, "float32", rowRange(0, 1000), SHAPE, access), bytes[2]);
  // A column that is a small part of its tiles is overwritten in place.
  access.commit();
  access.log.length = 0;
  writeCells(again, 1, rowRange(0, 1000), SHAPE, someBytes("bool", 256_000, 4), access);
  assert.deepEqual(changed(access.log), new Set(["table.f0_TSM2"]));
});

Deno.test("of large tiles only the sections of other columns are copied, before and behind the one that is written", () => {
  // The last column's section is the first one.
  for (const column of [0, 1]) {
    const { access, manager, reopen, bytes } = committed({ dtypes: ["float32", "float32"], tileRows: 64 });
    const put = someBytes("float32", 256_000, 9);
    writeCells(manager, column, rowRange(0, 1000), SHAPE, put, access);
    const copied = access.log.filter((line) => line.startsWith("read table.f0_TSM1"));
    assert.deepEqual(new Set(copied.map((line) => line.split(" ").at(-1))), new Set(["65536"]));
    assert.equal(copied.length, 16);
    flush(manager, access);
    const again = reopen();
    assert.deepEqual(readCells(again, column, "float32", rowRange(0, 1000), SHAPE, access), put);
    assert.deepEqual(
      readCells(again, 1 - column, "float32", rowRange(0, 1000), SHAPE, access),
      bytes[1 - column],
    );
  }
});

Deno.test("a put far behind the edge goes to the old file, and is carried along later", () => {
  const { access, manager, reopen, bytes } = committed();
  const put = someBytes("complex64", 256_000, 9);
  const some = (row: number, count: number) => put.subarray(row * 2048, (row + count) * 2048);
  writeCells(manager, 0, rowRange(0, 200), SHAPE, some(0, 200), access);
  access.log.length = 0;
  writeCells(manager, 0, rowRange(900, 50), SHAPE, some(900, 50), access);
  assert.deepEqual(changed(access.log), new Set(["table.f0_TSM1"]));
  const expected = bytes[0]!.slice();
  for (const [row, count] of [[0, 200], [900, 50], [200, 500]] as const) {
    expected.set(some(row, count), row * 2048);
  }
  writeCells(manager, 0, rowRange(200, 500), SHAPE, some(200, 500), access);
  assert.deepEqual(readCells(manager, 0, "complex64", rowRange(0, 1000), SHAPE, access), expected);
  flush(manager, access);
  assert.deepEqual(manager.files(), ["table.f0", "table.f0_TSM2"]);
  assert.deepEqual(readCells(reopen(), 0, "complex64", rowRange(0, 1000), SHAPE, access), expected);
});

Deno.test("columns stay in their files where somebody else may have the table open, or where little is overwritten", () => {
  const put = someBytes("complex64", 256_000, 9);
  const all = rowRange(0, 1000), some = rowRange(900, 100), few = rowRange(0, 100);
  for (const [options, rows] of [[{ alone: () => false }, all], [{}, some], [{ rows: 100 }, few]] as const) {
    const { access, manager } = committed(options);
    writeCells(manager, 0, rows, SHAPE, put.subarray(0, rows.length * 2048), access);
    flush(manager, access);
    assert.deepEqual(changed(access.log), new Set(["table.f0_TSM1"]));
  }
  // Rows that were appended since the last commit can be overwritten at no cost.
  const { access, manager } = committed();
  addRows(manager, access, 3000);
  writeCells(manager, 0, rowRange(1000, 3000), SHAPE, someBytes("complex64", 768_000, 3), access);
  assert.deepEqual(changed(access.log), new Set(["table.f0_TSM1"]));
});

Deno.test("after a step that failed, the last commit and the rest of the table are as they were", () => {
  for (let failing = 0; failing < 12; failing++) {
    const { access, manager, reopen, bytes } = committed({ dtypes: ["complex64", "bool"] });
    const held = new Map([...access.files].map(([name, file]) => [name, file.slice()]));
    const put = someBytes("complex64", 256_000, 9);
    const plan = function* () {
      yield* manager.column(0).write!(rowRange(0, 600), SHAPE, null, { kind: "numeric", bytes: put }, 0);
      yield* manager.flush!();
    };
    let steps = 0, failed = false;
    const stepping = plan();
    try {
      runSync(
        (function* () {
          let next = stepping.next();
          while (!next.done) {
            // The steps are many: each of the first ones, and then every 13th.
            if (steps++ === failing * (failing > 5 ? 13 : 1)) {
              throw new TableError("IO", "no space left on the device");
            }
            next = stepping.next(yield next.value);
          }
          return next.value;
        })(),
        access,
      );
    } catch (error) {
      failed = error instanceof TableError;
    }
    assert.ok(failed, `step ${failing}`);
    for (const [name, file] of held) assert.deepEqual(access.files.get(name), file);
    // A table that goes on forgets what it did; what was left behind is not in its way.
    access.discard(failing % 2 === 0);
    const again = reopen();
    assert.deepEqual(readCells(again, 0, "complex64", rowRange(0, 1000), SHAPE, access), bytes[0]);
    writeCells(again, 0, rowRange(0, 1000), SHAPE, put, access);
    flush(again, access);
    assert.deepEqual(readCells(reopen(), 0, "complex64", rowRange(0, 1000), SHAPE, access), put);
    assert.deepEqual(readCells(reopen(), 1, "bool", rowRange(0, 1000), SHAPE, access), bytes[1]);
    // A manager that goes on with the same put instead ends where it should, too.
    access.discard();
  }
});

Deno.test("a put that failed can be repeated with the same manager", () => {
  const { access, manager, reopen } = committed({ dtypes: ["complex64", "bool"] });
  const put = someBytes("complex64", 256_000, 9);
  const plan = manager.column(0).write!(rowRange(0, 1000), SHAPE, null, { kind: "numeric", bytes: put }, 0);
  for (let k = 0, next = plan.next(); k < 40; k++) {
    next = plan.next(runSync(
      (function* () {
        return yield next.value as never;
      })(),
      access,
    ));
  }
  writeCells(manager, 0, rowRange(0, 1000), SHAPE, put, access);
  flush(manager, access);
  assert.deepEqual(runSync(manager.check!(), access), []);
  assert.deepEqual(readCells(reopen(), 0, "complex64", rowRange(0, 1000), SHAPE, access), put);
});

Deno.test("the cubes of TiledDataStMan go to new files, too, also with several row axes", () => {
  const access = new MemoryAccess();
  const columns = [bound("id", "int32", { kind: "scalar", ndim: 0 }), bound("D", "float64", { ndim: 1 })];
  const privateKeywords = hypercolumn("HC", 3, ["D"], [], ["id"]);
  const context = contextOf("TiledDataStMan", columns, 3000, { privateKeywords, alone });
  const options = { tileShape: [10, 2, 4], rowShape: [3] };
  let manager = runSync(
    tiledDataStMan.create!(context, { type: "TiledDataStMan", name: "HC", options }),
    access,
  );
  const ids = new Uint8Array(new Int32Array(3000).fill(7).buffer);
  const first = someBytes("float64", 300_000, 1), second = someBytes("float64", 300_000, 2);
  writeCells(manager, 0, rowRange(0, 3000), [], ids, access);
  writeCells(manager, 1, rowRange(0, 3000), [100], first, access);
  flush(manager, access);
  access.commit();
  manager = open(tiledDataStMan, context, access);
  access.log.length = 0;
  for (let row = 0; row < 3000; row += 1000) {
    writeCells(
      manager,
      1,
      rowRange(row, 1000),
      [100],
      second.subarray(row * 800, (row + 1000) * 800),
      access,
    );
  }
  assert.deepEqual(changed(access.log), new Set(["table.f0_TSM2"]));
  assert.deepEqual(readCells(manager, 1, "float64", rowRange(0, 3000), [100], access), second);
  flush(manager, access);
  assert.deepEqual(manager.files(), ["table.f0", "table.f0_TSM2"]);
  assert.deepEqual(
    readCells(open(tiledDataStMan, context, access), 1, "float64", rowRange(0, 3000), [100], access),
    second,
  );
});
