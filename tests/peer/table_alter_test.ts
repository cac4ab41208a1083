/**
 * Rows, columns, cells and keywords come and go in turns by us and by casacore, in tables of all managers, whoever made
 * them, and in tables whose columns stay. The long evidence (tests/long/sequences.ts) does the same with more sequences.
 */
import { peerTest } from "./peer.ts";
import { sequenceSets } from "./sequence_sets.ts";
import { runTurns, sequenceOf } from "./turns.ts";
import { temporaryFolder } from "./peer.ts";

const SEQUENCES = Number(Deno.env.get("SEQUENCES") ?? 5), FIRST = Number(Deno.env.get("FIRST") ?? 1);

for (const { name, make } of sequenceSets()) {
  peerTest(`tables with ${name} change in turns with casacore`, async (t) => {
    for (let seed = FIRST; seed < FIRST + SEQUENCES; seed++) {
      await t.step(`sequence ${seed}`, async () => {
        using folder = temporaryFolder();
        await runTurns(`${folder.path}/t`, sequenceOf(seed, 3, 8, 4), make);
      });
    }
  });
}
