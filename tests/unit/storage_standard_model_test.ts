/**
 * Random changes to a StandardStMan against a model that keeps every cell as an array, in both byte orders and with
 * buckets of several sizes; the files are opened anew in between.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { areaBytes, bitsPerRow } from "../../src/storage/standard/layout.ts";
import { action, anyAction, Checked, column } from "./storage_standard_model.ts";
import { checkStructure } from "./storage_standard_structure.ts";
import { bytesInMemory, createInMemory, storeOf } from "./storage_standard_support.ts";

const RUNS = 500;

/** True for a column of which no cell fits in a bucket. */
function tooWide({ bench }: Checked, column: BoundColumn): boolean {
  return bitsPerRow(column) > 8 * (bench.manager.info.bucketSize as number);
}

/** Checks the file of a table whose columns lie as in a new one. */
function checkBytes({ bench }: Checked): void {
  const { columns, bigEndian } = bench.context;
  const { bucketRows, bucketSize } = bench.manager.info as { bucketRows: number[]; bucketSize: number };
  let at = 0;
  const offsets = columns.map((column) => at += areaBytes(bucketRows[0]!, bitsPerRow(column)));
  assert.ok(at <= bucketSize);
  const bytes = bytesInMemory(storeOf(bench), "table.f0");
  checkStructure(bytes, columns, [0, ...offsets], bench.rows, bigEndian);
}

Deno.test("a StandardStMan holds what was put, whatever the columns, the changes and the byte order", () => {
  const scenario = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 5 }),
    rows: fc.nat({ max: 40 }),
    bigEndian: fc.boolean(),
    spec: fc.constantFrom({}, { bucketSize: 128 }, { bucketRows: 4 }, { bucketRows: 100 }, {
      bucketSize: 5000,
    }),
    actions: fc.array(action, { minLength: 1, maxLength: 14 }),
    // Reading brings into the files what is only promised; so some runs look only at the end.
    lookEach: fc.boolean(),
  });
  fc.assert(
    fc.property(scenario, ({ columns, rows, bigEndian, spec, actions, lookEach }) => {
      const checked = new Checked(columns, rows, createInMemory(columns, rows, { bigEndian, spec }));
      if (lookEach) checked.check();
      for (const action of actions) {
        checked.apply(action);
        if (action.do === "reopen") checkBytes(checked);
        if (lookEach) checked.check();
      }
      checked.apply({ do: "reopen" });
      checked.check();
    }),
    { numRuns: RUNS },
  );
});

Deno.test("rows and columns come and go as in the model, and strings and buckets that they leave are found in order", () => {
  const scenario = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 5 }),
    rows: fc.nat({ max: 60 }),
    bigEndian: fc.boolean(),
    spec: fc.constantFrom({ bucketSize: 128 }, { bucketRows: 4 }, { bucketRows: 7 }, { bucketSize: 300 }, {
      bucketSize: 2000,
    }),
    actions: fc.array(anyAction, { minLength: 1, maxLength: 16 }),
    lookEach: fc.boolean(),
  });
  fc.assert(
    fc.property(scenario, ({ columns, rows, bigEndian, spec, actions, lookEach }) => {
      const checked = new Checked(columns, rows, createInMemory(columns, rows, { bigEndian, spec }));
      for (const action of actions) {
        if (action.do === "addColumn" && tooWide(checked, action.column)) continue;
        checked.apply(action);
        if (lookEach) checked.check();
      }
      checked.apply({ do: "reopen" });
      checked.check();
    }),
    { numRuns: RUNS },
  );
});
