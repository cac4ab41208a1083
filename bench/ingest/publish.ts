/**
 * Puts the results of the last run of the bench of live ingest (`bench/results/ingest.json`) into docs/performance.md, between
 * its marks:
 *
 *     deno run -A bench/ingest/publish.ts
 */
import { replaceBetween } from "../publish-text.ts";
import { ingestMarkdown, type IngestRun } from "./report.ts";

const run = JSON.parse(
  Deno.readTextFileSync(new URL("../results/ingest.json", import.meta.url)),
) as IngestRun;
const page = new URL("../../docs/performance.md", import.meta.url);
const text = replaceBetween(
  Deno.readTextFileSync(page),
  "<!-- live ingest -->",
  "<!-- end of live ingest -->",
  ingestMarkdown(run),
);
Deno.writeTextFileSync(page, text);
const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", page.pathname] })
  .output();
if (!success) throw new Error(`${page.pathname} can't be formatted`);
