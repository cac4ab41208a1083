/**
 * A store that is written, merged, read, followed and opened by casacore at the same time, by processes of their own. Each
 * checks what it sees and ends with an error if anything is wrong.
 */
import assert from "node:assert/strict";
import { CasacoreReader } from "./ingest-kills.ts";

/** What one process told last, and how much memory it took on the way. */
export interface Told {
  readonly name: string;
  readonly last: Readonly<Record<string, number>>;
  /** Bytes of memory that are no file's: at the end of the first fifth of the time, and at the end; the most. */
  readonly memoryEarly: number;
  readonly memoryLate: number;
  readonly memoryMost: number;
  /** Largest `longest` of its lines. */
  readonly longest: number;
}

async function follow(
  name: string,
  program: string,
  args: readonly string[],
  seconds: number,
): Promise<Told> {
  const path = new URL(`./programs/${program}`, import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", path, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text(), begun = performance.now();
  let text = "", memoryEarly = 0, memoryMost = 0, longest = 0;
  let last: Record<string, number> = {};
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (text + part).split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      last = JSON.parse(line);
      if (performance.now() - begun < seconds * 200 || memoryEarly === 0) memoryEarly = last.anonymous!;
      memoryMost = Math.max(memoryMost, last.anonymous!);
      longest = Math.max(longest, last.longest ?? 0);
    }
  }
  const { code } = await child.status;
  assert.equal(code, 0, `${name}: ${await errors}`);
  return { name, last, memoryEarly, memoryLate: last.anonymous!, memoryMost, longest };
}

/** Lets them run for so many seconds. @returns what each told, and how often casacore opened the store */
export async function liveTogether(
  path: string,
  seconds: number,
  withCasacore: boolean,
): Promise<{ readonly told: readonly Told[]; readonly opened: number; readonly rows: number }> {
  const time = String(seconds);
  const writing = follow("writer", "ingest_live_writer.ts", [path, time], seconds);
  let isOver = false;
  void writing.finally(() => isOver = true).catch(() => {});
  // Readers begin when there is a store.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const reading = (["snapshot", "scan", "tail"] as const).map((how) =>
    follow(how, "ingest_live_reader.ts", [path, String(seconds - 5), how], seconds)
  );
  let opened = 0, rows = 0;
  if (withCasacore) {
    const casacore = new CasacoreReader();
    while (!isOver) {
      const sequences = await casacore.rows(path);
      sequences.forEach((sequence, i) =>
        assert.equal(sequence, sequences[0]! + i, "casacore: a row is missing, or there twice")
      );
      opened++;
      rows = sequences.length;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await casacore.close();
  }
  return { told: await Promise.all([writing, ...reading]), opened, rows };
}
