/**
 * Processes that change and read one table at the same time, casacore's and ours: no update is lost, no cell torn, nobody
 * waits for ever. `BESIDE_SECONDS` makes it longer than the few seconds of the daily tests.
 */
import { backendReport } from "../../mod.ts";
import { beside, LARGE_CELL, LARGE_MEETINGS, MEETINGS, nameOf, needsCasacore } from "../beside.ts";
import { peerAvailable } from "./peer.ts";

const seconds = Number(Deno.env.get("BESIDE_SECONDS") ?? 3);
const locks = backendReport().some(({ name, works }) => name === "pread" && works);

for (
  const [what, meetings, cell] of [["", MEETINGS, 16], [" large cells", LARGE_MEETINGS, LARGE_CELL]] as const
) {
  for (const parts of meetings) {
    Deno.test(
      `one table, several processes: ${nameOf(parts)}${what}`,
      { ignore: !locks || (needsCasacore(parts) && !peerAvailable()) },
      async () => console.log(`  ${await beside(parts, seconds, cell)} in ${seconds} s`),
    );
  }
}
