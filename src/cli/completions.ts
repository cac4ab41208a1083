/**
 * `table completions`: what a shell completes behind `table`, made from the commands themselves, so that it can't miss one.
 */
import { Argument, type Command, type Option } from "commander";
import type { Terminal } from "./terminal.ts";
import { printLines } from "./write.ts";

type Shell = "bash" | "zsh" | "fish";

/** What there is to complete of one command. */
interface Completed {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
}

/** Commands of the program, `help` left out. */
function commandsOf(program: Command): Completed[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.options.filter(({ hidden }) => !hidden),
  }));
}

/** Flags of an option as they are typed: `--json`, `-n`. */
function flagsOf(options: readonly Option[]): string[] {
  return [...options.flatMap(({ long, short }) => [long, short]).filter((flag) => flag != null), "--help"];
}

/** Choices of options, by flag. */
function choicesOf(commands: readonly Completed[]): Map<string, readonly string[]> {
  const choices = new Map<string, readonly string[]>();
  for (const { options } of commands) {
    for (const { long, argChoices } of options) {
      if (long != null && argChoices !== undefined) choices.set(long, argChoices);
    }
  }
  return choices;
}

function bashLines(commands: readonly Completed[]): string[] {
  return [
    "# bash: table completions bash > ~/.local/share/bash-completion/completions/table",
    "_table() {",
    '  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words=""',
    "  if [ $COMP_CWORD -eq 1 ]; then",
    `    COMPREPLY=($(compgen -W "${
      commands.map(({ name }) => name).join(" ")
    } help --version --help" -- "$word"))`,
    "    return",
    "  fi",
    '  case "$before" in',
    ...[...choicesOf(commands)].map(([flag, choices]) =>
      `    ${flag}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$word")); return ;;`
    ),
    "  esac",
    '  case "$command" in',
    ...commands.map(({ name, options }) => `    ${name}) words="${flagsOf(options).join(" ")}" ;;`),
    "  esac",
    '  case "$word" in',
    '    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;',
    '    *) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word")) ;;',
    "  esac",
    "}",
    "complete -F _table table",
  ];
}

/** Text within single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Text of a description in a zsh specification. */
function zshText(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, "\\$&");
}

function zshOption({ long, short, description, argChoices, required }: Option): string[] {
  const value = argChoices === undefined ? required ? ":value:" : "" : `:value:(${argChoices.join(" ")})`;
  return [long, short].filter((flag) => flag != null).map((flag) =>
    quoted(`*${flag}[${zshText(description)}]${value}`)
  );
}

function zshLines(commands: readonly Completed[]): string[] {
  return [
    "#compdef table",
    '# zsh: table completions zsh > "${fpath[1]}/_table"',
    "_table() {",
    "  local -a commands=(",
    ...commands.map(({ name, description }) => `    ${quoted(`${name}:${zshText(description)}`)}`),
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe command commands",
    "    return",
    "  fi",
    '  case "$words[2]" in',
    ...commands.map(({ name, options }) =>
      `    ${name}) _arguments ${[...options.flatMap(zshOption), quoted("*:table:_files -/")].join(" ")} ;;`
    ),
    "  esac",
    "}",
    // In a folder of $fpath the file is the function's body; with `source` it only defines it.
    'if [ "$funcstack[1]" = _table ]; then _table "$@"; else compdef _table table; fi',
  ];
}

function fishLines(commands: readonly Completed[]): string[] {
  const lines = [
    "# fish: table completions fish > ~/.config/fish/completions/table.fish",
    "complete -c table -f -n '__fish_use_subcommand' -l version -d 'print the version'",
    "complete -c table -f -n 'not __fish_use_subcommand' -a '(__fish_complete_directories)'",
  ];
  for (const { name, description, options } of commands) {
    lines.push(`complete -c table -f -n '__fish_use_subcommand' -a ${name} -d ${quoted(description)}`);
    for (const { long, short, description, argChoices, required } of options) {
      const flags = [long == null ? "" : ` -l ${long.slice(2)}`, short == null ? "" : ` -s ${short.slice(1)}`]
        .join("");
      const value = argChoices === undefined
        ? required ? " -r" : ""
        : ` -x -a ${quoted(argChoices.join(" "))}`;
      lines.push(
        `complete -c table -n '__fish_seen_subcommand_from ${name}'${flags}${value} -d ${
          quoted(description)
        }`,
      );
    }
  }
  return lines;
}

const LINES: Readonly<Record<Shell, (commands: readonly Completed[]) => string[]>> = {
  bash: bashLines,
  zsh: zshLines,
  fish: fishLines,
};

/** Adds the command. */
export function addCompletions(program: Command, terminal: Terminal): void {
  program.command("completions")
    .description("print what a shell needs to complete commands and options")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(LINES)))
    .addHelpText(
      "after",
      `
It goes to ~/.local/share/bash-completion/completions/table for bash, to _table
in a folder of $fpath for zsh, and for fish to
~/.config/fish/completions/table.fish.

Examples:
  $ table completions zsh > _table
  $ source <(table completions bash)`,
    )
    .action((shell: Shell) => printLines(LINES[shell](commandsOf(program)), terminal));
}
