/**
 * Writers that are killed: child processes commit to tables of all kinds until SIGKILL ends them, at random instants. What
 * each table must hold then follows from the number of the last commit that the child told of: that one, or the next.
 */
import assert from "node:assert/strict";
import { Context, recoverTable, Table } from "../mod.ts";
import { openBackend } from "../src/io/backends.ts";
import { countersState, journalOf } from "../src/io/recovery.ts";
import { JOURNAL_FILE } from "../src/io/journal-format.ts";
import { COUNTERS } from "../src/table/read-state.ts";
import {
  commitOf,
  type Kind,
  lastCommit,
  makeTable,
  type Random,
  stateOf,
  whole,
} from "./changing-tables.ts";
import { assertSameRows, oracleRows } from "./peer/peer.ts";
import { rowsAsJson } from "./rows-as-json.ts";

/** Where in a commit a writer died, by what it left behind. */
export type Window =
  | "between commits"
  | "journal begun"
  | "before the counters"
  | "in the middle of writing"
  | "journal not yet removed";

/** How long a writer lives, in milliseconds: at most, after it opened the table. */
const LIFE_MS = 150, LONG_LIFE_MS = 600;
/** Values that JSON can carry in a reasonable time. */
const MOST_VALUES = 20_000;

/** The same commits to a table in memory: what the killed one must hold. */
export class Model {
  readonly kind: Kind;
  readonly #seed: number;
  readonly #context = new Context();
  #table: Table;
  #commit = 0;

  constructor(kind: Kind, seed: number) {
    this.kind = kind;
    this.#seed = seed;
    makeTable(kind, "/model", { io: "memory", context: this.#context }).close();
    this.#table = this.#open();
  }

  #open(): Table {
    return Table.open("/model", { mode: "rw", io: "memory", context: this.#context });
  }

  /**
   * Another writer goes on. IncrementalStMan, as casacore's, gives rows behind the last one that a writer put the value of
   * that one: what the same calls do depends on which writer made them.
   */
  reopen(): void {
    this.#table.close();
    this.#table = this.#open();
  }

  /** State and rows after the commit of that number, which is not before the last one asked for. */
  after(number: number): { state: string; rows: Record<string, unknown>[] } {
    for (; this.#commit < number; this.#commit++) {
      commitOf(this.#table, this.kind, this.#seed, this.#commit + 1);
    }
    assert.equal(this.#commit, number);
    return { state: stateOf(this.#table, this.kind), rows: rowsFor(this.#table, this.kind) };
  }

  close(): void {
    this.#table.close();
  }
}

/** Columns whose values are compared with casacore's. */
function comparable({ columns, forgotten = [] }: Kind): string[] {
  return columns.filter(({ name, options: { shape = [] } }) =>
    !forgotten.includes(name) && shape.reduce((product, length) => product * length, 1) < MOST_VALUES
  ).map(({ name }) => name);
}

function rowsFor(table: Table, kind: Kind): Record<string, unknown>[] {
  const names = comparable(kind);
  return rowsAsJson(table).map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
}

/** Starts a writer and kills it. @returns the last commit that it told of, 0 if none */
export async function killWriter(
  kind: Kind,
  seed: number,
  path: string,
  random: Random,
  durable: boolean,
): Promise<number> {
  const program = new URL("./programs/kill_writer.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, kind.name, String(seed), path, durable ? "durable" : "plain"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const errors = new Response(child.stderr).text();
  let text = "", timer: ReturnType<typeof setTimeout> | undefined;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    if (timer === undefined && text.includes("ready\n")) {
      timer = setTimeout(() => child.kill("SIGKILL"), random() * (kind.large ? LONG_LIFE_MS : LIFE_MS));
    }
  }
  clearTimeout(timer);
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL", `the writer of ${kind.name}, seed ${seed}: ${await errors}`);
  await errors;
  // A line that isn't complete is none.
  const numbers = text.slice(0, text.lastIndexOf("\n")).split("\n").slice(1).map(Number);
  return numbers.at(-1) ?? 0;
}

/** Where the writer of a table died. */
export function windowOf(path: string): Window {
  const backend = openBackend("node");
  if (backend.kind(`${path}/${JOURNAL_FILE}`) === null) return "between commits";
  const content = journalOf(path, backend);
  if (content === null || content.records.length === 0) return "journal begun";
  switch (countersState(path, backend, COUNTERS, content)) {
    case "before":
      return "before the counters";
    case "begun":
      return "in the middle of writing";
    case "after":
    case "undone":
      return "journal not yet removed";
    case "other":
      return assert.fail("the change counters are none that the writer wrote");
  }
}

/** What a series of kills came to. */
export interface KillCount {
  kills: number;
  /** Tables that casacore read, too. */
  peers: number;
  readonly windows: Map<Window, number>;
  /** What was found: the last commit that the writer told of, or the one after it. */
  told: number;
  next: number;
  commits: number;
}

/** Options of {@linkcode killSeries}. */
export interface KillSeries {
  readonly kind: Kind;
  readonly path: string;
  readonly seed: number;
  readonly kills: number;
  readonly random: Random;
  /** Compare with casacore, too. */
  readonly peer: boolean;
}

/** Makes a table, kills its writers one after the other, and looks at it each time. */
export async function killSeries(series: KillSeries, count: KillCount): Promise<void> {
  const { kind, path, seed, random } = series;
  makeTable(kind, path).close();
  const model = new Model(kind, seed);
  let committed = 0;
  try {
    for (let kill = 0; kill < series.kills; kill++) {
      const told = Math.max(committed, await killWriter(kind, seed, path, random, random() < 0.3));
      const window = windowOf(path), where = `${kind.name}, seed ${seed}, after commit ${told}, ${window}`;
      count.windows.set(window, (count.windows.get(window) ?? 0) + 1);
      const before = model.after(told);
      // A reader who may not write, then one that recovers, in half of the runs the command's way.
      const states: string[] = [];
      {
        using table = Table.open(path);
        states.push(stateOf(table, kind));
      }
      if (whole(random, 2) === 0) assert.equal(recoverTable(path, { apply: true }).left, 0, where);
      using table = Table.open(path, { mode: "rw" });
      states.push(stateOf(table, kind));
      assert.equal(states[0], states[1], where);
      committed = lastCommit(table);
      assert(committed === told || committed === told + 1, `${where}: found commit ${committed}`);
      const expected = committed === told ? before : model.after(committed);
      assert.equal(states[1], expected.state, where);
      model.reopen();
      if (committed === told) count.told++;
      else count.next++;
      if (series.peer && !kind.foreign) {
        table.close();
        assertSameRows(expected.rows, await oracleRows(path, { columns: comparable(kind) }), where);
        count.peers++;
      }
      count.kills++;
    }
    count.commits += committed;
  } finally {
    model.close();
  }
}

/** What casacore makes of a table whose writer died, before anybody recovers it. */
export type Sight = "refused" | "state before" | "state after" | "a mix";

/** Kills one writer and has casacore look first; then `table recover --yes`. */
export async function casacoreFirst(
  { kind, path, seed, random }: Omit<KillSeries, "kills" | "peer">,
): Promise<{ window: Window; sight: Sight; words: string }> {
  makeTable(kind, path).close();
  const model = new Model(kind, seed);
  try {
    const told = await killWriter(kind, seed, path, random, false);
    const window = windowOf(path), where = `${kind.name}, seed ${seed}, after commit ${told}, ${window}`;
    const columns = comparable(kind), before = model.after(told), after = model.after(told + 1);
    let sight: Sight, words = "";
    try {
      const rows = await oracleRows(path, { columns });
      sight = isSame(before.rows, rows) ? "state before" : isSame(after.rows, rows) ? "state after" : "a mix";
    } catch (error) {
      sight = "refused";
      words = String(error instanceof Error ? error.message : error).split("\n")[0]!.replaceAll(path, "");
    }
    const report = recoverTable(path, { apply: true });
    assert.equal(report.left, 0, `${where}: ${JSON.stringify(report.findings)}`);
    assert.deepEqual(recoverTable(path).findings, [], where);
    using table = Table.open(path);
    const expected = lastCommit(table) === told ? before : after;
    assert.equal(stateOf(table, kind), expected.state, where);
    assertSameRows(expected.rows, await oracleRows(path, { columns }), where);
    return { window, sight, words };
  } finally {
    model.close();
  }
}

function isSame(a: readonly Record<string, unknown>[], b: readonly Record<string, unknown>[]): boolean {
  try {
    assertSameRows(a, b, "");
    return true;
  } catch {
    return false;
  }
}
