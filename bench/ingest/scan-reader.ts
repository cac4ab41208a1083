/**
 * A reader of compaction.ts in a process of its own: scans DATA again and again until its standard input ends, and says after each
 * batch when that was and how many bytes it has got so far.
 *
 *     scan-reader.ts STORE
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { clock } from "./setting.ts";

const store = IngestStore.open(Deno.args[0]!, { mode: "r" });
let ended = false, bytes = 0;
void Deno.stdin.read(new Uint8Array(1)).then(() => ended = true);
while (!ended) {
  for await (const { rowCount } of store.scan({ columns: ["DATA"] })) {
    bytes += rowCount * 2048;
    console.log(`${clock()} ${bytes}`);
    if (ended) break;
  }
}
await store.close();
