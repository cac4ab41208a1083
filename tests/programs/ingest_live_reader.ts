/**
 * Reads a store that is written all the while, checks every value, and that no sequence number is missing or there twice;
 * prints what it did each second, as JSON. Arguments: path, seconds, "snapshot", "scan" or "tail".
 */
import assert from "node:assert/strict";
import { IngestStore } from "../../src/ingest/mod.ts";
import { checkBatch, checkedTable } from "../ingest-rows.ts";
import { anonymousBytes } from "../memory.ts";

const [path, seconds, how] = Deno.args;
const store = IngestStore.open(path!, { mode: "r" });
const until = performance.now() + Number(seconds) * 1000;
let told = 0, rows = 0, rounds = 0, next = -1;

function tell() {
  if (performance.now() - told < 1000) return;
  told = performance.now();
  console.log(JSON.stringify({ rows, rounds, next, anonymous: anonymousBytes() }));
}

/** Sequence numbers follow each other, whatever is at the beginning: the oldest rows go. */
function follow(sequences: ArrayLike<number>, what: string) {
  for (let i = 0; i < sequences.length; i++) {
    if (next >= 0) assert.equal(sequences[i], next, `${what}: row ${next} is missing, or there twice`);
    next = sequences[i]! + 1;
  }
  rows += sequences.length;
}

if (how === "tail") {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), Number(seconds) * 1000);
  try {
    for await (const batch of store.tail({ from: 0, signal: stop.signal })) {
      checkBatch(batch, "tail");
      follow(batch.sequences, "tail");
      rounds++;
      tell();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
} else {
  while (performance.now() < until) {
    next = -1;
    const end = store.nextSequence;
    if (how === "snapshot") {
      using snapshot = store.snapshot();
      follow(checkedTable(snapshot, "snapshot"), "snapshot");
    } else {
      for await (const batch of store.scan()) {
        checkBatch(batch, "scan");
        follow(batch.sequences, "scan");
      }
    }
    if (end > 0) assert.ok(next >= end, `${how}: the rows end with ${next}, ${end} were there before`);
    rounds++;
    tell();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
console.log(JSON.stringify({ rows, rounds, next, anonymous: anonymousBytes() }));
await store.close();
