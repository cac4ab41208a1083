/**
 * `table completions`: what a shell completes behind `table`, made from the commands themselves, so that it can't miss one.
 */
import { Argument, type Command, type Option } from "commander";
import type { Terminal } from "./terminal.ts";
import { printLines } from "./write.ts";

type Shell = "bash" | "zsh" | "fish";

/** What stands in a place: some words, any file, a directory (as tables are), or what nobody can guess. */
type Values = readonly string[] | "files" | "directories" | "unknown";

/** What there is to complete of one command. */
interface Completed {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  readonly values: Values;
}

/** What the arguments of a command are: files where any of them is one, as a table is a file, too. */
function argumentValues(command: Command): Values {
  const list = command.registeredArguments;
  const choices = list.flatMap(({ argChoices }) => argChoices ?? []);
  if (choices.length > 0) return choices;
  if (list.some((argument) => argument.name() === "file")) return "files";
  return list.length > 0 ? "directories" : "unknown";
}

/** What stands behind an option; null where it has no value. */
function optionValues({ argChoices, flags, required }: Option): Values | null {
  if (!required) return null;
  if (argChoices !== undefined) return argChoices;
  return flags.includes("<file>") ? "files" : flags.includes("<table>") ? "directories" : "unknown";
}

/** Commands of the program, `help` left out. */
function commandsOf(program: Command): Completed[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.options.filter(({ hidden }) => !hidden),
    values: argumentValues(command),
  }));
}

/** Flags of an option as they are typed: `--json`, `-n`. */
function flagsOf({ long, short }: Option): string[] {
  return [long, short].filter((flag) => flag != null);
}

/** Flags of options by what stands behind them, those with the same in one: an option means the same in all commands. */
function flagsByValues(commands: readonly Completed[]): Map<string, { flags: Set<string>; values: Values }> {
  const found = new Map<string, { flags: Set<string>; values: Values }>();
  for (const { options } of commands) {
    for (const option of options) {
      const values = optionValues(option);
      if (values === null) continue;
      const key = String(values);
      if (!found.has(key)) found.set(key, { flags: new Set(), values });
      for (const flag of flagsOf(option)) found.get(key)!.flags.add(flag);
    }
  }
  return found;
}

/** How bash is told what there is. */
function bashReply(values: Values): string {
  if (values === "unknown") return "COMPREPLY=()";
  if (values === "files" || values === "directories") {
    const kind = values === "files" ? "-f" : "-d";
    return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen ${kind} -- "$word"))`;
  }
  return `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$word"))`;
}

function bashLines(commands: readonly Completed[]): string[] {
  const names = commands.map(({ name }) => name).join(" ");
  return [
    "# bash: table completions bash > ~/.local/share/bash-completion/completions/table",
    "_table() {",
    '  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words=""',
    "  if [ $COMP_CWORD -eq 1 ]; then",
    `    COMPREPLY=($(compgen -W "${names} help --version --help" -- "$word"))`,
    "    return",
    "  fi",
    '  case "$before" in',
    ...[...flagsByValues(commands).values()].map(({ flags, values }) =>
      `    ${[...flags].join("|")}) ${bashReply(values)}; return ;;`
    ),
    "  esac",
    '  case "$word" in',
    "    -*)",
    '      case "$command" in',
    ...commands.map(({ name, options }) =>
      `        ${name}) words="${[...options.flatMap(flagsOf), "--help"].join(" ")}" ;;`
    ),
    "      esac",
    '      COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "      return ;;",
    "  esac",
    '  case "$command" in',
    `    help) COMPREPLY=($(compgen -W "${names}" -- "$word")) ;;`,
    ...commands.map(({ name, values }) => `    ${name}) ${bashReply(values)} ;;`),
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

/** How zsh is told what there is. */
function zshValues(values: Values): string {
  if (values === "files") return "file:_files";
  if (values === "directories") return "table:_files -/";
  return values === "unknown" ? "value: " : `value:(${values.join(" ")})`;
}

function zshOption(option: Option): string[] {
  const values = optionValues(option);
  const value = values === null ? "" : `:${zshValues(values)}`;
  return flagsOf(option).map((flag) => quoted(`*${flag}[${zshText(option.description)}]${value}`));
}

function zshLines(commands: readonly Completed[]): string[] {
  const rest = (values: Values) => values === "unknown" ? [] : [quoted(`*:${zshValues(values)}`)];
  return [
    "#compdef table",
    '# zsh: table completions zsh > "${fpath[1]}/_table"',
    "_table() {",
    "  local -a commands=(",
    ...commands.map(({ name, description }) => `    ${quoted(`${name}:${zshText(description)}`)}`),
    "  )",
    '  if (( CURRENT == 2 )) || [[ "$words[2]" = help ]]; then',
    "    _describe command commands",
    "    return",
    "  fi",
    "  # What follows is as if the command stood first.",
    "  local command=$words[2]",
    "  shift words",
    "  (( CURRENT-- ))",
    '  case "$command" in',
    ...commands.map(({ name, options, values }) =>
      `    ${name}) _arguments ${
        [...options.flatMap(zshOption), quoted("--help[show this help]"), ...rest(values)].join(" ")
      } ;;`
    ),
    "  esac",
    "}",
    // In a folder of $fpath the file is the function's body; with `source` it only defines it.
    'if [ "$funcstack[1]" = _table ]; then _table "$@"; else compdef _table table; fi',
  ];
}

/** How fish is told what there is. */
function fishValues(values: Values): string {
  if (values === "files") return " -r -F";
  if (values === "directories") return " -x -a '(__fish_complete_directories)'";
  return values === "unknown" ? " -x" : ` -x -a ${quoted(values.join(" "))}`;
}

function fishLines(commands: readonly Completed[]): string[] {
  const lines = [
    "# fish: table completions fish > ~/.config/fish/completions/table.fish",
    "complete -c table -f",
    "complete -c table -n '__fish_use_subcommand' -l version -d 'print the version'",
  ];
  for (const { name, description, options, values } of commands) {
    const within = `complete -c table -n '__fish_seen_subcommand_from ${name}'`;
    lines.push(`complete -c table -n '__fish_use_subcommand' -a ${name} -d ${quoted(description)}`);
    if (values !== "unknown") {
      // Arguments have no value of their own that would be required.
      lines.push(within + fishValues(values).replace(" -r", "").replace(" -x", " -f"));
    }
    for (const option of options) {
      const { long, short, description } = option, found = optionValues(option);
      const flags = [
        long == null ? "" : ` -l ${long.slice(2)}`,
        short == null ? "" : ` -s ${short.slice(1)}`,
      ];
      const value = found === null ? "" : fishValues(found);
      lines.push(`${within}${flags.join("")}${value} -d ${quoted(description)}`);
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
