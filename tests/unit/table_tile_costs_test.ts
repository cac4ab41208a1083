import assert from "node:assert/strict";
import { array, planIo, Table, TableError, tileCosts, tiledShape } from "../../mod.ts";

const ROWS = 2000;

function makeTable(path: string, tileShape: readonly number[], byteOrder: "little" | "big" = "little"): void {
  using table = Table.create(path, {
    columns: [array("DATA", "complex64", { shape: [4, 32] })],
    storage: [tiledShape("Data", ["DATA"], { tileShape })],
    rows: ROWS,
    byteOrder,
    overwrite: true,
  });
  table.putColumn("DATA", new Float32Array(ROWS * 4 * 32 * 2).fill(1));
}

function inTempDirectory(work: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("what other tiles would cost is what a table that has them costs", () => {
  inTempDirectory((directory) => {
    const path = `${directory}/a.tab`, other = `${directory}/b.tab`;
    for (const byteOrder of ["little", "big"] as const) {
      makeTable(path, [4, 32, 50], byteOrder);
      const askings = [{}, { slice: [null, [3, 5]] }, {
        rows: { start: 100, end: 900, step: 3 },
        order: "row",
      }] as const;
      for (const asked of askings) {
        const costs = tileCosts(path, "DATA", { ...asked, tileShape: [2, 7, 100] })!;
        assert.deepEqual(costs.tiles.slice(0, 2).map(({ tileShape }) => tileShape), [[4, 32, 50], [
          2,
          7,
          100,
        ]]);
        for (const { tileShape, cost, fileBytes } of costs.tiles) {
          makeTable(other, tileShape, byteOrder);
          const { reading, bytesWanted } = planIo(other, asked);
          // The header has the column's name and shape in it: a few bytes more or less.
          assert.deepEqual(cost.calls, reading.calls, `[${tileShape}]`);
          assert.equal(cost.seeks, reading.seeks, `[${tileShape}]`);
          assert.ok(Math.abs(cost.bytesRead - reading.bytesRead) < 200, `[${tileShape}]`);
          assert.equal(costs.bytesWanted, bytesWanted);
          const data = `${other}/table.f0_TSM1`;
          assert.equal(fileBytes, Deno.statSync(data).size);
        }
      }
    }
  });
});

Deno.test("channels that are read alone cost fewer bytes with tiles that split channels", () => {
  inTempDirectory((directory) => {
    const path = `${directory}/a.tab`;
    makeTable(path, [4, 32, 128]);
    const costs = tileCosts(path, "DATA", { slice: [null, [8, 12]], tileShape: [4, 4, 1024] })!;
    const [now, split] = costs.tiles;
    assert.ok(split!.cost.bytesRead * 2 < now!.cost.bytesRead, JSON.stringify(costs.tiles));
  });
});

Deno.test("a table of terabytes takes no room to be imagined", () => {
  inTempDirectory((directory) => {
    const path = `${directory}/a.tab`;
    Table.create(path, {
      columns: [array("DATA", "complex64", { shape: [4, 1024] })],
      storage: [tiledShape("Data", ["DATA"], { tileShape: [4, 1024, 32] })],
      rows: 1,
    }).close();
    using table = Table.open(path, { mode: "rw" });
    table.addRows(100_000_000);
    table.flush();
    const costs = tileCosts(path, "DATA", { rows: { start: 90_000_000, end: 90_001_000 } })!;
    assert.ok(costs.tiles.every(({ fileBytes }) => fileBytes > 3e12));
  });
});

Deno.test("without tiles, or with rows that aren't there, nothing is imagined", () => {
  inTempDirectory((directory) => {
    const path = `${directory}/a.tab`;
    makeTable(path, [4, 32, 50]);
    assert.equal(tileCosts(path, "DATA", { rows: [] }), null);
    assert.throws(() => tileCosts(path, "NONE"), TableError);
    assert.throws(
      () => tileCosts(path, "DATA", { tileShape: [4, 4] }),
      (error) => error instanceof TableError && error.code === "INVALID_ARGUMENT",
    );
  });
});
