import assert from "node:assert/strict";
import { IoStats } from "../../src/io/counters.ts";
import { statsLines } from "../../src/cli/statistics.ts";
import { ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;

Deno.test("a histogram of durations is one line, with what was called only", () => {
  const none = new IoStats().snapshot(), read = none.latency.read.slice();
  read[8] = 2;
  read[9] = 3;
  read[24] = 1;
  assert.deepEqual(statsLines([none]).filter((line) => line.startsWith("took")), []);
  const lines = statsLines([{ ...none, latency: { ...none.latency, read } }, none]);
  assert.equal(lines.at(-1), "took   read <512ns 2, <1µs 3, <34ms 1");
});

Deno.test("--stats says how long calls took, each of them once", async () => {
  const { err } = await table("head", MS, "--stats");
  const reads = Number(/\bread (\d+)/.exec(err.find((line) => line.startsWith("calls"))!)![1]);
  const took = err.find((line) => line.startsWith("took   read "))!;
  const counts = [...took.matchAll(/<\S+ (\d+)/g)].map(([, count]) => Number(count));
  assert.equal(counts.reduce((sum, count) => sum + count, 0), reads);
});

Deno.test("--stats-format openmetrics prints the counters for what scrapes them", async () => {
  for (const args of [["show", MS], ["cat", MS, "--rows", ":2", "--format", "ndjson"], ["schema", MS]]) {
    const plain = await table(...args), counted = await table(...args, "--stats-format", "openmetrics");
    assert.equal(counted.out, plain.out);
    assert.equal(counted.err.at(-1), "# EOF");
    assert.ok(counted.err.some((line) => /^tessera_io_calls_total\{kind="read"\} [1-9]/.test(line)));
  }
  assert.equal((await table("show", MS, "--stats-format", "none")).status, 2);
});
