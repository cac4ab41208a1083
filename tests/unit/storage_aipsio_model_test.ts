/**
 * StManAipsIO against a model: any cells in any layout read as they were written, however they are asked for; and hold what
 * was put when cells, rows and columns change.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { stManAipsIO } from "../../src/storage/aipsio/mod.ts";
import { openAips, writeAips } from "./storage_aipsio_support.ts";
import { memoryFiles } from "./storage_incremental_support.ts";
import { anyAction, Checked, column } from "./storage_standard_model.ts";
import { createInMemory } from "./storage_standard_support.ts";
import { assertReadsModel, columnPlans, modelColumn, numbersFrom } from "./storage_model_support.ts";

const layouts = fc.record({
  rows: fc.integer({ min: 1, max: 150 }),
  version: fc.constantFrom(1, 2),
  innerVersion: fc.constantFrom(1, 2),
  cuts: fc.array(fc.integer({ min: 1, max: 149 }), { maxLength: 6 }),
  openEnd: fc.boolean(),
  marked: fc.constantFrom(1, 3, 1000),
  bigEndian: fc.boolean(),
  seed: fc.nat(100_000),
});

Deno.test("StManAipsIO reads any cells in any layout as they were written", () => {
  fc.assert(
    fc.property(columnPlans, layouts, (plans, { rows, bigEndian, seed, ...layout }) => {
      const model = plans.map((plan, i) => modelColumn(plan, i, seed, rows));
      using files = memoryFiles();
      writeAips(files, model, rows, layout);
      const manager = openAips(files, model.map(({ bound }) => bound), rows, bigEndian);
      assert.equal(manager.rowCount, rows);
      assert.equal(manager.name, layout.version === 1 ? "" : "Model");
      assertReadsModel(files, manager, model, rows, numbersFrom(seed));
    }),
    { numRuns: 150 },
  );
});

Deno.test("StManAipsIO holds what was put, whatever the columns and the changes", () => {
  const scenario = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 5 }),
    rows: fc.nat({ max: 60 }),
    bigEndian: fc.boolean(),
    actions: fc.array(anyAction, { minLength: 1, maxLength: 16 }),
    lookEach: fc.boolean(),
  });
  fc.assert(
    fc.property(scenario, ({ columns, rows, bigEndian, actions, lookEach }) => {
      const made = createInMemory(columns, rows, { bigEndian, kind: stManAipsIO });
      const checked = new Checked(columns, rows, made);
      for (const action of actions) {
        checked.apply(action);
        if (lookEach) checked.check();
      }
      checked.apply({ do: "reopen" });
      checked.check();
    }),
    { numRuns: 400 },
  );
});
