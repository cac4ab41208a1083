/**
 * The command run inside a test, with what it prints caught.
 */
import { runTable, type Terminal } from "../../src/cli/main.ts";

/** What a run of the command did. */
export interface Run {
  readonly status: number;
  readonly out: string;
  /** Lines of standard error. */
  readonly err: readonly string[];
}

/** A terminal that keeps what is written to it. */
export function caughtTerminal(width = 80, color = false) {
  const decoder = new TextDecoder();
  const caught = { out: "", err: [] as string[] };
  const terminal: Terminal = {
    out: (bytes) => void (caught.out += decoder.decode(bytes, { stream: true })),
    err: (line) => void caught.err.push(...line.split("\n")),
    progress: () => {},
    width,
    color,
  };
  return { caught, terminal };
}

/** Runs `table` with these arguments. */
export async function table(...args: string[]): Promise<Run> {
  const { caught, terminal } = caughtTerminal();
  const status = await runTable(args, terminal);
  return { status, ...caught };
}

/** The folder of the project. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs `table` as a program of its own, in the folder of the project. */
export function spawnTable(
  args: readonly string[],
  options: { permissions?: readonly string[]; env?: Record<string, string> } = {},
): Run {
  const { permissions = ["-A"], env = {} } = options;
  const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, "src/cli/main.ts", ...args],
    cwd: ROOT,
    env,
  }).outputSync();
  const decoder = new TextDecoder();
  const err = decoder.decode(stderr);
  return {
    status: code,
    out: decoder.decode(stdout),
    err: err === "" ? [] : err.replace(/\n$/, "").split("\n"),
  };
}
