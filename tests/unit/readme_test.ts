/** The README is true: its program runs, and its commands exist. */
import assert from "node:assert/strict";
import { temporaryFolder } from "../fixture.ts";

const ROOT = new URL("../../", import.meta.url);
const text = Deno.readTextFileSync(new URL("README.md", ROOT));

async function run(args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdout: "piped",
    stderr: "piped",
  })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the README's program runs", async () => {
  using folder = temporaryFolder();
  const programs = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
  assert(programs.length > 0);
  for (const [i, program] of programs.entries()) {
    const path = `${folder.path}/readme${i}.ts`;
    Deno.writeTextFileSync(
      path,
      program.replaceAll('"./mod.ts"', JSON.stringify(new URL("mod.ts", ROOT).href)),
    );
    const config = new URL("deno.json", ROOT).pathname;
    const printed = await run(["run", "-A", "--check", "--quiet", "--config", config, path], folder.path);
    // What a line prints stands behind it.
    const expected = [...program.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]!);
    if (i === 0) expected.push("[ 2, 64, 100 ]");
    assert(expected.length > 0);
    for (const line of expected) assert(printed.includes(line), `${line}: ${printed}`);
  }
});

Deno.test("the README's table commands run", async () => {
  using folder = temporaryFolder();
  const commands = [...text.matchAll(/task table ([^\n#]+)/g)].map((match) => match[1]!.trim().split(/\s+/));
  assert(commands.length >= 6);
  const main = new URL("src/cli/main.ts", ROOT).pathname;
  const config = new URL("deno.json", ROOT).pathname;
  for (const command of commands) {
    const args = command.map((word) => word.startsWith("examples/") ? new URL(word, ROOT).pathname : word);
    await run(["run", "-A", "--quiet", "--config", config, main, ...args], folder.path);
  }
});

Deno.test("the README's links lead to files", () => {
  for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
    assert(Deno.statSync(new URL(target!, ROOT)).isFile, target);
  }
});
