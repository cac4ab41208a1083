/**
 * Crash points of live stores: killed, or the power lost, after any operation on logs, segments, manifest and concatenation.
 * Seeded. Summary in `tests/evidence/ingest-crashes.txt`. `POINTS` sets how many; with fewer than 3,000 it isn't written.
 */
import { randomFrom } from "../changing-tables.ts";
import { checkCrash, historyOf } from "../ingest-crashes.ts";

const WANTED = 3000;
/** Points of one history. */
const OF_ONE = 100;
const points = Number(Deno.env.get("POINTS") ?? WANTED);
const evidence = new URL("../evidence/ingest-crashes.txt", import.meta.url);
const out: string[] = [];
const say = (line: string) => {
  console.log(line);
  out.push(line);
};

let operations = 0, histories = 0, killed = 0, lost = 0;
const kinds = new Map<string, number>();
for (let seed = 1; killed + lost < points; seed++) {
  const random = randomFrom(seed), history = await historyOf(random, 3, seed % 2 === 0);
  const { ops } = history.log;
  operations += ops.length;
  histories++;
  for (let i = 0; i < OF_ONE && killed + lost < points; i++) {
    const at = Math.floor(random() * (ops.length + 1)), kind = ops[at]?.kind ?? "the end";
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const where = `seed ${seed}, after ${at} of ${ops.length} (${kind})`;
    if (i % 2 === 0) {
      await checkCrash(history.log.prefix(at), history, at, `killed, ${where}`);
      killed++;
    } else {
      await checkCrash(
        history.log.afterPowerLoss(at, randomFrom(seed * 1000 + i)),
        history,
        at,
        `power lost, ${where}`,
      );
      lost++;
    }
  }
}
say(
  "Crash points of live stores, each opened by the next writer, read, appended to, sealed and opened again. Made by",
);
say("tests/long/ingest_crashes.ts.");
say("");
say(
  `${killed} points at which the process was killed, ${lost} at which the power went, in ${histories} histories of`,
);
say(
  `${operations} operations: appends, seals, publications, merges, removals, of stores with and without a key.`,
);
say("Every acknowledged row was there, once and right; no other row but those of the append under way.");
say(
  `The next operation would have been: ${[...kinds].map(([kind, times]) => `${kind} ${times}`).join(", ")}.`,
);
if (points >= WANTED) Deno.writeTextFileSync(evidence, `${out.join("\n")}\n`);
