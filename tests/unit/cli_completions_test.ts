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
    assert.deepEqual(complete("import", "my").sort(), ["my.ms", "my.txt"]);
    assert.deepEqual(complete("plot", "my.ms", "--svg", "my").sort(), ["my.ms", "my.txt"]);
    assert.deepEqual(complete("plot", "my.ms", "--rows", "m"), []);
    assert.deepEqual(complete("completions", "").sort(), ["bash", "fish", "zsh"]);
    assert.deepEqual(complete("help", "dig"), ["digest"]);
  },
});

/** True where a shell is installed. */
function has(shell: string): boolean {
  try {
    return new Deno.Command(shell, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** What is typed, and what the shell must offer, nothing else. */
const TYPED: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["table sh", ["show"]],
  ["table d", ["diff", "digest", "doctor"]],
  ["table head --col", ["--columns"]],
  ["table stat my.ms --lock ", ["auto", "none"]],
  ["table show my", ["my.ms/"]],
  ["table import my", ["my.ms/", "my.txt"]],
  ["table plot my.ms --svg my", ["my.ms/", "my.txt"]],
  ["table import a b --like my", ["my.ms/"]],
  ["table completions ", ["bash", "fish", "zsh"]],
  ["table plot my.ms --rows ", []],
];

/** A folder with a table's directory and a file in it, and the script of a shell. */
async function folderFor(shell: string, file: string) {
  const folder = temporaryFolder();
  Deno.mkdirSync(`${folder.path}/my.ms`);
  Deno.writeTextFileSync(`${folder.path}/my.txt`, "");
  Deno.writeTextFileSync(`${folder.path}/${file}`, (await table("completions", shell)).out);
  return folder;
}

function output(command: string, args: string[], cwd: string): string {
  const { stdout, stderr } = new Deno.Command(command, { args, cwd, env: { HOME: cwd, TERM: "xterm" } })
    .outputSync();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "fish itself offers commands, options, choices, files where files are meant, and tables elsewhere",
  ignore: !has("fish"),
  async fn() {
    using folder = await folderFor("fish", "table.fish");
    for (const [line, offered] of TYPED) {
      const script = `source table.fish; complete -C '${line}'`;
      const lines = output("fish", ["--no-config", "-c", script], folder.path).trim().split("\n");
      const words = lines.map((one) => one.split("\t")[0]!).filter((word) => word !== "");
      assert.deepEqual(words.sort(), offered, line);
    }
  },
});

/** Seconds that zsh is given: it shows no list while there is more to be read, which on a busy machine is there at once. */
const DELAYS = ["0.1", "1", "5", "10"];

/** Types a line into a zsh that runs in a terminal of its own, asks for completions, and prints all that it shows. */
const ZSH = String.raw`
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1= PS2= RPS1= PROMPT_SP=; unsetopt zle_bracketed_paste prompt_sp 2>/dev/null; stty cols 200'
zpty -w z "fpath=($PWD \$fpath); autoload -U compinit; compinit -u -d $PWD/.zcompdump"
zpty -w z 'LISTMAX=1000; bindkey "^I" list-choices; echo REA""DY'
zpty -r -m z out '*READY*'
zpty -w -n z "$1"$'\t'
sleep $2
zpty -w -n z $'\x15'"echo DO''NE"$'\n'
zpty -r -m z out '*DONE*'
print -r -- "$out"
zpty -d z`;

Deno.test({
  name: "zsh itself offers commands, options, choices, files where files are meant, and tables elsewhere",
  ignore: !has("zsh"),
  async fn() {
    using folder = await folderFor("zsh", "_table");
    for (const [line, offered] of TYPED) {
      for (const delay of DELAYS) {
        const shown = output("zsh", ["-f", "-c", ZSH, "zsh", line, delay], folder.path)
          // deno-lint-ignore no-control-regex
          .replaceAll(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "").split("\n");
        // What is offered stands below the line that was typed: words, or words with descriptions.
        const at = shown.findIndex((one) => one.includes(line.trimEnd()));
        const below = shown.slice(at + 1).join("\n");
        // The line may stand behind it again, and what was typed next.
        const ends = [line.trimEnd(), "echo DO"].map((next) => below.indexOf(next)).filter((end) => end >= 0);
        const words = below.slice(0, Math.min(below.length, ...ends)).split("\n").filter((one) =>
          one.trim() !== ""
        ).flatMap((one) =>
          one.includes(" -- ") ? [one.split(/\s+-- /)[0]!.trim()] : one.trim().split(/\s{2,}/)
        ).filter((word) => word !== "" && !word.startsWith("DONE"));
        if (delay !== DELAYS.at(-1) && words.sort().join() !== offered.join()) continue;
        assert.deepEqual(words.sort(), offered, `${line}: ${JSON.stringify(shown)}`);
        break;
      }
    }
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
