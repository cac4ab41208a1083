/**
 * Node and npm beside Tessera: a Node that is new enough, and tests that need it.
 */
import { NODE_VERSION } from "../../pack/node.ts";

/** What a program printed. */
export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program. @throws Deno.errors.NotFound */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; clearEnv?: boolean } = {},
): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
    env: { NO_COLOR: "1", ...options.env },
  }).output();
  const decoder = new TextDecoder();
  return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** What a program prints that must end well. */
export async function output(...[program, args, options]: Parameters<typeof run>): Promise<string> {
  const { status, out, err } = await run(program, args, options);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${err}${out}`);
  return out;
}

/** Where there is no `node`, Deno runs itself instead, with a version of Node's. */
const WHICH = "typeof Deno === 'object' ? '' : [parseInt(process.versions.node), process.execPath].join(' ')";

/** Path of a Node that the package is for: the machine's, or that of npm's package `node`; null without, or without npm. */
async function findNode(): Promise<string | null> {
  try {
    await output("npm", ["--version"]);
  } catch {
    return null;
  }
  const found = [["node", "-p", WHICH], [
    "npx",
    "--yes",
    "--prefer-offline",
    `node@${NODE_VERSION}`,
    "-p",
    WHICH,
  ]];
  for (const [program, ...args] of found) {
    try {
      const [, version, path] = /^(\d+) (.*)$/m.exec(await output(program!, args)) ?? [];
      if (Number(version) >= NODE_VERSION) return path!;
    } catch {
      // Not installed, too old to have what is asked for, or not to be had.
    }
  }
  return null;
}

/** {@linkcode findNode}, looked for once. */
export const node: string | null = await findNode();

/** A test that needs npm and Node; ignored, with its name shown, where they are missing, but not with CI=true. */
export function nodeTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  const missing = node === null;
  Deno.test({
    name: missing ? `${name} (needs npm and Node ${NODE_VERSION})` : name,
    ignore: missing && Deno.env.get("CI") !== "true",
    fn: missing ? () => Promise.reject(new Error(`npm, or Node ${NODE_VERSION}, is not to be had`)) : fn,
  });
}
