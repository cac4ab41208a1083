/**
 * Appends to a store for as long as it lives, and prints the number of rows each time that it may be sure of them. Logs and
 * segments are so small that something is sealed or merged all the time. Arguments: path, seed, "plain" or "keyed".
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { COLUMNS, rowsFrom } from "../ingest-rows.ts";

const [path, seed, kind] = Deno.args;
const say = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

let state = Number(seed);
/** The same numbers for the same seed (mulberry32). */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const store = IngestStore.open(path!, {
  columns: COLUMNS,
  ...(kind === "keyed" && { key: "KEY" }),
  durability: random() < 0.5 ? "batch" : "each",
  bufferBytes: 64 * 1024,
  logBytes: 256 * 1024,
  graceMs: 0,
  compaction: { minSegments: 2, fanOut: 3, segmentBytes: 4096 },
});
say("ready");
let next = store.nextSequence, sure = next;
/** Appends at the same time. */
const WRITERS = 3;
await Promise.all(Array.from({ length: WRITERS }, async () => {
  for (;;) {
    const from = next, count = 1 + Math.floor(random() ** 3 * 400);
    next += count;
    const first = await store.append(rowsFrom(from, count));
    if (first !== from) throw new Error(`rows ${from} became rows ${first}`);
    sure = Math.max(sure, from + count);
    say(String(sure));
    // Not so fast that sealing never comes to a merge.
    if (store.stats.growingLogs > 4) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}));
