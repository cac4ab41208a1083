/** IncrementalStMan against a model: any cells in any layout read as they were written, however they are asked for. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Layout,
  memoryFiles,
  openIncremental,
  writeIncremental,
} from "./storage_incremental_support.ts";
import { assertReadsModel, columnPlans, modelColumn, numbersFrom } from "./storage_model_support.ts";

const layouts = fc.record({
  bigEndian: fc.boolean(),
  rows: fc.integer({ min: 1, max: 60 }),
  cuts: fc.array(fc.integer({ min: 1, max: 59 }), { maxLength: 6 }),
  wide: fc.boolean(),
  scattered: fc.boolean(),
  repeated: fc.boolean(),
  // Buckets of more than a megabyte are not read whole.
  large: fc.nat(19).map((n) => n === 0),
  seed: fc.nat(100_000),
});

/** Numbers of buckets in any order, for some seeds with free buckets between. */
function bucketNumbers(buckets: number, gaps: boolean, random: () => number): number[] {
  const order = Array.from({ length: buckets }, (_, j) => ({ j, key: random() })).sort((a, b) =>
    a.key - b.key
  );
  const numbers: number[] = [];
  order.forEach(({ j }, place) => numbers[j] = gaps ? 2 * place : place);
  return numbers;
}

Deno.test("IncrementalStMan reads any cells in any layout as they were written", () => {
  fc.assert(
    fc.property(columnPlans, layouts, (plans, { rows, cuts, large, seed, ...form }) => {
      const random = numbersFrom(seed);
      const model = plans.map((plan, i) => modelColumn(plan, i, seed, rows));
      const starts = [...new Set([0, ...cuts.filter((cut) => cut < rows), rows])].sort((a, b) => a - b);
      const numbers = bucketNumbers(starts.length - 1, !large && seed % 2 === 1, random);
      const layout: Layout = { ...form, starts, numbers, ...(large ? { bucketBytes: 2 ** 20 + 77 } : {}) };
      using files = memoryFiles();
      const blob = writeIncremental(files, model, layout);
      const manager = openIncremental(files, model.map(({ bound }) => bound), rows, layout.bigEndian, blob);
      assert.equal(manager.rowCount, rows);
      assertReadsModel(files, manager, model, rows, random);
    }),
    { numRuns: 150 },
  );
});
