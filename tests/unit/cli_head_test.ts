import assert from "node:assert/strict";
import { array, scalar, Table } from "../../mod.ts";
import { runTable } from "../../src/cli/main.ts";
import { allFixtures, fixturePath, temporaryFolder } from "../fixture.ts";
import { caughtTerminal, ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

Deno.test("head prints the first rows, tail the last, with their numbers", async () => {
  const columns = ["--columns", "TIME,ANTENNA2,DATA"];
  assert.deepEqual((await table("head", MS, "-n", "2", ...columns)).out.split("\n"), [
    "row        TIME  ANTENNA2  DATA",
    "  0  5130450605         0  [4,16] 15.0737+0.0844423i, 0.57…",
    "  1  5130450605         1  [4,16] 14.7305+0.151309i, 0.475…",
    "",
  ]);
  const tail = (await table("tail", MS, "-n", "2", ...columns)).out.split("\n");
  assert.match(tail[1]!, /^558 .* \[4,8\] /);
  assert.match(tail[2]!, /^559 /);
  assert.equal((await table("head", MS)).out.split("\n").length, 1 + 10 + 1 + 1);
});

Deno.test("head and tail of fewer rows than asked for print them all; of no rows the titles", async () => {
  const minimal = fixturePath("minimal_le");
  assert.equal((await table("tail", minimal, "-n", "99")).out, (await table("head", minimal)).out);
  assert.equal((await table("head", minimal, "-n", "0")).out.split("\n").length, 2);
  assert.deepEqual([(await table("head", fixturePath("no_columns"))).status], [0]);
});

Deno.test("head --json prints rows as cat does, tail --json the last ones", async () => {
  const columns = ["--columns", "TIME,UVW"];
  const cat = await table("cat", MS, ...columns, "--rows", "0:10");
  assert.deepEqual(await table("head", MS, "--json", ...columns), cat);
  const last = await table("cat", MS, ...columns, "--rows", "557:");
  assert.deepEqual(await table("tail", MS, "-n", "3", "--json", ...columns), last);
});

Deno.test("no line of head is wider than the terminal, and columns without room are named", async () => {
  for (const width of [40, 80, 200]) {
    const { caught, terminal } = caughtTerminal(width);
    assert.equal(await runTable(["head", MS], terminal), 0);
    const lines = caught.out.split("\n");
    for (const line of lines) assert.ok([...line].length <= width, line);
    assert.match(lines.at(-2)!, /^\d+ more columns \(--columns\): \w+/);
  }
});

Deno.test("head shows undefined cells as a dash, and no more than the beginning of a large cell is read", async () => {
  using folder = temporaryFolder();
  {
    using made = Table.create(`${folder.path}/t`, {
      columns: [array("A", "float64", { ndim: 2 }), scalar("S", "string")],
      rows: 2,
      lock: "none",
    });
    made.putCell("A", 1, { dtype: "float64", shape: [2, 2], data: Float64Array.of(1 / 3, 2, 3, 4) });
    made.putColumn("S", ["a\nb", "\x1b[31m"]);
  }
  assert.deepEqual((await table("head", `${folder.path}/t`)).out.split("\n"), [
    "row  A                        S",
    "  0  –                        a\\nb",
    "  1  [2,2] 0.333333, 2, 3, 4  \\x1b[31m",
    "",
  ]);
});

for (const { name } of allFixtures()) {
  Deno.test(`head and tail print ${name}`, async () => {
    for (const command of ["head", "tail"]) {
      const { status, out, err } = await table(command, fixturePath(name));
      assert.equal(status, 0, err.join());
      assert.doesNotMatch(out, /undefined|\[object|NaN\+undefinedi/);
    }
  });
}
