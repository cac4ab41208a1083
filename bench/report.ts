/** What the rounds came to, and how it is shown. */
import type { Work } from "./works.ts";

/** Times of the sides, in turn, and what strace saw. */
export interface Result {
  readonly work: Work;
  readonly rows: number;
  /** Milliseconds of each round by side; rounds at the same place were next to each other. */
  readonly times: Readonly<Record<string, readonly number[]>>;
  /** Calls on the tables' files by side and kind; empty where they weren't counted. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Median of some numbers. */
export function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
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

const ms = (time: number) => time >= 100 ? time.toFixed(0) : time >= 1 ? time.toFixed(1) : time.toFixed(3);

function callText(calls: Readonly<Record<string, number>> | undefined): string {
  if (calls === undefined) return "";
  const { read = 0, write = 0, lseek = 0, sync = 0 } = calls;
  const total = Object.values(calls).reduce((sum, count) => sum + count, 0);
  return `${total} (${read} r, ${write} w${lseek > 0 ? `, ${lseek} lseek` : ""}${
    sync > 0 ? `, ${sync} sync` : ""
  })`;
}

const HEADER = [
  "work",
  "rows",
  "casacore ms",
  "Tessera ms",
  "limit ms",
  "ratio",
  "spread",
  "target",
  "÷ limit",
];

function cellsOf(result: Result): string[] {
  const { work, rows, times } = result;
  const side = (name: string) => times[name] === undefined ? "–" : ms(median(times[name]));
  const against = work.against ?? "casacore", list = ratios(result, against), limit = ratios(result, "limit");
  const good = met(result);
  return [
    work.title,
    rows.toLocaleString("en"),
    side("casacore"),
    side("tessera"),
    side("limit"),
    list === null ? "–" : median(list).toFixed(2),
    list === null ? "–" : `${Math.min(...list).toFixed(2)}–${Math.max(...list).toFixed(2)}`,
    list === null ? "–" : (Math.min(...times[against]!) / Math.min(...times["tessera"]!)).toFixed(2),
    work.target === null ? "" : `${work.target}${good === null ? "" : good ? " ✓" : " ✗"}`,
    limit === null ? "–" : (1 / median(limit)).toFixed(2),
  ];
}

/** The results as a Markdown table. */
export function markdown(results: readonly Result[]): string {
  const lines = results.map(cellsOf), counted = results.some(({ calls }) => Object.keys(calls).length > 0);
  const header = counted ? [...HEADER, "calls: casacore", "calls: Tessera"] : HEADER;
  const rows = lines.map((cells, i) =>
    counted
      ? [...cells, callText(results[i]!.calls["casacore"]), callText(results[i]!.calls["tessera"])]
      : cells
  );
  const text = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    text(header),
    text(header.map((_, i) => i === 0 ? "---" : "---:")),
    ...rows.map(text),
  ].join("\n");
}

/** One result as a line for a terminal. */
export function line(result: Result): string {
  const [title = "", rows = "", ...rest] = cellsOf(result);
  return `${title.padEnd(68)} ${rows.padStart(9)} ${rest.map((cell) => cell.padStart(11)).join(" ")}`;
}

/** The titles of {@linkcode line}. */
export function lineHeader(): string {
  const [title = "", rows = "", ...rest] = HEADER;
  return `${title.padEnd(68)} ${rows.padStart(9)} ${rest.map((cell) => cell.padStart(11)).join(" ")}`;
}
