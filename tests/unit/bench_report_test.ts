import assert from "node:assert/strict";
import { callFigures, countTrace } from "../../bench/calls.ts";
import { chart, summaryChart } from "../../bench/chart.ts";
import { pagesWanted } from "../../bench/measure.ts";
import {
  performanceSection,
  readmeSection,
  replaceBetween,
  RESULT_MARKS,
  SPEED_MARKS,
  studyMarks,
} from "../../bench/publish-text.ts";
import {
  type Figure,
  figuresTable,
  markdown,
  median,
  met,
  nearLimit,
  overLimit,
  peersTable,
  promised,
  ratios,
  type Result,
  type Run,
  spreadOf,
  within,
} from "../../bench/report.ts";
import { REASONS } from "../../bench/reasons.ts";
import { described, mergeFigures, mergeResults } from "../../bench/results.ts";
import { BASELINES, MANY_ROWS, type Work, work, WORKS } from "../../bench/works.ts";
import { DEFAULT_CACHE_BYTES } from "../../src/io/context.ts";

function result(times: Result["times"], more: Partial<Work> = {}, rows = 100_000): Result {
  return { work: work("get", "a column", "get", 2, more), rows, times, calls: {} };
}

/** Cells of each line of a Markdown table. */
const cells = (text: string) =>
  text.split("\n").map((line) => line.split("|").slice(1, -1).map((each) => each.trim()));

Deno.test("the median of an even number of rounds is between the two in the middle", () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(spreadOf([1, 2, 4]), 1.5);
});

Deno.test("a ratio compares rounds that were next to each other, and the median is taken of ratios", () => {
  const one = result({ casacore: [10, 40, 30], tessera: [5, 10, 30] });
  assert.deepEqual(ratios(one, "casacore"), [2, 4, 1]);
  assert.equal(ratios(one, "arcae"), null);
  assert.equal(met(one), true);
  assert.equal(met(result({ casacore: [10, 10, 10], tessera: [5.1, 5.1, 1] })), false);
  assert.equal(met(result({ tessera: [1] })), null);
  assert.equal(met(result({ casacore: [1], tessera: [2] }, { target: null })), null);
});

Deno.test("a work may be compared to the limit program; bulk works have to be near it", () => {
  assert.equal(met(result({ limit: [4], tessera: [2] }, { against: "limit" })), true);
  assert.equal(overLimit(result({ limit: [4], tessera: [2] })), 0.5);
  assert.equal(nearLimit(result({ limit: [4], tessera: [5] }, { bulk: true })), true);
  assert.equal(nearLimit(result({ limit: [4], tessera: [5.1] }, { bulk: true })), false);
  assert.equal(nearLimit(result({ limit: [4], tessera: [50] })), null);
  assert.equal(nearLimit(result({ tessera: [50] }, { bulk: true })), null);
});

Deno.test("every line of the results' table has a cell for every title", () => {
  const calls = { tessera: { read: 2 }, casacore: { lseek: 3, read: 3, stat: 1 } };
  const list = [
    result({ casacore: [2], tessera: [1], limit: [1] }, { bulk: true }),
    { ...result({ tessera: [1] }), calls },
  ];
  const table = cells(markdown(list));
  assert.equal(new Set(table.map((line) => line.length)).size, 1);
  const [header, , first, second] = table as [string[], string[], string[], string[]];
  const at = (line: string[], title: string) => line[header.indexOf(title)];
  assert.equal(at(first, "ratio"), "2.00");
  assert.equal(at(first, "of the best"), "2.00");
  assert.equal(at(first, "target"), "2 ✓");
  assert.equal(at(first, "÷ limit"), "1.00 ✓");
  assert.equal(at(second, "ratio"), "–");
  assert.equal(at(second, "calls: casacore / Tessera"), "7 / 2");
  assert.equal(at(first, "calls: casacore / Tessera"), "");
  assert(!markdown([result({ tessera: [1] })]).includes("calls"));
});

Deno.test("other readers have a table of their own, with a gap where one can't do a work", () => {
  const list = [
    result({ casacore: [2], tessera: [1], arcae: [3], zarrita: [9] }),
    result({ casacore: [2], tessera: [2], arcae: [3] }),
    result({ casacore: [2], tessera: [1] }),
  ];
  const [header, , ...lines] = cells(peersTable(list));
  assert.deepEqual(header, ["work", "rows", "Tessera ms", "arcae", "zarrita"]);
  assert.deepEqual(lines.map((line) => line.slice(3)), [["3.00", "9.00"], ["1.50", "–"]]);
  assert.equal(peersTable([result({ casacore: [2], tessera: [1], limit: [1] })]), "");
});

Deno.test("a figure may be as large as its bound", () => {
  const figure: Figure = { title: "calls", unit: "calls", value: 27, atMost: 27, peers: { casacore: 135 } };
  assert.equal(within(figure), true);
  assert.equal(within({ ...figure, value: 28 }), false);
  assert.equal(within({ ...figure, atMost: null }), null);
  assert.deepEqual(cells(figuresTable([figure]))[2], ["calls", "calls", "27", "27 ✓", "casacore 135"]);
});

Deno.test("calls are counted between the last two marks, on files of the folder, by kind", () => {
  const trace = `1 access("/tessera-bench/start", F_OK) = -1
1 pread64(3</f/t/table.dat>, "", 1, 0) = 1
1 access("/tessera-bench/stop", F_OK) = -1
1 access("/tessera-bench/start", F_OK) = -1
1 pread64(3</f/t/table.dat>, "", 1, 0) = 1
2 preadv(3</f/t/table.f0>, 0, 1, 0) = 1
1 lseek(3</f/t/table.f0>, 0, SEEK_SET) = 0
1 pread64(4</elsewhere>, "", 1, 0) = 1
1 mmap(NULL, 1, PROT_READ, MAP_SHARED, 3</f/t/table.f0>, 0) = 0
1 <... pread64 resumed> 3</f/t/table.dat>
1 access("/tessera-bench/stop", F_OK) = -1
1 pread64(3</f/t/table.dat>, "", 1, 0) = 1
`;
  assert.deepEqual(countTrace(trace, "/f"), { read: 2, lseek: 1, mmap: 1 });
});

Deno.test("a round trip's calls become figures: reads, writes, seeks and waits, and seeks alone", () => {
  const calls = { tessera: { read: 4, write: 9, open: 30, sync: 2 }, casacore: { read: 50, lseek: 77 } };
  const trip = { ...result({ tessera: [1] }, { name: "round-trip", argument: "tiled" }), calls };
  assert.deepEqual(callFigures(trip).map(({ value, atMost, peers }) => [value, atMost, peers["casacore"]]), [
    [15, 27, 127],
    [0, 0, 77],
  ]);
  assert.deepEqual(callFigures({ ...trip, calls: {} }), []);
  assert.deepEqual(callFigures(result({ tessera: [1] })), []);
});

Deno.test("pages that baselines want: one for each row of one, each page once for all", () => {
  assert.equal(pagesWanted(MANY_ROWS, 1), Math.ceil(MANY_ROWS / BASELINES));
  assert.equal(pagesWanted(MANY_ROWS, BASELINES), MANY_ROWS / 2);
});

Deno.test("the table that is read by baselines is ten times the bound of the cache", () => {
  assert.equal(MANY_ROWS * 2048, 10 * DEFAULT_CACHE_BYTES);
});

Deno.test("works differ by name and argument", () => {
  const keys = WORKS.map(({ name, argument }) => `${name} ${argument}`);
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("there is a reason to give for every work that may miss its target", () => {
  const aimed = WORKS.filter(({ target, bulk }) => target !== null || bulk).map(({ name }) =>
    name.replace("-pread", "")
  );
  assert.deepEqual([...new Set(aimed)].filter((name) => REASONS[name] === undefined), []);
});

Deno.test("what is measured anew takes the place of the same line, and keeps its calls unless they were counted again", () => {
  const calls = { tessera: { read: 1 } };
  const old = [{ ...result({ tessera: [1] }), calls }, result({ tessera: [1] }, {}, 10_000)];
  const merged = mergeResults(old, [result({ tessera: [7] }), result({ tessera: [8] }, { name: "put" })]);
  assert.deepEqual(merged.map(({ times }) => times["tessera"]), [[7], [1], [8]]);
  assert.deepEqual(merged[0]!.calls, calls);
  const again = { tessera: { read: 9 } };
  assert.deepEqual(mergeResults(old, [{ ...result({ tessera: [7] }), calls: again }])[0]!.calls, again);
  const figure: Figure = { title: "a", unit: "", value: 1, atMost: null, peers: {} };
  assert.deepEqual(
    mergeFigures([figure, { ...figure, title: "b" }], [{ ...figure, value: 2 }, { ...figure, title: "c" }])
      .map((
        { title, value },
      ) => [title, value]),
    [["a", 2], ["b", 1], ["c", 1]],
  );
});

Deno.test("results of before have the titles and targets of now", () => {
  const now = work("get", "renamed", "get", 3), [one] = described([result({ tessera: [1] })], [now]);
  assert.equal(one!.work, now);
  assert.equal(described([result({ tessera: [1] })], [])[0]!.work.title, "a column");
});

Deno.test("a text goes between two marks that are there once each, and nothing else changes", () => {
  assert.equal(replaceBetween("a\n<1>\nold\n<2>\nb", "<1>", "<2>", " new\n"), "a\n<1>\n\nnew\n\n<2>\nb");
  for (const text of ["", "<2><1>", "<1>", "<1><2><1>", "<1><2><2>"]) {
    assert.throws(() => replaceBetween(text, "<1>", "<2>", "new"), /expected <1> and then <2>/);
  }
});

Deno.test("the pages have the marks between which results are put", () => {
  const marks = {
    "docs/performance.md": [
      RESULT_MARKS,
      ...["seeks", "direct", "handover", "phases", "mapped"].map(studyMarks),
    ],
    "README.md": [SPEED_MARKS],
  };
  for (const [page, pairs] of Object.entries(marks)) {
    const text = Deno.readTextFileSync(new URL(`../../${page}`, import.meta.url));
    for (const [start, end] of pairs) assert.match(replaceBetween(text, start, end, "put here"), /put here/);
  }
});

const run: Run = {
  date: "2026-01-02",
  cores: 2,
  load: [0.5, 1.25],
  sides: ["tessera", "arcae 0.5"],
  results: [
    result({ casacore: [8], tessera: [2], limit: [2] }, { headline: "columns", bulk: true }),
    result({ casacore: [3], tessera: [2] }, { name: "get-pread", title: "by pread", headline: "columns" }),
    result({ casacore: [9], tessera: [1] }, { headline: "columns" }, 10_000),
    { ...result({ tessera: [1] }, { name: "put", title: "puts" }), calls: { tessera: { write: 3 } } },
  ],
  figures: [{ title: "MiB", unit: "MiB", value: 1, atMost: 2, peers: {} }],
};

Deno.test("the page says how many lines meet their target, and lists those that don't", () => {
  const text = performanceSection(run);
  assert.match(text, /1 of 2 lines meet them \(1 of 1 with other numbers of rows\)/);
  assert.match(text, /bulk puts and gets \(1.25\) is kept by 1 of 1/);
  assert.match(text, /1 of 1 figures/);
  assert.match(text, /\| by pread \| 100,000 \| 1.50 of 2 \|/);
  assert.match(text, /\| puts \| – \| 3 write \|/);
  assert(!text.includes("### Other readers"));
});

Deno.test("the README has one line for a headline, with files that are mapped and read beside each other", () => {
  const [, , ...lines] = cells(readmeSection(run, 100_000).split("\n\n")[1]!);
  assert.deepEqual(lines, [["columns", "4.0", "1.5"]]);
});

Deno.test("a chart has a bar for each work with a peer; the summary one label for mapped and read", () => {
  const bars = (svg: string) => svg.match(/<rect [^>]*height="12"/g)?.length ?? 0;
  const all = chart(run.results), summary = summaryChart(run.results.filter(promised));
  assert.equal(bars(all), 3);
  assert.equal(bars(summary), 2);
  assert.equal(summary.split(">columns<").length, 2);
  assert(!/NaN|Infinity|undefined/.test(all + summary));
  assert(
    chart([result({ casacore: [2], tessera: [1] }, { title: 'a < b & "c"' })]).includes(
      "a &lt; b &amp; &quot;c&quot;",
    ),
  );
});

Deno.test("bars of ratios beyond the scale end where it ends", () => {
  const svg = chart([result({ casacore: [1e6], tessera: [1] }), result({ casacore: [1], tessera: [1e6] })]);
  const width = Number(/svg [^>]*width="(\d+)"/.exec(svg)![1]);
  for (const [, x, w] of svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="12"/g)) {
    assert(Number(x) > 0 && Number(x) + Number(w) < width);
  }
});
