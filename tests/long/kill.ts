/**
 * 200 writers killed with SIGKILL at random instants, each table then opened by Tessera, which recovers it, and by
 * casacore; and a second series in which casacore looks first. Summary in `tests/evidence/kills.txt`. `KILLS` sets how
 * many; with fewer than 200 the summary isn't written.
 */
import { KINDS, randomFrom } from "../changing-tables.ts";
import { temporaryFolder } from "../fixture.ts";
import { casacoreFirst, type KillCount, killSeries, type Sight, type Window } from "../kills.ts";
import { peerAvailable } from "../peer/peer.ts";

const WANTED = 200;
/** Writers of one table, one after the other. */
const OF_ONE_TABLE = 4;
const kills = Number(Deno.env.get("KILLS") ?? WANTED);
const evidence = new URL("../evidence/kills.txt", import.meta.url);
const peer = peerAvailable();
const out: string[] = [];
const say = (line = "") => {
  console.log(line);
  out.push(line);
};

say(
  `Writers killed with SIGKILL at random instants, while they commit to tables of all kinds. Made by tests/long/kill.ts.`,
);
say("The instants differ from run to run; what is done to the tables doesn't.");
say();

const count: KillCount = { kills: 0, peers: 0, windows: new Map(), told: 0, next: 0, commits: 0 };
for (let series = 0; count.kills < kills; series++) {
  using folder = temporaryFolder();
  const kind = KINDS[series % KINDS.length]!, seed = 1000 + series;
  const random = randomFrom(seed + Date.now() % 100_000);
  await killSeries({ kind, path: `${folder.path}/t`, seed, kills: OF_ONE_TABLE, random, peer }, count);
}
say(`${count.kills} writers killed, ${count.commits} commits.`);
say(`Died ${[...count.windows].map(([window, times]) => `${window}: ${times}`).join(", ")}.`);
say(
  `Every table opened, for a reader that may not write and for one that recovers it, with the same state: ${count.told} times`,
);
say(`that of the last commit the writer had told of, ${count.next} times that of the next one.`);
say(
  `casacore then read the same cells in ${count.peers} of them (the others are of kinds that it doesn't open from python).`,
);

if (peer) {
  const seen = new Map<Window, Map<Sight, number>>(), words = new Map<string, number>();
  for (let i = 0, done = 0; done < kills; i++) {
    using folder = temporaryFolder();
    const kind = KINDS[i % KINDS.length]!, seed = 5000 + i;
    if (kind.foreign) continue;
    done++;
    const random = randomFrom(seed + Date.now() % 100_000);
    const found = await casacoreFirst({ kind, path: `${folder.path}/t`, seed, random });
    const sights = seen.get(found.window) ?? new Map<Sight, number>();
    seen.set(found.window, sights.set(found.sight, (sights.get(found.sight) ?? 0) + 1));
    if (found.words === "") continue;
    const text = found.words.replaceAll(/\d{2,}|(?<= )\d(?=\D|$)/g, "N").trim();
    words.set(text, (words.get(text) ?? 0) + 1);
  }
  say();
  say(
    `casacore first: ${kills} more tables whose writer was killed, opened by casacore before anybody recovered them.`,
  );
  for (const [window, sights] of seen) {
    say(`${window}: ${[...sights].map(([sight, times]) => `${sight} ${times}`).join(", ")}`);
  }
  for (const [text, times] of words) say(`  refused ${times} times with: ${text}`);
  say(
    "`table recover --yes` brought every one of them back to the state before or after the commit; casacore agreed on each cell.",
  );
}
if (kills >= WANTED) Deno.writeTextFileSync(evidence, `${out.join("\n")}\n`);
Deno.exit(0);
