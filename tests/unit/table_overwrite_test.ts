/** Overwriting all of a column, by bytes that are written for it. */
import assert from "node:assert/strict";
import { array, Context, Table, tiledShape } from "../../mod.ts";

const ROWS = 4000, CELL = [4, 64], BYTES = ROWS * 4 * 64 * 8;

Deno.test("all of a column is written once when it is overwritten, also in the table that was just made", async () => {
  const context = new Context(), values = new Float32Array(BYTES / 4).map((_, i) => i % 97);
  const options = { io: "memory", context } as const;
  const table = Table.create("/t", {
    columns: [array("DATA", "complex64", { shape: CELL })],
    storage: [tiledShape("Data", ["DATA"], { tileShape: [...CELL, 64] })],
    rows: ROWS,
    ...options,
  });
  table.putColumn("DATA", values);
  table.flush();
  const overwrite = async (open: Table, put: () => unknown) => {
    open.resetIoStats();
    await put();
    open.flush();
    const { bytesWritten, calls } = open.ioStats;
    assert(bytesWritten < BYTES * 1.1, `${bytesWritten} bytes for ${BYTES}`);
    assert.equal(calls.sync, 0);
  };
  await overwrite(table, () => table.putColumn("DATA", values.map((x) => x + 1)));
  await overwrite(table, () => table.putColumnAsync("DATA", values.map((x) => x + 2)));
  table.close();
  using again = Table.open("/t", { mode: "rw", ...options });
  await overwrite(again, () => again.putColumn("DATA", values.map((x) => x + 3)));
  assert.deepEqual(again.getColumn("DATA").data, values.map((x) => x + 3));
});
