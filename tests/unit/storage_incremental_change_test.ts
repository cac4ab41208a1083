/** An IncrementalStMan against a model: random changes in small buckets, so that they are split, emptied and used again. */
import fc from "fast-check";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { isNumeric, numericInfo } from "../../src/array/dtype.ts";
import { elementsOf } from "../../src/array/rows.ts";
import type { BoundColumn } from "../../src/storage/manager.ts";
import { type Action, action, anyAction, Checked, column } from "./storage_incremental_change_model.ts";
import { createInMemory } from "./storage_standard_support.ts";

const RUNS = 1500;

/** Bytes that a row takes at most: the model has strings of up to 30 bytes. */
function rowBytes(columns: readonly BoundColumn[]): number {
  return columns.reduce((sum, { dtype, kind, direct, shape }) => {
    if (kind === "array" && !direct) return sum + 16 + 8;
    const elements = elementsOf(shape ?? []);
    return sum + 16 + elements * (isNumeric(dtype) ? numericInfo(dtype).size : 34) + 4;
  }, 4);
}

function holds(actions: fc.Arbitrary<Action>, more: number): void {
  const scenario = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 4 }),
    rows: fc.nat({ max: 60 }),
    bigEndian: fc.boolean(),
    rowsEach: fc.constantFrom(1, 1.5, 4, 20),
    actions: fc.array(actions, { minLength: 1, maxLength: 16 }),
    // Reading brings into the files what is only promised; so some runs look only at the end.
    lookEach: fc.boolean(),
  });
  fc.assert(
    fc.property(scenario, ({ columns, rows, bigEndian, rowsEach, actions, lookEach }) => {
      const spec = { bucketSize: Math.ceil(rowsEach * rowBytes(columns)) + more };
      const made = createInMemory(columns, rows, { bigEndian, spec, kind: incrementalStMan });
      const checked = new Checked(columns, rows, made);
      if (lookEach) checked.check();
      for (const action of actions) {
        checked.apply(action);
        if (lookEach) checked.check();
      }
      checked.check();
      checked.apply({ do: "reopen" });
      checked.check();
    }),
    { numRuns: RUNS },
  );
}

Deno.test("an IncrementalStMan holds what was put, whatever the columns, the changes and the byte order", () => {
  holds(action, 0);
});

Deno.test("columns come and go in an IncrementalStMan as in the model", () => {
  holds(anyAction, 4 * 340);
});
