/**
 * What is measured by programs of their own: each prints `{ results, figures }` when it is told `--json`, and they join the rest.
 */
import type { Figure, Result } from "./report.ts";

/** One of them. */
interface Program {
  readonly name: string;
  readonly file: string;
  readonly full: readonly string[];
  readonly quick: readonly string[];
  readonly flags?: readonly string[];
}

const PROGRAMS: readonly Program[] = [
  {
    name: "direct",
    file: "direct.ts",
    full: ["--total=512", "--rounds=9", "--blocks=1024,16384"],
    quick: ["--total=64", "--rounds=3", "--blocks=1024"],
  },
  { name: "dysco", file: "dysco.ts", full: [], quick: ["--times=11", "--rounds=3"] },
  { name: "dysco-write", file: "dysco_write.ts", full: [], quick: ["--times=5", "--rounds=3"] },
  {
    name: "event-loop",
    file: "event_loop.ts",
    full: ["--rounds=10"],
    quick: ["--rounds=4", "--rows=30000"],
    // Collecting the arrays of the round before isn't what is asked about.
    flags: ["--v8-flags=--expose-gc"],
  },
  { name: "memory", file: "memory.ts", full: [], quick: ["--mib=256"] },
];

/** What a program came to. */
export interface Joined {
  readonly results: readonly Result[];
  readonly figures: readonly Figure[];
}

/** Names of the programs. */
export const PROGRAM_NAMES = PROGRAMS.map(({ name }) => name);

/** Runs those whose name begins as asked (no names: all) and gives what they came to; one that fails is left out, and says why. */
export async function* runPrograms(only: readonly string[], quick: boolean): AsyncGenerator<Joined> {
  for (const program of PROGRAMS) {
    if (only.length > 0 && !only.some((start) => program.name.startsWith(start))) continue;
    const args = [
      ...["run", "-A", "--quiet", ...program.flags ?? []],
      new URL(program.file, import.meta.url).pathname,
      ...(quick ? program.quick : program.full),
      "--json",
    ];
    const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
    if (success) yield JSON.parse(new TextDecoder().decode(stdout)) as Joined;
    else console.error(`without ${program.name}`);
  }
}
