/**
 * Commits to a table for as long as it lives, and prints the number of each commit when it is done: who kills it knows
 * what the table holds. Arguments: name of the kind of table, seed, path, "durable" or "plain".
 */
import { Table } from "../../mod.ts";
import { commitOf, KINDS, lastCommit } from "../changing-tables.ts";

const [name, seed, path, how] = Deno.args;
const kind = KINDS.find((one) => one.name === name)!;
const say = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

using table = Table.open(path!, { mode: "rw" });
say("ready");
for (let number = lastCommit(table) + 1;; number++) {
  commitOf(table, kind, Number(seed), number, { durable: how === "durable" });
  say(String(number));
}
