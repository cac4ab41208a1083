/**
 * 500 writers of stores killed with SIGKILL at random instants. Summary in `tests/evidence/ingest-kills.txt`. `KILLS` sets how
 * many; with fewer than 500 the summary isn't written.
 */
import { temporaryFolder } from "../fixture.ts";
import { CasacoreReader, checkAfterKill, killIngest } from "../ingest-kills.ts";
import { peerAvailable } from "../peer/peer.ts";

const WANTED = 500;
/** Writers of one store, one after the other. */
const OF_ONE_STORE = 6;
/** How long a writer lives at most, in milliseconds. */
const LIFE_MS = 1500;
const kills = Number(Deno.env.get("KILLS") ?? WANTED);
const evidence = new URL("../evidence/ingest-kills.txt", import.meta.url);
const out: string[] = [];
const say = (line: string) => {
  console.log(line);
  out.push(line);
};

say("Writers of live stores killed with SIGKILL at random instants. Made by tests/long/ingest_kills.ts.");
say("");
let rows = 0, merges = 0, seals = 0, peers = 0, begun = 0, stores = 0;
const findings = new Map<string, number>();

/** Kills the writers of one store after the other, until enough were killed. */
async function work(): Promise<void> {
  const casacore = peerAvailable() ? new CasacoreReader() : null;
  while (begun < kills) {
    using folder = temporaryFolder();
    const path = `${folder.path}/live`, series = stores++, keyed = series % 3 === 2;
    for (let i = 0; i < OF_ONE_STORE && begun < kills; i++) {
      begun++;
      const seed = series * 100 + i, lifeMs = Math.random() ** 2 * LIFE_MS;
      const sure = await killIngest({ path, seed, keyed, lifeMs });
      const after = await checkAfterKill(path, sure, keyed, casacore);
      if (casacore !== null) peers += 2;
      if (i === OF_ONE_STORE - 1) {
        rows += after.rows;
        merges += after.merges;
        seals += after.sealed;
      }
      for (const finding of after.findings) {
        const text = finding.replaceAll(/\d+/g, "N");
        findings.set(text, (findings.get(text) ?? 0) + 1);
      }
    }
  }
  await casacore?.close();
}

await Promise.all([work(), work()]);
say(
  `${kills} writers killed; their stores had ${rows} rows at the end, ${seals} of them sealed, after ${merges} merges.`,
);
say(
  "No acknowledged row was missing, none was there twice, and every value was right: for a reader before the recovery, and",
);
say("for the next writer after it. The rows that a reader saw before were those that were there after.");
say(
  `casacore opened each store before and after, ${peers} times, and agreed on every value of every sealed row.`,
);
say("What recovery said:");
for (const [text, times] of findings) say(`  ${times} times: ${text}`);
if (kills >= WANTED) Deno.writeTextFileSync(evidence, `${out.join("\n")}\n`);
Deno.exit(0);
