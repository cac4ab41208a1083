/** The README is true: its program runs, and its commands exist. */
import assert from "node:assert/strict";
import { allFixtures, expectedSchema, temporaryFolder } from "../fixture.ts";

const ROOT = new URL("../../", import.meta.url);
const text = Deno.readTextFileSync(new URL("README.md", ROOT));

async function run(args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdout: "piped",
    stderr: "piped",
  })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the README's program runs", async () => {
  using folder = temporaryFolder();
  const programs = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
  assert(programs.length > 0);
  for (const [i, program] of programs.entries()) {
    const path = `${folder.path}/readme${i}.ts`;
    Deno.writeTextFileSync(
      path,
      program.replaceAll(/"(\.\/[\w/]*mod\.ts)"/g, (_, module) => JSON.stringify(new URL(module, ROOT).href)),
    );
    const config = new URL("deno.json", ROOT).pathname;
    const printed = await run(["run", "-A", "--check", "--quiet", "--config", config, path], folder.path);
    // What a line prints stands behind it.
    const expected = [...program.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]!);
    if (i === 0) expected.push("[ 2, 64, 100 ]");
    assert(expected.length > 0);
    for (const line of expected) assert(printed.includes(line), `${line}: ${printed}`);
  }
});

Deno.test("the README's table commands run", async () => {
  using folder = temporaryFolder();
  const commands = [...text.matchAll(/task table ([^\n#]+)/g)].map((match) => match[1]!.trim().split(/\s+/));
  assert(commands.length >= 6);
  const main = new URL("src/cli/main.ts", ROOT).pathname;
  const config = new URL("deno.json", ROOT).pathname;
  for (const command of commands) {
    const args = command.map((word) => word.startsWith("examples/") ? new URL(word, ROOT).pathname : word);
    await run(["run", "-A", "--quiet", "--config", config, main, ...args], folder.path);
  }
});

Deno.test("the README's links lead to files", () => {
  for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
    assert(Deno.statSync(new URL(target!, ROOT)).isFile, target);
  }
});

Deno.test("the README's commands that run examples do what they say", async () => {
  using folder = temporaryFolder();
  const config = new URL("deno.json", ROOT).pathname;
  const commands = [...text.matchAll(/^npx -y deno@\S+ run -A (examples\/[^\n#]+)/gm)].map((match) =>
    match[1]!.trim().split(/\s+/)
  );
  assert(commands.length >= 4);
  for (const [program, ...args] of commands) {
    const path = new URL(program!, ROOT).pathname;
    await run(["run", "-A", "--quiet", "--config", config, path, ...args], folder.path);
  }
  for (const made of ["simulated.ms/table.dat", "uv.svg", "simulated.parquet"]) {
    assert(Deno.statSync(`${folder.path}/${made}`).size > 0, made);
  }
  const named = new Set(commands.map(([program]) => program));
  for (const { name } of Deno.readDirSync(new URL("examples/", ROOT))) {
    if (name.endsWith(".ts") && name !== "demo.ts") assert(named.has(`examples/${name}`), name);
  }
});

Deno.test("the README says how many calls the demo makes", async () => {
  const printed = await run(["run", "-A", "--quiet", "examples/demo.ts"], ROOT.pathname);
  const [tiled, standard] = printed.split("1000 rows, ").slice(1).map((part) => {
    const counts = ["pread", "node"].map((name) => {
      const row = new RegExp(`^ {2}${name} +(\\d+) +(\\d+) +(\\d+) +(\\d+) `, "m").exec(part);
      return row?.slice(1).map(Number);
    }).filter((row) => row !== undefined);
    assert(counts.length > 0);
    for (const row of counts) assert.deepEqual(row, counts[0]);
    return counts[0]!;
  });
  const line = /^\| Tessera, `pread` and `node` +\| (\d+), no lseek +\| (\d+), no lseek +\|$/m.exec(text)!;
  for (const [i, [lseek, ...others]] of [tiled!, standard!].entries()) {
    assert.equal(lseek, 0);
    assert.equal(Number(line[i + 1]), others.reduce((sum, calls) => sum! + calls!, 0));
  }
});

Deno.test("the README says how many columns of the golden tables there are, by manager", () => {
  const PLACES = { multifile: "MultiFile", concat: "concatenated tables", reftable: "reference tables" };
  const counts = new Map<string, number>();
  for (const { name, needs } of allFixtures()) {
    const { managers, columns } = expectedSchema(name);
    const place = Object.entries(PLACES).findLast(([need]) => needs.includes(need))?.[1];
    for (const { manager } of columns) {
      const kind = place ?? managers.find(({ sequence }) => sequence === manager)!.type.replace(/<.*/, "");
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }
  let rows = 0;
  for (const [, names, count] of text.matchAll(/^\| ([^|]+?) +\| all of (\d+) /gm)) {
    const sum = [...counts].filter(([kind]) =>
      names!.split(/[^\w ]+ ?/).some((name) => name.trim().startsWith(kind))
    )
      .reduce((total, [, columns]) => total + columns, 0);
    assert.equal(sum, Number(count), names);
    rows++;
  }
  assert(rows >= 14, `${rows} rows`);
});
