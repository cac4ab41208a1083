/**
 * The pages of docs/guide, and docs/ingest.md: their blocks are run in order, each page in a folder of its own that looks like a clone, and what they
 * print is held beside what the page says.
 *
 * | block | |
 * | --- | --- |
 * | `ts` | a program of its own. What it prints stands behind `// →`, line by line, or in the block `text` that follows |
 * | `console` | commands behind `$ `, and below each what it prints (see command-doc.ts) |
 *
 * A line of three dots stands for any lines.
 *
 *     deno run -A tests/guide-pages.ts [PAGE...]    # writes what they print into the pages
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { examplesOf, matches, Session } from "./command-doc.ts";

const ROOT = new URL("../", import.meta.url);
const GUIDE = new URL("docs/guide/", ROOT);
/** Pages elsewhere that are run in the same way. */
const OTHERS = ["docs/ingest.md"];

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The line of the page on which it begins, from 1. */
  readonly line: number;
}

/** What a block should have printed, and what it did. */
export interface Outcome {
  readonly block: Block;
  /** The command of a console block. */
  readonly command?: string;
  readonly said: readonly string[];
  readonly printed: readonly string[];
}

const ARROW = /\/\/ → (.*)$/gm;
const MARK = "\u0001";

/** Paths of the pages, in order. */
export function guidePages(): string[] {
  return [...Deno.readDirSync(GUIDE)].map(({ name }) => name).filter((name) => name.endsWith(".md")).sort()
    .map((name) => fileURLToPath(new URL(name, GUIDE)))
    .concat(OTHERS.map((path) => fileURLToPath(new URL(path, ROOT))));
}

/** Blocks of a page in order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1]!,
    text: match[2]!,
    line: page.slice(0, match.index).split("\n").length,
  }));
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** What the program in block `i` should print. */
function saidOf(blocks: readonly Block[], i: number): string[] {
  const next = blocks[i + 1];
  if (next?.language === "text") return linesOf(next.text);
  return [...blocks[i]!.text.matchAll(ARROW)].map((match) => match[1]!);
}

const CONFIG = new URL("deno.json", ROOT);

/** Runs a subcommand of deno with the configuration of the project. */
async function deno([subcommand = "", ...args]: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [subcommand, "--quiet", "--config", fileURLToPath(CONFIG), ...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Checks the types of all programs of some pages, in a folder. */
export async function checkPrograms(paths: readonly string[], folder: string): Promise<void> {
  const files: string[] = [];
  for (const path of paths) {
    for (const { language, text, line } of blocksOf(Deno.readTextFileSync(path))) {
      if (language !== "ts") continue;
      const file = `${basename(path, ".md")}-line-${line}.ts`;
      Deno.writeTextFileSync(`${folder}/${file}`, text);
      files.push(file);
    }
  }
  await deno(["check", ...files], folder);
}

/** Runs all blocks of a page. Programs that follow each other share a process. */
export async function runPage(page: string): Promise<Outcome[]> {
  using session = new Session();
  for (const name of ["tests", "mod.ts", "src", "ffi"]) {
    Deno.symlinkSync(fileURLToPath(new URL(name, ROOT)), `${session.path}/${name}`);
  }
  Deno.symlinkSync(Deno.execPath(), `${session.path}/../bin/deno`);
  const blocks = blocksOf(page), outcomes: Outcome[] = [];
  let programs: number[] = [];
  const runPrograms = async () => {
    if (programs.length === 0) return;
    const lines = programs.flatMap((i) => {
      const file = `line-${blocks[i]!.line}.ts`;
      Deno.writeTextFileSync(`${session.path}/${file}`, blocks[i]!.text);
      return [`console.log(${JSON.stringify(MARK)});`, `await import("./${file}");`];
    });
    Deno.writeTextFileSync(`${session.path}/run.ts`, lines.join("\n"));
    const printed = (await deno(["run", "-A", "run.ts"], session.path)).split(`${MARK}\n`).slice(1);
    for (const [at, i] of programs.entries()) {
      const said = saidOf(blocks, i);
      outcomes.push({ block: blocks[i]!, said, printed: linesOf(printed[at]!) });
    }
    programs = [];
  };
  for (const [i, block] of blocks.entries()) {
    if (block.language === "ts") programs.push(i);
    if (block.language !== "console") continue;
    await runPrograms();
    for (const { command, output } of examplesOf(block.text)) {
      const { lines } = await session.run(command);
      outcomes.push({ block, command, said: output, printed: lines });
    }
  }
  await runPrograms();
  return outcomes;
}

/** The page with what was printed. */
function updated(page: string, outcomes: readonly Outcome[]): string {
  const lines = page.split("\n"), blocks = blocksOf(page);
  // From the end, so that lines before keep their numbers.
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i]!, end = block.line + linesOf(block.text).length;
    const of = outcomes.filter((outcome) => outcome.block.line === block.line);
    if (block.language === "console") {
      const text = of.flatMap(({ command, said, printed }) => [
        `$ ${command!.replaceAll("\n", "\n> ")}`,
        ...(said.includes("...") && matches(printed, said) ? said : printed),
      ]);
      lines.splice(block.line, end - block.line, ...text);
    }
    const [outcome] = of;
    if (block.language !== "ts" || outcome === undefined || matches(outcome.printed, outcome.said)) continue;
    const { printed } = outcome, next = blocks[i + 1];
    if (next?.language === "text") {
      lines.splice(next.line, linesOf(next.text).length, ...printed);
    } else if (outcome.said.length === printed.length) {
      let at = 0;
      const text = block.text.replaceAll(ARROW, () => `// → ${printed[at++]}`);
      lines.splice(block.line, end - block.line, ...linesOf(text));
    } else console.error(`line ${block.line}: printed\n${printed.join("\n")}\n`);
  }
  return lines.join("\n");
}

if (import.meta.main) {
  const paths = guidePages().filter((path) =>
    Deno.args.length === 0 || Deno.args.some((part) => path.includes(part))
  );
  for (const path of paths) {
    const page = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, updated(page, await runPage(page)));
  }
}
