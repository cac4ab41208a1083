/**
 * Makes an npm package: `deno task pack [FILE]`, by default `pack/out/tessera-tables-VERSION.tgz`.
 *
 * `deno pack` turns the modules that deno.json exports into JavaScript and declarations; {@linkcode forNode} does the
 * rest.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { forNode } from "./node.ts";
import { readTar, through, writeTar } from "./tar.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Modules that give the classes of others more methods. */
const AUGMENTING = ["src/arrow/methods"];

/** Packs the working tree into `target` and gives its path. @throws Error with what `deno pack` said */
export async function pack(target?: string): Promise<string> {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const file = target ?? `${ROOT}pack/out/tessera-tables-${version}.tgz`;
  const half = await Deno.makeTempFile({ prefix: "tessera-", suffix: ".tgz" });
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["pack", "--allow-dirty", "--no-source-maps", "--output", half],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdout: "null",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const archive = await through(await Deno.readFile(half), new DecompressionStream("gzip"));
    const sources = AUGMENTING.map((module) => [module, Deno.readTextFileSync(`${ROOT}${module}.ts`)]);
    const files = forNode(readTar(archive), Object.fromEntries(sources));
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeFile(file, await through(writeTar(files), new CompressionStream("gzip")));
  } finally {
    await Deno.remove(half);
  }
  return file;
}

if (import.meta.main) console.log(await pack(Deno.args[0]));
