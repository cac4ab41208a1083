/** Writing StManAipsIO: what a flush writes, what is refused, and the way to it from a program. */
import assert from "node:assert/strict";
import { aipsio, array, scalar, Table } from "../../mod.ts";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { Plan, Step } from "../../src/io/plan.ts";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { temporaryFolder } from "../fixture.ts";
import {
  type Bench,
  bound,
  bytesInMemory,
  createInMemory,
  errorOf,
  reopened,
  storeOf,
} from "./storage_standard_support.ts";
import { contextOf } from "./storage_managed_support.ts";

function made(rows: number): Bench {
  const columns = [bound("n", "int32"), bound("text", "string"), bound("v", "float64", { kind: "array" })];
  const bench = createInMemory(columns, rows, { kind: stManAipsIO });
  bench.put(0, Array.from({ length: rows }, (_, row) => row));
  bench.put(2, new Array(2 * rows).fill(0.5), { shape: [2] });
  return bench;
}

/** Files that a flush writes to. */
function written(bench: Bench): string[] {
  const files = new Set<string>();
  const plan = bench.manager.flush!();
  const watched = function* (): Plan<void> {
    for (let next = plan.next(); !next.done;) {
      const step: Step = next.value;
      if ("file" in step && step.kind !== "gather" && step.kind !== "readInto") files.add(step.file);
      next = plan.next(yield step);
    }
  };
  runSync(watched(), bench.files);
  return [...files];
}

Deno.test("StManAipsIO: a flush writes the file anew when it changed, the array file's header when arrays were added", () => {
  const bench = made(20);
  assert.equal(bench.manager.dirty, true);
  bench.flush();
  assert.equal(bench.manager.dirty, false);
  assert.deepEqual(written(bench), []);
  bench.put(2, [1, 2], { rows: rowList([3]), shape: [2] });
  assert.equal(bench.manager.dirty, true);
  assert.deepEqual(written(bench), ["table.f0i"]);
  bench.put(2, [1, 2, 3], { rows: rowList([3]), shape: [3] });
  assert.deepEqual(written(bench), ["table.f0i", "table.f0"]);
  bench.put(1, ["x"], { rows: rowList([19]), shape: [] });
  assert.deepEqual(written(bench), ["table.f0"]);
  assert.deepEqual(bench.cells(2, rowList([3])), [{ shape: [3], data: [1, 2, 3] }]);
});

Deno.test("StManAipsIO: rows are read where they stand until something changes, and again after the flush", () => {
  const bench = reopened(made(20));
  assert.deepEqual(bench.cells(0, rowRange(4, 2)), [4, 5]);
  bench.put(0, [-1], { rows: rowList([4]), shape: [] });
  bench.removeRows(rowList([0]));
  bench.addRows(1);
  const expected = [1, 2, 3, -1, ...Array.from({ length: 15 }, (_, i) => i + 5), 0];
  assert.deepEqual(bench.cells(0), expected);
  bench.flush();
  assert.deepEqual(bench.cells(0), expected);
  const bytes = bytesInMemory(storeOf(bench), "table.f0");
  bench.put(0, [-1], { rows: rowList([3]), shape: [] });
  bench.flush();
  assert.deepEqual(bytesInMemory(storeOf(bench), "table.f0"), bytes);
});

Deno.test("StManAipsIO: options, more bytes than a file can have, and other shapes are refused", () => {
  const context = contextOf({
    type: "StManAipsIO",
    columns: [bound("n", "int32")],
    rowCount: 0,
    bigEndian: false,
  });
  const spec = { type: "StManAipsIO", name: "A", options: { bucketRows: 3 } };
  const bench = made(3);
  const refused = [
    [
      () => runSync(stManAipsIO.create!(context, spec), bench.files),
      "INVALID_ARGUMENT",
      /no option bucketRows/,
    ],
    [() => bench.addRows(2 ** 30), "LIMIT", /at most 4294967295 bytes/],
    [() => bench.addRows(2 ** 32), "LIMIT", /at most 4294967295 rows/],
    [
      () => bench.put(0, [1, 2, 3], { shape: [3], rows: rowList([0]) }),
      "SHAPE_MISMATCH",
      /cells of shape \[\]/,
    ],
    [() => bench.setShape(0, null, rowList([0])), "INVALID_ARGUMENT", /can't be made undefined/],
  ] as const;
  for (const [action, code, message] of refused) {
    const error = errorOf(action);
    assert.equal(error?.code, code);
    assert.match(error!.message, message);
  }
  assert.deepEqual(reopened(bench).cells(0), [0, 1, 2]);
});

Deno.test("StManAipsIO: a program makes a table with it", () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/t`;
  {
    using table = Table.create(path, {
      columns: [
        scalar("TIME", "float64"),
        scalar("MESSAGE", "string"),
        array("WORDS", "string", { ndim: 1 }),
      ],
      storage: [aipsio("Log")],
      rows: 2,
    });
    table.putColumn("MESSAGE", ["one", "two"]);
    table.putCell("WORDS", 1, { dtype: "string", shape: [2], data: ["a", "b"] });
    table.append({ TIME: Float64Array.of(3), MESSAGE: ["three"] });
  }
  using table = Table.open(path);
  assert.deepEqual(table.getColumn("MESSAGE").data, ["one", "two", "three"]);
  assert.deepEqual([...table.getColumn("TIME").data as Float64Array], [0, 0, 3]);
  assert.deepEqual(table.getCells("WORDS").map((cell) => cell && (cell as { data: unknown }).data), [
    null,
    ["a", "b"],
    null,
  ]);
});
