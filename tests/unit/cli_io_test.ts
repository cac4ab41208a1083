import assert from "node:assert/strict";
import { array, Context, scalar, standard, Table, tiledShape } from "../../mod.ts";
import { library } from "../../ffi/binding.ts";
import { parseSlice } from "../../src/cli/io.ts";
import { table } from "./cli_support.ts";

const ROWS = 500;

async function withTable(work: (path: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync(), path = `${directory}/vis.tab`;
  try {
    {
      using made = Table.create(path, {
        columns: [array("DATA", "complex64", { shape: [4, 64] }), scalar("TIME", "float64")],
        storage: [tiledShape("T", ["DATA"], { tileShape: [4, 64, 32] }), standard("S")],
        rows: ROWS,
      });
      made.putColumn("DATA", new Float32Array(ROWS * 512).fill(1));
    }
    await work(path);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("table io prints the calls and bytes that the counters say when the same is read", async () => {
  await withTable(async (path) => {
    const { status, out, err } = await table("io", path, "--columns", "DATA,TIME", "--slice", ":,10:12");
    assert.deepEqual([status, err], [0, []]);
    using opened = Table.open(path, { io: library() === null ? "node" : "pread", context: new Context() });
    opened.resetIoStats();
    opened.getColumn("DATA", { slice: [null, [10, 12]] });
    opened.getColumn("TIME");
    const { totalCalls, bytesRead, seeks } = opened.ioStats;
    assert.match(out, new RegExp(`^reading  ${totalCalls} calls .*, ${seeks} seeks?$`, "m"));
    const wanted = ROWS * (8 * 8 + 8);
    const text = (n: number) => n.toLocaleString("en-US");
    assert.ok(out.includes(`\nbytes    ${text(bytesRead)} read, ${text(wanted)} wanted`), out);
    assert.match(out, /^table\.f0_TSM1 .* 16 of 16 /m);
    assert.match(out, /^row: row by row /m);
    assert.match(out, /^\[4,64,1\] /m);
    for (const line of out.split("\n")) assert.ok([...line].length <= 80, line);
  });
});

Deno.test("table io --json has the plan, the other order and other tiles", async () => {
  await withTable(async (path) => {
    const args = [
      "--columns",
      "DATA",
      "--rows",
      "100:200",
      "--order",
      "row",
      "--tile-shape",
      "4,8,100",
      "--json",
    ];
    const { status, out } = await table("io", path, ...args);
    assert.equal(status, 0);
    const plan = JSON.parse(out);
    assert.deepEqual([plan.columns, plan.rows, plan.order], [["DATA"], 100, "row"]);
    assert.equal(plan.bytesWanted, 100 * 4 * 64 * 8);
    assert.equal(plan.otherOrder.plan.order, "tile");
    assert.ok(plan.reading.totalCalls > plan.otherOrder.plan.reading.totalCalls);
    assert.deepEqual(plan.tileCosts[0].tiles[1].tileShape, [4, 8, 100]);
  });
});

Deno.test("table io refuses what makes no sense", async () => {
  await withTable(async (path) => {
    assert.equal((await table("io", path, "--slice", "a")).status, 2);
    assert.equal((await table("io", path, "--order", "none")).status, 2);
    assert.equal((await table("io", path, "--tile-shape", "4,0")).status, 2);
    assert.equal((await table("io", path, "--cache", "lots")).status, 2);
    const wrong = await table("io", path, "--columns", "NONE");
    assert.equal(wrong.status, 1);
    assert.match(wrong.err.join(), /no column NONE/);
    assert.equal((await table("io", path, "--columns", "DATA", "--tile-shape", "4,64")).status, 1);
  });
});

Deno.test("a slice is a range for each axis, or nothing for all of it", () => {
  assert.deepEqual(parseSlice("0:2,:,10:20:2,"), [[0, 2], null, [10, 20, 2], null]);
  assert.throws(() => parseSlice("1"));
});
