/**
 * At least 2,000 random sequences of changes of tables of all storage managers, by us and by casacore in turns, beside a
 * model in memory; their summary in `tests/evidence/sequences.txt`. Needs casacore, and g++ for engines that
 * python-casacore doesn't know.
 *
 * options: --count=N how many, --seed=N the first seed, --set=TEXT only sets with that in their names
 *
 * With fewer than 2,000, or some sets only, the summary isn't written. A sequence that fails is made as short as it can be.
 */
import { peerAvailable } from "../peer/peer.ts";
import { LEFT_OUT, sequenceSets } from "../peer/sequence_sets.ts";
import { sequenceOf, shrunk, tryTurns, type TurnsCount } from "../peer/turns.ts";

const WANTED = 2000;
/** Turns of each of the two, changes of a turn of ours and of one of casacore's. */
const TURNS = 3, OURS = 5, THEIRS = 3;
/** Seeds from that of one set to that of the next. */
const SEEDS_OF_A_SET = 1_000_000;
/** Sequences at a time: casacore reads one table while we change another. */
const TOGETHER = 3;
/** Differences that are made shorter. */
const MOST_SHRUNK = 3;

function option(name: string): string | undefined {
  return Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

const wanted = Number(option("count") ?? WANTED), seed = Number(option("seed") ?? 1), only = option("set");
if (!peerAvailable()) {
  console.log("sequences: ignored, they need python3-casacore");
  Deno.exit(0);
}
const libraries = Deno.makeTempDirSync({ prefix: "tessera-engines-" });
const sets = sequenceSets(libraries)
  .map((set, i) => ({ ...set, first: seed + i * SEEDS_OF_A_SET }))
  .filter(({ name }) => only === undefined || name.includes(only));
const each = Math.ceil(wanted / sets.length);
const count: TurnsCount = { ours: new Map(), theirs: new Map(), openings: 0 };
const lines: string[] = [], began = performance.now();
let sequences = 0, differences = 0;
for (const { name, make, first } of sets) {
  let next = first, wrong = 0;
  const last = first + each;
  const work = async () => {
    while (next < last) {
      const sequence = sequenceOf(next++, TURNS, OURS, THEIRS);
      const error = await tryTurns(sequence, make, count);
      if (error === null) continue;
      wrong++;
      console.log(`${name}, seed ${sequence.seed}:`, error);
      if (++differences > MOST_SHRUNK) continue;
      const shorter = await shrunk(sequence, make);
      console.log(`shortest: ${JSON.stringify(shorter)}`, await tryTurns(shorter, make));
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  sequences += each;
  lines.push(`${name.padEnd(60)} ${String(each).padStart(9)} ${String(wrong).padStart(11)}`);
  console.log(lines.at(-1), `${Math.round((performance.now() - began) / 1000)} s`);
}

function table(counts: Map<string, number>): string {
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, times]) => `  ${name} ${times}`).join("\n");
}

const text =
  `Random sequences of changes of tables, by Tessera and casacore in turns, beside a model in memory: after each turn of
ours casacore reads what the model has, after each of casacore's Tessera reads what casacore reads, and \`table check\`
finds nothing in the files. Made by tests/long/sequences.ts, seeds from ${seed} on for each kind of table
(${SEEDS_OF_A_SET} further for each next), ${TURNS} turns each of ${OURS} changes by us
and up to ${THEIRS} by casacore.

${"tables with".padEnd(60)} sequences differences
${lines.join("\n")}
${"all".padEnd(60)} ${String(sequences).padStart(9)} ${String(differences).padStart(11)}

Changes by Tessera:
${table(count.ours)}

Changes by casacore:
${table(count.theirs)}

Requests that each opened a table in casacore: ${count.openings}. Time: ${
    Math.round((performance.now() - began) / 1000)
  } s.

Left out:
${LEFT_OUT.map((line) => `  ${line}`).join("\n")}
`;
console.log(text);
if (sequences >= WANTED && only === undefined && differences === 0) {
  Deno.writeTextFileSync(new URL("../evidence/sequences.txt", import.meta.url), text);
}
Deno.removeSync(libraries, { recursive: true });
Deno.exit(differences === 0 ? 0 : 1);
