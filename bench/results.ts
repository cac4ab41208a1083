/** The files in `bench/results`. */
import { chart, summaryChart } from "./chart.ts";
import { type Figure, figuresTable, markdown, promised, type Result, type Run } from "./report.ts";
import { type Work, WORKS } from "./works.ts";

const place = (file: string) => new URL(`results/${file}`, import.meta.url);

/** Results whose works are described as they are now: titles and targets may have changed since they were measured. */
export function described(results: readonly Result[], works: readonly Work[]): Result[] {
  const keyOf = ({ name, argument }: Work) => `${name} ${argument}`;
  const now = new Map(works.map((work) => [keyOf(work), work]));
  return results.map((result) => ({ ...result, work: now.get(keyOf(result.work)) ?? result.work }));
}

/** Reads the last full run. @throws Deno.errors.NotFound without one */
export function readRun(): Run {
  const run = JSON.parse(Deno.readTextFileSync(place("full.json"))) as Run;
  return { ...run, results: described(run.results, WORKS) };
}

/** Writes a run as JSON and as tables and, but for quick ones, as charts. */
export function writeRun(name: string, run: Run): void {
  Deno.mkdirSync(place(""), { recursive: true });
  Deno.writeTextFileSync(place(`${name}.json`), JSON.stringify(run, null, 1) + "\n");
  Deno.writeTextFileSync(place(`${name}.md`), `${markdown(run.results)}\n\n${figuresTable(run.figures)}\n`);
  if (name === "quick") return;
  Deno.writeTextFileSync(place(`${name}.svg`), chart(run.results.filter(promised)));
  Deno.writeTextFileSync(place(`${name}-summary.svg`), summaryChart(run.results.filter(promised)));
}

const keyOf = ({ work, rows }: Result) => `${work.name} ${work.argument} ${rows}`;

/** Results with some lines measured anew; calls are kept where they weren't counted again. */
export function mergeResults(last: readonly Result[], anew: readonly Result[]): Result[] {
  const left = new Map(anew.map((result) => [keyOf(result), result]));
  const list = last.map((result) => {
    const now = left.get(keyOf(result));
    left.delete(keyOf(result));
    if (now === undefined) return result;
    return Object.keys(now.calls).length === 0 ? { ...now, calls: result.calls } : now;
  });
  return [...list, ...left.values()];
}

/** Figures with some of them anew. */
export function mergeFigures(last: readonly Figure[], anew: readonly Figure[]): Figure[] {
  const left = new Map(anew.map((figure) => [figure.title, figure]));
  const list = last.map((figure) => {
    const now = left.get(figure.title) ?? figure;
    left.delete(figure.title);
    return now;
  });
  return [...list, ...left.values()];
}
