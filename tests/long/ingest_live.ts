/**
 * Ten minutes of a store's life: a writer with its merges, a reader of snapshots, a reader of scans, one that follows, and
 * casacore, which opens it every second or so. Summary in `tests/evidence/ingest-live.txt`. `SECONDS` sets how long; with less
 * than 600 the summary isn't written.
 */
import { temporaryFolder } from "../fixture.ts";
import { liveTogether } from "../ingest-live.ts";
import { peerAvailable } from "../peer/peer.ts";

const WANTED = 600;
const seconds = Number(Deno.env.get("SECONDS") ?? WANTED);
const evidence = new URL("../evidence/ingest-live.txt", import.meta.url);
const out: string[] = [];
const say = (line = "") => {
  console.log(line);
  out.push(line);
};
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

using folder = temporaryFolder();
const { told, opened, rows } = await liveTogether(`${folder.path}/live`, seconds, peerAvailable());
say(`A live store for ${seconds} s: one process writes and merges, three read, casacore opens it. Made by`);
say("tests/long/ingest_live.ts. No row was missing or there twice, every value was right, for all of them.");
say();
for (const { name, last, memoryEarly, memoryLate, memoryMost, longest } of told) {
  const { anonymous: _anonymous, longest: _longest, ...counts } = last;
  say(`${name}: ${Object.entries(counts).map(([key, value]) => `${key} ${value}`).join(", ")}`);
  say(
    `  anonymous memory after a fifth of the time ${mib(memoryEarly)}, at the end ${
      mib(memoryLate)
    }, at most ${mib(memoryMost)}`,
  );
  if (longest > 0) {
    say(`  a timer of the writer was late by ${longest.toFixed(1)} ms at most, on two shared processors`);
  }
}
say(`casacore opened the store ${opened} times; the last time it had ${rows} rows.`);
if (seconds >= WANTED) Deno.writeTextFileSync(evidence, `${out.join("\n")}\n`);
Deno.exit(0);
