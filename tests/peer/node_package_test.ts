/**
 * The npm package: packed, installed as npm does, and used from Node, from TypeScript and from Deno. What Node reads and
 * writes is held against what Deno reads and writes with the sources.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { pack } from "../../pack/main.ts";
import { NODE_VERSION } from "../../pack/node.ts";
import { readTar, through } from "../../pack/tar.ts";
import { allFixtures, fixturePath, temporaryFolder } from "../fixture.ts";
import { digestTable } from "../../src/query/mod.ts";
import { Table } from "../../mod.ts";
import { node, nodeTest, output, run } from "./node.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAMS = `${ROOT}tests/peer/programs`;
const CONFIG = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
const MS = `${ROOT}examples/data/sim.ms`;

async function deno(...args: string[]): Promise<string> {
  return await output(Deno.execPath(), ["run", "-A", "--quiet", ...args]);
}

Deno.test("the package holds the library and how to build its C part, and nothing else", async () => {
  using folder = temporaryFolder();
  const archive = await Deno.readFile(await pack(`${folder.path}/tables.tgz`));
  const files = readTar(await through(archive, new DecompressionStream("gzip")));
  const names = files.map(({ name }) => name.replace(/^package\//, ""));
  for (const name of names) {
    assert.match(name, /^(mod\.(js|d\.ts)|(src|ffi)\/.*\.(js|d\.ts|c|h)|[A-Z]+(\.md)?|package\.json)$/);
    assert.doesNotMatch(name, /_test|fixtures|ffi\/lib/);
  }
  for (const name of ["LICENSE", "README.md", "ffi/tessera.h", "ffi/io.c"]) {
    assert.ok(names.includes(name), name);
  }
  const texts = new Map(files.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]));
  const { name, version, license, type, engines, exports, dependencies } = JSON.parse(
    texts.get("package/package.json")!,
  );
  assert.deepEqual([name, version, license, type], [CONFIG.name, CONFIG.version, CONFIG.license, "module"]);
  assert.deepEqual(engines, { node: `>=${NODE_VERSION}` });
  assert.deepEqual(Object.keys(exports), Object.keys(CONFIG.exports));
  for (const file of JSON.stringify(exports).match(/\.\/[^"]*\.(js|ts)\b/g)!) {
    assert.ok(texts.has(`package/${file.slice(2)}`), file);
  }
  // What only tests and benches use is asked of nobody.
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => /duckdb|fast-check|mitata|typescript/.test(name)),
    [],
  );
  // The same files give the same bytes.
  assert.deepEqual(await Deno.readFile(await pack(`${folder.path}/again.tgz`)), archive);
});

nodeTest("the installed package does in Node what the sources do in Deno", async (t) => {
  using folder = temporaryFolder();
  const { path } = folder;
  await pack(`${path}/tables.tgz`);
  Deno.writeTextFileSync(`${path}/package.json`, JSON.stringify({ private: true, type: "module" }));
  await output("npm", [
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "./tables.tgz",
  ], {
    cwd: path,
  });
  Deno.copyFileSync(`${PROGRAMS}/anywhere.mjs`, `${path}/anywhere.mjs`);
  for (const name of ["node", "deno"]) Deno.mkdirSync(`${path}/${name}`);
  const tables = [MS, ...allFixtures().map(({ name }) => fixturePath(name))];

  await t.step("every golden table is read, and tables are written, with the same values", async () => {
    const inDeno = JSON.parse(await deno(`${PROGRAMS}/anywhere.mjs`, `${path}/deno`, ...tables));
    const inNode = JSON.parse(
      await output(node!, ["anywhere.mjs", `${path}/node`, ...tables], { cwd: path }),
    );
    assert.deepEqual(inNode.works, ["node", "memory"]);
    assert.deepEqual(inNode.codes, {
      absent: "NOT_FOUND",
      exists: "EXISTS",
      locked: "UNSUPPORTED",
      lockedStore: "UNSUPPORTED",
      mapped: "UNSUPPORTED",
      seek: "UNSUPPORTED",
    });
    assert.deepEqual(inNode.wrong, []);
    assert.equal(inNode.arrowRows, inDeno.arrowRows);
    assert.deepEqual(inNode.liveRows, Array.from({ length: 10 }, (_, i) => i));
    for (const what of ["sum", "tables", "made", "liveRows"]) {
      assert.deepEqual(inNode[what], inDeno[what], what);
    }
    const { UVW, DATA } = inNode.tables[MS];
    for (const made of ["copy.ms", "later.ms", "arrow.tab", "parquet.tab"]) {
      assert.deepEqual([inNode.made[made].UVW, inNode.made[made].DATA], [UVW, DATA], made);
    }
  });

  await t.step("every module of the library is there, with all that it exports", async () => {
    for (const [name, file] of Object.entries(CONFIG.exports as Record<string, string>)) {
      if (name === "./cli") continue;
      const specifier = name.replace(".", CONFIG.name);
      const program = `console.log(Object.keys(await import("${specifier}")).sort().join())`;
      const exported = await output(node!, ["--input-type=module", "-e", program], { cwd: path });
      const expected = Object.keys(await import(new URL(file, `file://${ROOT}`).href)).sort().join();
      assert.equal(exported.trim(), expected, specifier);
    }
  });

  await t.step("what Node wrote, Deno reads", () => {
    for (const { name } of Deno.readDirSync(`${path}/node`)) {
      if (!/\.(tab|ms)$/.test(name)) continue;
      using ours = Table.open(`${path}/deno/${name}`), theirs = Table.open(`${path}/node/${name}`);
      assert.deepEqual(digestTable(theirs), digestTable(ours), name);
    }
  });

  await t.step("the program of docs/install.md runs", async () => {
    const [, program] = /```js\n([\s\S]*?)```/.exec(Deno.readTextFileSync(`${ROOT}docs/install.md`))!;
    Deno.writeTextFileSync(`${path}/program.mjs`, program!);
    Deno.symlinkSync(`${ROOT}examples`, `${path}/examples`);
    const printed = await output(node!, ["program.mjs"], { cwd: path });
    assert.deepEqual(
      printed.trim().split("\n"),
      [...program!.matchAll(/\/\/ → (.*)/g)].map((match) => match[1]),
    );
    using table = Table.open(`${path}/new.tab`);
    assert.deepEqual(table.getColumn("A").data, Int32Array.of(1, 2, 3));
  });

  await t.step("a program in TypeScript has its types", async () => {
    Deno.copyFileSync(`${PROGRAMS}/consumer.ts`, `${path}/consumer.ts`);
    const compilerOptions = {
      target: "es2022",
      lib: ["es2024", "esnext.disposable", "dom"],
      module: "nodenext",
      types: [],
      strict: true,
      noEmit: true,
    };
    const config = { compilerOptions, files: ["consumer.ts"] };
    Deno.writeTextFileSync(`${path}/tsconfig.json`, JSON.stringify(config));
    await deno("--config", `${ROOT}deno.json`, `npm:${CONFIG.imports.typescript.slice(4)}/tsc`, "-p", path);
  });

  await t.step("the command is there in Deno, and only there", async () => {
    Deno.writeTextFileSync(`${path}/table.mjs`, 'import { runTable } from "@tessera/tables/cli";');
    assert.match((await run(node!, ["table.mjs"], { cwd: path })).err, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
    const shown = await output(Deno.execPath(), ["run", "-A", "npm:@tessera/tables/cli", "show", MS], {
      cwd: path,
    });
    assert.match(shown, /Measurement Set.*560 rows/);
  });
});
