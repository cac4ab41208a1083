/**
 * Reading a table that is larger than memory takes no more than the bound of the cache, the result, and a slack: sparse
 * tables, read in processes of their own (memory_child.ts). With SHOW_MEMORY in the environment it prints what it saw.
 */
import assert from "node:assert/strict";
import {
  array,
  backendReport,
  type IoName,
  scalar,
  standard,
  Table,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { temporaryFolder } from "../fixture.ts";

const MIB = 2 ** 20, GIB = 2 ** 30;
/** What the engine, its compiled code and its garbage may take beside the cache and the result. */
const SLACK = 48 * MIB;
const CELL = 4096, CELL_BYTES = CELL * 8, TILE_ROWS = 64;
const CHILD = new URL("./memory_child.ts", import.meta.url).pathname;

/** Backends whose memory can be told; of mapped files it is told apart by Linux alone. */
const BACKENDS: readonly IoName[] = (["node", "pread", "mmap"] as const)
  .filter((name) => name !== "mmap" || Deno.build.os === "linux")
  .filter((name) => backendReport().some((report) => report.name === name && report.works));

/** Bytes of a folder's files: as long as they are, and as they take up on disk. */
function sizes(path: string): { length: number; onDisk: number } {
  const stats = [...Deno.readDirSync(path)].map((entry) => Deno.statSync(`${path}/${entry.name}`));
  return {
    length: stats.reduce((sum, { size }) => sum + size, 0),
    onDisk: stats.reduce((sum, { blocks }) => sum + (blocks ?? 0) * 512, 0),
  };
}

/** True where a file of 128 GiB can be all hole. */
function sparseFiles(): boolean {
  using folder = temporaryFolder();
  const path = `${folder.path}/sparse`;
  try {
    using file = Deno.openSync(path, { create: true, write: true });
    file.truncateSync(128 * GIB);
    return (Deno.statSync(path).blocks ?? Infinity) * 512 < MIB;
  } catch {
    return false;
  }
}

const SPARSE = sparseFiles();

function createTiled(path: string, type: "shape" | "column", rows: number): void {
  using table = Table.create(path, {
    columns: [array("DATA", "float64", { shape: [CELL] })],
    storage: [(type === "shape" ? tiledShape : tiledColumn)("T", ["DATA"], { tileShape: [CELL, TILE_ROWS] })],
    rows,
    lock: "none",
    io: "node",
  });
  const last = new Float64Array(CELL);
  last[0] = 1;
  table.putCell("DATA", rows - 1, { dtype: "float64", shape: [CELL], data: last });
}

function createStandard(path: string, rows: number): void {
  using table = Table.create(path, {
    columns: [scalar("VALUE", "float64")],
    storage: [standard("SSM", { bucketRows: 4096 })],
    rows,
    lock: "none",
    io: "node",
  });
  table.putCell("VALUE", rows - 1, 1);
}

/** Reads in a process of its own; gives how memory grew with each reading. */
function grown(path: string, io: IoName, cache: number | "default", what: string): Record<string, number> {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", CHILD, path, io, String(cache), what],
  }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return Object.fromEntries(lines.map((line) => {
    const { about, grown } = JSON.parse(line) as { about: string; grown: number };
    if (Deno.env.has("SHOW_MEMORY")) console.log(io, about, (grown / MIB).toFixed(1), "MiB");
    return [about, grown];
  }));
}

function within(found: Record<string, number>, about: string, bound: number): void {
  const most = bound + SLACK;
  const value = found[about]!;
  assert(value <= most, `${about}: ${(value / MIB).toFixed(1)} MiB more, at most ${most / MIB} expected`);
}

for (const type of ["column", "shape"] as const) {
  Deno.test({
    name: `one row, a tile's rows and a list of rows of a tiled-${type} table of 100 GiB take little memory`,
    ignore: !SPARSE,
    fn: () => {
      using folder = temporaryFolder();
      const path = `${folder.path}/t`, rows = 3_300_000, cache = 8 * MIB;
      createTiled(path, type, rows);
      const { length, onDisk } = sizes(path);
      assert(length > 100 * GIB && onDisk < 16 * MIB, `${length} bytes, ${onDisk} on disk`);
      for (const io of BACKENDS) {
        const found = grown(path, io, cache, "rows");
        within(found, "single rows", cache + CELL_BYTES);
        within(found, "the rows of a tile", cache + TILE_ROWS * CELL_BYTES);
        within(found, "200 rows, spread", cache + 200 * CELL_BYTES);
      }
    },
  });
}

Deno.test({
  name:
    "100,000 cells of a StandardStMan table take little memory in a row, and when all of its pages come and go",
  ignore: !SPARSE,
  fn: () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`, cache = 8 * MIB, rows = 100_000_000;
    createStandard(path, rows);
    const { length, onDisk } = sizes(path);
    assert(length > rows * 8 * 0.99 && onDisk < 16 * MIB, `${length} bytes, ${onDisk} on disk`);
    for (const io of BACKENDS) {
      const about = "100,000 cells, one after the other";
      within(grown(path, io, cache, "cells"), about, cache);
      // All 760 MiB of the column go through the cache, in the same memory.
      within(grown(path, io, cache, "spread"), "100,000 cells, spread", cache);
    }
  },
});

Deno.test({
  name: "a table of 4 GiB is read in batches within the default bound of the cache",
  ignore: !SPARSE,
  fn: () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/t`;
    createTiled(path, "column", 4 * GIB / CELL_BYTES);
    for (const io of BACKENDS) {
      const found = grown(path, io, "default", "batches");
      within(found, "batches of 1000 rows", 64 * MIB + 1000 * CELL_BYTES);
    }
  },
});
