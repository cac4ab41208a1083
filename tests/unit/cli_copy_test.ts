/** `table copy`: rows, columns, its progress, and what is left when it is interrupted or killed. */
import assert from "node:assert/strict";
import { array, scalar, Table, tiledColumn } from "../../mod.ts";
import { fixturePath, temporaryFolder } from "../fixture.ts";
import { rowsAsJson } from "../rows-as-json.ts";
import { ROOT, table as runTable } from "./cli_support.ts";

const MAIN = `${ROOT}src/cli/main.ts`;
const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();

Deno.test("table copy takes rows as a range with steps or as a list", async () => {
  using folder = temporaryFolder();
  const source = fixturePath("ssm_scalars_le"), target = `${folder.path}/copy`;
  using original = Table.open(source, { io: "node" });
  const [first, second] = original.columnNames as [string, string];
  const all = rowsAsJson(original);
  for (const [rows, expected] of [["1:8:3", [1, 4, 7]], ["5,0,5", [5, 0, 5]], [":2", [0, 1]]] as const) {
    const run = await runTable(
      "copy",
      source,
      target,
      "--rows",
      rows,
      "--columns",
      `${second},${first}`,
      "--overwrite",
    );
    assert.deepEqual([run.status, run.err], [0, []]);
    assert.match(run.out, new RegExp(`${expected.length} rows, 2 columns`));
    using copy = Table.open(target, { io: "node" });
    assert.deepEqual(
      rowsAsJson(copy),
      expected.map((row) => ({ [second]: all[row]![second], [first]: all[row]![first] })),
    );
  }
  for (const rows of ["1:8:0", "a", "3,", "5:2"]) {
    assert.equal((await runTable("copy", source, target, "--rows", rows)).status, 2, rows);
  }
});

/** A table of 64 GiB that takes no space. */
function large(path: string): void {
  using table = Table.create(path, {
    columns: [scalar("N", "int32"), array("V", "float64", { shape: [1024] })],
    storage: [tiledColumn("T", ["V"], { tileShape: [1024, 64] })],
    rows: 8 * 2 ** 20,
    lock: "none",
    io: "node",
  });
  table.putCell("N", 0, 1);
}

/** Starts a copy that takes long, and gives the process when it is under way. */
async function underWay(folder: string): Promise<Deno.ChildProcess> {
  large(`${folder}/t`);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      MAIN,
      "copy",
      `${folder}/t`,
      `${folder}/copy`,
      "--columns",
      "V",
      "--overwrite",
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const size = () => {
    try {
      return Deno.statSync(`${folder}/copy.partial/table.f0_TSM0`).size;
    } catch {
      return 0;
    }
  };
  for (let i = 0; size() === 0; i++) {
    assert.ok(i < 2000, "the copy begins");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return child;
}

for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`a copy that ${signal} ends leaves nothing`, async () => {
    using folder = temporaryFolder();
    const child = await underWay(folder.path);
    child.kill(signal);
    const { code, stderr, stdout } = await child.output();
    assert.deepEqual([code, stdout.length], [status, 0]);
    assert.equal(new TextDecoder().decode(stderr), "table: interrupted; nothing is left of the copy\n");
    assert.deepEqual(names(folder.path), ["t"]);
  });
}

Deno.test("a copy that is killed leaves only what is no table, and the next one clears it away", async () => {
  using folder = temporaryFolder();
  const child = await underWay(folder.path);
  child.kill("SIGKILL");
  await child.output();
  assert.deepEqual(names(folder.path), ["copy.partial", "t"]);
  assert.throws(() => Table.open(`${folder.path}/copy.partial`), { code: "NOT_A_TABLE" });
  const run = await runTable(
    "copy",
    `${folder.path}/t`,
    `${folder.path}/copy`,
    "--rows",
    "0:3",
    "--lock",
    "none",
  );
  assert.deepEqual([run.status, run.err], [0, []]);
  assert.deepEqual(names(folder.path), ["copy", "t"]);
});

/** True where a program can be given a terminal. */
function canScript(): boolean {
  try {
    return new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "table copy shows a bar on a terminal, and nothing elsewhere",
  ignore: !canScript(),
  fn: () => {
    using folder = temporaryFolder();
    const command = (target: string) => [
      ...[Deno.execPath(), "run", "-A", "--quiet", MAIN, "copy"],
      ...[fixturePath("ssm_scalars_le"), `${folder.path}/${target}`],
    ];
    const shown = new Deno.Command("script", {
      args: ["-qec", command("a").join(" "), "/dev/null"],
      stdin: "null",
    }).outputSync();
    const text = new TextDecoder().decode(shown.stdout);
    assert.match(text, /copying .*% \| \d+ of \d+ rows/);
    assert.match(text, /100 %/);
    const [program, ...args] = command("b") as [string, ...string[]];
    const piped = new Deno.Command(program, { args }).outputSync();
    assert.deepEqual([piped.code, piped.stderr.length], [0, 0]);
    assert.match(new TextDecoder().decode(piped.stdout), /^\S+\/b: .*\n$/);
  },
});
