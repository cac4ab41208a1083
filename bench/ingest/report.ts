/** What the bench of live ingest came to, and how it is shown. */
import { median, spreadOf, table } from "../report.ts";

/** What a line has to keep to. */
export type Bound =
  /** The median of the ratios, round by round, to another side. */
  | { readonly kind: "ratio"; readonly against: string; readonly atLeast: number | null }
  /** The median of Tessera's values; `worst`: the largest of them. */
  | { readonly kind: "value" | "worst"; readonly atMost: number }
  /** The difference of the largest and the smallest of Tessera's values over their median. */
  | { readonly kind: "spread"; readonly atMost: number };

/** One work: what each side came to, round by round; rounds at the same place were next to each other. */
export interface Line {
  readonly what: string;
  readonly unit: "MiB/s" | "ms" | "ops/s";
  /** "Tessera" and whoever did the same. */
  readonly sides: Readonly<Record<string, readonly number[]>>;
  readonly bounds: readonly Bound[];
}

/** A table of its own, for what doesn't fit into lines. */
export interface Grid {
  readonly title: string;
  readonly header: readonly string[];
  readonly lines: readonly (readonly string[])[];
  /** So many columns from the left are text. */
  readonly texts: number;
}

/** Works that belong together. */
export interface Part {
  readonly name: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly grids: readonly Grid[];
  /** What was held to be true while it ran, and how it was looked at: one sentence each. */
  readonly notes: readonly string[];
  readonly seconds: number;
}

/** All parts of a run. */
export interface IngestRun {
  readonly date: string;
  readonly cores: number;
  readonly load: readonly number[];
  /** Parts that were run on another day or by themselves keep what they came to. */
  readonly parts: readonly Part[];
}

const OURS = "Tessera";

/** Ratios of ours to another side, more being better: rates as they are, times the other way round. */
export function ratiosTo({ sides, unit }: Line, against: string): number[] | null {
  const ours = sides[OURS], theirs = sides[against];
  if (ours === undefined || theirs === undefined) return null;
  return ours.map((own, i) => unit === "ms" ? theirs[i]! / own : own / theirs[i]!);
}

/** What a bound is of; null where the other side is missing. */
export function valueOf(line: Line, bound: Bound): number | null {
  const ours = line.sides[OURS]!;
  switch (bound.kind) {
    case "value":
      return median(ours);
    case "worst":
      return Math.max(...ours);
    case "spread":
      return spreadOf(ours);
    case "ratio": {
      const ratios = ratiosTo(line, bound.against);
      return ratios === null ? null : median(ratios);
    }
  }
}

/** True when it is kept; null when nothing is asked, or the other side is missing. */
export function kept(line: Line, bound: Bound): boolean | null {
  const value = valueOf(line, bound);
  if (value === null) return null;
  if (bound.kind === "ratio") return bound.atLeast === null ? null : value >= bound.atLeast;
  return value <= bound.atMost;
}

/** Three digits that count, but no fewer than there are before the point. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function boundText(line: Line, bound: Bound): string {
  const value = valueOf(line, bound), good = kept(line, bound);
  const mark = good === null ? "" : good ? " ✓" : " ✗";
  if (bound.kind === "ratio") {
    if (value === null) return `${bound.against}: not here`;
    const wanted = bound.atLeast === null ? "" : ` (at least ${bound.atLeast}${mark})`;
    return `${digits(value)} × ${bound.against}${wanted}`;
  }
  if (bound.kind === "spread") return `spread ${percent(value!)} (at most ${percent(bound.atMost)}${mark})`;
  return `${bound.kind === "worst" ? "largest " : ""}${
    digits(value!)
  } (at most ${bound.atMost} ${line.unit}${mark})`;
}

const percent = (part: number) => `${(part * 100).toFixed(0)} %`;

const LINE_HEADER = ["work", "unit", OURS, "spread", "others", "bounds"];

function cells(line: Line): string[] {
  const ours = line.sides[OURS]!;
  const others = Object.entries(line.sides).filter(([side]) => side !== OURS);
  return [
    line.what,
    line.unit,
    digits(median(ours)),
    ours.length > 1 ? percent(spreadOf(ours)) : "",
    others.map(([side, list]) => {
      return `${side} ${digits(median(list))}${list.length > 1 ? ` (${percent(spreadOf(list))})` : ""}`;
    }).join("; "),
    line.bounds.map((bound) => boundText(line, bound)).join("; "),
  ];
}

/** A line for a terminal. */
export function lineText(line: Line): string {
  const [what, unit, own, spread, others, bounds] = cells(line);
  return `${what!.padEnd(76)} ${own!.padStart(7)} ${unit!.padEnd(6)} ${spread!.padStart(5)}  ${bounds}${
    others === "" ? "" : `  [${others}]`
  }`;
}

/** A part as Markdown. */
export function partMarkdown({ title, lines, grids, notes }: Part): string {
  return [
    `### ${title}`,
    ...(lines.length > 0 ? [table(LINE_HEADER, lines.map(cells), 2)] : []),
    ...grids.flatMap((grid) => [`${grid.title}:`, table(grid.header, grid.lines, grid.texts)]),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
  ].join("\n\n");
}

/** A run as Markdown. */
export function ingestMarkdown({ date, cores, load, parts }: IngestRun): string {
  const bounds = parts.flatMap(({ lines }) =>
    lines.flatMap((line) => line.bounds.map((bound) => kept(line, bound)))
  );
  const asked = bounds.filter((each) => each !== null), good = asked.filter((each) => each);
  const minutes = parts.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const intro = `Measured ${date} on ${cores} cores; load ${
    load.map((each) => each.toFixed(1)).join(" before and ")
  } after; ${
    minutes.toFixed(1)
  } minutes. ${good.length} of ${asked.length} bounds are kept. Values are medians of rounds in which the sides took turns, in brackets and under "spread" the largest less the smallest over the median; ratios are medians of those of each round.`;
  return [intro, ...parts.map(partMarkdown)].join("\n\n");
}
