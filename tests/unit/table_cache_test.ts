/** What reading tables makes of the page cache: each page read once row by row, hits by column, nothing left of closed tables. */
import assert from "node:assert/strict";
import {
  array,
  type ColumnSpec,
  Context,
  scalar,
  standard,
  type StorageSpec,
  Table,
  tiledCell,
  tiledColumn,
  tiledShape,
} from "../../mod.ts";
import { PAGE_BYTES } from "../../src/io/page-cache.ts";
import { temporaryFolder } from "../fixture.ts";

const ROWS = 12000;
/** Room for 64 pages: a third of what any of the columns below takes. */
const CACHE = 64 * (65536 + 256);

const PLANE: ColumnSpec = array("DATA", "complex64", { shape: [4, 32] });

/** Manager by manager, columns of more bytes than the cache has. */
const MADE: Readonly<Record<string, readonly [ColumnSpec, StorageSpec]>> = {
  "tiled, shape, tiles of 64 KiB": [PLANE, tiledShape("T", ["DATA"], { tileShape: [4, 32, 64] })],
  "tiled, shape, tiles of 1 MiB": [PLANE, tiledShape("T", ["DATA"], { tileShape: [4, 32, 1024] })],
  "tiled, shape, tiles of 200 KiB": [PLANE, tiledShape("T", ["DATA"], { tileShape: [4, 32, 200] })],
  "tiled, shape, tiles that split channels": [PLANE, tiledShape("T", ["DATA"], { tileShape: [4, 8, 512] })],
  "tiled, column": [PLANE, tiledColumn("T", ["DATA"], { tileShape: [4, 32, 100] })],
  "tiled, cell": [PLANE, tiledCell("T", ["DATA"], { tileShape: [4, 32] })],
  "standard, array": [array("DATA", "complex64", { shape: [4, 32], direct: true }), standard("S")],
};

for (const io of ["pread", "node"] as const) {
  for (const [what, [column, storage]] of Object.entries(MADE)) {
    Deno.test(`${io}: reading row by row reads each page once: ${what}`, () => {
      using folder = temporaryFolder();
      const path = `${folder.path}/t`;
      {
        using table = Table.create(path, { columns: [column], storage: [storage], rows: ROWS, lock: "none" });
        table.putColumn("DATA", Float32Array.from({ length: ROWS * 256 }, (_, i) => i % 65521));
      }
      // Of every file the pages, the last one of each in part.
      const pages = [...Deno.readDirSync(path)]
        .reduce((sum, file) => sum + Math.ceil(Deno.statSync(`${path}/${file.name}`).size / PAGE_BYTES), 0);
      assert.ok(pages * PAGE_BYTES > 2.5 * CACHE);
      using table = Table.open(path, { io, lock: "none", context: new Context({ cacheBytes: CACHE }) });
      for (let row = 0; row < ROWS; row++) {
        const { data } = table.getCell("DATA", row) as { data: Float32Array };
        assert.equal(data[5], (row * 256 + 5) % 65521);
      }
      const { cacheMisses } = table.ioStats.byColumn.DATA!, { calls } = table.ioStats;
      assert.ok(cacheMisses <= pages, `${cacheMisses} of ${pages} pages read`);
      // Each request may look at table.lock, whether others changed the table.
      assert.ok(calls.read <= ROWS + pages + 8, `${calls.read} reads`);
    });
  }
}

Deno.test("hits and misses of the cache are counted for each column", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`, rows = 50_000;
  const values = Int32Array.from({ length: rows }, (_, i) => i);
  const context = new Context();
  {
    using table = Table.create(path, {
      columns: [scalar("A", "int32"), scalar("B", "int32"), scalar("C", "int32")],
      storage: [standard("S1", ["A"]), standard("S2", ["B", "C"])],
      rows,
      lock: "none",
    });
    table.putColumn("A", values);
    table.putColumn("B", values);
  }
  {
    using table = Table.open(path, { io: "node", lock: "none", context });
    assert.equal(table.ioStats.byColumn.A, undefined);
    for (let row = 0; row < 1000; row++) {
      assert.equal(table.getCell("A", row), row);
      assert.equal(table.getCell("B", row), row);
    }
    const { byColumn, cacheHits, cacheMisses } = table.ioStats;
    const { A, B } = byColumn;
    assert.ok(A!.cacheHits >= 990 && A!.cacheMisses <= 10, JSON.stringify(A));
    assert.ok(B!.cacheHits >= 990 && B!.cacheMisses <= 10, JSON.stringify(B));
    assert.equal(byColumn.C, undefined);
    assert.ok(A!.cacheHits + B!.cacheHits <= cacheHits && A!.cacheMisses + B!.cacheMisses <= cacheMisses);
    table.resetIoStats();
    assert.deepEqual(table.ioStats.byColumn, {});
    table.getCell("C", 0);
    assert.deepEqual(Object.keys(table.ioStats.byColumn), ["C"]);
    assert.ok(context.cache.bytes > 0);
  }
  assert.equal(context.cache.bytes, 0, "nothing is left of a closed table");
});
