import assert from "node:assert/strict";
import { copyFolder, copyOfFixture, fixturePath, temporaryFolder } from "../fixture.ts";
import { VERSION } from "../../src/cli/version.ts";
import { runTable } from "../../src/cli/main.ts";
import { caughtTerminal, ROOT, spawnTable, table } from "./cli_support.ts";

const MINIMAL = fixturePath("minimal_le");
const COMMANDS = [
  "ls",
  "show",
  "head",
  "tail",
  "cat",
  "schema",
  "keywords",
  "digest",
  "diff",
  "stat",
  "plot",
  "io",
  "export",
  "import",
  "completions",
  "copy",
  "check",
  "recover",
  "doctor",
];

Deno.test("the version is the one of the package", async () => {
  const { version } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as { version: string };
  assert.equal(VERSION, version);
  assert.deepEqual(await table("--version"), { status: 0, out: `${version}\n`, err: [] });
});

Deno.test("every command has a help with an example, on 80 columns", async () => {
  for (const command of [[], ...COMMANDS.map((name) => [name])]) {
    const { status, out, err } = await table(...command, "--help");
    assert.equal(status, 0);
    assert.deepEqual(err, []);
    assert.match(out, /Examples?:\n {2}\$ table /, command.join());
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
  }
});

Deno.test("wrong use ends with status 2 and says so on standard error", async () => {
  const wrong = [
    [],
    ["nonsense"],
    ["show"],
    ["show", "a", "b"],
    ["show", "--nonsense", MINIMAL],
    ["show", "--io", "floppy", MINIMAL],
    ["show", "--lock", "maybe", MINIMAL],
    ["cat", MINIMAL, "--rows", "1-2"],
    ["cat", MINIMAL, "--rows", "9:1"],
    ["cat", MINIMAL, "--columns", ""],
    ["cat", MINIMAL, "--format", "csv"],
    ["keywords", MINIMAL, "--column", "a", "--columns"],
    ["copy", MINIMAL],
    ["copy", MINIMAL, "x", "--storage", "{"],
    ["copy", MINIMAL, "x", "--storage", "[]", "--tile-shape", "a=1"],
    ["copy", MINIMAL, "x", "--byte-order", "middle"],
    ["doctor", "me"],
  ];
  for (const args of wrong) {
    const { status, out, err } = await table(...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(out, "", args.join(" "));
    // Without a command there is the whole help.
    if (args.length === 0) continue;
    assert.equal(err.length, 1, args.join(" "));
    assert.match(err[0]!, /^table: .*\(--help says more\)$/, args.join(" "));
  }
  assert.match(
    (await table("shw")).err[0]!,
    /unknown command 'shw' \(Did you mean show\?\) \(--help says more\)$/,
  );
});

Deno.test("what is wrong with a table ends with status 1 and one line", async () => {
  using folder = temporaryFolder();
  using damaged = copyOfFixture("minimal_le");
  Deno.writeFileSync(`${damaged.path}/table.dat`, new Uint8Array(100));
  Deno.writeTextFileSync(`${folder.path}/file`, "no table");
  for (
    const [args, pattern] of [
      [["show", `${folder.path}/missing`], /missing/],
      [["show", folder.path], /table\.dat/],
      [["schema", `${folder.path}/file`], /file/],
      [["keywords", damaged.path], /table\.dat, offset 0: /],
      [["keywords", MINIMAL, "--column", "NONE"], /NONE/],
      [["cat", MINIMAL, "--columns", "NONE"], /NONE/],
      [["cat", MINIMAL, "--rows", "0:99999"], /99999/],
      [["copy", MINIMAL, damaged.path], /--overwrite/],
      [["copy", MINIMAL, `${folder.path}/t`, "--tile-shape", "NONE=1"], /NONE/],
    ] as const
  ) {
    const { status, out, err } = await table(...args);
    assert.equal(status, 1, `${args.join(" ")}: ${err.join("\n")}`);
    assert.equal(out, "");
    assert.equal(err.length, 1, err.join("\n"));
    assert.match(err[0]!, /^table: /);
    assert.match(err[0]!, pattern);
    assert.doesNotMatch(err[0]!, /fault in Tessera|\bat file:|\.ts:\d/);
  }
});

Deno.test("copy --stats says what was read and what was written", async () => {
  using folder = temporaryFolder();
  const { caught, terminal } = caughtTerminal();
  assert.equal(await runTable(["copy", MINIMAL, `${folder.path}/t`, "--stats"], terminal), 0);
  const lines = caught.err.map((line) => line.trim());
  const one = (pattern: RegExp) =>
    assert.equal(lines.filter((line) => pattern.test(line)).length, 1, `${pattern}`);
  one(/^read +bytes +[1-9]\d* read, 0 written/);
  one(/^written +bytes +\d+ read, [1-9]\d* written/);
  one(/^read +took +read <\S+ \d+/);
  one(/^written +took +write <\S+ \d+/);
});

Deno.test("a copy has the subtables of its table, unless they are left out", async () => {
  using folder = temporaryFolder();
  const ms = `${ROOT}examples/data/sim.ms`;
  const options = ["--columns", "DATA,UVW", "--rows", ":50"];
  const whole = await table("copy", ms, `${folder.path}/whole`, ...options);
  assert.deepEqual([whole.status, whole.err], [0, []]);
  assert.match(whole.out, /whole: 50 rows, 2 columns, /);
  const antennas = await table("cat", `${folder.path}/whole/ANTENNA`);
  assert.deepEqual(antennas, await table("cat", `${ms}/ANTENNA`));
  const bare = await table("copy", ms, `${folder.path}/bare`, ...options, "--no-subtables");
  assert.deepEqual([bare.status, bare.err], [0, []]);
  assert.equal((await table("show", `${folder.path}/bare/ANTENNA`)).status, 1);
});

Deno.test("a copy never replaces its own source, by whatever path", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/outer/t`;
  copyFolder(MINIMAL, path);
  Deno.symlinkSync(path, `${folder.path}/link`);
  const before = await table("cat", path);
  for (
    const target of [
      path,
      `${path}/`,
      `${folder.path}/link`,
      `${folder.path}/outer`,
      `${folder.path}/outer/../outer/t`,
    ]
  ) {
    const { status, out, err } = await table("copy", path, target, "--overwrite");
    assert.deepEqual([status, out, err.length], [1, "", 1], target);
    assert.match(err[0]!, /source/);
    assert.deepEqual(await table("cat", path), before);
  }
});

Deno.test("a message can't steer the terminal, whatever a file is called", async () => {
  const { status, err } = await table("show", "/nowhere/\x1b[31mred\nline");
  assert.equal(status, 1);
  assert.equal(err.length, 1);
  assert.match(err[0]!, /\\x1b\[31mred/);
});

Deno.test("as a program: exit statuses, output and errors", () => {
  const good = spawnTable(["cat", MINIMAL]);
  assert.deepEqual([good.status, good.err], [0, []]);
  assert.equal(good.out.split("\n").length, 3);
  const bad = spawnTable(["cat", "tests/fixtures/tables/none"]);
  assert.deepEqual([bad.status, bad.out, bad.err.length], [1, "", 1]);
  assert.match(bad.err[0]!, /^table: tests\/fixtures\/tables\/none/);
  assert.equal(spawnTable(["cat"]).status, 2);
});

Deno.test("as a program: without any permission it says which one is missing, without a prompt", () => {
  const { status, out, err } = spawnTable(["show", MINIMAL], { permissions: [] });
  assert.deepEqual([status, out, err.length], [1, "", 1]);
  assert.match(err[0]!, /permission/);
});

Deno.test("as a program: permission to read is enough to look, help needs none", () => {
  assert.equal(spawnTable(["cat", "--help"], { permissions: [] }).status, 0);
  const { status, out, err } = spawnTable(["show", MINIMAL], { permissions: ["--allow-read"] });
  assert.deepEqual([status, err], [0, []]);
  assert.match(out, /2 rows/);
});

Deno.test("as a program: output to a pipe has no colours", () => {
  assert.ok(!spawnTable(["show", MINIMAL]).out.includes("\x1b"));
  assert.ok(!spawnTable(["show", MINIMAL], { env: { FORCE_COLOR: "1" } }).out.includes("\x1b"));
});

Deno.test({
  name: "as a program: a pipe closed early ends the command quietly, a full disk with one line",
  ignore: Deno.build.os !== "linux",
  fn() {
    using folder = temporaryFolder();
    const shell = (redirection: string) => {
      const { stdout } = new Deno.Command("sh", {
        args: [
          "-c",
          `{ "$0" run -q -A src/cli/main.ts cat examples/data/sim.ms --columns DATA 2>${folder.path}/err; ` +
          `echo status $? >&2; } 2>${folder.path}/status ${redirection}`,
          Deno.execPath(),
        ],
        cwd: ROOT,
      }).outputSync();
      return {
        out: new TextDecoder().decode(stdout),
        err: Deno.readTextFileSync(`${folder.path}/err`),
        status: Deno.readTextFileSync(`${folder.path}/status`).trim(),
      };
    };
    const head = shell("| head -c 10");
    assert.deepEqual(head, { out: '{"DATA":{"', err: "", status: "status 0" });
    const full = shell("> /dev/full");
    assert.equal(full.status, "status 1");
    assert.match(full.err, /^table: standard output: .*\n$/);
  },
});
