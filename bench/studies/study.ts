/** What the studies share: a folder that goes again, medians, compilers, and what the machine was doing meanwhile. */

/** Options `--name=value` of the command line. */
export function option(name: string, other: string): string {
  return Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? other;
}

/** Does something in a new folder, in the working folder or under `--folder=`, and removes it. */
export async function inFolder(work: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: option("folder", "."), prefix: "tessera-study-" });
  try {
    await work(await Deno.realPath(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Compiles one of the studies' C or C++ programs; null, with a line on standard error, where that can't be done. */
export async function compileStudy(
  source: string,
  folder: string,
  flags: readonly string[] = [],
): Promise<string | null> {
  const program = `${folder}/${source.replace(/\.\w+$/, "")}`,
    code = new URL(source, import.meta.url).pathname;
  const compiler = source.endsWith(".cc") ? "g++" : "cc";
  try {
    const { success, stderr } = await new Deno.Command(compiler, {
      args: ["-O2", "-o", program, code, ...flags],
    }).output();
    if (success) return program;
    console.error(`without ${source}: ${new TextDecoder().decode(stderr).split("\n")[0]}`);
  } catch (error) {
    console.error(`without ${source}: ${(error as Error).message}`);
  }
  return null;
}

/** The middle of some numbers, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Three digits that count. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Prints results as JSON, with the load of the machine: processes that ran or wanted to, of the last minute. */
export function print(results: unknown): void {
  const cores = navigator.hardwareConcurrency, load = Deno.loadavg()[0]!;
  console.log(JSON.stringify({ cores, load: rounded(load), results }, null, 2));
}
