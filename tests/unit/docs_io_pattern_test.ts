/** docs/io-pattern.md is true: its program prints what it says, and its command runs on the table that it made. */
import assert from "node:assert/strict";
import { temporaryFolder } from "../fixture.ts";

const ROOT = new URL("../../", import.meta.url);
const text = Deno.readTextFileSync(new URL("docs/io-pattern.md", ROOT));

async function run(args: string[], cwd: string): Promise<string> {
  const config = new URL("deno.json", ROOT).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--config", config, ...args],
    cwd,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the program and the command of docs/io-pattern.md do what it says", async () => {
  using folder = temporaryFolder();
  const program = /```ts\n([\s\S]*?)```/.exec(text)![1]!;
  const path = `${folder.path}/pattern.ts`;
  Deno.writeTextFileSync(path, program.replace('"./mod.ts"', JSON.stringify(new URL("mod.ts", ROOT).href)));
  const printed = (await run(["--check", path], folder.path)).trimEnd().split("\n");
  const expected = [...program.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]!);
  assert.deepEqual(printed, expected);
  const command = /^\$ table (.*)$/m.exec(text)![1]!.split(/\s+/);
  const page = await run([new URL("src/cli/main.ts", ROOT).pathname, ...command], folder.path);
  for (const title of ["opening", "reading", "bytes", "file", "order", "tiles of DATA"]) {
    assert.match(page, new RegExp(`^${title} `, "m"));
  }
});
