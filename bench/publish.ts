/**
 * Puts the results of the last full run (`bench/results/full.json`) into docs/performance.md and the README, between their marks:
 *
 *     deno run -A bench/publish.ts
 */
import {
  performanceSection,
  readmeSection,
  replaceBetween,
  RESULT_MARKS,
  SPEED_MARKS,
} from "./publish-text.ts";
import { PROMISED_ROWS } from "./report.ts";
import { readRun } from "./results.ts";

const run = readRun();
const pages = {
  "../docs/performance.md": [...RESULT_MARKS, performanceSection(run)],
  "../README.md": [...SPEED_MARKS, readmeSection(run, PROMISED_ROWS)],
} as const;
for (const [file, [start, end, text]] of Object.entries(pages)) {
  const page = new URL(file, import.meta.url);
  Deno.writeTextFileSync(page, replaceBetween(Deno.readTextFileSync(page), start, end, text));
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page.pathname] })
    .output();
  if (!success) throw new Error(`${page.pathname} can't be formatted`);
}
