/** What plans of a StandardStMan ask for: how many steps, of which kind, over which bytes. */
import assert from "node:assert/strict";
import { rowList, rowRange } from "../../src/array/rows.ts";
import { runSync } from "../../src/io/drivers.ts";
import type { Plan, Step } from "../../src/io/plan.ts";
import type { CellTarget } from "../../src/storage/manager.ts";
import { type Bench, bound, createInMemory, reopened } from "./storage_standard_support.ts";

/** Runs a plan and keeps its steps. */
function stepsOf(plan: Plan<unknown>, bench: Bench): Step[] {
  const steps: Step[] = [];
  const watched = (function* (): Plan<unknown> {
    let next = plan.next();
    while (!next.done) {
      steps.push(next.value);
      next = plan.next(yield next.value);
    }
    return next.value;
  })();
  runSync(watched, bench.files);
  return steps;
}

function kindsOf(steps: readonly Step[]): string[] {
  return steps.map((step) => step.kind);
}

function numericTarget(bytes: number): CellTarget {
  return { kind: "numeric", bytes: new Uint8Array(bytes) };
}

Deno.test("a column of scalars is one gather with an extent a bucket, of that column's area only", () => {
  const columns = [
    bound("wide", "float64", { kind: "array", shape: [1000], direct: true }),
    bound("n", "int32"),
  ];
  const bench = reopened(createInMemory(columns, 40, { spec: { bucketRows: 4 } }));
  const plan = bench.manager.column(1).read(rowRange(2, 11), [], null, numericTarget(44), 0);
  const steps = stepsOf(plan, bench);
  assert.deepEqual(kindsOf(steps), ["gather"]);
  const [step] = steps;
  assert.ok(step?.kind === "gather");
  // 32,016 bytes a bucket of 4 rows: rows 2 to 12 are in buckets 0 to 3.
  const area = (bucket: number, slot: number) => 512 + bucket * 32_016 + 32_000 + 4 * slot;
  assert.deepEqual(step.extents.map(({ offset, length }) => [offset, length]), [
    [area(0, 2), 8],
    [area(1, 0), 16],
    [area(2, 0), 16],
    [area(3, 0), 4],
  ]);
  assert.equal(step.moves.count, 4);
  assert.equal(step.moves.ndim, 1);
});

Deno.test("rows in any order are gathered in file order", () => {
  const columns = [
    bound("n", "int32"),
    bound("pad", "float64", { kind: "array", shape: [1000], direct: true }),
  ];
  const bench = reopened(createInMemory(columns, 40, { spec: { bucketRows: 4 } }));
  const plan = bench.manager.column(0).read(rowList([39, 3, 20, 2, 3]), [], null, numericTarget(20), 0);
  const [step] = stepsOf(plan, bench);
  assert.ok(step?.kind === "gather");
  assert.deepEqual(step.extents.map(({ offset }) => Math.floor((offset - 512) / 32_016)), [0, 5, 9]);
});

Deno.test("a Direct Bool array is one move of bits a bucket", () => {
  const columns = [bound("b", "bool", { kind: "array", shape: [3], direct: true })];
  const bench = reopened(createInMemory(columns, 800, { spec: { bucketRows: 400 } }));
  const plan = bench.manager.column(0).read(rowRange(0, 800), [3], null, numericTarget(2400), 0);
  const [step] = stepsOf(plan, bench);
  assert.ok(step?.kind === "gather");
  assert.equal(step.moves.kind, "bits");
  assert.equal(step.moves.count, 2);
  assert.deepEqual([...step.moves.data.subarray(0, 5)], [512 * 8, 0, 1200, 1, 1]);
});

Deno.test("new arrays of fixed shape are written once, in pieces of a megabyte, without reading", () => {
  const columns = [bound("d", "complex64", { kind: "array", shape: [4, 64] }), bound("f", "bool")];
  const bench = createInMemory(columns, 1000);
  const source = { kind: "numeric", bytes: new Uint8Array(1000 * 2048).fill(1) } as const;
  const steps = stepsOf(bench.manager.column(0).write!(rowRange(0, 1000), [4, 64], null, source, 0), bench);
  assert.deepEqual(kindsOf(steps), ["gather", "write", "write"]);
  const written = steps.slice(1).map((step) => step.kind === "write" ? [step.file, step.bytes.length] : []);
  // Records of 12 + 2048 bytes, 2064 apart.
  assert.deepEqual(written, [["table.f0i", 508 * 2064 - 4], ["table.f0i", 492 * 2064 - 4]]);

  const again = reopened(bench);
  const rows = rowRange(0, 1000);
  const shapes = stepsOf(again.manager.column(0).shapes(rows), again);
  assert.deepEqual(kindsOf(shapes), ["gather", "gather"]);
  const read = () => again.manager.column(0).read(rows, [4, 64], null, numericTarget(1000 * 2048), 0);
  const gathers = stepsOf(read(), again);
  // Where the arrays are was found out with their shapes.
  assert.deepEqual(kindsOf(gathers), ["gather"]);
  assert.ok(gathers[0]?.kind === "gather" && gathers[0].moves.count === 2);
});

Deno.test("a string column is its references and then each string bucket once", () => {
  const bench = createInMemory([bound("s", "string")], 300, { spec: { bucketSize: 1000 } });
  bench.put(0, Array.from({ length: 300 }, (_, i) => `a string of its own, number ${i}`));
  const again = reopened(bench);
  const values: unknown[] = new Array(300);
  const target = { kind: "strings", values, decode: (bytes: Uint8Array) => bytes.length } as const;
  // Rows in an order that jumps from bucket to bucket.
  const rows = rowList(Array.from({ length: 300 }, (_, i) => i * 7 % 300));
  const steps = stepsOf(again.manager.column(0).read(rows, [], null, target, 0), again);
  assert.equal(steps[0]?.kind, "gather");
  const read = steps.slice(1).flatMap((step) => step.kind === "read" ? step.ranges : []);
  assert.ok(steps.length <= 3, `${steps.length} steps`);
  const bytes = read.reduce((sum, range) => sum + range.length, 0);
  assert.equal(bytes, 1000 * (again.manager.info.stringBuckets as number));
});

Deno.test("creating, putting, opening and getting 1,000 arrays and flags takes few calls", () => {
  const columns = [bound("d", "complex64", { kind: "array", shape: [4, 64] }), bound("f", "bool")];
  const bench = createInMemory(columns, 1000);
  bench.put(0, new Array(1000 * 512).fill(1));
  bench.put(1, new Array(1000).fill(1));
  const again = reopened(bench);
  assert.equal(again.cells(0).length, 1000);
  assert.equal(again.cells(1).length, 1000);
  again.files.close();
  const calls = bench.backend.stats.snapshot().totalCalls + again.backend.stats.snapshot().totalCalls;
  // casacore 3.5 takes 798 for the whole table.
  assert.ok(calls <= 40, `${calls} calls on the manager's files`);
});

Deno.test("flushing without changes writes nothing; after a put of values it leaves index and header alone", () => {
  const bench = reopened(createInMemory([bound("n", "int32")], 100));
  assert.equal(bench.manager.dirty, false);
  assert.deepEqual(stepsOf(bench.manager.flush!(), bench), []);
  bench.put(0, new Array(100).fill(3));
  assert.equal(bench.manager.dirty, true);
  assert.deepEqual(stepsOf(bench.manager.flush!(), bench), []);
  bench.addRows(1);
  const kinds = kindsOf(stepsOf(bench.manager.flush!(), bench));
  // Data, then the index, then the header, with nothing out of order.
  assert.deepEqual(kinds.filter((kind) => kind === "barrier").length, 2);
  assert.equal(kinds[0], "barrier");
  assert.deepEqual(kinds.slice(-2), ["barrier", "write"]);
});
