/**
 * Processes side by side at one table for 60 seconds each, and what they did in `tests/evidence/beside.txt`.
 * `BESIDE_SECONDS` sets how long; when it is less the summary isn't written. Needs casacore.
 */
import { beside, LARGE_CELL, LARGE_MEETINGS, MEETINGS, needsCasacore } from "../beside.ts";
import { peerAvailable } from "../peer/peer.ts";

const WANTED = 60;
const seconds = Number(Deno.env.get("BESIDE_SECONDS") ?? WANTED);
const peer = peerAvailable();
const lines = [
  `Processes that change and read one table at the same time, ${seconds} seconds each. Made by tests/long/beside.ts.`,
  "A transaction takes the lock, reads the counter, writes a row and the counter, commits and lets go; a read takes the",
  "lock, a look doesn't. Numbers are those of transactions, reads and looks that each process was done with.",
  "",
];
for (const [meetings, cell] of [[MEETINGS, 16], [LARGE_MEETINGS, LARGE_CELL]] as const) {
  if (cell > 16) lines.push("", "With cells of 64 KiB, which readers take from mapped files:");
  for (const parts of meetings) {
    if (needsCasacore(parts) && !peer) continue;
    lines.push(await beside(parts, seconds, cell));
    console.log(lines.at(-1));
  }
}
lines.push(
  "",
  "No update lost: the counter is the sum of the writers' transactions. No row torn, no process stuck.",
);
if (seconds >= WANTED && peer) {
  Deno.writeTextFileSync(new URL("../evidence/beside.txt", import.meta.url), `${lines.join("\n")}\n`);
}
Deno.exit(0);
