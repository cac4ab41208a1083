/**
 * Some writers killed with SIGKILL; `deno task test:long` kills hundreds.
 */
import assert from "node:assert/strict";
import { backendReport } from "../../mod.ts";
import { KINDS, randomFrom } from "../changing-tables.ts";
import { type KillCount, killSeries } from "../kills.ts";
import { peerAvailable, temporaryFolder } from "./peer.ts";

const locks = backendReport().some(({ name, works }) => name === "pread" && works);

Deno.test({
  name: "a writer that is killed leaves the table of its last commit, or of the one under way",
  ignore: !locks,
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  using folder = temporaryFolder();
  const count: KillCount = { kills: 0, peers: 0, windows: new Map(), told: 0, next: 0, commits: 0 };
  for (const [i, kind] of KINDS.entries()) {
    const path = `${folder.path}/${i}`, seed = 500 + i;
    const kills = kind.large ? 2 : 1;
    await killSeries({ kind, path, seed, kills, random: randomFrom(seed), peer: peerAvailable() }, count);
  }
  assert.equal(count.kills, KINDS.length + 1);
  assert.equal(count.told + count.next, count.kills);
  assert(count.commits > 0);
});
