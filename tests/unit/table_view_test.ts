/** Views: values where they are in the file, the same as a copy, or a reason why there is no view. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  array,
  type ColumnView,
  Context,
  incremental,
  scalar,
  standard,
  Table,
  TableError,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import type { IoName } from "../../src/io/backend.ts";
import { allFixtures, fixturePath, temporaryFolder } from "../fixture.ts";
import { backendsHere, fails } from "./io_help.ts";

const ignore = library() === null;
const CELL = [4, 8];
const ITEMS = 4 * 8 * 2;

function numbers(rows: number, seed = 1): Float32Array {
  return Float32Array.from({ length: rows * ITEMS }, (_, i) => (i * 31 + seed * 17) % 8191);
}

/** A table of one complex column in tiles. */
function make(path: string, rows: number, tileShape = [4, 8, 64], io: IoName = "pread"): void {
  using table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: CELL }), scalar("TIME", "float64")],
    storage: [tiledShape("Data", ["DATA"], { tileShape }), standard("SSM")],
    rows,
    io,
  });
  table.putColumn("DATA", numbers(rows));
}

function viewOfData(table: Table, rows?: { start?: number; end?: number }): ColumnView<"complex64"> {
  return table.column("DATA").view({ dtype: "complex64", ...(rows === undefined ? {} : { rows }) });
}

for (const io of backendsHere()) {
  Deno.test({ name: `${io}: a view is what a copy is, in mapped memory`, ignore }, () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    if (io === "memory") {
      const context = new Context();
      using table = Table.create(path, {
        columns: [array("DATA", "float32", { shape: [2] })],
        storage: [tiledColumn("Data", ["DATA"])],
        rows: 3,
        io,
        context,
      });
      table.flush();
      assert.match(fails(() => table.column("DATA").view(), "UNSUPPORTED").message, /in memory/);
      return;
    }
    make(path, 1000);
    using table = Table.open(path, { io, lock: library() === null ? "none" : "auto" });
    table.resetIoStats();
    using view = viewOfData(table);
    assert.deepEqual(view.shape, [4, 8, 1000]);
    assert.equal(view.dtype, "complex64");
    assert.equal(table.ioStats.bytesMapped, 0);
    assert.ok(table.ioStats.bytesRead < 100_000, "the values are not read");
    assert.deepEqual(view.data, numbers(1000));
    using part = viewOfData(table, { start: 100, end: 357 });
    assert.deepEqual(part.shape, [4, 8, 257]);
    assert.deepEqual(part.data, table.getColumn("DATA", { rows: { start: 100, end: 357 } }).data);
    assert.equal(viewOfData(table, { start: 5, end: 5 }).data.length, 0);
    assert.equal(view.stale, false);
    view.check();
  });
}

Deno.test({ name: "a view says why there is none", ignore }, () => {
  using folder = temporaryFolder();
  const refuse = (
    tell: RegExp,
    storage: Parameters<typeof Table.create>[1]["storage"],
    more: Partial<Parameters<typeof Table.create>[1]> = {},
    rows: { start?: number; end?: number } = {},
    fill: (table: Table) => void = () => {},
  ) => {
    const path = `${folder.path}/t`;
    {
      using table = Table.create(path, {
        columns: [
          array("DATA", "complex64", { shape: CELL }),
          array("OTHER", "complex64", { shape: CELL }),
          array("FLAG", "bool", { shape: CELL }),
          scalar("TIME", "float64"),
          scalar("NAME", "string"),
        ],
        storage: [...storage ?? [], standard("SSM")],
        rows: 100,
        overwrite: true,
        ...more,
      });
      fill(table);
    }
    using table = Table.open(path);
    const name = tell.source.includes("bits") ? "FLAG" : tell.source.includes("string") ? "NAME" : "DATA";
    const error = fails(() => table.column(name).view({ rows }), "UNSUPPORTED");
    assert.match(error.message, new RegExp(`${name} can't be viewed: .*${tell.source}`));
  };
  const whole = (tileShape: number[]) => [tiledShape("Data", ["DATA"], { tileShape })];
  refuse(/StandardStMan .*in pieces/, [], {
    columns: [array("DATA", "complex64", { shape: CELL, direct: true })],
  });
  refuse(/StandardStMan doesn't keep/, []);
  refuse(/IncrementalStMan doesn't keep/, [incremental("ISM", ["DATA"])]);
  refuse(/string/, []);
  refuse(/bits/, [tiledShape("Flag", ["FLAG"], { tileShape: [4, 8, 16] })]);
  refuse(/tiles split the cells on axis 0/, whole([2, 8, 64]));
  refuse(/tiles split the cells on axis 1/, whole([4, 4, 64]));
  refuse(/the last tile of axis 1 reaches past/, whole([4, 3, 1]));
  refuse(
    /only rows of one tile lie together, 16 from a multiple of 16 on/,
    [
      tiledShape("Both", ["DATA", "OTHER"], { tileShape: [4, 8, 16] }),
    ],
    {},
    { start: 15, end: 17 },
  );
  const opposite = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? "big" : "little";
  refuse(/byte order/, whole([4, 8, 64]), { byteOrder: opposite });
  refuse(
    /rows 0 and 1 have different shapes/,
    [tiledCell("Data", ["DATA"])],
    {
      columns: [array("DATA", "complex64", { ndim: 2 })],
    },
    {},
    (table) => {
      table.putCell("DATA", 0, { dtype: "complex64", shape: [2, 2], data: new Float32Array(8) });
    },
  );
  refuse(/rows 0 and 1 are in different hypercubes/, [tiledCell("Data", ["DATA"])]);
  refuse(/its cells are undefined/, [tiledShape("Data", ["DATA"])], {
    columns: [array("DATA", "complex64", { ndim: 2 })],
  });
});

Deno.test({ name: "rows of one tile are viewed where several columns share tiles", ignore }, () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, other = Float64Array.from({ length: 100 * 32 }, (_, i) => i);
  {
    using table = Table.create(path, {
      columns: [
        array("DATA", "complex64", { shape: CELL }),
        array("WEIGHT", "float64", { shape: CELL }),
        array("FLAG", "bool", { shape: CELL }),
      ],
      storage: [tiledShape("All", ["DATA", "WEIGHT", "FLAG"], { tileShape: [4, 8, 16] })],
      rows: 100,
    });
    table.putColumn("DATA", numbers(100));
    table.putColumn("WEIGHT", other);
  }
  using table = Table.open(path);
  for (const [start, end] of [[0, 16], [16, 32], [33, 47], [96, 100]] as const) {
    assert.deepEqual(viewOfData(table, { start, end }).data, numbers(100).slice(start * ITEMS, end * ITEMS));
    assert.deepEqual(
      table.column("WEIGHT").view({ rows: { start, end } }).data,
      other.slice(start * 32, end * 32),
    );
  }
});

Deno.test({ name: "whatever the tiles, a view is a copy's values or an UNSUPPORTED", ignore }, () => {
  using folder = temporaryFolder();
  let viewed = 0, run = 0;
  fc.assert(
    fc.property(
      fc.record({
        cell: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
        tile: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
        fits: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        rows: fc.integer({ min: 1, max: 20 }),
        range: fc.tuple(fc.nat(20), fc.nat(20)),
        dtype: fc.constantFrom("uint8", "int16", "float64", "complex64"),
        second: fc.constantFrom(null, "uint8", "int16", "bool"),
        manager: fc.constantFrom(tiledShape, tiledColumn, tiledCell),
      }),
      ({ cell, tile, fits, rows, range, dtype, second, manager }) => {
        const path = `${folder.path}/t${run++}`;
        const tileShape = cell.map((length, axis) => fits[axis] ? length : tile[axis]!);
        if (manager !== tiledCell) tileShape.push(tile[3]!);
        const more = second === null ? [] : [array("OTHER", second, { shape: cell })];
        using table = Table.create(path, {
          columns: [array("DATA", dtype, { shape: cell }), ...more],
          storage: [manager("Tiles", ["DATA", ...more.map(({ name }) => name)], { tileShape })],
          rows,
        });
        const empty = table.getColumn("DATA").data as Float32Array;
        table.putColumn("DATA", empty.map((_, i) => i % 120 + 1));
        table.flush();
        const start = Math.min(range[0], rows), end = Math.max(start, Math.min(range[1], rows));
        let view;
        try {
          view = table.column("DATA").view({ rows: { start, end } });
        } catch (error) {
          assert.ok(error instanceof TableError && error.code === "UNSUPPORTED", String(error));
          return;
        }
        viewed++;
        const copy = table.getColumn("DATA", { rows: { start, end } });
        assert.deepEqual(view.shape, copy.shape);
        assert.deepEqual(view.data, copy.data);
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(viewed > 30, `${viewed}`);
});

Deno.test({ name: "columns of casacore's tables are viewed as they are read, or not at all", ignore }, () => {
  let viewed = 0;
  for (const { name } of allFixtures()) {
    using table = Table.open(fixturePath(name));
    for (const column of table.columnNames) {
      if (!table.column(column).readable) continue;
      let view;
      try {
        view = table.column(column).view();
      } catch (error) {
        assert.ok(error instanceof TableError && error.code === "UNSUPPORTED", String(error));
        continue;
      }
      if (table.rowCount > 0) viewed++;
      assert.deepEqual(view.data, table.getColumn(column).data, `${name}, ${column}`);
    }
  }
  assert.ok(viewed > 0);
});

Deno.test({ name: "writing to a view changes no file", ignore }, () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  make(path, 300);
  using table = Table.open(path, { mode: "rw" });
  using view = viewOfData(table);
  view.data.fill(-1);
  assert.ok(view.data.every((value) => value === -1));
  table.flush({ durable: true });
  assert.deepEqual(table.getColumn("DATA").data, numbers(300));
  using again = viewOfData(table);
  assert.deepEqual(again.data, numbers(300));
});

for (const io of ["pread", "direct", "mmap"] as const) {
  Deno.test(
    { name: `a view says that it is stale when the table was committed through ${io}`, ignore },
    () => {
      using folder = temporaryFolder();
      const path = `${folder.path}/t`;
      make(path, 5000);
      using table = Table.open(path, { io: "mmap" });
      using view = viewOfData(table, { start: 0, end: 4000 });
      const before = view.data.slice();
      {
        using other = Table.open(path, { mode: "rw", io });
        other.putColumn("DATA", numbers(1000, 5), { rows: { start: 500, end: 1500 } });
        fails(() => other.column("DATA").view(), "UNSUPPORTED");
        other.flush();
      }
      assert.equal(view.stale, true);
      // Pages that nobody wrote to are the file's: what was there, or what is there now, nothing else.
      const now = table.getColumn("DATA", { rows: { start: 0, end: 4000 } }).data as Float32Array;
      assert.deepEqual(now.subarray(500 * ITEMS, 1500 * ITEMS), numbers(1000, 5));
      assert.ok(view.data.every((value, i) => value === now[i] || value === before[i]));
      assert.equal(view.stale, true, "also when the table was read anew");
      using fresh = viewOfData(table, { start: 0, end: 4000 });
      assert.equal(fresh.stale, false);
      assert.deepEqual(fresh.data, now);
    },
  );
}

Deno.test(
  { name: "a view is made of values that are flushed, and our own commits make it stale", ignore },
  () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    using table = Table.create(path, {
      columns: [array("DATA", "complex64", { shape: CELL })],
      storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 8, 64] })],
      rows: 200,
    });
    table.putColumn("DATA", numbers(200));
    assert.match(fails(() => viewOfData(table), "UNSUPPORTED").message, /not flushed/);
    table.flush();
    using view = viewOfData(table);
    assert.deepEqual(view.data, numbers(200));
    table.putCell("DATA", 3, { dtype: "complex64", shape: CELL, data: numbers(1, 7) });
    assert.equal(view.stale, true);
    table.flush();
    assert.equal(view.stale, true);
    assert.deepEqual(viewOfData(table).data, table.getColumn("DATA").data);
  },
);

Deno.test({ name: "a closed view, and one of a closed table, is detached", ignore }, () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  make(path, 100);
  const table = Table.open(path);
  const first = viewOfData(table), second = viewOfData(table), slice = first.data.subarray(10, 20);
  first.close();
  first.close();
  assert.equal(first.data.length, 0);
  assert.equal(slice.length, 0);
  assert.equal(slice[0], undefined);
  fails(() => first.stale, "CLOSED");
  fails(() => first.check(), "CLOSED");
  assert.deepEqual(second.data, numbers(100));
  table.close();
  assert.equal(second.data.length, 0);
  fails(() => second.stale, "CLOSED");
  second.close();
});

Deno.test({ name: "a file that is shorter than its table says has no view", ignore }, () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  make(path, 100);
  Deno.truncateSync(`${path}/table.f0_TSM1`, 10_000);
  using table = Table.open(path);
  const error = fails(() => viewOfData(table), "CORRUPT");
  assert.match(error.file!, /table\.f0_TSM1$/);
});

Deno.test({ name: "what isn't a range of consecutive rows is refused", ignore }, () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  make(path, 100);
  using table = Table.open(path);
  const view = (rows: unknown) => () => table.column("DATA").view({ rows: rows as { start: number } });
  fails(view([1, 2]), "INVALID_ARGUMENT");
  fails(view({ step: 2 }), "INVALID_ARGUMENT");
  fails(view({ start: 5, end: 101 }), "OUT_OF_RANGE");
  fails(view({ start: 1.5 }), "INVALID_ARGUMENT");
  fails(() => table.column("DATA").view({ dtype: "float64" }), "TYPE_MISMATCH");
});
