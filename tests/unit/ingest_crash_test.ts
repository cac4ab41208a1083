import { randomFrom } from "../changing-tables.ts";
import { checkCrash, historyOf } from "../ingest-crashes.ts";

for (const keyed of [false, true]) {
  Deno.test(`a crash at any point leaves a store with every acknowledged row${keyed ? ", of each key the newest" : ""}`, async () => {
    const random = randomFrom(keyed ? 7 : 3), history = await historyOf(random, 2, keyed);
    const { ops } = history.log;
    for (let i = 0; i < 40; i++) {
      const at = Math.floor(random() * (ops.length + 1));
      await checkCrash(
        history.log.prefix(at),
        history,
        at,
        `killed after ${at} of ${ops.length} (${ops[at]?.kind})`,
      );
      const lost = history.log.afterPowerLoss(at, randomFrom(i));
      await checkCrash(lost, history, at, `power lost after ${at} of ${ops.length} (${ops[at]?.kind}), ${i}`);
    }
  });
}
