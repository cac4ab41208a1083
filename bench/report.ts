/** What the rounds came to, and how it is shown. */
import { BULK_LIMIT, type Work } from "./works.ts";

/** Times of the sides, in turn, and what strace and the kernel's counters saw. */
export interface Result {
  readonly work: Work;
  readonly rows: number;
  /** Milliseconds of each round by side; rounds at the same place were next to each other. */
  readonly times: Readonly<Record<string, readonly number[]>>;
  /** Calls on the tables' files by side and kind; empty where they weren't counted. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** A figure that isn't a ratio of times: it has to stay below something, or is for information. */
export interface Figure {
  readonly title: string;
  /** What the values are in: "MiB", "ms", "calls"; empty for ratios. */
  readonly unit: string;
  readonly value: number;
  /** The value has to be no larger; null: nothing is promised. */
  readonly atMost: number | null;
  /** The same of others, by name. */
  readonly peers: Readonly<Record<string, number>>;
}

/** Everything that a run came to. */
export interface Run {
  /** Day, as 2026-11-21. */
  readonly date: string;
  readonly cores: number;
  /** Load of the machine before the run and after it: processes that ran or wanted to, over a minute. */
  readonly load: readonly number[];
  /** Names and versions of the sides. */
  readonly sides: readonly string[];
  readonly results: readonly Result[];
  readonly figures: readonly Figure[];
}

/** Rows with which targets are promised. */
export const PROMISED_ROWS = 100_000;

/** The sides with a column of their own; others are in {@linkcode peersTable}. */
const MAIN_SIDES = ["casacore", "tessera", "limit"];

/** Median of some numbers: the one in the middle, or the mean of the two. */
export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The difference of the largest and the smallest of some numbers over their median. */
export function spreadOf(list: readonly number[]): number {
  return (Math.max(...list) - Math.min(...list)) / median(list);
}

/** Times of one side over those of Tessera, round by round. */
export function ratios(result: Result, side: string): number[] | null {
  const theirs = result.times[side], ours = result.times["tessera"];
  return theirs === undefined || ours === undefined ? null : theirs.map((time, i) => time / ours[i]!);
}

/** True when the target is met; null without one, or without the peer. */
export function met(result: Result): boolean | null {
  const { target, against = "casacore" } = result.work, list = ratios(result, against);
  return target === null || list === null ? null : median(list) >= target;
}

/** True where the target is promised: with 100,000 rows, or the work's own number of them. With others it is held against it, too. */
export function promised({ work, rows }: Result): boolean {
  return work.fixedRows !== undefined || rows === PROMISED_ROWS;
}

/** Tessera's time over that of the program that only reads, writes and copies; null without it. */
export function overLimit(result: Result): number | null {
  const list = ratios(result, "limit");
  return list === null ? null : 1 / median(list);
}

/** True when a bulk work is near enough to the limit; null for others, or without the program. */
export function nearLimit(result: Result): boolean | null {
  const over = overLimit(result);
  return result.work.bulk !== true || over === null ? null : over <= BULK_LIMIT;
}

/** True when a figure is no larger than it may be; null where anything is allowed. */
export function within({ value, atMost }: Figure): boolean | null {
  return atMost === null ? null : value <= atMost;
}

const ms = (time: number) => time >= 100 ? time.toFixed(0) : time >= 1 ? time.toFixed(1) : time.toFixed(3);
const mark = (good: boolean | null) => good === null ? "" : good ? " ✓" : " ✗";

const total = (calls: Readonly<Record<string, number>> | undefined) =>
  calls === undefined ? "–" : String(Object.values(calls).reduce((sum, count) => sum + count, 0));

const HEADER = [
  "work",
  "rows",
  "casacore ms",
  "Tessera ms",
  "limit ms",
  "ratio",
  "spread",
  "of the best",
  "target",
  "÷ limit",
];
const CALLS_HEADER = "calls: casacore / Tessera";

function cellsOf(result: Result): string[] {
  const { work, rows, times } = result;
  const side = (name: string) => times[name] === undefined ? "–" : ms(median(times[name]));
  const against = work.against ?? "casacore", list = ratios(result, against), over = overLimit(result);
  return [
    work.title,
    rows.toLocaleString("en"),
    side("casacore"),
    side("tessera"),
    side("limit"),
    list === null ? "–" : median(list).toFixed(2),
    list === null ? "–" : `${Math.min(...list).toFixed(2)}–${Math.max(...list).toFixed(2)}`,
    list === null ? "–" : (Math.min(...times[against]!) / Math.min(...times["tessera"]!)).toFixed(2),
    work.target === null ? "" : `${work.target}${mark(met(result))}`,
    over === null ? "–" : over.toFixed(2) + mark(nearLimit(result)),
  ];
}

/** Lines of cells as a Markdown table; so many columns from the left are text, the others are numbers. */
export function table(header: readonly string[], lines: readonly (readonly string[])[], texts = 1): string {
  const text = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [text(header), text(header.map((_, i) => i < texts ? "---" : "---:")), ...lines.map(text)].join(
    "\n",
  );
}

/** The results as a Markdown table. Calls are left out where none were counted. */
export function markdown(results: readonly Result[]): string {
  if (results.every(({ calls }) => Object.keys(calls).length === 0)) {
    return table(HEADER, results.map(cellsOf));
  }
  const lines = results.map((result) => {
    const { casacore, tessera } = result.calls;
    return [...cellsOf(result), tessera === undefined ? "" : `${total(casacore)} / ${total(tessera)}`];
  });
  return table([...HEADER, CALLS_HEADER], lines);
}

/** Times of other readers over Tessera's as a Markdown table; empty where none took part. */
export function peersTable(results: readonly Result[]): string {
  const names = new Set(results.flatMap(({ times }) => Object.keys(times)));
  for (const name of MAIN_SIDES) names.delete(name);
  if (names.size === 0) return "";
  const lines = results.filter(({ times }) => [...names].some((name) => times[name] !== undefined)).map(
    (result) => [
      result.work.title,
      result.rows.toLocaleString("en"),
      ms(median(result.times["tessera"]!)),
      ...[...names].map((name) => {
        const list = ratios(result, name);
        return list === null ? "–" : median(list).toFixed(2);
      }),
    ],
  );
  return table(["work", "rows", "Tessera ms", ...names], lines);
}

const number = (value: number, unit: string) =>
  Number.isInteger(value) ? value.toLocaleString("en") : unit === "" ? value.toFixed(2) : value.toFixed(1);

/** Figures with a bound as a Markdown table. */
export function figuresTable(figures: readonly Figure[]): string {
  const lines = figures.map((figure) => {
    const { title, unit, value, atMost, peers } = figure;
    const others = Object.entries(peers).map(([name, other]) => `${name} ${number(other, unit)}`);
    return [
      title,
      unit,
      number(value, unit),
      atMost === null ? "" : `${number(atMost, unit)}${mark(within(figure))}`,
      others.join(", "),
    ];
  });
  return table(["figure", "unit", "Tessera", "at most", "others"], lines, 2);
}

const padded = ([title = "", rows = "", ...rest]: readonly string[]) =>
  `${title.padEnd(84)} ${rows.padStart(9)} ${rest.map((cell) => cell.padStart(11)).join(" ")}`;

/** One result as a line for a terminal. */
export function line(result: Result): string {
  return padded(cellsOf(result));
}

/** The titles of {@linkcode line}. */
export function lineHeader(): string {
  return padded(HEADER);
}

/** A figure as a line for a terminal. */
export function figureLine(figure: Figure): string {
  const { title, unit, value, atMost } = figure;
  return `${title.padEnd(84)} ${number(value, unit)} ${unit}` +
    (atMost === null ? "" : `, at most ${number(atMost, unit)}${mark(within(figure))}`);
}
