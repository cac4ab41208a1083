/**
 * Appends to a store at a steady pace, and prints each second, as JSON, how far it is, how much memory it takes, and the
 * longest time in which its event loop did nothing else. Arguments: path, seconds.
 */
import { IngestStore } from "../../src/ingest/mod.ts";
import { COLUMNS, rowsFrom } from "../ingest-rows.ts";
import { anonymousBytes } from "../memory.ts";

const [path, seconds] = Deno.args;
const ROWS = 100, APPENDS_PER_SECOND = 50;

const store = IngestStore.open(path!, {
  columns: COLUMNS,
  bufferBytes: 1024 * 1024,
  logBytes: 8 * 1024 * 1024,
  graceMs: 2000,
  compaction: { minSegments: 3, fanOut: 4, segmentBytes: 1024 * 1024 },
  retention: { maxBytes: 64 * 1024 * 1024 },
});
const until = performance.now() + Number(seconds) * 1000;
let last = performance.now(), longest = 0, told = last, appends = 0;
while (performance.now() < until) {
  const from = store.nextSequence;
  const first = await store.append(rowsFrom(from, ROWS));
  if (first !== from) throw new Error(`rows ${from} became rows ${first}`);
  appends++;
  const due = until - Number(seconds) * 1000 + appends * 1000 / APPENDS_PER_SECOND;
  last = performance.now();
  const wait = Math.max(0, due - last);
  await new Promise((resolve) => setTimeout(resolve, wait));
  longest = Math.max(longest, performance.now() - last - wait);
  if (performance.now() - told < 1000) continue;
  told = performance.now();
  const { seals, merges, droppedRows } = store.stats, { segments } = store.manifest;
  console.log(JSON.stringify({
    next: store.nextSequence,
    anonymous: anonymousBytes(),
    longest,
    seals,
    merges,
    droppedRows,
    segments: segments.length,
  }));
  longest = 0;
}
await store.close();
