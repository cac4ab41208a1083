/** Statistics, beside those of a plain loop over all values; quantiles beyond what is kept, beside their own bound. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { array, Context, type NDArray, scalar, Table } from "../../mod.ts";
import { columnStatistics, type GroupStatistics, textStatistics } from "../../src/query/mod.ts";
import { Moments } from "../../src/query/moments.ts";
import { Quantiles } from "../../src/query/quantiles.ts";
import { fixturePath } from "../fixture.ts";

const MS = new URL("../../examples/data/sim.ms", import.meta.url).pathname;

/** The definition. */
function plain(values: number[], fractions: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const at = (fraction: number) => {
    const rank = fraction * (sorted.length - 1), low = sorted[Math.floor(rank)]!;
    return low + (sorted[Math.ceil(rank)]! - low) * (rank - Math.floor(rank));
  };
  return {
    count: values.length,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    mean,
    std: Math.sqrt(squares / values.length),
    quantiles: fractions.map(at),
  };
}

function close(found: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(found - expected) <= 1e-12 * Math.max(1, Math.abs(expected)),
    `${what}: ${found}, not ${expected}`,
  );
}

function assertGroup(
  group: GroupStatistics,
  values: number[],
  fractions: readonly number[],
  what: string,
): void {
  const expected = plain(values, fractions);
  assert.equal(group.count, expected.count, what);
  close(group.min, expected.min, `${what}, min`);
  close(group.max, expected.max, `${what}, max`);
  close(group.mean, expected.mean, `${what}, mean`);
  close(group.std, expected.std, `${what}, std`);
  group.quantiles.forEach((value, i) =>
    close(value, expected.quantiles[i]!, `${what}, quantile ${fractions[i]}`)
  );
}

const PARTS = {
  amplitude: (re: number, im: number) => Math.hypot(re, im),
  phase: (re: number, im: number) => Math.atan2(im, re),
  real: (re: number, _: number) => re,
  imag: (_: number, im: number) => im,
} as const;

Deno.test("DATA of a MeasurementSet by correlation and channel, without what is flagged, is what a plain loop finds", () => {
  using ms = Table.open(MS);
  const parts = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const quantiles = [0, 0.1, 0.5, 1];
  for (const axes of [[], [0], [1], [1, 0]]) {
    const values = new Map<string, number[]>();
    let flagged = 0;
    const rowFlags = ms.getColumn("FLAG_ROW", { dtype: "bool" }).data;
    for (let row = 0; row < ms.rowCount; row++) {
      const { shape, data } = ms.getCell("DATA", row) as NDArray<"complex64">;
      const flags = ms.getCell("FLAG", row) as NDArray<"bool">;
      for (let i = 0; i < flags.data.length; i++) {
        if (flags.data[i] !== 0 || rowFlags[row] !== 0) {
          flagged++;
          continue;
        }
        const index = [i % shape[0]!, Math.floor(i / shape[0]!)];
        for (const part of parts) {
          const key = `${axes.map((axis) => index[axis])}:${part}`;
          values.set(key, [...values.get(key) ?? [], PARTS[part](data[2 * i]!, data[2 * i + 1]!)]);
        }
      }
      if (axes.length !== 1 && row > 60) break;
    }
    const rows = { end: axes.length === 1 ? ms.rowCount : 62 };
    const found = columnStatistics(ms, "DATA", { axes, parts, quantiles, rows, flags: ["FLAG", "FLAG_ROW"] });
    // A channel that is flagged all along has a group without numbers.
    assert.equal(found.groups.filter(({ count }) => count > 0).length, values.size);
    assert.equal(found.groups.reduce((sum, group) => sum + group.flagged, 0), flagged * parts.length);
    for (const group of found.groups) {
      const key = `${group.place}:${group.part}`;
      if (group.count > 0) assertGroup(group, values.get(key)!, quantiles, key);
    }
  }
});

Deno.test("undefined cells, NaN and infinities are counted and left out; cells may have any shapes", () => {
  using table = Table.create("/t", {
    columns: [array("A", "float64"), scalar("B", "bool"), scalar("I", "int64"), array("E", "int16")],
    rows: 6,
    io: "memory",
    lock: "none",
    context: new Context(),
  });
  table.putCell("A", 1, { dtype: "float64", shape: [2, 2], data: Float64Array.of(1, NaN, 3, Infinity) });
  table.putCell("A", 2, { dtype: "float64", shape: [3], data: Float64Array.of(-Infinity, 6, NaN) });
  table.putCell("A", 4, { dtype: "float64", shape: [0], data: new Float64Array() });
  const [all] = columnStatistics(table, "A").groups;
  assert.deepEqual([all!.count, all!.nan, all!.infinite, all!.min, all!.max], [3, 2, 2, 1, 6]);
  assert.equal(columnStatistics(table, "A").undefined, 3);
  const byFirst = columnStatistics(table, "A", { axes: [0] }).groups;
  assert.deepEqual(byFirst.map(({ place, count, mean }) => [place, count, mean]), [[[0], 2, 2], [[1], 1, 6], [
    [2],
    0,
    NaN,
  ]]);
  assert.throws(() => columnStatistics(table, "A", { axes: [1] }), {
    code: "OUT_OF_RANGE",
    message: /row 2/,
  });
  table.putCell("B", 5, true);
  close(columnStatistics(table, "B").groups[0]!.mean, 1 / 6, "mean of flags");
  table.putColumn("I", BigInt64Array.of(5n, -5n, 2n ** 40n, 0n, 0n, 0n));
  assert.deepEqual([-5, 2 ** 40], [
    columnStatistics(table, "I").groups[0]!.min,
    columnStatistics(table, "I").groups[0]!.max,
  ]);
  const [none] = columnStatistics(table, "E").groups;
  assert.deepEqual([none!.count, none!.min, none!.mean, none!.std, none!.quantiles], [0, NaN, NaN, NaN, [
    NaN,
    NaN,
    NaN,
  ]]);
  assert.deepEqual(columnStatistics(table, "A", { rows: { start: 2, end: 3 } }).groups[0]!.count, 1);
});

Deno.test("cells larger than a block have the statistics of their elements, by place too", () => {
  using table = Table.create("/t", {
    columns: [array("A", "float32"), array("F", "bool")],
    rows: 1,
    io: "memory",
    lock: "none",
    context: new Context(),
  });
  const shape = [1100, 3, 700];
  const data = Float32Array.from({ length: 1100 * 3 * 700 }, (_, i) => Math.floor(i / 1100) % 3);
  table.putCell("A", 0, { dtype: "float32", shape, data });
  table.putCell("F", 0, { dtype: "bool", shape, data: new Uint8Array(data.length).fill(1, 0, 1100) });
  const { groups } = columnStatistics(table, "A", { axes: [1], flags: ["F"] });
  const found = groups.map(({ place, count, flagged, min, max }) => [...place, count, flagged, min, max]);
  assert.deepEqual(found, [[0, 770000 - 1100, 1100, 0, 0], [1, 770000, 0, 1, 1], [2, 770000, 0, 2, 2]]);
});

Deno.test("what there are no statistics of is refused", () => {
  using ms = Table.open(MS);
  const refused = (column: string, options: object, code: string) =>
    assert.throws(() => columnStatistics(ms, column, options), { code });
  refused("NONE", {}, "NO_SUCH_COLUMN");
  refused("TIME", { axes: [0] }, "OUT_OF_RANGE");
  refused("DATA", { axes: [2] }, "OUT_OF_RANGE");
  refused("DATA", { axes: [-1] }, "OUT_OF_RANGE");
  refused("DATA", { flags: ["TIME"] }, "TYPE_MISMATCH");
  refused("WEIGHT", { flags: ["FLAG"] }, "SHAPE_MISMATCH");
  refused("DATA", { quantiles: [1.5] }, "INVALID_ARGUMENT");
  refused("DATA", { rows: { end: 1e6 } }, "OUT_OF_RANGE");
  using antennas = ms.subtable("ANTENNA");
  assert.throws(() => columnStatistics(antennas, "NAME"), { code: "TYPE_MISMATCH" });
  assert.throws(() => textStatistics(antennas, "POSITION"), { code: "TYPE_MISMATCH" });
});

Deno.test("strings have counts, lengths, and a first and last", () => {
  using antennas = Table.open(`${MS}/ANTENNA`);
  const found = textStatistics(antennas, "NAME");
  assert.deepEqual([found.count, found.distinct, found.first, found.last, found.longest], [
    7,
    7,
    "ea01",
    "ea07",
    4,
  ]);
  using empty = Table.open(fixturePath("ssm_zero_le"));
  const name = empty.columnNames.find((column) => empty.column(column).dtype === "string")!;
  const none = textStatistics(empty, name);
  assert.deepEqual([none.count, none.distinct, none.first, none.shortest], [0, 0, null, NaN]);
});

Deno.test("mean and std keep their digits where the mean is large beside the spread", () => {
  const moments = new Moments();
  for (let k = 0; k < 1000; k++) moments.add(Float64Array.of(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16));
  close(moments.mean, 1e9 + 10, "mean");
  close(moments.std, Math.sqrt(22.5), "std");
});

Deno.test("quantiles beyond what is kept are within the bound that is told, whatever the order of the values", () => {
  const orders = {
    rising: (i: number, _: number) => i,
    falling: (i: number, n: number) => n - i,
    shuffled: (i: number, n: number) => (i * 48271) % n,
    waves: (i: number, _: number) => Math.sin(i),
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(orders) as (keyof typeof orders)[]),
      fc.integer({ min: 1, max: 60_000 }),
      fc.constantFrom(2, 16, 256, 1000),
      (order, n, capacity) => {
        const values = Float64Array.from({ length: n }, (_, i) => orders[order](i, n));
        const quantiles = new Quantiles(capacity);
        for (let at = 0; at < n; at += 700) quantiles.add(values.subarray(at, at + 700));
        const sorted = values.toSorted();
        assert.equal(quantiles.count, n);
        if (n < capacity) assert.equal(quantiles.error, 0);
        const fractions = [0, 0.01, 0.25, 0.5, 0.9, 1];
        quantiles.at(fractions).forEach((value, i) => {
          const rank = fractions[i]! * (n - 1), slack = quantiles.error * n + 1;
          const low = sorted[Math.max(0, Math.floor(rank - slack))]!;
          const high = sorted[Math.min(n - 1, Math.ceil(rank + slack))]!;
          assert.ok(
            value >= low && value <= high,
            `${order} ${n} ${capacity}: ${fractions[i]} gives ${value}`,
          );
        });
      },
    ),
    { numRuns: 60 },
  );
  const many = new Quantiles();
  for (let k = 0; k < 64; k++) many.add(Float64Array.from({ length: 65536 }, (_, i) => i * 64 + k));
  assert.ok(many.error > 0 && many.error < 2e-4, String(many.error));
});
