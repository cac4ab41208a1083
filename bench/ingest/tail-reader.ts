/**
 * A reader of latency.ts in a process of its own: prints when it saw each row, by its own clock, a line each.
 *
 *     tail-reader.ts STORE poll|spin ROWS
 *
 * `poll`: by `tail`, as it comes. `spin`: looks again and again, without pause.
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { clock } from "./setting.ts";

const [path, how, count] = Deno.args as [string, "poll" | "spin", string];
const rows = Number(count), seen: number[] = [];
const store = IngestStore.open(path, { mode: "r" });
console.log("ready");
if (how === "poll") {
  for await (const batch of store.tail({ from: 0, columns: ["TIME"] })) {
    const now = clock();
    for (let i = 0; i < batch.rowCount; i++) seen.push(now);
    if (seen.length >= rows) break;
  }
} else {
  while (seen.length < rows) {
    const end = store.nextSequence, now = clock();
    while (seen.length < end) seen.push(now);
    await Promise.resolve();
  }
}
await store.close();
console.log(seen.join("\n"));
