/** Views of a column, whatever becomes of them, of their table and of its file: nothing of it ends the process. */
import assert from "node:assert/strict";
import { array, Table, TableError, tiledShape } from "../../../mod.ts";

const path = Deno.args[0]!, hazard = Deno.args[1]!;
const ROWS = 1000, ITEMS = 64;
const expected = (i: number) => 1 + i % 1000;

{
  using made = Table.create(path, {
    columns: [array("DATA", "float64", { shape: [ITEMS] })],
    storage: [tiledShape("Data", ["DATA"], { tileShape: [ITEMS, 100] })],
    rows: ROWS,
  });
  made.putColumn("DATA", Float64Array.from({ length: ROWS * ITEMS }, (_, i) => expected(i)));
}
const file = `${path}/table.f0_TSM1`;
const table = Table.open(path, { mode: "rw", io: hazard === "direct" ? "direct" : "mmap" });
const view = table.column("DATA").view({ dtype: "float64" });
const { data } = view;
const isWhole = (values: Float64Array) => values.every((value, i) => value === expected(i));

/** The code of the error that `work` throws. */
function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof TableError, String(error));
    return error.code;
  }
  return "none";
}

switch (hazard) {
  case "closed": {
    // What is kept of a closed table's view is empty, not a wild pointer.
    const kept = [data, data.subarray(3), new Uint8Array(data.buffer, 8, 80)];
    table.close();
    for (const array of kept) {
      assert.equal(array.length, 0);
      assert.equal(array[0], undefined);
      array[0] = 5;
    }
    assert.throws(() => new Float64Array(data.buffer), TypeError);
    assert.equal(code(() => view.stale), "CLOSED");
    break;
  }
  case "moved": {
    const moved = new Float64Array((data.buffer as ArrayBuffer).transfer(), data.byteOffset, ROWS * ITEMS);
    assert.equal(data.length, 0);
    assert.equal(code(() => view.check()), "CLOSED");
    assert.ok(isWhole(moved));
    view.close();
    table.close();
    // Somebody else's now: it reads as zeros, and may be written.
    assert.ok(moved.every((value) => value === 0));
    moved.fill(3);
    break;
  }
  case "posted": {
    // Moved to another thread, which goes on reading when this one has closed the table.
    const source = `onmessage = ({ data }) => {
      const values = new Float64Array(data);
      let sum = 0;
      for (let i = 0; i < 200; i++) for (const value of values) sum += value;
      postMessage(sum > 0);
    }`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), {
      type: "module",
    });
    const answer = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.postMessage(data.buffer, [data.buffer]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    table.close();
    assert.equal(typeof await answer, "boolean");
    worker.terminate();
    break;
  }
  case "shorter": {
    Deno.truncateSync(file, 4096 * 10);
    let zeros = 0;
    for (const [i, value] of data.entries()) {
      if (i < 512 * 10) assert.equal(value, expected(i));
      else if (value === 0) zeros++;
    }
    assert.equal(zeros, ROWS * ITEMS - 512 * 10);
    assert.equal(code(() => view.check()), "IO");
    assert.equal(code(() => table.getCell("DATA", 1)), "IO");
    // Without the view, what is left can be read.
    view.close();
    assert.equal(code(() => table.getCell("DATA", 1)), "none");
    assert.equal(code(() => table.column("DATA").view()), "CORRUPT");
    break;
  }
  case "emptied": {
    Deno.truncateSync(file, 0);
    data.fill(2);
    assert.ok(data.every((value) => value === 2));
    assert.equal(Deno.statSync(file).size, 0);
    assert.equal(code(() => view.check()), "IO");
    break;
  }
  case "removed": {
    // The bytes of a file live as long as it is mapped.
    Deno.removeSync(path, { recursive: true });
    assert.ok(isWhole(data));
    break;
  }
  case "direct": {
    // Written past the page cache under the view: its pages are looked up anew.
    assert.ok(isWhole(data));
    table.putColumn("DATA", new Float64Array(ROWS * ITEMS).fill(7));
    table.flush({ durable: true });
    assert.equal(view.stale, true);
    assert.ok(data.every((value, i) => value === 7 || value === expected(i)));
    assert.ok((table.column("DATA").view().data as Float64Array).every((value) => value === 7));
    break;
  }
  default:
    throw new Error(hazard);
}
table.close();
table.close();
console.log("done");
