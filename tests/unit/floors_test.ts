/**
 * The house: each floor imports only the floors below it (docs/architecture.md draws them).
 */
import assert from "node:assert/strict";
import { dirname, join, relative, resolve } from "node:path";
import { readdirSync, readFileSync } from "node:fs";

const ROOT = resolve(import.meta.dirname!, "../..");

/** Folders by floor; the longest match counts. */
const FLOORS: readonly (readonly [prefix: string, floor: number])[] = [
  ["src/error.ts", 0],
  ["src/array/", 0],
  ["ffi/", 0],
  ["src/io/", 1],
  ["src/format/", 2],
  ["src/storage/", 3],
  ["src/table/", 4],
  ["src/arrow/", 5],
  ["src/parquet/", 5],
  ["src/ingest/", 5],
  ["src/query/", 5],
  ["src/plot/", 5],
  ["src/cli/", 6],
  ["mod.ts", 6],
];

function floorOf(path: string): number | undefined {
  return FLOORS.find(([prefix]) => path === prefix || (prefix.endsWith("/") && path.startsWith(prefix)))?.[1];
}

/** Paths, from the root, that a module's text imports or re-exports, types included. */
function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  for (const match of text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)["'](\.{1,2}\/[^"']+)["']/g)) {
    found.push(relative(ROOT, resolve(ROOT, dirname(path), match[1]!)));
  }
  return found;
}

/** Every import that goes up, as "importer (floor) imports imported (floor)". */
function upward(modules: Iterable<readonly [path: string, text: string]>): string[] {
  const wrong: string[] = [];
  for (const [path, text] of modules) {
    const floor = floorOf(path);
    if (floor === undefined) {
      wrong.push(`${path} stands on no floor`);
      continue;
    }
    for (const target of importsOf(path, text)) {
      const other = floorOf(target);
      if (other === undefined || other > floor) wrong.push(`${path} (${floor}) imports ${target} (${other})`);
    }
  }
  return wrong;
}

function* sources(): Generator<readonly [string, string]> {
  yield ["mod.ts", readFileSync(join(ROOT, "mod.ts"), "utf8")];
  for (const folder of ["src", "ffi"]) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const path = relative(ROOT, join(entry.parentPath, entry.name));
      yield [path, readFileSync(join(ROOT, path), "utf8")];
    }
  }
}

Deno.test("no floor imports a floor above it", () => {
  assert.deepEqual(upward(sources()), []);
});

Deno.test("an import that goes up is found", () => {
  assert.equal(upward([["src/io/x.ts", 'import { Table } from "../table/table.ts";']]).length, 1);
  assert.equal(upward([["src/array/x.ts", 'export type { Plan } from "../io/plan.ts";']]).length, 1);
  assert.equal(upward([["src/table/x.ts", 'import { kernels } from "../array/choose.ts";']]).length, 0);
});

Deno.test("only the binding opens a library", () => {
  const openers = [...sources()].filter(([, text]) =>
    /\bDeno\s*\.\s*dlopen\b/.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ""))
  );
  assert.deepEqual(openers.map(([path]) => path), ["ffi/native-library.ts"]);
});

Deno.test("mod.ts only re-exports", () => {
  const text = readFileSync(join(ROOT, "mod.ts"), "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
  const rest = text.replace(/export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*from\s*"[^"]+";/g, "").trim();
  assert.equal(rest, "");
});
