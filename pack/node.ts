/**
 * What `deno pack` leaves to be done for Node: newer syntax, types that are declared elsewhere than where they belong,
 * and the fields of package.json that deno.json doesn't have.
 */
import ts from "typescript";
import type { TarEntry } from "./tar.ts";

/** The oldest Node that the package is for: it has `ArrayBuffer.transfer`, `Promise.withResolvers`, `Symbol.dispose`. */
export const NODE_VERSION = 22;

/** What every module is for a compiler that looks at one at a time. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022, // `using` came later; Node 22 doesn't know it
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

/** A module in which nothing is declared with `using`. Others are given back as they are. */
export function withoutUsing(name: string, text: string): string {
  if (!/\busing\s+[\w$]+\s*(=|of\b)/.test(text)) return text;
  return ts.transpileModule(text, { fileName: name, compilerOptions: { ...OPTIONS, allowJs: true } })
    .outputText;
}

/**
 * The declarations of a module that adds to what another declares, which `deno pack` leaves out.
 *
 * @throws Error with the first thing of which the type isn't written out
 */
export function declarationsOf(name: string, source: string): string {
  const { outputText, diagnostics } = ts.transpileDeclaration(source, {
    fileName: name,
    compilerOptions: { ...OPTIONS, isolatedDeclarations: true, declaration: true },
    reportDiagnostics: true,
  });
  const [wrong] = diagnostics ?? [];
  if (wrong) throw new Error(`${name}: ${ts.flattenDiagnosticMessageText(wrong.messageText, "\n")}`);
  return outputText.replaceAll(/(["']\.{1,2}\/[^"']+)\.ts(["'])/g, "$1.js$2");
}

/** Name, exports and dependencies as `deno pack` says; what deno.json has no place for beside them. */
export function packageJson(packed: string): string {
  const { exports, dependencies, ...rest } = JSON.parse(packed);
  const { types, import: module } = exports["./cli"];
  return JSON.stringify(
    {
      ...rest,
      description: "Reads and writes casacore tables: MeasurementSets, images, calibration tables",
      keywords: ["astronomy", "casacore", "MeasurementSet", "radio", "table"],
      engines: { node: `>=${NODE_VERSION}` },
      // The command uses Deno's terminal, signals and files: elsewhere it is not there, rather than there and broken.
      exports: { ...exports, "./cli": { deno: { types, default: module } } },
      dependencies,
    },
    null,
    2,
  ) + "\n";
}

const ROOT = "package/";

/**
 * The files of an npm package for Node and Deno.
 *
 * @param packed The files that `deno pack` made.
 * @param augmenting Modules that add declarations to others', with their text, by name in the package without `.ts`;
 * each is imported for its effect by the module beside it that is called `mod`.
 */
export function forNode(
  packed: readonly TarEntry[],
  augmenting: Readonly<Record<string, string>>,
): TarEntry[] {
  const encoder = new TextEncoder(), decoder = new TextDecoder();
  const files = new Map<string, TarEntry>();
  const put = (name: string, text: string) => files.set(name, { name, bytes: encoder.encode(text) });
  for (const entry of packed) {
    const { name } = entry;
    const text = () => decoder.decode(entry.bytes);
    if (name === `${ROOT}package.json`) put(name, packageJson(text()));
    else if (name.endsWith(".js")) put(name, withoutUsing(name, text()));
    // A module with nothing but types is carried along as it is; its declarations are in others.
    else if (!/(?<!\.d)\.ts$/.test(name)) files.set(name, entry);
  }
  for (const [module, source] of Object.entries(augmenting)) {
    put(`${ROOT}${module}.d.ts`, declarationsOf(`${module}.ts`, source));
    const [, folder, base] = /^(.*\/)([^/]+)$/.exec(module)!;
    const face = `${ROOT}${folder}mod.d.ts`;
    put(face, `import "./${base}.js";\n${decoder.decode(files.get(face)!.bytes)}`);
  }
  return [...files.values()];
}
