/** What a run becomes in docs/performance.md and in the README. */
import { REASONS } from "./reasons.ts";
import {
  figuresTable,
  markdown,
  median,
  met,
  nearLimit,
  overLimit,
  peersTable,
  promised,
  PROMISED_ROWS,
  ratios,
  type Result,
  type Run,
  table,
  within,
} from "./report.ts";
import { BULK_LIMIT } from "./works.ts";

/** Marks of the results in docs/performance.md, and of the figures in the README. */
export const RESULT_MARKS = ["<!-- results -->", "<!-- end of results -->"] as const;
export const SPEED_MARKS = ["<!-- speed -->", "<!-- end of speed -->"] as const;

/** Marks of a study's table in docs/performance.md. */
export function studyMarks(name: string): readonly [start: string, end: string] {
  return [`<!-- study: ${name} -->`, `<!-- end of study: ${name} -->`];
}

/** Puts a text between two marks that each have a line. @throws Error when they aren't both there, in this order, once */
export function replaceBetween(text: string, start: string, end: string, inner: string): string {
  const from = text.indexOf(start), to = text.indexOf(end);
  if (from < 0 || to < from || text.indexOf(start, from + 1) >= 0 || text.indexOf(end, to + 1) >= 0) {
    throw new Error(`expected ${start} and then ${end}, once each`);
  }
  return `${text.slice(0, from + start.length)}\n\n${inner.trim()}\n\n${text.slice(to)}`;
}

function callsTable(results: readonly Result[]): string {
  const list = (calls: Readonly<Record<string, number>> | undefined) =>
    Object.entries(calls ?? {}).sort(([, a], [, b]) => b - a).map(([kind, count]) => `${count} ${kind}`)
      .join(", ") || "none";
  const header = "| work | casacore | Tessera |\n| --- | --- | --- |";
  return [
    header,
    ...results.map(({ work, calls }) => {
      const title = work.counted === undefined ? work.title : `${work.title} (counted: ${work.counted.said})`;
      return `| ${title} | ${calls["casacore"] === undefined ? "–" : list(calls["casacore"])} | ${
        list(calls["tessera"])
      } |`;
    }),
  ].join("\n");
}

const against = ({ work }: Result) => work.against ?? "casacore";

/** Lines that miss their target or the limit, with why. */
function missedTable(results: readonly Result[]): string {
  const short = (result: Result) => met(result) === false && promised(result);
  const missed = results.filter((result) => short(result) || nearLimit(result) === false);
  const lines = missed.map((result) => {
    const list = ratios(result, against(result)), over = overLimit(result), { work, rows } = result;
    const ratio = list === null || met(result) !== false
      ? ""
      : `${median(list).toFixed(2)} of ${work.target}`;
    const limit = over === null || nearLimit(result) !== false ? "" : `${over.toFixed(2)} of ${BULK_LIMIT}`;
    return `| ${work.title} | ${rows.toLocaleString("en")} | ${ratio} | ${limit} | ${
      REASONS[work.name.replace(/-pread$/, "")] ?? "–"
    } |`;
  });
  return ["| work | rows | ratio | ÷ limit | why |", "| --- | ---: | ---: | ---: | --- |", ...lines].join(
    "\n",
  );
}

const count = (list: readonly (boolean | null)[]) =>
  `${list.filter((each) => each === true).length} of ${list.filter((each) => each !== null).length}`;

const sidesText = (sides: readonly string[]) => sides.length === 0 ? "" : ` Sides: ${sides.join(", ")}.`;

const loadText = ([before, after]: readonly number[]) =>
  before === undefined || after === undefined
    ? ""
    : `; load ${before.toFixed(1)} before and ${after.toFixed(1)} after`;

/** The results, as docs/performance.md has them. */
export function performanceSection(run: Run): string {
  const { date, cores, results, figures } = run, load = run.load ?? [];
  const counted = results.filter(({ calls }) => Object.keys(calls).length > 0);
  const peers = peersTable(results);
  const parts = [
    `Measured ${date} on ${cores} cores${loadText(load)}.${
      sidesText(run.sides ?? [])
    } Targets are promised with ${
      PROMISED_ROWS.toLocaleString("en")
    } rows, or as many as the work has of its own: ${
      count(results.filter(promised).map(met))
    } lines meet them (${
      count(results.filter((result) => !promised(result)).map(met))
    } with other numbers of rows). The limit for bulk puts and gets (${BULK_LIMIT}) is kept by ${
      count(results.map(nearLimit))
    }, and ${count((figures ?? []).map(within))} figures stay within their bound.`,
    markdown(results),
    "### Figures with a bound",
    figuresTable(figures ?? []),
    "### What misses, and why",
    missedTable(results),
  ];
  if (peers !== "") {
    parts.push("### Other readers", "Their time over Tessera's in the same round; medians.", peers);
  }
  parts.push(
    "### Calls",
    "On the tables' files, by strace, at 10,000 rows (fewer or more where the work says so):",
    callsTable(counted),
  );
  return parts.join("\n\n");
}

/** The lines with a headline, as the README has them: of the results with that many rows, or with a number of their own. */
export function readmeSection(run: Run, rows: number): string {
  const groups = new Map<string, { usual?: Result; pread?: Result }>();
  for (const result of run.results) {
    const { headline, fixedRows, name } = result.work;
    if (headline === undefined || (fixedRows === undefined && result.rows !== rows)) continue;
    const group = groups.get(headline) ?? {};
    group[name.endsWith("-pread") ? "pread" : "usual"] = result;
    groups.set(headline, group);
  }
  const cell = (result: Result | undefined) => {
    const list = result === undefined ? null : ratios(result, against(result));
    return list === null ? "" : median(list).toFixed(1);
  };
  const lines = [...groups].map(([headline, { usual, pread }]) => [headline, cell(usual), cell(pread)]);
  const text = `Times as fast as casacore, ${
    rows.toLocaleString("en")
  } rows unless said otherwise, measured ${run.date}:`;
  return `${text}\n\n${table(["", "as opened by default", '`io: "pread"`'], lines)}`;
}
