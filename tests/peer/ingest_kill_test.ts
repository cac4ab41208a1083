import { randomFrom } from "../changing-tables.ts";
import { temporaryFolder } from "../fixture.ts";
import { CasacoreReader, checkAfterKill, killIngest } from "../ingest-kills.ts";
import { liveTogether } from "../ingest-live.ts";
import { peerTest } from "./peer.ts";

peerTest(
  "a writer of a store that is killed loses no acknowledged row, and casacore opens the store",
  async () => {
    const casacore = new CasacoreReader(), random = randomFrom(Date.now() % 100_000);
    try {
      for (const keyed of [false, true]) {
        using folder = temporaryFolder();
        const path = `${folder.path}/live`;
        for (let i = 0; i < 3; i++) {
          const sure = await killIngest({ path, seed: i, keyed, lifeMs: 100 + random() * 700 });
          await checkAfterKill(path, sure, keyed, casacore);
        }
      }
    } finally {
      await casacore.close();
    }
  },
);

peerTest("a store is written, read, followed and opened by casacore at the same time", async () => {
  using folder = temporaryFolder();
  await liveTogether(`${folder.path}/live`, 12, true);
});
