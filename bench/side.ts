/**
 * A side: a program that does works when it is told to. It speaks lines, so that any language can join:
 *
 * | line to it | answer | meaning |
 * | --- | --- | --- |
 * | `set NAME FOLDER TABLE ROWS ARGUMENT` | `ok` or `none` | gets ready for a work; `-` for a table: it makes its own |
 * | `run TIMES` | milliseconds of one, without those in which its thread waited for a processor | does it that many times |
 * | `end` | `ok` | lets go of what it has for the work |
 *
 * Sides that may be missing say who they are in their first line, unasked: name and version. One that isn't installed just ends.
 */
import type { Work } from "./works.ts";

/** A running side. */
export class Side {
  readonly name: string;
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  /** @throws Deno.errors.NotFound without the command */
  constructor(
    name: string,
    command: string,
    args: readonly string[],
    stderr: "inherit" | "null" = "inherit",
  ) {
    this.name = name;
    this.#process = new Deno.Command(command, { args: [...args], stdin: "piped", stdout: "piped", stderr })
      .spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#lines = linesOf(this.#process.stdout);
  }

  /** Of its process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Waits for the line in which a side that may be missing says who it is; null: it isn't here. */
  async introduction(): Promise<string | null> {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    await this.#process.status;
    return null;
  }

  async #ask(line: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    const { value, done } = await this.#lines.next();
    if (done || value.startsWith("error")) throw new Error(`${this.name}: ${line}: ${value ?? "ended"}`);
    return value;
  }

  /** Gets ready; false when it doesn't know the work. */
  async set(work: Work, folder: string, rows: number): Promise<boolean> {
    return await this.#ask(`set ${work.name} ${folder} ${work.table || "-"} ${rows} ${work.argument}`) ===
      "ok";
  }

  /** Milliseconds of one of so many times. */
  async run(times: number): Promise<number> {
    return Number(await this.#ask(`run ${times}`));
  }

  /** Lets go of what it has for the work. */
  async end(): Promise<void> {
    await this.#ask("end");
  }

  /** Ends the program. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#process.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** A compiler that didn't make the program. */
export class NotBuilt extends Error {}

/** Compiles a side. @throws NotBuilt with the reason */
export function compile(compiler: string, source: string, program: string, flags: readonly string[]): void {
  const path = new URL(`peers/${source}`, import.meta.url).pathname;
  let result: Deno.CommandOutput;
  try {
    result = new Deno.Command(compiler, {
      args: ["-O2", "-march=native", "-o", program, path, ...flags],
      stderr: "piped",
    }).outputSync();
  } catch (error) {
    throw new NotBuilt(`${source}: ${(error as Error).message}`);
  }
  if (!result.success) {
    throw new NotBuilt(
      `${source}: ${new TextDecoder().decode(result.stderr).split("\n").slice(0, 3).join(" ")}`,
    );
  }
}
