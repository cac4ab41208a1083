/** One style for all commands: JSON for machines, counters, colours, one line for what is wrong, exit statuses. */
import assert from "node:assert/strict";
import { runTable } from "../../src/cli/main.ts";
import { temporaryFolder } from "../fixture.ts";
import { caughtTerminal, ROOT, table } from "./cli_support.ts";

const MS = `${ROOT}examples/data/sim.ms`;
const ROWS = ["--columns", "TIME,UVW", "--rows", ":3"];

/** Every command that reads a table, and what it is asked. */
const READING: Readonly<Record<string, readonly string[]>> = {
  ls: ["--all", `${ROOT}examples`],
  show: [MS],
  head: [MS, "-n", "2"],
  tail: [MS, "-n", "2"],
  cat: [MS, ...ROWS],
  schema: [MS],
  keywords: [MS],
  digest: [MS, "--columns", "TIME"],
  diff: [MS, MS, "--columns", "TIME"],
  stat: [MS, "TIME"],
  plot: [MS, "TIME"],
  io: [MS, "--columns", "DATA", "--rows", ":10"],
  check: [`${MS}/ANTENNA`],
  recover: [`${MS}/ANTENNA`],
};
/** Those that print a JSON object a line. */
const LINES = ["head", "tail", "cat"];
/** Those that don't read tables to print them, or plan only. */
const OTHERS = ["copy", "export", "import", "ingest", "compact", "doctor", "completions", "help"];
/** What plans a reading reads nothing that would be counted. */
const PLANNING = ["io"];

async function commandNames(): Promise<string[]> {
  return [...(await table("--help")).out.matchAll(/^ {2}([a-z]+) .*/gm)].map((match) => match[1]!);
}

Deno.test("every command is known here as one that reads, or as another", async () => {
  const known = [...Object.keys(READING), ...OTHERS];
  assert.deepEqual((await commandNames()).filter((name) => !known.includes(name)), []);
});

for (const [name, args] of Object.entries(READING)) {
  Deno.test(`table ${name} --json is JSON, and nothing else`, async () => {
    const { status, out, err } = await table(name, ...args, "--json");
    assert.deepEqual([status, err], [0, []]);
    const texts = LINES.includes(name) ? out.trimEnd().split("\n") : [out];
    for (const text of texts) assert.ok(typeof JSON.parse(text) === "object", text);
    assert.ok(out.endsWith("\n"));
  });

  Deno.test(`table ${name} --stats counts on standard error, and changes nothing on standard output`, async () => {
    if (PLANNING.includes(name)) return;
    const plain = await table(name, ...args, "--io", "node");
    const counted = await table(name, ...args, "--io", "node", "--stats");
    assert.deepEqual([counted.status, counted.out], [0, plain.out]);
    assert.match(
      counted.err.join("\n"),
      /^calls {2}[1-9]\d* \(.*open [1-9].*\nbytes {2}[1-9]\d* read, 0 written/,
    );
    const metrics = await table(name, ...args, "--io", "node", "--stats-format", "openmetrics");
    assert.match(metrics.err.join("\n"), /# EOF$/);
  });

  Deno.test(`table ${name} has colours where they are wanted, and the same text without`, async () => {
    const [plain, coloured] = [caughtTerminal(80, false), caughtTerminal(80, true)];
    assert.equal(await runTable([name, ...args], plain.terminal), 0);
    assert.equal(await runTable([name, ...args], coloured.terminal), 0);
    assert.ok(!plain.caught.out.includes("\x1b"));
    // deno-lint-ignore no-control-regex
    assert.equal(coloured.caught.out.replaceAll(/\x1b\[[\d;]*m/g, ""), plain.caught.out);
  });

  Deno.test(`table ${name} says in one line what is wrong, and ends with 1, or 2 for wrong use`, async () => {
    using folder = temporaryFolder();
    const missing = args.map((arg) => arg.startsWith(ROOT) ? `${folder.path}/missing` : arg);
    const gone = await table(name, ...missing);
    assert.deepEqual([gone.status, gone.out, gone.err.length], [1, "", 1], gone.err.join("\n"));
    assert.match(gone.err[0]!, /^table: .*missing/);
    for (const wrong of [[...args, "--nonsense"], [...args, "--io", "floppy"], ["a", "b", "c", "d"]]) {
      if (PLANNING.includes(name) && wrong.includes("floppy")) continue;
      const { status, out, err } = await table(name, ...wrong);
      assert.deepEqual([status, out, err.length], [2, "", 1], wrong.join(" "));
      assert.match(err[0]!, /^table: .*\(--help says more\)$/);
    }
  });
}
