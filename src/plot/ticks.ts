/**
 * Axes: where the ticks are, and what stands at them. Ticks lie at 1, 2 or 5 times a power of ten, those of times at whole
 * seconds, minutes, hours, days, months or years.
 */
import type { Quantity } from "./figure.ts";

/** A tick and its text. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** An axis that is ready to be drawn. */
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly Tick[];
  /** Name and unit. */
  readonly label: string;
}

/** 1970-01-01 as a modified Julian date. */
const UNIX_EPOCH_DAY = 40587;
const DAY = 86400, HOUR = 3600, MINUTE = 60;
/** Steps between times that people read easily, in seconds. */
const TIME_STEPS = [
  ...[1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10].map((n) => n * DAY),
];
/** The same in months. */
const MONTH_STEPS = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const DAYS_A_MONTH = 30.44;
/** Powers of a thousand of units that take prefixes. */
const PREFIXES: Readonly<Record<number, string>> = {
  [-3]: "n",
  [-2]: "µ",
  [-1]: "m",
  0: "",
  1: "k",
  2: "M",
  3: "G",
  4: "T",
};
/** Units that take prefixes, and the largest power of a thousand that people use with them. */
const PREFIXED: ReadonlyMap<string, number> = new Map([["m", 1], ["Hz", 4], ["Jy", 3], ["V", 2], ["W", 4], [
  "Pa",
  3,
]]);
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** Beyond ±years of dates that `Date` knows, in seconds since MJD 0. */
const MOST_SECONDS = 8e12;

/** So much more than the number of ticks that was asked for is as good. */
const SLACK = 0.75;

/** The step from a list, or 1, 2, 5 × 10ⁿ, that gives at most `most` ticks. */
function niceStep(span: number, most: number, whole: boolean): number {
  const raw = span / Math.max(1, most), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((step) => step >= raw * SLACK) ?? 10 * power;
  return whole ? Math.max(1, Math.round(step)) : step;
}

/** Multiples of a step within a range. */
function multiples(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** Decimals that tell multiples of a step apart. */
function decimalsOf(step: number): number {
  for (let digits = 0; digits < 15; digits++) {
    const scaled = step * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 15;
}

function powerText(power: number): string {
  const digits = [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return `10${power < 0 ? "⁻" : ""}${digits}`;
}

/** What numbers are divided by, and the unit that they are then in. */
function scaleOf({ unit, whole }: Quantity, low: number, high: number): { by: number; unit: string } {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const kilos = largest > 0 ? Math.floor(Math.log10(largest) / 3 + 1e-9) : 0;
  // Large numbers that hardly differ, such as times in seconds, are read better in full.
  if (kilos === 0 || whole || high - low < 1e-3 * largest) return { by: 1, unit };
  const most = PREFIXED.get(unit);
  if (most !== undefined && kilos >= -3) {
    const power = Math.min(kilos, most);
    return { by: 1000 ** power, unit: PREFIXES[power]! + unit };
  }
  if (largest < 1e5 && largest >= 1e-2) return { by: 1, unit };
  return { by: 1000 ** kilos, unit: `${powerText(3 * kilos)}${unit === "" ? "" : ` ${unit}`}` };
}

/** `0.25`, `−30`; a true minus sign is as wide as a plus. */
function numberText(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** A range as it is drawn: with room around it, from 0 where that is near. */
function rangeOf(quantity: Quantity, low: number, high: number): [number, number] {
  if (quantity.range !== undefined) return [...quantity.range];
  if (low === high) {
    const room = low === 0 || quantity.whole || quantity.clock !== null ? 1 : Math.abs(low) * 0.05;
    return [low - room, high + room];
  }
  const room = (high - low) * 0.04;
  if (low >= 0 && low < 0.4 * high && !quantity.whole && quantity.clock === null) return [0, high + room];
  return [low - room, high + room];
}

/** The date of seconds since MJD 0. */
function dateOf(seconds: number): Date {
  return new Date(Math.round((seconds - UNIX_EPOCH_DAY * DAY) * 1000));
}

/** ISO date and time of seconds since MJD 0, to milliseconds, without zone; the number where there is no such date. */
export function timeText(seconds: number): string {
  if (!(Math.abs(seconds) < MOST_SECONDS)) return String(seconds);
  return dateOf(seconds).toISOString().replace(/\.?0*Z$/, "").replace("T", " ");
}

function timeLabel(clock: string, from: string, to: string): string {
  return from === to ? `${clock}, ${from}` : `${clock}, from ${from}`;
}

function monthTicks(low: number, high: number, most: number): Tick[] {
  const months = (high - low) / DAY / DAYS_A_MONTH;
  const step = MONTH_STEPS.find((step) => months / step <= most) ?? MONTH_STEPS.at(-1)!;
  const [first, last] = [dateOf(low), dateOf(high)];
  const ticks: Tick[] = [];
  const from = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / step) * step;
  for (let month = from; ticks.length <= 10 * most; month += step) {
    const date = new Date(Date.UTC(2000, 0, 1));
    date.setUTCFullYear(Math.floor(month / 12), month % 12, 1);
    if (date > last) break;
    const text = date.toISOString().replace(/^([+-]?\d+-\d\d)-.*$/, "$1");
    const at = date.getTime() / 1000 + UNIX_EPOCH_DAY * DAY;
    if (at >= low) ticks.push({ at, text: step % 12 === 0 ? text.slice(0, -3) : text });
  }
  return ticks;
}

function timeAxis(quantity: Quantity, low: number, high: number, most: number): Axis {
  const raw = (high - low) / Math.max(1, most);
  const step = TIME_STEPS.find((step) => step >= raw);
  const [first, last] = [timeText(low).slice(0, 10), timeText(high).slice(0, 10)];
  if (step === undefined) {
    return {
      low,
      high,
      ticks: monthTicks(low, high, most),
      label: `${quantity.name} (${quantity.clock})`,
    };
  }
  const text = (at: number) => {
    // A tick lies on a whole step, whatever the sums of doubles make of it.
    const iso = dateOf(Math.round(at / step) * step).toISOString();
    const [date, time] = [iso.slice(0, 10), iso.slice(11, -1)];
    if (step >= DAY) return date;
    if (time.startsWith("00:00:00.000") && first !== last) return date.slice(5);
    return step < 1 ? time : step < MINUTE ? time.slice(0, 8) : time.slice(0, 5);
  };
  const ticks = multiples(low, high, step).map((at) => ({ at, text: text(at) }));
  const label = step >= DAY ? quantity.clock! : timeLabel(quantity.clock!, first, last);
  return { low, high, ticks, label: `${quantity.name} (${label})` };
}

/** The axis of a quantity over values from `low` to `high`, with about `most` ticks. */
export function axisOf(quantity: Quantity, low: number, high: number, most: number): Axis {
  const [from, to] = low <= high ? rangeOf(quantity, low, high) : quantity.range ?? [0, 1];
  return axisOfRange(quantity, from, to, most);
}

/** The axis of exactly that range. */
export function axisOfRange(quantity: Quantity, from: number, to: number, most: number): Axis {
  const timed = quantity.clock !== null && Math.max(Math.abs(from), Math.abs(to)) < MOST_SECONDS;
  if (timed) return timeAxis(quantity, from, to, most);
  const { by, unit } = scaleOf(quantity, from, to);
  const step = quantity.step !== undefined && (to - from) / quantity.step <= most + 1
    ? quantity.step
    : niceStep((to - from) / by, most, quantity.whole ?? false);
  const decimals = decimalsOf(step);
  const ticks = multiples(from / by, to / by, step).map((at) => ({
    at: at * by,
    text: numberText(at, decimals),
  }));
  return { low: from, high: to, ticks, label: unit === "" ? quantity.name : `${quantity.name} (${unit})` };
}

/** A value with its unit, for a text: `15.3 Jy`, `2021-06-15 05:10:05 UTC`. */
export function valueText({ unit, clock }: Quantity, value: number): string {
  if (clock !== null) return `${timeText(value)} ${clock}`;
  const number = String(Number(value.toPrecision(4)));
  return unit === "" ? number : unit === "°" ? `${number}°` : `${number} ${unit}`;
}
