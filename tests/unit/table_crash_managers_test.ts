/**
 * Crash points over every storage manager that can be written: some of each kind here, more than ten thousand in
 * `deno task test:long`.
 */
import assert from "node:assert/strict";
import { KINDS } from "../changing-tables.ts";
import { type CrashCount, tryCrashes } from "../crash-points.ts";

for (const kind of KINDS) {
  for (const durable of [false, true]) {
    const what = durable ? "the power goes during durable commits" : "its writer dies at any instant";
    Deno.test(`${kind.name}: when ${what}, a table is that before or that after`, () => {
      const count: CrashCount = { points: 0, before: 0, after: 0, nested: 0, operations: 0 };
      const [seeds, commits, points] = kind.large ? [1, 2, 4] : [2, 5, 8];
      for (let seed = 1; seed <= seeds; seed++) tryCrashes({ kind, seed, commits, points, durable }, count);
      assert(count.before > 0 && count.after > 0, JSON.stringify(count));
    });
  }
}
