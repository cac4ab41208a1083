import assert from "node:assert/strict";
import { temporaryFolder } from "../fixture.ts";
import { table } from "./cli_support.ts";

/** What bash completes behind these words. */
function completed(script: string, words: readonly string[], cwd: string): string[] {
  const program = `${script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _table; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, success } = new Deno.Command("bash", {
    args: ["--norc", "-c", program, "bash", ...words],
    cwd,
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}

Deno.test({
  name: "bash completes commands, their options, choices of options, and directories",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = temporaryFolder();
    Deno.mkdirSync(`${folder.path}/my.ms`);
    Deno.writeTextFileSync(`${folder.path}/my.txt`, "");
    const { out } = await table("completions", "bash");
    const complete = (...words: string[]) => completed(out, ["table", ...words], folder.path);
    assert.deepEqual(complete("dig"), ["digest"]);
    assert.ok(complete("").length > 12);
    assert.deepEqual(complete("head", "--col"), ["--columns"]);
    assert.deepEqual(complete("head", "-n"), ["-n"]);
    assert.deepEqual(complete("stat", "my.ms", "--lock", ""), ["auto", "none"]);
    assert.deepEqual(complete("completions", "--h"), ["--help"]);
    assert.deepEqual(complete("show", "my"), ["my.ms"]);
  },
});

Deno.test("completions of every shell name every command and every long option", async () => {
  const { out: help } = await table("--help");
  const commands = [...help.matchAll(/^ {2}([a-z]+) .*/gm)].map((match) => match[1]!).filter((name) =>
    name !== "help"
  );
  assert.ok(commands.length >= 14);
  for (const shell of ["bash", "zsh", "fish"]) {
    const { status, out } = await table("completions", shell);
    assert.equal(status, 0);
    for (const name of commands) {
      assert.match(out, new RegExp(`\\b${name}\\b`), `${shell} ${name}`);
      const options = (await table(name, "--help")).out.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm);
      for (const [, option] of options) {
        if (shell !== "bash" && option === "help") continue;
        assert.ok(
          out.includes(shell === "fish" ? `-l ${option}` : `--${option}`),
          `${shell} ${name} ${option}`,
        );
      }
    }
  }
  assert.equal((await table("completions", "tcsh")).status, 2);
  assert.equal((await table("completions")).status, 2);
});
