/** docs/command.md is a session at a shell that can be run again, with all commands in it. */
import assert from "node:assert/strict";
import { matches, PAGE, pageExamples, Session } from "../command-doc.ts";
import { table } from "./cli_support.ts";

const page = Deno.readTextFileSync(PAGE);
const linux = Deno.build.os === "linux";

/** Examples of a help that aren't run: they need more rows, or what they need or leave behind is outside the session's folder. */
const APART = [/^table io .*0:10000/, /pyarrow/, /^table doctor --build$/, /duckdb/];

/** The examples that the help of a command gives; lines that go on are joined. */
function helpExamples(help: string): string[] {
  const [, text = ""] = /\nExamples?:\n([\s\S]*)$/.exec(help) ?? [];
  return text.split(/^ {2}\$ /m).slice(1).map((one) => one.trim().replaceAll(/\s*\n\s*/g, " "));
}

Deno.test("every command has a section in docs/command.md, and every example of its help is run there", async () => {
  const { out } = await table("--help");
  const commands = [...out.matchAll(/^ {2}([a-z]+) .*/gm)].map((match) => match[1]!);
  const run = pageExamples(page).map(({ command }) => command.replaceAll(/\s*\n\s*/g, " "));
  for (const name of commands.filter((name) => name !== "help")) {
    assert.match(page, new RegExp(`^## .*\\btable ${name}\\b`, "m"), name);
    for (const example of helpExamples((await table(name, "--help")).out)) {
      if (APART.some((pattern) => pattern.test(example))) continue;
      assert.ok(run.includes(example), `table ${name}: ${example}`);
    }
  }
});

Deno.test({
  name: "the session of docs/command.md prints what the page says",
  ignore: !linux,
  async fn(t) {
    using session = new Session();
    for (const { command, output } of pageExamples(page)) {
      await t.step(command, async () => {
        const { lines } = await session.run(command);
        if (!matches(lines, output)) assert.deepEqual(lines, output);
      });
    }
  },
});

Deno.test("three dots on a page stand for any lines", () => {
  assert.ok(matches(["a", "b", "c"], ["a", "...", "c"]));
  assert.ok(matches(["a"], ["a", "..."]));
  assert.ok(!matches(["a", "b"], ["a", "...", "c"]));
  assert.ok(!matches(["a"], []));
});
