/**
 * The commands in docs/command.md: run one after the other in a shell, in a folder of their own, and what they print beside
 * what the page says. A line of three dots stands for any lines.
 *
 *     deno run -A tests/command-doc.ts    # writes what they print into the page
 */
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./fixture.ts";

const ROOT = new URL("../", import.meta.url);

/** The page. */
export const PAGE = fileURLToPath(new URL("docs/command.md", ROOT));

/** A command in a block of the page, and what is printed below it. */
export interface Example {
  /** As a shell takes it, perhaps several lines. */
  readonly command: string;
  readonly output: readonly string[];
}

const BLOCK = /^```console\n([\s\S]*?)^```$/gm;

/** The commands of a block: `$ ` begins one, `> ` continues it. */
export function examplesOf(block: string): Example[] {
  const examples: { command: string; output: string[] }[] = [];
  for (const line of block.replace(/\n$/, "").split("\n")) {
    const last = examples.at(-1);
    if (line.startsWith("$ ")) examples.push({ command: line.slice(2), output: [] });
    else if (line.startsWith("> ") && last?.output.length === 0) last.command += `\n${line.slice(2)}`;
    else last?.output.push(line);
  }
  return examples;
}

/** All commands of a page in order. */
export function pageExamples(page: string): Example[] {
  return [...page.matchAll(BLOCK)].flatMap((match) => examplesOf(match[1]!));
}

/** A shell in a folder with `examples/`, where `table` is the command. */
export class Session implements Disposable {
  readonly #folder = temporaryFolder();
  readonly #env: Record<string, string>;

  /** Makes the folder. */
  constructor() {
    const { path } = this.#folder;
    Deno.mkdirSync(`${path}/bin`);
    Deno.mkdirSync(`${path}/desk`);
    Deno.symlinkSync(fileURLToPath(new URL("examples", ROOT)), `${path}/desk/examples`);
    const main = fileURLToPath(new URL("src/cli/main.ts", ROOT));
    const script = `#!/bin/sh\nexec "${Deno.execPath()}" run --quiet -A "${main}" "$@"\n`;
    Deno.writeTextFileSync(`${path}/bin/table`, script, { mode: 0o755 });
    const { DENO_DIR, HOME = "/" } = Deno.env.toObject();
    const cache = DENO_DIR ?? `${HOME}/.cache/deno`;
    this.#env = { PATH: `${path}/bin:${Deno.env.get("PATH")}`, DENO_DIR: cache, LC_ALL: "C.UTF-8" };
  }

  /** The folder that commands run in. */
  get path(): string {
    return `${this.#folder.path}/desk`;
  }

  /** Runs a command in bash; both outputs together. */
  async run(command: string): Promise<{ lines: string[]; status: number }> {
    const { stdout, code } = await new Deno.Command("bash", {
      args: ["--norc", "-c", `exec 2>&1\n${command}`],
      cwd: this.path,
      env: this.#env,
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stdout).replace(/\n$/, "");
    return { lines: text === "" ? [] : text.split("\n"), status: code };
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** True when `printed` is what the page says. */
export function matches(printed: readonly string[], said: readonly string[]): boolean {
  const [first, ...rest] = said;
  if (first === undefined) return printed.length === 0;
  if (first === "...") return printed.some((_, i) => matches(printed.slice(i), rest)) || rest.length === 0;
  return printed[0] === first && matches(printed.slice(1), rest);
}

if (import.meta.main) {
  using session = new Session();
  let page = Deno.readTextFileSync(PAGE);
  for (const [whole, block] of page.matchAll(BLOCK)) {
    let text = "";
    for (const { command, output } of examplesOf(block!)) {
      const { lines } = await session.run(command);
      const kept = output.includes("...") && matches(lines, output) ? output : lines;
      text += `$ ${command.replaceAll("\n", "\n> ")}\n${kept.map((line) => `${line}\n`).join("")}`;
    }
    page = page.replace(whole, () => `\`\`\`console\n${text}\`\`\``);
  }
  Deno.writeTextFileSync(PAGE, page);
}
