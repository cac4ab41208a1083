/** Examples in docstrings run, and print what stands behind `//`; those of docs/arrow.md, too. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../fixture.ts";

const ROOT = new URL("../../", import.meta.url);
const MARK = "\u0001";

interface Example {
  /** File and line, for messages. */
  readonly where: string;
  readonly program: string;
}

/** Files of a folder and those below it. */
function* filesBelow(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

/** Programs behind `@example` in a source file's comments. */
function examplesIn(file: URL): Example[] {
  const text = Deno.readTextFileSync(file), path = file.href.slice(ROOT.href.length);
  return [...text.matchAll(/^ *\* @example.*\n *\* ```ts\n([\s\S]*?)^ *\* ```$/gm)].map((match) => ({
    where: `${path}, line ${text.slice(0, match.index).split("\n").length}`,
    program: match[1]!.replaceAll(/^ *\* ?/gm, ""),
  }));
}

/** What the lines that print should print: behind `//` on their lines, with commas between what a loop prints. Spaces don't count. */
function saidBy(program: string): string[] {
  return [...program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) =>
    match[1]!.replaceAll(/\s/g, "")
  );
}

const { name, exports } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
  name: string;
  exports: Record<string, string>;
};

/** False for an example of a module that can't be imported yet. */
function isPublic({ program }: Example): boolean {
  return [...program.matchAll(/from "([^"]+)"/g)].every(([, module]) =>
    !module!.startsWith(name) || Object.hasOwn(exports, module!.replace(name, "."))
  );
}

const examples = [...filesBelow(new URL("src/", ROOT))].flatMap(examplesIn).filter(isPublic);
for (
  const [, program] of Deno.readTextFileSync(new URL("docs/arrow.md", ROOT)).matchAll(/```ts\n([\s\S]*?)```/g)
) {
  examples.push({ where: "docs/arrow.md", program: program! });
}

async function deno(args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("examples in docstrings have no type errors, run, and print what they say", async () => {
  using folder = temporaryFolder();
  assert(examples.length > 30, `${examples.length} examples`);
  const config = fileURLToPath(new URL("deno.json", ROOT));
  const files = examples.map(({ program, where }, i) => {
    assert(program.includes("import "), `${where}: the example imports nothing`);
    Deno.writeTextFileSync(`${folder.path}/example-${i}.ts`, program);
    return `example-${i}.ts`;
  });
  await deno(["check", "--quiet", "--config", config, ...files], folder.path);
  // Each in a folder of its own.
  const run = files.flatMap((file, i) => [
    `console.log(${JSON.stringify(MARK)});`,
    `Deno.mkdirSync("in-${i}"); Deno.chdir("in-${i}");`,
    `try { await import("./${file}"); } catch (error) { console.log("thrown:", error); }`,
    `Deno.chdir("..");`,
  ]);
  Deno.writeTextFileSync(`${folder.path}/run.ts`, run.join("\n"));
  const printed = await deno(["run", "-A", "--quiet", "--config", config, "run.ts"], folder.path);
  for (const [i, output] of printed.split(`${MARK}\n`).slice(1).entries()) {
    const { where, program } = examples[i]!;
    assert(!output.startsWith("thrown:") && !output.includes("\nthrown:"), `${where}: ${output}`);
    const lines = output.split("\n").map((line) => line.replaceAll(/\s/g, ""));
    for (const said of saidBy(program)) {
      assert(
        lines.includes(said) || lines.join(",").includes(said),
        `${where}: said ${said}, printed ${output}`,
      );
    }
  }
});
