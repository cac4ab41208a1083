/** An IncrementalStMan against a model: random changes in small buckets, so that they are split, emptied and used again. */
import fc from "fast-check";
import { incrementalStMan } from "../../src/storage/incremental/mod.ts";
import { action, Checked, column } from "./storage_incremental_change_model.ts";
import { createInMemory } from "./storage_standard_support.ts";

const RUNS = 400;

function holds(actions: fc.Arbitrary<Parameters<Checked["apply"]>[0]>, bucketSizes: readonly number[]): void {
  const scenario = fc.record({
    columns: fc.array(column, { minLength: 1, maxLength: 4 }),
    rows: fc.nat({ max: 60 }),
    bigEndian: fc.boolean(),
    bucketSize: fc.constantFrom(...bucketSizes),
    actions: fc.array(actions, { minLength: 1, maxLength: 16 }),
    // Reading brings into the files what is only promised; so some runs look only at the end.
    lookEach: fc.boolean(),
  });
  fc.assert(
    fc.property(scenario, ({ columns, rows, bigEndian, bucketSize, actions, lookEach }) => {
      const spec = { bucketSize };
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

// Four columns of nine strings of 30 bytes each fit into 1400 bytes; one of them in 400.
Deno.test("an IncrementalStMan holds what was put, whatever the columns, the changes and the byte order", () => {
  holds(action, [1400, 2000, 32768]);
});
