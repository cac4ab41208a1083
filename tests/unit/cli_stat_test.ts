import assert from "node:assert/strict";
import { runTable } from "../../src/cli/main.ts";
import { caughtTerminal, ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

Deno.test("stat prints a line for each group, and digits that tell its numbers apart", async () => {
  assert.deepEqual((await table("stat", MS, "UVW", "--axis", "0")).out.split("\n").slice(0, 3), [
    "UVW (float64): 560 rows",
    "axis 0  count       min      25 %    median     75 %      max      mean      std",
    "     0    560   -1433.8  -530.786  -77.7737        0   814.04  -200.365  495.191",
  ]);
  const time = (await table("stat", MS, "TIME")).out.split("\n");
  assert.match(time[2]!, /^ +560 +5130450605 .* 5130450695 /);
  const flagged = await table("stat", MS, "DATA", "--axis", "correlation", "--flag", "FLAG,FLAG_ROW");
  assert.match(flagged.out, /^correlation +part +count +flagged/m);
  assert.match(flagged.out, /^ +3 +phase +5,269 +1,451 /m);
});

Deno.test("no number of stat is cut, however narrow the terminal", async () => {
  for (const width of [60, 80, 120]) {
    const { caught, terminal } = caughtTerminal(width);
    assert.equal(await runTable(["stat", MS, "DATA", "--axis", "corr", "--flag", "FLAG"], terminal), 0);
    for (const line of caught.out.split("\n")) assert.ok(line.length <= width && !line.includes("…"), line);
  }
});

Deno.test("stat --json has everything, NaN as text", async () => {
  const { groups, undefined: without } = JSON.parse((await table("stat", MS, "FLAG_CATEGORY", "--json")).out);
  assert.deepEqual([without, groups[0].count, groups[0].mean], [560, 0, "NaN"]);
  const { out } = await table("stat", `${MS}/ANTENNA`, "NAME", "--json");
  assert.equal(JSON.parse(out).last, "ea07");
  assert.match((await table("stat", `${MS}/ANTENNA`, "NAME")).out, /\n +7 +0 +7 +4 +4 +ea01 +ea07\n$/);
});

Deno.test("stat ends as it should when it is asked what makes no sense", async () => {
  for (
    const [status, ...args] of [
      [2, "DATA", "--axis", "frequency"],
      [2, "DATA", "--parts", "modulus"],
      [2, "DATA", "--quantiles", "50"],
      [2, "DATA", "--rows", "x"],
      [2],
      [1, "NONE"],
      [1, "DATA", "--axis", "7"],
      [1, "TIME", "--flag", "TIME"],
      [1, "TIME", "--rows", "0:9999"],
    ] as const
  ) {
    const { status: found, out, err } = await table("stat", MS, ...args);
    assert.deepEqual([found, out], [status, ""], args.join(" "));
    assert.ok(err.length > 0);
    if (status === 1) assert.equal(err.length, 1);
  }
});
