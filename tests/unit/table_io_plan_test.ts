import assert from "node:assert/strict";
import {
  array,
  Context,
  incremental,
  type IoPlanOptions,
  type IoSnapshot,
  planIo,
  scalar,
  standard,
  Table,
  TableError,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { DryRun } from "../../src/io/dry-run.ts";
import { NodeBackend } from "../../src/io/node-backend.ts";
import { PAGE_BYTES } from "../../src/io/page-cache.ts";
import { planOn } from "../../src/table/io-plan.ts";

const ROWS = 3000;

/** A table with a column for each way of reading that differs. */
function makeTable(path: string): void {
  using table = Table.create(path, {
    columns: [
      array("DATA", "complex64", { shape: [4, 32] }),
      array("FLAG", "bool", { shape: [4, 32] }),
      array("UVW", "float64", { shape: [3] }),
      array("CELL", "int16", { ndim: 2 }),
      scalar("TIME", "float64"),
      scalar("ANTENNA", "int32"),
      scalar("FLAG_ROW", "bool"),
      scalar("NAME", "string"),
      scalar("SCAN", "int32"),
      scalar("STATE", "string"),
      array("FREE", "float32", { ndim: 1 }),
    ],
    storage: [
      tiledShape("Data", ["DATA"], { tileShape: [4, 8, 128] }),
      tiledShape("Flag", ["FLAG"], { tileShape: [4, 32, 256] }),
      tiledColumn("Uvw", ["UVW"], { tileShape: [3, 500] }),
      tiledCell("Cell", ["CELL"], { tileShape: [5, 5] }),
      incremental("ISM", ["SCAN", "STATE"]),
      standard("SSM"),
    ],
    rows: ROWS,
  });
  const numbers = (n: number) => Float64Array.from({ length: n }, (_, i) => i);
  table.putColumn("DATA", Float32Array.from(numbers(ROWS * 4 * 32 * 2)));
  table.putColumn("FLAG", Uint8Array.from(numbers(ROWS * 4 * 32), (i) => i % 2));
  table.putColumn("UVW", numbers(ROWS * 3));
  table.putColumn("TIME", numbers(ROWS));
  table.putColumn("ANTENNA", Int32Array.from(numbers(ROWS)));
  table.putColumn("FLAG_ROW", Uint8Array.from(numbers(ROWS), (i) => i % 2));
  table.putColumn("NAME", Array.from({ length: ROWS }, (_, i) => "a name that is longer than eight " + i));
  table.putColumn("SCAN", Int32Array.from(numbers(ROWS), (i) => Math.floor(i / 7)));
  table.putColumn("STATE", Array.from({ length: ROWS }, (_, i) => `state ${Math.floor(i / 100)}`));
  for (let row = 0; row < ROWS; row++) {
    const length = 1 + row % 3;
    table.putCell("FREE", row, { dtype: "float32", shape: [length], data: new Float32Array(length) });
    if (row % 100 === 0) {
      table.putCell("CELL", row, { dtype: "int16", shape: [9, 7], data: new Int16Array(63).fill(row) });
    }
  }
}

/** Really reads what a plan was made for, with nothing in the cache, and gives the counters. */
function reallyRead(path: string, { columns, rows, slice, order, cacheBytes }: IoPlanOptions): {
  opening: IoSnapshot;
  reading: IoSnapshot;
} {
  const context = new Context(cacheBytes === undefined ? {} : { cacheBytes });
  using table = Table.open(path, { io: library() === null ? "node" : "pread", context });
  const opening = table.ioStats;
  // Whoever asks for these looks whether the table was changed meanwhile.
  const { rowCount } = table;
  const names = columns ?? table.columnNames;
  const isArray = new Map(names.map((name) => [name, table.column(name).kind === "array"]));
  table.resetIoStats();
  const box = (name: string) => slice !== undefined && isArray.get(name) ? { slice } : {};
  if (order === "row") {
    const { start = 0, end = rowCount, step = 1 } = (rows ?? {}) as {
      start?: number;
      end?: number;
      step?: number;
    };
    for (let row = start; row < end; row += step) {
      for (const name of names) table.getCell(name, row, box(name));
    }
  } else {
    for (const name of names) {
      const mixed = name === "FREE" || name === "CELL";
      const selected = rows === undefined ? {} : { rows };
      if (mixed) table.getCells(name, { ...selected, ...box(name) });
      else table.getColumn(name, { ...selected, ...box(name) });
    }
  }
  return { opening, reading: table.ioStats };
}

const made = new Map<string, string>();
function tableOf(make: (path: string) => void): string {
  let path = made.get(make.name);
  if (path === undefined) {
    path = `${Deno.makeTempDirSync()}/${make.name}.tab`;
    make(path);
    made.set(make.name, path);
  }
  return path;
}

globalThis.addEventListener("unload", () => {
  for (const path of made.values()) {
    Deno.removeSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  }
});

const CASES: readonly (readonly [name: string, options: IoPlanOptions])[] = [
  ["all of a tiled column", { columns: ["DATA"] }],
  ["a slice of a tiled column", { columns: ["DATA"], slice: [[0, 2], [10, 14]] }],
  ["every seventh row of a tiled column", { columns: ["DATA"], rows: { start: 3, step: 7 } }],
  ["a list of rows of a tiled column", { columns: ["DATA"], rows: [2999, 5, 1500, 1501, 5] }],
  ["bits", { columns: ["FLAG"] }],
  ["a hypercube of one shape", { columns: ["UVW"] }],
  ["a cube for each cell", { columns: ["CELL"] }],
  ["fixed cells of StandardStMan", { columns: ["TIME", "ANTENNA", "FLAG_ROW"] }],
  ["some rows of StandardStMan", { columns: ["TIME"], rows: { start: 1000, end: 1010 } }],
  ["strings of StandardStMan", { columns: ["NAME"] }],
  ["arrays beside StandardStMan", { columns: ["FREE"] }],
  ["IncrementalStMan", { columns: ["SCAN", "STATE"] }],
  ["all columns", {}],
  ["row by row, tiled", { columns: ["DATA"], order: "row" }],
  ["row by row, all columns", { order: "row", rows: { start: 100, end: 400 } }],
  ["row by row with little cache", { columns: ["DATA", "TIME"], order: "row", cacheBytes: 4 * 65536 }],
  ["all columns with little cache", { cacheBytes: 2 * 65536 }],
  ["no rows", { rows: { start: 5, end: 5 } }],
];

for (const [name, options] of CASES) {
  Deno.test(`what is planned is what is done: ${name}`, () => {
    const path = tableOf(makeTable);
    const plan = planIo(path, options), real = reallyRead(path, options);
    for (const part of ["opening", "reading"] as const) {
      const { calls, totalCalls, bytesRead, seeks } = real[part];
      assert.deepEqual(plan[part], { calls, totalCalls, bytesRead, seeks }, part);
    }
  });
}

Deno.test("a plan brings headers and indices, and no values", () => {
  const path = tableOf(makeTable), source = new NodeBackend();
  const plan = planOn(new DryRun({ source }), path, {}, { columns: ["DATA", "FLAG"] });
  const { bytesRead } = source.stats.snapshot();
  assert.ok(plan.reading.bytesRead > ROWS * 4 * 32 * 8, `${plan.reading.bytesRead} bytes planned`);
  // The first page of each file tells how long it is.
  assert.ok(bytesRead < 2 * PAGE_BYTES, `${bytesRead} bytes read`);
});

Deno.test("bytes wanted are those of the values, without what lies between them", () => {
  const path = tableOf(makeTable);
  const wanted = (options: IoPlanOptions) => planIo(path, options).bytesWanted;
  assert.equal(wanted({ columns: ["DATA"] }), ROWS * 4 * 32 * 8);
  assert.equal(wanted({ columns: ["DATA"], order: "row", rows: { end: 10 } }), 10 * 4 * 32 * 8);
  assert.equal(wanted({ columns: ["DATA"], slice: [[0, 1], null] }), ROWS * 32 * 8);
  assert.equal(wanted({ columns: ["FLAG"] }), ROWS * 4 * 32 / 8);
  assert.equal(wanted({ columns: ["TIME"], rows: { end: 100 } }), 800);
  assert.equal(wanted({ columns: ["STATE"], rows: { end: 200 } }), 200 * "state 0".length);
});

Deno.test("a plan says how often each tile is read", () => {
  const path = tableOf(makeTable), columns = ["DATA"], cacheBytes = 4 * 65536;
  const tilesOf = (options: IoPlanOptions) => {
    const { files } = planIo(path, { columns, ...options });
    return files.find(({ buckets }) => buckets !== null)!.buckets!;
  };
  const tiles = 4 * Math.ceil(ROWS / 128), inOrder = tilesOf({});
  assert.deepEqual([inOrder.count, inOrder.touched, inOrder.asked], [tiles, tiles, tiles]);
  // The first page is read once more: it tells how long the file is. The last tiles stick out of the cube.
  assert.ok(inOrder.meanRead > 0.95 && inOrder.meanRead < 1.05, `${inOrder.meanRead}`);
  const byRow = tilesOf({ order: "row", cacheBytes });
  assert.deepEqual([byRow.touched, byRow.asked, byRow.mostAsked], [tiles, 4 * ROWS, 128]);
  assert.ok(byRow.meanRead > 2, `${byRow.meanRead}`);
});

Deno.test("buckets of StandardStMan and IncrementalStMan are told, too", () => {
  const path = tableOf(makeTable);
  for (const [name, all] of [["TIME", false], ["SCAN", true], ["NAME", false]] as const) {
    const { files } = planIo(path, { columns: [name], rows: { end: 500 } });
    const buckets = files.map(({ buckets }) => buckets).find((each) => each !== null)!;
    assert.ok(
      buckets.touched > 0 && (buckets.touched === buckets.count) === all,
      `${name}: ${JSON.stringify(buckets)}`,
    );
  }
});

Deno.test("refused: a column that isn't there, rows that aren't, a table that isn't", () => {
  const path = tableOf(makeTable);
  const refuses = (code: string, path: string, options: IoPlanOptions) =>
    assert.throws(() => planIo(path, options), (error) => error instanceof TableError && error.code === code);
  refuses("NO_SUCH_COLUMN", path, { columns: ["NONE"] });
  refuses("OUT_OF_RANGE", path, { rows: { end: ROWS + 1 } });
  refuses("NOT_FOUND", `${path}.none`, {});
});
