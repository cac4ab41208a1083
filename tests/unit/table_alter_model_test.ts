/**
 * Random sequences of all changes of a table against a model in memory: after each the table shows what the model has, after
 * each commit whoever opens the table finds it, and a check of the files finds nothing.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { checkTable, Context } from "../../mod.ts";
import { Bench, type Change, type ManagerName } from "./table_alter_support.ts";

const number = fc.nat({ max: 1e6 });
const changes: fc.Arbitrary<Change[]> = fc.array(fc.tuple(number, number, number, number), {
  minLength: 1,
  maxLength: 25,
});
const chosen = fc.array(fc.tuple(number, number), { minLength: 0, maxLength: 5 });

const SETS: Readonly<Record<string, readonly ManagerName[]>> = {
  "all managers": ["standard", "incremental", "aipsio", "memory", "shape", "column", "cell"],
  "managers whose rows can be removed": ["standard", "incremental", "aipsio", "memory"],
  "StandardStMan": ["standard"],
  "IncrementalStMan": ["incremental"],
  "StManAipsIO": ["aipsio"],
  "MemoryStMan": ["memory"],
  "tiled managers": ["shape", "column", "cell"],
};

for (const [name, managers] of Object.entries(SETS)) {
  Deno.test(`anything may be done to a table with ${name}, and it holds what a model has`, () => {
    fc.assert(
      fc.property(chosen, fc.nat({ max: 12 }), fc.boolean(), changes, (columns, rows, big, sequence) => {
        const context = new Context();
        const options = { io: "memory", context, ...(big ? { byteOrder: "big" } : {}) };
        const bench = Bench.create({ path: "/t", options, managers }, columns, rows);
        bench.check();
        for (const change of sequence) {
          bench.change(change);
          bench.check();
          bench.checkCommitted();
        }
        bench.flush();
        bench.checkCommitted();
        bench.reopen();
        bench.check();
        bench.close();
        const found = checkTable("/t", { io: "memory", context }).findings.filter(({ note }) => !note);
        assert.deepEqual(found, []);
      }),
      { numRuns: Number(Deno.env.get("RUNS") ?? 40), seed: Number(Deno.env.get("SEED") ?? 20261121) },
    );
  });
}
