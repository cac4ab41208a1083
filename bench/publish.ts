/**
 * Puts the results of the last full run (`bench/results/full.json`) into docs/performance.md, between its two marks:
 *
 *     deno run -A bench/publish.ts
 */
import { markdown, met, type Result } from "./report.ts";

const START = "<!-- results -->", END = "<!-- end of results -->";

const page = new URL("../docs/performance.md", import.meta.url);
const { date, cores, results } = JSON.parse(
  Deno.readTextFileSync(new URL("results/full.json", import.meta.url)),
) as { date: string; cores: number; results: Result[] };
const text = Deno.readTextFileSync(page);
const from = text.indexOf(START), to = text.indexOf(END);
if (from < 0 || to < from) throw new Error(`${START} and ${END} are not in ${page.pathname}`);

const aimed = results.filter((result) => met(result) !== null);
const good = aimed.filter((result) => met(result) === true);
const counted = results.filter(({ calls }) => Object.keys(calls).length > 0);
const plain = results.map((result) => ({ ...result, calls: {} }));
const callsTable = [
  "| work | casacore | Tessera |",
  "| --- | --- | --- |",
  ...counted.map(({ work, calls }) => {
    const list = (side: string) =>
      Object.entries(calls[side] ?? {}).sort(([, a], [, b]) => b - a).map(([kind, count]) =>
        `${count} ${kind}`
      )
        .join(", ") || "none";
    return `| ${work.title} | ${list("casacore")} | ${list("tessera")} |`;
  }),
].join("\n");

const section = `${START}

Measured ${date} on a machine of ${cores} cores that others used at the same time. Of ${aimed.length} lines with a target
${good.length} meet it.

${markdown(plain)}

### Calls

On the tables' files, by strace, at 10,000 rows (fewer or more where the work says so):

${callsTable}

`;
Deno.writeTextFileSync(page, text.slice(0, from) + section + text.slice(to));
