/**
 * More than ten thousand crash points over all storage managers that can be written, and their summary in
 * `tests/evidence/crash-points.txt`. Seeded: the same points every time. `CRASH_POINTS` sets how many; with fewer than
 * that the summary isn't written.
 */
import { KINDS } from "../changing-tables.ts";
import { type CrashCount, tryCrashes } from "../crash-points.ts";

const WANTED = 10_000;
const points = Number(Deno.env.get("CRASH_POINTS") ?? WANTED);
/** A large table takes as long as many small ones. */
const SHARE_OF_LARGE = 0.02;

const evidence = new URL("../evidence/crash-points.txt", import.meta.url);
const lines: string[] = [];
const total = { points: 0, before: 0, after: 0, nested: 0, operations: 0 };
for (const kind of KINDS) {
  const small = KINDS.length - 1;
  const share = kind.large ? SHARE_OF_LARGE : (1 - SHARE_OF_LARGE) / small;
  for (const durable of [false, true]) {
    const count: CrashCount = { points: 0, before: 0, after: 0, nested: 0, operations: 0 };
    let seed = 100;
    while (count.points < points * share / 2) {
      tryCrashes(
        {
          kind,
          seed: seed++,
          commits: kind.large ? 4 : 8,
          points: 12,
          durable,
          nested: kind.large ? 10 : 25,
        },
        count,
      );
    }
    const what = durable ? "power lost during durable commits" : "killed during commits";
    lines.push(
      `${kind.name.padEnd(32)} ${what.padEnd(34)} ${String(count.points).padStart(6)} ` +
        `${String(count.before).padStart(6)} ${String(count.after).padStart(6)} ${
          String(count.nested).padStart(7)
        }`,
    );
    console.log(lines.at(-1));
    for (const key of ["points", "before", "after", "nested", "operations"] as const) {
      total[key] += count[key];
    }
  }
}
const text =
  `Crash points: a table on a disk that keeps a record of every write is rebuilt as a crash would have left it, and
must open with the state before the commit or after it. "Killed": every prefix of the writes, of the last one some
sectors. "Power lost": writes between syncs lost or reordered. "Nested": recovery stopped in turn, and done again.
Made by tests/long/crash_points.ts; seeds from 100 on.

table                            crash                              points before  after  nested
${lines.join("\n")}
${"all".padEnd(67)} ${String(total.points).padStart(6)} ${String(total.before).padStart(6)} ${
    String(total.after).padStart(6)
  } ${String(total.nested).padStart(7)}

Every point held the state before or after its commit, for readers that may not write and for writers who recover it.
`;
if (points >= WANTED) Deno.writeTextFileSync(evidence, text);
console.log(text);
