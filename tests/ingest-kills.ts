/**
 * Writers of stores that are killed at random instants: while they append, rotate, seal, publish, merge and remove. What was
 * acknowledged must be there afterwards, once, and casacore must be able to open the store before anybody repairs it.
 */
import assert from "node:assert/strict";
import { Table } from "../mod.ts";
import { IngestStore } from "../src/ingest/mod.ts";
import { assertWhole, checkedTable } from "./ingest-rows.ts";

/** casacore, asked for what it sees of a store. */
export class CasacoreReader {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    const program = new URL("./peer/programs/ingest_check.py", import.meta.url).pathname;
    this.#child = new Deno.Command("/usr/bin/python3", { args: [program], stdin: "piped", stdout: "piped" })
      .spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** Sequence numbers of the rows that casacore reads, all of whose values it found right. @throws what it says otherwise */
  async rows(path: string): Promise<number[]> {
    await this.#writer.write(new TextEncoder().encode(`${path}\n`));
    const { value } = await this.#lines.next();
    const answer = JSON.parse(value!) as { wrong?: string; sequences: number[] };
    if (answer.wrong !== undefined) throw new Error(`casacore, of ${path}: ${answer.wrong}`);
    return answer.sequences;
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#child.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + part).split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}

/** What is written and by whom it is killed. */
export interface Victim {
  readonly path: string;
  readonly seed: number;
  readonly keyed: boolean;
  /** How long it lives after it opened the store, in milliseconds. */
  readonly lifeMs: number;
}

/** Starts a writer and kills it. @returns rows that it was sure of */
export async function killIngest({ path, seed, keyed, lifeMs }: Victim): Promise<number> {
  const program = new URL("./programs/ingest_writer.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, path, String(seed), keyed ? "keyed" : "plain"],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let sure = 0, timer: ReturnType<typeof setTimeout> | undefined, last = "";
  for await (const line of linesOf(child.stdout)) {
    if (line === "ready") timer = setTimeout(() => child.kill("SIGKILL"), lifeMs);
    else sure = Math.max(sure, Number(line));
    last = line;
  }
  clearTimeout(timer);
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL", `the writer, after ${last}: ${await errors}`);
  await errors;
  return sure;
}

/** What was seen of one store after its writer was killed. */
export interface Aftermath {
  readonly rows: number;
  readonly sealed: number;
  readonly findings: readonly string[];
  readonly segments: number;
  readonly merges: number;
}

/** Checks everything that there is to know of a store whose writer was killed after it was sure of `sure` rows. */
export async function checkAfterKill(
  path: string,
  sure: number,
  keyed: boolean,
  casacore: CasacoreReader | null,
): Promise<Aftermath> {
  const what = `after row ${sure}`;
  // Before anybody repairs anything: casacore, and a reader.
  if (casacore !== null) await agree(path, casacore, `${what}, before the recovery`);
  const reader = IngestStore.open(path, { mode: "r" });
  const before = reader.snapshot();
  const whole = reader.nextSequence;
  assert.ok(whole >= sure, `${what}: a reader sees ${whole} rows`);
  assertWhole(checkedTable(before, `${what}, reader`), whole, keyed, `${what}, reader`);
  before.close();
  await reader.close();

  const store = IngestStore.open(path, { background: "inline", graceMs: 0, compaction: false });
  try {
    const damage = store.findings.filter(({ note }) => !note);
    assert.deepEqual(damage, [], `${what}: damage was found`);
    assert.equal(store.nextSequence, whole, `${what}: other rows after recovery`);
    const snapshot = store.snapshot();
    assertWhole(checkedTable(snapshot, `${what}, snapshot`), whole, keyed, `${what}, snapshot`);
    snapshot.close();
    const { manifest } = store;
    return {
      rows: whole,
      sealed: manifest.nextSequence,
      findings: store.findings.map(({ message }) => message),
      segments: manifest.segments.length,
      merges: manifest.history.length,
    };
  } finally {
    await store.close();
    if (casacore !== null) await agree(path, casacore, `${what}, after the recovery`);
  }
}

/** casacore and Tessera see the same sealed rows, and all of their values are right. */
async function agree(path: string, casacore: CasacoreReader, what: string): Promise<void> {
  const theirs = await casacore.rows(path);
  using sealed = Table.open(path);
  const ours = checkedTable(sealed, what);
  assert.equal(theirs.length, ours.length, `${what}: casacore sees another number of rows`);
  assert.ok(theirs.every((sequence, i) => sequence === ours[i]), `${what}: casacore sees other rows`);
}
