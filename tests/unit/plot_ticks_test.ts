/** Axes: nice ticks, units with prefixes, times as dates. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Quantity } from "../../src/plot/figure.ts";
import { axisOf, axisOfRange, timeText, valueText } from "../../src/plot/ticks.ts";

const plain: Quantity = { name: "N", unit: "", clock: null };
const utc: Quantity = { name: "TIME", unit: "s", clock: "UTC" };
/** 2021-06-15 00:00 in seconds since MJD 0. */
const DAY0 = 59380 * 86400;

const texts = (quantity: Quantity, low: number, high: number, most = 6) =>
  axisOfRange(quantity, low, high, most).ticks.map(({ text }) => text);

Deno.test("ticks stand at 1, 2 or 5 times a power of ten, with as many digits as tell them apart", () => {
  assert.deepEqual(texts(plain, 0, 10), ["0", "2", "4", "6", "8", "10"]);
  assert.deepEqual(texts(plain, -0.3, 0.3), ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]);
  assert.deepEqual(texts({ ...plain, whole: true }, 0, 2.5), ["0", "1", "2"]);
  assert.deepEqual(texts(plain, 5130450605, 5130450695, 3), ["5130450650"]);
});

Deno.test("ticks lie within the axis, in order, evenly, and are neither too many nor none", () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });
  fc.assert(
    fc.property(
      number,
      fc.double({ noNaN: true, min: 1e-6, max: 1e12 }),
      fc.integer({ min: 2, max: 12 }),
      (low, span, most) => {
        const high = low + span;
        fc.pre(high - low > Math.abs(low) * 1e-9);
        const axis = axisOfRange(plain, low, high, most);
        const slack = (high - low) * 1e-6;
        assert.ok(axis.ticks.length <= Math.ceil(most / 0.75) + 1);
        axis.ticks.forEach(({ at }, i) => {
          assert.ok(at >= low - slack && at <= high + slack);
          assert.ok(i === 0 || at > axis.ticks[i - 1]!.at);
        });
      },
    ),
  );
});

Deno.test("large and small units get prefixes that people use, other large numbers a power of ten", () => {
  const axis = (unit: string, high: number) => axisOf({ ...plain, unit }, 0, high, 5);
  assert.equal(axis("m", 12_000).label, "N (km)");
  assert.deepEqual(axis("m", 12_000).ticks.at(-1), { at: 12_000, text: "12" });
  assert.equal(axis("m", 6_400_000).label, "N (km)");
  assert.equal(axis("Hz", 1.4e9).label, "N (GHz)");
  assert.equal(axis("Jy", 0.012).label, "N (mJy)");
  assert.equal(axis("K", 300_000).label, "N (10³ K)");
  assert.equal(axis("", 2.5e-7).label, "N (10⁻⁹)");
  assert.equal(axis("Jy", 15).label, "N (Jy)");
});

Deno.test("an axis has room around its values, and begins at 0 where that is near", () => {
  assert.equal(axisOf(plain, 1, 10, 5).low, 0);
  assert.ok(axisOf(plain, 8, 10, 5).low > 7);
  assert.ok(axisOf(plain, -3, 10, 5).low < -3);
  const one = axisOf(plain, 4, 4, 5);
  assert.ok(one.low < 4 && one.high > 4);
  assert.deepEqual([axisOf({ ...plain, range: [-180, 180] }, 1, 2, 5).low], [-180]);
  assert.ok(axisOf(plain, Infinity, -Infinity, 5).ticks.length > 0);
});

Deno.test("times stand at whole seconds, minutes, hours and days, and the date is said once", () => {
  const axis = axisOfRange(utc, DAY0 + 18600, DAY0 + 18700, 4);
  assert.deepEqual(axis.ticks.map(({ text }) => text), ["05:10:00", "05:10:30", "05:11:00", "05:11:30"]);
  assert.equal(axis.label, "TIME (UTC, 2021-06-15)");
  assert.deepEqual(texts(utc, DAY0, DAY0 + 6 * 3600, 7).slice(0, 3), ["00:00", "01:00", "02:00"]);
  assert.deepEqual(texts(utc, DAY0 + 1, DAY0 + 1.5, 5), [
    "00:00:01.000",
    "00:00:01.100",
    "00:00:01.200",
    "00:00:01.300",
    "00:00:01.400",
    "00:00:01.500",
  ]);
  const night = axisOfRange(utc, DAY0 + 20 * 3600, DAY0 + 28 * 3600, 5);
  assert.deepEqual(night.ticks.map(({ text }) => text), ["20:00", "22:00", "06-16", "02:00", "04:00"]);
  assert.equal(night.label, "TIME (UTC, from 2021-06-15)");
  assert.deepEqual(texts(utc, DAY0, DAY0 + 4 * 86400, 5), [
    "2021-06-15",
    "2021-06-16",
    "2021-06-17",
    "2021-06-18",
    "2021-06-19",
  ]);
  assert.deepEqual(texts(utc, DAY0, DAY0 + 200 * 86400, 8), [
    "2021-07",
    "2021-08",
    "2021-09",
    "2021-10",
    "2021-11",
    "2021-12",
    "2022-01",
  ]);
  assert.deepEqual(texts(utc, DAY0, DAY0 + 4 * 365.25 * 86400, 5), ["2022", "2023", "2024", "2025"]);
  assert.equal(axisOfRange({ ...utc, clock: "TAI" }, DAY0, DAY0 + 60, 4).label, "TIME (TAI, 2021-06-15)");
});

Deno.test("times beyond all calendars are numbers", () => {
  assert.equal(timeText(1e300), "1e+300");
  assert.ok(axisOfRange(utc, 0, 1e300, 4).ticks.length > 0);
  assert.equal(timeText(DAY0 + 18605.5), "2021-06-15 05:10:05.5");
  assert.equal(valueText(utc, DAY0), "2021-06-15 00:00:00 UTC");
  assert.equal(valueText({ ...plain, unit: "Jy" }, 15.28731), "15.29 Jy");
});
