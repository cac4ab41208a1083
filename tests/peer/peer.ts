/**
 * casacore beside Tessera: tests that need it, what it reads, and tables that it writes on request.
 *
 * The oracle is a Python process that answers one request after the other (oracle/serve.py). Each request is served by
 * a fork of it, so casacore may abort: that request fails, with what casacore said, and the next is served.
 */
import type { TableSchema } from "../fixture.ts";
import { parsedRows } from "../fixture.ts";
import type { JobColumn } from "./oracle/values.ts";

export { assertSameRows, differenceOf, temporaryFolder } from "../fixture.ts";

const PYTHON = "/usr/bin/python3";
const SCRIPTS = new URL("./oracle/", import.meta.url).pathname;

/** A storage manager of a job. */
export interface JobManager {
  readonly type: string;
  readonly name?: string;
  readonly columns: readonly string[];
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** What casacore shall write; oracle/write.py says what each field and operation means. */
export interface Job {
  readonly table: string;
  readonly open?: boolean;
  readonly rows?: number;
  readonly seed?: number;
  readonly byteOrder?: "little" | "big";
  readonly columns?: readonly JobColumn[];
  readonly managers?: readonly JobManager[];
  readonly hypercolumns?: Readonly<
    Record<
      string,
      { ndim: number; data: readonly string[]; coord?: readonly string[]; id?: readonly string[] }
    >
  >;
  readonly keywords?: Readonly<Record<string, unknown>>;
  readonly info?: { readonly type?: string; readonly subType?: string; readonly readme?: string };
  readonly storage?: "multifile";
  readonly blockSize?: number;
  readonly fill?: boolean;
  readonly parts?: readonly string[];
  readonly concatSubtables?: readonly string[];
  readonly operations?: readonly JobOperation[];
}

/** One change, in order. Values as `table cat` prints them. */
export type JobOperation =
  | { op: "addrows"; count: number }
  | { op: "removerows"; rows: readonly number[] }
  | { op: "fill"; columns?: readonly string[]; rows?: readonly number[]; seed?: number }
  | { op: "put"; column: string; row: number; value: unknown }
  | { op: "putcol"; column: string; start?: number; shape: readonly number[]; data: readonly unknown[] }
  | { op: "setkeyword"; key: string; value: unknown; dtype?: string; column?: string }
  | { op: "removekeyword"; key: string; column?: string }
  | { op: "subtable"; key: string; table: string }
  | { op: "addcolumns"; columns: readonly JobColumn[]; managers?: readonly JobManager[]; fill?: boolean }
  | { op: "removecolumns"; columns: readonly string[] }
  | { op: "renamecolumn"; from: string; to: string }
  | { op: "taql"; command: string }
  | { op: "select"; rows: readonly number[]; giving: string }
  | { op: "flush" }
  | { op: "reopen" };

let available: boolean | undefined;

/** True when casacore's Python binding is installed and we may run it. Never asks for a permission. */
export function peerAvailable(): boolean {
  available ??= Deno.permissions.querySync({ name: "run", command: PYTHON }).state === "granted" && imports();
  return available;
}

function imports(): boolean {
  try {
    return new Deno.Command(PYTHON, { args: ["-c", "import casacore.tables"] }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * A test that needs casacore. Where it is missing the test is ignored, with its name shown; with CI=true in the
 * environment it fails instead.
 */
export function peerTest(name: string, fn: (t: Deno.TestContext) => void | Promise<void>): void {
  const missing = !peerAvailable();
  const demanded = Deno.env.get("CI") === "true";
  Deno.test({
    name: missing ? `${name} (needs python3-casacore)` : name,
    ignore: missing && !demanded,
    // The oracle lives on from test to test.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: missing ? () => Promise.reject(new Error(`${PYTHON} can't import casacore.tables`)) : fn,
  });
}

/** The rows of a table as casacore reads them, in the form of `table cat` after JSON.parse. */
export async function oracleRows(
  table: string,
  options: { columns?: readonly string[]; rows?: readonly [start: number | null, end: number | null] } = {},
): Promise<Record<string, unknown>[]> {
  return parsedRows((await ask({ do: "rows", table, ...options })).join("\n"));
}

/** What casacore says of a table: columns, managers, keywords. */
export async function oracleSchema(table: string): Promise<TableSchema> {
  return JSON.parse((await ask({ do: "schema", table }))[0]!) as TableSchema;
}

/** Has casacore make or change a table. */
export async function oracleWrite(job: Job): Promise<void> {
  await ask({ do: "write", job });
}

/** What casacore is asked in one go. */
export type OracleRequest =
  | { do: "schema"; table: string }
  | { do: "rows"; table: string; columns?: readonly string[] }
  | { do: "write"; job: Job };

/** Asks for several things in one process of casacore's, which is much faster; gives the lines of each answer. */
export async function oracleSeveral(requests: readonly OracleRequest[]): Promise<string[][]> {
  const lines = await ask({ do: "several", requests });
  let at = 0;
  return requests.map(() => {
    const count = Number(lines[at]), start = at + 1;
    at = start + count;
    return lines.slice(start, at);
  });
}

/** A running oracle. */
class Oracle {
  readonly #child = new Deno.Command(PYTHON, {
    args: [`${SCRIPTS}serve.py`],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  readonly #writer = this.#child.stdin.getWriter();
  readonly #reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  #lines: string[] = [];
  #rest = "";

  constructor() {
    addEventListener("unload", () => this.end());
  }

  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the oracle's process ended");
      const parts = (this.#rest + value).split("\n");
      this.#rest = parts.pop()!;
      this.#lines = parts.reverse();
    }
    return this.#lines.pop()!;
  }

  async ask(request: unknown): Promise<string[]> {
    await this.#writer.write(new TextEncoder().encode(requestText(request) + "\n"));
    const answer = JSON.parse(await this.line()) as { ok: true; lines: number } | {
      ok: false;
      error: string;
    };
    if (!answer.ok) throw new Error(answer.error);
    const lines: string[] = [];
    for (let i = 0; i < answer.lines; i++) lines.push(await this.line());
    return lines;
  }

  end(): void {
    try {
      this.#child.kill();
    } catch {
      // It has ended already.
    }
  }
}

/** JSON that keeps the sign of -0, which JSON.stringify drops. */
function requestText(request: unknown): string {
  const marked = JSON.stringify(request, (_, value) => Object.is(value, -0) ? "\0-0" : value);
  return marked.replaceAll('"\\u0000-0"', "-0.0");
}

let oracle: Oracle | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** Sends a request when the ones before it are done; a new process after one that ended. */
function ask(request: unknown): Promise<string[]> {
  const answer = turn.then(async () => {
    const current = oracle ??= new Oracle();
    try {
      return await current.ask(request);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("casacore "))) {
        current.end();
        oracle = undefined;
      }
      throw error;
    }
  });
  turn = answer.catch(() => {});
  return answer;
}
