import assert from "node:assert/strict";
import { ingestMarkdown, kept, type Line, ratiosTo, valueOf } from "../../bench/ingest/report.ts";
import { inTurn, quantile } from "../../bench/ingest/setting.ts";

const line = (unit: Line["unit"], ours: number[], theirs: number[]): Line => ({
  what: "a work",
  unit,
  sides: { Tessera: ours, C: theirs },
  bounds: [],
});

Deno.test("a ratio above 1 means faster, of rates as of times", () => {
  assert.deepEqual(ratiosTo(line("MiB/s", [200, 300], [100, 100]), "C"), [2, 3]);
  assert.deepEqual(ratiosTo(line("ms", [1, 2], [4, 4]), "C"), [4, 2]);
  assert.equal(ratiosTo(line("ms", [1], [4]), "nobody"), null);
});

Deno.test("bounds are of the median of the ratios, of the median, of the worst, of the spread", () => {
  const some = line("MiB/s", [80, 100, 300], [100, 100, 100]);
  assert.equal(valueOf(some, { kind: "ratio", against: "C", atLeast: 1 }), 1);
  assert.equal(kept(some, { kind: "ratio", against: "C", atLeast: 1 }), true);
  assert.equal(kept(some, { kind: "ratio", against: "C", atLeast: 1.01 }), false);
  assert.equal(kept(some, { kind: "ratio", against: "C", atLeast: null }), null);
  assert.equal(kept(some, { kind: "ratio", against: "nobody", atLeast: 1 }), null);
  assert.equal(kept(some, { kind: "value", atMost: 100 }), true);
  assert.equal(kept(some, { kind: "worst", atMost: 299 }), false);
  assert.equal(valueOf(some, { kind: "spread", atMost: 1 }), 2.2);
});

Deno.test("a run says how many of its bounds are kept", () => {
  const lines: Line[] = [{
    ...line("MiB/s", [200], [100]),
    bounds: [{ kind: "ratio", against: "C", atLeast: 3 }, { kind: "worst", atMost: 200 }],
  }];
  const parts = [{ name: "a", title: "A part", lines, grids: [], notes: ["a note"], seconds: 30 }];
  const text = ingestMarkdown({ date: "2026-11-21", cores: 2, load: [1, 2], parts });
  assert.match(text, /0\.5 minutes\. 1 of 2 bounds are kept/);
  assert.match(text, /2 × C \(at least 3 ✗\); largest 200 \(at most 200 MiB\/s ✓\)/);
  assert.match(text, /^- a note$/m);
});

Deno.test("sides take turns, and the first round doesn't count", async () => {
  const order: string[] = [];
  let next = 0;
  const side = (name: string) => () => {
    order.push(name);
    return Promise.resolve(next++);
  };
  assert.deepEqual(await inTurn(2, { a: side("a"), b: side("b") }), { a: [2, 4], b: [3, 5] });
  assert.equal(order.join(""), "ababab");
});

Deno.test("99 of 100 are below the quantile", () => {
  const list = Array.from({ length: 100 }, (_, i) => i);
  assert.equal(quantile(list, 0.99), 99);
  assert.equal(quantile(list, 0.5), 50);
});
