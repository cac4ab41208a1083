/** What the parts of the bench of live ingest share: where they work, how long, the programs beside, and the clock. */
import { compile, NotBuilt } from "../side.ts";

export const MIB = 2 ** 20;

/** What a part is told. */
export interface Setting {
  /** A folder to work in; each part leaves it as it was. */
  readonly folder: string;
  readonly quick: boolean;
  /** Rounds that count. */
  readonly rounds: number;
}

/** Runs each way once a round, in turn; the first round warms up and doesn't count. */
export async function inTurn(
  rounds: number,
  ways: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number[]>> {
  const found = Object.fromEntries(Object.keys(ways).map((way): [string, number[]] => [way, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const value = await run();
      if (round > 0) found[way]!.push(value);
    }
  }
  return found;
}

/** A program in C or C++ compiled into the folder; null, with a line on standard error, where that can't be done. */
export function peer(folder: string, source: string, flags: readonly string[] = []): string | null {
  const program = `${folder}/${source.replace(/^.*\//, "").replace(/\.\w+$/, "")}`;
  try {
    if (!exists(program)) compile(source.endsWith(".cc") ? "g++" : "cc", source, program, flags);
    return program;
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error;
    console.error(`without ${source}: ${error.message}`);
    return null;
  }
}

export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What a program prints. @throws Error when it fails */
export async function output(program: string, args: readonly (string | number)[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: args.map(String) }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr).trim()}`);
  return decoder.decode(stdout);
}

export async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Waits until what earlier works wrote is on the disk, so that a later one doesn't wait for it. */
export async function settle(): Promise<void> {
  await new Deno.Command("sync").output();
}

/** The value below which that part of a list lies. */
export function quantile(list: readonly number[], part: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN;
}

/** Milliseconds since 1970 with fractions, for several processes of one machine. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
